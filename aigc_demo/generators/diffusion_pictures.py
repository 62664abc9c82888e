"""Pictures out of noise by a diffusion model in diffusers' layout, ours or one from the Hub.

The network and the noise schedule are the library's; here stands which files of a folder are believed, and
that each picture hangs on its own seed alone.
"""

# Shapes: N pictures, C channels, H rows, W columns.

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from aigc_demo.core.config import shown
from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.core.weights_file import PICKLES, check_weights, read_header, read_json
from aigc_demo.data.pixels import as_bytes
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import CatalogEntry, Family
from aigc_demo.generators.picture_model import PictureSampling, Progress

UNET, SCHEDULER = "unet", "scheduler"
WEIGHTS = "diffusion_pytorch_model.safetensors"
# Networks of before 2023 name the parts of an attention otherwise; the library renames them, and so do we.
OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
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
MOST_TIMESTEPS, MOST_PARTS, MOST_SIDE = 10_000, 8, 256
COLOURS = 3
CHANNELS = [COLOURS * side**2 for side in range(1, 17)]  # of pictures cut into squares

MOST_AT_ONCE = 64


class DiffusionPictures:
    """A diffusion model that makes pictures.

    Args:
        folder: of a run's checkpoint or of a snapshot of the Hub: `unet` and `scheduler` in folders of their
            own, or their files side by side.
        name: to show.
        family: whose it is.
        device: where it computes.

    Attributes:
        image_size: rows and columns of its pictures.
        num_parameters: of the network.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    def __init__(self, folder: Path, name: str = "ddpm", family: Family = "library", device: str = "cpu"):
        self.name, self.family = name, family
        self.network = load_unet(folder).to(device)
        self.scheduler = load_scheduler(folder)
        self.image_size = side_of_pictures(self.network)
        self.num_parameters = sum(weight.numel() for weight in self.network.parameters())

    def make(
        self, seeds: Sequence[int], sampling: PictureSampling, progress: Progress | None = None
    ) -> Tensor:
        """As PictureModel; after a word to stop, what the model guessed then of the pictures so far.

        A few at a time, so that a long row of seeds takes no more memory than a short one.
        """
        parts = (self.noise(seeds[n : n + MOST_AT_ONCE]) for n in range(0, len(seeds), MOST_AT_ONCE))
        return self._made(parts, sampling, progress)

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """What each seed's picture is made from: [N, C, H, W] from a standard normal distribution."""
        shape = (3, self.image_size, self.image_size)
        return torch.stack([torch.randn(shape, generator=seeded(seed)) for seed in seeds])

    def of_noise(
        self, noise_NCHW: Tensor, sampling: PictureSampling, progress: Progress | None = None
    ) -> Tensor:
        """Pictures of given noise, otherwise as `make`."""
        return self._made(noise_NCHW.split(MOST_AT_ONCE), sampling, progress)

    def _made(
        self, parts: Iterable[Tensor], sampling: PictureSampling, progress: Progress | None = None
    ) -> Tensor:
        made, stopped = [], False

        def told(step: int, total: int, guessed_NCHW: Tensor) -> bool:
            nonlocal stopped
            stopped = progress is not None and progress(step, total, guessed_NCHW)
            return stopped

        for part_NCHW in parts:
            made.append(denoised(self.network, self.scheduler, part_NCHW, sampling.num_inference_steps, told))
            if stopped:
                break
        return torch.cat(made)


