"""Training two networks against each other: a generator of events.

One step is one move of each side: the discriminator learns to tell real pictures from the generator's, and
the generator learns to be taken for real by the discriminator as it is now. The formulas are in
`nets/adversarial`.
"""

# Shapes: B pictures of a batch, C channels, H rows, W columns, Z latent features.

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, update_bn

from aigc_demo.core.device import precision, seeded
from aigc_demo.core.events import CheckpointSaved, SampleReady, StepDone, ValidationDone
from aigc_demo.core.files.manifest import STATE
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.metadata import notices
from aigc_demo.data.images.corpus import PictureCorpus, prepare_pictures
from aigc_demo.data.images.pixels import as_bytes, as_numbers, grid
from aigc_demo.generators.images.gan import DISCRIMINATOR, GENERATOR, load_networks
from aigc_demo.nets.adversarial import discriminator_loss, generator_loss, r1_penalty
from aigc_demo.nets.diff_augment import diff_augment
from aigc_demo.nets.style_generator import StyleGenerator
from aigc_demo.training.checkpoint import checkpoint_folder, read_progress, writable_copy, write_progress
from aigc_demo.training.family import Family
from aigc_demo.training.gan.networks import forward_passes, networks
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings
from aigc_demo.training.image_training import ImageBatches
from aigc_demo.training.initial_weights import take_over
from aigc_demo.training.loop import TrainingLoop
from aigc_demo.training.optimizers import muon_dtype, optimizers_of_network, set_rates
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

SAMPLE_SEED = 0
MOST_HELD_OUT = 256
# Batches of noise from which the kept generator's batch norms learn their statistics before it is saved.
NUM_SETTLING_BATCHES = 16


