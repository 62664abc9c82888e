"""Training two networks against each other: a generator of events.

In each step the discriminator is trained to tell real images from generated ones, then the generator to be
taken for real by the discriminator as it is now. The formulas are in `nets/images/adversarial`.
"""

# Shapes: B images of a batch, C channels, H rows, W columns, Z latent features.

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, update_bn

from aigc_demo.core.device import seeded
from aigc_demo.core.events import CheckpointSaved, SampleReady, StepDone, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus, prepare_images
from aigc_demo.data.images.pixels import grid, to_float, to_uint8
from aigc_demo.generators.images.gan import load_networks
from aigc_demo.generators.trained_folder import DISCRIMINATOR, GENERATOR
from aigc_demo.nets.images.adversarial import discriminator_loss, generator_loss, r1_penalty
from aigc_demo.nets.images.diff_augment import diff_augment
from aigc_demo.training.checkpoint import writable_copy
from aigc_demo.training.family import Family
from aigc_demo.training.gan.networks import forward_passes, networks, with_style_mixing
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings
from aigc_demo.training.initial_weights import load_initial_weights
from aigc_demo.training.loops.image_training import ImageLoop
from aigc_demo.training.optimizers import muon_dtype, optimizers_of_network, set_rates
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

SAMPLE_SEED = 0
MOST_HELD_OUT = 256
# Batches of noise on which the batch norms of the averaged generator are recalibrated before it is saved.
NUM_RECALIBRATION_BATCHES = 16


