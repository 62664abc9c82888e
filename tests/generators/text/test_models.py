"""Loading models of each family, and refusing what is broken or of another kind."""

import json
import shutil
import struct
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from aigc_demo.core.errors import InputError
from aigc_demo.generators.text.library import _pretrained_special
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from tests.generators.conftest import edit_config, save_library, save_ours


@pytest.mark.parametrize("family", ["ours", "library"])
def test_a_folder_gives_a_model_that_reads(request, family):
    folder = request.getfixturevalue(family)
    model = load_text_model(str(folder))
    ids = model.prompt_ids("the cat")
    assert ids == [1, *model.encode("the cat")]
    assert model.family == family
    assert model.decode(ids) == "the cat"
    assert [model.token_text(index) for index in ids[:3]] == ["<start>", "t", "h"]
    assert model.spans("的cat") == [
        (0, 0, 1),
        *((model.encode(x)[0], k + 1, k + 2) for k, x in enumerate("cat")),
    ]
    assert (model.banned_ids, model.end_ids, model.start_ids, model.unknown_id) == ((0, 1), (), (1,), 0)
    logits = model.token_logits(ids)
    assert logits.shape == (len(ids), model.vocab_size)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(model.begin(ids).logits, logits[-1], atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="fit a context of 16"):
        model.token_logits([1] * 17)


