"""The tab Text: one prompt, two models, and everything that can be asked about what they wrote."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.generators.kinds import TEXT_GENERATOR
from aigc_demo.studio.models.arguments import check_number
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, PRIVATE, READING, TEXT, Frame, page_ticket
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import model_picker, offer_new_models
from aigc_demo.ui.tab_parts import SIDES, Question, Side, beside, seed_fields, slider, wire_sides
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.text import view
from aigc_demo.ui.text.fork_tab import build_forks
from aigc_demo.ui.text.handlers import PARTS, SLIDERS, TextHandlers
from aigc_demo.ui.text.prediction_tab import CONTINUE, FORK, build_predictions, view_switch
from aigc_demo.ui.text.view import Shown
from aigc_demo.ui.widgets import spans, widget

EXAMPLES: tuple[tuple[str, tuple[str, str]], ...] = (
    # what the text begins with, and the pair of models that knows such texts
    ("ROMEO:\n", ("gpt-shakespeare", "gpt2-shakespeare")),
    ("KING RICHARD III:\nNow is the winter", ("gpt-shakespeare", "gpt2-shakespeare")),
    ("First Citizen:\nBefore we proceed", ("gpt-shakespeare", "gpt2-shakespeare")),
    ("《春望》", ("gpt-tang", "gpt2-tang")),
    ("白日依山尽，", ("gpt-tang", "gpt2-tang")),
    ("明月松间照，", ("gpt-tang", "gpt2-tang")),
)
CHINESE_EXAMPLE = 3
SCORED_CHINESE = "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。"
SCORED_EXAMPLE = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer"


@dataclass(frozen=True, kw_only=True)
class TextQuestion(Question):
    """The components that say what is asked of both models."""

    prompt: Any
    stop_at: Any
    go_on: Any
    regenerate: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which the handlers take them."""
        return [self.prompt, self.seed, self.fresh, *self.sliders, self.stop_at]


