"""Attention against numbers worked out by hand and against torch's own kernel."""

import math

import pytest
import torch
import torch.nn.functional as F

from aigc_demo.nets.text.attention import (
    KeyValueCache,
    MultiHeadAttention,
    attention,
    attention_weights,
    causal_mask,
    plain_attention,
)
from aigc_demo.nets.text.rotary import rotary_angles

# A different prime for every dimension, so that no two can be mixed up unnoticed.
B, H, T, S, D = 2, 3, 5, 7, 11


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_weights_by_hand() -> None:
    # Scores are q k / sqrt(1): 0 and log 3, so the weights are 1/4 and 3/4.
    q = torch.tensor([[[[1.0]]]])
    k = torch.tensor([[[[0.0], [math.log(3.0)]]]])
    assert attention_weights(q, k).flatten().tolist() == pytest.approx([0.25, 0.75])


def test_scale_is_the_root_of_the_features() -> None:
    # Four features of 1 give a product of 4; divided by sqrt(4) that is 2.
    q, k = torch.ones(1, 1, 1, 4), torch.stack((torch.ones(1, 1, 4), torch.zeros(1, 1, 4)), dim=2)
    first = math.exp(2) / (math.exp(2) + 1)
    assert attention_weights(q, k)[0, 0, 0, 0].item() == pytest.approx(first)


