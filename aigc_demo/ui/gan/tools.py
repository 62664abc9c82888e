"""The folded parts of the tab GAN: the steps of diffusion, ways through the noise, real images, figures."""

from typing import Any

import gradio as gr

from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.studio.images.latent_space import MOST_FRAMES
from aigc_demo.ui.frame import CHEAP
from aigc_demo.ui.gan import view
from aigc_demo.ui.gan.handlers import GanHandlers
from aigc_demo.ui.gan.latent_handlers import LatentHandlers
from aigc_demo.ui.image_view import gallery
from aigc_demo.ui.language import word
from aigc_demo.ui.notices import notice
from aigc_demo.ui.tab_parts import Side, beside, part
from aigc_demo.ui.widgets import widget

TAB = "gan"
# What the words stand for that the page begins with; a model of the tiny world has such seeds.
ASKED_FIRST = ("red ball", "red box", "blue box")
ASKED_IN_CHINESE = ("红球", "红方块", "蓝方块")


def build_interpolation(
    handlers: LatentHandlers, ticket: Any, sampling: list[Any], models: list[Any], work: dict[str, Any]
) -> None:
    """From one seed to another."""
    with part("interpolation", TAB):
        with gr.Row():
            ends = [_seed("from_seed", 1), _seed("to_seed", 2)]
            frames = gr.Slider(2, MOST_FRAMES, 24, step=1, label=word("num_frames"), min_width=220)
        button = gr.Button(word("interpolate"), variant="primary", elem_id="gan-interpolate")
        films = beside(lambda side: widget("images", view.film(None), elem_id=f"gan-film-{side}"))
    button.click(handlers.interpolate, [ticket, *ends, frames, *sampling, *models], films, **work)


def build_arithmetic(
    handlers: LatentHandlers,
    ticket: Any,
    truncation: Any,
    models: list[Any],
    work: dict[str, Any],
    in_line: dict[str, Any],
) -> list[Any]:
    """A - B + C.

    Args:
        handlers: of the tab.
        ticket: of the page.
        truncation: where it is set.
        models: both pickers.
        work: how work is called that begins at once.
        in_line: how work is called that waits in the visitor's line.

    Returns:
        Where the three words are asked for.
    """
    with part("arithmetic", TAB):
        words, seeds = [], []
        with gr.Row():
            for letter, asked in zip("abc", ASKED_FIRST, strict=True):
                with gr.Column(min_width=200):
                    name = word("arithmetic_words")
                    words.append(gr.Textbox(asked, label=name, max_lines=1, elem_id=f"gan-words-{letter}"))
                    name = word(f"arithmetic_{letter}")
                    seeds.append(gr.Textbox("", label=name, max_lines=1, elem_id=f"gan-seeds-{letter}"))
        with gr.Row(elem_classes="actions"):
            find = gr.Button(word("find_seeds"), elem_id="gan-find")
            calculate = gr.Button(word("calculate"), variant="primary", elem_id="gan-calculate")
        line = widget("notice", notice(), elem_id="gan-arithmetic-line")
        shown = widget("images", view.sum_gallery(None), elem_id="gan-sum")
    found = gr.State()
    find.click(handlers.find_seeds, [ticket, *words, *models], [*seeds, line, found], **in_line)
    calculate.click(handlers.calculate, [*seeds, truncation, *models, found], [shown, line], **work)
    for model in models:
        model.change(handlers.seeds_of, [*seeds, *models, found], line, **CHEAP)
    return words


def build_mixing(handlers: LatentHandlers, truncation: Any, models: list[Any], work: dict[str, Any]) -> None:
    """The styles of two."""
    with part("mixing", TAB):
        with gr.Row():
            seeds = [_seed("coarse_seed", 1), _seed("fine_seed", 2)]
        button = gr.Button(word("mix"), variant="primary", elem_id="gan-mix")
        shown = widget("images", view.mixed_gallery(None), elem_id="gan-mixed")
    button.click(handlers.mix, [*seeds, truncation, *models], shown, **work)


def build_real_images(handlers: GanHandlers, sides: list[Side], work: dict[str, Any]) -> Any:
    """The nearest training image, and what the discriminator says.

    Returns:
        Where a visitor gives training images.
    """
    with part("nearest", TAB) as folded:
        shown = widget("images", gallery(None, empty="nearest_empty"), elem_id="gan-nearest-shown")
        upload = gr.File(
            label=word("training_zip"), file_types=[".zip"], height=150, elem_id="gan-training-zip"
        )
    for side in sides:
        images = side.parts["images"]
        images.select(handlers.nearest, [side.shown, upload], [images, folded, shown], **work)
    with part("judging", TAB):
        own = gr.File(
            label=word("own_pictures"),
            file_types=[".png"],
            file_count="multiple",
            type="binary",
            height=150,
            elem_id="gan-own",
        )
        button = gr.Button(word("ask_discriminator"), variant="primary", elem_id="gan-judge")
        judged = widget("images", gallery(None, empty="judging_empty"), elem_id="gan-judged")
    given = [own, upload, *(side.model for side in sides), *(side.shown for side in sides)]
    button.click(handlers.score_images, given, judged, **work)
    return upload


def build_measuring(
    handlers: LatentHandlers, ticket: Any, steps: Any, upload: Any, models: list[Any], work: dict[str, Any]
) -> None:
    """Figures of both models."""
    with part("measuring", TAB):
        button = gr.Button(word("measure"), variant="primary", elem_id="gan-measure")
        built = beside(
            lambda side: (
                widget("notice", notice(), elem_id=f"gan-alarm-{side}"),
                widget("facts", view.measured_facts(None), elem_id=f"gan-figures-{side}"),
            )
        )
    outputs = [component for side in built for component in side]
    button.click(handlers.measure, [ticket, steps, upload, *models], outputs, **work)


def _seed(name: str, value: int) -> Any:
    return gr.Number(
        value,
        label=word(name),
        precision=0,
        minimum=0,
        maximum=MAX_SEED,
        min_width=160,
        elem_id=f"gan-{name}",
    )