def load_diffusion(
    entry: CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> DiffusionPictures:
    """A diffusion model by its entry in the catalog, fetched if it is not on this machine yet.

    Args:
        entry: of the model.
        progress: told (bytes fetched, bytes in all) while it is fetched.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    return DiffusionPictures(hub.fetch(entry, progress), entry.name, entry.family)


@torch.inference_mode()
def denoised(
    network: nn.Module,
    scheduler: Any,
    noise_NCHW: Tensor,
    num_inference_steps: int,
    callback: Progress = lambda *_: False,
) -> Tensor:
    """From noise to pictures, without any new noise on the way.

    Args:
        network: the library's UNet2DModel, which predicts what is in a noisy picture.
        scheduler: its DDIMScheduler.
        noise_NCHW: from a standard normal distribution.
        num_inference_steps: how often the network is asked.
        callback: told each step and the picture that the model guesses at it; true ends it there.

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
        guessed_NCHW = as_bytes(out.pred_original_sample).cpu()
        if callback(step, num_inference_steps, guessed_NCHW):
            return guessed_NCHW
    return as_bytes(x_NCHW).cpu()


def predicted(unet: nn.Module, x_NCHW: Tensor, timestep: Tensor, **told: Any) -> Tensor:
    """What a UNet of the library says of noisy pictures, [N, C, H, W].

    One that was made for more than three channels takes a square of pixels for one place: fewer places, of
    more features each. Nothing is lost, and neither the noise nor its schedule knows of it.

    Args:
        unet: UNet2DModel, or UNet2DConditionModel.
        x_NCHW: pictures with noise.
        timestep: how much of it.
        told: whatever else the network takes.

    Source:
        Hoogeboom et al. 2023, arXiv:2301.11093, section 3.4, for a UNet on patches.
    """
    side = _side_of_patch(unet)
    said_NCHW = unet(F.pixel_unshuffle(x_NCHW, side), timestep, **told).sample
    return F.pixel_shuffle(said_NCHW, side)


def side_of_pictures(unet: nn.Module) -> int:
    """Rows and columns of the pictures that a UNet was made for."""
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
    import diffusers

    network_class = getattr(diffusers, kind)
    place = _part(folder, UNET)
    path, config = place / WEIGHTS, read_json(place / "config.json")
    _check_unet(folder, config, kind)
    if not path.is_file():
        pickles = any(file.suffix in PICKLES for file in place.iterdir())
        detail = f"no {WEIGHTS}" + (", only a pickle, which could run code" if pickles else "")
        raise InputError("broken_model", path=str(folder), detail=detail)
    try:
        with torch.device("meta"):
            empty = network_class.from_config(config)
    except Exception as error:  # the library says in as many ways that it does not like a config
        raise InputError("broken_model", path=str(folder), detail="config.json of its unet") from error
    names = {_new_name(name): name for name in read_header(path)}
    expected = {names.get(name, name): tuple(weight.shape) for name, weight in empty.state_dict().items()}
    check_weights(path, expected)
    network: nn.Module = network_class.from_config(config)
    network.load_state_dict({_new_name(name): weight for name, weight in load_file(path).items()})
    return network.float().eval()


def load_scheduler(folder: Path) -> Any:
    """The library's DDIMScheduler for the noise that a model was trained with.

    Raises:
        InputError: the folder does not say which, or nonsense.
    """
    from diffusers import DDIMScheduler

    config = read_json(_part(folder, SCHEDULER) / "scheduler_config.json")
    known = {name: config[name] for name in OF_THE_NOISE if name in config}
    steps = known.get("num_train_timesteps", 1000)
    try:
        if type(steps) is not int or not 1 <= steps <= MOST_TIMESTEPS:
            raise ValueError("too many steps of noise")
        return DDIMScheduler(**known)
    except Exception as error:  # as above
        raise InputError("broken_model", path=str(folder), detail="scheduler_config.json") from error


def _part(folder: Path, name: str) -> Path:
    """Where a part's files are: old models of the Hub have all in one folder."""
    return folder / name if (folder / name).is_dir() else folder


def _check_unet(folder: Path, config: Mapping[str, Any], expected_kind: str) -> None:
    """Refuse another network, and one whose mere description takes long to build.

    Raises:
        InputError: it is one of these.
    """
    kind = config.get("_class_name")
    if kind != expected_kind:
        detail, expected = f"its network is {shown(kind)}", f"is a {expected_kind} of diffusers"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    side, channels, layers = (
        config.get(name) for name in ("sample_size", "block_out_channels", "layers_per_block")
    )
    sound = (
        type(side) is int
        and 1 <= side <= MOST_SIDE
        and isinstance(channels, list)
        and len(channels) <= MOST_PARTS
        and (layers is None or (type(layers) is int and 1 <= layers <= MOST_PARTS))
        and config.get("in_channels", COLOURS) == config.get("out_channels", COLOURS)
        and config.get("in_channels", COLOURS) in CHANNELS
    )
    if not sound:
        raise InputError("broken_model", path=str(folder), detail="config.json of its unet")


def _new_name(name: str) -> str:
    """A weight's name as the library has it now."""
    if ".attentions." not in name:
        return name
    for old, new in OLD_NAMES.items():
        name = name.replace(old, new)
    return name
