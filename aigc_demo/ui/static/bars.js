// Probabilities as bars, in groups, under what they lead to.
// value: {empty, head, parts: [{text, kind}], groups: [{title, note, rows: [{text, prob, right}]}], right}
// Texts of rows are the same in every language, or words in each.
const {say, make} = window.aigc;
const box = make('div', 'bars');
element.replaceChildren(box);
const percent = prob => prob >= 0.0995 ? (100 * prob).toFixed(0) + ' %' : prob >= 0.00095 ? (100 * prob).toFixed(1) + ' %' : '<0.1 %';
const row = (value, one) => {
  const line = make('div', one.right ? 'bars-row bars-right' : 'bars-row');
  const name = make('span', 'bars-name'), track = make('span', 'bars-track'), fill = make('span', 'bars-fill');
  if (typeof one.text === 'string') name.textContent = one.text; else say(name, one.text);
  if (one.right) name.append(say(make('small'), value.right));
  fill.style.width = (100 * Math.min(1, one.prob)).toFixed(1) + '%';
  track.append(fill);
  line.append(name, track, make('span', 'bars-number', percent(one.prob)));
  return line;
};
const group = (value, one) => {
  const part = make('section', 'bars-group');
  if (one.title) part.append(say(make('p', 'bars-title'), one.title));
  part.append(...one.rows.map(each => row(value, each)));
  if (one.note) part.append(say(make('p', 'hint'), one.note));
  return part;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  if (!value.groups.length) { box.replaceChildren(say(make('p', 'images-empty'), value.empty)); return; }
  const nodes = [];
  if (value.head) nodes.push(say(make('p', 'bars-head'), value.head));
  if (value.parts.length) {
    const text = make('p', 'bars-text');
    text.append(...value.parts.map(part => part.kind ? make('mark', 'bars-' + part.kind, part.text) : part.text));
    nodes.push(text);
  }
  box.replaceChildren(...nodes, ...value.groups.map(one => group(value, one)));
};
watch('value', paint);
paint();
