"""Training of an encoder-decoder: its loss by another way, exact resume, initial weights, samples."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, SampleReady, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.answer_pairs import AnswerCorpus, encode_pair, prepare_answer_pairs
from aigc_demo.generators.answers.library import TransformersAnswers
from aigc_demo.generators.answers.model import AnswerModel
from aigc_demo.generators.answers.ours import OurAnswers
from aigc_demo.generators.text.our_encoder import EncoderVocabulary
from aigc_demo.training.seq2seq.initial import LIBRARY_NAMES, OUR_NAMES, fill, new_names
from aigc_demo.training.seq2seq.networks import BUILD
from aigc_demo.training.seq2seq.recipe import AnswerSettings
from aigc_demo.training.seq2seq.training import AnswerTraining
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import Order, train
from tests.generators.conftest import save_encoder, save_library_encoder, save_ours
from tests.training.recorded import losses, validations
from tests.training.seq2seq.poems import SMALL, order, poems_file

__all__ = ["poems_file"]

RECIPES = ["seq2seq", "seq2seq-library"]


def training(poems: Path, folder: Path, recipe: str = "seq2seq", **changes) -> AnswerTraining:
    settings = AnswerSettings(**{**SMALL, **changes})
    corpus = prepare_answer_pairs(load_text(str(poems)), settings, settings.lengths)
    torch.manual_seed(0)
    model = BUILD[recipe](settings, corpus.tokenizer.vocab_size)
    for weight in model.parameters():  # far from the small initial weights, where mistakes would hide
        torch.nn.init.normal_(weight, std=0.3)
    return AnswerTraining(model, corpus, settings, Budget(steps=12), RunDirectory(folder))


@torch.no_grad()
def nats_one_by_one(model: torch.nn.Module, corpus: AnswerCorpus, pairs: list) -> tuple[float, int]:
    """The surprise of all answers, read one at a time without padding, and the number of their tokens."""
    model.eval()
    total, count = 0.0, 0
    for pair in pairs:
        one = encode_pair(pair, corpus.tokenizer)
        source, segments, target = (
            torch.from_numpy(part)[None] for part in (one.source, one.segments, one.target)
        )
        logits_TV = model(source, None, target[:, :-1], segments)[0].double()
        total += float(F.cross_entropy(logits_TV, target[0, 1:], reduction="sum"))
        count += target.shape[1] - 1
    return total, count


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_loss_is_the_mean_over_all_tokens_of_the_answers(
    poems_file: Path, tmp_path: Path, recipe: str
) -> None:
    found = training(poems_file, tmp_path / "run", recipe)
    (done,) = found.validate(full=False)
    pairs = found.batches.held_out(20)
    total, count = nats_one_by_one(found.model, found.corpus, pairs)
    assert done.loss == pytest.approx(total / count, rel=1e-5)
    assert done.metrics["num_pairs"] == len(pairs) == 20
    assert count > 20 * 5


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("parts", [1, 4])
def test_the_gradient_is_that_of_the_mean_over_the_whole_batch(
    poems_file: Path, tmp_path: Path, recipe: str, parts: int
) -> None:
    found = training(poems_file, tmp_path / "run", recipe, gradient_accumulation_steps=parts)
    loss, num_tokens, metrics = found.backward()
    batch = found.batches.batch(0)
    gradients = [weight.grad.clone() for weight in found.model.parameters() if weight.grad is not None]
    found.model.zero_grad()
    logits_BTV = found.model(batch.source_BS, batch.source_mask_BS, batch.target_BT, batch.segments_BS)
    expected = F.cross_entropy(logits_BTV.flatten(0, 1), batch.next_BT.flatten())
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    others = [weight.grad for weight in found.model.parameters() if weight.grad is not None]
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    assert num_tokens == batch.num_tokens
    right = (logits_BTV[..., 4:].argmax(-1) + 4 == batch.next_BT).sum() / batch.num_predicted
    assert metrics["token_accuracy"] == pytest.approx(right.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("recipe", "answers"), [("seq2seq", OurAnswers), ("seq2seq-library", TransformersAnswers)]
)
def test_exact_match_is_what_the_model_writes_by_itself(
    poems_file: Path, tmp_path: Path, recipe: str, answers
) -> None:
    found = training(poems_file, tmp_path / "run", recipe)
    tokenizer = found.corpus.tokenizer
    model = AnswerModel("model", answers(found.model), EncoderVocabulary(tokenizer, tmp_path), "ours")
    bias = found.model.bias if recipe == "seq2seq" else found.model.decoder.cls.predictions.bias
    bias.data[[tokenizer.mask_id, tokenizer.unknown_id]] += 100  # what may not be written
    bias.data[tokenizer.separator_id] += 1 if recipe == "seq2seq" else 3
    pairs = found.corpus.validation
    written = model.likeliest([model.row(pair.first) for pair in pairs], 12)
    whole = [place for place, ids in enumerate(written) if len(ids) < 11]
    right = whole[::2]
    assert len(pairs) > len(right) > 2
    held = [
        replace(pair, target=tokenizer.decode(list(written[place]))) if place in right else pair
        for place, pair in enumerate(pairs)
    ]
    found.corpus = found.batches.corpus = replace(found.corpus, validation=held)
    found.settings = replace(found.settings, validation_pairs=len(held))
    (done,) = found.validate(full=False)
    assert done.metrics["exact_match"] == pytest.approx(len(right) / len(held), abs=1e-6)


def test_it_learns(poems_file: Path, tmp_path: Path) -> None:
    asked = {"validate_every": 60, "checkpoint_every": 60, "learning_rate": 1e-2}
    first, *_, last = validations(
        train(order(tmp_path / "run", source=str(poems_file), steps=60, settings=asked))
    )
    assert last.loss < 0.6 * first.loss
    assert last.metrics["token_accuracy"] > 0.4 > 2 * first.metrics["token_accuracy"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_resumed_equals_uninterrupted(poems_file: Path, tmp_path: Path, recipe: str) -> None:
    def events(folder: str, **changes) -> list:
        asked = {"dropout": 0.2, "validate_every": 4}
        return list(
            train(order(tmp_path / folder, recipe, source=str(poems_file), settings=asked, **changes))
        )

    whole = events("a")
    halves = [*events("b", stop_after=5), *events("b", resume=True)]
    assert len(losses(whole)) == 12
    assert losses(halves) == losses(whole)
    assert validations(halves)[-1] == validations(whole)[-1]
    first, second = (load_file(tmp_path / run / "checkpoints/step-000012/model.safetensors") for run in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_says_what_it_learns_and_what_it_answers(poems_file: Path, tmp_path: Path, recipe: str) -> None:
    asked = {"sample_pairs": 3, "checkpoint_every": 2}
    events = list(train(order(tmp_path / "run", recipe, source=str(poems_file), steps=2, settings=asked)))
    assert isinstance(events[0], RunStarted)
    facts = events[0].facts
    assert (facts["task"], facts["train_pairs"], facts["validation_pairs"]) == ("couplets", 218, 22)
    assert facts["preparation"][-1]["name"] == "pairs"
    (sample,) = [event for event in events if isinstance(event, SampleReady)]
    lines = sample.text.split("\n")
    assert len(lines) == 3
    assert all(" → " in line for line in lines)
    assert (tmp_path / "run" / sample.file).read_text("utf8") == sample.text
    last = [event for event in events if isinstance(event, ValidationDone)][-1]
    assert math.isfinite(last.metrics["full_loss"])
    silent = {**asked, "sample_pairs": 0}
    again = list(train(order(tmp_path / "b", recipe, source=str(poems_file), steps=2, settings=silent)))
    assert losses(again) == losses(events)


# ---- initial weights


def test_each_weight_of_an_encoder_goes_where_it_belongs() -> None:
    ours = {
        "encoder.blocks.0.attention.qkv.weight": ["encoder.blocks.0.attention.qkv.weight"],
        "encoder.embedding.weight": ["encoder.embedding.weight"],
        "encoder.segment.weight": ["encoder.segment.weight"],
        "masked_token_head.bias": ["bias"],
        "masked_token_head.weight": ["head.weight"],
        "masked_token_head.transform.weight": [],
        "next_sentence_head.pooler.weight": [],
    }
    ours["encoder.blocks.0.attention.qkv.weight"].append("decoder.blocks.0.attention.qkv.weight")
    assert {name: new_names(name, OUR_NAMES) for name in ours} == ours
    library = {
        "bert.embeddings.LayerNorm.bias": [
            "encoder.embeddings.LayerNorm.bias",
            "decoder.bert.embeddings.LayerNorm.bias",
        ],
        "bert.pooler.dense.bias": ["encoder.pooler.dense.bias"],
        "cls.predictions.bias": ["decoder.cls.predictions.bias"],
        "cls.seq_relationship.bias": [],
    }
    assert {name: new_names(name, LIBRARY_NAMES) for name in library} == library


@pytest.mark.parametrize(
    ("recipe", "save"), [("seq2seq", save_encoder), ("seq2seq-library", save_library_encoder)]
)
def test_a_run_starts_from_a_pretrained_encoder(
    poems_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, save
) -> None:
    encoder = save(tmp_path / "encoder")
    filled = []
    monkeypatch.setattr(
        "aigc_demo.training.seq2seq.training.fill",
        lambda model, weights, one: filled.append((model, weights)) or fill(model, weights, one),
    )
    asked = {"batch_size": 8, "mixed_precision": "no"}
    events = list(
        train(Order(recipe, str(poems_file), tmp_path / "run", steps=1, init=str(encoder), settings=asked))
    )
    (model, weights), state = filled[0], filled[0][0].state_dict()
    missing = {name for name in state if name not in weights}
    assert all("cross" in name for name in missing), missing
    assert missing
    settings = RunDirectory(tmp_path / "run").config()["settings"]
    assert (settings["hidden_size"], settings["context_length"]) == (24, 32)
    assert any(event.key == "unknown_tokens" for event in events if event.kind == "warning")
    trained = model.encoder.state_dict()
    assert trained.keys() == {
        name.removeprefix("encoder.") for name in weights if name.startswith("encoder.")
    }


def test_a_run_goes_on_from_an_encoder_decoder(poems_file: Path, tmp_path: Path) -> None:
    first = list(train(order(tmp_path / "a", source=str(poems_file))))
    again = order(tmp_path / "b", source=str(poems_file), init=str(tmp_path / "a"), steps=1)
    start = validations(train(again))[0]
    assert start.loss == pytest.approx(first[-1].validation_loss, abs=0.01)  # of weights in half precision


@pytest.mark.parametrize(
    ("save", "settings", "message"),
    [
        (save_encoder, {"num_layers": 3}, "has num_layers = 2, not 3"),
        (save_encoder, {"tokenizer": "words"}, "has tokenizer = characters, not words"),
        (save_ours, {}, "was made by the recipe seq2seq or bert"),
        (save_library_encoder, {}, "was made by the recipe seq2seq or bert"),
    ],
)
def test_other_initial_models_are_refused(
    poems_file: Path, tmp_path: Path, save, settings: dict, message: str
) -> None:
    folder = save(tmp_path / "model")
    asked = Order("seq2seq", str(poems_file), tmp_path / "run", steps=1, init=str(folder), settings=settings)
    with pytest.raises(InputError, match=message):
        next(train(asked))
    assert not (tmp_path / "run").exists()


def test_a_weight_of_another_shape_is_refused(poems_file: Path, tmp_path: Path) -> None:
    model = training(poems_file, tmp_path / "run").model
    one = order(tmp_path / "run", source=str(poems_file), init="other")
    with pytest.raises(InputError, match=r"has bias = \[3\], not \["):
        fill(model, {"bias": torch.zeros(3)}, one)
    with pytest.raises(InputError, match="not None"):
        fill(model, {"decoder.position.weight": torch.zeros(3)}, one)
