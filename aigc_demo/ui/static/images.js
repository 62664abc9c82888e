// Images in a grid, each with a caption; drawn from one sheet, so that an update is one small file.
// value: {sheet, size, columns, count, captions: [words], chosen, pick, row, loop, name, each, empty, note, save, file}
const {say, label, make, relabel} = window.aigc;
const box = make('div', 'images');
element.replaceChildren(box);
const grid = make('div', 'images-grid'), loop = make('img', 'images-loop');
const foot = make('p', 'images-foot'), note = make('span', 'images-note');
const links = make('span', 'images-links'), empty = make('p', 'images-empty');
foot.append(note, links);
box.append(empty, grid, loop, foot);
let turn = 0;

const cell = (value, number) => {
  const figure = make('figure', 'image-tile'), canvas = make('canvas');
  canvas.width = canvas.height = value.size;
  const frame = make(value.pick ? 'button' : 'div', 'tile-frame');
  if (value.pick) {
    frame.type = 'button';
    frame.onclick = () => trigger('select', {index: number});
  }
  frame.append(canvas);
  figure.append(frame, make('figcaption'));
  return figure;
};
const link = (address, name, words) => {
  const node = say(make('a'), words);
  node.href = address;
  node.download = name;
  return node;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  const mine = ++turn;
  say(empty, value.empty);
  empty.hidden = value.count > 0;
  foot.hidden = value.count === 0;
  grid.style.gridTemplateColumns = value.row ? `repeat(${value.row}, minmax(0, 160px))` : '';
  const shape = `${value.count}/${value.size}/${value.pick}`;
  if (shape !== grid.dataset.shape) {
    grid.dataset.shape = shape;
    grid.replaceChildren(...Array.from({length: value.count}, (_, number) => cell(value, number)));
  }
  grid.setAttribute('role', 'group');
  label(grid, value.name);
  loop.hidden = !value.loop;
  if (value.loop) { loop.src = value.loop; label(loop, value.name); loop.alt = value.name.en; }
  else loop.removeAttribute('src');
  say(note, value.note);
  links.replaceChildren(...(value.sheet ? [link(value.sheet, value.file + '.png', value.save)] : []),
    ...(value.loop ? [link(value.loop, value.file + '.webp', value.saveLoop)] : []));
  if (value.count === 0) return;
  [...grid.children].forEach((figure, number) => {
    const caption = value.captions[number] || '';
    say(figure.lastChild, caption);
    figure.lastChild.hidden = !caption;
    figure.firstChild.setAttribute('aria-pressed', String(number === value.chosen));
    if (!value.pick) figure.firstChild.removeAttribute('aria-pressed');
    const target = value.pick ? figure.firstChild : figure.querySelector('canvas');
    if (!value.pick) target.setAttribute('role', 'img');
    label(target, value.each[number]);
  });
  relabel(box);
  const image = new Image();
  image.onload = () => {
    if (mine !== turn) return;
    const step = value.size + value.gap;
    [...grid.children].forEach((figure, number) => {
      const left = number % value.columns * step, top = Math.floor(number / value.columns) * step;
      const pen = figure.querySelector('canvas').getContext('2d');
      pen.drawImage(image, left, top, value.size, value.size, 0, 0, value.size, value.size);
    });
    grid.dataset.drawn = String(value.id);
  };
  image.src = value.sheet;
};
watch('value', paint);
paint();
