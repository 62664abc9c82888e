"""What the trainings of networks of pictures are told."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aigc_demo.core.config import setting
from aigc_demo.data.images import PictureSettings

if TYPE_CHECKING:
    from aigc_demo.nets.style_generator import StyleConfig

# Those of nets/adversarial and nets/diff_augment: a page offers them before it loads torch.
LOSSES = ("non-saturating", "minimax", "hinge")
POLICY = ("colour", "translation", "cutout")


@dataclass(frozen=True)
class PictureLoopSettings(PictureSettings):
    """What all of them share."""

    batch_size: int = setting(128, "pictures in one step, all processes together", low=2, high=8192)
    mixed_precision: str = setting("auto", "of the products", choices=("auto", "no", "bf16", "fp16"))
    validate_every: int = setting(100, "steps between measurements", low=1)
    checkpoint_every: int | None = setting(None, "steps between checkpoints; none for 15 in the run", low=1)

    @property
    def units_per_step(self) -> int:
        """Pictures that a step learns from."""
        return self.batch_size


@dataclass(frozen=True)
class GanSettings(PictureLoopSettings):
    """A generator against a discriminator. The defaults are those of the paper.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 4, for the defaults; what is off by default comes from
        the papers that `nets/adversarial` and `nets/diff_augment` name.
    """

    latent_size: int = setting(100, "features of the noise that a picture is made from", low=1, high=4096)
    num_features: int = setting(64, "feature maps of the layer next to the picture", low=4, high=512)
    loss: str = setting("non-saturating", "of the game", choices=LOSSES)
    learning_rate: float = setting(2e-4, "Adam's, of the generator", low=0, high=10)
    discriminator_learning_rate: float | None = setting(
        None, "Adam's, of the discriminator; none for the generator's", low=0, high=10
    )
    beta1: float = setting(0.5, "Adam's memory of the direction", low=0, high=0.999)
    beta2: float = setting(0.999, "Adam's memory of the size", low=0, high=0.9999)
    schedule: str = setting("constant", "of the learning rates", choices=("constant", "linear", "cosine"))
    discriminator_steps: int = setting(
        1, "steps of the discriminator for one of the generator", low=1, high=20
    )
    label_smoothing: float = setting(0.0, "how much less than real the real pictures count", low=0, high=0.5)
    r1_gamma: float = setting(0.0, "weight of the penalty on a steep discriminator", low=0, high=1000)
    r1_every: int = setting(16, "steps between two such penalties", low=1, high=1000)
    ema_decay: float = setting(
        0.0, "memory of the generator that is kept; 0 for its last weights", low=0, high=0.99999
    )
    diff_augment: tuple[str, ...] = setting(
        (),
        "changes that both kinds of pictures go through before they are judged",
        choices=POLICY,
    )
    sample_pictures: int = setting(36, "pictures of the sample at each checkpoint", low=0, high=400)


@dataclass(frozen=True)
class StyleGanSettings(GanSettings):
    """A style-based generator against the discriminator of DCGAN, with what its paper trains it with."""

    latent_size: int = setting(64, "features of the noise that a picture is made from", low=2, high=1024)
    style_size: int = setting(64, "features of a style", low=2, high=1024)
    num_mapping_layers: int = setting(4, "layers between noise and style", low=1, high=16)
    width: int = setting(32, "feature maps of the generator's layer next to the picture", low=4, high=256)
    style_mixing_prob: float = setting(0.9, "share of pictures made of two styles in training", low=0, high=1)
    learning_rate: float = setting(2e-3, "Adam's, of the generator", low=0, high=10)
    discriminator_learning_rate: float | None = setting(
        2e-4, "Adam's, of the discriminator; none for the generator's", low=0, high=10
    )
    beta1: float = setting(0.0, "Adam's memory of the direction", low=0, high=0.999)
    beta2: float = setting(0.99, "Adam's memory of the size", low=0, high=0.9999)
    r1_gamma: float = setting(1.0, "weight of the penalty on a steep discriminator", low=0, high=1000)
    ema_decay: float = setting(
        0.999, "memory of the generator that is kept; 0 for its last weights", low=0, high=0.99999
    )

    def style_config(self) -> "StyleConfig":
        """The generator's shape."""
        from aigc_demo.nets.style_generator import StyleConfig

        return StyleConfig(
            image_size=self.image_size,
            latent_size=self.latent_size,
            style_size=self.style_size,
            num_mapping_layers=self.num_mapping_layers,
            width=self.width,
        )
