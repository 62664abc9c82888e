"""How a training of a diffusion model is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import prepare_images
from aigc_demo.generators.images.diffusion import COLOURS, load_scheduler, load_unet
from aigc_demo.training.diffusion.training import DiffusionTraining, noise_of
from aigc_demo.training.image_settings import DiffusionSettings
from aigc_demo.training.initial_weights import check_shape, model_to_go_on_from
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

SMALLEST_SIDE, NORM_GROUPS = 8, 8  # rows of the smallest level, if there are so many; groups of a norm
# By the library's names.
SHAPE = (
    "sample_size",
    "in_channels",
    "block_out_channels",
    "layers_per_block",
    "norm_num_groups",
    "add_attention",
)
NOISE = ("prediction_type", "num_train_timesteps")


def prepare(
    order: Order, settings: DiffusionSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> DiffusionTraining:
    """Data, network and loop, nothing trained yet.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    (unet,) = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        _take_over(order, settings, unet)
    return DiffusionTraining(unet, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: DiffusionSettings) -> list[nn.Module]:
    """The library's UNet: one level for each halving of the side down to 8 rows, each a little wider.

    Not in channels_last: its many group norms lose there what the convolutions gain.
    """
    from diffusers import UNet2DModel
    from diffusers.utils import logging

    logging.disable_progress_bar()  # a bar for every checkpoint would tear the lines of events apart
    places = places_of(settings)
    num_levels = levels_of(places["sample_size"])
    unet = UNet2DModel(
        **places,
        block_out_channels=tuple(settings.base_channels * level for level in range(1, num_levels + 1)),
        layers_per_block=settings.layers_per_block,
        down_block_types=("DownBlock2D",) * num_levels,
        up_block_types=("UpBlock2D",) * num_levels,
        norm_num_groups=NORM_GROUPS,
        add_attention=settings.attention,
    )
    return [unet]


def places_of(settings: DiffusionSettings) -> dict[str, int]:
    """Rows of places and features of each, of what comes in and goes out, by the library's names."""
    num_features = COLOURS * settings.patch_size**2
    side = settings.image_size // settings.patch_size
    return {"sample_size": side, "in_channels": num_features, "out_channels": num_features}


def levels_of(side: int) -> int:
    """How often so many rows can be halved, and once more."""
    return max(1, (side // SMALLEST_SIDE).bit_length())


def _take_over(order: Order, settings: DiffusionSettings, unet: nn.Module) -> None:
    """Put in the weights of the model that `--init` names.

    Raises:
        InputError: there is none, or it has another shape, or says something else of noisy pictures.
    """
    folder = Path(model_to_go_on_from(order).location)
    old = load_unet(folder)
    check_shape(order, SHAPE, old, unet)
    check_shape(order, NOISE, load_scheduler(folder), noise_of(settings))
    unet.load_state_dict(old.state_dict())
