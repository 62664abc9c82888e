"""A GAN trained step by step: the training loop, one step at a time.

The formulas are in `nets/images/adversarial`; here each step is taken on request, and everything that it was
computed from can be inspected afterwards.
"""

# Shapes: B images of a batch, N images in all, C channels, H rows, W columns, Z latent features.

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import Adam

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.data.images.pixels import to_float, to_uint8
from aigc_demo.nets.images.adversarial import (
    discriminator_loss,
    generator_gradients,
    generator_loss,
    generator_terms,
    value_terms,
)
from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator, initialize
from aigc_demo.nets.options import TWIN_LOSSES, UPDATED_NETWORKS

IMAGE_SIZE, NUM_FEATURES, LATENT_SIZE, BATCH_SIZE = 32, 16, 64, 16
BETAS = (0.5, 0.999)
DISCRIMINATOR, GENERATOR, BOTH = UPDATED_NETWORKS
# The seed's first stream is that of the weights; those of the batches come after it.
WEIGHTS, FIRST_BATCH = 0, 1


@dataclass(frozen=True)
class Figures:
    """The value function V(D, G) and both losses, for one batch.

    Attributes:
        mean_log_real: mean of log D(x).
        mean_log_fake: mean of log(1 - D(G(z))).
        value: V(D, G), their sum.
        discriminator_loss: what D minimizes.
        generator_loss: what G minimizes.
    """

    mean_log_real: float
    mean_log_fake: float
    value: float
    discriminator_loss: float
    generator_loss: float


@dataclass(frozen=True)
class Step:
    """Record of one step, by the scores before it.

    Attributes:
        step: its number, from 1.
        updated: one of UPDATED_NETWORKS.
        real_prob: mean of D(x).
        fake_prob: mean of D(G(z)).
        discriminator_loss: as in Figures.
        generator_loss: as in Figures.
        gradient_norm: of the gradient with respect to all weights of G; None where G was not trained.
    """

    step: int
    updated: str
    real_prob: float
    fake_prob: float
    discriminator_loss: float
    generator_loss: float
    gradient_norm: float | None


@dataclass(frozen=True, eq=False)
class Inspection:
    """The batch of the last step, evaluated by both networks as they are now.

    Attributes:
        num_steps: steps taken so far; before the first one, the batch is that of the first step.
        loss: one of GAN_LOSSES.
        real_BCHW: uint8.
        fake_BCHW: uint8, G(z) now.
        real_probs: D(x) of each.
        fake_probs: D(G(z)) of each.
        gradient_BHW: |d loss_G / d G(z)|, summed over the channels, for each image and pixel.
        before: the figures by the scores before the last step; None before the first.
        by_scores: the figures now, as training computes them, from scores.
        by_probs: the same, from `real_probs` and `fake_probs`.
    """

    num_steps: int
    loss: str
    real_BCHW: Tensor
    fake_BCHW: Tensor
    real_probs: tuple[float, ...]
    fake_probs: tuple[float, ...]
    gradient_BHW: Tensor
    before: Figures | None
    by_scores: Figures
    by_probs: Figures


