"""The recipe of the library's diffusion model: settings, curves, row, what its cards say; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.core.errors import InputError
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.nets.options import PREDICTION_TYPES
from aigc_demo.training.card import IMAGES_USE, CardTexts, generated_images
from aigc_demo.training.image_settings import ImageNetworkSettings
from aigc_demo.training.recipe import OPTIMIZATION, Measuring, Recipe, loss_curve

NAME = "ddpm"  # of the recipe; its models name it in their config.json
PREDICTION_HELP = "what the network predicts: the noise, the image, or the velocity between the two"
PATCH_HELP = "side of the square of pixels that is one position of the network"


@dataclass(frozen=True)
class DiffusionSettings(ImageNetworkSettings):
    """The library's diffusion model, small enough for two cores."""

    base_channels: int = setting(
        32, "channels of the level next to the image; n times as many in level n", low=8, high=256
    )
    layers_per_block: int = setting(1, "residual blocks in each level", low=1, high=4)
    attention: bool = setting(False, "self-attention in the smallest level")
    noise_steps: int = setting(1000, "timesteps from an image to noise", low=10, high=4000)
    prediction_type: str = setting("epsilon", PREDICTION_HELP, choices=PREDICTION_TYPES)
    patch_size: int = setting(1, PATCH_HELP, low=1, high=16)
    batch_size: int = setting(64, "images in one step, all processes together", low=2, high=8192)
    ema_decay: float = setting(0.999, "decay of the moving average of the weights", low=0, high=0.99999)
    validation_pictures: int = setting(256, "images in each validation, the same ones each time", low=1)
    sample_pictures: int = setting(16, "images of the sample at each checkpoint", low=0, high=400)
    sample_steps: int = setting(10, "inference steps of the sample", low=1, high=1000)

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


CURVES = (loss_curve("noise_loss"), *OPTIMIZATION)

_LOADING = """## How to load it

```python
from diffusers import DDIMPipeline

images = DDIMPipeline.from_pretrained("FOLDER")(batch_size=16, num_inference_steps=20).images
```"""

ROWS = {
    NAME: Recipe(
        DiffusionSettings,
        CURVES,
        "aigc_demo.training.diffusion.training",
        CardTexts(
            "The library baseline: diffusers' UNet2DModel and its noise, trained by this project on the same "
            "data for the same time",
            "diffusers' UNet2DModel, trained with AIGC Demo",
            use=IMAGES_USE,
            loading=_LOADING,
            measured=generated_images,
            library="diffusers",
        ),
        folder=FOLDERS[NAME],
        # The paper's network predicts the noise; one that predicts the image, trained by Muon, draws shapes
        # in minutes.
        small={"prediction_type": "sample", "optimizer": "muon"},
        # It takes as many steps for each image as a GAN takes images.
        measuring=Measuring(samples=2000),
        asked=("image_size", "base_channels", "batch_size", "learning_rate", "ema_decay"),
        shape=(
            "image_size",
            "base_channels",
            "layers_per_block",
            "attention",
            "prediction_type",
            "patch_size",
        ),
    )
}
