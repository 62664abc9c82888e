// Runs side by side: what differs in their settings, how good they got, how long it took.
// value: {caption, head: [text], rows: [{name, cells: [text or words]}]}
const {say, make} = window.aigc;
const box = make('div', 'differences');
box.tabIndex = 0;
element.replaceChildren(box);
const paint = () => {
  const value = props.value;
  box.replaceChildren();
  box.hidden = !value || !value.rows.length;
  if (box.hidden) return;
  const table = make('table'), head = make('tr'), top = make('thead'), body = make('tbody');
  head.append(make('td'), ...value.head.map(name => {
    const cell = make('th', '', name);
    cell.scope = 'col';
    return cell;
  }));
  top.append(head);
  for (const row of value.rows) {
    const line = make('tr'), first = say(make('th'), row.name);
    first.scope = 'row';
    line.append(first, ...row.cells.map(cell => say(make('td'), cell)));
    body.append(line);
  }
  const caption = say(make('caption'), value.caption);
  table.append(caption, top, body);
  box.append(table);
};
watch('value', paint);
paint();
