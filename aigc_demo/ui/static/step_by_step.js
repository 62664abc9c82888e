// The batch of a step: how the training stands, its numbers computed twice, and every image with its D.
// value: {empty} or {name, state, columns: [words], rows: [{name, cells: [text]}], strips: [{title, about, sheet,
//   tiles: [{text, name}], scale: {low, high}}]}; a sheet is one PNG with all tiles side by side.
const {say, label, make} = window.aigc;
const state = make('p', 'step-by-step-state'), table = make('div', 'differences step-by-step-numbers'), strips = make('div', 'step-by-step-strips');
state.setAttribute('role', 'status');
table.setAttribute('role', 'region');
table.tabIndex = 0;
element.replaceChildren(state, table, strips);
const numbers = value => {
  const drawn = make('table'), head = make('tr'), body = make('tbody'), top = make('thead');
  head.append(...value.columns.map(words => { const cell = say(make('th'), words); cell.scope = 'col'; return cell; }));
  top.append(head);
  body.append(...value.rows.map(row => {
    const line = make('tr'), name = say(make('th'), row.name);
    name.scope = 'row';
    line.append(name, ...row.cells.map(text => make('td', '', text)));
    return line;
  }));
  drawn.append(top, body);
  return drawn;
};
const strip = value => {
  const box = make('section', 'step-by-step-strip'), tiles = make('div', 'step-by-step-tiles');
  const about = say(make('p', 'hint'), value.about), head = make('div', 'step-by-step-strip-head');
  head.append(say(make('p', 'step-by-step-strip-title'), value.title), about);
  if (value.scale) {
    const scale = make('div', 'step-by-step-scale');
    scale.append(make('span', '', value.scale.low), make('i'), make('span', '', value.scale.high));
    head.append(scale);
  }
  tiles.append(...value.tiles.map((tile, place) => {
    const figure = make('figure'), image = make('div', 'step-by-step-tile');
    image.setAttribute('role', 'img');
    label(image, tile.name);
    image.style.backgroundImage = `url(${value.sheet})`;
    image.style.backgroundSize = `${100 * value.tiles.length}% 100%`;
    image.style.backgroundPosition = `${100 * place / (value.tiles.length - 1)}% 0`;
    figure.append(image, make('figcaption', '', tile.text));
    return figure;
  }));
  box.append(head, tiles);
  return box;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  say(state, value.state || value.empty);
  table.hidden = !value.rows;
  if (value.rows) label(table, value.name);
  table.replaceChildren(...value.rows ? [numbers(value)] : []);
  strips.replaceChildren(...(value.strips || []).map(strip));
};
watch('value', paint);
paint();
