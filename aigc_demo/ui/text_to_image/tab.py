"""The tab Text to image: one caption for two models, and what can be asked about their pictures."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.text_to_image.model import SCHEDULERS
from aigc_demo.studio.images.compare import MOST_STEPS
from aigc_demo.studio.models.arguments import checked_text
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import MAX_SEED
from aigc_demo.studio.text_to_image.compare import MOST_CANDIDATES
from aigc_demo.ui import image_view as picture_view
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, PICTURES, PRIVATE, Frame, page_ticket
from aigc_demo.ui.gan.tools import build_timeline
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.text_to_image import tools as text_to_image_tools
from aigc_demo.ui.text_to_image import view as text_to_image_view
from aigc_demo.ui.text_to_image.handlers import TextToImageHandlers
from aigc_demo.ui.widgets import widget

WORK: dict[str, Any] = {**PRIVATE, **PICTURES, "trigger_mode": "once"}
SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "num_candidates": (1, MOST_CANDIDATES, 1, 8),
    "guidance_scale": (1, 10, 0.5, 2),
    "num_inference_steps": (1, MOST_STEPS, 1, 20),
}
CHINESE_EXAMPLE = "一个绿色的圆锥在一个紫色的方块的上面"
EXAMPLES = (
    "a small red ball",
    "a big purple star on a rainy day",
    "a small red ball to the left of a big blue box",
    "a green cone above a pink heart in the sun",
    "a yellow ring to the right of a brown box and above a blue star",
    "一个红色的小球",
    "刮风天，一颗粉色的大星星",
    CHINESE_EXAMPLE,
)


@dataclass(frozen=True)
class Question:
    """The components that say what is asked of both models."""

    caption: Any
    words: Any
    seed: Any
    fresh: Any
    sliders: list[Any]
    draw: Any
    stop: Any


@dataclass(frozen=True)
class Side:
    """The components of one column, and its number, which the server keeps."""

    number: Any
    model: Any
    card: Any
    pictures: Any
    checked: Any
    timeline: Any
    facts: Any
    shown: Any

    @property
    def picture(self) -> list[Any]:
        """What new pictures change."""
        return [self.card, self.pictures, self.checked, self.timeline, self.facts, self.shown]


def build_text_to_image_tab(cache: ModelCache, cancellation: Cancellation, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab.

    Args:
        cache: the models of the page.
        stops: which visitor's work is to stop.
        frame: of the tab.
    """
    choices = cache.catalog.choices("text-to-image")
    if not choices:
        gr.Markdown(word("t2i_no_models"), elem_id="t2i-none")
        return
    handlers, ticket = TextToImageHandlers(cache, cancellation), page_ticket()
    question = _question()
    sides = _columns(choices)
    _wire(handlers, ticket, question, sides)
    text_to_image_tools.build_treatment(handlers, sides, WORK)
    text_to_image_tools.build_repair(handlers, sides[0].shown, WORK)
    text_to_image_tools.build_word_by_word(handlers, question, sides[0].model, WORK)
    text_to_image_tools.build_attention(handlers, sides[0].shown, WORK)
    text_to_image_tools.build_matching(handlers, question.seed, sides[0].model, WORK)
    text_to_image_tools.build_searching(handlers, WORK)
    _wire_pickers(cache, frame, [side.model for side in sides])
    words = text_to_image_view.words(CHINESE_EXAMPLE)
    begin_in_chinese(frame, {question.caption: CHINESE_EXAMPLE}, {question.words: words})


# ---- layout


