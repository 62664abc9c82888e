"""Training a diffusion model, the library baseline for images: network, scheduler and average are diffusers'.

Noise is added to an image, more or less of it, and the network is trained to predict the noise, the image, or
the velocity: each follows from the others. Sampling starts from noise alone and removes it step by step.
"""

# Shapes: B images of a batch (this process's share of it), N images of a sample, C channels, H rows,
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
from aigc_demo.data.images.corpus import ImageCorpus, prepare_images
from aigc_demo.data.images.pixels import grid, to_float
from aigc_demo.generators.images.diffusion import COLOURS, denoised, load_scheduler, load_unet, predicted
from aigc_demo.generators.images.model import Progress
from aigc_demo.training.diffusion.recipe import NAME, DiffusionSettings
from aigc_demo.training.family import Family, ForwardPasses
from aigc_demo.training.initial_weights import check_shape, init_model
from aigc_demo.training.loops.image_training import ImageTraining
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

SAMPLE_SEED, VALIDATION_SEED = 0, 1
MAX_SNR_WEIGHT = 5.0  # of an image with little noise, where the network predicts the image
MEASURED_TOGETHER = 64
SMALLEST_SIDE, NORM_GROUPS = 8, 8  # rows of the smallest level, if there are so many; groups of group norm
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


def noise_schedule(settings: DiffusionSettings) -> DDPMScheduler:
    """The noise at each timestep, and what the network predicts."""
    # Few steps have to begin where training ended, at noise alone: hence "trailing".
    return DDPMScheduler(
        settings.noise_steps, timestep_spacing="trailing", prediction_type=settings.prediction_type
    )


class DiffusionTraining(ImageTraining):
    """One training of a diffusion model.

    Args:
        unet: from noisy images [B, C, H, W] and timesteps [B] to its prediction, as the settings say.
        corpus: images for training and validation.
        seed: of batches and noise.

    Source:
        Ho et al. 2020, arXiv:2006.11239, algorithm 1 and eq. 14, for predicting the noise; Salimans and Ho
        2022, arXiv:2202.00512, section 4, for predicting the image, weighted by 1 + SNR, and the velocity;
        Hang et al. 2023, arXiv:2303.09556, for the upper limit of that weight.
    """

    recipe = NAME

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
        self.noise = noise_schedule(settings)
        self.average = EMAModel(self.network.parameters(), decay=settings.ema_decay)
        self.accelerator.register_for_checkpointing(self.average)
        # The averaged weights are copied into it, for validation, samples and checkpoints.
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        shape = (settings.sample_pictures, 3, settings.image_size, settings.image_size)
        self.sample_noise_NCHW = torch.randn(shape, generator=seeded(SAMPLE_SEED))

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """Mean squared error of the prediction, weighted by the signal-to-noise ratio for images."""
        image_BCHW, index_B = self.batches.rows(rng)
        noise_BCHW = torch.randn(image_BCHW.shape, generator=rng)
        timestep_B = torch.randint(self.settings.noise_steps, (len(image_BCHW),), generator=rng)
        parts = (self.local_rows(image_BCHW), self.local_rows(noise_BCHW), self.local_rows(timestep_B))
        return self._loss(self.network, *parts, *map(self.local_rows, self.conditioning(index_B, rng)))

    def conditioning(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, ...]:
        """Hook: the network's condition for training images, beside the timestep.

        Args:
            index_B: their indices in the corpus.
            rng: of the step.
        """
        return ()

    def validation_conditioning(self, index_B: Tensor) -> tuple[Tensor, ...]:
        """The same for held-out images, equal each time."""
        return ()

    def after_step(self) -> None:
        """Update the moving average of the weights."""
        self.average.step(self.network.parameters())

    @torch.no_grad()
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """The averaged network's loss, with the same noise each time and evenly spread timesteps."""
        rng, total, device = seeded(VALIDATION_SEED), 0.0, self.accelerator.device
        network = self.averaged_network()
        index_N = torch.tensor(indices)
        position_N = (torch.arange(len(index_N)) + 0.5) / len(index_N) * self.settings.noise_steps
        timestep_N = position_N.long()[torch.randperm(len(index_N), generator=rng)]
        batches = zip(index_N.split(MEASURED_TOGETHER), timestep_N.split(MEASURED_TOGETHER), strict=True)
        for index_B, timestep_B in batches:
            self.check_stop()
            image_BCHW = to_float(self.images.validation[index_B])
            noise_BCHW = torch.randn(image_BCHW.shape, generator=rng)
            inputs = (image_BCHW, noise_BCHW, timestep_B, *self.validation_conditioning(index_B))
            parts = tuple(part.to(device) for part in inputs)
            total += self._loss(network, *parts).item() * len(index_B)
        return {"loss": total / len(index_N)}

    def averaged_network(self) -> nn.Module:
        """The network that is saved: the moving average of the weights."""
        self.average.copy_to(self.averaged.parameters())
        return self.averaged

    def write_model(self, folder: Path) -> None:
        """As diffusers' pipelines load it, with a config.json that names the recipe."""
        self.writable.load_state_dict(self.averaged_network().state_dict())
        DDPMPipeline(unet=self.writable, scheduler=self.noise).save_pretrained(folder)
        self.write_config(folder)

    def write_config(self, folder: Path) -> None:
        """The recipe, in a config.json beside the library's own files."""
        marker = {"recipe": self.recipe, "image_size": self.settings.image_size}
        (folder / "config.json").write_text(json.dumps(marker, indent=2) + "\n")

    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """As TrainingLoop; accelerate leaves the average on the CPU."""
        progress = super().read_state(checkpoint)
        self.average.to(self.accelerator.device)
        return progress

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Images from fixed noise, as one sheet; none where the run is to stop meanwhile."""
        if not self.settings.sample_pictures or self.asked_to_stop():
            return
        stopped = []

        def ask(step: int, total: int, preview_NCHW: Tensor) -> bool:
            stopped.append(self.asked_to_stop())
            return stopped[-1]

        scheduler = DDIMScheduler.from_config(self.noise.config)
        with self.accelerator.autocast():
            generated_NCHW = self.generate_sample(scheduler, ask)
        if not stopped[-1]:
            sheet = grid(generated_NCHW, columns=math.isqrt(len(generated_NCHW)))
            file = self.run.write_sample_image(self.step, sheet)
            yield SampleReady(step=self.step, text=self.sample_text(), file=file)

    def sample_text(self) -> str:
        """The prompts of the sample's images: none here."""
        return ""

    def generate_sample(self, scheduler: DDIMScheduler, ask: Progress) -> Tensor:
        """The images of a sample, uint8; `ask` is called at each step and may end it."""
        return denoised(
            self.averaged_network(), scheduler, self.sample_noise_NCHW, self.settings.sample_steps, ask
        )

    def model_output(
        self, network: nn.Module, x_BCHW: Tensor, timestep_B: Tensor, *conditioning: Tensor
    ) -> Tensor:
        """A network's prediction for noisy images.

        Args:
            network: the trained one, or its average.
            x_BCHW: noisy images.
            timestep_B: of each.
            conditioning: what `conditioning` or `validation_conditioning` returns.
        """
        return predicted(network, x_BCHW, timestep_B)

    def _loss(
        self,
        network: nn.Module,
        image_BCHW: Tensor,
        noise_BCHW: Tensor,
        timestep_B: Tensor,
        *conditioning: Tensor,
    ) -> Tensor:
        noisy_BCHW = self.noise.add_noise(image_BCHW, noise_BCHW, timestep_B)
        with self.accelerator.autocast():
            output_BCHW = self.model_output(network, noisy_BCHW, timestep_B, *conditioning)
        prediction_type = self.noise.config.prediction_type
        if prediction_type == "sample":
            error_B = (output_BCHW.float() - image_BCHW).square().flatten(1).mean(dim=1)
            snr_B = compute_snr(self.noise, timestep_B)
            return (error_B * (1 + snr_B).clamp(max=MAX_SNR_WEIGHT)).mean()
        target_BCHW = noise_BCHW
        if prediction_type == "v_prediction":
            target_BCHW = self.noise.get_velocity(image_BCHW, noise_BCHW, timestep_B)
        return F.mse_loss(output_BCHW.float(), target_BCHW)


