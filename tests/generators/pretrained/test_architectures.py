"""The pretrained networks in miniature: each reads, slides, branches and gives its attention."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from aigc_demo.generators.catalog import CATALOG
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.text.library import TransformersText
from aigc_demo.generators.text.sessions import window_start
from tests.generators.conftest import randomize

CONTEXT = 12
SIZES = {
    "vocab_size": 29,
    "max_position_embeddings": CONTEXT,
    "num_hidden_layers": 2,
    "intermediate_size": 56,
}
GROUPED = {"hidden_size": 24, "num_attention_heads": 6, "num_key_value_heads": 2}


class Letters:
    """A tokenizer of 29 letters."""

    encode = decode = token_text = spans = staticmethod(lambda value: value)


@pytest.fixture(params=["gpt2", "llama", "qwen2"])
def model(request):
    sizes = {"n_embd": 24, "n_head": 3, "n_layer": 2, "n_positions": CONTEXT, "vocab_size": 29}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    arguments = (sizes if request.param == "gpt2" else {**SIZES, **GROUPED}) | ends
    network = randomize(AutoModelForCausalLM.from_config(AutoConfig.for_model(request.param, **arguments)))
    entry = CatalogEntry("tiny", "pretrained", "text", "", "tiny/tiny", "0" * 40, architecture=request.param)
    return TransformersText(entry, network, Letters(), start_ids=(0,), starts_always=False)


def test_the_catalog_holds_no_other_architecture():
    writers = [entry for entry in CATALOG.values() if entry.on_hub and entry.kind == "text"]
    assert {entry.architecture for entry in writers} == {"gpt2", "llama", "qwen2"}


def test_reading_token_by_token_is_reading_at_once(model):
    ids = [3, 1, 4, 1, 5]
    session = model.begin(ids)
    for index in (9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8):
        ids.append(index)
        session.push(index)
        window = ids[window_start(len(ids), CONTEXT) :]
        expected = model.token_logits(window)[-1]
        torch.testing.assert_close(session.logits, expected, atol=1e-4, rtol=1e-4)


def test_branches_are_texts_of_their_own(model):
    session = model.begin([3, 1, 4])
    session.branch([0, 0, 0], [1, 5, 9])
    session.branch([2, 0, 2], [7, 8, 6])
    expected = [model.token_logits(ids)[-1] for ids in ([3, 1, 4, 9, 7], [3, 1, 4, 1, 8], [3, 1, 4, 9, 6])]
    torch.testing.assert_close(session.logits_BV, torch.stack(expected), atol=1e-4, rtol=1e-4)


def test_attention_is_that_of_the_eager_network_and_leaves_the_fast_one_alone(model):
    ids = [3, 1, 4, 1, 5]
    before = model.token_logits(ids)
    maps = model.attention(ids)
    assert maps.shape[0] == 2
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]))
    assert maps.triu(1).abs().max() == 0
    assert model.network.config._attn_implementation == "sdpa"
    assert torch.equal(model.token_logits(ids), before)
    model.network.set_attn_implementation("eager")
    with torch.no_grad():
        theirs = model.network(torch.tensor([ids]), output_attentions=True).attentions
    torch.testing.assert_close(maps, torch.stack([layer[0] for layer in theirs]))


def test_the_second_network_for_attention_takes_no_memory_for_weights(model):
    model.attention([1, 2])
    own = {weight.data_ptr() for weight in model.network.parameters()}
    assert {weight.data_ptr() for weight in model._attentive.parameters()} == own
