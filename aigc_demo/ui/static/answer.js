// An answer, and what its model looked at in the source: a token of the answer is clicked, or chosen by the
// arrow keys, and the source's tokens are coloured by the weight of the cross-attention.
// value: {empty, text, verdict, right, tokens: [text], source: [text], L, H, data: base64 of L*H*T*S bytes,
//   words: {layer, head, mean, answer, source, hint}}
const {say, label, make, relabel} = window.aigc;
const box = make('div', 'answer');
element.replaceChildren(box);
const SPECIAL = /^<(start|sep|pad|mask|unk)>$|^\[(CLS|SEP|PAD|MASK|UNK)\]$/;
const visible = raw => raw === '' ? '\u2581' : raw.replace(/\n/g, '\u21b5');
const MOST_READ = 3;
let row = 0;  // the token of the answer that is looked at
const piece = (raw, kind) => make('span', SPECIAL.test(raw) ? kind + ' answer-special' : kind, visible(raw));
const picker = (words, mean, count, name, changed) => {
  const line = make('label', 'picker'), select = make('select');
  const first = make('option'); first.value = -1;
  first.textContent = mean[document.documentElement.lang] || mean.en;
  select.append(first);
  for (let number = 0; number < count; number++) {
    const option = make('option', '', String(number + 1)); option.value = number; select.append(option);
  }
  select.dataset.name = name;
  select.onchange = changed;
  line.append(say(make('span'), words), select);
  return [line, select];
};
const looked = value => {
  const bytes = Uint8Array.from(atob(value.data), letter => letter.charCodeAt(0));
  const T = value.tokens.length, S = value.source.length;
  const [layerBox, layer] = picker(value.words.layer, value.words.mean, value.L, 'layer', () => draw());
  const [headBox, head] = picker(value.words.head, value.words.mean, value.H, 'head', () => draw());
  const chosen = (select, count) => +select.value < 0 ? [...Array(count).keys()] : [+select.value];
  const weight = column => {
    let sum = 0, maps = 0;
    for (const l of chosen(layer, value.L)) for (const h of chosen(head, value.H)) {
      sum += bytes[((l * value.H + h) * T + row) * S + column] / 255; maps++;
    }
    return sum / maps;
  };
  const tokens = make('div', 'answer-tokens'), source = make('div', 'answer-source');
  label(tokens, value.words.answer);
  label(source, value.words.source);
  tokens.setAttribute('role', 'group');
  source.setAttribute('role', 'group');
  source.tabIndex = 0;  // a long one is scrolled by the keyboard
  const buttons = value.tokens.map((raw, number) => {
    const node = make('button', SPECIAL.test(raw) ? 'answer-token answer-special' : 'answer-token', visible(raw));
    node.type = 'button';
    node.onclick = () => { row = number; draw(); };
    return node;
  });
  const places = value.source.map(raw => piece(raw, 'answer-place'));
  tokens.append(...buttons);
  source.append(...places);
  tokens.onkeydown = event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    row = Math.max(0, Math.min(T - 1, row + step));
    draw();
    buttons[row].focus();
  };
  const draw = () => {
    const weights = places.map((node, column) => weight(column)), most = Math.max(...weights, 0.02);
    buttons.forEach((node, number) => {
      node.setAttribute('aria-pressed', String(number === row));
      node.tabIndex = number === row ? 0 : -1;
    });
    places.forEach((node, column) => {
      node.style.setProperty('--s', (weights[column] / most).toFixed(3));
      node.title = (100 * weights[column]).toFixed(1) + ' %';
    });
    const first = [...weights.keys()].sort((one, other) => weights[other] - weights[one]).slice(0, MOST_READ);
    const read = first.map(column => `${visible(value.source[column])} ${(100 * weights[column]).toFixed(0)} %`);
    output.textContent = `${visible(value.tokens[row])} \u2190 ${read.join(' \u00b7 ')}`;
  };
  const controls = make('div', 'attention-controls'), output = make('output', 'reading');
  controls.append(layerBox, headBox);
  draw();
  return [say(make('p', 'hint'), value.words.hint), tokens, source, output, controls];
};
let drawn = '';
const paint = () => {
  const value = props.value;
  if (!value) return;
  const now = JSON.stringify(value);
  if (now === drawn) return;
  drawn = now;
  row = 0;
  if (!value.data) { box.replaceChildren(say(make('p', 'images-empty'), value.empty)); return; }
  const text = make('p', 'answer-text', value.text || '\u2013');
  text.tabIndex = 0;
  const nodes = [text];
  if (value.verdict) {
    const verdict = say(make('p', 'answer-verdict'), value.verdict);
    verdict.dataset.right = String(value.right);
    nodes.push(verdict);
  }
  box.replaceChildren(...nodes, ...looked(value));
  relabel(box);
};
watch('value', paint);
paint();
