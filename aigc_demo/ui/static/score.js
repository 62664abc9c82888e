// A pasted text, each character coloured by what it cost the model.
// value: {model, figure, error, empty, name, t: [character], s: [bits]}
const {say, label, make} = window.aigc;
const box = make('div', 'score');
element.replaceChildren(box);
const title = make('h2'), figure = make('p', 'score-figure'), text = make('div', 'score-text'), error = make('p', 'card-error');
box.replaceChildren(title, figure, text, error);
error.setAttribute('role', 'alert');
figure.setAttribute('role', 'status');
text.setAttribute('role', 'group');
text.tabIndex = 0;
const paint = () => {
  const value = props.value || {};
  title.textContent = value.model || '';
  title.hidden = !value.model;
  error.hidden = !value.error;
  if (value.error) say(error, value.error);
  say(figure, value.figure || (value.error ? '' : value.empty));
  text.hidden = !value.t;
  if (!value.t) return;
  label(text, value.name);
  text.replaceChildren(...value.t.map((letter, place) => {
    const node = make('span', 'token', letter);
    node.style.setProperty('--s', Math.min(1, value.s[place] / 8).toFixed(3));
    node.title = value.s[place].toFixed(1) + ' bits';
    return node;
  }));
};
watch('value', paint);
paint();
