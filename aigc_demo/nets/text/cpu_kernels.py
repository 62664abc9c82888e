"""Faster ways for a CPU to compute what stands as a formula elsewhere in this folder.

Nothing here is needed to understand the networks, and each function gives the numbers of its formula, within
rounding: `matmul_attention` those of `attention.plain_attention`, `rotary` those of `rotary.apply_rotary`;
`byte_dropout` is a dropout like torch's with other random numbers. What each one gains is measured by
benchmarks/speed_tricks.py.
"""

# Shapes: B batch, H heads, T queries, S keys and values, D features per head.

import math
from typing import Any

import torch
from torch import Tensor

from aigc_demo.nets.text.rotary import apply_rotary


def prefers_matmul(q_BHTD: Tensor) -> bool:
    """Whether `matmul_attention` is faster than torch's fused kernel: in bfloat16 on a CPU.

    There the fused kernel computes in float32, while matrix products use the CPU's own bfloat16
    instructions.
    """
    return q_BHTD.dtype == torch.bfloat16 and q_BHTD.device.type == "cpu" and q_BHTD.shape[-2] > 1


def matmul_attention(q_BHTD: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(q k^T / sqrt(D)) v, [B, H, T, D], with the scale applied to the queries: T D products, not T S.

    Args:
        q_BHTD: queries.
        k_BHSD: keys.
        v_BHSD: values.
        mask: True where a query may attend; None for everywhere.
    """
    scores_BHTS = (q_BHTD * q_BHTD.shape[-1] ** -0.5) @ k_BHSD.transpose(-2, -1)
    if mask is not None:
        # Adding -inf costs less, forward and backward, than masked_fill.
        scores_BHTS = scores_BHTS + torch.zeros_like(mask, dtype=q_BHTD.dtype).masked_fill(~mask, -math.inf)
    return scores_BHTS.softmax(dim=-1) @ v_BHSD


class RotaryFunction(torch.autograd.Function):
    """`apply_rotary` with its gradient: rotated back by the same angle, so that x need not be saved.

    It gains less than 5 %. It stays because autograd's gradient differs in the last bit in one element of
    seven: a run that is resumed would go on to other weights.
    """

    @staticmethod
    def forward(ctx: Any, x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
        ctx.save_for_backward(cos_TD, sin_TD)
        return apply_rotary(x_BHTD, cos_TD, sin_TD)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cos_TD, sin_TD = ctx.saved_tensors
        return apply_rotary(gradient, cos_TD, -sin_TD), None, None


def rotary(x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
    """`apply_rotary` with the gradient of `RotaryFunction`; arguments as there."""
    return RotaryFunction.apply(x_BHTD, cos_TD, sin_TD)


def byte_dropout(x: Tensor, probability: float) -> Tensor:
    """Set elements to zero with a probability, and divide the others by one minus it.

    One 64-bit random number gives eight decisions, which takes a fifth of the time of `F.dropout`. Its random
    numbers are part of every run that is resumed: another dropout would end in other weights.

    Args:
        x: any shape, on the CPU.
        probability: of a zero; a multiple of 1/256.
    """
    num_dropped_of_256 = round(probability * 256)
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= num_dropped_of_256
    return x * kept.to(x.dtype).mul_(256 / (256 - num_dropped_of_256))