def test_causal_mask_with_and_without_a_past() -> None:
    assert causal_mask(2, 2).tolist() == [[True, False], [True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_equals_the_kernel_of_torch() -> None:
    q, k, v = draw(B, H, T, D), draw(B, H, S, D, seed=1), draw(B, H, S, D, seed=2)
    torch.testing.assert_close(plain_attention(q, k, v), F.scaled_dot_product_attention(q, k, v))
    mask = causal_mask(T, S)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(plain_attention(q, k, v, mask), expected)
    torch.testing.assert_close(attention(q, k, v, mask), expected)
    torch.testing.assert_close(attention(q, k, v, causal=True), expected)


def test_a_row_sees_nothing_behind_its_place() -> None:
    q, k, v = draw(B, H, S, D), draw(B, H, S, D, seed=1), draw(B, H, S, D, seed=2)
    before = attention(q, k, v, causal=True)
    k[..., 4:, :], v[..., 4:, :] = 100.0, -100.0
    torch.testing.assert_close(attention(q, k, v, causal=True)[..., :4, :], before[..., :4, :])


def test_a_mask_and_causal_together_are_refused() -> None:
    x = draw(1, 1, 2, 2)
    with pytest.raises(ValueError, match="not both"):
        attention(x, x, x, causal_mask(2, 2), causal=True)


def test_several_heads_are_several_attentions() -> None:
    layer = MultiHeadAttention(H * 4, H, bias=True)
    x = draw(B, T, H * 4)
    q, k, v = layer.qkv(x).chunk(3, dim=-1)
    heads = [
        F.scaled_dot_product_attention(q[..., part], k[..., part], v[..., part], is_causal=True)
        for part in (slice(0, 4), slice(4, 8), slice(8, 12))
    ]
    torch.testing.assert_close(layer(x, causal=True), layer.output(torch.cat(heads, dim=-1)))


def test_cross_attention_reads_the_memory_only() -> None:
    layer = MultiHeadAttention(12, H, bias=True)
    x, memory = draw(B, T, 12), draw(B, S, 12, seed=1)
    q = F.linear(x, layer.qkv.weight[:12], layer.qkv.bias[:12])
    k, v = F.linear(memory, layer.qkv.weight[12:], layer.qkv.bias[12:]).chunk(2, dim=-1)
    split = [part.unflatten(-1, (H, 4)).transpose(1, 2) for part in (q, k, v)]
    expected = layer.output(F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x, memory_BSC=memory), expected)
    padding = torch.ones(B, 1, 1, S, dtype=torch.bool)
    padding[..., 5:] = False
    torch.testing.assert_close(layer(x, memory_BSC=memory, mask=padding), layer(x, memory_BSC=memory[:, :5]))


def test_asked_for_weights_are_the_ones_used() -> None:
    layer = MultiHeadAttention(12, H, normalize_qk=True)
    x, weights = draw(B, T, 12), []
    torch.testing.assert_close(layer(x, causal=True, weights_out=weights), layer(x, causal=True))
    assert weights[0].shape == (B, H, T, T)
    torch.testing.assert_close(weights[0].sum(-1), torch.ones(B, H, T))
    assert weights[0].triu(1).abs().max() == 0


def test_cache_selects_and_forgets() -> None:
    cache = KeyValueCache(num_layers=1, batch_size=2, num_heads=H, capacity=S, head_size=D)
    k, v = draw(2, H, T, D), draw(2, H, T, D, seed=1)
    cache.append(0, k, v)
    cache.advance(T)
    cache.select(torch.tensor([1, 1]))
    cache.truncate(3)
    keys, values = cache.append(0, k[:, :, :1], v[:, :, :1])
    torch.testing.assert_close(keys[0, :, :3], k[1, :, :3])
    torch.testing.assert_close(values[1, :, :3], v[1, :, :3])
    torch.testing.assert_close(keys[:, :, 3], k[:, :, 0])
    assert cache.length == 3
    cache.truncate(5)  # there are no more to forget
    assert cache.length == 3


def rotated_by_hand(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Each pair (a, b) as (a cos - b sin, b cos + a sin); the table has -sin, then sin."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.chunk(2, dim=-1)[1], sin.chunk(2, dim=-1)[1]
    return a * cos - b * sin, b * cos + a * sin


def normed(x: torch.Tensor) -> torch.Tensor:
    """Divided by the root of the mean square of its last dimension."""
    return x / x.square().mean(dim=-1, keepdim=True).sqrt()


@pytest.mark.parametrize("normalize_qk", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_queries_and_keys_are_normalised_by_head_and_values_are_not(
    normalize_qk: bool, bias: bool, asked: bool
) -> None:
    """Of a memory, with padding, and of itself with a rotation; also the gradients of all weights."""
    torch.manual_seed(0)
    layer = MultiHeadAttention(H * 4, H, bias=bias, normalize_qk=normalize_qk).double()
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_()
    x, memory = draw(B, T, H * 4).double(), draw(B, S, H * 4, seed=1).double()
    padding = torch.ones(B, 1, 1, S, dtype=torch.bool)
    padding[0, ..., 4:] = padding[1, ..., 2:] = False
    rotary = tuple(part.double() for part in rotary_angles(T, 4))
    roads = (
        (layer(x, memory_BSC=memory, mask=padding, weights_out=[] if asked else None), memory, padding, None),
        (
            layer(x, causal=True, rotary=rotary, weights_out=[] if asked else None),
            x,
            causal_mask(T, T),
            rotary,
        ),
    )
    for found, source, mask, angles in roads:
        q = F.linear(x, *(part.chunk(3)[0] for part in layer.qkv.parameters()))
        k = F.linear(source, *(part.chunk(3)[1] for part in layer.qkv.parameters()))
        v = F.linear(source, *(part.chunk(3)[2] for part in layer.qkv.parameters()))
        q, k, v = (part.unflatten(-1, (H, 4)).transpose(1, 2) for part in (q, k, v))
        if normalize_qk:
            q, k = normed(q), normed(k)
        if angles:
            q, k = (torch.cat(rotated_by_hand(part, *angles), dim=-1) for part in (q, k))
        scores = (q @ k.transpose(-2, -1) / 2).masked_fill(~mask, -math.inf)  # the root of 4 features is 2
        expected = layer.output((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        torch.testing.assert_close(found, expected, atol=1e-7, rtol=1e-6)
        gradient = draw(B, T, H * 4, seed=3).double()
        weights = list(layer.parameters())
        ours, theirs = (
            torch.autograd.grad(y, weights, gradient, retain_graph=True) for y in (found, expected)
        )
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
