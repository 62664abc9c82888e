// An image to paint over; only which pixels were painted goes back to the server, a bit for each.
// value: {src, size, mask: base64 of size * size bits, name, empty, clear}
const {say, label, make, relabel} = window.aigc;
const BRUSH = 3;
const box = make('div', 'paint');
const empty = make('p', 'images-empty'), frame = make('div', 'paint-frame');
const canvas = make('canvas'), clear = make('button', 'paint-clear');
canvas.tabIndex = 0;
canvas.setAttribute('role', 'img');
clear.type = 'button';
frame.append(canvas, clear);
box.append(empty, frame);
element.replaceChildren(box);
let bits = null, image = null, source = null, painting = false, cursor = [0, 0], shown = false;

const draw = () => {
  if (!image || !bits) return;
  const size = canvas.width, pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0, size, size);
  const data = pen.getImageData(0, 0, size, size);
  for (let place = 0; place < size * size; place++) {
    if (bits[place]) data.data.set([225, 29, 72, 255], 4 * place);
  }
  pen.putImageData(data, 0, 0);
  if (shown) {
    pen.strokeStyle = '#000';
    pen.strokeRect(cursor[0] - BRUSH + 0.5, cursor[1] - BRUSH + 0.5, 2 * BRUSH, 2 * BRUSH);
  }
};
const dab = (x, y) => {
  const size = canvas.width;
  for (let row = Math.max(0, y - BRUSH); row <= Math.min(size - 1, y + BRUSH); row++) {
    for (let column = Math.max(0, x - BRUSH); column <= Math.min(size - 1, x + BRUSH); column++) {
      if ((row - y) ** 2 + (column - x) ** 2 <= BRUSH ** 2 + 1) bits[row * size + column] = 1;
    }
  }
  draw();
};
const send = () => {
  const bytes = new Uint8Array(bits.length / 8);
  bits.forEach((bit, place) => { if (bit) bytes[place >> 3] |= 128 >> (place & 7); });
  props.value = {...props.value, mask: btoa(String.fromCharCode(...bytes))};
};
const at = event => {
  const area = canvas.getBoundingClientRect();
  return [event.clientX - area.left, event.clientY - area.top].map(
    (way, axis) => Math.floor(way / (axis ? area.height : area.width) * canvas.width));
};
let last = null;
const stroke = event => {
  const here = at(event), from = last || here;
  const steps = Math.max(1, Math.abs(here[0] - from[0]), Math.abs(here[1] - from[1]));
  for (let step = 0; step <= steps; step++) {
    dab(...here.map((end, axis) => Math.round(from[axis] + (end - from[axis]) * step / steps)));
  }
  last = here;
};
canvas.onpointerdown = event => {
  if (!bits) return;
  painting = true; shown = false; last = null;
  canvas.setPointerCapture(event.pointerId);
  stroke(event);
};
canvas.onpointermove = event => { if (painting) stroke(event); };
canvas.onpointerup = canvas.onpointercancel = () => { if (painting) { painting = false; send(); } };
canvas.onkeydown = event => {
  if (!bits) return;
  const way = {ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, -2], ArrowDown: [0, 2]}[event.key];
  if (way) cursor = cursor.map((place, axis) => Math.max(0, Math.min(canvas.width - 1, place + way[axis])));
  else if (event.key === ' ' || event.key === 'Enter') { dab(...cursor); send(); }
  else return;
  event.preventDefault();
  shown = true;
  draw();
};
canvas.onblur = () => { shown = false; draw(); };
clear.onclick = () => { if (bits) { bits.fill(0); draw(); send(); } };
const paint = () => {
  const value = props.value;
  if (!value) return;
  say(empty, value.empty);
  say(clear, value.clear);
  label(canvas, value.name);
  empty.hidden = Boolean(value.src);
  frame.hidden = !value.src;
  relabel(box);
  if (!value.src || value.src === source) return;
  source = value.src;
  canvas.width = canvas.height = value.size;
  cursor = [value.size >> 1, value.size >> 1];
  bits = new Uint8Array(value.size * value.size);
  image = new Image();
  image.onload = draw;
  image.src = value.src;
};
watch('value', paint);
paint();