class StepByStepGan:
    """A small DCGAN, trained one step at a time.

    The batch of a step is a pure function of the seed and the step's number: two with one
    seed have the same images and the same noise.

    Args:
        images_NCHW: uint8, the real ones.
        seed: of the weights, the batches and the noise.
    """

    def __init__(self, images_NCHW: Tensor, seed: int = 0):
        self.images_NCHW, self.seed, self.num_steps = images_NCHW, seed, 0
        shape = DcganConfig(image_size=IMAGE_SIZE, latent_size=LATENT_SIZE, num_features=NUM_FEATURES)
        self.generator = Generator(shape)
        self.discriminator = Discriminator(replace(shape, part="discriminator"))
        rng = self._stream(WEIGHTS)
        for network in (self.generator, self.discriminator):
            initialize(network, rng)
            _without_running_statistics(network)
        self.optimizers = {
            name: Adam(network.parameters(), betas=BETAS)
            for name, network in ((GENERATOR, self.generator), (DISCRIMINATOR, self.discriminator))
        }
        self._before: Figures | None = None

    def step(self, updates: str, loss: str, generator_rate: float, discriminator_rate: float) -> Step:
        """One step, with a batch and noise of its own: of D, of G, or of D and then G.

        Args:
            updates: one of UPDATED_NETWORKS.
            loss: one of GAN_LOSSES.
            generator_rate: Adam's learning rate.
            discriminator_rate: likewise.

        Raises:
            InputError: the numbers are no longer finite.
        """
        real_BCHW, noise_BZ = self.batch(self.num_steps)
        with torch.set_grad_enabled(updates != DISCRIMINATOR):
            fake_BCHW = self.generator(noise_BZ)
        with torch.set_grad_enabled(updates != GENERATOR):
            real_score_B = self.discriminator(real_BCHW)
            # detach: the discriminator's step must not reach the generator.
            fake_score_B = self.discriminator(fake_BCHW.detach())
            loss_D = discriminator_loss(real_score_B, fake_score_B, loss)
        before = figures_by_scores(real_score_B.detach(), fake_score_B.detach(), loss)
        if updates != GENERATOR:
            self._update(self.discriminator, DISCRIMINATOR, loss_D, discriminator_rate)
        norm = None
        if updates != DISCRIMINATOR:
            loss_G = generator_loss(self.discriminator(fake_BCHW), loss)
            norm = self._update(self.generator, GENERATOR, loss_G, generator_rate)
        self.num_steps += 1
        self._before = before
        return Step(
            step=self.num_steps,
            updated=updates,
            real_prob=real_score_B.detach().sigmoid().mean().item(),
            fake_prob=fake_score_B.detach().sigmoid().mean().item(),
            discriminator_loss=before.discriminator_loss,
            generator_loss=before.generator_loss,
            gradient_norm=norm,
        )

    def inspect(self, loss: str) -> Inspection:
        """The batch of the last step, or of the first where none was taken, evaluated again; changes nothing.

        Args:
            loss: one of GAN_LOSSES, of the formulas.

        Raises:
            InputError: the numbers are not finite.
        """
        real_BCHW, noise_BZ = self.batch(max(0, self.num_steps - 1))
        with torch.no_grad():
            fake_BCHW = self.generator(noise_BZ)
            real_score_B = self.discriminator(real_BCHW)
        fake_score_B, gradient_BCHW = pixel_gradient(self.discriminator, fake_BCHW, loss)
        # Doubles: the sigmoid of a score near 20 would be 1 in single precision, and log(1 - 1) has no value.
        real_probs = tuple(real_score_B.double().sigmoid().tolist())
        fake_probs = tuple(fake_score_B.double().sigmoid().tolist())
        by_scores = figures_by_scores(real_score_B, fake_score_B, loss)
        if not math.isfinite(by_scores.value):
            raise InputError("step_by_step_not_finite", step=self.num_steps)
        return Inspection(
            num_steps=self.num_steps,
            loss=loss,
            real_BCHW=to_uint8(real_BCHW),
            fake_BCHW=to_uint8(fake_BCHW),
            real_probs=real_probs,
            fake_probs=fake_probs,
            gradient_BHW=gradient_BCHW.abs().sum(dim=1),
            before=self._before,
            by_scores=by_scores,
            by_probs=figures_by_probs(real_probs, fake_probs, loss),
        )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Real images [B, C, H, W] in -1 to 1, and noise [B, Z], of a step counted from 0."""
        rng = self._stream(FIRST_BATCH + step)
        index_B = torch.randint(len(self.images_NCHW), (BATCH_SIZE,), generator=rng)
        return to_float(self.images_NCHW[index_B]), torch.randn(BATCH_SIZE, LATENT_SIZE, generator=rng)

    def _stream(self, number: int) -> torch.Generator:
        return seeded((self.seed * 1_000_003 + number) % 2**63)

    def _update(self, network: nn.Module, name: str, loss: Tensor, rate: float) -> float:
        """One optimizer step of this network alone; returns the gradient norm."""
        weights = list(network.parameters())
        gradients = torch.autograd.grad(loss, weights)
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if not math.isfinite(norm):
            raise InputError("step_by_step_not_finite", step=self.num_steps)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        optimizer = self.optimizers[name]
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        return norm


class TwinGans:
    """Two GANs with equal initial weights, images and noise, each with a loss of its own.

    Args:
        images_NCHW: uint8, the real ones.
        seed: as in StepByStepGan.
    """

    def __init__(self, images_NCHW: Tensor, seed: int = 0):
        self.gans = {loss: StepByStepGan(images_NCHW, seed) for loss in TWIN_LOSSES}

    def step(self, generator_rate: float, discriminator_rate: float) -> dict[str, Step]:
        """One step of either, D and then G."""
        return {
            loss: gan.step(BOTH, loss, generator_rate, discriminator_rate) for loss, gan in self.gans.items()
        }


def figures_by_scores(real_score_B: Tensor, fake_score_B: Tensor, loss: str) -> Figures:
    """The figures as training computes them: by the loss functions, from scores."""
    real, fake = value_terms(real_score_B, fake_score_B)
    return Figures(
        mean_log_real=real.item(),
        mean_log_fake=fake.item(),
        value=(real + fake).item(),
        discriminator_loss=discriminator_loss(real_score_B, fake_score_B, loss).item(),
        generator_loss=generator_loss(fake_score_B, loss).item(),
    )


def figures_by_probs(real_probs: Sequence[float], fake_probs: Sequence[float], loss: str) -> Figures:
    """The figures as with pencil and paper: the logarithm of each probability, then the mean.

    Args:
        real_probs: D(x) of each real image.
        fake_probs: D(G(z)) of each of the generator's.
        loss: one of GAN_LOSSES; hinge needs the score behind a probability, log p - log(1 - p).
    """
    real = _mean(_log(p) for p in real_probs)
    fake = _mean(_log(1 - p) for p in fake_probs)
    if loss == "hinge":
        real_scores = [_log(p) - _log(1 - p) for p in real_probs]
        fake_scores = [_log(p) - _log(1 - p) for p in fake_probs]
        loss_D = _mean(max(0.0, 1 - s) for s in real_scores) + _mean(max(0.0, 1 + s) for s in fake_scores)
        return Figures(real, fake, real + fake, loss_D, -_mean(fake_scores))
    loss_G = fake if loss == "minimax" else -_mean(_log(p) for p in fake_probs)
    return Figures(real, fake, real + fake, -real - fake, loss_G)


def pixel_gradient(discriminator: nn.Module, fake_BCHW: Tensor, loss: str) -> tuple[Tensor, Tensor]:
    """The discriminator's scores [B], and the gradient d loss_G / d G(z) [B, C, H, W]."""
    fake_BCHW = fake_BCHW.detach().requires_grad_(True)
    with torch.enable_grad():
        score_B = discriminator(fake_BCHW)
        (gradient_BCHW,) = torch.autograd.grad(generator_loss(score_B, loss), fake_BCHW)
    return score_B.detach(), gradient_BCHW


def generator_curve(loss: str, probs: Sequence[float]) -> list[tuple[float, float, float]]:
    """G's loss and its derivative with respect to the score, over D(G(z)).

    Args:
        loss: one of GAN_LOSSES.
        probs: values of D(G(z)) between 0 and 1, both excluded.

    Returns:
        For each: (D(G(z)), the loss of one such image, its derivative with respect to the score).
    """
    score = torch.tensor(probs, dtype=torch.float64).logit()
    terms, slopes = generator_terms(score, loss), generator_gradients(score, loss)
    return list(zip(probs, terms.tolist(), slopes.tolist(), strict=True))


def _without_running_statistics(network: nn.Module) -> None:
    """Batch norm by the batch alone: evaluation changes nothing, a network is its weights alone."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None


def _mean(values: Iterable[float]) -> float:
    taken = list(values)
    return math.fsum(taken) / len(taken)


def _log(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf
