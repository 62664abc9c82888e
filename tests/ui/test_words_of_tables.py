"""A new row of a table (recipe, setting, curve, kind, tab, endpoint) without words in each language fails."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from aigc_demo.core.languages import LANGUAGES
from aigc_demo.generators.kinds import KINDS, sentences
from aigc_demo.studio.runs.run_view import SMOOTH
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui.app import TABS, build_app, new_studio
from aigc_demo.ui.gan import tab as gan_tab
from aigc_demo.ui.language import marker
from aigc_demo.ui.text import handlers as text_handlers
from aigc_demo.ui.text.api import TextApi
from aigc_demo.ui.text_to_image import tab as text_to_image_tab
from aigc_demo.ui.train.order_form import FIRST, OFFERED, offered, starts_of
from aigc_demo.ui.words.wording import WORDS, sentence, text
from tests.ui.serving.test_slots import built

ROOT = Path(__file__).resolve().parents[2]
KEYS = {marker(key) for key in WORDS}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def key_of(label):
    """The key of a text that the browser translates."""
    return re.search(r'"key": "(\w+)"', str(label))[1]


@pytest.mark.parametrize("tab", [text_handlers, gan_tab, text_to_image_tab], ids=lambda tab: tab.__name__)
def test_sliders_are_named(tab):
    assert [name for name in tab.SLIDERS if name not in WORDS] == []
    explained = set(tab.SLIDERS) - {"num_pictures"}  # whose name says everything
    assert [name for name in explained if f"{name}_info" not in WORDS] == []


def test_endpoints_take_every_rule_of_sampling():
    taken = set(inspect.signature(TextApi.generate_text).parameters)
    assert set(text_handlers.SLIDERS) - taken == set()
    of_a_text = {"num_beams", "max_new_tokens"}
    assert (
        set(text_handlers.SLIDERS) - of_a_text - set(inspect.signature(TextApi.next_token).parameters)
        == set()
    )


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_is_named_and_explained(recipe):
    for language in LANGUAGES:
        name, explained = text(f"recipe_{recipe}", language).split(" · ", 1)
        assert name == recipe
        assert explained
        assert bool(CHINESE.search(explained)) == (language != "en")


@pytest.mark.parametrize("recipe", RECIPES)
def test_settings_and_their_choices_are_named(recipe):
    shown = dict(zip(OFFERED, starts_of(recipe, FIRST)[1:], strict=True))
    assert len(offered(recipe)) > 2
    for name in offered(recipe):
        assert key_of(shown[name]["label"]) in KEYS, name
        for label, value in shown[name].get("choices", ()):
            assert key_of(label) in KEYS if isinstance(value, str) else label == str(value), (name, value)


@pytest.mark.parametrize("recipe", RECIPES)
def test_curves_and_their_lines_are_named(recipe):
    curves = RECIPES[recipe].curves
    lines = [line for curve in curves for line in curve.lines]
    keys = {f"chart_{curve.name}" for curve in curves} | {f"line_{line.name}" for line in lines}
    keys |= {f"line_{line.name}{SMOOTH}" for line in lines if line.smooth}
    assert len(keys) > len(curves) > 0
    assert sorted(keys - set(WORDS)) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_speed_of_a_trial_is_named(recipe):
    assert f"trial_{RECIPES[recipe].rate}" in WORDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_kind_of_model_does_is_said(kind, language):
    two = sentences((kind, next(iter(KINDS))))
    for expected in (KINDS[kind].sentence, two):
        shown = sentence("foreign_model", {"path": "x", "detail": "y", "expected": expected}, language)
        assert (expected in shown) == (language == "en")


def test_tabs_are_named():
    names = [tab.name for tab in TABS]
    assert len(set(names)) == len(TABS) >= 4
    assert [name for name in names if name not in WORDS] == []


def test_the_contract_of_the_tabs_names_every_tab():
    """Imports between tabs are refused (pyproject.toml) for those alone that stand in the contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["tool"]["importlinter"][
        "contracts"
    ]
    held = next(contract["modules"] for contract in contracts if contract["id"] == "tabs")
    assert sorted(held) == sorted(tab.build.__module__.rpartition(".")[0] for tab in TABS)


def test_endpoints_and_their_parameters_are_explained(tmp_path):
    page = built(lambda: build_app(new_studio(tmp_path)))
    endpoints = [fn for fn in page.fns.values() if fn.api_visibility == "public"]
    assert len(endpoints) > 15
    for endpoint in endpoints:
        explained = inspect.getdoc(endpoint.fn) or ""
        assert len(explained) > 30, endpoint.api_name
        given = explained.partition("Args:")[2]
        for name in inspect.signature(endpoint.fn).parameters:
            if name != "request":
                assert re.search(rf"^ +{name}: \S", given, re.MULTILINE), (endpoint.api_name, name)