def build_text_tab(studio: Studio, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab."""
    choices = studio.cache.catalog.choices(TEXT_GENERATOR)
    handlers = TextHandlers(studio.cache, studio.cancellation)
    ticket = page_ticket()
    switch = view_switch()
    with gr.Column(elem_id="view-continue") as continued:
        question, examples = _question(choices)
        sides = _columns(choices)
        wire_sides(handlers, ticket, question.stop, sides)
        _wire_writing(handlers, ticket, question, sides)
        _wire_columns(handlers, ticket, question, sides)
        _wire_examples(examples, choices, question, sides)
        scored = _surprise(handlers, sides)
        _attention(handlers, sides)
    opened = {CONTINUE: continued, FORK: build_forks(studio, frame, choices)}
    build_predictions(studio, frame, switch, opened)
    offer_new_models(
        frame, [side.model for side in sides], lambda: studio.cache.catalog.choices(TEXT_GENERATOR)
    )
    _begin_in_chinese(frame, choices, question.prompt, sides, scored)


# ---- layout


def _question(choices: tuple[Choice, ...]) -> tuple[TextQuestion, Any]:
    with gr.Row(elem_classes="question"):
        with gr.Column(scale=4, min_width=300):
            prompt = gr.Textbox(
                EXAMPLES[0][0] if choices else "",
                label=word("prompt"),
                info=word("text_intro"),
                placeholder=word("prompt_placeholder"),
                lines=2,
                max_lines=10,
                elem_id="prompt",
            )
        seed, fresh = seed_fields("", fresh=True)
    known = {choice.value for choice in choices}
    samples = [[text] for text, models in EXAMPLES if set(models) <= known]
    examples = gr.Dataset(
        components=["textbox"],
        samples=samples,
        label=word("examples"),
        type="index",
        visible=bool(samples),
        samples_per_page=20,
        elem_classes="examples-row",
    )
    with gr.Accordion(word("settings"), open=False, elem_id="settings"):
        sliders, stop_at = _settings()
    question = TextQuestion(
        prompt=prompt, seed=seed, fresh=fresh, sliders=sliders, stop_at=stop_at, **_buttons()
    )
    return question, examples


def _settings() -> tuple[list[Any], Any]:
    with gr.Row(elem_classes="sliders"):
        sliders = [slider(name, bounds, min_width=260) for name, bounds in SLIDERS.items()]
        stop_at = gr.Textbox("", label=word("stop_at"), info=word("stop_at_info"), max_lines=1, min_width=260)
    return sliders, stop_at


def _buttons() -> dict[str, Any]:
    with gr.Row(elem_classes="actions"):
        return {
            "generate": gr.Button(word("generate"), variant="primary", elem_id="generate", scale=2),
            "go_on": gr.Button(word("continue"), elem_id="continue"),
            "regenerate": gr.Button(word("regenerate"), elem_id="regenerate"),
            "stop": gr.Button(word("stop"), variant="stop", elem_id="stop"),
        }


def _columns(choices: tuple[Choice, ...]) -> list[Side]:
    with gr.Row(elem_classes="view-row"):
        shown_as = gr.Radio(
            [(word("view_text"), "text"), (word("view_surprise"), "surprise"), (word("view_ids"), "ids")],
            value="surprise",
            show_label=False,
            container=False,
            elem_id="view",
        )
        gr.HTML(_legend(), elem_classes="legend-box", apply_default_css=False)
    shown_as.change(None, shown_as, None, js="view => { document.documentElement.dataset.view = view; }")
    with gr.Row(equal_height=False, elem_classes="columns"):
        pair = default_pair(choices)
        return [_side(number, model, choices) for number, model in enumerate(pair)]


def _legend() -> str:
    low, high = spans("legend_low"), spans("legend_high")
    return f'<div class="legend">{spans("legend", "b")}{low}<i></i>{high}</div>'


def _side(number: int, model: str, choices: tuple[Choice, ...]) -> Side:
    side = SIDES[number]
    chosen = next(choice for choice in choices if choice.value == model)
    with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"column-{side}"):
        picker = model_picker(choices, model, side)
        values = {
            "card": view.model_card(chosen, Shown()),
            "strip": view.strip(Shown()),
            "choices": None,
            "facts": view.model_facts(chosen, Shown()),
        }
        parts = {name: widget(name, values[name], elem_id=f"{name}-{side}") for name in PARTS}
    return Side(gr.State(number), picker, parts, gr.State(Shown()))


# ---- wiring


def _wire_writing(handlers: TextHandlers, ticket: Any, question: TextQuestion, sides: list[Side]) -> None:
    left, right = sides
    outputs = [question.seed, *left.outputs, *right.outputs]
    given = [ticket, *question.all, left.model, right.model, left.shown, right.shown]
    keep = {**PRIVATE, **TEXT, "outputs": outputs, "trigger_mode": "once"}
    gr.on([question.generate.click, question.prompt.submit], handlers.generate, given, **keep)
    question.regenerate.click(handlers.regenerate, given, **keep)
    question.go_on.click(handlers.go_on, given, **keep)


def _wire_columns(handlers: TextHandlers, ticket: Any, question: TextQuestion, sides: list[Side]) -> None:
    for side in sides:
        side.parts["strip"].select(
            handlers.show_alternatives,
            [side.shown],
            [side.parts["strip"], side.parts["choices"], side.shown],
            **PRIVATE,
            **READING,
        )
        side.parts["choices"].select(
            handlers.take_alternative,
            [ticket, side.number, side.shown, *question.sliders, question.stop_at],
            side.outputs,
            trigger_mode="once",
            **PRIVATE,
            **TEXT,
        )
        side.parts["choices"].close(lambda: None, None, side.parts["choices"], queue=False, **PRIVATE)


def _wire_examples(
    examples: Any, choices: tuple[Choice, ...], question: TextQuestion, sides: list[Side]
) -> None:
    known = {choice.value for choice in choices}
    offered = [(text, models) for text, models in EXAMPLES if set(models) <= known]

    def use_example(number: int) -> tuple[str, str, str]:
        check_number("example", number, 0, len(offered) - 1, whole=True)
        text, models = offered[int(number)]
        return text, *models

    examples.click(
        use_example,
        examples,
        [question.prompt, sides[0].model, sides[1].model],
        **CHEAP,
    )


def _begin_in_chinese(
    frame: Frame, choices: tuple[Choice, ...], prompt: Any, sides: list[Side], scored: Any
) -> None:
    text, models = EXAMPLES[CHINESE_EXAMPLE]
    known = {choice.value: choice for choice in choices}
    if not set(models) <= set(known):
        return
    fields, derived = {prompt: text, scored: SCORED_CHINESE}, {}
    for side, model in zip(sides, models, strict=True):
        fields[side.model] = model
        derived[side.parts["card"]] = view.model_card(known[model], Shown())
        derived[side.parts["facts"]] = view.model_facts(known[model], Shown())
    begin_in_chinese(frame, fields, derived)


def _surprise(handlers: TextHandlers, sides: list[Side]) -> Any:
    """What a text costs.

    Returns:
        Where the text is pasted.
    """
    with gr.Accordion(word("surprise"), open=False, elem_id="surprise"):
        gr.Markdown(word("surprise_intro"), elem_classes="intro")
        text = gr.Textbox(
            SCORED_EXAMPLE, label=word("score_text"), lines=3, max_lines=12, elem_id="score-text"
        )
        button = gr.Button(word("score"), variant="primary", elem_id="score")
        gr.HTML(_legend(), elem_classes="legend-box", apply_default_css=False)
        strips = beside(lambda side: widget("score", view.score(None, None), elem_id=f"score-{side}"))
    button.click(
        handlers.score,
        [text, *(side.model for side in sides), *(side.shown for side in sides)],
        [*strips, *(side.parts["facts"] for side in sides), *(side.shown for side in sides)],
        trigger_mode="once",
        **{**PRIVATE, "show_progress": "minimal"},
        **READING,
    )
    return text


def _attention(handlers: TextHandlers, sides: list[Side]) -> None:
    with gr.Accordion(word("attention"), open=False, elem_id="attention"):
        gr.Markdown(word("attention_intro"), elem_classes="intro")
        button = gr.Button(word("attention_show"), variant="primary", elem_id="show-attention")
        maps = beside(
            lambda side: widget("attention", view.attention(None, None), elem_id=f"attention-{side}")
        )
    button.click(
        handlers.attention,
        [side.shown for side in sides],
        maps,
        trigger_mode="once",
        **{**PRIVATE, "show_progress": "minimal"},
        **READING,
    )
