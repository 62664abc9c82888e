// What a column knows of its model and of its work: a badge, a state, and facts as name and value.
// value: {badge, kind, about, state, words, error, facts: [{name, value}], figures: [{name, value, unit}]}
const {say, make} = window.aigc;
const box = make('div', 'card');
element.replaceChildren(box);
const head = make('div', 'card-head');
const badge = make('span', 'badge'), state = make('span', 'state'), about = make('span', 'card-about');
state.setAttribute('role', 'status');
head.append(badge, about, state);
const facts = make('dl', 'facts'), figures = make('dl', 'figures'), error = make('p', 'card-error');
error.setAttribute('role', 'alert');
box.replaceChildren(head, facts, figures, error);
const rows = (list, parts) => list.replaceChildren(...parts.map(part => {
  const row = make('div', 'fact');
  const value = say(make('dd'), part.value);
  row.append(say(make('dt'), part.name), value);
  return row;
}));
let lastFacts = '', lastError = '';
const paint = () => {
  const value = props.value;
  if (!value) return;
  say(badge, value.badge); badge.dataset.kind = value.kind;
  say(about, value.about);
  state.dataset.state = value.state;
  say(state, value.words);
  const signature = JSON.stringify(value.facts);
  if (signature !== lastFacts) { rows(facts, value.facts); lastFacts = signature; }
  rows(figures, value.figures);
  error.hidden = !value.error;
  const sentence = JSON.stringify(value.error || '');
  if (sentence !== lastError) { say(error, value.error || ''); lastError = sentence; }
};
watch('value', paint);
paint();
