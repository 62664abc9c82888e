"""Latents of seeds, interpolation between them, and arithmetic with them."""

# Shapes: N images, Z latent features.

from collections.abc import Sequence

import torch
from torch import Tensor

from aigc_demo.core.device import seeded

NEARLY_PARALLEL = 1e-4


def latents(seeds: Sequence[int], size: int) -> Tensor:
    """The latent of each seed, independent of the other seeds in the batch.

    Returns:
        [N, Z] from a standard normal distribution.
    """
    return torch.stack([torch.randn(size, generator=seeded(seed)) for seed in seeds])


def spherical(from_Z: Tensor, to_Z: Tensor, steps: int) -> Tensor:
    """Spherical interpolation between two latents.

    sin((1 - t) a) / sin(a) from + sin(t a) / sin(a) to, a being the angle between the two. A straight line
    would pass close to the middle, where next to no latent of a normal distribution lies: in 100 dimensions
    their length is 10, give or take 0.7.

    Args:
        from_Z: the first.
        to_Z: the last.
        steps: how many, both ends among them; at least 2.

    Returns:
        [steps, Z]; on a straight line where the two point the same way, or opposite ways.

    Raises:
        ValueError: fewer than 2 steps.

    Source:
        Shoemake 1985, "Animating rotation with quaternion curves"; for latents: White 2016, arXiv:1609.04468.
    """
    if steps < 2:
        raise ValueError(f"a way has at least 2 steps, got {steps}")
    t_S1 = torch.linspace(0, 1, steps)[:, None]
    cosine = torch.nn.functional.cosine_similarity(from_Z, to_Z, dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if torch.sin(angle) < NEARLY_PARALLEL:
        return torch.lerp(from_Z, to_Z, t_S1)
    return (torch.sin((1 - t_S1) * angle) * from_Z + torch.sin(t_S1 * angle) * to_Z) / torch.sin(angle)


def arithmetic(minuend_NZ: Tensor, subtrahend_NZ: Tensor, summand_NZ: Tensor) -> Tensor:
    """The mean of the first, minus that of the second, plus that of the third.

    One latent carries much that nobody asked for; the mean of a few that have one thing in common carries
    that thing.

    Returns:
        [Z], as long as a latent usually is: where the sum is longer or shorter than that, no image was
        ever made.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 6.3.2; the length is a departure from it.
    """
    return as_long_as_usual(minuend_NZ.mean(0) - subtrahend_NZ.mean(0) + summand_NZ.mean(0))


def as_long_as_usual(z_Z: Tensor) -> Tensor:
    """The same direction, rescaled to the norm of a typical latent, sqrt(Z)."""
    length = z_Z.norm()
    return z_Z * (len(z_Z) ** 0.5 / length) if length > 0 else z_Z
