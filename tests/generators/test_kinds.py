"""The table of kinds: each row is whole, and everybody who asks what a model does asks it."""

import fnmatch
import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators import catalog
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import KINDS, check_kind, function_named
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.models.catalog import Catalog, Choice
from aigc_demo.studio.models.model_cache import load_model
from aigc_demo.training.recipes import RECIPES

SENTENCES = {
    "text": "it generates text",
    "pictures": "it generates images",
    "text-to-image": "it generates images from captions",
    "measures": "it extracts features of images",
    "matches": "it matches texts and images",
    "reads": "it recognizes what images show",
    "mends": "it restores images",
    "masks": "it predicts masked words",
    "answers": "it answers a text",
    "decodes": "it decodes latents into images",
}


def of_kind(kind: str) -> CatalogEntry:
    return CatalogEntry("somebody", "pretrained", kind, "", "nowhere")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_what_loads_and_measures_it(kind: str) -> None:
    row = KINDS[kind]
    load = inspect.signature(row.loader()).parameters
    assert "progress" in load
    assert ("on_ours" in load) == (kind in ("text", "masks"))
    for library in row.libraries:
        assert row.loader().__module__.startswith("aigc_demo.generators.")
        assert library.startswith("aigc_demo.generators.")
    assert bool(row.evaluate) != bool(row.not_evaluated)
    if row.evaluate:
        measure = inspect.signature(function_named(row.evaluate)).parameters
        assert list(measure) == ["entry", "source", "split", "settings", "samples", "seed"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_a_task_and_files(kind: str) -> None:
    row = KINDS[kind]
    assert f"it {row.sentence}" == SENTENCES[kind]
    assert re.fullmatch("[a-z0-9-]+", row.task)
    for pattern in row.needed:
        assert any(
            fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(f"x/{name}", pattern) for name in row.wanted
        )
    assert any(name.endswith(".safetensors") for name in row.wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_whole_once_the_last_file_is_there(kind: str, tmp_path: Path) -> None:
    row = KINDS[kind]
    exact = {pattern: pattern.replace("**/", "sub/").replace("*", "") for pattern in row.needed}
    for name in exact.values():
        assert not row.is_whole(tmp_path)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert row.is_whole(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert not row.is_whole(tmp_path), "a folder of that name is no file"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_model_of_another_kind_is_refused_by_what_it_does(kind: str, other: str) -> None:
    """Whoever loads a kind says of every other one what that does."""
    if kind == other:
        check_kind("somebody", other, kind)
        return
    with pytest.raises(InputError) as refused:
        check_kind("somebody", other, kind)
    assert str(refused.value) == (
        f"somebody holds a model of another kind ({SENTENCES[other]}); "
        f"choose one that {SENTENCES[kind].removeprefix('it ')}."
    )


@pytest.mark.parametrize("other", KINDS)
@pytest.mark.parametrize(
    "kind", ["text", "masks", "answers", "pictures", "text-to-image", "measures", "reads", "mends"]
)
def test_loaders_refuse_what_is_not_theirs(kind: str, other: str) -> None:
    if kind != other:
        with pytest.raises(InputError, match=re.escape(f"({SENTENCES[other]})")):
            KINDS[kind].loader()(of_kind(other))


def test_what_a_recipe_trains_is_of_a_kind_that_the_catalog_knows_by_the_same_word() -> None:
    assert {name: row.kind for name, row in FOLDERS.items()} == {
        name: recipe.kind for name, recipe in RECIPES.items()
    }
    assert {name for name, row in FOLDERS.items() if row.library} == {
        name for name, recipe in RECIPES.items() if not recipe.ours
    }
    assert {recipe.kind for recipe in RECIPES.values()} <= set(KINDS)
    for entry in catalog.CATALOG.values():
        if entry.recipe:
            assert entry.kind == RECIPES[entry.recipe].kind


def test_what_nothing_measures_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = replace(of_kind("decodes"), name="taesd")
    monkeypatch.setattr(catalog, "listed", lambda: {"taesd": decoder})
    with pytest.raises(
        InputError, match=r"taesd .*decodes latents into images: .*choose one that generates text or"
    ):
        evaluate("taesd", "tiny-world")


def test_a_loader_is_given_the_entry_and_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from aigc_demo.generators.text import loading

    asked = []
    monkeypatch.setattr(loading, "load_text_model", lambda entry, **given: asked.append((entry, given)))
    report = print
    for on_ours in (False, True):
        load_model(Choice("gpt2", find("gpt2"), on_ours), report)
    assert asked == [
        (find("gpt2"), {"progress": report}),
        (find("gpt2"), {"progress": report, "on_ours": True}),
    ]


def test_the_page_can_list_the_models_of_every_kind() -> None:
    listed = {choice.value: choice for choice in Catalog().choices(*KINDS)}
    assert {choice.entry.kind for choice in listed.values()} == {
        entry.kind for entry in catalog.listed().values()
    }
    assert {"gpt-tang", "gpt2@ours", "text2image-tiny-world", "clip-tiny-world"} <= set(listed)
