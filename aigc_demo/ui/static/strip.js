// A strip of tokens: what was given, then what was written, each a button for keyboard and pointer alike.
// value: {reset, prompt: [[text, id]], t: [text], i: [id], s: [bits], chosen, name, newline, empty}
const {say, label, make} = window.aigc;
const box = make('div', 'strip');
element.replaceChildren(box);
const given = make('span', 'strip-given');
const list = make('span', 'strip-tokens');
const empty = make('span', 'strip-empty');
box.replaceChildren(given, list, empty);
let drawn = 0, reset = null, chosen = -1;
const texts = [];  // of the tokens drawn

const piece = (raw, id, bits) => {
  const node = make('span', raw === '' ? 'token token-part' : 'token', raw || '\u2581');
  node.dataset.id = id;
  node.style.setProperty('--s', Math.min(1, Math.max(0, bits || 0) / 8).toFixed(3));
  return node;
};
const option = (value, number) => {
  const node = piece(value.t[number], value.i[number], value.s[number]);
  node.dataset.n = number;
  node.setAttribute('role', 'option');
  node.setAttribute('aria-selected', String(number === chosen));
  node.tabIndex = number === 0 ? 0 : -1;
  node.title = (value.s[number] ?? 0).toFixed(1) + ' bits';
  // A line break has no width of its own: the style sheet puts a mark before it, to be seen and clicked.
  if (/^\s*\n\s*$/.test(value.t[number])) { node.classList.add('token-newline'); label(node, value.newline); }
  texts[number] = value.t[number];
  return node;
};
const focusable = number => { for (const node of list.children) node.tabIndex = +node.dataset.n === number ? 0 : -1; };
const mark = number => {
  if (chosen === number) return;
  list.children[chosen]?.setAttribute('aria-selected', 'false');
  list.children[number]?.setAttribute('aria-selected', 'true');
  chosen = number;
};
const paint = () => {
  const value = props.value || {t: [], i: [], s: [], prompt: []};
  if (value.reset !== reset || value.t.length < drawn) {
    list.replaceChildren();
    drawn = 0; chosen = -1; reset = value.reset;
    box.dataset.text = reset;
  }
  if (value.prompt.length ? given.children.length !== value.prompt.length : drawn === 0) {
    given.replaceChildren(...value.prompt.map(([raw, id]) => piece(raw, id, 0)));
  }
  list.setAttribute('role', 'listbox');
  label(list, value.name);
  // What was drawn may have got its text since: a part of a character, or of what could have ended the text.
  for (let number = 0; number < drawn; number++) {
    if (texts[number] !== value.t[number]) list.children[number].replaceWith(option(value, number));
  }
  const more = document.createDocumentFragment();
  for (; drawn < value.t.length; drawn++) more.append(option(value, drawn));
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  list.append(more);
  if (low) box.scrollTop = box.scrollHeight;
  list.hidden = value.t.length === 0;
  empty.hidden = value.t.length > 0 || value.prompt.length > 0;
  if (!empty.hidden && value.empty) say(empty, value.empty);
  mark(value.chosen ?? -1);
};
const select = node => { if (node) trigger('select', {index: +node.dataset.n, reset}); };
box.onclick = event => select(event.target.closest('[data-n]'));
box.onkeydown = event => {
  const node = event.target.closest('[data-n]');
  if (!node) return;
  const last = list.children.length - 1, here = +node.dataset.n;
  const goal = {ArrowRight: here + 1, ArrowLeft: here - 1, ArrowDown: here + 10, ArrowUp: here - 10, Home: 0, End: last}[event.key];
  if (goal !== undefined) {
    event.preventDefault();
    const number = Math.max(0, Math.min(last, goal));
    focusable(number);
    list.children[number].focus();
  } else if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    select(node);
  }
};
watch('value', paint);
paint();