def prepare(
    order: Order, settings: DiffusionSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> DiffusionTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no images, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    (unet,) = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        _take_over(order, settings, unet)
    return DiffusionTraining(unet, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: DiffusionSettings) -> list[nn.Module]:
    """The library's U-Net: one level for each halving of the side down to 8 rows, each a little wider.

    Not in channels_last: its many group norms lose there what the convolutions gain.
    """
    from diffusers import UNet2DModel
    from diffusers.utils import logging

    logging.disable_progress_bar()  # a bar for every checkpoint would tear the lines of events apart
    places = unet_sizes(settings)
    num_levels = num_levels_of(places["sample_size"])
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


def unet_sizes(settings: DiffusionSettings) -> dict[str, int]:
    """Side and channels of the U-Net's input and output, by the library's names."""
    num_features = COLOURS * settings.patch_size**2
    side = settings.image_size // settings.patch_size
    return {"sample_size": side, "in_channels": num_features, "out_channels": num_features}


def num_levels_of(side: int) -> int:
    """Levels of a U-Net: how often so many rows can be halved, plus one."""
    return max(1, (side // SMALLEST_SIDE).bit_length())


def _take_over(order: Order, settings: DiffusionSettings, unet: nn.Module) -> None:
    """Put in the weights of the model that `--init` names.

    Raises:
        InputError: there is none, or it has another shape, or another prediction type.
    """
    folder = Path(init_model(order).location)
    old = load_unet(folder)
    check_shape(order, SHAPE, old, unet)
    check_shape(order, NOISE, load_scheduler(folder), noise_schedule(settings))
    unet.load_state_dict(old.state_dict())


def _forward_passes(parts: list[nn.Module], settings: DiffusionSettings) -> ForwardPasses:
    unet: Any = parts[0]
    places = unet_sizes(settings)
    side = places["sample_size"]
    x_BCHW = torch.empty(settings.batch_size, places["in_channels"], side, side)
    return [(1, lambda: unet(x_BCHW, torch.zeros(settings.batch_size, dtype=torch.long)).sample)]


FAMILY = Family(prepare, networks, _forward_passes)