@pytest.mark.parametrize("style", ["modern", "gpt2"])
def test_a_model_of_ours_computes_with_the_weights_of_its_folder(tmp_path, style):
    folder = save_ours(tmp_path, style=style)
    decoder = Decoder(TransformerConfig.from_mapping(json.loads((folder / "config.json").read_text())))
    decoder.load_state_dict(
        {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    )
    model = load_text_model(str(folder))
    ids = [1, 5, 4, 3]
    with torch.no_grad():
        expected = decoder.eval()(torch.tensor([ids]))[0]
    assert expected.std() > 0.01
    torch.testing.assert_close(model.token_logits(ids), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.begin(ids).logits, expected[-1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("generation", "config", "starts", "ends", "banned"),
    [
        ({}, {"eos_token_id": 5, "bos_token_id": 3}, (3,), (5,), (3, 8, 9)),
        ({"eos_token_id": [5, 3]}, {"eos_token_id": 5}, (5,), (5, 3), (8, 9)),
        ({}, {}, (0,), (), (3, 5, 8, 9)),
    ],
)
def test_special_tokens_that_end_nothing_and_numbers_without_a_token_are_never_written(
    generation, config, starts, ends, banned
):
    none = {"eos_token_id": None, "bos_token_id": None}
    network = SimpleNamespace(
        generation_config=SimpleNamespace(**{**none, **generation}),
        config=SimpleNamespace(vocab_size=10, **{**none, **config}),
    )
    vocabulary = SimpleNamespace(size=8, special_ids=(3, 5, 12))  # the network gives 10 scores, none for 12
    found = _pretrained_special(network, vocabulary)
    assert found["start_ids"] == starts
    assert (found["end_ids"], found["banned_ids"]) == (ends, banned)


def test_a_model_of_8_bit_weights_computes_nearly_the_same(tmp_path):
    folder = save_ours(tmp_path)
    whole, small = (load_text_model(str(folder), dtype=dtype) for dtype in ("float32", "int8"))
    ids = [1, 5, 4, 3]
    expected, found = whole.token_logits(ids), small.token_logits(ids)
    assert 0 < (found - expected).abs().max() < 0.1 * expected.std()
    torch.testing.assert_close(small.begin(ids).logits, found[-1])


@pytest.mark.parametrize("family", ["ours", "library"])
def test_attention_weights_sum_to_one_and_look_back_only(request, family):
    model = load_text_model(str(request.getfixturevalue(family)))
    before = model.token_logits([1, 2, 3, 4, 5])
    weights = model.attention([1, 2, 3, 4, 5])
    assert weights.shape == (2, 3, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5))
    assert weights.triu(1).abs().max() == 0
    assert torch.equal(model.token_logits([1, 2, 3, 4, 5]), before)


def test_attention_of_the_library_network_is_what_transformers_gives(library):
    eager = AutoModelForCausalLM.from_pretrained(
        library, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        theirs = eager(torch.tensor([[1, 5, 4, 3]]), output_attentions=True).attentions
    ours = load_text_model(str(library)).attention([1, 5, 4, 3])
    torch.testing.assert_close(ours, torch.stack([layer[0] for layer in theirs]))


@pytest.mark.parametrize("tie", [True, False])
def test_a_gpt2_runs_on_our_network_with_the_same_scores(tmp_path, tie):
    folder = save_library(tmp_path / "gpt2", tie=tie)
    theirs, ours = load_text_model(str(folder)), load_text_model(str(folder), on_ours=True)
    ids = theirs.prompt_ids("the cat")
    torch.testing.assert_close(ours.token_logits(ids), theirs.token_logits(ids), atol=1e-4, rtol=1e-4)
    assert ours.num_parameters == theirs.num_parameters


@pytest.mark.parametrize("family", ["ours", "library"])
def test_bfloat16_halves_the_memory_and_nearly_keeps_the_scores(request, family):
    folder = str(request.getfixturevalue(family))
    full, half = load_text_model(folder), load_text_model(folder, dtype="bfloat16")
    assert half.memory_mib == full.memory_mib / 2
    ids = full.prompt_ids("the")
    assert half.token_logits(ids).dtype == torch.float32
    torch.testing.assert_close(half.token_logits(ids), full.token_logits(ids), atol=0.5, rtol=0.1)


def test_only_a_gpt2_runs_on_our_network(ours):
    with pytest.raises(InputError) as caught:
        load_text_model(str(ours), on_ours=True)
    assert caught.value.key == "not_on_ours"


def test_an_unknown_dtype(ours):
    with pytest.raises(InputError, match="dtype must be one of"):
        load_text_model(str(ours), dtype="int3")


def cut_off(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def empty(folder):
    (folder / "model.safetensors").write_bytes(b"")


def huge_header(folder):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")


def missing(folder):
    (folder / "model.safetensors").unlink()


def pickle_only(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def one_tensor_less(folder):
    weights = load_file(folder / "model.safetensors")
    weights.popitem()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def one_tensor_more(folder):
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "more": torch.zeros(3)}, folder / "model.safetensors", {"format": "pt"})


def another_dtype(folder):
    weights = {name: weight.double() for name, weight in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def broken_json(folder):
    (folder / "config.json").write_text("{")


def deep_json(folder):
    (folder / "config.json").write_text("[" * 100_000)


def another_recipe(folder):
    edit_config(folder, recipe="dcgan")


def another_vocabulary(folder):
    """The network's vocabulary grows, with the weights, past the tokenizer's."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["☃"] = len(tokenizer["model"]["vocab"])
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def no_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


DAMAGES = [
    cut_off,
    empty,
    huge_header,
    missing,
    pickle_only,
    one_tensor_less,
    one_tensor_more,
    another_dtype,
    broken_json,
    deep_json,
    another_recipe,
    another_vocabulary,
    no_tokenizer,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("family", ["ours", "library"])
def test_a_damaged_folder_is_refused_in_one_sentence(request, family, damage):
    folder = request.getfixturevalue(family)
    damage(folder)
    with pytest.raises(InputError) as caught:
        load_text_model(str(folder))
    assert caught.value.key in ("broken_model", "foreign_model", "unknown_model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"num_layers": 3}, "is missing"),
        ({"num_layers": 1}, "does not belong"),
        ({"hidden_size": 48}, "not \\["),
        ({"hidden_size": 25}, "config.json"),
        ({"vocab_size": 10**9}, "vocab_size"),
        ({"num_layers": "many"}, "num_layers"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_our_config_must_fit_our_weights(ours, changes, says):
    edit_config(ours, **changes)
    with pytest.raises(InputError, match=says):
        load_text_model(str(ours))


@pytest.mark.parametrize(
    "changes",
    [
        {"n_layer": 3},
        {"n_layer": 10**9},
        {"n_embd": 48},
        {"n_head": 5},
        {"n_head": 0},
        {"vocab_size": 10**9},
        {"vocab_size": "10"},
        {"n_positions": 32},
        {"model_type": "llama"},
        {"activation_function": "surprise"},
    ],
    ids=str,
)
def test_the_librarys_config_must_fit_its_weights(library, changes):
    edit_config(library, **changes)
    with pytest.raises(InputError) as caught:
        load_text_model(str(library))
    assert caught.value.key in ("broken_model", "foreign_model")


def test_another_models_weights_are_refused(tmp_path):
    ours, library = save_ours(tmp_path / "ours"), save_library(tmp_path / "library")
    shutil.copy(library / "model.safetensors", ours / "model.safetensors")
    with pytest.raises(InputError) as caught:
        load_text_model(str(ours))
    assert caught.value.key == "foreign_model"


def test_a_pickle_beside_the_weights_is_not_opened(ours):
    (ours / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    assert load_text_model(str(ours)).num_parameters > 0


def test_nothing_is_printed(ours, library, capfd):
    load_text_model(str(ours))
    load_text_model(str(library))
    assert capfd.readouterr() == ("", "")
