"""What the trainings of networks of pictures are told."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aigc_demo.core.config import setting
from aigc_demo.core.errors import InputError
from aigc_demo.data.images.corpus import ImageSettings
from aigc_demo.nets.options import AUGMENTATIONS, DISCRIMINATOR_NORMS, GAN_LOSSES, PREDICTION_TYPES

if TYPE_CHECKING:
    from aigc_demo.nets.image_encoder import ImageEncoderConfig
    from aigc_demo.nets.style_generator import StyleConfig


@dataclass(frozen=True)
class PictureLoopSettings(ImageSettings):
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
    loss: str = setting("non-saturating", "of the game", choices=GAN_LOSSES)
    optimizer: str = setting("adam", "what turns gradients into steps", choices=("adam", "muon"))
    learning_rate: float = setting(2e-4, "Adam's, of the generator", low=0, high=10)
    muon_learning_rate: float = setting(0.01, "Muon's, of both, for the kernels", low=0, high=10)
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
    discriminator_norm: str = setting(
        "batch", "what evens out the discriminator's layers", choices=DISCRIMINATOR_NORMS
    )
    r1_gamma: float = setting(0.0, "weight of the penalty on a steep discriminator", low=0, high=1000)
    r1_every: int = setting(16, "steps between two such penalties", low=1, high=1000)
    ema_decay: float = setting(
        0.0, "memory of the generator that is kept; 0 for its last weights", low=0, high=0.99999
    )
    diff_augment: tuple[str, ...] = setting(
        (),
        "changes that both kinds of pictures go through before they are judged",
        choices=AUGMENTATIONS,
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


@dataclass(frozen=True)
class PictureNetworkSettings(PictureLoopSettings):
    """A network that learns alone, by AdamW, and is measured on what is held out."""

    optimizer: str = setting("adamw", "for matrices and kernels", choices=("adamw", "muon"))
    learning_rate: float = setting(1e-3, "AdamW's largest", low=0, high=10)
    beta1: float = setting(0.9, "AdamW's memory of the direction", low=0, high=0.999)
    beta2: float = setting(0.999, "AdamW's memory of the size", low=0, high=0.9999)
    muon_learning_rate: float = setting(0.02, "Muon's largest", low=0, high=10)
    muon_momentum: float = setting(0.8, "Muon's memory of the direction", low=0, high=0.999)
    weight_decay: float = setting(0.01, "how strongly weights shrink", low=0, high=10)
    max_grad_norm: float = setting(1.0, "longer gradients are cut to this length", low=0)
    schedule: str = setting("linear", "of the learning rate", choices=("linear", "cosine", "constant"))
    validation_pictures: int = setting(512, "pictures measured each time, the same ones", low=1)


@dataclass(frozen=True)
class ClassifierSettings(PictureNetworkSettings):
    """A network that names what is on a picture or, where none has a label, knows two views of one again.

    The views are varied strongly, as what the network is to see through is what they differ in.

    Source:
        Chen et al. 2020, arXiv:2002.05709, section 3, for which changes help; colours vary less than there,
        since colour is part of what a measure of pictures has to see.
    """

    width: int = setting(32, "channels of the first stage", low=8, high=256)
    feature_size: int = setting(128, "features of a picture", low=8, high=128)
    learning_rate: float = setting(4e-3, "AdamW's largest", low=0, high=10)
    temperature: float = setting(0.2, "how much the nearest wrong views count", low=0.01, high=10)
    view_crop: float = setting(0.25, "how far a view is moved, as a share of the side", low=0, high=0.5)
    view_flip: bool = setting(True, "mirror half of the views")
    view_colour: float = setting(0.4, "how far colours of a view vary", low=0, high=0.9)
    view_cutout: bool = setting(True, "grey out a square in each view")

    def views(self) -> ImageSettings:
        """How a view differs from its picture."""
        return replace(self, crop=self.view_crop, flip=self.view_flip, colour=self.view_colour)

    def encoder_config(self, num_classes: int) -> "ImageEncoderConfig":
        """The network's shape; 0 classes for one without labels."""
        from aigc_demo.nets.image_encoder import ImageEncoderConfig

        return ImageEncoderConfig(
            image_size=self.image_size,
            num_classes=num_classes,
            width=self.width,
            feature_size=self.feature_size,
        )


@dataclass(frozen=True)
class DiffusionSettings(PictureNetworkSettings):
    """The library's diffusion model, small enough for two cores."""

    base_channels: int = setting(
        32, "features of the level next to the picture; n times as many in level n", low=8, high=256
    )
    layers_per_block: int = setting(1, "convolution blocks in each level", low=1, high=4)
    attention: bool = setting(False, "let places look at each other where they are fewest")
    noise_steps: int = setting(1000, "steps from a picture to noise", low=10, high=4000)
    prediction_type: str = setting(
        "epsilon",
        "what the network says of a noisy picture: its noise, the picture, or how one turns into the other",
        choices=PREDICTION_TYPES,
    )
    patch_size: int = setting(
        1, "side of the square of pixels that is one place to the network", low=1, high=16
    )
    batch_size: int = setting(64, "pictures in one step, all processes together", low=2, high=8192)
    ema_decay: float = setting(0.999, "memory of the network that is kept", low=0, high=0.99999)
    validation_pictures: int = setting(256, "pictures measured each time, the same ones", low=1)
    sample_pictures: int = setting(16, "pictures of the sample at each checkpoint", low=0, high=400)
    sample_steps: int = setting(10, "steps from noise to a sample", low=1, high=1000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.base_channels % 8:
            raise InputError(
                "setting_range", name="base_channels", expected="a multiple of 8", got=self.base_channels
            )
        if self.sample_steps > self.noise_steps:
            expected = f"at most {self.noise_steps}"
            raise InputError("setting_range", name="sample_steps", expected=expected, got=self.sample_steps)
        if self.image_size % self.patch_size:
            expected = f"a divisor of {self.image_size}"
            raise InputError("setting_range", name="patch_size", expected=expected, got=self.patch_size)
