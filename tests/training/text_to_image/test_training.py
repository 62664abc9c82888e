"""A generator that is given captions: it learns, resumes, and its folder draws what training drew."""

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, SampleReady, StepDone, TrainEvent
from aigc_demo.core.process.worker import BEAT
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text_to_image.model import SCHEDULERS, TextSampling
from aigc_demo.generators.text_to_image.ours import GanTextToImage, load_text_to_image
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.images.generate import generate_images, write_images
from aigc_demo.training.start import Order, train
from aigc_demo.training.text_to_image.captions import EncodedCaptions
from aigc_demo.training.text_to_image.training import TextToImageTraining

SMALL = {
    "image_size": 32,
    "num_pictures": 120,
    "phrasings": 1,
    "copying": 0.0,
    "choices": 1,
    "likeness_weight": 0.0,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
    "num_features": 8,
    "hidden_size": 16,
    "num_layers": 1,
    "num_heads": 2,
    "latent_size": 8,
    "r1_every": 4,
    "sample_pictures": 4,
    "guide": "own",
}
DIFFUSION = {
    "image_size": 32,
    "num_pictures": 120,
    "phrasings": 1,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
    "base_channels": 8,
    "hidden_size": 16,
    "num_heads": 2,
    "num_layers": 1,
    "noise_steps": 20,
    "sample_pictures": 4,
    "sample_steps": 2,
}
GUIDE = {
    "image_size": 32,
    "num_pictures": 120,
    "phrasings": 1,
    "batch_size": 8,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_size": 16,
    "embedding_size": 16,
    "width": 8,
    "mixed_precision": "no",
    "validation_pictures": 20,
}

READER = {
    "image_size": 32,
    "batch_size": 8,
    "width": 8,
    "mixed_precision": "no",
    "validation_pictures": 10,
}


def order(run_dir: Path, **changes) -> Order:
    settings = {**SMALL, **changes.pop("settings", {})}
    return Order(
        recipe="text2image",
        run_dir=run_dir,
        settings=settings,
        **{"source": "tiny-world", "steps": 12, **changes},
    )


def steps(events: list[TrainEvent]) -> list[StepDone]:
    return [event for event in events if isinstance(event, StepDone)]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dual encoder that has hardly learned."""
    run = tmp_path_factory.mktemp("guides") / "guide"
    list(train(Order(recipe="clip", source="tiny-world", run_dir=run, steps=8, settings=GUIDE)))
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, guide: Path) -> tuple[Path, list[TrainEvent]]:
    """A run of twelve steps with that guide, and what it said."""
    run = tmp_path_factory.mktemp("text2image") / "run"
    return run, list(train(order(run, settings={"guide": str(guide), "likeness_weight": 5.0})))


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrainEvent]]:
    """A run of the library's model, and what it said."""
    run = tmp_path_factory.mktemp("baseline") / "run"
    asked = Order(
        recipe="text2image-diffusion", source="tiny-world", run_dir=run, steps=12, settings=DIFFUSION
    )
    return run, list(train(asked))


