"""Training a diffusion model, the library baseline for pictures: network, noise and average are diffusers'.

A picture is mixed with noise, more or less of it, and the network learns to say which noise that was, or
which picture: one follows from the other. From noise alone it then takes away, little by little, what it
takes for noise.
"""

# Shapes: B pictures of a batch (this process's share of it), N sample pictures, C channels, H rows,
# W columns.

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler
from diffusers.training_utils import EMAModel, compute_snr
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.events import CheckpointSaved, SampleReady
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import PictureCorpus, prepare_pictures
from aigc_demo.data.images.pixels import as_numbers, grid
from aigc_demo.generators.images.diffusion import COLOURS, denoised, load_scheduler, load_unet, predicted
from aigc_demo.generators.images.model import Progress
from aigc_demo.training.diffusion.recipe import DiffusionSettings
from aigc_demo.training.family import Family, ForwardPasses
from aigc_demo.training.image_training import ImageTraining
from aigc_demo.training.initial_weights import check_shape, model_to_go_on_from
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

SAMPLE_SEED, VALIDATION_SEED = 0, 1
MOST_WEIGHT = 5.0  # of a picture with little noise, where the network is to say what the picture is
MEASURED_TOGETHER = 64
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


def noise_of(settings: DiffusionSettings) -> DDPMScheduler:
    """How much noise there is at each step, and what the network says of it."""
    # Few steps have to begin where training ended, at noise alone: hence "trailing".
    return DDPMScheduler(
        settings.noise_steps, timestep_spacing="trailing", prediction_type=settings.prediction_type
    )


