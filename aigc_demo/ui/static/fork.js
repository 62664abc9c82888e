// The texts of several decoders, and a table of what each of them did at a fork.
// value: {empty, prompt, texts: [{name, state, words, tokens}], forks: null or [{title, position,
//   candidates: [{text, prob, noise}], decisions: [{place, taken, probs, why}]}], words}
const {say, label, make} = window.aigc;
const box = make('div', 'fork');
element.replaceChildren(box);
let chosen = 0;
const visible = raw => raw === '' ? '∅' : raw.replace(/\n/g, '↵').replace(/^ | $/g, '␣');
const percent = prob => prob >= 0.0995 ? (100 * prob).toFixed(0) + ' %' : prob >= 0.00095 ? (100 * prob).toFixed(1) + ' %' : '<0.1 %';
// A colour for each token that was taken, the same in the texts and in the table.
const colours = fork => {
  const found = new Map();
  for (const one of fork ? fork.decisions : []) if (!found.has(one.taken)) found.set(one.taken, found.size % 6);
  return found;
};
const line = (value, one, place, fork, colour) => {
  const row = make('div', 'fork-text'), text = make('p', 'fork-words');
  const decision = fork && fork.decisions.find(each => each.place === place);
  if (fork && !decision) row.classList.add('fork-elsewhere');
  row.append(say(make('span', 'fork-name'), one.name), text);
  if (one.words && !one.tokens.length) { say(text, one.words); return row; }
  const at = decision ? fork.position : 0;
  text.append(make('span', 'fork-shared', value.prompt + one.tokens.slice(0, at).join('')));
  if (decision) {
    const mark = make('mark', '', visible(one.tokens[at]));
    mark.dataset.colour = colour.get(decision.taken);
    text.append(mark);
  }
  text.append(one.tokens.slice(decision ? at + 1 : 0).join(''));
  return row;
};
const cell = (words, decision, row, colour) => {
  const node = make('td');
  if (decision.taken === row) {
    node.dataset.colour = colour.get(row);
    node.append(say(make('b'), words.taken), ' ');
  }
  const prob = decision.probs[row];
  if (prob === undefined) { if (decision.taken !== row) node.append('–'); return node; }
  if (prob === 0) { node.append(say(make('span', 'fork-dropped'), words.dropped)); return node; }
  node.append(percent(prob));
  return node;
};
const table = (value, fork, colour) => {
  const node = make('table'), head = make('tr');
  label(node, fork.title);
  const title = words => { const one = say(make('th'), words); one.scope = 'col'; return one; };
  head.append(title(value.words.token), title(value.words.prob), title(value.words.noise),
    ...fork.decisions.map(one => title(value.texts[one.place].name)));
  node.append(head, ...fork.candidates.map((candidate, row) => {
    const one = make('tr'), name = make('th', '', visible(candidate.text)), bar = make('td', 'fork-bar'), fill = make('i');
    name.scope = 'row';
    if (colour.has(row)) name.dataset.colour = colour.get(row);
    fill.style.width = (100 * candidate.prob).toFixed(1) + '%';
    bar.append(fill, make('span', '', percent(candidate.prob)));
    one.append(name, bar, make('td', 'fork-noise', (candidate.noise < 0 ? '−' : '+') + Math.abs(candidate.noise).toFixed(2)),
      ...fork.decisions.map(decision => cell(value.words, decision, row, colour)));
    return one;
  }));
  const frame = make('div', 'fork-frame');
  frame.tabIndex = 0;
  label(frame, fork.title);
  frame.append(node);
  return frame;
};
const picker = value => {
  const row = make('div', 'fork-picker');
  row.setAttribute('role', 'group');
  label(row, value.words.choose);
  row.append(...value.forks.map((fork, number) => {
    const button = say(make('button'), fork.title);
    button.type = 'button';
    button.setAttribute('aria-pressed', String(number === chosen));
    button.onclick = () => { chosen = number; paint(); box.querySelectorAll('.fork-picker button')[number].focus(); };
    return button;
  }));
  return row;
};
const reasons = (value, fork) => {
  const list = make('ul', 'fork-why');
  list.append(...fork.decisions.map(one => {
    const item = make('li');
    item.append(say(make('b'), value.texts[one.place].name), ' ', say(make('span'), one.why));
    return item;
  }));
  return list;
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  if (!value.texts.length) { box.replaceChildren(say(make('p', 'images-empty'), value.empty)); return; }
  const forks = value.forks || [];
  if (chosen >= forks.length) chosen = 0;
  const fork = forks[chosen], colour = colours(fork);
  const texts = make('div', 'fork-texts'), nodes = [texts];
  texts.append(...value.texts.map((one, place) => line(value, one, place, fork, colour)));
  if (value.forks && !forks.length) nodes.push(say(make('p', 'hint'), value.words.none));
  if (fork) {
    if (forks.length > 1) nodes.push(picker(value));
    else nodes.push(say(make('p', 'fork-title'), fork.title));
    nodes.push(table(value, fork, colour), reasons(value, fork), say(make('p', 'hint'), value.words.hint));
  }
  box.replaceChildren(...nodes);
};
watch('value', () => { if (!(props.value && props.value.forks)) chosen = 0; paint(); });
paint();
