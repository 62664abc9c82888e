"""The recipes that train a GAN on images: settings, curves, rows, what their cards say; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.nets.options import AUGMENTATIONS, DISCRIMINATOR_NORMS, GAN_LOSSES
from aigc_demo.training.card import IMAGES_USE, TWO_LOSSES, CardTexts, generated_images, written_here
from aigc_demo.training.image_settings import ImageLoopSettings
from aigc_demo.training.recipe import (
    GRADIENT_NORM,
    IMAGES_PER_SECOND,
    LEARNING_RATE,
    Curve,
    Line,
    Recipe,
    smooth_lines,
)
from aigc_demo.training.settings import GAN_OPTIMIZERS, SCHEDULES


@dataclass(frozen=True)
class GanSettings(ImageLoopSettings):
    """A generator against a discriminator. The defaults are those of the paper.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 4, for the defaults; what is off by default comes from
        the papers that `nets/images/adversarial` and `nets/images/diff_augment` name.
    """

    latent_size: int = setting(100, "latent features: size of the noise vector", low=1, high=4096)
    num_features: int = setting(64, "feature maps of the layer next to the image", low=4, high=512)
    loss: str = setting("non-saturating", "adversarial loss", choices=GAN_LOSSES)
    optimizer: str = setting("adam", "optimizer of both networks", choices=GAN_OPTIMIZERS)
    learning_rate: float = setting(2e-4, "Adam's learning rate for the generator", low=0, high=10)
    muon_learning_rate: float = setting(
        0.01, "Muon's learning rate for the convolution kernels of both networks", low=0, high=10
    )
    discriminator_learning_rate: float | None = setting(
        None, "Adam's learning rate for the discriminator; none for the generator's", low=0, high=10
    )
    beta1: float = setting(0.5, "Adam's first-moment decay (beta1)", low=0, high=0.999)
    beta2: float = setting(0.999, "Adam's second-moment decay (beta2)", low=0, high=0.9999)
    schedule: str = setting("constant", "schedule of the learning rates", choices=SCHEDULES)
    discriminator_steps: int = setting(
        1, "steps of the discriminator for each step of the generator", low=1, high=20
    )
    label_smoothing: float = setting(
        0.0, "one-sided label smoothing: real images have the target 1 minus this", low=0, high=0.5
    )
    discriminator_norm: str = setting(
        "batch", "normalization layers of the discriminator", choices=DISCRIMINATOR_NORMS
    )
    r1_gamma: float = setting(0.0, "weight of the R1 gradient penalty on the discriminator", low=0, high=1000)
    r1_every: int = setting(16, "steps between two such penalties", low=1, high=1000)
    ema_decay: float = setting(
        0.0,
        "decay of the moving average of the generator's weights; 0 keeps its last weights",
        low=0,
        high=0.99999,
    )
    diff_augment: tuple[str, ...] = setting(
        (),
        "differentiable augmentation of real and generated images before the discriminator",
        choices=AUGMENTATIONS,
    )
    sample_pictures: int = setting(36, "images of the sample at each checkpoint", low=0, high=400)


@dataclass(frozen=True)
class StyleGanSettings(GanSettings):
    """A style-based generator against the discriminator of DCGAN, with what its paper trains it with."""

    latent_size: int = setting(64, "latent features: size of the noise vector", low=2, high=1024)
    style_size: int = setting(64, "features of a style", low=2, high=1024)
    num_mapping_layers: int = setting(4, "layers of the mapping network", low=1, high=16)
    width: int = setting(32, "feature maps of the generator's layer next to the image", low=4, high=256)
    style_mixing_prob: float = setting(0.9, "probability of style mixing in training", low=0, high=1)
    learning_rate: float = setting(2e-3, "Adam's learning rate for the generator", low=0, high=10)
    discriminator_learning_rate: float | None = setting(
        2e-4, "Adam's learning rate for the discriminator; none for the generator's", low=0, high=10
    )
    beta1: float = setting(0.0, "Adam's first-moment decay (beta1)", low=0, high=0.999)
    beta2: float = setting(0.99, "Adam's second-moment decay (beta2)", low=0, high=0.9999)
    r1_gamma: float = setting(1.0, "weight of the R1 gradient penalty on the discriminator", low=0, high=1000)
    ema_decay: float = setting(
        0.999,
        "decay of the moving average of the generator's weights; 0 keeps its last weights",
        low=0,
        high=0.99999,
    )


GAN_OPTIMIZATION = (GRADIENT_NORM, LEARNING_RATE, IMAGES_PER_SECOND)


def adversarial_curve(generator_loss: str) -> Curve:
    """The losses of both networks.

    Args:
        generator_loss: the measure of a step that is the generator's.
    """
    generator = Line("generator", "step", generator_loss, smooth=True)
    return Curve("game", (generator, Line("discriminator", "step", "discriminator_loss", smooth=True)))


def probability_curve(*measures: str) -> Curve:
    """Probabilities that the discriminator gives images of a step, and held-out real ones."""
    held_out = Line("held_out_prob", "step", "held_out_prob")
    return Curve("probabilities", (*smooth_lines(*measures), held_out))


CURVES = (
    adversarial_curve("loss"),
    probability_curve("real_prob", "fake_prob"),
    *GAN_OPTIMIZATION,
)

_MODULE = "aigc_demo.training.gan.training"
_LOADING = """## How to load it

```python
from pathlib import Path

import torch
from aigc_demo.generators.images.gan import load_generator

generator = load_generator(Path("FOLDER"))
with torch.inference_mode():
    images = generator(torch.randn(16, generator.config.latent_size))  # [16, 3, H, W] in -1 to 1
```"""


def _card(network: str) -> CardTexts:
    return CardTexts(
        *written_here(network),
        use=IMAGES_USE,
        loading=_LOADING,
        measured=generated_images,
        not_recorded=TWO_LOSSES,
    )


ROWS = {
    "dcgan": Recipe(
        GanSettings,
        CURVES,
        _MODULE,
        _card("A DCGAN, generator and discriminator"),
        folder=FOLDERS["dcgan"],
        # Ten minutes are short for the paper's rates and widths: small networks that take large steps, held
        # back from each other by the penalty. How they were found: docs/experiments.md.
        small={
            "num_features": 32,
            "batch_size": 64,
            "optimizer": "muon",
            "muon_learning_rate": 0.03,
            "learning_rate": 1e-3,
            "beta1": 0.0,
            "beta2": 0.99,
            "schedule": "linear",
            "r1_gamma": 0.5,
            "ema_decay": 0.998,
        },
        asked=("image_size", "num_features", "loss", "batch_size", "learning_rate", "ema_decay"),
        shape=("image_size", "latent_size", "num_features"),
    ),
    "stylegan": Recipe(
        StyleGanSettings,
        CURVES,
        _MODULE,
        _card("A style-based generator with a discriminator,"),
        folder=FOLDERS["stylegan"],
        asked=("image_size", "width", "loss", "batch_size", "learning_rate", "r1_gamma"),
        shape=("image_size", "latent_size", "num_features", "style_size", "num_mapping_layers", "width"),
    ),
}
