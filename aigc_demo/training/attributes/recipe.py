"""The recipe of the attribute reader: settings, curves, row, what its cards say; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import CardTexts, held_out_images, written_here
from aigc_demo.training.image_settings import ImageNetworkSettings
from aigc_demo.training.recipe import OPTIMIZATION, Curve, Line, Recipe, loss_curve


@dataclass(frozen=True)
class AttributeSettings(ImageNetworkSettings):
    """A network that reads which things, with which attributes, an image of the tiny world shows."""

    image_size: int = setting(64, "side of an image in pixels", choices=(32, 64))
    batch_size: int = setting(64, "images in one step, all processes together", low=2, high=8192)
    learning_rate: float = setting(3e-3, "AdamW's peak learning rate", low=0, high=10)
    weight_decay: float = setting(0.02, "AdamW's weight decay of matrices and kernels", low=0, high=10)
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    noise: float = setting(
        0.1,
        "largest standard deviation of noise on training images, which are from -1 to 1",
        low=0,
        high=1,
    )


CURVES = (
    loss_curve("picture_loss"),
    Curve("accuracy", (Line("accuracy", "validation", "accuracy"),)),
    *OPTIMIZATION,
)

_USE = """## What it is for

To say of images of the tiny world whether they show what was asked for. It knows nothing else."""
_LOADING = """## How to load it

```python
from aigc_demo.generators.text_to_image.matching import load_reader
from aigc_demo.measure.attributes import read_images

found = read_images(load_reader("FOLDER"), images)  # of uint8 [N, 3, H, W]
```"""

ROWS = {
    "checker": Recipe(
        AttributeSettings,
        CURVES,
        "aigc_demo.training.attributes.training",
        CardTexts(
            *written_here(
                "A small network that reads what stands where on an image,",
                "; it never trains, guides or ranks what draws",
            ),
            use=_USE,
            loading=_LOADING,
            measured=held_out_images(
                {
                    "checker_accuracy": "things whose kind, colour, size and place are all read rightly",
                    "picture_accuracy": "images of which everything is read rightly",
                }
            ),
        ),
        folder=FOLDERS["checker"],
        asked=("image_size", "width", "batch_size", "learning_rate"),
        shape=("image_size", "width"),
    )
}
