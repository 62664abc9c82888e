"""Differentiable augmentation (DiffAugment), for adversarial training with few images.

Real and generated images are both augmented before the discriminator. So it cannot memorize the real ones,
and the generator does not learn to generate augmented images.
"""

# Shapes: B batch, C channels, H rows, W columns; R rows and S columns of the augmented image.

from collections.abc import Sequence

import torch
from torch import Tensor

from aigc_demo.nets.options import AUGMENTATIONS

# The largest translation and the side of the cut-out square, as parts of the image's side.
TRANSLATION_RATIO, CUTOUT_RATIO = 1 / 8, 1 / 2


def diff_augment(x_BCHW: Tensor, rng: torch.Generator, policy: Sequence[str] = AUGMENTATIONS) -> Tensor:
    """Augment each image with random parameters of its own; differentiable with respect to the pixels.

    Args:
        x_BCHW: images in [-1, 1].
        rng: on the CPU; the same state gives the same augmentation for any pixels, device and dtype.
        policy: names of `AUGMENTATIONS`, applied in this order.

    Returns:
        x [B, C, H, W]; colours may leave [-1, 1], and padding is 0 (grey).

    Raises:
        ValueError: there is no such augmentation.

    Source:
        Zhao et al. 2020, arXiv:2006.10738, section 3.2.
    """
    for name in policy:
        x_BCHW = TRANSFORMS[name](x_BCHW, rng) if name in TRANSFORMS else _unknown(name)
    return x_BCHW


def colour(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness plus -1/2 to 1/2, saturation times 0 to 2, contrast times 1/2 to 3/2."""
    brightness, saturation, contrast = (
        drawn[:, None, None, None].to(x_BCHW) for drawn in torch.rand(3, len(x_BCHW), generator=rng)
    )
    x_BCHW = x_BCHW + (brightness - 0.5)
    grey = x_BCHW.mean(dim=1, keepdim=True)
    x_BCHW = torch.lerp(grey.expand_as(x_BCHW), x_BCHW, (2 * saturation).expand_as(x_BCHW))
    mean = x_BCHW.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(x_BCHW), x_BCHW, (contrast + 0.5).expand_as(x_BCHW))


def translation(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Shift by whole pixels, at most an eighth of the side in each direction, padded with 0."""
    rows, columns = x_BCHW.shape[2:]
    max_down, max_right = round(rows * TRANSLATION_RATIO), round(columns * TRANSLATION_RATIO)
    down_B = _random_integers(len(x_BCHW), -max_down, max_down, rng)
    right_B = _random_integers(len(x_BCHW), -max_right, max_right, rng)
    down_BRH = _shift_matrices(down_B, rows).to(x_BCHW)
    right_BSW = _shift_matrices(right_B, columns).to(x_BCHW)
    # As matrix products: one kernel for the whole batch, each image with its own shift.
    return down_BRH[:, None] @ x_BCHW @ right_BSW[:, None].transpose(2, 3)


def cutout(x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Set a square of half the side to 0; its centre is anywhere in the image."""
    rows, columns = x_BCHW.shape[2:]
    height, width = round(rows * CUTOUT_RATIO), round(columns * CUTOUT_RATIO)
    top_B = _random_integers(len(x_BCHW), -(height // 2), rows - height // 2, rng)
    left_B = _random_integers(len(x_BCHW), -(width // 2), columns - width // 2, rng)
    cut_BHW = (
        _interval_mask(top_B, height, rows)[:, :, None] & _interval_mask(left_B, width, columns)[:, None]
    )
    return x_BCHW * (~cut_BHW[:, None]).to(x_BCHW)


TRANSFORMS = {"colour": colour, "translation": translation, "cutout": cutout}


def _random_integers(count: int, low: int, high: int, rng: torch.Generator) -> Tensor:
    return torch.randint(low, high + 1, (count,), generator=rng)


def _shift_matrices(by_B: Tensor, side: int) -> Tensor:
    """[B, side, side], True at (row, row - by), so that the product with x shifts the rows of x by `by`."""
    positions = torch.arange(side)
    return positions[None, :, None] == positions[None, None] + by_B[:, None, None]


def _interval_mask(start_B: Tensor, length: int, side: int) -> Tensor:
    """[B, side], True from start_B on, for `length` positions."""
    past_start = torch.arange(side)[None] - start_B[:, None]
    return (past_start >= 0) & (past_start < length)


def _unknown(name: str) -> Tensor:
    raise ValueError(f"no augmentation named {name}; there are {', '.join(TRANSFORMS)}")
