"""The tab GAN: the same seeds for two models, and everything that can be asked about their pictures."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.images.compare import MOST_PICTURES, MOST_STEPS
from aigc_demo.studio.images.real_images import TrainingPictures
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import MAX_SEED
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, PICTURES, PRIVATE, Frame, page_ticket
from aigc_demo.ui.gan import tools as gan_tools
from aigc_demo.ui.gan import view
from aigc_demo.ui.gan.handlers import SETTING_NAMES, GanHandlers
from aigc_demo.ui.gan.latent_handlers import LatentHandlers
from aigc_demo.ui.image_view import picture_card, picture_facts
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.widgets import widget

WORK: dict[str, Any] = {**PRIVATE, **PICTURES, "trigger_mode": "once"}
# A second press reaches the server, which knows whether the first was stopped (Cancellation.once_in_line).
IN_LINE: dict[str, Any] = {**WORK, "trigger_mode": "multiple"}

SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "num_pictures": (1, MOST_PICTURES, 1, 16),
    "truncation": (0, 1.5, 0.05, 1),
    "num_inference_steps": (1, MOST_STEPS, 1, 20),
}


@dataclass(frozen=True)
class Question:
    """The components that say what is asked of both models."""

    seed: Any
    fresh: Any
    sliders: list[Any]
    generate: Any
    stop: Any


@dataclass(frozen=True)
class Side:
    """The components of one column, and its number, which the server keeps."""

    number: Any
    model: Any
    card: Any
    pictures: Any
    timeline: Any
    facts: Any
    shown: Any

    @property
    def picture(self) -> list[Any]:
        """What new pictures change."""
        return [self.card, self.pictures, self.timeline, self.facts, self.shown]


def build_gan_tab(cache: ModelCache, cancellation: Cancellation, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab.

    Args:
        cache: the models of the page.
        stops: which visitor's work is to stop.
        frame: of the tab.
    """
    choices = cache.catalog.choices("pictures")
    training = TrainingPictures(cache.catalog)
    handlers, latent = (
        GanHandlers(cache, cancellation, training),
        LatentHandlers(cache, cancellation, training),
    )
    ticket = page_ticket()
    if not choices:
        gr.Markdown(word("gan_no_models"), elem_id="gan-none")
        return
    question = _question()
    sides = _columns(choices)
    models = [side.model for side in sides]
    _, truncation, steps = question.sliders
    _wire_generating(handlers, ticket, question, sides)
    upload = gan_tools.build_real_pictures(handlers, sides, WORK)
    gan_tools.build_interpolation(latent, ticket, [truncation, steps], models, IN_LINE)
    words = gan_tools.build_arithmetic(latent, ticket, truncation, models, WORK, IN_LINE)
    gan_tools.build_mixing(latent, truncation, models, WORK)
    gan_tools.build_measuring(latent, ticket, steps, upload, models, IN_LINE)
    _wire_pickers(cache, frame, models)
    begin_in_chinese(frame, dict(zip(words, gan_tools.ASKED_IN_CHINESE, strict=True)))


# ---- layout


def _question() -> Question:
    gr.Markdown(word("gan_intro"), elem_classes="intro")
    with gr.Row(elem_classes="question"):
        with gr.Column(scale=1, min_width=200), gr.Group():
            seed = gr.Number(
                1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED, elem_id="gan-seed"
            )
            fresh = gr.Checkbox(False, label=word("new_seed"), elem_id="gan-fresh")
        with gr.Column(scale=4, min_width=300, elem_classes="gan-sliders"):
            sliders = [_slider(name) for name in SETTING_NAMES]
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(word("generate"), variant="primary", elem_id="gan-generate", scale=2)
        stop = gr.Button(word("stop"), variant="stop", elem_id="gan-stop")
    return Question(seed, fresh, sliders, generate, stop)


def _slider(name: str) -> Any:
    low, high, step, start = SLIDERS[name]
    info = None if name == "num_pictures" else word(f"{name}_info")
    return gr.Slider(low, high, start, step=step, label=word(name), info=info, min_width=220)


def _columns(choices: tuple[Choice, ...]) -> list[Side]:
    pair = dict(zip(("left", "right"), default_pair(choices), strict=True))
    with gr.Row(equal_height=False, elem_classes="columns"):
        sides = [_side(side, model, choices) for side, model in pair.items()]
    timelines = gan_tools.build_timeline()
    return [
        Side(gr.State(number), model, card, pictures, timeline, facts, gr.State())
        for number, ((model, card, pictures, facts), timeline) in enumerate(
            zip(sides, timelines, strict=True)
        )
    ]


def _side(side: str, model: str, choices: tuple[Choice, ...]) -> tuple[Any, ...]:
    chosen = next(choice for choice in choices if choice.value == model)
    with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"gan-column-{side}"):
        picker = gr.Dropdown(
            picker_choices(choices),
            value=model,
            label=word(f"model_{side}"),
            elem_id=f"gan-model-{side}",
            filterable=False,
        )
        card = widget("card", picture_card(chosen, None), elem_id=f"gan-card-{side}")
        pictures = widget("pictures", view.column_gallery(None), elem_id=f"gan-pictures-{side}")
        facts = widget("facts", picture_facts(chosen, None), elem_id=f"gan-facts-{side}")
    return picker, card, pictures, facts


# ---- wiring


def _wire_generating(handlers: GanHandlers, ticket: Any, question: Question, sides: list[Side]) -> None:
    left, right = sides
    question.generate.click(
        handlers.generate,
        [ticket, question.seed, question.fresh, *question.sliders, left.model, right.model],
        [question.seed, *left.picture, *right.picture],
        **IN_LINE,
    )
    question.stop.click(handlers.stop, ticket, None, queue=False, **PRIVATE)
    for side in sides:
        side.model.change(handlers.choose_model, [ticket, side.number, side.model], side.picture, **CHEAP)


def _wire_pickers(cache: ModelCache, frame: Frame, pickers: list[Any]) -> None:
    """Runs that have ended meanwhile are offered when the page, the tab or a picker is opened."""

    def refresh() -> list[Any]:
        offered = picker_choices(cache.catalog.choices("pictures"))
        return [gr.update(choices=offered) for _ in pickers]

    touched = [picker.focus for picker in pickers]
    gr.on(
        [frame.page.load, frame.tab.select, *touched],
        refresh,
        None,
        pickers,
        **CHEAP,
    )
