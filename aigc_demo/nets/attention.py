"""Attention: each token looks at others and takes from them what it needs.

The formula stands in `attention_weights` and `plain_attention`, as a book would write it. What runs is
`attention`: the same numbers by whichever kernel is fastest where it runs. Masks, memory (what an
encoder has read) and a key-value cache are arguments, so a decoder, an encoder and an encoder-decoder
are put together from the same parts.
"""

# Shapes: B batch, H heads, T tokens that ask (queries), S tokens that are asked (keys and values),
# D features per head, C features per token (C = H D).

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def causal_mask(num_queries: int, num_keys: int, device: torch.device | None = None) -> Tensor:
    """Which key each query may see: those at or before its own place, the last query at the last key.

    Args:
        num_queries: T.
        num_keys: S, at least T; the S - T keys before the first query come from a cache.
        device: where the mask is made.

    Returns:
        [T, S], True where query t may look at key s, that is where s <= t + (S - T).
    """
    return torch.ones(num_queries, num_keys, dtype=torch.bool, device=device).tril(num_keys - num_queries)


def attention_weights(q_BHTD: Tensor, k_BHSD: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much each query takes from each key: softmax(q k^T / sqrt(D)) over the keys it may see.

    Args:
        q_BHTD: queries.
        k_BHSD: keys.
        mask: True where a query may look; any shape that broadcasts to [B, H, T, S]; None for everywhere.

    Returns:
        [B, H, T, S], every row non-negative with sum 1.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 1; the mask is from section 3.2.3.
    """
    scores_BHTS = q_BHTD @ k_BHSD.transpose(-2, -1) / math.sqrt(q_BHTD.shape[-1])
    if mask is not None:
        scores_BHTS = scores_BHTS.masked_fill(~mask, -math.inf)
    return scores_BHTS.softmax(dim=-1)


def plain_attention(q_BHTD: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mix the values by the attention weights: softmax(q k^T / sqrt(D)) v.

    Returns:
        [B, H, T, D].

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
    """
    return attention_weights(q_BHTD, k_BHSD, mask) @ v_BHSD


def attention(
    q_BHTD: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask: Tensor | None = None, *, causal: bool = False
) -> Tensor:
    """`plain_attention` by the fastest road; the numbers agree within rounding.

    torch's fused kernel is that road, except in bfloat16 on a CPU: there it computes in float32, and two
    matrix products around a softmax, each in the CPU's own bfloat16 instructions, take a third of its time.

    Args:
        q_BHTD: queries, floating point.
        k_BHSD: keys, same dtype.
        v_BHSD: values, same shape as the keys.
        mask: True where a query may look, as in `attention_weights`.
        causal: each query sees the keys up to its own place (`causal_mask`); not together with a mask.

    Returns:
        [B, H, T, D].

    Raises:
        ValueError: both a mask and causal were given.
    """
    if causal and mask is not None:
        raise ValueError("give a mask or causal=True, not both")
    T, S = q_BHTD.shape[-2], k_BHSD.shape[-2]
    if causal and T > 1 and (T != S or _prefers_matmul(q_BHTD)):
        mask, causal = causal_mask(T, S, q_BHTD.device), False
    if _prefers_matmul(q_BHTD):
        return _matmul_attention(q_BHTD, k_BHSD, v_BHSD, mask)
    return F.scaled_dot_product_attention(q_BHTD, k_BHSD, v_BHSD, attn_mask=mask, is_causal=causal and T > 1)


def _prefers_matmul(q_BHTD: Tensor) -> bool:
    return q_BHTD.dtype == torch.bfloat16 and q_BHTD.device.type == "cpu" and q_BHTD.shape[-2] > 1


def _matmul_attention(q_BHTD: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask: Tensor | None) -> Tensor:
    """The formula with the scale taken into the queries: T D products instead of T S."""
    scores_BHTS = (q_BHTD * q_BHTD.shape[-1] ** -0.5) @ k_BHSD.transpose(-2, -1)
    if mask is not None:
        # One addition costs less, forward and back, than a masked fill.
        scores_BHTS = scores_BHTS + torch.zeros_like(mask, dtype=q_BHTD.dtype).masked_fill(~mask, -math.inf)
    return scores_BHTS.softmax(dim=-1) @ v_BHSD


class KeyValueCache:
    """Keys and values of the tokens already read, so that a new token costs one step and not all of them.

    Room for the whole context is taken at once; `length` tokens of it are filled.
    """

    def __init__(
        self,
        *,
        num_layers: int,
        batch_size: int,
        num_heads: int,
        capacity: int,
        head_size: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        # Keys and values of a layer stand in one tensor: both are written by one copy.
        shape = (2, batch_size, num_heads, capacity, head_size)
        self.layers = [torch.empty(shape, dtype=dtype, device=device) for _ in range(num_layers)]
        self.capacity = capacity
        self.length = 0

    def append(self, layer: int, k_BHTD: Tensor, v_BHTD: Tensor) -> tuple[Tensor, Tensor]:
        """Store the T new keys and values of one layer; return all of that layer's, [B, H, length + T, D].

        The caller moves `length` on once every layer has stored its own (`advance`).
        """
        T = k_BHTD.shape[-2]
        new = self.layers[layer].narrow(3, self.length, T)
        new[0].copy_(k_BHTD)
        new[1].copy_(v_BHTD)
        keys, values = self.layers[layer].narrow(3, 0, self.length + T).unbind(0)
        return keys, values

    def advance(self, num_tokens: int) -> None:
        """Count `num_tokens` as read, after all layers stored them."""
        self.length += num_tokens

    def truncate(self, length: int) -> None:
        """Forget the tokens from `length` on."""
        self.length = min(self.length, length)

    def to(self, dtype: torch.dtype) -> None:
        """Keep what is stored in another dtype."""
        self.layers = [layer.to(dtype) for layer in self.layers]

    def select(self, rows: Tensor) -> None:
        """Keep the given rows of the batch, in that order (repeats allowed): what beam search needs.

        Args:
            rows: [B'] indices into the batch.
        """
        self.layers = [layer.index_select(1, rows) for layer in self.layers]


def rotary_angles(num_positions: int, head_size: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine of position times frequency, [num_positions, D] each, as `rotate` wants them.

    Frequency i is base^(-2 i / D): fast ones tell neighbours apart, slow ones tell far from near. Both
    halves of D carry the same angles, the first with its sines negative.

    Source:
        Su et al. 2021, arXiv:2104.09864, eq. 15.
    """
    frequency = base ** (-torch.arange(0, head_size, 2, dtype=torch.float64) / head_size)
    angle = torch.arange(num_positions, dtype=torch.float64)[:, None] * frequency
    cos, sin = angle.cos().float(), angle.sin().float()
    return torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)


def product_dtype(x: Tensor) -> torch.dtype:
    """In which products with x are computed: autocast's where it is on, else its own.

    Args:
        x: of any shape; on the meta device there is no autocast to ask.
    """
    device = x.device.type
    if device != "meta" and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return x.dtype


def rotate(x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
    """Turn each pair of features (i, i + D/2) by its angle, so that q k^T depends on distance only.

    Args:
        x_BHTD: queries or keys.
        cos_TD: cosines from `rotary_angles`, broadcast over what stands before T.
        sin_TD: sines, likewise.

    Source:
        Su et al. 2021, arXiv:2104.09864, section 3.4.2; pairs by halves as in GPT-NeoX.
    """
    first, second = x_BHTD.chunk(2, dim=-1)
    return (x_BHTD * cos_TD).addcmul_(torch.cat((second, first), dim=-1), sin_TD)


class Rotation(torch.autograd.Function):
    """`rotate`, whose gradient is turned back by the same angle: no more than that has to be remembered."""

    @staticmethod
    def forward(ctx: Any, x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
        ctx.save_for_backward(cos_TD, sin_TD)
        return rotate(x_BHTD, cos_TD, sin_TD)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cos_TD, sin_TD = ctx.saved_tensors
        return rotate(gradient, cos_TD, -sin_TD), None, None


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on its own D = C / H features, and a mixture of what they found.

    With `memory` the queries come from x and the keys and values from the memory (cross-attention);
    without it all three come from x. Projections of q, k and v are one matrix: one product, not three.

    Args:
        hidden_size: C.
        num_heads: H, divides C.
        bias: whether the projections add a constant.
        normalize_qk: divide queries and keys by their root mean square before they meet, which keeps the
            scores in range at high learning rates (Henry et al. 2020, arXiv:2010.04245).

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2.
    """

    def __init__(self, hidden_size: int, num_heads: int, *, bias: bool = False, normalize_qk: bool = False):
        super().__init__()
        self.num_heads, self.head_size = num_heads, hidden_size // num_heads
        self.bias, self.normalize_qk = bias, normalize_qk
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=bias)
        self.output = nn.Linear(hidden_size, hidden_size, bias=bias)

    def forward(
        self,
        x_BTC: Tensor,
        *,
        memory_BSC: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        rotary: tuple[Tensor, Tensor] | None = None,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        weights_out: list[Tensor] | None = None,
    ) -> Tensor:
        """Let every token of x gather from x, or from the memory.

        Args:
            x_BTC: the tokens that ask.
            memory_BSC: what they ask instead of themselves; never cached or rotated.
            mask: True where a token may look, broadcast to [B, H, T, S].
            causal: each token sees itself and those before it.
            rotary: cosines and sines of the T positions, [T, D] each (`rotary_angles`); without a memory.
            cache: keys and values of the tokens before x; x's own are added to it.
            layer: which layer of the cache is this one's.
            weights_out: where to put the attention weights [B, H, T, S], if they are wanted; they are
                then computed by the plain formula.

        Returns:
            [B, T, C].
        """
        q, k, v = self._project(x_BTC, memory_BSC, rotary)
        if cache is not None:
            k, v = cache.append(layer, k, v)
        if weights_out is not None:
            seen = causal_mask(q.shape[-2], k.shape[-2], q.device) if causal else mask
            weights_BHTS = attention_weights(q, k, seen)
            weights_out.append(weights_BHTS)
            mixed_BHTD = weights_BHTS @ v
        else:
            mixed_BHTD = attention(q, k, v, mask, causal=causal)
        return self.output(mixed_BHTD.transpose(1, 2).flatten(2))

    def _project(
        self, x_BTC: Tensor, memory_BSC: Tensor | None, rotary: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, T, D], keys and values [B, H, S, D]; queries and keys normalised and turned."""
        if memory_BSC is None:
            qkv_3BHTD = self._heads(self.qkv(x_BTC), 3)
            # Queries and keys of one length take each step together: half as many small steps.
            qk_2BHTD = self._normalized(qkv_3BHTD[:2])
            q, k = Rotation.apply(qk_2BHTD, *rotary) if rotary else qk_2BHTD
            return q, k, qkv_3BHTD[2]
        C, bias = x_BTC.shape[-1], self.bias
        (q,) = self._heads(F.linear(x_BTC, self.qkv.weight[:C], self.qkv.bias[:C] if bias else None), 1)
        k, v = self._heads(F.linear(memory_BSC, self.qkv.weight[C:], self.qkv.bias[C:] if bias else None), 2)
        return self._normalized(q), self._normalized(k), v

    def _normalized(self, heads_D: Tensor) -> Tensor:
        return F.rms_norm(heads_D, (self.head_size,)) if self.normalize_qk else heads_D

    def _heads(self, x_BTC: Tensor, parts: int) -> Tensor:
        """Cut the features into parts and heads: [B, T, parts H D] to [parts, B, H, T, D]."""
        split = x_BTC.unflatten(-1, (parts, self.num_heads, self.head_size))
        return split.permute(2, 0, 3, 1, 4)
