"""The recipe of the library's text-to-image diffusion model: settings, row, what its cards say; no torch."""

from dataclasses import dataclass

from aigc_demo.core.config import setting
from aigc_demo.data.captions.pairs import PairSettings
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.nets.options import PREDICTION_TYPES
from aigc_demo.training.card import CAPTIONS_LOADING, CAPTIONS_USE, CardTexts, images_of_captions
from aigc_demo.training.diffusion.recipe import CURVES, PATCH_HELP, PREDICTION_HELP, DiffusionSettings
from aigc_demo.training.recipe import Measuring, Recipe
from aigc_demo.training.settings import OPTIMIZERS

NAME = "text2image-diffusion"  # of the recipe; its models name it in their config.json


@dataclass(frozen=True)
class TextDiffusionSettings(PairSettings, DiffusionSettings):
    """The library's diffusion model with captions as its condition, about as large as ours."""

    hidden_size: int = setting(96, "features per token", low=8, high=1024)
    num_layers: int = setting(2, "Transformer blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attention heads in each block", low=1, high=32)
    caption_dropout: float = setting(
        0.1, "probability that an image's caption is dropped, for classifier-free guidance", low=0, high=1
    )
    base_channels: int = setting(64, "channels of every level", low=8, high=256)
    batch_size: int = setting(32, "images in one step, all processes together", low=2, high=8192)
    prediction_type: str = setting("sample", PREDICTION_HELP, choices=PREDICTION_TYPES)
    patch_size: int = setting(4, PATCH_HELP, low=1, high=16)
    optimizer: str = setting("muon", "of matrices and convolution kernels", choices=OPTIMIZERS)


ROWS = {
    NAME: Recipe(
        TextDiffusionSettings,
        CURVES,
        "aigc_demo.training.text_diffusion.training",
        CardTexts(
            "The library baseline: diffusers' UNet2DConditionModel and its noise, with transformers' "
            "CLIPTextModel, trained by this project on the same captions and images",
            "diffusers' UNet2DConditionModel with transformers' CLIPTextModel, trained with AIGC Demo",
            use=CAPTIONS_USE,
            loading=CAPTIONS_LOADING,
            measured=images_of_captions,
        ),
        folder=FOLDERS[NAME],
        measuring=Measuring(settings={"num_captions": 100, "candidates": 1}),
        asked=("image_size", "base_channels", "batch_size", "learning_rate", "caption_dropout"),
        shape=(
            "image_size",
            "base_channels",
            "layers_per_block",
            "prediction_type",
            "patch_size",
            "hidden_size",
            "num_layers",
            "num_heads",
        ),
    )
}
