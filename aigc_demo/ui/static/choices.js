// The alternatives to one token, with their probabilities from the model and after the settings.
// value: null, or {title, hint, before, after, token, written, close, newline,
//   rows: [{text, id, before, after, written}]}
const {say, label, make} = window.aigc;
const box = make('div', 'choices');
element.replaceChildren(box);
const percent = prob => prob >= 0.0995 ? (100 * prob).toFixed(0) + ' %' : prob >= 0.00095 ? (100 * prob).toFixed(1) + ' %' : prob > 0 ? '<0.1 %' : '0';
const visible = raw => raw === '' ? '\u2581' : raw.replace(/\n/g, '\u21b5').replace(/ /g, '\u2423').replace(/\t/g, '\u21e5');
const bar = (prob, kind) => {
  const cell = make('td', 'bar ' + kind);
  const fill = make('span', 'fill');
  fill.style.width = (100 * Math.min(1, prob)).toFixed(1) + '%';
  cell.append(fill, make('span', 'number', percent(prob)));
  return cell;
};
const paint = () => {
  const value = props.value;
  box.hidden = !value || !value.rows;
  if (box.hidden) { box.replaceChildren(); return; }
  const head = make('div', 'choices-head');
  const close = say(make('button', 'plain'), value.close);
  close.type = 'button';
  close.onclick = () => trigger('close', {});
  head.append(say(make('h2'), value.title), close);
  const table = make('table');
  const titles = make('tr');
  for (const words of [value.token, value.before, value.after]) {
    const cell = say(make('th'), words); cell.scope = 'col'; titles.append(cell);
  }
  const top = make('thead'); top.append(titles);
  const body = make('tbody');
  value.rows.forEach((row, number) => {
    const line = make('tr', row.written ? 'written' : '');
    const name = make('td', 'name');
    const button = make('button', 'choice', visible(row.text));
    button.type = 'button';
    if (/^\s*\n\s*$/.test(row.text)) label(button, value.newline);
    button.onclick = () => trigger('select', {index: number});
    name.append(button);
    if (row.written) name.append(say(make('span', 'note'), value.written));
    line.append(name, bar(row.before, 'before'), bar(row.after, 'after'));
    body.append(line);
  });
  table.append(top, body);
  box.replaceChildren(head, table, say(make('p', 'hint'), value.hint));
};
watch('value', paint);
paint();