def _question() -> Question:
    gr.Markdown(word("t2i_intro"), elem_classes="intro")
    caption = gr.Textbox(
        EXAMPLES[2],
        label=word("caption"),
        placeholder=word("caption_placeholder"),
        lines=2,
        max_lines=4,
        elem_id="t2i-caption",
    )
    words = widget("words", text_to_image_view.words(EXAMPLES[2]), elem_id="t2i-words")
    examples = gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=[[example] for example in EXAMPLES],
        label=word("caption_examples"),
        elem_id="t2i-examples",
    )
    with gr.Row(elem_classes="question"):
        with gr.Column(scale=1, min_width=200), gr.Group():
            seed = gr.Number(
                1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED, elem_id="t2i-seed"
            )
            fresh = gr.Checkbox(False, label=word("new_seed"), elem_id="t2i-fresh")
        with gr.Column(scale=4, min_width=300, elem_classes="gan-sliders"):
            sliders = [_slider(name) for name in SLIDERS]
            sliders.append(
                gr.Dropdown(
                    list(SCHEDULERS),
                    value=SCHEDULERS[0],
                    label=word("scheduler"),
                    info=word("scheduler_info"),
                    filterable=False,
                    min_width=220,
                )
            )
    with gr.Row(elem_classes="actions"):
        draw = gr.Button(word("t2i_draw"), variant="primary", elem_id="t2i-draw", scale=2)
        stop = gr.Button(word("stop"), variant="stop", elem_id="t2i-stop")
    examples.click(example_of, examples, caption, **CHEAP)
    return Question(caption, words, seed, fresh, sliders, draw, stop)


def _slider(name: str) -> Any:
    low, high, step, start = SLIDERS[name]
    return gr.Slider(low, high, start, step=step, label=word(name), info=word(f"{name}_info"), min_width=220)


def _columns(choices: tuple[Choice, ...]) -> list[Side]:
    pair = dict(zip(("left", "right"), default_pair(choices), strict=True))
    with gr.Row(equal_height=False, elem_classes="columns"):
        sides = [_side(side, model, choices) for side, model in pair.items()]
    timelines = build_timeline(text_to_image_tools.TAB)
    return [
        Side(gr.State(number), model, card, pictures, checked, timeline, facts, gr.State())
        for number, ((model, card, pictures, checked, facts), timeline) in enumerate(
            zip(sides, timelines, strict=True)
        )
    ]


def _side(side: str, model: str, choices: tuple[Choice, ...]) -> tuple[Any, ...]:
    chosen = next(choice for choice in choices if choice.value == model)
    with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"t2i-column-{side}"):
        picker = gr.Dropdown(
            picker_choices(choices),
            value=model,
            label=word(f"model_{side}"),
            elem_id=f"t2i-model-{side}",
            filterable=False,
        )
        card = widget("card", picture_view.picture_card(chosen, None), elem_id=f"t2i-card-{side}")
        pictures = widget("pictures", text_to_image_view.candidates(None), elem_id=f"t2i-pictures-{side}")
        checked = widget("facts", text_to_image_view.checked(None), elem_id=f"t2i-checked-{side}")
        facts = widget("facts", picture_view.picture_facts(chosen, None), elem_id=f"t2i-facts-{side}")
    return picker, card, pictures, checked, facts


# ---- wiring


def _wire(handlers: TextToImageHandlers, ticket: Any, question: Question, sides: list[Side]) -> None:
    left, right = sides
    for asked in (question.caption, left.model, right.model):
        asked.change(handlers.read, [question.caption, left.model, right.model], question.words, **CHEAP)
    question.draw.click(
        handlers.draw,
        [
            ticket,
            question.caption,
            question.seed,
            question.fresh,
            *question.sliders,
            left.model,
            right.model,
        ],
        [question.seed, *left.picture, *right.picture],
        **WORK,
    )
    question.stop.click(handlers.stop, ticket, None, queue=False, **PRIVATE)
    for side in sides:
        side.model.change(handlers.choose_model, [ticket, side.number, side.model], side.picture, **CHEAP)
        side.pictures.select(handlers.choose, [side.shown], [side.pictures, side.shown], **CHEAP)


def example_of(sample: Any) -> str:
    """The caption of the example that was clicked.

    Raises:
        InputError: there is none.
    """
    if not isinstance(sample, list) or not sample:
        raise InputError("setting_type", name="example", expected="one of the examples", got=shown(sample))
    return checked_text("example", sample[0])


def _wire_pickers(cache: ModelCache, frame: Frame, pickers: list[Any]) -> None:
    """Runs that have ended meanwhile are offered when the page, the tab or a picker is opened."""

    def refresh() -> list[Any]:
        offered = picker_choices(cache.catalog.choices("text-to-image"))
        return [gr.update(choices=offered) for _ in pickers]

    touched = [picker.focus for picker in pickers]
    gr.on([frame.page.load, frame.tab.select, *touched], refresh, None, pickers, **CHEAP)
