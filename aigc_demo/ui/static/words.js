// The words of a caption: each says what it was taken for, and one that is unknown says so.
// value: {words: [{text, part, name}], pick, chosen, name, note}
const {say, label, make} = window.aigc;
const box = make('div', 'words');
const list = make('div', 'words-list'), note = make('p', 'words-note');
box.append(list, note);
element.replaceChildren(box);

const chip = (value, word, number) => {
  const node = make(value.pick ? 'button' : 'span', 'word-chip');
  node.dataset.part = word.part || 'filler';
  const text = make('span', 'word-text', word.text);
  node.append(text);
  if (word.name) node.append(say(make('small'), word.name));
  if (value.pick) {
    node.type = 'button';
    node.setAttribute('aria-pressed', String(number === value.chosen));
    node.onclick = () => trigger('select', {index: number});
  }
  return node;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  list.setAttribute('role', 'group');
  label(list, value.name);
  list.replaceChildren(...value.words.map((word, number) => chip(value, word, number)));
  list.hidden = value.words.length === 0;
  note.hidden = !value.note;
  if (value.note) say(note, value.note);
};
watch('value', paint);
paint();
