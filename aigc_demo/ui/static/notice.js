// One line that says what has just happened, or why it did not. A line about a run goes when the run has ended.
// Answers overtake each other: what is older than what is known already is not shown.
// value: {bad, words, run, at}; `at` is when the server said it, in seconds.
const {say, make} = window.aigc;
const line = make('p', 'notice');
line.setAttribute('role', 'status');
element.replaceChildren(line);
let shownAt = 0;
const endedAt = {};  // for each run that was seen to have ended: when
const paint = () => {
  const value = props.value;
  if (value && value.at < shownAt) return;
  shownAt = value?.at || shownAt;
  line.hidden = !value || !value.words || value.at < endedAt[value.run];
  line.classList.toggle('card-error', Boolean(value && value.bad));
  say(line, value && value.words || '');
};
document.addEventListener('aigc-run', event => {
  const {name, under_way: underWay, seen_at: at} = event.detail;
  if (underWay || !name) return;
  endedAt[name] = Math.max(at, endedAt[name] || 0);
  if (props.value?.run !== name || at < props.value.at) return;
  props.value = {bad: false, words: null, run: '', at: props.value.at};  // emptied, so that the same line may come again
  paint();
});
watch('value', paint);
paint();