@pytest.mark.parametrize("whose", ["own", "given", "captioned"])
def test_resumed_equals_uninterrupted(tmp_path: Path, guide: Path, captioned: Path, whose: str) -> None:
    settings = {"guide": str(guide) if whose == "given" else "own"}
    source = str(captioned) if whose == "captioned" else "tiny-world"
    given = {"settings": settings, "source": source}
    whole = list(train(order(tmp_path / "a", **given)))
    halves = [
        *train(order(tmp_path / "b", stop_after=5, **given)),
        *train(order(tmp_path / "b", resume=True, **given)),
    ]
    assert len(steps(whole)) == 12
    assert [done.loss for done in steps(halves)] == [done.loss for done in steps(whole)]
    for part in ("generator", "discriminator", "matcher"):
        first, second = (
            load_file(tmp_path / run / f"checkpoints/step-000012/{part}/model.safetensors") for run in "ab"
        )
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_begins_by_copying_and_is_resumed_in_it(tmp_path: Path, guide: Path) -> None:
    given = {"settings": {"guide": str(guide), "copying": 0.5, "choices": 2}}
    whole = steps(list(train(order(tmp_path / "a", **given))))
    halves = steps(
        [
            *train(order(tmp_path / "b", stop_after=4, **given)),
            *train(order(tmp_path / "b", resume=True, **given)),
        ]
    )
    assert [done.loss for done in halves] == [done.loss for done in whole]
    copied = [done.metrics.get("copying_loss") for done in whole]
    assert copied[:6] == [done.loss for done in whole[:6]], "half of twelve steps"
    assert copied[6:] == [None] * 6
    assert all("real_term" in done.metrics for done in whole[6:])
    # So long the discriminator does not move.
    before, after = (
        load_file(tmp_path / f"{run}/checkpoints/step-{step:06d}/discriminator/model.safetensors")
        for run, step in (("b", 4), ("a", 6))
    )
    assert all(torch.equal(before[name], after[name]) for name in before)
    given["settings"] |= {"copying": 1.0, "batch_size": 32, "checkpoint_every": 40, "validate_every": 40}
    longer = [done.loss for done in steps(list(train(order(tmp_path / "c", **given, steps=40))))]
    assert sum(longer[-5:]) < 0.6 * sum(longer[:5])


def test_a_guide_of_its_own_learns_from_the_first_step_on_and_each_step_says_that_the_run_lives(
    tmp_path: Path,
) -> None:
    done = []
    settings = {"copying": 0.5, "validate_every": 30, "checkpoint_every": 30}
    for event in train(order(tmp_path / "run", steps=30, settings=settings)):
        if isinstance(event, StepDone):
            done.append(event)
            (tmp_path / "run" / BEAT).unlink()  # written since the step before
    pair_losses = [step.metrics["pair_loss"] for step in done]
    assert len(pair_losses) == 30
    assert sum(pair_losses[10:15]) < sum(pair_losses[:5]), "it still copies then"


def test_of_several_draws_of_noise_the_nearest_learns() -> None:
    noise_BKZ = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    texts = EncodedCaptions(
        torch.zeros(2, 1, 3), torch.ones(2, 1, dtype=torch.bool), torch.tensor([[0.0], [1.0]])
    )

    def drawn(network: None, noise_NZ: torch.Tensor, given: EncodedCaptions) -> torch.Tensor:
        assert given.text_BE.flatten().tolist() == [0] * 5 + [1] * 5, "each caption with all of its draws"
        return noise_NZ[:, :3, None, None].expand(-1, 3, 2, 2)  # an image of three of its features

    wanted_BZ = noise_BKZ[[0, 1], [3, 1]]
    real_BCHW = drawn(None, wanted_BZ.repeat_interleave(5, dim=0), texts.repeated(5))[::5] + 0.01
    training = SimpleNamespace(generator=None, right=texts, real_BCHW=real_BCHW, _generate=drawn)
    assert torch.equal(TextToImageTraining._nearest_noise(training, noise_BKZ), wanted_BZ)
    assert torch.equal(TextToImageTraining._nearest_noise(training, noise_BKZ[:, :1]), noise_BKZ[:, 0])


def test_the_baseline_resumes_as_if_nothing_had_been(
    tmp_path: Path, baseline: tuple[Path, list[TrainEvent]]
) -> None:
    run, whole = baseline
    asked = {"recipe": "text2image-diffusion", "source": "tiny-world", "settings": DIFFUSION, "steps": 12}
    halves = [
        *train(Order(run_dir=tmp_path / "run", stop_after=5, **asked)),
        *train(Order(run_dir=tmp_path / "run", resume=True, **asked)),
    ]
    assert len(steps(whole)) == 12
    assert [done.loss for done in steps(halves)] == [done.loss for done in steps(whole)]
    for part in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        first, second = (
            load_file(place / f"checkpoints/step-000012/{part}.safetensors")
            for place in (run, tmp_path / "run")
        )
        assert all(torch.equal(first[name], second[name]) for name in first)
    facts = next(event.facts for event in whole if isinstance(event, RunStarted))
    assert len(facts["sample_captions"]) == 2
    (*_, sample) = [event for event in whole if isinstance(event, SampleReady)]
    assert sample.text.splitlines() == facts["sample_captions"]


