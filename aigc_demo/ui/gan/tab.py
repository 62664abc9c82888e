"""The tab GAN: the same seeds for two models, and everything that can be asked about their images."""

from typing import Any

import gradio as gr

from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.images.compare import MOST_IMAGES, MOST_STEPS
from aigc_demo.studio.images.real_images import TrainingImages
from aigc_demo.studio.models.catalog import Choice
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import IMAGE_WORK, Frame, page_ticket
from aigc_demo.ui.gan import tools, view
from aigc_demo.ui.gan.handlers import PARTS, SETTING_NAMES, GanHandlers
from aigc_demo.ui.gan.latent_handlers import LatentHandlers
from aigc_demo.ui.gan.step_by_step import build_step_by_step
from aigc_demo.ui.gan.tools import TAB
from aigc_demo.ui.image_view import image_card, image_facts
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import offer_new_models
from aigc_demo.ui.tab_parts import Question, Side, build_columns, seed_fields, slider, wire_sides
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.widgets import widget

# A second press reaches the server, which knows whether the first was stopped (Cancellation.joined).
IN_LINE: dict[str, Any] = {**IMAGE_WORK, "trigger_mode": "multiple"}

SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "num_pictures": (1, MOST_IMAGES, 1, 16),
    "truncation": (0, 1.5, 0.05, 1),
    "num_inference_steps": (1, MOST_STEPS, 1, 20),
}


def build_gan_tab(studio: Studio, frame: Frame) -> None:
    """Lay out the tab and connect it: models that are ready, and below them a GAN trained step by step."""
    _build_models(studio, frame)
    with gr.Accordion(word("step_by_step"), open=False, elem_id="step-by-step"):
        build_step_by_step(studio.gan_sessions)


def _build_models(studio: Studio, frame: Frame) -> None:
    choices = studio.cache.catalog.choices(IMAGE_GENERATOR)
    training = TrainingImages(studio.cache.catalog)
    handlers, latent = (
        GanHandlers(studio.cache, studio.cancellation, training),
        LatentHandlers(studio.cache, studio.cancellation, training),
    )
    ticket = page_ticket()
    if not choices:
        gr.Markdown(word("gan_no_models"), elem_id="gan-none")
        return
    question = _question()
    sides = build_columns(TAB, choices, PARTS, _parts)
    models = [side.model for side in sides]
    _, truncation, steps = question.sliders
    wire_sides(handlers, ticket, question.stop, sides)
    _wire_generating(handlers, ticket, question, sides)
    upload = tools.build_real_images(handlers, sides, IMAGE_WORK)
    tools.build_interpolation(latent, ticket, [truncation, steps], models, IN_LINE)
    words = tools.build_arithmetic(latent, ticket, truncation, models, IMAGE_WORK, IN_LINE)
    tools.build_mixing(latent, truncation, models, IMAGE_WORK)
    tools.build_measuring(latent, ticket, steps, upload, models, IN_LINE)
    offer_new_models(frame, models, lambda: studio.cache.catalog.choices(IMAGE_GENERATOR))
    begin_in_chinese(frame, dict(zip(words, tools.ASKED_IN_CHINESE, strict=True)))


# ---- layout


def _question() -> Question:
    gr.Markdown(word("gan_intro"), elem_classes="intro")
    with gr.Row(elem_classes="question"):
        seed, fresh = seed_fields("gan-", fresh=False)
        with gr.Column(scale=4, min_width=300, elem_classes="gan-sliders"):
            sliders = [
                slider(name, SLIDERS[name], explained=name != "num_pictures") for name in SETTING_NAMES
            ]
    with gr.Row(elem_classes="actions"):
        generate = gr.Button(word("generate"), variant="primary", elem_id="gan-generate", scale=2)
        stop = gr.Button(word("stop"), variant="stop", elem_id="gan-stop")
    return Question(seed=seed, fresh=fresh, sliders=sliders, generate=generate, stop=stop)


def _parts(side: str, chosen: Choice) -> dict[str, Any]:
    """What a column shows of its model, by name."""
    values = {
        "card": image_card(chosen, None),
        "images": view.column_gallery(None),
        "facts": image_facts(chosen, None),
    }
    return {name: widget(name, value, elem_id=f"gan-{name}-{side}") for name, value in values.items()}


# ---- wiring


def _wire_generating(handlers: GanHandlers, ticket: Any, question: Question, sides: list[Side]) -> None:
    left, right = sides
    question.generate.click(
        handlers.generate,
        [ticket, question.seed, question.fresh, *question.sliders, left.model, right.model],
        [question.seed, *left.outputs, *right.outputs],
        **IN_LINE,
    )
