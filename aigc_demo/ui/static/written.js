// What the models made of one prompt, each in a figure of its own.
// value: {run, columns: [{title, given, text, state, error, picture}]}
const {say, make} = window.aigc;
const list = make('div', 'samples written');
element.replaceChildren(list);
const figure = () => {
  const part = make('figure', 'sample'), caption = make('figcaption'), error = make('p', 'card-error');
  const text = make('p', 'sample-text'), given = make('span', 'strip-given'), own = make('span');
  text.append(given, own);
  part.append(caption, text, error);
  return Object.assign(part, {caption, text, given, own, error});
};
const once = (node, words) => {
  const drawn = JSON.stringify(words);
  if (node.dataset.drawn !== drawn) say(node, words);
  node.dataset.drawn = drawn;
};
const paint = () => {
  const {run, columns} = props.value || {run: '', columns: []};
  if (!columns.length && run === list.dataset.run) return;
  list.dataset.run = run;
  while (list.children.length > columns.length) list.lastChild.remove();
  while (list.children.length < columns.length) list.append(figure());
  columns.forEach((column, number) => {
    const part = list.children[number];
    part.dataset.state = column.state;
    once(part.caption, column.title);
    part.given.textContent = column.given;
    part.own.textContent = column.text;
    part.text.hidden = Boolean(column.picture);
    if (part.dataset.picture !== (column.picture || '')) {
      part.dataset.picture = column.picture || '';
      part.querySelector('img')?.remove();
      if (column.picture) part.caption.after(window.aigc.image(column.picture, column.title));
    }
    part.error.hidden = !column.error;
    once(part.error, column.error);
  });
};
watch('value', paint);
paint();