# The library hands torch's tensors to numpy in a way that numpy is about to forbid.
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_baseline_draws_each_image_of_its_own_seed(
    baseline: tuple[Path, list[TrainEvent]], scheduler: str
) -> None:
    run, _ = baseline
    model = load_text_to_image(str(run))
    assert model.family == "library"
    sampling = TextSampling(num_inference_steps=4, scheduler=scheduler)
    seen: list[tuple[int, int]] = []

    def progress(step: int, total: int, guess: torch.Tensor) -> bool:
        seen.append((step, total))
        return False

    texts = ["a red ball", "一个红色的球", "a blue box"]
    made = model.make(texts, [1, 2, 3], sampling, progress)
    assert made.shape == (3, 3, 32, 32)
    assert seen == [(step, 4) for step in (1, 2, 3, 4)]
    alone = model.make(texts[1:2], [2], sampling)[0]
    assert (alone.int() - made[1].int()).abs().max() <= 2
    assert not torch.equal(model.make(texts[:1], [2], sampling)[0], made[0])
    unguided = model.make(texts, [1, 2, 3], TextSampling(num_inference_steps=4, guidance_scale=1.0))
    if scheduler == "ddim":
        assert not torch.equal(unguided, made)


def test_the_baseline_stops_when_it_is_told_to(baseline: tuple[Path, list[TrainEvent]]) -> None:
    model = load_text_to_image(str(baseline[0]))
    asked: list[int] = []

    def progress(step: int, total: int, guess: torch.Tensor) -> bool:
        asked.append(step)
        return step == 2

    assert model.make(["a red ball"], [0], TextSampling(), progress).shape == (1, 3, 32, 32)
    assert asked == [1, 2]


