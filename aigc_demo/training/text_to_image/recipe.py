"""The recipe of the text-to-image GAN: settings, curves, row, what its cards say; no torch."""

from dataclasses import dataclass
from typing import ClassVar

from aigc_demo.core.config import setting
from aigc_demo.data.captions.pairs import PairSettings
from aigc_demo.generators.shipped import TINY_WORLD_DUAL_ENCODER
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import (
    CAPTIONS_LOADING,
    CAPTIONS_USE,
    TWO_LOSSES,
    CardTexts,
    images_of_captions,
    written_here,
)
from aigc_demo.training.gan.recipe import GAN_OPTIMIZATION, GanSettings, adversarial_curve, probability_curve
from aigc_demo.training.recipe import Curve, Line, Recipe, smooth_lines
from aigc_demo.training.settings import GAN_OPTIMIZERS, SCHEDULES

OWN_GUIDE = "own"


@dataclass(frozen=True)
class TextToImageSettings(PairSettings, GanSettings):
    """A generator that is conditioned on a caption, against a discriminator with the same condition.

    A dual encoder encodes the captions for both, and guides the generator: does an image fit its caption?

    Source:
        Reed et al. 2016, arXiv:1605.05396, section 4, for the three kinds of pairs.
    """

    SPREAD: ClassVar[tuple[str, ...]] = ("copying",)

    guide: str = setting(
        OWN_GUIDE,
        "the dual encoder, by its name or its run; own for one that is trained together with the generator",
    )
    contrast_weight: float = setting(
        1.0,
        "weight of the contrastive loss between images, as the discriminator embeds them, and captions",
        low=0,
        high=100,
    )
    guide_weight: float = setting(1.0, "weight of the guide's contrastive loss", low=0, high=100)
    guide_noise: float = setting(
        0.5,
        "largest standard deviation of noise on the guide's input images, which are from -1 to 1",
        low=0,
        high=2,
    )
    copying: float = setting(
        0.6,
        "reconstruction warm-up: share of the run in which the generator alone is trained, to reconstruct "
        "its captions' own images",
        low=0,
        high=1,
    )
    likeness_weight: float = setting(
        10.0,
        "weight of the reconstruction loss at low resolution in adversarial training",
        low=0,
        high=1000,
    )
    choices: int = setting(
        4,
        "noise vectors drawn for each caption, of which the one whose image is nearest to the real one is "
        "trained, wherever there is a reconstruction loss",
        low=1,
        high=64,
    )
    shuffled: float = setting(
        0.3, "share of wrong captions that are another image's; the rest are nearly right", low=0, high=1
    )
    latent_size: int = setting(64, "latent features: size of the noise vector", low=1, high=4096)
    num_features: int = setting(32, "feature maps of the discriminator's first layer", low=4, high=512)
    hidden_size: int = setting(128, "features of a position of the generator's grid", low=16, high=1024)
    num_layers: int = setting(3, "cross-attention blocks of the generator", low=1, high=24)
    reading_layers: int = setting(
        2, "self-attention blocks over the caption's tokens before them", low=0, high=24
    )
    num_heads: int = setting(4, "attention heads in each block", low=1, high=32)
    batch_size: int = setting(64, "images in one step, all processes together", low=2, high=8192)
    optimizer: str = setting("muon", "optimizer of both networks", choices=GAN_OPTIMIZERS)
    learning_rate: float = setting(1e-3, "Adam's learning rate for the generator", low=0, high=10)
    muon_learning_rate: float = setting(
        0.02, "Muon's learning rate for the kernels of both networks", low=0, high=10
    )
    beta1: float = setting(0.0, "Adam's first-moment decay (beta1)", low=0, high=0.999)
    beta2: float = setting(0.99, "Adam's second-moment decay (beta2)", low=0, high=0.9999)
    schedule: str = setting("linear", "schedule of the learning rates", choices=SCHEDULES)
    r1_gamma: float = setting(0.5, "weight of the R1 gradient penalty on the discriminator", low=0, high=1000)
    ema_decay: float = setting(
        0.998,
        "decay of the moving average of the generator's weights; 0 keeps its last weights",
        low=0,
        high=0.99999,
    )


CURVES = (
    Curve(
        "copying",
        (
            Line("copying", "step", "copying_loss", smooth=True),
            Line("likeness", "step", "likeness_term", smooth=True),
        ),
        logarithmic=True,
    ),
    adversarial_curve("fooling_term"),
    Curve("three_terms", smooth_lines("real_term", "fake_term", "wrong_term")),
    probability_curve("real_prob", "fake_prob", "wrong_prob"),
    Curve(
        "told_apart",
        (
            Line("real_told_apart", "step", "real_told_apart"),
            Line("made_told_apart", "step", "made_told_apart"),
            Line("by_chance", "step", "told_apart_by_chance"),
        ),
    ),
    Curve(
        "contrast",
        smooth_lines("real_contrast", "made_contrast", "guide_term", "pair_loss"),
        logarithmic=True,
    ),
    *GAN_OPTIMIZATION,
)

ROWS = {
    "text2image": Recipe(
        TextToImageSettings,
        CURVES,
        "aigc_demo.training.text_to_image.training",
        CardTexts(
            *written_here(
                "A generator that draws what a caption says and a discriminator that knows the caption, with "
                "the dual encoder that reads it,"
            ),
            use=CAPTIONS_USE,
            loading=CAPTIONS_LOADING,
            measured=images_of_captions,
            not_recorded=TWO_LOSSES,
        ),
        folder=FOLDERS["text2image"],
        # Its captions are those that the shipped dual encoder knows.
        small={"guide": TINY_WORLD_DUAL_ENCODER},
        asked=("image_size", "num_layers", "hidden_size", "batch_size", "copying", "guide_weight"),
        trial={"copying": 0.0},
        shape=(
            "image_size",
            "latent_size",
            "num_features",
            "hidden_size",
            "num_layers",
            "reading_layers",
            "num_heads",
        ),
    )
}
