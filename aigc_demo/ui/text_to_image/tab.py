"""The tab Text to image: one caption for two models, and what can be asked about their images."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import TEXT_TO_IMAGE
from aigc_demo.generators.text_to_image.model import SCHEDULERS
from aigc_demo.studio.images.compare import MOST_STEPS
from aigc_demo.studio.models.arguments import checked_text
from aigc_demo.studio.models.catalog import Choice
from aigc_demo.studio.text_to_image.compare import MOST_CANDIDATES
from aigc_demo.ui import image_view
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, IMAGE_WORK, Frame, page_ticket
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import offer_new_models
from aigc_demo.ui.tab_parts import Question, Side, build_columns, seed_fields, slider, wire_sides
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.text_to_image import tools, view
from aigc_demo.ui.text_to_image.handlers import PARTS, TextToImageHandlers
from aigc_demo.ui.text_to_image.tools import TAB
from aigc_demo.ui.widgets import widget

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


@dataclass(frozen=True, kw_only=True)
class CaptionQuestion(Question):
    """The components that say what is asked of both models."""

    caption: Any
    words: Any


def build_text_to_image_tab(studio: Studio, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab."""
    choices = studio.cache.catalog.choices(TEXT_TO_IMAGE)
    if not choices:
        gr.Markdown(word("t2i_no_models"), elem_id="t2i-none")
        return
    handlers, ticket = TextToImageHandlers(studio.cache, studio.cancellation), page_ticket()
    question = _question()
    sides = build_columns(TAB, choices, PARTS, _parts)
    wire_sides(handlers, ticket, question.stop, sides)
    _wire(handlers, ticket, question, sides)
    tools.build_postprocessing(handlers, sides, IMAGE_WORK)
    tools.build_repair(handlers, sides[0].shown, IMAGE_WORK)
    tools.build_word_by_word(handlers, question, sides[0].model, IMAGE_WORK)
    tools.build_attention(handlers, sides[0].shown, IMAGE_WORK)
    tools.build_matching(handlers, question.seed, sides[0].model, IMAGE_WORK)
    tools.build_searching(handlers, IMAGE_WORK)
    offer_new_models(
        frame, [side.model for side in sides], lambda: studio.cache.catalog.choices(TEXT_TO_IMAGE)
    )
    words = view.words(CHINESE_EXAMPLE)
    begin_in_chinese(frame, {question.caption: CHINESE_EXAMPLE}, {question.words: words})


# ---- layout


def _question() -> CaptionQuestion:
    gr.Markdown(word("t2i_intro"), elem_classes="intro")
    caption = gr.Textbox(
        EXAMPLES[2],
        label=word("caption"),
        placeholder=word("caption_placeholder"),
        lines=2,
        max_lines=4,
        elem_id="t2i-caption",
    )
    words = widget("words", view.words(EXAMPLES[2]), elem_id="t2i-words")
    examples = gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=[[example] for example in EXAMPLES],
        label=word("caption_examples"),
        elem_id="t2i-examples",
    )
    with gr.Row(elem_classes="question"):
        seed, fresh = seed_fields("t2i-", fresh=False)
        with gr.Column(scale=4, min_width=300, elem_classes="gan-sliders"):
            sliders = [slider(name, bounds) for name, bounds in SLIDERS.items()]
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
    return CaptionQuestion(
        caption=caption, words=words, seed=seed, fresh=fresh, sliders=sliders, generate=draw, stop=stop
    )


def _parts(side: str, chosen: Choice) -> dict[str, Any]:
    """What a column shows of its model, by name."""
    values = {
        "card": ("card", image_view.image_card(chosen, None)),
        "images": ("images", view.candidates(None)),
        "checked": ("facts", view.checked(None)),
        "facts": ("facts", image_view.image_facts(chosen, None)),
    }
    return {name: widget(kind, value, elem_id=f"t2i-{name}-{side}") for name, (kind, value) in values.items()}


# ---- wiring


def _wire(handlers: TextToImageHandlers, ticket: Any, question: CaptionQuestion, sides: list[Side]) -> None:
    left, right = sides
    for asked in (question.caption, left.model, right.model):
        asked.change(handlers.read, [question.caption, left.model, right.model], question.words, **CHEAP)
    question.generate.click(
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
        [question.seed, *left.outputs, *right.outputs],
        **IMAGE_WORK,
    )
    for side in sides:
        images = side.parts["images"]
        images.select(handlers.choose, [side.shown], [images, side.shown], **CHEAP)


def example_of(sample: Any) -> str:
    """The caption of the example that was clicked.

    Raises:
        InputError: there is none.
    """
    if not isinstance(sample, list) or not sample:
        raise InputError("setting_type", name="example", expected="one of the examples", got=shown(sample))
    return checked_text("example", sample[0])
