"""Changes of pictures that gradients pass through: what lets a discriminator learn from few of them.

Both the real and the generated pictures are changed before the discriminator sees them, so that it cannot
learn the real ones by heart, and the generator never learns to make changed ones.
"""

# Shapes: B pictures, C channels, H rows, W columns; R rows and S columns of the changed picture.

from collections.abc import Sequence

import torch
from torch import Tensor

from aigc_demo.nets.options import AUGMENTATIONS

# Share of a picture's side by which it may be moved, and that of the square that is cut out.
MOVED, CUT = 1 / 8, 1 / 2


def diff_augment(x_BCHW: Tensor, rng: torch.Generator, policy: Sequence[str] = AUGMENTATIONS) -> Tensor:
    """Change each picture at random, in a way that is differentiable in its pixels.

    Args:
        x_BCHW: pictures in [-1, 1].
        rng: the stream, on the CPU; the same stream gives the same changes, whatever the pixels, the
            device and the precision.
        policy: what may change, in this order: any of `AUGMENTATIONS`.

    Returns:
        x [B, C, H, W], where colours may leave [-1, 1] and what lies outside the picture is grey, 0.

    Raises:
        ValueError: the policy names something else.

    Source:
        Zhao et al. 2020, arXiv:2006.10738, section 3.2.
    """
    for name in policy:
        x_BCHW = CHANGES[name](x_BCHW, rng) if name in CHANGES else _unknown(name)
    return x_BCHW


def colour(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness by -1/2 to 1/2, saturation times 0 to 2, contrast times 1/2 to 3/2."""
    brighter, vivid, contrasting = (
        drawn[:, None, None, None].to(x_BCHW) for drawn in torch.rand(3, len(x_BCHW), generator=rng)
    )
    x_BCHW = x_BCHW + (brighter - 0.5)
    grey = x_BCHW.mean(dim=1, keepdim=True)
    x_BCHW = torch.lerp(grey.expand_as(x_BCHW), x_BCHW, (2 * vivid).expand_as(x_BCHW))
    middle = x_BCHW.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(middle.expand_as(x_BCHW), x_BCHW, (contrasting + 0.5).expand_as(x_BCHW))


def translation(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Move by whole pixels, at most an eighth of the side each way; grey comes in."""
    rows, columns = x_BCHW.shape[2:]
    down_B = _whole_numbers(len(x_BCHW), -round(rows * MOVED), round(rows * MOVED), rng)
    right_B = _whole_numbers(len(x_BCHW), -round(columns * MOVED), round(columns * MOVED), rng)
    down_BRH, right_BSW = _moves(down_B, rows).to(x_BCHW), _moves(right_B, columns).to(x_BCHW)
    # As products of matrices: one kernel for all pictures, each with a move of its own.
    return down_BRH[:, None] @ x_BCHW @ right_BSW[:, None].transpose(2, 3)


def cutout(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Grey out a square of half the side, whose middle lies anywhere in the picture."""
    rows, columns = x_BCHW.shape[2:]
    tall, wide = round(rows * CUT), round(columns * CUT)
    top_B = _whole_numbers(len(x_BCHW), -(tall // 2), rows - tall // 2, rng)
    left_B = _whole_numbers(len(x_BCHW), -(wide // 2), columns - wide // 2, rng)
    cut_BHW = _between(top_B, tall, rows)[:, :, None] & _between(left_B, wide, columns)[:, None]
    return x_BCHW * (~cut_BHW[:, None]).to(x_BCHW)


CHANGES = {"colour": colour, "translation": translation, "cutout": cutout}


def _whole_numbers(count: int, low: int, high: int, rng: torch.Generator) -> Tensor:
    return torch.randint(low, high + 1, (count,), generator=rng)


def _moves(by_B: Tensor, side: int) -> Tensor:
    """[B, side, side], 1 where the row is the column moved, so that moves @ x moves the rows of x."""
    places = torch.arange(side)
    return places[None, :, None] == places[None, None] + by_B[:, None, None]


def _between(start_B: Tensor, length: int, side: int) -> Tensor:
    """[B, side], whether a place is among those from the start on."""
    past_start = torch.arange(side)[None] - start_B[:, None]
    return (past_start >= 0) & (past_start < length)


def _unknown(name: str) -> Tensor:
    raise ValueError(f"no change named {name}; there are {', '.join(CHANGES)}")
