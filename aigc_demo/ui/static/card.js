// The head of a column: a badge, what it means, the state of its work, and why it failed.
// value: {badge, kind, about, state, words, error}
const {say, make} = window.aigc;
const box = make('div', 'card');
element.replaceChildren(box);
const head = make('div', 'card-head');
const badge = make('span', 'badge'), state = make('span', 'state'), about = make('span', 'card-about');
state.setAttribute('role', 'status');
head.append(badge, about, state);
const error = make('p', 'card-error');
error.setAttribute('role', 'alert');
box.replaceChildren(head, error);
let last = '';
const paint = () => {
  const value = props.value;
  if (!value) return;
  say(badge, value.badge);
  badge.dataset.kind = value.kind;
  say(about, value.about);
  state.dataset.state = value.state;
  say(state, value.words);
  error.hidden = !value.error;
  const sentence = JSON.stringify(value.error || '');
  if (sentence !== last) { say(error, value.error || ''); last = sentence; }
};
watch('value', paint);
paint();
