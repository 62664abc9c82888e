// A slider over the checkpoints of a run. Its place is the browser's own; pictures of the run only add to it.
// value: {run, steps: [number], words: {label, step, empty}}
const {say, label, make} = window.aigc;
const box = make('div', 'scrub'), line = make('div', 'scrub-line');
const slider = make('input', 'scrub-slider'), where = make('output', 'scrub-where'), empty = make('p', 'hint');
slider.type = 'range';
slider.min = 0;
slider.step = 1;
line.append(slider, where);
box.append(line, empty);
element.replaceChildren(box);
const TELL_MS = 250;  // how often at most the server hears of a slider that is being dragged
let run = '', told = null, waiting = null, last = 0;
const step = () => (props.value?.steps || [])[+slider.value];
const show = () => {
  const words = {}, number = String(step() ?? '');
  for (const [language, text] of Object.entries(props.value.words.step)) words[language] = text.replace('%', number);
  say(where, words);
  slider.setAttribute('aria-valuetext', words[document.documentElement.lang] || words.en);
};
const tell = () => {
  waiting = null;
  if (step() === undefined || step() === told) return;
  told = step();
  last = Date.now();
  trigger('select', {step: told});
};
slider.oninput = () => {
  show();
  if (waiting === null) waiting = setTimeout(tell, Math.max(0, TELL_MS - (Date.now() - last)));
};
slider.onchange = () => { clearTimeout(waiting); tell(); };
const paint = () => {
  const value = props.value;
  if (!value) return;
  const before = step.before, steps = value.steps, atEnd = before === undefined || +slider.value === +slider.max;
  line.hidden = steps.length === 0;
  empty.hidden = steps.length > 0;
  say(empty, value.words.empty);
  label(slider, value.words.label);
  slider.max = Math.max(0, steps.length - 1);
  if (value.run !== run || atEnd) slider.value = slider.max;
  else if (steps.includes(before)) slider.value = steps.indexOf(before);
  if (value.run !== run) { run = value.run; told = null; }
  step.before = step();
  show();
};
slider.addEventListener('input', () => { step.before = step(); });
watch('value', paint);
paint();
