"""The recipe of the network that measures images: settings, curves, row, what its cards say; no torch."""

from dataclasses import dataclass, replace

from aigc_demo.core.config import setting
from aigc_demo.data.images.corpus import ImageSettings
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import CardTexts, held_out_images, written_here
from aigc_demo.training.image_settings import ImageNetworkSettings
from aigc_demo.training.recipe import OPTIMIZATION, Curve, Line, Recipe, loss_curve


@dataclass(frozen=True)
class ClassifierSettings(ImageNetworkSettings):
    """A classifier of images or, where none has a label, contrastive learning of two views of each image.

    The views are augmented strongly, as what the features are to be invariant to is what they differ in.

    Source:
        Chen et al. 2020, arXiv:2002.05709, section 3, for which augmentations help; colours vary less than
        there, since colour is part of what features of images have to tell.
    """

    width: int = setting(32, "channels of the first stage", low=8, high=256)
    feature_size: int = setting(128, "features of an image", low=8, high=128)
    learning_rate: float = setting(4e-3, "AdamW's peak learning rate", low=0, high=10)
    temperature: float = setting(0.2, "temperature of the contrastive loss", low=0.01, high=10)
    view_crop: float = setting(0.25, "largest shift of a view, as a share of the side", low=0, high=0.5)
    view_flip: bool = setting(True, "mirror half of the views")
    view_colour: float = setting(0.4, "how far colours of a view vary", low=0, high=0.9)
    view_cutout: bool = setting(True, "grey out a square in each view (cutout)")

    def views(self) -> ImageSettings:
        """How a view is augmented."""
        return replace(self, crop=self.view_crop, flip=self.view_flip, colour=self.view_colour)


CURVES = (
    loss_curve("picture_loss"),
    Curve("accuracy", (Line("accuracy", "validation", "accuracy"),)),
    *OPTIMIZATION,
)

_USE = """## What it is for

To measure images of the kind that it was trained on: its features are what distances between real and
generated images are measured in. Figures measured with it compare with each other and with no others."""
_LOADING = """## How to load it

```python
from aigc_demo.nets.images.image_encoder import ImageEncoder

encoder = ImageEncoder.from_pretrained("FOLDER").float().eval()
features = encoder.features(images)  # of [N, 3, H, W] in -1 to 1
```"""

ROWS = {
    "classifier": Recipe(
        ClassifierSettings,
        CURVES,
        "aigc_demo.training.classifier.training",
        CardTexts(
            *written_here("A small image encoder,", " and frozen before any generator was trained"),
            use=_USE,
            loading=_LOADING,
            measured=held_out_images(
                {
                    "accuracy": "names the kind of image rightly",
                    "top1": "finds a changed image again among all held out",
                }
            ),
        ),
        folder=FOLDERS["classifier"],
        asked=("image_size", "width", "batch_size", "learning_rate"),
        shape=("image_size", "width", "feature_size"),
    )
}
