"""No text of the page is left that nothing asks for.

A key stands whole in the code, or is composed there (`f"state_{column.state}"`). What fills the hole of a
composed one is what the same module has in quotes, or what `FILLED` has for it, from the tables of the code.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from aigc_demo.data.tiny_world.caption import NAMES
from aigc_demo.generators import catalog
from aigc_demo.measure.images import Verdict
from aigc_demo.nets.options import COLORIZE, GAN_LOSSES, INPAINT
from aigc_demo.studio.models.side_by_side import State
from aigc_demo.studio.runs.run_view import CHECKPOINT, SMOOTH
from aigc_demo.studio.runs.state import Stands
from aigc_demo.studio.text.fork import OWN_SETTINGS
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui.gan import tab as gan_tab
from aigc_demo.ui.tab_parts import SIDES
from aigc_demo.ui.text import handlers as text_handlers
from aigc_demo.ui.text_to_image import tab as text_to_image_tab
from aigc_demo.ui.train.order_form import OFFERED
from aigc_demo.ui.words import wording
from aigc_demo.ui.words.wording import WORDS

WORDS_FOLDER = Path(wording.__file__).parent
UI = WORDS_FOLDER.parent
STUDIO = UI.parent / "studio"
HOLE = "{}"


def quoted(path: Path) -> set[str]:
    """The strings of a module."""
    nodes = ast.walk(ast.parse(path.read_text("utf8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def given_to(function: str) -> set[str]:
    """The first arguments in quotes of a function of the page."""
    sources = (path.read_text("utf8") for path in UI.rglob("*.py"))
    return {name for source in sources for name in re.findall(rf'\b{function}\("(\w+)"', source)}


CURVES = [curve for recipe in RECIPES.values() for curve in recipe.curves]
LINES = [line for curve in CURVES for line in curve.lines]
SLIDERS = {name for tab in (text_handlers, gan_tab, text_to_image_tab) for name in tab.SLIDERS}
THINGS = {meaning for part, meaning in NAMES["en"] if part in ("kind", "colour", "size")}
FILLED: dict[str, set[str]] = {
    "{}_info": SLIDERS,
    "{}_intro": given_to("part"),
    "help_{}": given_to("help_on"),
    "help_{}_title": given_to("help_on"),
    "state_{}": set(get_args(State)),
    "pictures_{}": set(get_args(State)),
    "prediction_{}": set(get_args(State)),
    "run_state_{}": {ends.replace("-", "_") for ends in get_args(Stands)},
    "family_{}": {entry.family for entry in catalog.CATALOG.values()},
    "family_{}_long": {entry.family for entry in catalog.CATALOG.values()},
    "language_{}": {language for entry in catalog.CATALOG.values() for language in entry.languages},
    "data_{}": set(catalog.CATALOG),
    "decoder_{}": set(OWN_SETTINGS),
    "arithmetic_{}": set("abc"),
    "model_{}": set(SIDES),
    "sum_open_{}": quoted(STUDIO / "images/classify.py"),
    "alarm_{}": set(get_args(Verdict)) | {f"no_images_{what}" for what in quoted(UI / "gan/view.py")},
    "judged_{}": quoted(UI / "gan/handlers.py"),
    "step_{}": {COLORIZE, INPAINT}
    | quoted(STUDIO / "text_to_image/postprocess.py")
    | quoted(STUDIO.parent / "generators/text_to_image/postprocess.py"),
    "step_by_step_loss_{}": {loss.replace("-", "_") for loss in GAN_LOSSES},
    "step_by_step_{}": quoted(STUDIO / "images/step_by_step_gan.py"),
    "twins_line_{}": {loss.replace("-", "_") for loss in GAN_LOSSES},
    "part_{}": {part for part, _ in NAMES["en"]},
    "thing_{}": THINGS,
    "trial_{}": {recipe.rate for recipe in RECIPES.values()},
    "chart_{}": {curve.name for curve in CURVES},
    "line_{}": {CHECKPOINT}
    | {line.name for line in LINES}
    | {line.name + SMOOTH for line in LINES if line.smooth},
    "recipe_{}": set(RECIPES),
    "setting_{}": set(OFFERED),
    "setting_pictures_{}": set(OFFERED),
}


def composed() -> Iterator[tuple[str, Path]]:
    """The keys with a hole that the page's code composes, such as `state_{}`, and the module of each."""
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else HOLE for part in node.values]
                if re.fullmatch(r"[a-z]\w*_\{\}(_[a-z]+)?|\{\}_[a-z]+", key := "".join(map(str, parts))):
                    yield key, path


def used() -> set[str]:
    keys = set().union(*(quoted(path) for path in UI.rglob("*.py") if path.parent != WORDS_FOLDER))
    for key, path in composed():
        keys |= {key.replace(HOLE, value) for value in quoted(path) | FILLED.get(key, set())}
    return keys


def choices() -> set[str]:
    """Keys of the choices of settings, whose names have two holes."""
    kinds = [recipe.settings.__dataclass_fields__ for recipe in RECIPES.values()]
    return {
        f"choice_{name}_{choice}"
        for fields in kinds
        for name in OFFERED
        if name in fields
        for choice in fields[name].metadata.get("choices") or ()
    }


def test_no_word_is_left_over():

    assert sorted(set(WORDS) - used() - choices()) == []


def test_what_fills_a_hole_is_asked_for():
    assert sorted(set(FILLED) - {key for key, _ in composed()}) == []
