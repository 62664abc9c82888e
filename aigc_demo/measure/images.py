"""How good are generated images: are all kinds there, and are they like the real ones?"""

# Shapes: N images or real ones, M generated ones, K modes, F features of an image, S rows and columns.

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from aigc_demo.measure.image_distances import distance_to_real, frechet_distance, precision_recall
from aigc_demo.measure.modes import SURE, ModeFigures, mode_figures
from aigc_demo.nets.images.image_encoder import ImageEncoder

# An image counts as readable up to this distance to a real one (`distance_to_real`), and a generator as
# drawing from this share of readable images on. With the shipped classifier noise, plain colours, blurred
# drawings and a GAN's first 500 steps leave at most 31 % of them, a trained GAN 60 % (docs/experiments.md).
MOST_DISTANCE = 0.35
FEWEST_READABLE = 0.4
# Coverage below this part of an even generator's: some kinds are missing.
DROPPED_BELOW = 0.8
Verdict = Literal["no_images", "collapsed", "dropped", "spread"]


@dataclass(frozen=True)
class ImageFigures:
    """Figures of generated images against real ones; they depend on how many of both there are.

    Attributes:
        num_real: images held out.
        num_generated: images of the model.
        frechet_distance: of their features, 0 for the same distribution (`frechet_distance`).
        precision: share of the generated that lie among the real (`precision_recall`).
        recall: share of the real that lie among the generated.
        modes: how they spread over the kinds of image; None where kinds are not known.
        readable: the same of the readable ones alone: the classifier is sure of their kind, and they are
            near a real image (`distance_to_real`); None where there are none.
        near_share: share of the generated that are near a real image; None where kinds are not known.
    """

    num_real: int
    num_generated: int
    frechet_distance: float
    precision: float
    recall: float
    modes: ModeFigures | None = None
    readable: ModeFigures | None = None
    near_share: float | None = None

    @property
    def readable_share(self) -> float:
        """Share of the generated images that are readable."""
        return 0.0 if self.readable is None else self.readable.num_samples / self.num_generated

    @property
    def verdict(self) -> Verdict | None:
        """How a generator's images spread over the kinds; None where kinds are not known.

        no_images: too few of them are readable, as before it has learned to draw; it has not collapsed.
        collapsed: the readable ones show few kinds. dropped: some kinds are missing. spread: neither.
        """
        if self.modes is None:
            return None
        if self.readable is None or self.readable_share < FEWEST_READABLE:
            return "no_images"
        if self.readable.collapsed:
            return "collapsed"
        missing = self.readable.coverage < DROPPED_BELOW * self.readable.even_coverage
        return "dropped" if missing else "spread"


def image_figures(real_NF: Tensor, fake_MF: Tensor, probs_MK: Tensor | None = None) -> ImageFigures:
    """All figures at once.

    Args:
        real_NF: features of real images, held out from training.
        fake_MF: features of generated ones.
        probs_MK: the generated ones' probability of each mode, if a classifier knows the modes.

    Raises:
        ValueError: there are too few images to compare.
    """
    precision, recall = precision_recall(real_NF, fake_MF)
    modes = readable = near_share = None
    if probs_MK is not None:
        modes = mode_figures(probs_MK, num_modes=probs_MK.shape[1])
        near_M = distance_to_real(real_NF, fake_MF) <= MOST_DISTANCE
        near_share = near_M.float().mean().item()
        both = probs_MK[near_M & (probs_MK.amax(1) >= SURE)]
        readable = mode_figures(both, num_modes=probs_MK.shape[1]) if len(both) else None
    return ImageFigures(
        num_real=len(real_NF),
        num_generated=len(fake_MF),
        frechet_distance=frechet_distance(real_NF, fake_MF),
        precision=precision,
        recall=recall,
        modes=modes,
        readable=readable,
        near_share=near_share,
    )


@torch.inference_mode()
def encode(encoder: ImageEncoder, images: Tensor, batch_size: int = 256) -> tuple[Tensor, Tensor | None]:
    """What an encoder sees in images.

    Args:
        encoder: in evaluation mode, on any device.
        images: uint8 [N, 3, S, S].
        batch_size: images at once.

    Returns:
        Features [N, F], and the probability of each class [N, K] or None where it names none; both
        float32 on the CPU.
    """
    device = next(encoder.parameters()).device
    parts = [encoder.features(part.to(device).float() / 127.5 - 1) for part in images.split(batch_size)]
    features_NF = torch.cat(parts)
    named = encoder.config.num_classes > 0
    return features_NF.cpu(), encoder.project(features_NF).softmax(dim=-1).cpu() if named else None
