"""The pretraining of an encoder: its losses by hand, what it learns, and that it resumes exactly."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, SampleReady, StepDone, TrainEvent, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training import start
from aigc_demo.training.masked_language_model import training
from aigc_demo.training.masked_language_model.masking import fresh_draws
from aigc_demo.training.masked_language_model.networks import NETWORKS
from aigc_demo.training.masked_language_model.recipe import EncoderSettings
from aigc_demo.training.masked_language_model.training import EncoderTraining
from aigc_demo.training.start import Order, train

SMALL = {
    "tokenizer": "characters",
    "num_layers": 1,
    "num_heads": 2,
    "hidden_size": 16,
    "context_length": 32,
    "batch_size": 8,
    "validation_rows": 16,
    "mixed_precision": "no",
    "dropout": 0.1,
    "checkpoint_every": 100,
}
RECIPES = ["bert", "bert-library"]


@pytest.fixture(autouse=True)
def short_validations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "FULL_ROWS", 24)


@pytest.fixture(scope="module")
def poems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("poems") / "poems.txt"
    lines = (f"甲{n}丙，乙{n}丁。\n丙{m}甲，丁{m}乙。" for n in "一二三四五" for m in "六七八九十")
    path.write_text("".join(f"《题》某人\n{text}\n\n" for text in lines), "utf-8")
    return path


def order(run_dir: Path, recipe: str = "bert", *, source: str | Path, **changes: object) -> Order:
    settings = {**SMALL, **changes.pop("settings", {})}  # type: ignore[dict-item]
    return Order(recipe, str(source), run_dir, settings=settings, **{"steps": 12, **changes})  # type: ignore[arg-type]


def prepared(folder: Path, poems: Path, recipe: str = "bert", **settings: object) -> EncoderTraining:
    asked = order(folder / "run", recipe, source=poems, settings={"dropout": 0.0, **settings})
    found = start._prepare(asked, RunDirectory(folder / "run"), None)
    assert isinstance(found, EncoderTraining)
    return found


def of(events: list[TrainEvent], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_loss_is_the_mean_over_chosen_tokens_plus_the_mean_over_pairs(
    poems: Path, tmp_path: Path, recipe: str
) -> None:
    """Row by row with the whole vocabulary at every place, as the papers have it."""
    loop = prepared(tmp_path, poems, recipe, next_sentence_weight=0.5, gradient_accumulation_steps=2)
    rows = loop.batches.rows(0)
    loss, num_tokens, metrics = loop.backward()
    inputs = loop._masked(rows, fresh_draws(rows.ids_BT, 0))
    token_losses, token_hits, pair_losses, pair_hits = [], [], [], []
    for row in range(len(rows.ids_BT)):
        real = int((rows.ids_BT[row] != 2).sum())
        read, _, segments, chosen, original, label = (tensor[row : row + 1] for tensor in inputs)
        everywhere = torch.ones(1, real, dtype=torch.bool)
        with torch.no_grad():  # alone, so without padding
            logits, following = loop.model(read[:, :real], None, segments[:, :real], everywhere)
        for place in chosen[0, :real].nonzero().flatten().tolist():
            token_losses.append(-logits.log_softmax(-1)[place, original[0, place]].item())
            token_hits.append(logits[place].argmax().item() == original[0, place].item())
        if label.item() >= 0:
            pair_losses.append(F.cross_entropy(following, label).item())
            pair_hits.append(following.argmax().item() == label.item())
    masked_loss, pair_loss = sum(token_losses) / len(token_losses), sum(pair_losses) / len(pair_losses)
    assert loss == pytest.approx(masked_loss + 0.5 * pair_loss, abs=1e-4)
    assert metrics == pytest.approx(
        {
            "masked_loss": masked_loss,
            "masked_accuracy": sum(token_hits) / len(token_hits),
            "next_sentence_loss": pair_loss,
            "next_sentence_accuracy": sum(pair_hits) / len(pair_hits),
        },
        abs=1e-4,
    )
    assert num_tokens == int((rows.ids_BT != 2).sum())


def test_gradients_of_two_parts_are_those_of_the_whole_batch(poems: Path, tmp_path: Path) -> None:
    grads = []
    for parts in (1, 4):
        loop = prepared(tmp_path / str(parts), poems, gradient_accumulation_steps=parts)
        loop.backward()
        grads.append(torch.cat([weight.grad.flatten() for weight in loop.model.parameters()]))
    assert grads[0].norm() > 0.1
    assert torch.allclose(grads[0], grads[1], atol=1e-5)


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_learns_both_tasks(tmp_path: Path, recipe: str) -> None:
    """Four sentences always come in one order."""
    (tmp_path / "text.txt").write_text("甲甲。乙乙。丙丙。丁丁。\n\n" * 60, "utf-8")
    settings = {
        "hidden_size": 32,
        "learning_rate": 3e-3,
        "max_sentences": 1,
        "single_text_prob": 0.0,
        "mask_prob": 0.1,
        "dropout": 0.0,
        "validation_rows": 64,
        "optimizer": "adamw",
        "batch_size": 32,
    }
    asked = order(tmp_path / "run", recipe, source=tmp_path / "text.txt", steps=120, settings=settings)
    events = list(train(asked))
    first, *_, last = of(events, ValidationDone)
    started = of(events, RunStarted)[0].facts
    assert first.metrics["masked_loss"] == pytest.approx(math.log(started["vocab_size"]), abs=0.5)
    assert first.metrics["next_sentence_loss"] == pytest.approx(math.log(2), abs=0.2)
    assert last.metrics["masked_loss"] < 0.7 * first.metrics["masked_loss"]
    assert last.metrics["next_sentence_accuracy"] > 0.7 > last.metrics["next_sentence_chance"]
    assert math.isfinite(last.metrics["full_loss"])
    measured = {"masked_loss", "masked_accuracy", "next_sentence_loss", "next_sentence_accuracy"}
    assert measured <= set(of(events, StepDone)[0].metrics)


@pytest.mark.parametrize("recipe", RECIPES)
def test_resumed_equals_uninterrupted(poems: Path, tmp_path: Path, recipe: str) -> None:
    whole = list(train(order(tmp_path / "a", recipe, source=poems)))
    halves = [
        *train(order(tmp_path / "b", recipe, source=poems, stop_after=5)),
        *train(order(tmp_path / "b", recipe, source=poems, resume=True)),
    ]
    assert len(of(whole, StepDone)) == 12
    assert [event.loss for event in of(halves, StepDone)] == [event.loss for event in of(whole, StepDone)]
    assert of(halves, ValidationDone)[-1] == of(whole, ValidationDone)[-1]
    first, second = (load_file(tmp_path / run / "checkpoints/step-000012/model.safetensors") for run in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_sizes_of_both_are_within_five_percent() -> None:
    settings = EncoderSettings(num_layers=4, hidden_size=128, num_heads=4, tie_embeddings=True)
    ours, theirs = (
        sum(weight.numel() for weight in NETWORKS[recipe].build(settings, 5000).parameters())
        for recipe in RECIPES
    )
    assert theirs == pytest.approx(ours, rel=0.05)


@pytest.mark.parametrize("recipe", RECIPES)
def test_samples_show_rows_and_guesses_of_the_checkpoint(poems: Path, tmp_path: Path, recipe: str) -> None:
    events = list(train(order(tmp_path / "run", recipe, source=poems, settings={"checkpoint_every": 6})))
    samples = of(events, SampleReady)
    assert [sample.step for sample in samples] == [6, 12]
    assert (tmp_path / "run" / samples[0].file).read_text("utf-8") == samples[0].text
    for line in samples[1].text.splitlines():
        assert "，" in line or "。" in line
        assert "%" in line
        assert "[" in line
        assert "<" not in line  # no special token
    # The rows are the same ones: without guesses and probabilities both samples read alike.
    assert len(samples[0].text.splitlines()) == 6


@pytest.mark.parametrize("recipe", RECIPES)
def test_init_goes_on_from_a_model(poems: Path, tmp_path: Path, recipe: str) -> None:
    ended = list(train(order(tmp_path / "a", recipe, source=poems, steps=8)))
    again = Order(
        recipe,
        str(poems),
        tmp_path / "b",
        steps=1,
        init=str(tmp_path / "a"),
        settings={"mixed_precision": "no", "batch_size": 8, "validation_rows": 16},
    )
    first = of(list(train(again)), ValidationDone)[0]
    last = of(ended, ValidationDone)[-1]
    assert first.loss == pytest.approx(last.loss, abs=0.02)  # in half precision
    with pytest.raises(InputError, match="num_layers = 1, not 2"):
        next(
            train(
                order(
                    tmp_path / "c", recipe, source=poems, init=str(tmp_path / "a"), settings={"num_layers": 2}
                )
            )
        )
    other = RECIPES[1 - RECIPES.index(recipe)]
    with pytest.raises(InputError, match=f"made by {recipe}"):
        next(train(order(tmp_path / "c", other, source=poems, init=str(tmp_path / "a"))))


def test_static_masks_are_the_same_whenever_a_row_is_drawn(poems: Path, tmp_path: Path) -> None:
    loop = prepared(tmp_path, poems, static_masks=True, batch_size=64, max_sentences=1)
    seen: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    masked = loop._masked

    def noted(rows, draws):  # type: ignore[no-untyped-def]
        inputs = masked(rows, draws)
        for original, read in zip(rows.ids_BT.tolist(), inputs[0].tolist(), strict=True):
            key = tuple(index for index in original if index != 2)
            seen.setdefault(key, set()).add(tuple(read[: len(key)]))
        return inputs

    loop._masked = noted  # type: ignore[method-assign]
    for step in range(6):
        loop.step = step
        loop.backward()
    assert len(seen) < 6 * 64  # rows come again
    assert all(len(reads) == 1 for reads in seen.values())
