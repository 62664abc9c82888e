// Small charts: lines and points over one x, axes linear or in powers of ten.
// value: {empty, charts: [{title, x, y, x_log, y_log, x_range, y_range,
//   series: [{name, points: [[x, y]], dots, mark: [x, y]}]}]}; ranges are null where the points decide.
const {say, label, make} = window.aigc;
const WIDTH = 360, HEIGHT = 220, LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 26;
const grid = make('div', 'small-plots');
element.replaceChildren(grid);
const draw = (tag, attributes, text) => {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const power = exponent => exponent < -2 || exponent > 3
  ? '10' + String(exponent).replace(/./g, sign => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(sign)])
  : String(Number((10 ** exponent).toPrecision(1)));
const axis = (range, values, log, from, to, pad) => {
  const placed = log ? Math.log10 : number => number;
  let [low, high] = range || [Math.min(...values), Math.max(...values)];
  [low, high] = [placed(low), placed(high)];
  if (log) { low = Math.floor(low); high = Math.ceil(high); }
  if (high <= low) high = low + 1;
  if (!range && !log) [low, high] = [low - (high - low) * pad, high + (high - low) * pad];
  const at = number => from + (placed(number) - low) / (high - low) * (to - from);
  const wish = (high - low) / 4, size = 10 ** Math.floor(Math.log10(wish));
  const step = log ? Math.max(1, Math.ceil(wish)) : [1, 2, 5, 10].map(one => one * size).find(one => one >= wish);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + 1e-9; tick += step) {
    const text = log ? power(Math.round(tick)) : String(Number(tick.toPrecision(4))).replace('-', '−');
    ticks.push([from + (tick - low) / (high - low) * (to - from), text]);
  }
  return {at, ticks};
};
const chart = value => {
  const box = make('figure', 'small-plot');
  const usable = ([x, y]) => y !== null && (!value.x_log || x > 0) && (!value.y_log || y > 0);
  const series = value.series.map(one => ({...one, points: one.points.filter(usable)}));
  const points = series.flatMap(one => one.points);
  box.append(say(make('figcaption'), value.title));
  const chart = draw('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img'});
  label(chart, value.title);
  box.append(chart);
  const x = axis(value.x_range, points.map(point => point[0]), value.x_log, LEFT, WIDTH - RIGHT, 0);
  const y = axis(value.y_range, points.map(point => point[1]), value.y_log, HEIGHT - BOTTOM, TOP, 0.06);
  for (const [place, text] of y.ticks) {
    chart.append(draw('line', {x1: LEFT, x2: WIDTH - RIGHT, y1: place, y2: place, class: 'tick'}));
    chart.append(draw('text', {x: LEFT - 6, y: place + 4, 'text-anchor': 'end'}, text));
  }
  for (const [place, text] of x.ticks) {
    chart.append(draw('line', {x1: place, x2: place, y1: TOP, y2: HEIGHT - BOTTOM, class: 'tick'}));
    chart.append(draw('text', {x: place, y: HEIGHT - BOTTOM + 15, 'text-anchor': 'middle'}, text));
  }
  const inside = draw('svg', {x: 0, y: TOP, width: WIDTH, height: HEIGHT - TOP - BOTTOM, viewBox: `0 ${TOP} ${WIDTH} ${HEIGHT - TOP - BOTTOM}`});
  chart.append(inside);
  const legend = make('ul', 'small-legend');
  series.forEach((one, place) => {
    const path = one.points.map(point => `${x.at(point[0]).toFixed(1)},${y.at(point[1]).toFixed(1)}`);
    if (one.dots || path.length === 1) for (const at of path) {
      const [cx, cy] = at.split(',');
      inside.append(draw('circle', {cx, cy, r: 2.2, class: `series-${place} dot`}));
    } else inside.append(draw('polyline', {points: path.join(' '), class: `series-${place}`}));
    if (one.mark) chart.append(draw('circle', {cx: x.at(one.mark[0]), cy: y.at(one.mark[1]), r: 6, class: `series-${place} mark`}));
    const row = make('li', `series-${place}`);
    row.append(say(make('span'), one.name));
    legend.append(row);
  });
  const axes = make('p', 'small-axes');
  axes.append(say(make('span'), value.y), say(make('span'), value.x));
  box.append(axes, legend);
  return box;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  grid.replaceChildren(...value.charts.filter(one => one.series.some(each => each.points.length)).map(chart));
  if (!grid.children.length && value.empty) grid.append(say(make('p', 'hint'), value.empty));
};
watch('value', paint);
paint();
