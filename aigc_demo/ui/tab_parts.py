"""What the tabs with two columns share: what is asked of both models, the columns, and folded parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.ui.frame import CHEAP, PRIVATE
from aigc_demo.ui.image_view import timeline
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import model_picker
from aigc_demo.ui.widgets import widget

SIDES = ("left", "right")


@dataclass(frozen=True, kw_only=True)
class Question:
    """The components that say what is asked of both models; a tab adds its own to these."""

    seed: Any
    fresh: Any
    sliders: list[Any]
    generate: Any
    stop: Any


@dataclass(frozen=True)
class Side:
    """The components of one column.

    Attributes:
        number: of the column, which the server keeps.
        model: the picker.
        parts: what shows the model's work, by name, in the order in which the tab's handlers give it.
        shown: a state: what the column shows, so that the next click can go on from it; None where no click
            goes on from it.
    """

    number: Any
    model: Any
    parts: Mapping[str, Any]
    shown: Any = None

    @property
    def outputs(self) -> list[Any]:
        """What new work of the model changes."""
        return [*self.parts.values(), *([] if self.shown is None else [self.shown])]


def seed_fields(prefix: str, *, fresh: bool) -> tuple[Any, Any]:
    """The seed, and whether each press takes a new one.

    Args:
        prefix: of the components' ids in the page.
        fresh: whether it does at first.
    """
    with gr.Column(scale=1, min_width=200), gr.Group():
        seed = gr.Number(
            1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED, elem_id=f"{prefix}seed"
        )
        return seed, gr.Checkbox(fresh, label=word("new_seed"), elem_id=f"{prefix}fresh")


def slider(
    name: str, bounds: tuple[float, float, float, float], *, min_width: int = 220, explained: bool = True
) -> Any:
    """A setting of both models.

    Args:
        name: in the API; its words are `NAME`, and `NAME_info` under them.
        bounds: smallest, largest, step, where it starts.
        min_width: in pixels.
        explained: whether there is `NAME_info`.
    """
    low, high, step, start = bounds
    info = word(f"{name}_info") if explained else None
    return gr.Slider(low, high, start, step=step, label=word(name), info=info, min_width=min_width)


def wire_sides(handlers: Any, ticket: Any, stop: Any, sides: list[Side]) -> None:
    """Connect Stop and both pickers to a tab's `ColumnHandlers`."""
    stop.click(handlers.stop, ticket, None, queue=False, **PRIVATE)
    for side in sides:
        side.model.change(handlers.choose_model, [ticket, side.number, side.model], side.outputs, **CHEAP)


def beside(build: Callable[[str], Any]) -> list[Any]:
    """One thing for each column."""
    built = []
    with gr.Row(equal_height=False):
        for side in SIDES:
            with gr.Column(min_width=320, elem_classes=["side", side]):
                built.append(build(side))
    return built


def part(name: str, tab: str) -> Any:
    """A folded part of a tab: the words `NAME`, and `NAME_intro` under them."""
    folded = gr.Accordion(word(name), open=False, elem_id=f"{tab}-{name}")
    with folded:
        gr.Markdown(word(f"{name}_intro"), elem_classes="intro")
    return folded


def build_columns(
    tab: str,
    choices: tuple[Choice, ...],
    names: Sequence[str],
    build: Callable[[str, Choice], dict[str, Any]],
) -> list[Side]:
    """Two columns of image models, and below them the steps of diffusion.

    Args:
        tab: what the ids of its components begin with.
        choices: its models.
        names: of a column's parts, in the order of its handlers; timeline among them.
        build: the other parts of a column, by name; called inside it.
    """
    pickers, parts = [], []
    with gr.Row(equal_height=False, elem_classes="columns"):
        for side, model in zip(SIDES, default_pair(choices), strict=True):
            chosen = next(choice for choice in choices if choice.value == model)
            with gr.Column(min_width=320, elem_classes=["side", side], elem_id=f"{tab}-column-{side}"):
                pickers.append(model_picker(choices, model, side, f"{tab}-"))
                parts.append(build(side, chosen))
    for built, below in zip(parts, build_timeline(tab), strict=True):
        built["timeline"] = below
    return [
        Side(gr.State(number), picker, {name: built[name] for name in names}, gr.State())
        for number, (picker, built) in enumerate(zip(pickers, parts, strict=True))
    ]


def build_timeline(tab: str) -> list[Any]:
    """The steps of diffusion, for each column of a tab."""
    with part("timeline", tab):
        return beside(lambda side: widget("images", timeline(None), elem_id=f"{tab}-timeline-{side}"))
