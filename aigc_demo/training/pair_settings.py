"""What the trainings that learn from pictures with captions are told."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aigc_demo.core.config import setting
from aigc_demo.data.images import DRAWN
from aigc_demo.data.pairs import LONGEST, PairSettings
from aigc_demo.training.picture_settings import PictureNetworkSettings

if TYPE_CHECKING:
    from aigc_demo.nets.attribute_reader import AttributeReaderConfig
    from aigc_demo.nets.contrastive import DualEncoderConfig
    from aigc_demo.nets.mender import MenderConfig


@dataclass(frozen=True)
class ClipSettings(PairSettings, PictureNetworkSettings):
    """A text encoder and a picture encoder that learn which caption belongs to which picture.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.5, for AdamW with decay.
    """

    batch_size: int = setting(128, "pairs in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(2e-3, "AdamW's largest", low=0, high=10)
    weight_decay: float = setting(0.05, "how strongly weights shrink", low=0, high=10)
    num_layers: int = setting(2, "blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attentions side by side in a block", low=1, high=64)
    hidden_size: int = setting(128, "features of a token", low=8, high=2048)
    width: int = setting(32, "channels of the picture encoder's first stage", low=8, high=256)
    embedding_size: int = setting(128, "numbers that stand for a text or a picture", low=8, high=2048)
    wrong_captions: int = setting(
        2,
        "nearly right captions that each picture is to tell from its own, where there are such",
        low=0,
        high=8,
    )
    noise: float = setting(
        0.1, "largest noise on training pictures, as a share of half of black to white", low=0, high=1
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
        "groups", "what the tiny world draws: one shape, one thing, a scene, a few shapes", choices=DRAWN
    )
    batch_size: int = setting(32, "pictures in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(2e-3, "AdamW's largest", low=0, high=10)
    width: int = setting(24, "channels of the level next to the picture", low=4, high=256)

    def mender_config(self, recipe: str) -> "MenderConfig":
        """The network's shape."""
        from aigc_demo.nets.mender import MenderConfig

        return MenderConfig(image_size=self.image_size, width=self.width, recipe=recipe)