class GanTraining(TrainingLoop):
    """One training of a generator and a discriminator.

    Args:
        generator: from noise [B, Z] to pictures [B, C, H, W] in -1 to 1.
        discriminator: from pictures to scores [B].
        corpus: what real pictures are.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and noise.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        corpus: ImageCorpus,
        settings: GanSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        accelerator = Accelerator(mixed_precision=precision(settings.mixed_precision))
        super().__init__(corpus, settings, budget, run, accelerator)
        self.check_shares(settings.batch_size)
        self.pictures: ImageCorpus = corpus
        self.settings = settings
        self.batches = ImageBatches(corpus, settings, settings.batch_size, seed)
        # Not wrapped for several processes: two networks that take turns average their gradients by hand.
        self.generator = generator.to(accelerator.device)
        self.discriminator = discriminator.to(accelerator.device)
        self.writable = {
            name: writable_copy(network)
            for name, network in ((GENERATOR, generator), (DISCRIMINATOR, discriminator))
        }
        self.average = None
        if settings.ema_decay:
            remember = partial(_remember, settings.ema_decay)
            self.average = AveragedModel(self.generator, multi_avg_fn=remember)
        rate, other = settings.learning_rate, settings.discriminator_learning_rate
        self.generator_optimizers = self._optimizers(self.generator, rate)
        self.discriminator_optimizers = self._optimizers(self.discriminator, rate if other is None else other)
        for part in (self.generator, self.discriminator, self.average):
            if part is not None:
                accelerator.register_for_checkpointing(part)
        self.sample_noise_NZ = torch.randn(
            settings.sample_pictures, settings.latent_size, generator=seeded(SAMPLE_SEED)
        )

    def train_step(self) -> StepDone:
        """The discriminator's moves, then the generator's, on this process's rows of the batch."""
        started = time.perf_counter()
        optimizers = (*self.generator_optimizers, *self.discriminator_optimizers)
        factor = set_rates(optimizers, self.share_done(), schedule=self.settings.schedule)
        self.generator.train()
        self.discriminator.train()
        for move in range(1, self.settings.discriminator_steps):
            self._discriminator_move(self.batches.stream(self.step, move), keep_graph=False)
        # The last move's pictures are the generator's own too: made once, judged twice.
        rng = self.batches.stream(self.step)
        fake_BCHW, seen = self._discriminator_move(rng, keep_graph=True)
        told, gradient_norm, heard = self._generator_move(fake_BCHW, rng)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        seen |= heard | self.after_moves(rng)
        if (self.step + 1) % self.settings.validate_every == 0:
            seen |= self.held_out()
        measures = {**seen, **self.measures_of_step(started, factor, gradient_norm)}
        return StepDone(step=self.step, loss=told, measures=measures)

    def measures_of_step(self, started: float, factor: float, gradient_norm: float) -> dict[str, Any]:
        """Count a step that began then, and say what every step says of itself."""
        seconds = self.count_step(time.perf_counter() - started)
        return {
            "gradient_norm": round(gradient_norm, 6),
            "learning_rate": self.settings.learning_rate * factor,
            "pictures_per_second": round(self.settings.batch_size / seconds, 1),
            "seconds": round(self.seconds, 3),
        }

    def _discriminator_move(
        self, rng: torch.Generator, *, keep_graph: bool
    ) -> tuple[Tensor, dict[str, int | float]]:
        """One step of the discriminator; returns the generator's pictures and what was seen of both kinds."""
        self.show_life()
        settings = self.settings
        real_BCHW, index_B = self.batches.rows(rng)
        noise_BZ = torch.randn(settings.batch_size, settings.latent_size, generator=rng)
        real_BCHW, noise_BZ = self.mine(real_BCHW), self.mine(noise_BZ)
        self.look_up(real_BCHW, index_B, rng)
        with self.accelerator.autocast():
            with torch.set_grad_enabled(keep_graph):
                fake_BCHW = self.made(noise_BZ, rng)
            # detach: the discriminator's step must not reach the generator.
            loss, seen = self.discriminator_side(
                self._changed(real_BCHW, rng), self._changed(fake_BCHW.detach(), rng)
            )
            penalty: Tensor | float = 0.0
            if settings.r1_gamma and self.step % settings.r1_every == 0:
                # As many times as strong as it is seldom.
                weight = settings.r1_gamma / 2 * settings.r1_every
                penalty = weight * r1_penalty(self.score, real_BCHW)
        self.accelerator.backward(loss + penalty)
        self._step(self.discriminator, self.discriminator_optimizers)
        return fake_BCHW, self._told({"discriminator_loss": loss, **seen})

    def _generator_move(
        self, fake_BCHW: Tensor, rng: torch.Generator
    ) -> tuple[float, float, dict[str, int | float]]:
        """One step of the generator; returns its loss, the length of its gradient and what else is told."""
        self.show_life()
        # The discriminator is only looked through here: its own gradients would be thrown away.
        with _frozen(self.discriminator):
            with self.accelerator.autocast():
                loss, seen = self.generator_side(fake_BCHW, rng)
            self.accelerator.backward(loss)
        norm = self._step(self.generator, self.generator_optimizers)
        # Looking through it moved the statistics of its batch norms, on other pictures in each process.
        self.average_over_processes(self.discriminator)
        told = self._told({"loss": loss, **seen})
        return told.pop("loss"), norm, told

    def _told(self, found: dict[str, Tensor]) -> dict[str, int | float]:
        """Single numbers as means over all processes."""
        numbers = torch.stack([value.detach().float() for value in found.values()])
        numbers = self.accelerator.reduce(numbers, reduction="mean")
        return {name: round(value, 5) for name, value in zip(found, numbers.tolist(), strict=True)}

    def look_up(self, real_BCHW: Tensor, index_B: Tensor, rng: torch.Generator) -> None:
        """What a step needs to know of its real pictures beside what is on them: nothing here.

        Args:
            real_BCHW: this process's.
            index_B: which of the corpus all processes' are.
            rng: of the step.
        """

    def score(self, x_BCHW: Tensor) -> Tensor:
        """What the discriminator says of pictures [B]."""
        return self.discriminator(x_BCHW)

    def discriminator_side(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What the discriminator makes small, and what is told of it."""
        real_score_B, fake_score_B = self._judged(real_BCHW, fake_BCHW)
        settings = self.settings
        loss = discriminator_loss(real_score_B, fake_score_B, settings.loss, settings.label_smoothing)
        return loss, {"real_prob": mean_prob(real_score_B), "fake_prob": mean_prob(fake_score_B)}

    def generator_side(self, fake_BCHW: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """What the generator makes small, and what is told of it beside."""
        return generator_loss(self.score(self._changed(fake_BCHW, rng)), self.settings.loss), {}

    def after_moves(self, rng: torch.Generator) -> dict[str, int | float]:
        """What else learns in a step: nothing here."""
        return {}

    def _step(self, network: nn.Module, optimizers: list[Optimizer]) -> float:
        """Along the gradients of all processes; returns their length, unscaled."""
        self.average_over_processes(network)
        scaler = self.accelerator.scaler
        if scaler is not None:
            for optimizer in optimizers:
                scaler.unscale_(optimizer.optimizer)  # type: ignore[attr-defined]
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        self.step_optimizers(optimizers, finite=math.isfinite(norm))
        return norm

    def _judged(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of both kinds [B]: apart where batch norm would mix them, else as one batch."""
        if self.settings.discriminator_norm == "batch":
            return self.discriminator(real_BCHW), self.discriminator(fake_BCHW)
        real_score_B, fake_score_B = self.discriminator(torch.cat([real_BCHW, fake_BCHW])).chunk(2)
        return real_score_B, fake_score_B

    def _changed(self, x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
        """Through the differentiable augmentation, real pictures and the generator's alike."""
        policies = self.settings.diff_augment
        return diff_augment(x_BCHW, rng, policies) if policies else x_BCHW

    def made(self, noise_BZ: Tensor, rng: torch.Generator) -> Tensor:
        """The generator's pictures; a style-based one mixes two styles in some of them, and draws noise."""
        if not isinstance(self.generator, StyleGenerator):
            return self.generator(noise_BZ)
        assert isinstance(self.settings, StyleGanSettings)  # its recipe has no other
        w_BLW = self.generator.styles(noise_BZ)
        other_BLW = self.generator.styles(noise_BZ.roll(1, dims=0))
        num_styles = w_BLW.shape[1]
        mixed_B = torch.rand(len(noise_BZ), generator=rng) < self.settings.style_mixing_prob
        from_B = torch.randint(1, num_styles, (len(noise_BZ),), generator=rng)
        swapped_BL = (torch.arange(num_styles) >= from_B[:, None]) & mixed_B[:, None]
        w_BLW = torch.where(swapped_BL[:, :, None].to(w_BLW.device), other_BLW, w_BLW)
        return self.generator.synthesize(w_BLW, rng)

    @torch.no_grad()
    def held_out(self) -> dict[str, int | float]:
        """How sure the discriminator is of real pictures that it never saw: does it know them by heart?"""
        held_out = self.pictures.validation[:MOST_HELD_OUT]
        if not len(held_out):
            return {}
        self.discriminator.eval()
        with self.accelerator.autocast():
            score_B = self.discriminator(as_numbers(held_out).to(self.accelerator.device))
        self.discriminator.train()
        return {"held_out_prob": round(score_B.sigmoid().mean().item(), 5)}

    def _optimizers(self, network: nn.Module, rate: float) -> list[Optimizer]:
        settings = self.settings
        found = optimizers_of_network(
            network,
            kind=settings.optimizer,
            learning_rate=rate,
            muon_learning_rate=settings.muon_learning_rate,
            betas=(settings.beta1, settings.beta2),
            muon_dtype=muon_dtype(self.accelerator.mixed_precision),
        )
        return [self.accelerator.prepare(optimizer) for optimizer in found]

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Nothing: neither side's loss says how good the pictures are."""
        return []

    def kept_generator(self) -> nn.Module:
        """The generator that is saved: its last weights, or their average over the last steps."""
        return self.generator if self.average is None else self.average.module

    @torch.no_grad()
    def _settle(self) -> None:
        """An average has no batches of its own, so before it is saved its batch norms see some."""
        if self.average is None:
            return
        rng = seeded(SAMPLE_SEED)
        shape = (self.settings.batch_size, self.settings.latent_size)
        noise = [torch.randn(*shape, generator=rng) for _ in range(NUM_SETTLING_BATCHES)]
        self.settle(self.average, noise)

    def settle(self, average: AveragedModel, noise: list[Tensor]) -> None:
        """Let the batch norms of an average learn their statistics from these batches."""
        update_bn(noise, average, device=self.accelerator.device)

    def write_checkpoint(self, progress: dict[str, Any]) -> Path:
        """The model, and what resuming needs."""
        with checkpoint_folder(self.run, self.step, self.accelerator) as folder:
            self.accelerator.save_state(str(folder / STATE))
            if self.accelerator.is_main_process:
                self._settle()
                self.write_model(folder)
                write_progress(folder, progress)
        return folder.with_name(f"step-{self.step:06d}")

    def write_model(self, folder: Path) -> None:
        """A folder for each of the two networks, in half precision."""
        networks = {GENERATOR: self.kept_generator(), DISCRIMINATOR: self.discriminator}
        for name, network in networks.items():
            self.writable[name].load_state_dict(network.state_dict())
            self.writable[name].save_pretrained(folder / name)  # type: ignore[operator]
            (folder / name / "README.md").unlink(missing_ok=True)  # the card is the whole model's

    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """As TrainingLoop."""
        progress = read_progress(checkpoint)
        self.accelerator.load_state(str(checkpoint / STATE))
        return progress

    @torch.inference_mode()
    def sample_pictures(self) -> Tensor:
        """What the generator that was just saved makes of the same noise each time: uint8 [N, C, H, W]."""
        network = self.kept_generator()
        was_training = network.training
        network.eval()
        with self.accelerator.autocast():
            made_NCHW = self.sampled(network, self.sample_noise_NZ.to(self.accelerator.device))
        network.train(was_training)
        return as_bytes(made_NCHW).cpu()

    def sampled(self, network: nn.Module, noise_NZ: Tensor) -> Tensor:
        """Pictures of a sample in -1 to 1, of the noise that each is made from."""
        return network(noise_NZ)

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Pictures from fixed noise, as one sheet."""
        if not self.settings.sample_pictures or self.told_meanwhile():
            return
        made_NCHW = self.sample_pictures()
        sheet = grid(made_NCHW, columns=math.isqrt(len(made_NCHW)))
        file = self.run.write_sample_image(self.step, sheet)
        yield SampleReady(step=self.step, text=self.sample_text(), file=file)

    def sample_text(self) -> str:
        """What a sample's pictures were made of, in words: nothing here."""
        return ""

    def facts(self) -> dict[str, Any]:
        """Sizes of networks and data."""
        sizes = [sum(p.numel() for p in part.parameters()) for part in (self.generator, self.discriminator)]
        return {
            "num_parameters": sum(sizes),
            "generator_parameters": sizes[0],
            "discriminator_parameters": sizes[1],
            "train_pictures": len(self.pictures.train),
            "validation_pictures": len(self.pictures.validation),
            "num_modes": self.pictures.num_modes,
            "preparation": [step.to_dict() for step in self.pictures.report],
        }

    def notices(self) -> list[tuple[str, dict[str, Any]]]:
        """Which captions and pictures of a folder did not find each other."""
        return notices(self.pictures.report[0].facts)


@torch.no_grad()
def _remember(
    decay: float, averages: list[Tensor], weights: list[Tensor], num_averaged: Tensor | int
) -> None:
    """Move averages towards weights; the memory grows to `decay`, lest untrained weights stay in it for long.

    Source:
        diffusers' EMAModel, the factor (1 + n) / (10 + n) of its `get_decay`.
    """
    n = int(num_averaged)
    torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + n) / (10 + n)))


def mean_prob(score_B: Tensor) -> Tensor:
    """How sure a discriminator is, on average, that pictures are real."""
    return score_B.detach().sigmoid().mean()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through a network, and none are kept for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def prepare(
    order: Order, settings: GanSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> GanTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pictures(order.source, settings)
    torch.manual_seed(order.seed)
    generator, discriminator = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        take_over(order, (generator, discriminator), load_networks)
    return GanTraining(generator, discriminator, corpus, settings, budget, run, seed=order.seed)


FAMILY = Family(prepare, networks, forward_passes)
