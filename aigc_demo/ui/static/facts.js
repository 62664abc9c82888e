// The foot of a column: figures of the text just written, then facts about the model.
// value: {figures: [{name, value}], facts: [{name, value}]}
const {say, make} = window.aigc;
const figures = make('dl', 'figures'), facts = make('dl', 'facts');
element.replaceChildren(figures, facts);
const rows = (list, parts) => {
  list.hidden = parts.length === 0;
  const signature = JSON.stringify(parts);
  if (signature === list.dataset.drawn) return;
  list.dataset.drawn = signature;
  list.replaceChildren(...parts.map(part => {
    const row = make('div', 'fact');
    row.append(say(make('dt'), part.name), say(make('dd'), part.value));
    return row;
  }));
};
const paint = () => {
  if (!props.value) return;
  rows(figures, props.value.figures);
  rows(facts, props.value.facts);
};
watch('value', paint);
paint();
