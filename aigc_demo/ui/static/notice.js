// One line that says what has just happened, or why it did not.
// value: {bad, words}
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
watch('value', paint);
paint();
