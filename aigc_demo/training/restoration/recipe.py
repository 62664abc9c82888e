"""The recipes of image restoration: settings, curves, rows, what their cards say; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.data.images.corpus import IMAGE_KINDS
from aigc_demo.generators.trained_folder import FOLDERS, TrainedFolder
from aigc_demo.nets.options import COLORIZE, INPAINT
from aigc_demo.training.card import CardTexts, held_out_images, written_here
from aigc_demo.training.image_settings import ImageNetworkSettings
from aigc_demo.training.recipe import OPTIMIZATION, Recipe, loss_curve


@dataclass(frozen=True)
class RestorationSettings(ImageNetworkSettings):
    """A network that restores the colours of images, or what was masked out."""

    image_size: int = setting(64, "side of an image in pixels", choices=(32, 64))
    pictures: str = setting(
        "groups",
        "what the tiny world draws: one shape, one thing, a scene, a few shapes",
        choices=IMAGE_KINDS,
    )
    batch_size: int = setting(32, "images in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(2e-3, "AdamW's peak learning rate", low=0, high=10)
    width: int = setting(24, "channels of the level next to the image", low=4, high=256)


CURVES = (loss_curve("difference"), *OPTIMIZATION)

_USE = """## What it is for

A classroom: to see what a network makes of what it cannot see. What it adds is likely among the images that
it was trained on, and nothing more."""
_LOADING = """## How to load it

```python
from aigc_demo.generators.text_to_image.restoration import load_restoration

restorer = load_restoration("FOLDER")
restored = restorer.restored(images)  # uint8 [N, 3, H, W]; with a second argument for what is painted over
```"""


def _row(network: str, folder: TrainedFolder) -> Recipe:
    """What is lost differs; how it is learned does not."""
    return Recipe(
        RestorationSettings,
        CURVES,
        "aigc_demo.training.restoration.training",
        CardTexts(
            *written_here(network),
            use=_USE,
            loading=_LOADING,
            measured=held_out_images(
                numbers={
                    "grey_levels": "mean difference from the true pixels, grey levels of 255",
                    "grey_levels_before": "the same of the plainest guess",
                }
            ),
        ),
        folder=folder,
        asked=("image_size", "width", "batch_size", "learning_rate"),
        shape=("image_size", "width"),
    )


ROWS = {
    COLORIZE: _row("A small U-Net that gives grey images their colours,", FOLDERS[COLORIZE]),
    INPAINT: _row("A small U-Net that draws what was painted over,", FOLDERS[INPAINT]),
}
