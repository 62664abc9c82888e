"""The two encoder-decoders: as large as each other, and the library's class reads what is written."""

import math
from pathlib import Path

import pytest
import torch
import transformers
from safetensors import safe_open

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.generators.answers.library import load_library_answers
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.training.optimizers import optimizers_for
from aigc_demo.training.recipes import RECIPES
from aigc_demo.training.seq2seq.networks import BUILD, LOGIT_COPIES, EncoderDecoderModel, vocabulary
from aigc_demo.training.seq2seq.recipe import AnswerSettings

TINY = {"num_layers": 2, "num_heads": 2, "hidden_size": 12, "context_length": 16, "target_length": 8}


@pytest.mark.parametrize(("source", "vocab_size"), [("tiny-world", 420), ("poems.txt", 6273)])
def test_the_library_baseline_is_as_large_as_ours(source: str, vocab_size: int) -> None:
    counts = []
    with torch.device("meta"):
        for recipe, build in BUILD.items():
            model = build(RECIPES[recipe].complete({}, source), vocab_size)
            counts.append(sum(weight.numel() for weight in model.parameters()))
    assert counts[1] == pytest.approx(counts[0], rel=0.05)


def test_the_librarys_output_layer_is_its_embedding() -> None:
    with pytest.raises(InputError, match="tie_embeddings must be true here"):
        BUILD["seq2seq-library"](AnswerSettings(**TINY, tie_embeddings=False), 31)


@torch.no_grad()
def test_the_librarys_own_class_loads_the_file_and_gives_the_same_logits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = BUILD["seq2seq-library"](AnswerSettings(**TINY), 31).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    embedding = model.encoder.embeddings.word_embeddings.weight
    assert model.decoder.bert.embeddings.word_embeddings.weight is embedding
    assert model.decoder.cls.predictions.decoder.weight is embedding
    model.save_pretrained(tmp_path)
    train_tokenizer("abcdefghijklmnopqrstuvwxyz", special=ENCODER_TOKENS).save(tmp_path)
    num_parameters = sum(weight.numel() for weight in model.parameters())
    assert folder_entry(tmp_path, "model").num_parameters == num_parameters
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        written = sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    assert written == num_parameters + embedding.numel()
    assert load_library_answers(tmp_path)[0].num_parameters == num_parameters
    plain = transformers.EncoderDecoderModel.from_pretrained(tmp_path).eval()
    rng = torch.Generator().manual_seed(1)
    source_BS = torch.randint(5, 31, (2, 9), generator=rng)
    target_BT = torch.randint(5, 31, (2, 6), generator=rng)
    mask_BS = torch.ones(2, 9, dtype=torch.bool)
    mask_BS[1, 5:] = False
    segments_BS = (torch.arange(9) > 3).long().expand(2, -1)
    expected = plain(
        input_ids=source_BS,
        attention_mask=mask_BS.long(),
        token_type_ids=segments_BS,
        decoder_input_ids=target_BT,
    ).logits
    found = model(source_BS, mask_BS, target_BT, segments_BS)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    again = EncoderDecoderModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(source_BS, mask_BS, target_BT, segments_BS), expected, atol=1e-5, rtol=0)
    other_BS = source_BS.clone()
    other_BS[1, 5:] = 5  # behind the mask
    torch.testing.assert_close(model(other_BS, mask_BS, target_BT, segments_BS), found)


@pytest.mark.parametrize(("recipe", "block"), [("seq2seq", "Block"), ("seq2seq-library", "BertLayer")])
def test_no_weight_is_in_two_parts_that_are_sharded(recipe: str, block: str) -> None:
    model = BUILD[recipe](AnswerSettings(**TINY), 31)
    assert set(model._no_split_modules) == {block}
    # These accelerate shards by themselves, where a network names them.
    named = [getattr(model, f"get_{end}_embeddings", lambda: None)() for end in ("input", "output")]
    assert named == [None, None]
    parts = [part for part in model.modules() if type(part).__name__ == block]
    assert len(parts) == 2 * TINY["num_layers"]
    ids = [id(weight) for part in parts for weight in part.parameters()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("recipe", BUILD)
def test_every_weight_that_trains_gets_a_gradient(recipe: str) -> None:
    # Processes that train together would wait for one that does not come.
    model = BUILD[recipe](AnswerSettings(**TINY), 31)
    ids_BT = torch.randint(5, 31, (2, 6), generator=torch.Generator().manual_seed(0))
    model(ids_BT, None, ids_BT, ids_BT % 2).square().sum().backward()
    names = {
        name for name, weight in model.named_parameters() if weight.requires_grad and weight.grad is None
    }
    assert names == set()


@pytest.mark.parametrize("recipe", BUILD)
def test_muon_takes_the_matrices_inside_the_blocks(recipe: str) -> None:
    model = BUILD[recipe](AnswerSettings(**TINY), 31)
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.02, "weight_decay": 0.1}
    _, muon = optimizers_for(model, kind="muon", **rates)
    C = TINY["hidden_size"]
    # In a layer of the encoder four of attention and two of eight times the size; four more in the decoder.
    expected = TINY["num_layers"] * (4 + 8 + 8 + 8) * C * C
    assert sum(weight.numel() for group in muon.param_groups for weight in group["params"]) == expected


@pytest.mark.parametrize(("tie", "tables"), [(True, 1), (False, 2)])
def test_the_vocabulary_costs_rows_of_its_tables_and_logits_of_the_answers(tie: bool, tables: int) -> None:
    settings = AnswerSettings(**TINY, tie_embeddings=tie, batch_size=3, tokenizer="characters")
    tokens = 3 + len(ENCODER_TOKENS)
    num_parameters, num_bytes = vocabulary(settings, "abcab")
    assert num_parameters == tokens * (tables * 12 + 1)
    assert num_bytes == LOGIT_COPIES * 4 * 3 * 8 * tokens
