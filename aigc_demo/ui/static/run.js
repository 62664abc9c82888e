// How a run stands: state, progress, figures, the command, facts of its start. Other widgets are told by the event `aigc-run`.
// value: {name, words, stands, under_way, state, owner, error, warnings, lost, share, figures, command, facts, preparation}
const {say, make} = window.aigc;
const box = make('div', 'run'), head = make('div', 'run-head');
const name = make('h2', 'run-name'), state = make('span', 'state'), owner = make('span', 'badge');
state.setAttribute('role', 'status');
const bar = make('progress', 'run-bar'), error = make('p', 'card-error'), warned = make('div', 'run-warned');
const figures = make('dl', 'figures');
const more = make('details', 'run-more'), summary = make('summary'), command = make('div', 'run-command');
const label = make('b'), code = make('code'), copy = make('button', 'plain');
const facts = make('dl', 'facts'), preparation = make('dl', 'facts'), lost = make('p', 'hint run-lost');
copy.type = 'button';
bar.max = 1;
code.tabIndex = 0;
head.append(name, state, owner);
command.append(label, code, copy);
more.append(summary, facts, preparation);
box.append(head, bar, error, warned, figures, command, more, lost);
const empty = make('p', 'hint');
element.replaceChildren(empty, box);
const rows = (list, parts) => {
  list.hidden = parts.length === 0;
  const drawn = JSON.stringify(parts);
  if (drawn === list.dataset.drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(...parts.map(part => {
    const row = make('div', 'fact');
    row.append(say(make('dt'), part.name), say(make('dd'), part.value));
    return row;
  }));
};
const once = (node, words) => {
  const drawn = JSON.stringify(words || '');
  if (node.dataset.drawn !== drawn) say(node, words || '');
  node.dataset.drawn = drawn;
};
copy.onclick = async () => {
  try {
    await navigator.clipboard.writeText(code.textContent);
    copy.dataset.drawn = '';
    say(copy, props.value.words.copied);
  } catch (failure) { getSelection().selectAllChildren(code); }
};
const paint = () => {
  const value = props.value;
  if (!value) return;
  once(empty, value.words.empty);
  empty.hidden = Boolean(value.name);
  box.hidden = !value.name;
  if (!value.name) {
    name.textContent = '';
    return;
  }
  if (name.textContent !== value.name) { name.textContent = value.name; once(copy, value.words.copy); }
  state.dataset.state = value.stands;
  once(state, value.state);
  once(owner, value.owner);
  bar.value = value.share;
  bar.setAttribute('aria-label', value.name);
  error.hidden = !value.error;
  once(error, value.error);
  const warnings = value.warnings.filter(Boolean);
  warned.hidden = warnings.length === 0;
  if (warned.dataset.drawn !== JSON.stringify(warnings)) {
    warned.dataset.drawn = JSON.stringify(warnings);
    warned.replaceChildren(...warnings.map(words => say(make('p', 'hint'), words)));
  }
  lost.hidden = !value.lost;
  once(lost, value.lost);
  rows(figures, value.figures);
  command.hidden = !value.command;
  once(label, value.words.command);
  if (code.textContent !== value.command) code.textContent = value.command;
  once(summary, value.words.details);
  more.hidden = value.facts.length + value.preparation.length === 0;
  rows(facts, value.facts);
  rows(preparation, value.preparation);
  document.dispatchEvent(new CustomEvent('aigc-run', {detail: value}));
};
watch('value', paint);
paint();
