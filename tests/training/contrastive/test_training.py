"""The dual encoder: it learns, resumes exactly, and its folder is measured."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text_to_image.matching import load_matcher, load_reader
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.evaluate.publish import publish
from aigc_demo.training.contrastive import training
from aigc_demo.training.family import family_of
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import train
from tests.training.pair_orders import order
from tests.training.recorded import losses, validations
from tests.training.resumed import check_resumed


@pytest.mark.parametrize("drawn", [True, False])
def test_resumed_equals_uninterrupted(tmp_path: Path, captioned: Path, drawn: bool) -> None:
    check_resumed(order, tmp_path, "clip", "tiny-world" if drawn else str(captioned))


def test_a_dual_encoder_learns_and_its_folder_says_the_same(tmp_path: Path) -> None:
    settings = {"num_pictures": 400, "batch_size": 32, "validate_every": 60, "checkpoint_every": 120}
    settings |= {"hidden_size": 32, "learning_rate": 5e-3, "validation_pictures": 100, "noise": 0.1}
    events = list(train(order(tmp_path / "run", "clip", steps=120, settings=settings)))
    steps = [event for event in events if isinstance(event, StepDone)]
    guess = (math.log(32 * 3) + math.log(32)) / 2 + math.log(3)
    assert steps[0].metrics["loss_by_chance"] == pytest.approx(guess, abs=1e-3)
    assert steps[0].metrics["found_by_chance"] == pytest.approx(1 / 96, abs=1e-5)
    assert sum(losses(events)[-10:]) / 10 < 0.75 * guess
    assert sum(done.metrics["found"] for done in steps[-10:]) / 10 > 0.1  # by chance 0.01
    begin, *_, end = validations(events)
    assert end.loss < begin.loss
    facts = next(event.facts for event in events if isinstance(event, RunStarted))
    assert facts["train_captions"] == 300 * 2
    assert 20 < facts["vocab_size"] < 120

    folder = tmp_path / "run/checkpoints/step-000120"
    matcher = load_matcher(str(folder))
    corpus = prepare_pairs(
        "tiny-world", PairSettings(image_size=32, num_pictures=400, validation_fraction=0.25, phrasings=1)
    )
    scores = matcher.scores([texts[0] for texts in corpus.train_captions[:50]], corpus.train[:50])
    assert scores.shape == (50, 50)
    assert scores.diagonal().mean() > scores.mean() + 0.1
    assert load_file(folder / "model.safetensors")["text_encoder.embedding.weight"].dtype == torch.float16

    figures = evaluate(
        str(folder), "tiny-world", settings={"num_pictures": 400, "validation_fraction": 0.25, "phrasings": 1}
    )
    assert figures["num_samples"] == 100
    assert figures["top1_of_100"] > 0.02  # by chance 0.01
    assert set(figures) >= {"picture_of_100", "top1_of_100_zh", "picture_of_100_zh"}
    assert 0.3 < figures["told_from_exchanged"] < 1
    assert 0.3 < figures["told_from_exchanged_zh"] < 1

    # Another run begins with what this one knows, and reads with its words.
    finetuned = order(tmp_path / "more", "clip", steps=1, settings=settings, init=str(folder))
    first = next(event for event in train(finetuned) if isinstance(event, StepDone))
    assert first.loss < 0.75 * guess
    wider = order(tmp_path / "wider", "clip", steps=1, settings={**settings, "width": 40}, init=str(folder))
    with pytest.raises(InputError, match="width"):
        list(train(wider))


def test_where_no_captions_are_known_a_few_more_tokens_are_counted_than_the_tiny_world_has(
    tmp_path: Path,
) -> None:
    asked, row = order(tmp_path / "run", "clip"), recipe_named("clip")
    settings = row.complete(asked.settings, asked.source)
    run = RunDirectory(tmp_path / "run")
    run.create({})
    family = family_of(row)
    trained = family.prepare(asked, settings, Budget(steps=1), run, None).network
    (counted,) = family.networks("clip", settings)
    more = sum(weight.numel() for weight in counted.parameters()) - sum(
        weight.numel() for weight in trained.parameters()
    )
    assert 0 <= more <= 32 * settings.hidden_size


def test_a_run_that_keeps_nothing_back_is_measured_on_all(tmp_path: Path, captioned: Path) -> None:
    given = {"validation_fraction": 0.0}
    list(train(order(tmp_path / "run", "clip", source=str(captioned), steps=2, settings=given)))
    figures = evaluate(str(tmp_path / "run"), str(captioned), "all", settings=given)
    assert (figures["split"], figures["num_samples"]) == ("all", 24)
    assert 0 <= figures["picture_of_all"] <= 1
    assert "told_from_exchanged" not in figures
    with pytest.raises(InputError, match="validation_fraction"):
        evaluate(str(tmp_path / "run"), str(captioned), settings=given)
    data = {"title": "noise", "origin": "here", "licence": "none", "language": "en"}
    publish(tmp_path / "run", tmp_path / "model", data)
    card = (tmp_path / "model/README.md").read_text()
    assert "on 24 images, those that it learned from among them" in card
    assert "finds the image of a caption among all" in card


def test_another_kind_of_model_is_named(tmp_path: Path) -> None:
    for load in (load_matcher, load_reader):
        with pytest.raises(InputError, match="it extracts features of images"):
            load("classifier-tiny-world")
    list(train(order(tmp_path / "run", "clip", steps=1)))
    assert find(str(tmp_path / "run")).kind == "matches"
    folder = tmp_path / "model"
    shutil.copytree(tmp_path / "run/checkpoints/step-000001", folder)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        load_matcher(str(folder))


def test_a_dual_encoder_starts_from_another_one_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made by classifier"):
        list(train(order(tmp_path / "clip", "clip", init="classifier-tiny-world")))
    assert not (tmp_path / "clip").exists()


def test_noise_is_at_its_full_strength_after_two_fifths_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stds = []
    monkeypatch.setattr(training, "with_noise", lambda x_BCHW, std, rng: stds.append(std) or x_BCHW)
    settings = {"noise": 0.8, "num_pictures": 40, "validate_every": 100, "checkpoint_every": 100}
    list(train(order(tmp_path / "run", "clip", steps=5, settings=settings)))
    # The middle of each step, at 0.1, 0.3, 0.5 of the run and so on: a quarter and three quarters of the way.
    assert stds == pytest.approx([0.2, 0.6, 0.8, 0.8, 0.8])
