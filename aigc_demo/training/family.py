"""What the training module of every family offers: its `FAMILY`, which is imported when it is asked for."""

# Shapes: B images or captions of a batch, T tokens of a caption, C channels, H rows, W columns.

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import LONGEST
from aigc_demo.training.loops.loop import TrainingLoop
from aigc_demo.training.order import Order
from aigc_demo.training.recipe import Recipe
from aigc_demo.training.settings import Budget

# The forward passes of one step: how many times, and what; for an estimate of memory on torch's meta device.
ForwardPasses = list[tuple[int, Callable[[], Any]]]

COUNTED_VOCABULARY = 128  # about that of the tiny world's captions, where no captions are known yet


@dataclass(frozen=True)
class Family:
    """How the recipes of a family are trained.

    Attributes:
        prepare: from an order, its settings and budget, the run and the checkpoint to resume from (or None),
            to a loop that has trained nothing yet.
        networks: from a recipe's name and its settings to the networks that it trains, untrained.
        forward_passes: from those networks and the settings to the forward passes of one step.
        vocabulary: from the settings and the visitor's own text (or None) to what depends on the size of the
            vocabulary: the number of parameters, and bytes of memory of one step. None where `networks`
            has all of it.
        config_names: from a recipe's name to the names of settings in the model's config.json, where they
            differ.
        write_sample: from the settings and a checkpoint to a sample, where that takes noticeable time.
    """

    prepare: Callable[[Order, Any, Budget, RunDirectory, Path | None], TrainingLoop]
    networks: Callable[[str, Any], list[nn.Module]]
    forward_passes: Callable[[list[nn.Module], Any], ForwardPasses]
    vocabulary: Callable[[Any, str | None], tuple[int, int]] | None = None
    config_names: Callable[[str], Mapping[str, str]] = lambda recipe: {}
    write_sample: Callable[[Any, Path], Any] | None = None


def family_of(recipe: Recipe) -> Family:
    """The `FAMILY` of the module that a recipe names."""
    found: Family = import_module(recipe.module).FAMILY
    return found


def empty_images(settings: Any, channels: int = 3) -> Tensor:
    """A batch of images [B, C, H, W], for shapes alone."""
    side = settings.image_size
    return torch.empty(settings.batch_size, channels, side, side)


def empty_captions(count: int) -> Tensor:
    """Token ids of so many captions [B, T], for shapes alone."""
    return torch.zeros(count, LONGEST, dtype=torch.long)
