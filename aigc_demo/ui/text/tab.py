"""The tab Text: one prompt, two models, and everything that can be asked about what they wrote."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.models.arguments import check_number
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import MAX_SEED
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, PRIVATE, READING, TEXT, Frame, page_ticket
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.text import view as columns
from aigc_demo.ui.text.handlers import TextHandlers
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

SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "temperature": (0, 2, 0.05, 0.8),
    "top_k": (0, 200, 1, 50),
    "top_p": (0, 1, 0.01, 1),
    "num_beams": (1, 8, 1, 1),
    "repetition_penalty": (1, 2, 0.05, 1),
    "max_new_tokens": (1, 1000, 1, 200),
}


@dataclass(frozen=True)
class Question:
    """The components that say what is asked."""

    prompt: Any
    seed: Any
    fresh: Any
    sliders: list[Any]
    stop_at: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which the handlers take them."""
        return [self.prompt, self.seed, self.fresh, *self.sliders, self.stop_at]


@dataclass(frozen=True)
class Side:
    """The components of one column, and its number, which the server keeps."""

    number: Any
    model: Any
    card: Any
    strip: Any
    choices: Any
    facts: Any
    shown: Any

    @property
    def picture(self) -> list[Any]:
        """What a new picture of the text changes."""
        return [self.card, self.strip, self.choices, self.facts, self.shown]


