"""The word language model: its positions by hand, its sum of parts in another way, and no look ahead."""

import math

import pytest
import torch
import torch.nn.functional as F

from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.word_lm import WordLM, WordLMConfig, sinusoidal_positions

SHAPE = {"vocab_size": 11, "context_length": 7, "num_layers": 2, "num_heads": 2, "hidden_size": 12}


def drawn(**changes) -> WordLM:
    torch.manual_seed(0)
    model = WordLM(WordLMConfig(**{**SHAPE, "mlp_size": 20, **changes})).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model


def test_positions_are_sines_and_cosines_in_turn() -> None:
    found = sinusoidal_positions(3, 4)
    expected = [[math.sin(t), math.cos(t), math.sin(t / 100), math.cos(t / 100)] for t in range(3)]
    torch.testing.assert_close(found, torch.tensor(expected))


@torch.no_grad()
@pytest.mark.parametrize("tie", [False, True])
def test_its_logits_are_those_of_the_formula(tie: bool) -> None:
    model = drawn(tie_embeddings=tie)
    ids_BT = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])
    x_BTC = math.sqrt(12) * model.embedding.weight[ids_BT] + sinusoidal_positions(5, 12)
    for layer in model.encoder.layers:
        attention = layer.self_attn
        q, k, v = (
            part.unflatten(-1, (2, 6)).transpose(1, 2)
            for part in F.linear(x_BTC, attention.in_proj_weight, attention.in_proj_bias).chunk(3, dim=-1)
        )
        scores_BHTT = (q @ k.mT / math.sqrt(6)).masked_fill(torch.ones(5, 5).triu(1).bool(), -math.inf)
        mixed_BTC = attention.out_proj((scores_BHTT.softmax(-1) @ v).transpose(1, 2).flatten(2))
        x_BTC = layer.norm1(x_BTC + mixed_BTC)
        x_BTC = layer.norm2(x_BTC + layer.linear2(layer.linear1(x_BTC).relu()))
    matrix_VC = model.embedding.weight if tie else model.head.weight
    torch.testing.assert_close(model(ids_BT), x_BTC @ matrix_VC.T + model.bias, atol=1e-4, rtol=1e-4)
    assert model.num_parameters() == sum(
        [11 * 12 * (1 if tie else 2), 11, 2 * (4 * 12 * 12 + 4 * 12 + 2 * 12 * 20 + 20 + 12 + 4 * 12)]
    )


@pytest.mark.parametrize("trains", [False, True])
def test_no_token_sees_a_later_one(trains: bool) -> None:
    model = drawn(dropout=0.0).train(trains)
    first, second = torch.tensor([[3, 1, 4, 1, 5]]), torch.tensor([[3, 1, 4, 2, 5]])
    one, other = model(first), model(second)
    torch.testing.assert_close(one[:, :3], other[:, :3])
    assert (one[:, 3:] - other[:, 3:]).abs().amax(-1).min() > 0.001


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="8 tokens do not fit a context of 7"):
        drawn()(torch.zeros(1, 8, dtype=torch.long))
    with pytest.raises(InputError, match="cannot be shared by 5 heads"):
        WordLMConfig(**{**SHAPE, "num_heads": 5})
    with pytest.raises(InputError, match="hidden_size must be even, got 15"):
        WordLMConfig(**{**SHAPE, "hidden_size": 15, "num_heads": 3})


def test_the_feed_forward_layer_is_four_times_as_wide_where_nothing_else_is_asked() -> None:
    model = WordLM(WordLMConfig(**SHAPE))
    assert {layer.linear1.out_features for layer in model.encoder.layers} == {4 * 12}
