"""The card of a run whose recipe nobody here knows: nothing is borrowed from another recipe."""

from pathlib import Path

import pytest

from aigc_demo.core.events import StepDone, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.model_card import recorded_card, run_card


def run_of(recipe: str, path: Path) -> RunDirectory:
    run = RunDirectory(path)
    run.create({"recipe": recipe, "source": "tiny-world", "steps": 2, "settings": {"batch_size": 8}})
    run.append(StepDone(step=1, loss=0.7, metrics={"seconds": 61.0}))
    run.append(ValidationDone(step=1, loss=0.5, metrics={}))
    return run


def test_a_recipe_that_nobody_knows_borrows_no_words(tmp_path: Path) -> None:
    run = run_of("dance", tmp_path / "run")
    for card in (recorded_card("mine", run, 1), run_card("mine", run, 1)):
        assert "# mine\n\nA model.\n" in card
        assert "last validation loss | 0.5000, at step 1 |" in card, "of whatever unit"
        assert "| steps | 1 |" in card
        for word in ("pipeline_tag", "nats a token", "windows of held-out text", "images", "\n\n\n"):
            assert word not in card


@pytest.mark.parametrize(
    ("recipe", "tag", "steps"), [("gpt", "text-generation", "1"), ("dcgan", "unconditional", "1, 8 images")]
)
def test_a_known_recipe_has_its_own(tmp_path: Path, recipe: str, tag: str, steps: str) -> None:
    card = recorded_card("mine", run_of(recipe, tmp_path / "run"), 1)
    assert f"pipeline_tag: {tag}" in card
    assert f"| steps | {steps}" in card
    assert "A model." not in card