def test_a_baseline_of_another_make_is_refused(
    tmp_path: Path, baseline: tuple[Path, list[TrainEvent]]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(baseline[0] / "checkpoints/step-000012", folder)
    config = json.loads((folder / "text_encoder/config.json").read_text())
    for change, sentence in (
        ({"model_type": "bert"}, "text encoder"),
        ({"hidden_size": 10**9}, "text encoder"),
        ({"num_hidden_layers": 2}, "text_model|weights|missing"),
    ):
        (folder / "text_encoder/config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(InputError, match=sentence):
            load_text_to_image(str(folder))


def test_the_three_kinds_of_pairs_are_told(trained: tuple[Path, list[TrainEvent]]) -> None:
    _, events = trained
    first, *_, last = steps(events)
    for done in (first, last):
        terms = [done.metrics[f"{name}_term"] for name in ("real", "fake", "wrong")]
        terms.append(done.metrics["real_contrast"])
        assert sum(terms) == pytest.approx(done.metrics["discriminator_loss"], abs=1e-4)
        terms = [done.metrics[name] for name in ("fooling_term", "made_contrast", "guide_term")]
        assert sum(terms) + 5 * done.metrics["likeness_term"] == pytest.approx(done.loss, abs=1e-3)
    # Little is known at first: which of eight captions and eight wrong ones, which of eight images, which
    # of two captions?
    guess = (math.log(16) + math.log(8)) / 2 + math.log(2)
    assert first.metrics["real_contrast"] == pytest.approx(guess, abs=1.5)
    measured = [done for done in steps(events) if "real_told_apart" in done.metrics]
    assert [done.step for done in measured] == [4, 8, 12]
    assert all(0 <= done.metrics["made_told_apart"] <= 1 for done in measured)
    facts = next(event.facts for event in events if isinstance(event, RunStarted))
    assert facts["train_captions"] == 90 * 2
    assert len(facts["sample_captions"]) == 2
    (*_, sample) = [event for event in events if isinstance(event, SampleReady)]
    assert sample.text.splitlines() == facts["sample_captions"]


def test_a_given_guide_stays_as_it_is_and_an_own_one_learns(
    tmp_path: Path, trained: tuple[Path, list[TrainEvent]], guide: Path
) -> None:
    run, _ = trained
    before = load_file(guide / "checkpoints/step-000008/model.safetensors")
    after = load_file(run / "checkpoints/step-000012/matcher/model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    settings = {"batch_size": 16, "validate_every": 60, "checkpoint_every": 30}
    events = list(train(order(tmp_path / "own", steps=60, settings=settings)))
    losses = [done.metrics["pair_loss"] for done in steps(events)]
    assert sum(losses[-10:]) < 0.95 * sum(losses[:10])
    saved = [
        load_file(tmp_path / f"own/checkpoints/step-{step:06d}/matcher/model.safetensors")
        for step in (30, 60)
    ]
    assert not torch.equal(*(weights["text_encoder.embedding.weight"] for weights in saved))


def test_its_folder_draws(trained: tuple[Path, list[TrainEvent]]) -> None:
    run, _ = trained
    assert find(str(run)).kind == "text-to-image"
    model = load_text_to_image(str(run))
    assert isinstance(model, GanTextToImage)
    texts = ["a red ball", "a small blue box to the left of a green star", "一个红色的球"]
    made = model.make(texts, [1, 2, 3], TextSampling())
    assert made.shape == (3, 3, 32, 32)
    assert made.dtype == torch.uint8
    alone = model.make(texts[1:2], [2], TextSampling())[0]  # whichever others are made with it
    assert (alone.int() - made[1].int()).abs().max() <= 1
    assert not torch.equal(model.make(texts[:1], [2], TextSampling())[0], made[0])
    assert not torch.equal(model.make(["a blue box"], [1], TextSampling())[0], made[0])
    looks = model.looks(texts[1], 2)
    assert looks.shape[:2] == (1, 64)
    assert torch.allclose(looks.sum(dim=-1), torch.ones(1, 64), atol=1e-4)
    assert model.discriminate(made, texts).shape == (3,)


def test_everything_right_is_counted(tmp_path: Path, trained: tuple[Path, list[TrainEvent]]) -> None:
    run, _ = trained
    checker = tmp_path / "checker"
    settings = {**READER, "num_pictures": 60}
    list(train(Order(recipe="checker", source="tiny-world", run_dir=checker, steps=4, settings=settings)))
    figures = evaluate(
        str(run), "tiny-world", settings={"checker": str(checker), "num_captions": 5, "candidates": 2}
    )
    assert figures["num_samples"] == 5
    for count in ("one_object", "two_objects"):
        for end in ("", "_zh"):
            assert 0 <= figures[f"{count}_first{end}"] <= 1
            assert 0 <= figures[f"{count}_best_of_2{end}"] <= 1


def test_images_with_captions_need_another_judge(
    tmp_path: Path, trained: tuple[Path, list[TrainEvent]], captioned: Path, guide: Path
) -> None:
    run, _ = trained
    with pytest.raises(InputError, match="judge"):
        evaluate(str(run), str(captioned))
    settings = {"judge": str(guide), "candidates": 2, "num_captions": 10}
    figures = evaluate(str(run), str(captioned), settings=settings)
    assert figures["num_samples"] == 10
    assert 0 <= figures["found_of_100_first"] <= 1


def test_a_run_goes_on_from_a_model(tmp_path: Path, trained: tuple[Path, list[TrainEvent]]) -> None:
    run, _ = trained
    settings = {"learning_rate": 0.0, "muon_learning_rate": 0.0, "ema_decay": 0.0}
    list(train(order(tmp_path / "next", steps=1, init=str(run), settings=settings)))
    old = load_file(run / "checkpoints/step-000012/generator/model.safetensors")
    new = load_file(tmp_path / "next/checkpoints/step-000001/generator/model.safetensors")
    assert torch.equal(old["place"], new["place"])
    with pytest.raises(InputError, match="hidden_size"):
        list(train(order(tmp_path / "other", init=str(run), settings={"hidden_size": 32})))


def test_the_baseline_goes_on_from_a_model_that_says_the_same(
    tmp_path: Path, baseline: tuple[Path, list[TrainEvent]]
) -> None:
    run, _ = baseline
    asked = {"recipe": "text2image-diffusion", "source": "tiny-world", "steps": 1, "init": str(run)}
    still = {**DIFFUSION, "learning_rate": 0.0, "muon_learning_rate": 0.0, "ema_decay": 0.0}
    list(train(Order(run_dir=tmp_path / "next", settings=still, **asked)))
    file = "unet/diffusion_pytorch_model.safetensors"
    old = load_file(run / "checkpoints/step-000012" / file)
    new = load_file(tmp_path / "next/checkpoints/step-000001" / file)
    assert all(torch.equal(old[name], new[name]) for name in old)
    for name, value in (("prediction_type", "epsilon"), ("patch_size", 2), ("hidden_size", 32)):
        other = Order(run_dir=tmp_path / name, settings={**DIFFUSION, name: value}, **asked)
        with pytest.raises(InputError, match="leave that setting away"):
            list(train(other))


@pytest.mark.parametrize(("weight", "choices"), [(1.0, 3), (0.0, 3), (1.0, 1)])
def test_where_likeness_counts_the_nearest_of_several_draws_plays(weight: float, choices: int) -> None:
    seen = []

    def nearest(noise_BKZ: torch.Tensor) -> torch.Tensor:
        seen.append(noise_BKZ)
        return noise_BKZ[:, -1]

    settings = SimpleNamespace(likeness_weight=weight, choices=choices, batch_size=2, latent_size=4)
    training = SimpleNamespace(
        settings=settings,
        generator=None,
        right=None,
        local_rows=lambda part: part,
        _nearest_noise=nearest,
        _generate=lambda network, noise_BZ, texts: noise_BZ,
    )
    noise_BZ = torch.zeros(2, 4)
    made = TextToImageTraining.generate(training, noise_BZ, torch.Generator().manual_seed(0))
    if not (weight and choices > 1):
        assert made is noise_BZ
        return
    (choice_BKZ,) = seen
    assert choice_BKZ.shape == (2, choices, 4)
    assert torch.equal(choice_BKZ[:, 0], noise_BZ)
    assert torch.equal(made, choice_BKZ[:, -1])
    assert made.std() > 0.3


def test_a_guide_for_another_size_is_refused(tmp_path: Path, guide: Path) -> None:
    with pytest.raises(InputError, match="guide"):
        list(train(order(tmp_path / "run", settings={"guide": str(guide), "image_size": 64})))
    with pytest.raises(InputError, match="no-such"):
        list(train(order(tmp_path / "run", settings={"guide": "no-such"})))
    assert not (tmp_path / "run").exists()


def test_the_command_line_draws_a_caption(tmp_path: Path, trained: tuple[Path, list[TrainEvent]]) -> None:
    run, _ = trained
    out = tmp_path / "ball.png"
    drawn = generate_images(str(run), seeds=(3, 4), settings={}, caption="a red ball")
    files = write_images(drawn, out)
    assert [file.name for file in files] == ["ball-3.png", "ball-4.png"]
    with Image.open(files[0]) as image:
        assert image.size == (32, 32)
    with pytest.raises(InputError, match="no word"):
        generate_images(str(run), seeds=(3,), settings={})
    with pytest.raises(InputError, match="none of these words"):
        generate_images(str(run), seeds=(3,), settings={}, caption="quantum chromodynamics")
