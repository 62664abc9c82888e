"""Unconditional diffusion models in diffusers' layout, ours or from the Hub.

The network and the noise schedule are the library's; this module checks the files of a folder, and makes
each image depend on its own seed alone.
"""

# Shapes: N images, C channels, H rows, W columns.

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.images.model import ImageSampling, Progress
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.pretrained.config_keys import SCHEDULERS
from aigc_demo.generators.pretrained.network import diffusers_config, load_diffusers
from aigc_demo.generators.pretrained.untrusted_config import taken

UNET, SCHEDULER = "unet", "scheduler"
# What a folder may say of the noise: numbers and words, and not how the library is to compute.
OF_THE_NOISE = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "clip_sample",
    "clip_sample_range",
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
)
DDIM = SCHEDULERS["DDIMScheduler"]
MOST_SIDE = 256
COLOURS = 3
CHANNELS = [COLOURS * side**2 for side in range(1, 17)]  # of images cut into squares

MOST_AT_ONCE = 64


class DiffusionImages:
    """A diffusion model that makes images.

    Args:
        folder: of a run's checkpoint or of a snapshot of the Hub: `unet` and `scheduler` in folders of their
            own, or their files side by side.
        name: to show.
        family: whose it is.
        device: where it computes.

    Attributes:
        image_size: rows and columns of its images.
        num_parameters: of the network.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    def __init__(self, folder: Path, name: str = "ddpm", family: Family = "library", device: str = "cpu"):
        self.name, self.family = name, family
        self.network = load_unet(folder).to(device)
        self.scheduler = load_scheduler(folder)
        self.image_size = side_of_images(self.network)
        self.num_parameters = sum(weight.numel() for weight in self.network.parameters())

    def make(self, seeds: Sequence[int], sampling: ImageSampling, progress: Progress | None = None) -> Tensor:
        """As ImageModel; if cancelled, the current estimate of the images.

        A few at a time, so that a long row of seeds takes no more memory than a short one.
        """
        parts = (self.noise(seeds[n : n + MOST_AT_ONCE]) for n in range(0, len(seeds), MOST_AT_ONCE))
        return self._denoise(parts, sampling, progress)

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """The initial noise of each seed, [N, C, H, W], standard normal."""
        shape = (3, self.image_size, self.image_size)
        return torch.stack([torch.randn(shape, generator=seeded(seed)) for seed in seeds])

    def of_noise(
        self, noise_NCHW: Tensor, sampling: ImageSampling, progress: Progress | None = None
    ) -> Tensor:
        """Images of given noise, otherwise as `make`."""
        return self._denoise(noise_NCHW.split(MOST_AT_ONCE), sampling, progress)

    def _denoise(
        self, parts: Iterable[Tensor], sampling: ImageSampling, progress: Progress | None = None
    ) -> Tensor:
        batches, stopped = [], False

        def on_step(step: int, total: int, guessed_NCHW: Tensor) -> bool:
            nonlocal stopped
            stopped = progress is not None and progress(step, total, guessed_NCHW)
            return stopped

        for part_NCHW in parts:
            batches.append(
                denoised(self.network, self.scheduler, part_NCHW, sampling.num_inference_steps, on_step)
            )
            if stopped:
                break
        return torch.cat(batches)


def load_diffusion(
    entry: CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> DiffusionImages:
    """A diffusion model by its entry in the catalog, fetched if it is not on this machine yet.

    Args:
        entry: of the model.
        progress: called with (bytes fetched, bytes in all) while it is fetched.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        return DiffusionImages(folder, entry.name, entry.family)


@torch.inference_mode()
def denoised(
    network: nn.Module,
    scheduler: Any,
    noise_NCHW: Tensor,
    num_inference_steps: int,
    callback: Progress = lambda *_: False,
) -> Tensor:
    """Denoise deterministically, without new noise at each step.

    Args:
        network: the library's UNet2DModel, which predicts what is in a noisy image.
        scheduler: its DDIMScheduler.
        noise_NCHW: from a standard normal distribution.
        num_inference_steps: how often the network is asked.
        callback: called with each step and the image that the model guesses at it; true ends it there.

    Returns:
        uint8 [N, C, H, W].

    Source:
        Song et al. 2020, arXiv:2010.02502, eq. 12 with sigma 0.
    """
    device = next(network.parameters()).device
    scheduler = copy.deepcopy(scheduler)  # it keeps its place, and others may be at work with the same model
    scheduler.set_timesteps(num_inference_steps)
    x_NCHW = noise_NCHW.to(device)
    for step, timestep in enumerate(scheduler.timesteps, start=1):
        predicted_NCHW = predicted(network, x_NCHW, timestep).float()
        out = scheduler.step(predicted_NCHW, timestep, x_NCHW, eta=0.0)
        x_NCHW = out.prev_sample
        guessed_NCHW = to_uint8(out.pred_original_sample).cpu()
        if callback(step, num_inference_steps, guessed_NCHW):
            return guessed_NCHW
    return to_uint8(x_NCHW).cpu()


def predicted(unet: nn.Module, x_NCHW: Tensor, timestep: Tensor, **conditioning: Any) -> Tensor:
    """The U-Net's prediction for noisy images, [N, C, H, W].

    A U-Net with more than three channels works on patches: a square of pixels is one position with more
    features. Nothing is lost, and noise and schedule are unchanged.

    Args:
        unet: UNet2DModel, or UNet2DConditionModel.
        x_NCHW: images with noise.
        timestep: how much of it.
        conditioning: whatever else the network takes.

    Source:
        Hoogeboom et al. 2023, arXiv:2301.11093, section 3.4, for a UNet on patches.
    """
    side = _side_of_patch(unet)
    output_NCHW = unet(F.pixel_unshuffle(x_NCHW, side), timestep, **conditioning).sample
    return F.pixel_shuffle(output_NCHW, side)


def side_of_images(unet: nn.Module) -> int:
    """Height and width of the images that a U-Net generates."""
    config: Any = unet.config
    return config.sample_size * _side_of_patch(unet)


def _side_of_patch(unet: nn.Module) -> int:
    config: Any = unet.config
    return math.isqrt(config.in_channels // COLOURS)


def load_unet(folder: Path, kind: str = "UNet2DModel") -> nn.Module:
    """The network in a model's folder, in evaluation mode, float32.

    Args:
        folder: of the model.
        kind: UNet2DModel, or UNet2DConditionModel for one that is given captions.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    place = _part(folder, UNET)
    config = diffusers_config(kind, place)
    side, channels = config.get("sample_size"), config.get("in_channels", COLOURS)
    if (
        side is None
        or side > MOST_SIDE
        or channels not in CHANNELS
        or channels != config.get("out_channels", COLOURS)
    ):
        raise InputError("broken_model", path=str(folder), detail="config.json of its unet")
    return load_diffusers(kind, place)


def load_scheduler(folder: Path) -> Any:
    """The library's DDIMScheduler for the noise that a model was trained with.

    Raises:
        InputError: the folder does not say which, or nonsense.
    """
    from diffusers import DDIMScheduler

    place = _part(folder, SCHEDULER)
    name = "scheduler_config.json"
    known = taken(read_json(place / name), {key: DDIM[key] for key in OF_THE_NOISE}, str(folder), name)
    try:
        return DDIMScheduler(**known)
    except Exception as error:  # the library says in as many ways that it does not like a config
        raise InputError("broken_model", path=str(folder), detail=name) from error


def _part(folder: Path, name: str) -> Path:
    """The folder of a component: old models of the Hub have all in one folder."""
    return folder / name if (folder / name).is_dir() else folder
