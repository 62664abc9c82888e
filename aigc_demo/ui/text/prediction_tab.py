"""The views of the tab Text beside "Continue": "Fill in", "Does it follow?" and "Answer".

They are laid out without models and examples, which a view gets when it is opened first: whoever never opens
one waits for nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.models.arguments import check_number
from aigc_demo.studio.models.catalog import Catalog, default_pair, is_at_hand
from aigc_demo.studio.text.answerable import answers_lines
from aigc_demo.ui.frame import CHEAP, PRIVATE, READING, TEXT, Frame, page_ticket
from aigc_demo.ui.language import chosen_language, word
from aigc_demo.ui.model_picker import model_picker, picker_choices
from aigc_demo.ui.tab_parts import SIDES, Side, wire_sides
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.text import prediction_examples
from aigc_demo.ui.text.prediction_examples import Example
from aigc_demo.ui.text.prediction_handlers import (
    PARTS,
    AnswerHandlers,
    FillInHandlers,
    FollowHandlers,
    PredictionHandlers,
)
from aigc_demo.ui.text.prediction_view import masking
from aigc_demo.ui.widgets import errors_as_toasts, unchanged, widget

CONTINUE, FORK = "continue", "fork"


@dataclass(frozen=True)
class View:
    """The components of a view.

    Attributes:
        handlers: of its buttons.
        column: all of it.
        fields: what an example fills.
        sides: the columns of its models.
        examples: of it.
        values: what an example fills the fields with.
    """

    handlers: PredictionHandlers
    column: Any
    fields: list[Any]
    sides: list[Side]
    examples: Sequence[Example]
    values: Callable[[Example], tuple[Any, ...]] = lambda example: example.texts

    @property
    def pickers(self) -> list[Any]:
        """Of both models."""
        return [side.model for side in self.sides]

    @property
    def results(self) -> list[Any]:
        """What draws the results."""
        return [side.parts["result"] for side in self.sides]


def view_switch() -> Any:
    """What chooses a view; those that need models of a kind are offered where there are such models."""
    return gr.Radio(
        [(word(f"text_view_{name}"), name) for name in (CONTINUE, FORK)],
        value=CONTINUE,
        show_label=False,
        label=word("text_views"),
        container=False,
        elem_id="text-view",
        elem_classes="text-views",
    )


def build_predictions(studio: Studio, frame: Frame, switch: Any, others: dict[str, Any]) -> None:
    """Lay out the views and connect them.

    Args:
        studio: what the tabs share.
        frame: of the tab.
        switch: from `view_switch`.
        others: the columns of the views that are always offered, by name; the first stands open.
    """
    views = {"fill": _fill_in(studio), "follow": _follow(studio), "answer": _answer(studio)}
    catalog = studio.cache.catalog

    def offer(chosen: Any) -> Any:
        """The views that there are models for; the one that is open stays."""
        names = [
            name for name, view in views.items() if name == chosen or _any_at_hand(catalog, view.handlers)
        ]
        return gr.update(choices=[(word(f"text_view_{name}"), name) for name in (*others, *names)])

    gr.on([frame.page.load, frame.tab.select], offer, switch, switch, **CHEAP)
    _wire_switch(catalog, switch, others, views)
    for view in views.values():
        _wire_pickers(catalog, view)


def _any_at_hand(catalog: Catalog, handlers: PredictionHandlers) -> bool:
    return any(is_at_hand(choice.entry) for choice in catalog.choices(handlers.kind))


# ---- layout


def _fill_in(studio: Studio) -> View:
    handlers = FillInHandlers(studio.cache, studio.cancellation)
    with _column("fill") as column:
        text = gr.Textbox("", label=word("fill_text"), lines=2, max_lines=8, elem_id="fill-text")
        chosen = widget("masking", masking(), elem_id="fill-masking")
        examples = _examples(prediction_examples.FILL_IN)
        buttons = _buttons("fill")
        sides = _sides("fill", "bars", handlers)
    typed = {**CHEAP, "trigger_mode": "always_last"}
    gr.on([text.input, text.blur], handlers.words, [text, chosen], chosen, **typed)

    def values(example: Example) -> tuple[Any, ...]:
        return *example.texts, masking(example.texts[0], example.hidden)

    view = View(handlers, column, [text, chosen], sides, prediction_examples.FILL_IN, values)
    _wire(view, examples, buttons, READING)
    return view


def _follow(studio: Studio) -> View:
    handlers = FollowHandlers(studio.cache, studio.cancellation)
    with _column("follow") as column:
        with gr.Row():
            first = gr.Textbox("", label=word("follow_first"), max_lines=4, elem_id="follow-first")
            second = gr.Textbox("", label=word("follow_second"), max_lines=4, elem_id="follow-second")
        examples = _examples(prediction_examples.FOLLOW)
        buttons = _buttons("follow", "follow_swap")
        sides = _sides("follow", "bars", handlers)
    view = View(handlers, column, [first, second], sides, prediction_examples.FOLLOW)
    empty = handlers.result(None, None)
    swapped = [*view.fields, *view.results]
    buttons[1].click(lambda one, two: (two, one, empty, empty), view.fields, swapped, **CHEAP)
    _wire(view, examples, buttons, READING)
    return view


def _answer(studio: Studio) -> View:
    handlers = AnswerHandlers(studio.cache, studio.cancellation)
    with _column("answer") as column:
        text = gr.Textbox("", label=word("answer_question"), max_lines=3, elem_id="answer-question")
        story = gr.Textbox("", label=word("answer_story"), lines=2, max_lines=8, elem_id="answer-story")
        examples = _examples(prediction_examples.ANSWER)
        buttons = _buttons("answer", "answer_new_story")
        sides = _sides("answer", "answer", handlers)
    view = View(handlers, column, [text, story], sides, prediction_examples.ANSWER)
    buttons[1].click(handlers.new_story, None, [*view.fields, *view.results], **CHEAP)
    _wire(view, examples, buttons, TEXT)
    return view


def _column(name: str) -> Any:
    """A view that is not open yet, with the sentence that says what it shows."""
    column = gr.Column(visible=False, elem_id=f"view-{name}")
    with column:
        gr.Markdown(word(f"view_{name}_intro"), elem_classes="intro")
    return column


def _examples(examples: Sequence[Example]) -> Any:
    return gr.Dataset(
        components=["textbox"],
        samples=[[example.label] for example in examples],
        label=word("examples"),
        type="index",
        samples_per_page=20,
        elem_classes="examples-row",
    )


def _buttons(name: str, other: str = "") -> list[Any]:
    """The button that predicts, another one of the view where it has one, and Stop."""
    with gr.Row(elem_classes="actions"):
        buttons = [gr.Button(word(f"{name}_predict"), variant="primary", elem_id=f"{name}-predict", scale=2)]
        if other:
            buttons.append(gr.Button(word(other), elem_id=other.replace("_", "-")))
        return [*buttons, gr.Button(word("stop"), variant="stop", elem_id=f"{name}-stop")]


def _sides(name: str, drawn_by: str, handlers: PredictionHandlers) -> list[Side]:
    """Two columns without models.

    Args:
        name: of the view.
        drawn_by: the widget of the results.
        handlers: of the view.
    """
    sides, widgets = [], {"card": "card", "result": drawn_by, "facts": "facts"}
    with gr.Row(equal_height=False, elem_classes="columns"):
        for number, side in enumerate(SIDES):
            with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"{name}-column-{side}"):
                picker = model_picker((), None, side, f"{name}-")
                values = {"card": None, "result": handlers.result(None, None), "facts": None}
                parts = {
                    part: widget(widgets[part], values[part], elem_id=f"{name}-{part}-{side}")
                    for part in PARTS
                }
            sides.append(Side(gr.State(number), picker, parts))
    return sides


# ---- wiring


def _wire(view: View, examples: Any, buttons: list[Any], group: dict[str, Any]) -> None:
    """Connect the button that predicts, Stop, the pickers and the examples."""
    predict, *_, stop = buttons
    ticket, (left, right) = page_ticket(), view.sides
    wire_sides(view.handlers, ticket, stop, view.sides)
    predict.click(
        view.handlers.predict,
        [ticket, *view.fields, *view.pickers],
        [*left.outputs, *right.outputs],
        trigger_mode="once",
        **PRIVATE,
        **group,
    )

    def use_example(request: gr.Request, number: Any, *chosen: Any) -> tuple[Any, ...]:
        with errors_as_toasts(request):
            check_number("example", number, 0, len(view.examples) - 1, whole=True)
            example = view.examples[int(number)]
            empty = view.handlers.result(None, None)
            models = view.handlers.known_pair(example.models) or chosen
            return *view.values(example), *models, empty, empty

    examples.click(
        use_example, [examples, *view.pickers], [*view.fields, *view.pickers, *view.results], **CHEAP
    )


def _wire_pickers(catalog: Catalog, view: View) -> None:
    """Runs that have ended meanwhile are offered when a picker is opened."""

    def refresh() -> list[Any]:
        offered = picker_choices(catalog.choices(view.handlers.kind))
        return [gr.update(choices=offered) for _ in SIDES]

    gr.on([picker.focus for picker in view.pickers], refresh, None, view.pickers, **CHEAP)


def _wire_switch(catalog: Catalog, switch: Any, others: dict[str, Any], views: dict[str, View]) -> None:
    """Show the chosen view; one that is opened for the first time begins with an example."""
    columns = [*others.values(), *(view.column for view in views.values())]
    pickers = [picker for view in views.values() for picker in view.pickers]
    filled = [part for view in views.values() for part in (*view.fields, *view.pickers)]

    def show(request: gr.Request, name: Any, *models: Any) -> tuple[Any, ...]:
        with errors_as_toasts(request):
            shown = [gr.update(visible=name == one) for one in (*others, *views)]
            begins: list[Any] = []
            for number, (one, view) in enumerate(views.items()):
                is_new = one == name and models[2 * number] is None
                begins += (
                    _beginning(catalog, view, request) if is_new else unchanged(len(view.fields) + len(SIDES))
                )
            return *shown, *begins

    switch.change(show, [switch, *pickers], [*columns, *filled], **CHEAP)


def _beginning(catalog: Catalog, view: View, request: gr.Request) -> tuple[Any, ...]:
    """What a view begins with: fields, then pickers."""
    choices = catalog.choices(view.handlers.kind)
    language = "zh" if chosen_language(request).startswith("zh") else "en"
    own = [example for example in view.examples if example.language == language]
    ordered = (*own, *(example for example in view.examples if example not in own))
    known = [example for example in ordered if view.handlers.known_pair(example.models)]
    models = known[0].models if known else default_pair(choices)
    example = known[0] if known else _example_for(ordered, catalog.choice(models[0]).entry)
    offered = picker_choices(choices)
    return *view.values(example), *(gr.update(choices=offered, value=model) for model in models)


def _example_for(examples: Sequence[Example], entry: Any) -> Example:
    """The first example of what a run's model was trained on: verse, or stories of the tiny world."""
    suits = (example for example in examples if example.of_verse == answers_lines(entry))
    return next(suits, examples[0])
