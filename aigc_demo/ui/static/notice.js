// One line that says what has just happened, or why it did not. A line about a run goes when the run has ended.
// value: {bad, words, run}
const {say, make} = window.aigc;
const line = make('p', 'notice');
line.setAttribute('role', 'status');
element.replaceChildren(line);
const paint = () => {
  const value = props.value;
  line.hidden = !value || !value.words;
  line.classList.toggle('card-error', Boolean(value && value.bad));
  say(line, value && value.words || '');
};
document.addEventListener('aigc-run', event => {
  const {name, under_way: underWay} = event.detail;
  if (props.value?.run !== name || underWay || !name) return;
  props.value = {bad: false, words: null, run: ''};  // emptied, so that the same line is shown when it comes again
  paint();
});
watch('value', paint);
paint();
