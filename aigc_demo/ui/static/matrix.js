// Captions against images: a row for each caption, a column for each image, each cell a score.
// value: {rows: [{name, scores}], images: [address], name, note, empty}
const {say, label, make} = window.aigc;
const box = make('div', 'matrix');
const frame = make('div', 'matrix-frame'), note = make('p', 'matrix-note'), empty = make('p', 'images-empty');
box.append(empty, frame, note);
element.replaceChildren(box);
const cell = (row, score, column, number) => {
  const node = make('td', column === number ? 'matrix-own' : '', score.toFixed(2));
  const low = Math.min(...row.scores), high = Math.max(...row.scores);
  node.style.setProperty('--s', high > low ? ((score - low) / (high - low)).toFixed(3) : '0');
  if (score === high) node.dataset.best = '';
  return node;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  say(empty, value.empty);
  empty.hidden = value.rows.length > 0;
  frame.hidden = note.hidden = value.rows.length === 0;
  if (frame.hidden) return;
  const table = make('table'), head = make('tr');
  label(table, value.name);
  head.append(make('td'), ...value.images.map((address, number) => {
    const place = make('th'), image = make('img');
    image.src = address;
    image.alt = value.rows[number] ? value.rows[number].name : '';
    place.append(image);
    return place;
  }));
  table.append(head, ...value.rows.map((row, number) => {
    const line = make('tr'), name = make('th', '', row.name);
    name.scope = 'row';
    line.append(name, ...row.scores.map((score, column) => cell(row, score, column, number)));
    return line;
  }));
  frame.replaceChildren(table);
  say(note, value.note);
};
watch('value', paint);
paint();
