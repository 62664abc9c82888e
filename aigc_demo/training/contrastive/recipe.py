"""The recipe of the dual encoder: settings, curves, row, what its cards say; no torch."""

from dataclasses import dataclass
from typing import ClassVar

from aigc_demo.core.config import setting
from aigc_demo.data.captions.pairs import PairSettings
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import CardTexts, held_out_images, written_here
from aigc_demo.training.image_settings import ImageNetworkSettings
from aigc_demo.training.recipe import OPTIMIZATION, Curve, Line, Recipe
from aigc_demo.training.settings import OPTIMIZERS


@dataclass(frozen=True)
class ClipSettings(PairSettings, ImageNetworkSettings):
    """A text encoder and an image encoder that learn which caption belongs to which image.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.5, for AdamW with decay and its betas.
    """

    SPREAD: ClassVar[tuple[str, ...]] = ("noise",)

    batch_size: int = setting(96, "pairs in one step, all processes together", low=2, high=8192)
    optimizer: str = setting("muon", "of matrices and convolution kernels", choices=OPTIMIZERS)
    beta2: float = setting(0.98, "AdamW's second-moment decay (beta2)", low=0, high=0.9999)
    muon_momentum: float = setting(0.95, "Muon's momentum", low=0, high=0.999)
    weight_decay: float = setting(0.05, "AdamW's weight decay of matrices", low=0, high=10)
    num_layers: int = setting(2, "Transformer blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attention heads in each block", low=1, high=64)
    hidden_size: int = setting(128, "features per token", low=8, high=2048)
    width: int = setting(32, "channels of the image encoder's first stage", low=8, high=256)
    embedding_size: int = setting(128, "size of the embedding of a text or an image", low=8, high=2048)
    wrong_captions: int = setting(
        4, "hard negatives: nearly right captions for each image, where there are such", low=0, high=8
    )
    wrong_weight: float = setting(1.0, "weight of the loss on those alone", low=0, high=100)
    noise: float = setting(
        0.7,
        "largest standard deviation of noise on training images, which are from -1 to 1: an encoder that is "
        "robust to it can guide a generator",
        low=0,
        high=2,
    )


CURVES = (
    Curve(
        "pair_loss",
        (
            Line("train", "step", "loss", smooth=True),
            Line("validation", "validation", "loss"),
            Line("by_chance", "step", "loss_by_chance"),
        ),
    ),
    Curve(
        "found",
        (
            Line("found", "step", "found", smooth=True),
            Line("found_by_chance", "step", "found_by_chance"),
            Line("text_of_100", "validation", "text_of_100"),
            Line("picture_of_100", "validation", "picture_of_100"),
        ),
    ),
    *OPTIMIZATION,
)

_USE = """## What it is for

A classroom: to see how texts and images come to lie in one space, to rank images by a text, and to guide
what draws. It knows the words of its captions and no others."""
_LOADING = """## How to load it

```python
from aigc_demo.generators.text_to_image.matching import load_matcher

matcher = load_matcher("FOLDER")
scores = matcher.scores(["a red ball"], images)  # of uint8 [N, 3, H, W]; -1 to 1, higher fits better
```"""

ROWS = {
    "clip": Recipe(
        ClipSettings,
        CURVES,
        "aigc_demo.training.contrastive.training",
        CardTexts(
            *written_here("A dual encoder, a Transformer for texts and a convolutional network for images,"),
            use=_USE,
            loading=_LOADING,
            measured=held_out_images(
                {
                    "top1_of_100": "finds the caption of an image among 100",
                    "picture_of_100": "finds the image of a caption among 100",
                    "picture_of_all": "finds the image of a caption among all",
                    "top1_of_100_zh": "finds the Chinese caption of an image among 100",
                    "picture_of_100_zh": "finds the image of a Chinese caption among 100",
                    "told_from_exchanged": "prefers the caption to one with two looks exchanged",
                    "told_from_exchanged_zh": "prefers the Chinese caption to one with two looks exchanged",
                }
            ),
        ),
        folder=FOLDERS["clip"],
        starts_from=("bert",),
        asked=("image_size", "num_layers", "hidden_size", "batch_size", "learning_rate", "wrong_captions"),
        shape=("image_size", "num_layers", "num_heads", "hidden_size", "width", "embedding_size"),
    )
}
