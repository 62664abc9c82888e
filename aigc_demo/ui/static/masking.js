// A text whose words are masked by a click, and unmasked by another; the arrow keys go from word to word.
// value: {text, hidden: [[first, past]] in characters, name, hint, empty}
const {say, label, make, relabel} = window.aigc;
const WORDS = /<mask>|\[MASK\]|\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+|[^\s]/gu;
const box = make('div', 'masking');
const list = make('div', 'masking-words'), hint = make('p', 'hint');
list.setAttribute('role', 'group');
box.append(list, hint);
element.replaceChildren(box);
let current = 0;
// Python counts characters, JavaScript halves of the rare ones.
const counted = text => [...text].length;
const pieces = text => [...text.matchAll(WORDS)].map(found => {
  const first = counted(text.slice(0, found.index));
  return {word: found[0], begin: found.index, first, past: first + counted(found[0])};
});
const meets = (ranges, piece) => ranges.some(([first, past]) => piece.first < past && piece.past > first);
const toggle = piece => {
  const {hidden} = props.value;
  const rest = hidden.filter(([first, past]) => piece.first >= past || piece.past <= first);
  props.value = {...props.value, hidden: meets(hidden, piece) ? rest : [...hidden, [piece.first, piece.past]]};
  paint();
  list.querySelector(`[data-n="${current}"]`)?.focus();
};
const button = (piece, number) => {
  const masked = meets(props.value.hidden, piece);
  const node = make('button', 'masking-word', masked ? '?' : piece.word);
  node.type = 'button';
  node.dataset.n = number;
  node.tabIndex = number === current ? 0 : -1;
  node.setAttribute('aria-label', piece.word);
  node.setAttribute('aria-pressed', String(masked));
  node.onclick = () => { current = number; toggle(piece); };
  return node;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  const found = pieces(value.text);
  current = Math.min(current, Math.max(0, found.length - 1));
  label(list, value.name);
  const nodes = [];
  let end = 0;
  found.forEach((piece, number) => {
    nodes.push(value.text.slice(end, piece.begin), button(piece, number));
    end = piece.begin + piece.word.length;
  });
  list.replaceChildren(...nodes, value.text.slice(end));
  list.hidden = found.length === 0;
  say(hint, found.length ? value.hint : value.empty);
  relabel(box);
};
list.onkeydown = event => {
  const node = event.target.closest('[data-n]');
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  const goal = node && step && list.querySelector(`[data-n="${+node.dataset.n + step}"]`);
  if (!goal) return;
  event.preventDefault();
  node.tabIndex = -1;
  goal.tabIndex = 0;
  goal.focus();
  current = +goal.dataset.n;
};
watch('value', paint);
paint();
