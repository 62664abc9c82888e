// Attention weights as an image: one layer and one head at a time, a pixel for each pair of tokens.
// value: null, or {L, H, T, tok: [text], data: base64 of L*H*T*T bytes, words: {layer, head, map, hover}}
const {say, label, make} = window.aigc;
const box = make('div', 'attention');
element.replaceChildren(box);
const visible = raw => raw === '' ? '\u2581' : raw.replace(/\n/g, '\u21b5').replace(/ /g, '\u2423');
const paint = () => {
  const value = props.value;
  if (!value || !value.data) {
    box.replaceChildren(value && value.words ? say(make('p', 'hint'), value.words.empty) : make('span'));
    return;
  }
  const {L, H, T} = value;
  const bytes = Uint8Array.from(atob(value.data), letter => letter.charCodeAt(0));
  const picker = (words, count, name) => {
    const row = make('label', 'picker');
    const select = make('select');
    for (let number = 0; number < count; number++) {
      const option = make('option', '', String(number + 1)); option.value = number; select.append(option);
    }
    select.dataset.name = name;
    select.onchange = () => draw();
    row.append(say(make('span'), words), select);
    return [row, select];
  };
  const [layerBox, layer] = picker(value.words.layer, L, 'layer');
  const [headBox, headPick] = picker(value.words.head, H, 'head');
  layer.value = L - 1;
  const canvas = make('canvas');
  canvas.width = canvas.height = T;
  canvas.setAttribute('role', 'img');
  canvas.tabIndex = 0;
  label(canvas, value.words.map);
  const output = make('output', 'reading');
  say(output, value.words.hover);
  const draw = () => {
    const image = new ImageData(T, T), start = (+layer.value * H + +headPick.value) * T * T;
    for (let at = 0; at < T * T; at++) {
      const row = Math.floor(at / T), column = at % T;
      const weight = Math.sqrt(bytes[start + at] / 255);
      const ground = column > row ? [24, 28, 34] : [10, 22, 30];
      const colour = [255, 196, 92];
      for (let part = 0; part < 3; part++) image.data[4 * at + part] = ground[part] + (colour[part] - ground[part]) * weight;
      image.data[4 * at + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
  };
  let row = T - 1, column = T - 1;
  const read = () => {
    const weight = bytes[(+layer.value * H + +headPick.value) * T * T + row * T + column] / 255;
    output.textContent = `${visible(value.tok[row])} \u2190 ${visible(value.tok[column])}   ${(100 * weight).toFixed(1)} %`;
  };
  canvas.onpointermove = event => {
    const place = canvas.getBoundingClientRect();
    row = Math.min(T - 1, Math.max(0, Math.floor((event.clientY - place.top) / place.height * T)));
    column = Math.min(T - 1, Math.max(0, Math.floor((event.clientX - place.left) / place.width * T)));
    read();
  };
  canvas.onkeydown = event => {
    const move = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!move) return;
    event.preventDefault();
    row = Math.min(T - 1, Math.max(0, row + move[0]));
    column = Math.min(T - 1, Math.max(0, column + move[1]));
    read();
  };
  const controls = make('div', 'attention-controls');
  controls.append(layerBox, headBox);
  box.replaceChildren(controls, canvas, output);
  draw();
};
watch('value', paint);
paint();