class GanTraining(ImageLoop):
    """One training of a generator and a discriminator.

    Args:
        generator: from noise [B, Z] to images [B, C, H, W] in -1 to 1.
        discriminator: from images to scores [B].
        corpus: real images.
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
        super().__init__(corpus, settings, budget, run, seed=seed)
        self.settings, accelerator = settings, self.accelerator
        # Not wrapped in DDP: the gradients of two networks that take turns are averaged by hand.
        self.generator = generator.to(accelerator.device)
        self.discriminator = discriminator.to(accelerator.device)
        self.writable = {
            name: writable_copy(network)
            for name, network in ((GENERATOR, generator), (DISCRIMINATOR, discriminator))
        }
        self.average = None
        if settings.ema_decay:
            update = partial(_update_average, settings.ema_decay)
            self.average = AveragedModel(self.generator, multi_avg_fn=update)
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
        """The discriminator's steps, then the generator's, on this process's rows of the batch."""
        started = time.perf_counter()
        optimizers = (*self.generator_optimizers, *self.discriminator_optimizers)
        factor = set_rates(optimizers, self.share_done(), schedule=self.settings.schedule)
        self.generator.train()
        self.discriminator.train()
        for update in range(1, self.settings.discriminator_steps):
            self._discriminator_step(self.batches.stream(self.step, update), keep_graph=False)
        # The generator is trained on the images of the discriminator's last step: scored twice.
        rng = self.batches.stream(self.step)
        fake_BCHW, metrics = self._discriminator_step(rng, keep_graph=True)
        loss, gradient_norm, generator_metrics = self._generator_step(fake_BCHW, rng)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        metrics |= generator_metrics | self.further_updates(rng)
        if (self.step + 1) % self.settings.validate_every == 0:
            metrics |= self.held_out_metrics()
        metrics |= self.metrics_of_step(started, self.settings.learning_rate * factor, gradient_norm)
        return StepDone(step=self.step, loss=loss, metrics=metrics)

    def _discriminator_step(
        self, rng: torch.Generator, *, keep_graph: bool
    ) -> tuple[Tensor, dict[str, int | float]]:
        """One step of the discriminator; returns the generated images and the metrics."""
        self.heartbeat()
        settings = self.settings
        real_BCHW, index_B = self.batches.rows(rng)
        noise_BZ = torch.randn(settings.batch_size, settings.latent_size, generator=rng)
        real_BCHW, noise_BZ = self.local_rows(real_BCHW), self.local_rows(noise_BZ)
        self.prepare_batch(real_BCHW, index_B, rng)
        with self.accelerator.autocast():
            with torch.set_grad_enabled(keep_graph):
                fake_BCHW = self.generate(noise_BZ, rng)
            # detach: the discriminator's step must not reach the generator.
            loss, metrics = self.discriminator_objective(
                self._augmented(real_BCHW, rng), self._augmented(fake_BCHW.detach(), rng)
            )
            penalty: Tensor | float = 0.0
            if settings.r1_gamma and self.step % settings.r1_every == 0:
                # Lazy regularization: every r1_every-th step, r1_every times as strong.
                weight = settings.r1_gamma / 2 * settings.r1_every
                penalty = weight * r1_penalty(self.score, real_BCHW)
        self.accelerator.backward(loss + penalty)
        self._optimizer_step(self.discriminator, self.discriminator_optimizers)
        return fake_BCHW, self._mean_metrics({"discriminator_loss": loss, **metrics})

    def _generator_step(
        self, fake_BCHW: Tensor, rng: torch.Generator
    ) -> tuple[float, float, dict[str, int | float]]:
        """One step of the generator; returns its loss, its gradient norm and further metrics."""
        self.heartbeat()
        # The gradient flows through the discriminator; that of its weights would be thrown away.
        with _without_weight_gradients(self.discriminator):
            with self.accelerator.autocast():
                loss, metrics = self.generator_objective(fake_BCHW, rng)
            self.accelerator.backward(loss)
        norm = self._optimizer_step(self.generator, self.generator_optimizers)
        # That forward pass updated its batch norm statistics, on other images in each process.
        self.average_over_processes(self.discriminator)
        means = self._mean_metrics({"loss": loss, **metrics})
        return means.pop("loss"), norm, means

    def _mean_metrics(self, metrics: dict[str, Tensor]) -> dict[str, int | float]:
        """Scalars as means over all processes."""
        numbers = torch.stack([value.detach().float() for value in metrics.values()])
        numbers = self.accelerator.reduce(numbers, reduction="mean")
        return {name: round(value, 5) for name, value in zip(metrics, numbers.tolist(), strict=True)}

    def prepare_batch(self, real_BCHW: Tensor, index_B: Tensor, rng: torch.Generator) -> None:
        """Hook: look up what a step needs beside its real images.

        Args:
            real_BCHW: this process's rows.
            index_B: indices in the corpus of all processes' rows.
            rng: of the step.
        """

    def score(self, x_BCHW: Tensor) -> Tensor:
        """The discriminator's scores of images [B]."""
        return self.discriminator(x_BCHW)

    def discriminator_objective(
        self, real_BCHW: Tensor, fake_BCHW: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The discriminator's loss, and metrics."""
        real_score_B, fake_score_B = self._scores(real_BCHW, fake_BCHW)
        settings = self.settings
        loss = discriminator_loss(real_score_B, fake_score_B, settings.loss, settings.label_smoothing)
        return loss, {"real_prob": mean_prob(real_score_B), "fake_prob": mean_prob(fake_score_B)}

    def generator_objective(
        self, fake_BCHW: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The generator's loss, and further metrics."""
        return generator_loss(self.score(self._augmented(fake_BCHW, rng)), self.settings.loss), {}

    def further_updates(self, rng: torch.Generator) -> dict[str, int | float]:
        """Hook: train further networks of the step; returns metrics."""
        return {}

    def _optimizer_step(self, network: nn.Module, optimizers: list[Optimizer]) -> float:
        """One optimizer step on the mean gradients of all processes; returns their norm, unscaled."""
        self.average_over_processes(network)
        scaler = self.accelerator.scaler
        if scaler is not None:
            for optimizer in optimizers:
                scaler.unscale_(optimizer.optimizer)  # type: ignore[attr-defined]
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        self.step_optimizers(optimizers, finite=math.isfinite(norm))
        return norm

    def _scores(self, real_BCHW: Tensor, fake_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of real and generated images [B]: in two batches under batch norm, else in one."""
        if self.settings.discriminator_norm == "batch":
            return self.discriminator(real_BCHW), self.discriminator(fake_BCHW)
        real_score_B, fake_score_B = self.discriminator(torch.cat([real_BCHW, fake_BCHW])).chunk(2)
        return real_score_B, fake_score_B

    def _augmented(self, x_BCHW: Tensor, rng: torch.Generator) -> Tensor:
        """Differentiable augmentation, of real and generated images alike."""
        policies = self.settings.diff_augment
        return diff_augment(x_BCHW, rng, policies) if policies else x_BCHW

    def generate(self, noise_BZ: Tensor, rng: torch.Generator) -> Tensor:
        """Generated images; a style-based generator mixes two styles in some of them and adds noise."""
        if isinstance(self.settings, StyleGanSettings):
            generator: Any = self.generator
            return with_style_mixing(generator, noise_BZ, self.settings.style_mixing_prob, rng)
        return self.generator(noise_BZ)

    @torch.no_grad()
    def held_out_metrics(self) -> dict[str, int | float]:
        """The discriminator's mean probability for held-out real images: has it overfitted?"""
        held_out = self.images.validation[:MOST_HELD_OUT]
        if not len(held_out):
            return {}
        self.discriminator.eval()
        with self.accelerator.autocast():
            score_B = self.discriminator(to_float(held_out).to(self.accelerator.device))
        self.discriminator.train()
        return {"held_out_prob": round(score_B.sigmoid().mean().item(), 5)}

    def _optimizers(self, network: nn.Module, rate: float) -> list[Optimizer]:
        settings = self.settings
        optimizers = optimizers_of_network(
            network,
            kind=settings.optimizer,
            learning_rate=rate,
            muon_learning_rate=settings.muon_learning_rate,
            betas=(settings.beta1, settings.beta2),
            muon_dtype=muon_dtype(self.accelerator.mixed_precision),
        )
        return [self.accelerator.prepare(optimizer) for optimizer in optimizers]

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Nothing: neither network's loss measures how good the images are."""
        return []

    def kept_generator(self) -> nn.Module:
        """The generator that is saved: its last weights, or their moving average."""
        return self.generator if self.average is None else self.average.module

    @torch.no_grad()
    def _recalibrate_average(self) -> None:
        """An average of weights has no batch norm statistics of its own: compute them before it is saved."""
        if self.average is None:
            return
        rng = seeded(SAMPLE_SEED)
        shape = (self.settings.batch_size, self.settings.latent_size)
        noise = [torch.randn(*shape, generator=rng) for _ in range(NUM_RECALIBRATION_BATCHES)]
        self.recalibrate_batch_norm(self.average, noise)

    def recalibrate_batch_norm(self, average: AveragedModel, noise: list[Tensor]) -> None:
        """Compute the batch norm statistics of the average on these batches of noise."""
        update_bn(noise, average, device=self.accelerator.device)

    def write_model(self, folder: Path) -> None:
        """A folder for each of the two networks, in half precision."""
        self._recalibrate_average()
        networks = {GENERATOR: self.kept_generator(), DISCRIMINATOR: self.discriminator}
        for name, network in networks.items():
            self.writable[name].load_state_dict(network.state_dict())
            self.writable[name].save_pretrained(folder / name)  # type: ignore[operator]
            (folder / name / "README.md").unlink(missing_ok=True)  # the card is the whole model's

    @torch.inference_mode()
    def sample_images(self) -> Tensor:
        """Images of the generator that was just saved, from the same noise each time: uint8 [N, C, H, W]."""
        network = self.kept_generator()
        was_training = network.training
        network.eval()
        with self.accelerator.autocast():
            generated_NCHW = self.generate_sample(network, self.sample_noise_NZ.to(self.accelerator.device))
        network.train(was_training)
        return to_uint8(generated_NCHW).cpu()

    def generate_sample(self, network: nn.Module, noise_NZ: Tensor) -> Tensor:
        """Images of the sample in -1 to 1, from their noise."""
        return network(noise_NZ)

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Images from fixed noise, as one sheet."""
        if not self.settings.sample_pictures or self.asked_to_stop():
            return
        generated_NCHW = self.sample_images()
        sheet = grid(generated_NCHW, columns=math.isqrt(len(generated_NCHW)))
        file = self.run.write_sample_image(self.step, sheet)
        yield SampleReady(step=self.step, text=self.sample_text(), file=file)

    def sample_text(self) -> str:
        """The prompts of the sample's images: none here."""
        return ""

    def facts(self) -> dict[str, Any]:
        """Sizes of networks and data."""
        sizes = [sum(p.numel() for p in part.parameters()) for part in (self.generator, self.discriminator)]
        return {
            "num_parameters": sum(sizes),
            "generator_parameters": sizes[0],
            "discriminator_parameters": sizes[1],
            **self.data_facts(),
        }


@torch.no_grad()
def _update_average(
    decay: float, averages: list[Tensor], weights: list[Tensor], num_averaged: Tensor | int
) -> None:
    """One step of the moving average; its decay grows to `decay`, so that initial weights fade quickly.

    Source:
        diffusers' EMAModel, the factor (1 + n) / (10 + n) of its `get_decay`.
    """
    n = int(num_averaged)
    torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + n) / (10 + n)))


def mean_prob(score_B: Tensor) -> Tensor:
    """The discriminator's mean probability that images are real."""
    return score_B.detach().sigmoid().mean()


@contextmanager
def _without_weight_gradients(network: nn.Module) -> Iterator[None]:
    """Gradients flow through a network, and none are computed for its weights."""
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
        InputError: the source has no images, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    generator, discriminator = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        load_initial_weights(order, (generator, discriminator), load_networks)
    return GanTraining(generator, discriminator, corpus, settings, budget, run, seed=order.seed)


FAMILY = Family(prepare, networks, forward_passes)
