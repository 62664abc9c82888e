"""How models are offered: the pickers of all tabs, and the names in them."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.models.catalog import ON_OURS, Choice
from aigc_demo.ui.figures import short_count
from aigc_demo.ui.frame import CHEAP, Frame
from aigc_demo.ui.language import word
from aigc_demo.ui.words.wording import everywhere


def model_picker(choices: tuple[Choice, ...], model: str | None, side: str, prefix: str = "") -> Any:
    """The picker of a column.

    Args:
        choices: the models of the tab.
        model: the one that is chosen at first; None for none.
        side: left or right.
        prefix: of its id in the page.
    """
    return gr.Dropdown(
        picker_choices(choices),
        value=model,
        label=word(f"model_{side}"),
        elem_id=f"{prefix}model-{side}",
        filterable=False,
    )


def offer_new_models(frame: Frame, pickers: list[Any], choices: Callable[[], tuple[Choice, ...]]) -> None:
    """Runs that have ended meanwhile are offered when the page, the tab or a picker is opened."""

    def refresh() -> Any:
        update = gr.update(choices=picker_choices(choices()))
        return (
            [update] * len(pickers) if len(pickers) > 1 else update
        )  # gradio takes one value for one picker

    opened = [frame.page.load, frame.tab.select, *(picker.focus for picker in pickers)]
    gr.on(opened, refresh, None, pickers, **CHEAP)


def model_words(choices: tuple[Choice, ...]) -> dict[str, tuple[str, str, str]]:
    """The names of the models in the pickers, in all languages, for gradio's translation."""
    return {f"model_{choice.value}": choice_label(choice) for choice in choices}


def choice_label(choice: Choice) -> tuple[str, str, str]:
    """A model's name in the pickers, in all languages."""
    entry = choice.entry
    sizes = (
        {lang: f" · {size}" for lang, size in short_count(entry.num_parameters).items()}
        if entry.num_parameters
        else {}
    )
    family = everywhere(f"family_{entry.family}")
    note = {lang: f" · {words}" for lang, words in everywhere("on_ours").items()} if choice.on_ours else {}
    english, simplified, traditional = (
        f"{entry.name}{sizes.get(lang, '')} · {family[lang]}{note.get(lang, '')}" for lang in LANGUAGES
    )
    return english, simplified, traditional


def picker_choices(choices: tuple[Choice, ...]) -> list[tuple[Any, str]]:
    """What a picker offers; the name of a run's model is the same in every language."""
    return [(_label(choice), choice.value) for choice in choices]


def _label(choice: Choice) -> Any:
    if choice.of_a_run:
        return run_label(choice)
    return folder_label(choice) if choice.of_a_folder else word(f"model_{choice.value}")


def folder_label(choice: Choice) -> str:
    """The name of a model of a folder, the same in every language; ⚠ where it cannot be used."""
    sign = "⌂" if choice.entry.problem is None else "⚠"
    return f"{sign} {choice.value.replace(ON_OURS, ' → ours')}"


def run_label(choice: Choice) -> str:
    """The name of a run's model in the pickers; ⚠ where it cannot be read."""
    if choice.entry.problem is not None:
        return f"⚠ {choice.value} · unreadable"
    parts = ("▸ " + choice.value, choice.entry.training_data)
    return " · ".join(filter(None, parts))
