"""The table of recipes: every row is whole, and nobody who reads it waits for torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import aigc_demo.training
from aigc_demo.generators.kinds import KINDS
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.family import Family, family_of
from aigc_demo.training.recipes import RECIPES

TRAINING = Path(aigc_demo.training.__file__).parent
HEAVY = ("torch", "transformers", "diffusers", "accelerate", "gradio")


def test_the_rows_stand_in_the_order_of_the_page() -> None:
    language_models, of_images = ["gpt", "gpt2", "word-lm"], ["dcgan", "stylegan", "ddpm", "classifier"]
    of_captions = ["clip", "text2image", "text2image-diffusion"]
    known = [*language_models, *of_images, *of_captions, "colorize", "inpaint", "checker"]
    assert [name for name in RECIPES if name in known] == known


def test_every_recipe_has_its_row_among_the_folders_of_trained_models() -> None:
    assert {name: row.kind for name, row in RECIPES.items()} == {
        name: row.kind for name, row in FOLDERS.items()
    }
    assert {name for name, row in RECIPES.items() if not row.ours} == {
        name for name, row in FOLDERS.items() if row.library
    }
    assert all(row.folder is FOLDERS[name] for name, row in RECIPES.items())


# Which family may import which; the import contracts of pyproject.toml hold their settings and loops apart.
MAY_IMPORT = {
    ("text_to_image", "gan"),
    ("text_diffusion", "diffusion"),
    ("text_diffusion", "text_to_image"),  # the captions of the samples
}


def test_no_family_imports_another_one_unless_it_is_said_so() -> None:
    families = sorted(path.parent for path in TRAINING.glob("*/recipe.py"))
    assert {path.name for path in families} == {row.family for row in RECIPES.values()}
    found = {
        (family.name, other)
        for family in families
        for path in family.glob("*.py")
        for other in re.findall(r"aigc_demo\.training\.(\w+)[. ]", path.read_text("utf8"))
        if other != family.name and (TRAINING / other / "recipe.py").is_file()
    }
    assert found == MAY_IMPORT


@pytest.mark.parametrize("module", ["recipes", *sorted({f"{row.family}.recipe" for row in RECIPES.values()})])
def test_a_recipe_is_read_without_the_heavy_libraries(module: str) -> None:
    code = f"import sys, aigc_demo.training.{module}; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-500:]


@pytest.mark.parametrize("name", RECIPES)
def test_a_row_names_a_kind_and_a_module_that_trains_it(name: str) -> None:
    row = RECIPES[name]
    assert row.kind in KINDS
    assert isinstance(family_of(row), Family)
    assert row.module.split(".")[-2] == row.family
    fields = set(row.settings.__dataclass_fields__)
    assert {*row.asked, *row.shape, *row.small, *row.defaults, *row.trial} <= fields
    assert row.asked
    assert row.shape


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_says_on_a_card_what_it_trains(name: str) -> None:
    card = RECIPES[name].card
    assert "this project" in card.shipped
    assert card.own.endswith(("trained with it", "trained with AIGC Demo"))
    assert "this project" not in card.own
    assert card.use.startswith("## What it is for\n\n")
    assert card.loading.startswith("## How to load it\n\n```")
    assert card.not_recorded.startswith("## How good it is\n\n")
    assert set(card.num_units) <= set(RECIPES[name].settings.__dataclass_fields__)
