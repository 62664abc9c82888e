"""What the trainings that learn from pictures with captions are told."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from aigc_demo.core.config import setting
from aigc_demo.data.captions.pairs import LONGEST, PairSettings
from aigc_demo.data.images.corpus import IMAGE_KINDS
from aigc_demo.nets.options import PREDICTION_TYPES
from aigc_demo.training.image_settings import (
    DiffusionSettings,
    GanSettings,
    PictureNetworkSettings,
)

if TYPE_CHECKING:
    from aigc_demo.nets.attribute_reader import AttributeReaderConfig
    from aigc_demo.nets.conditional_gan import ConditionalConfig
    from aigc_demo.nets.contrastive import DualEncoderConfig
    from aigc_demo.nets.restoration import RestorationConfig

OWN_GUIDE = "own"


@dataclass(frozen=True)
class ClipSettings(PairSettings, PictureNetworkSettings):
    """A text encoder and a picture encoder that learn which caption belongs to which picture.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.5, for AdamW with decay and its betas.
    """

    SPREAD: ClassVar[tuple[str, ...]] = ("noise",)

    batch_size: int = setting(96, "pairs in one step, all processes together", low=2, high=8192)
    optimizer: str = setting("muon", "for matrices and kernels", choices=("adamw", "muon"))
    beta2: float = setting(0.98, "AdamW's memory of the size", low=0, high=0.9999)
    muon_momentum: float = setting(0.95, "Muon's memory of the direction", low=0, high=0.999)
    weight_decay: float = setting(0.05, "how strongly AdamW's matrices shrink", low=0, high=10)
    num_layers: int = setting(2, "blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attentions side by side in a block", low=1, high=64)
    hidden_size: int = setting(128, "features of a token", low=8, high=2048)
    width: int = setting(32, "channels of the picture encoder's first stage", low=8, high=256)
    embedding_size: int = setting(128, "numbers that stand for a text or a picture", low=8, high=2048)
    wrong_captions: int = setting(
        4,
        "nearly right captions that each picture is to tell from its own, where there are such",
        low=0,
        high=8,
    )
    wrong_weight: float = setting(1.0, "how much it counts to tell those alone apart", low=0, high=100)
    noise: float = setting(
        0.7,
        "largest noise on training pictures, as a share of half of black to white: what sees through it can "
        "guide a generator",
        low=0,
        high=2,
    )

    def encoder_config(self, vocab_size: int) -> "DualEncoderConfig":
        """The network's shape."""
        from aigc_demo.nets.contrastive import DualEncoderConfig

        return DualEncoderConfig(
            vocab_size=vocab_size,
            context_length=LONGEST,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            hidden_size=self.hidden_size,
            image_size=self.image_size,
            width=self.width,
            embedding_size=self.embedding_size,
        )