def build_text_tab(cache: ModelCache, cancellation: Cancellation, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab.

    Args:
        cache: the models of the page.
        stops: which visitor's writing is to stop.
        frame: of the tab.
    """
    choices = cache.catalog.choices("text")
    handlers = TextHandlers(cache, cancellation)
    ticket = page_ticket()
    question, examples = _question(choices)
    buttons = _buttons()
    sides = _columns(choices)
    _wire_writing(handlers, ticket, question, buttons, sides)
    _wire_columns(handlers, ticket, question, sides)
    _wire_examples(examples, choices, question, sides)
    scored = _surprise(handlers, sides)
    _attention(handlers, sides)
    _wire_pickers(cache, frame, [side.model for side in sides])
    _begin_in_chinese(frame, choices, question.prompt, sides, scored)


# ---- layout


def _question(choices: tuple[Choice, ...]) -> tuple[Question, Any]:
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
        with gr.Column(scale=1, min_width=200), gr.Group():
            seed = gr.Number(
                1,
                label=word("seed"),
                precision=0,
                minimum=0,
                maximum=MAX_SEED,
                elem_id="seed",
            )
            fresh = gr.Checkbox(True, label=word("new_seed"), elem_id="fresh")
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
    return Question(prompt, seed, fresh, sliders, stop_at), examples


def _settings() -> tuple[list[Any], Any]:
    sliders = []
    with gr.Row(elem_classes="sliders"):
        for name, (low, high, step, start) in SLIDERS.items():
            sliders.append(
                gr.Slider(
                    low, high, start, step=step, label=word(name), info=word(f"{name}_info"), min_width=260
                )
            )
        stop_at = gr.Textbox("", label=word("stop_at"), info=word("stop_at_info"), max_lines=1, min_width=260)
    return sliders, stop_at


def _buttons() -> dict[str, Any]:
    with gr.Row(elem_classes="actions"):
        return {
            "generate": gr.Button(word("generate"), variant="primary", elem_id="generate", scale=2),
            "continue": gr.Button(word("continue"), elem_id="continue"),
            "regenerate": gr.Button(word("regenerate"), elem_id="regenerate"),
            "stop": gr.Button(word("stop"), variant="stop", elem_id="stop"),
        }


def _columns(choices: tuple[Choice, ...]) -> list[Side]:
    with gr.Row(elem_classes="view-row"):
        view = gr.Radio(
            [(word("view_text"), "text"), (word("view_surprise"), "surprise"), (word("view_ids"), "ids")],
            value="surprise",
            show_label=False,
            container=False,
            elem_id="view",
        )
        gr.HTML(_legend(), elem_classes="legend-box", apply_default_css=False)
    view.change(None, view, None, js="view => { document.documentElement.dataset.view = view; }")
    with gr.Row(equal_height=False, elem_classes="columns"):
        pair = default_pair(choices)
        return [_side(number, model, choices) for number, model in enumerate(pair)]


def _legend() -> str:
    low, high = spans("legend_low"), spans("legend_high")
    return f'<div class="legend">{spans("legend", "b")}{low}<i></i>{high}</div>'


def _side(number: int, model: str, choices: tuple[Choice, ...]) -> Side:
    side = ("left", "right")[number]
    chosen = next(choice for choice in choices if choice.value == model)
    with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"column-{side}"):
        picker = gr.Dropdown(
            picker_choices(choices),
            value=model,
            label=word(f"model_{side}"),
            elem_id=f"model-{side}",
            filterable=False,
        )
        card = widget("card", columns.model_card(chosen, Shown()), elem_id=f"card-{side}")
        strip = widget("strip", columns.strip(Shown()), elem_id=f"strip-{side}")
        alternatives = widget("choices", None, elem_id=f"choices-{side}")
        facts = widget("facts", columns.model_facts(chosen, Shown()), elem_id=f"facts-{side}")
    return Side(gr.State(number), picker, card, strip, alternatives, facts, gr.State(Shown()))


# ---- wiring


def _wire_writing(
    handlers: TextHandlers, ticket: Any, question: Question, buttons: dict[str, Any], sides: list[Side]
) -> None:
    left, right = sides
    pictures = [question.seed, *left.picture, *right.picture]
    given = [ticket, *question.all, left.model, right.model, left.shown, right.shown]
    keep = {**PRIVATE, **TEXT, "outputs": pictures, "trigger_mode": "once"}
    gr.on([buttons["generate"].click, question.prompt.submit], handlers.generate, given, **keep)
    buttons["regenerate"].click(handlers.regenerate, given, **keep)
    buttons["continue"].click(handlers.go_on, given, **keep)
    buttons["stop"].click(handlers.stop, ticket, None, queue=False, **PRIVATE)


def _wire_columns(handlers: TextHandlers, ticket: Any, question: Question, sides: list[Side]) -> None:
    for side in sides:
        side.model.change(handlers.choose_model, [ticket, side.number, side.model], side.picture, **CHEAP)
        side.strip.select(
            handlers.show_alternatives,
            [side.shown],
            [side.strip, side.choices, side.shown],
            **PRIVATE,
            **READING,
        )
        side.choices.select(
            handlers.take_alternative,
            [ticket, side.number, side.shown, *question.sliders, question.stop_at],
            side.picture,
            trigger_mode="once",
            **PRIVATE,
            **TEXT,
        )
        side.choices.close(lambda: None, None, side.choices, queue=False, **PRIVATE)


def _wire_pickers(cache: ModelCache, frame: Frame, pickers: list[Any]) -> None:
    """Runs that have ended meanwhile are offered when the page, the tab or a picker is opened."""

    def refresh() -> list[Any]:
        offered = picker_choices(cache.catalog.choices("text"))
        return [gr.update(choices=offered) for _ in pickers]

    touched = [picker.focus for picker in pickers]
    gr.on(
        [frame.page.load, frame.tab.select, *touched],
        refresh,
        None,
        pickers,
        **CHEAP,
    )


def _wire_examples(examples: Any, choices: tuple[Choice, ...], question: Question, sides: list[Side]) -> None:
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
        derived[side.card] = columns.model_card(known[model], Shown())
        derived[side.facts] = columns.model_facts(known[model], Shown())
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
        strips = []
        with gr.Row(equal_height=False):
            for name in ("left", "right"):
                with gr.Column(min_width=320, elem_classes=["side", name]):
                    strips.append(
                        widget(
                            "score",
                            columns.score(None, None),
                            elem_id=f"score-{name}",
                        )
                    )
    button.click(
        handlers.score,
        [text, *(side.model for side in sides), *(side.shown for side in sides)],
        [*strips, *(side.facts for side in sides), *(side.shown for side in sides)],
        trigger_mode="once",
        **{**PRIVATE, "show_progress": "minimal"},
        **READING,
    )
    return text


def _attention(handlers: TextHandlers, sides: list[Side]) -> None:
    with gr.Accordion(word("attention"), open=False, elem_id="attention"):
        gr.Markdown(word("attention_intro"), elem_classes="intro")
        button = gr.Button(word("attention_show"), variant="primary", elem_id="show-attention")
        maps = []
        with gr.Row(equal_height=False):
            for name in ("left", "right"):
                with gr.Column(min_width=320, elem_classes=["side", name]):
                    maps.append(
                        widget("attention", columns.attention(None, None), elem_id=f"attention-{name}")
                    )
    button.click(
        handlers.attention,
        [side.shown for side in sides],
        maps,
        trigger_mode="once",
        **{**PRIVATE, "show_progress": "minimal"},
        **READING,
    )
