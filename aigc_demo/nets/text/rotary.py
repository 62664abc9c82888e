"""Rotary position embedding: queries and keys are rotated by an angle that grows with their position."""

# Shapes: B batch, H heads, T positions, D features per head.

import torch
from torch import Tensor


def rotary_angles(num_positions: int, head_size: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Cosines and sines of position times frequency, as `apply_rotary` takes them.

    Frequency i is base^(-2 i / D): high frequencies distinguish neighbouring positions, low ones distant
    positions. Both halves of D have the same angles; the sines of the first half are negated.

    Args:
        num_positions: T.
        head_size: D, even.
        base: as in the formula.

    Returns:
        Two tensors [T, D], float32.

    Source:
        Su et al. 2021, arXiv:2104.09864, eq. 15.
    """
    frequency = base ** (-torch.arange(0, head_size, 2, dtype=torch.float64) / head_size)
    angle = torch.arange(num_positions, dtype=torch.float64)[:, None] * frequency
    cos, sin = angle.cos().float(), angle.sin().float()
    return torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)


def apply_rotary(x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
    """Rotate each pair of features (i, i + D/2) by the angle of its position.

    (a, b) becomes (a cos - b sin, b cos + a sin), so that q k^T depends on the distance between the two
    positions only.

    Args:
        x_BHTD: queries or keys.
        cos_TD: cosines from `rotary_angles`, broadcast over the leading dimensions.
        sin_TD: sines, likewise.

    Source:
        Su et al. 2021, arXiv:2104.09864, section 3.4.2; pairs by halves as in GPT-NeoX.
    """
    first, second = x_BHTD.chunk(2, dim=-1)
    return (x_BHTD * cos_TD).addcmul_(torch.cat((second, first), dim=-1), sin_TD)
