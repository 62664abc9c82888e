"""How a training of a diffusion model is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images import prepare_pictures
from aigc_demo.generators.diffusion_pictures import load_unet
from aigc_demo.training.diffusion import DiffusionTraining
from aigc_demo.training.order import Order, model_to_go_on_from
from aigc_demo.training.picture_settings import DiffusionSettings
from aigc_demo.training.settings import Budget

SMALLEST_SIDE, NORM_GROUPS = 8, 8
# By the library's names.
SHAPE = ("sample_size", "block_out_channels", "layers_per_block", "norm_num_groups", "add_attention")


def prepare(
    order: Order, settings: DiffusionSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> DiffusionTraining:
    """Data, network and loop, nothing trained yet.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pictures(order.source, settings)
    torch.manual_seed(order.seed)
    (unet,) = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        _take_over(order, unet)
    return DiffusionTraining(unet, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: DiffusionSettings) -> list[nn.Module]:
    """The library's UNet: one level for each halving of the side down to 8 rows, each a little wider.

    Not in channels_last: its many group norms lose there what the convolutions gain.
    """
    from diffusers import UNet2DModel
    from diffusers.utils import logging

    logging.disable_progress_bar()  # a bar for every checkpoint would tear the lines of events apart
    num_levels = (settings.image_size // SMALLEST_SIDE).bit_length()
    unet = UNet2DModel(
        sample_size=settings.image_size,
        block_out_channels=tuple(settings.base_channels * level for level in range(1, num_levels + 1)),
        layers_per_block=settings.layers_per_block,
        down_block_types=("DownBlock2D",) * num_levels,
        up_block_types=("UpBlock2D",) * num_levels,
        norm_num_groups=NORM_GROUPS,
        add_attention=settings.attention,
    )
    return [unet]


def _take_over(order: Order, unet: nn.Module) -> None:
    """Put in the weights of the model that `--init` names.

    Raises:
        InputError: there is none, or it has another shape.
    """
    entry = model_to_go_on_from(order)
    old = load_unet(Path(entry.location))
    for name in SHAPE:
        was, now = getattr(old.config, name), getattr(unet.config, name)
        if was != now:
            raise InputError("init_differs", path=str(order.init), name=name, old=was, new=now)
    unet.load_state_dict(old.state_dict())