class DiffusionTraining(ImageTraining):
    """One training of a diffusion model.

    Args:
        unet: from pictures with noise [B, C, H, W] and how much of it [B] to what the settings ask of it.
        corpus: what it is trained and measured on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and noise.

    Source:
        Ho et al. 2020, arXiv:2006.11239, algorithm 1 and eq. 14, for the noise; Salimans and Ho 2022,
        arXiv:2202.00512, section 4, for the picture, weighed by 1 + SNR, and for the velocity; Hang et al.
        2023, arXiv:2303.09556, for an end to that weight.
    """

    def __init__(
        self,
        unet: nn.Module,
        corpus: ImageCorpus,
        settings: DiffusionSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(unet, corpus, settings, budget, run, seed=seed)
        self.settings = settings
        self.noise = noise_of(settings)
        self.average = EMAModel(self.network.parameters(), decay=settings.ema_decay)
        self.accelerator.register_for_checkpointing(self.average)
        # What the average is put into to be measured and to draw, and to be written.
        self.kept = copy.deepcopy(self.network).eval().requires_grad_(False)
        shape = (settings.sample_pictures, 3, settings.image_size, settings.image_size)
        self.sample_noise_NCHW = torch.randn(shape, generator=seeded(SAMPLE_SEED))

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """Mean squared error of what the network says, weighed as the noise asks."""
        picture_BCHW, index_B = self.batches.rows(rng)
        noise_BCHW = torch.randn(picture_BCHW.shape, generator=rng)
        timestep_B = torch.randint(self.settings.noise_steps, (len(picture_BCHW),), generator=rng)
        parts = (self.mine(picture_BCHW), self.mine(noise_BCHW), self.mine(timestep_B))
        return self._loss(self.network, *parts, *map(self.mine, self.told(index_B, rng)))

    def told(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, ...]:
        """What the network is told of pictures for training beside how much noise there is: nothing here.

        Args:
            index_B: which of the corpus they are.
            rng: of the step.
        """
        return ()

    def told_held_out(self, index_B: Tensor) -> tuple[Tensor, ...]:
        """Likewise of held-out ones, the same each time."""
        return ()

    def after_step(self) -> None:
        """Let the average follow."""
        self.average.step(self.network.parameters())

    @torch.no_grad()
    def held_out(self, pictures: list[int]) -> dict[str, float]:
        """The average's loss on pictures with the same noise each time, as much of it on each as on any."""
        rng, total, device = seeded(VALIDATION_SEED), 0.0, self.accelerator.device
        kept = self.kept_network()
        index_N = torch.tensor(pictures)
        amount_N = (torch.arange(len(index_N)) + 0.5) / len(index_N) * self.settings.noise_steps
        timestep_N = amount_N.long()[torch.randperm(len(index_N), generator=rng)]
        places = zip(index_N.split(MEASURED_TOGETHER), timestep_N.split(MEASURED_TOGETHER), strict=True)
        for index_B, timestep_B in places:
            self.ask_to_go_on()
            picture_BCHW = as_numbers(self.pictures.validation[index_B])
            noise_BCHW = torch.randn(picture_BCHW.shape, generator=rng)
            known = (picture_BCHW, noise_BCHW, timestep_B, *self.told_held_out(index_B))
            parts = tuple(part.to(device) for part in known)
            total += self._loss(kept, *parts).item() * len(index_B)
        return {"loss": total / len(index_N)}

    def kept_network(self) -> nn.Module:
        """The network that is saved: the average of its weights over the last steps."""
        self.average.copy_to(self.kept.parameters())
        return self.kept

    def write_model(self, folder: Path) -> None:
        """As diffusers' pipelines load it, with a config.json that says which recipe made it."""
        self.writable.load_state_dict(self.kept_network().state_dict())
        DDPMPipeline(unet=self.writable, scheduler=self.noise).save_pretrained(folder)
        marker = {"recipe": "ddpm", "image_size": self.settings.image_size}
        (folder / "config.json").write_text(json.dumps(marker, indent=2) + "\n")

    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """As TrainingLoop; accelerate leaves the average on the CPU."""
        progress = super().read_state(checkpoint)
        self.average.to(self.accelerator.device)
        return progress

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Pictures from fixed noise, as one sheet; none where somebody wants to stop meanwhile."""
        if not self.settings.sample_pictures or self.told_meanwhile():
            return
        stopped = []

        def ask(step: int, total: int, preview_NCHW: Tensor) -> bool:
            stopped.append(self.told_meanwhile())
            return stopped[-1]

        scheduler = DDIMScheduler.from_config(self.noise.config)
        with self.accelerator.autocast():
            made_NCHW = self.drawn(scheduler, ask)
        if not stopped[-1]:
            sheet = grid(made_NCHW, columns=math.isqrt(len(made_NCHW)))
            file = self.run.write_sample_image(self.step, sheet)
            yield SampleReady(step=self.step, text=self.sample_text(), file=file)

    def sample_text(self) -> str:
        """What a sample's pictures were made of, in words: nothing here."""
        return ""

    def drawn(self, scheduler: DDIMScheduler, ask: Progress) -> Tensor:
        """The pictures of a sample, uint8; `ask` is told each step and may end it."""
        return denoised(
            self.kept_network(), scheduler, self.sample_noise_NCHW, self.settings.sample_steps, ask
        )

    def said(self, network: nn.Module, x_BCHW: Tensor, timestep_B: Tensor, *told: Tensor) -> Tensor:
        """What a network says of noisy pictures.

        Args:
            network: the trained one, or its average.
            x_BCHW: the pictures.
            timestep_B: how much noise there is in each.
            told: what `told` or `told_held_out` has of them.
        """
        return predicted(network, x_BCHW, timestep_B)

    def _loss(
        self, network: nn.Module, picture_BCHW: Tensor, noise_BCHW: Tensor, timestep_B: Tensor, *told: Tensor
    ) -> Tensor:
        noisy_BCHW = self.noise.add_noise(picture_BCHW, noise_BCHW, timestep_B)
        with self.accelerator.autocast():
            said_BCHW = self.said(network, noisy_BCHW, timestep_B, *told)
        asked = self.noise.config.prediction_type
        if asked == "sample":
            error_B = (said_BCHW.float() - picture_BCHW).square().flatten(1).mean(dim=1)
            snr_B = compute_snr(self.noise, timestep_B)
            return (error_B * (1 + snr_B).clamp(max=MOST_WEIGHT)).mean()
        wanted_BCHW = noise_BCHW
        if asked == "v_prediction":
            wanted_BCHW = self.noise.get_velocity(picture_BCHW, noise_BCHW, timestep_B)
        return F.mse_loss(said_BCHW.float(), wanted_BCHW)


def prepare(
    order: Order, settings: DiffusionSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> DiffusionTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pictures(order.source, settings)
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


def _forward_passes(parts: list[nn.Module], settings: DiffusionSettings) -> ForwardPasses:
    unet: Any = parts[0]
    places = places_of(settings)
    side = places["sample_size"]
    x_BCHW = torch.empty(settings.batch_size, places["in_channels"], side, side)
    return [(1, lambda: unet(x_BCHW, torch.zeros(settings.batch_size, dtype=torch.long)).sample)]


FAMILY = Family(prepare, networks, _forward_passes)