@dataclass(frozen=True)
class TextToImageSettings(PairSettings, GanSettings):
    """A generator that is given a caption, against a discriminator that is given it too.

    A dual encoder reads the captions for both, and says to the generator which caption its pictures fit.

    Source:
        Reed et al. 2016, arXiv:1605.05396, section 4, for the three kinds of pairs.
    """

    SPREAD: ClassVar[tuple[str, ...]] = ("copying",)

    guide: str = setting(
        OWN_GUIDE, "a dual encoder, by its name or its run; own for one that learns beside the generator"
    )
    contrast_weight: float = setting(
        1.0,
        "how much both sides heed which of all captions a picture fits, as the discriminator sees it",
        low=0,
        high=100,
    )
    guide_weight: float = setting(1.0, "how much the generator listens to it", low=0, high=100)
    guide_noise: float = setting(
        0.5,
        "largest noise on pictures that the guide looks at, as a share of half of black to white",
        low=0,
        high=2,
    )
    copying: float = setting(
        0.6,
        "share of the run in which the generator alone learns, by drawing its captions' own pictures",
        low=0,
        high=1,
    )
    likeness_weight: float = setting(
        10.0,
        "how much pictures must go on to look like their captions' own in the game, seen from afar",
        low=0,
        high=1000,
    )
    choices: int = setting(
        4,
        "draws of noise of which the one whose picture is nearest to the real one learns, where it copies or "
        "likeness counts",
        low=1,
        high=64,
    )
    shuffled: float = setting(
        0.3, "share of wrong captions that are another picture's; the rest are nearly right", low=0, high=1
    )
    latent_size: int = setting(64, "features of the noise that a picture is made from", low=1, high=4096)
    num_features: int = setting(32, "feature maps of the discriminator's first layer", low=4, high=512)
    hidden_size: int = setting(128, "features of a place of the generator's grid", low=16, high=1024)
    num_layers: int = setting(3, "how often each place asks the words", low=1, high=24)
    reading_layers: int = setting(2, "blocks in which the words look at each other first", low=0, high=24)
    num_heads: int = setting(4, "attentions side by side", low=1, high=32)
    batch_size: int = setting(64, "pictures in one step, all processes together", low=2, high=8192)
    optimizer: str = setting("muon", "what turns gradients into steps", choices=("adam", "muon"))
    learning_rate: float = setting(1e-3, "Adam's, of the generator", low=0, high=10)
    muon_learning_rate: float = setting(0.02, "Muon's, of both, for the kernels", low=0, high=10)
    beta1: float = setting(0.0, "Adam's memory of the direction", low=0, high=0.999)
    beta2: float = setting(0.99, "Adam's memory of the size", low=0, high=0.9999)
    schedule: str = setting("linear", "of the learning rates", choices=("constant", "linear", "cosine"))
    r1_gamma: float = setting(0.5, "weight of the penalty on a steep discriminator", low=0, high=1000)
    ema_decay: float = setting(
        0.998, "memory of the generator that is kept; 0 for its last weights", low=0, high=0.99999
    )

    def network_config(self, token_size: int, text_size: int) -> "ConditionalConfig":
        """The generator's shape, for a dual encoder of these sizes."""
        from aigc_demo.nets.conditional_gan import ConditionalConfig

        return ConditionalConfig(
            image_size=self.image_size,
            latent_size=self.latent_size,
            token_size=token_size,
            text_size=text_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            reading_layers=self.reading_layers,
            context_length=LONGEST,
            num_heads=self.num_heads,
            num_features=self.num_features,
            norm=self.discriminator_norm,
        )


@dataclass(frozen=True)
class TextDiffusionSettings(PairSettings, DiffusionSettings):
    """The library's diffusion model that is given captions, about as large as ours."""

    hidden_size: int = setting(96, "features of a token", low=8, high=1024)
    num_layers: int = setting(2, "blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attentions side by side in a block", low=1, high=32)
    caption_dropout: float = setting(0.1, "share of pictures whose caption is left away", low=0, high=1)
    base_channels: int = setting(64, "features of a place, in every level", low=8, high=256)
    batch_size: int = setting(32, "pictures in one step, all processes together", low=2, high=8192)
    prediction_type: str = setting(
        "sample",
        "what the network says of a noisy picture: its noise, the picture, or how one turns into the other",
        choices=PREDICTION_TYPES,
    )
    patch_size: int = setting(
        4, "side of the square of pixels that is one place to the network", low=1, high=16
    )
    optimizer: str = setting("muon", "for matrices and kernels", choices=("adamw", "muon"))


@dataclass(frozen=True)
class CheckerSettings(PictureNetworkSettings):
    """A network that reads what stands where on a picture of the tiny world."""

    image_size: int = setting(64, "side of a picture in pixels", choices=(32, 64))
    batch_size: int = setting(64, "pictures in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(3e-3, "AdamW's largest", low=0, high=10)
    weight_decay: float = setting(0.02, "how strongly weights shrink", low=0, high=10)
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    noise: float = setting(
        0.1, "largest noise on training pictures, as a share of half of black to white", low=0, high=1
    )

    def reader_config(self) -> "AttributeReaderConfig":
        """The network's shape."""
        from aigc_demo.nets.attribute_reader import AttributeReaderConfig

        return AttributeReaderConfig(image_size=self.image_size, width=self.width)


@dataclass(frozen=True)
class MenderSettings(PictureNetworkSettings):
    """A network that gives pictures back their colours, or what was painted over."""

    image_size: int = setting(64, "side of a picture in pixels", choices=(32, 64))
    pictures: str = setting(
        "groups",
        "what the tiny world draws: one shape, one thing, a scene, a few shapes",
        choices=IMAGE_KINDS,
    )
    batch_size: int = setting(32, "pictures in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(2e-3, "AdamW's largest", low=0, high=10)
    width: int = setting(24, "channels of the level next to the picture", low=4, high=256)

    def mender_config(self, recipe: str) -> "RestorationConfig":
        """The network's shape."""
        from aigc_demo.nets.restoration import RestorationConfig

        return RestorationConfig(image_size=self.image_size, width=self.width, recipe=recipe)
