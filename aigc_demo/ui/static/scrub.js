// A slider over the checkpoints of a run. Its position is the browser's own; updates of the run only add steps.
// value: {run, steps: [number], words: {label, step, empty}}; this script adds `step`, where the slider stands.
// The server reads that step when a call begins: gradio repeats a deferred call with the first event's data.
const {say, label, make} = window.aigc;
const box = make('div', 'scrub'), line = make('div', 'scrub-line');
const slider = make('input', 'scrub-slider'), where = make('output', 'scrub-where'), empty = make('p', 'hint');
slider.type = 'range';
slider.min = 0;
slider.step = 1;
line.append(slider, where);
box.append(line, empty);
element.replaceChildren(box);
const NOTIFY_MS = 250;  // how often at most the server is called while the slider is dragged
let run = '', current, notified = null, waiting = null, last = 0;
const step = () => (props.value?.steps || [])[+slider.value];
const publish = () => {
  current = step();
  if (props.value && props.value.step !== current) props.value = {...props.value, step: current};
};
const show = () => {
  const words = {}, number = String(current ?? '');
  for (const [language, text] of Object.entries(props.value.words.step)) words[language] = text.replace('%', number);
  say(where, words);
  slider.setAttribute('aria-valuetext', words[document.documentElement.lang] || words.en);
};
const notify = () => {
  waiting = null;
  if (current === undefined || current === notified) return;
  notified = current;
  last = Date.now();
  trigger('select');
};
slider.oninput = () => {
  publish();
  show();
  if (waiting === null) waiting = setTimeout(notify, Math.max(0, NOTIFY_MS - (Date.now() - last)));
};
slider.onchange = () => { clearTimeout(waiting); notify(); };
const paint = () => {
  const value = props.value;
  if (!value) return;
  const steps = value.steps, atEnd = current === undefined || +slider.value === +slider.max;
  line.hidden = steps.length === 0;
  empty.hidden = steps.length > 0;
  say(empty, value.words.empty);
  label(slider, value.words.label);
  slider.max = Math.max(0, steps.length - 1);
  if (value.run !== run || atEnd) slider.value = slider.max;
  else if (steps.includes(current)) slider.value = steps.indexOf(current);
  if (value.run !== run) { run = value.run; notified = null; }
  publish();
  show();
};
watch('value', paint);
paint();
