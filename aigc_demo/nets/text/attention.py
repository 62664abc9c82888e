"""Scaled dot-product attention, multi-head attention, and the key-value cache.

The formula stands in `attention_weights` and `plain_attention`. `attention` computes the same with the kernel
that is fastest on the device. The mask, the memory (an encoder's output, for cross-attention) and the
key-value cache are arguments, so encoders, decoders and encoder-decoders use one class.
"""

# Shapes: B batch, H heads, T queries, S keys and values, D features per head, C features per token (C = H D).

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.nets.text import cpu_kernels


def causal_mask(num_queries: int, num_keys: int, device: torch.device | None = None) -> Tensor:
    """The mask of causal attention: a query attends to its own position and those before it.

    Args:
        num_queries: T.
        num_keys: S, at least T; the S - T keys before the first query come from a cache.
        device: where the mask is created.

    Returns:
        [T, S], True where query t may attend to key s, that is where s <= t + (S - T).
    """
    return torch.ones(num_queries, num_keys, dtype=torch.bool, device=device).tril(num_keys - num_queries)


def attention_weights(q_BHTD: Tensor, k_BHSD: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much each query takes from each key: softmax(q k^T / sqrt(D)) over the keys that the mask allows.

    Args:
        q_BHTD: queries.
        k_BHSD: keys.
        mask: True where a query may attend; any shape that broadcasts to [B, H, T, S]; None for everywhere.

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
    """The mean of the values, weighted by the attention weights: softmax(q k^T / sqrt(D)) v.

    Returns:
        [B, H, T, D].

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
    """
    return attention_weights(q_BHTD, k_BHSD, mask) @ v_BHSD


def attention(
    q_BHTD: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask: Tensor | None = None, *, causal: bool = False
) -> Tensor:
    """`plain_attention` by the fastest kernel; the numbers agree within rounding.

    Args:
        q_BHTD: queries, floating point.
        k_BHSD: keys, same dtype.
        v_BHSD: values, same shape as the keys.
        mask: as in `attention_weights`.
        causal: mask with `causal_mask`; not together with a mask.

    Returns:
        [B, H, T, D].

    Raises:
        ValueError: both a mask and causal were given.
    """
    if causal and mask is not None:
        raise ValueError("give a mask or causal=True, not both")
    T, S = q_BHTD.shape[-2], k_BHSD.shape[-2]
    by_matmul = cpu_kernels.prefers_matmul(q_BHTD)
    if causal and T > 1 and (T != S or by_matmul):
        mask, causal = causal_mask(T, S, q_BHTD.device), False
    if by_matmul:
        return cpu_kernels.matmul_attention(q_BHTD, k_BHSD, v_BHSD, mask)
    return F.scaled_dot_product_attention(q_BHTD, k_BHSD, v_BHSD, attn_mask=mask, is_causal=causal and T > 1)


class KeyValueCache:
    """Keys and values of the tokens so far, so that a new token is computed alone and not with all before it.

    Memory for the whole context is allocated at once; the first `length` positions are filled.
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
        # Keys and values of a layer share one tensor: one copy writes both.
        shape = (2, batch_size, num_heads, capacity, head_size)
        self.layers = [torch.empty(shape, dtype=dtype, device=device) for _ in range(num_layers)]
        self.capacity = capacity
        self.length = 0

    def append(self, layer: int, k_BHTD: Tensor, v_BHTD: Tensor) -> tuple[Tensor, Tensor]:
        """Store T new keys and values of one layer; return all of this layer, [B, H, length + T, D] each.

        `length` is not changed: call `advance` after all layers have stored theirs.
        """
        T = k_BHTD.shape[-2]
        new = self.layers[layer].narrow(3, self.length, T)
        new[0].copy_(k_BHTD)
        new[1].copy_(v_BHTD)
        keys, values = self.layers[layer].narrow(3, 0, self.length + T).unbind(0)
        return keys, values

    def advance(self, num_tokens: int) -> None:
        """Add `num_tokens` to `length`, after all layers have stored them."""
        self.length += num_tokens

    def truncate(self, length: int) -> None:
        """Drop the tokens from position `length` on."""
        self.length = min(self.length, length)

    def to(self, dtype: torch.dtype) -> None:
        """Convert what is stored to another dtype."""
        self.layers = [layer.to(dtype) for layer in self.layers]

    def select(self, rows: Tensor) -> None:
        """Keep the given rows of the batch, in this order, repeats allowed; beam search needs it.

        Args:
            rows: [B'] indices into the batch.
        """
        self.layers = [layer.index_select(1, rows) for layer in self.layers]


def matmul_dtype(x: Tensor) -> torch.dtype:
    """The dtype of matrix products with x: autocast's where autocast is on, else x's own.

    Args:
        x: any shape; on the meta device, which has no autocast, its own.
    """
    device = x.device.type
    if device != "meta" and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return x.dtype


class Packing:
    """Tokens of a padded batch without its padding, so that only attention sees padding.

    Everything else in a Transformer treats each token alone.

    Args:
        mask_BT: True at tokens, False at padding.

    Source:
        Zeng et al. 2022, arXiv:2208.08124, section 2.
    """

    def __init__(self, mask_BT: Tensor):
        self.shape = mask_BT.shape
        self.index_N = mask_BT.flatten().nonzero()[:, 0]

    def pack(self, x_BTC: Tensor) -> Tensor:
        """The N tokens one after the other, [1, N, C]."""
        return x_BTC.flatten(0, 1).index_select(0, self.index_N)[None]

    def unpack(self, x_1NC: Tensor) -> Tensor:
        """The batch again, [B, T, C], zero at padding."""
        B, T = self.shape
        empty = x_1NC.new_zeros(B * T, x_1NC.shape[-1])
        return empty.index_copy(0, self.index_N, x_1NC[0]).unflatten(0, (B, T))


class MultiHeadAttention(nn.Module):
    """H attentions in parallel, each on its own D = C / H features, and an output projection of all of them.

    Self-attention: queries, keys and values are projections of x. Cross-attention, with `memory`: queries of
    x, keys and values of the memory. The three projections are one matrix, so one product computes them.

    Args:
        hidden_size: C.
        num_heads: H, divides C.
        bias: of the projections.
        normalize_qk: divide each query and key by its root mean square, which bounds the scores at high
            learning rates (Henry et al. 2020, arXiv:2010.04245).

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
        memory_kv: tuple[Tensor, Tensor] | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        rotary: tuple[Tensor, Tensor] | None = None,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        weights_out: list[Tensor] | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        """Self-attention of x, or cross-attention of x to the memory.

        Args:
            x_BTC: the tokens that the queries come from.
            memory_BSC: what keys and values come from in cross-attention; they are not rotated.
            memory_kv: those keys and values, [B, H, S, D] each, where `keys_values` computed them before.
            mask: True where a query may attend; broadcasts to [B, H, T, S].
            causal: a token attends to itself and those before it.
            rotary: cosines and sines of the T positions (`rotary.rotary_angles`), for self-attention.
            cache: keys and values of the tokens before x; those of x are appended.
            layer: the index of this layer in the cache.
            weights_out: the attention weights [B, H, T, S] are appended to it; they are then computed by the
                plain formula.
            packing: where x is packed, [1, N, C], and its tokens attend to each other.

        Returns:
            As x: [B, T, C], or [1, N, C] where it is packed.
        """
        if memory_BSC is not None:
            memory_kv = self.keys_values(memory_BSC)
        if memory_kv is None:
            q, k, v = self._project(x_BTC, rotary, packing)
        else:
            q, k, v = self._query(x_BTC), *memory_kv
        if cache is not None:
            k, v = cache.append(layer, k, v)
        if weights_out is not None:
            if causal:
                mask = causal_mask(q.shape[-2], k.shape[-2], q.device)
            weights_BHTS = attention_weights(q, k, mask)
            weights_out.append(weights_BHTS)
            mixed_BHTD = weights_BHTS @ v
        else:
            mixed_BHTD = attention(q, k, v, mask, causal=causal)
        mixed_BTC = mixed_BHTD.transpose(1, 2).flatten(2)
        return self.output(mixed_BTC if packing is None else packing.pack(mixed_BTC))

    def keys_values(self, memory_BSC: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, S, D] of a memory, for cross-attention to it."""
        C = memory_BSC.shape[-1]
        kv_BSC = F.linear(memory_BSC, self.qkv.weight[C:], self.qkv.bias[C:] if self.bias else None)
        k, v = self._split_heads(kv_BSC, 2)
        return self._normalize(k), v

    def _query(self, x_BTC: Tensor) -> Tensor:
        """Queries [B, H, T, D] alone."""
        C = x_BTC.shape[-1]
        q_BTC = F.linear(x_BTC, self.qkv.weight[:C], self.qkv.bias[:C] if self.bias else None)
        return self._normalize(self._split_heads(q_BTC, 1)[0])

    def _project(
        self, x_BTC: Tensor, rotary: tuple[Tensor, Tensor] | None, packing: Packing | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, H, T, D] of x; queries and keys normalized and rotated."""
        qkv_BTC = self.qkv(x_BTC)
        qkv_3BHTD = self._split_heads(qkv_BTC if packing is None else packing.unpack(qkv_BTC), 3)
        # Queries and keys together: half as many small operations.
        qk_2BHTD = self._normalize(qkv_3BHTD[:2])
        q, k = cpu_kernels.rotary(qk_2BHTD, *rotary) if rotary else qk_2BHTD
        return q, k, qkv_3BHTD[2]

    def _normalize(self, heads_D: Tensor) -> Tensor:
        return F.rms_norm(heads_D, (self.head_size,)) if self.normalize_qk else heads_D

    def _split_heads(self, x_BTC: Tensor, num_parts: int) -> Tensor:
        """Split the features into parts and heads: [B, T, parts H D] to [parts, B, H, T, D]."""
        split = x_BTC.unflatten(-1, (num_parts, self.num_heads, self.head_size))
        return split.permute(2, 0, 3, 1, 4)
