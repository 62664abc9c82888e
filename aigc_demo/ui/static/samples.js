// Samples of a run's checkpoints, the newest first.
// value: {run, words, samples: [{step, title, text, picture}]}
const {say, make} = window.aigc;
const title = make('h3', 'samples-title'), list = make('div', 'samples');
list.tabIndex = 0;
list.setAttribute('role', 'region');
element.replaceChildren(title, list);
// A slow disk may show an image later than the record names it.
const patient = image => {
  let left = 5;
  image.onerror = () => { if (left-- > 0) setTimeout(() => { image.src = image.src; }, 3000); };
  return image;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  const drawn = JSON.stringify([value.run, value.samples.map(sample => [sample.step, sample.picture])]);
  if (drawn === list.dataset.drawn) return;
  list.dataset.drawn = drawn;
  window.aigc.label(list, value.words.title);
  say(title, value.words.title);
  list.replaceChildren(...value.samples.map(sample => {
    const part = make('figure', 'sample');
    part.append(say(make('figcaption'), sample.title));
    if (sample.picture) part.append(patient(window.aigc.image(sample.picture, sample.title)));
    if (sample.text || !sample.picture) part.append(make('p', 'sample-text', sample.text));
    return part;
  }));
  if (!value.samples.length) list.replaceChildren(say(make('p', 'hint'), value.words.empty));
};
watch('value', paint);
paint();
