"""A model's folder as training here leaves it: which recipe made it, and what it says of itself.

Its weights are looked at, not loaded. A new recipe is one row of `FOLDERS`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import WEIGHTS, num_parameters, read_json, weights_path
from aigc_demo.data.preparation import PREPARATION
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.pretrained.folder import pretrained_entry

GANS = ("dcgan", "stylegan")
TEXT_GAN, TEXT_DIFFUSION = "text2image", "text2image-diffusion"
GENERATOR = "generator"
_UNET = "unet/diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Weights:
    """One file of weights.

    Attributes:
        file: its name in the model's folder.
        counted: the beginning of the names of those tensors that count as the model's parameters; None for
            none, such as a discriminator's, which takes no part in making an image.
    """

    file: str = WEIGHTS
    counted: str | None = ""


@dataclass(frozen=True)
class TrainedFolder:
    """How a recipe leaves its model.

    Attributes:
        kind: of the model, a row of `kinds`.
        weights: its files.
        config: the folder of its config.json.
        library: whether its network is a library's, and not written here.
        runs_on_ours: whether its weights also fit our own network.
        load: the function that loads it from a catalog entry, as module:name, where its kind has several.
    """

    kind: str
    weights: tuple[Weights, ...] = (Weights(),)
    config: str = ""
    library: bool = False
    runs_on_ours: bool = False
    load: str = ""


_GAN = TrainedFolder(
    "pictures",
    (Weights(f"{GENERATOR}/{WEIGHTS}"), Weights(f"discriminator/{WEIGHTS}")),
    GENERATOR,
    load="aigc_demo.generators.images.gan:load_gan",
)
_OUR_TEXT_TO_IMAGE = TrainedFolder(
    "text-to-image",
    (
        Weights(f"{GENERATOR}/{WEIGHTS}"),
        Weights(f"discriminator/{WEIGHTS}", None),
        Weights(f"matcher/{WEIGHTS}", "text_encoder."),
    ),
    GENERATOR,
)
FOLDERS: dict[str, TrainedFolder] = {
    "gpt": TrainedFolder("text"),
    "gpt2": TrainedFolder("text", library=True, runs_on_ours=True),
    **dict.fromkeys(GANS, _GAN),
    "ddpm": TrainedFolder("pictures", (Weights(_UNET),), library=True),
    "classifier": TrainedFolder("measures"),
    "clip": TrainedFolder("matches"),
    "checker": TrainedFolder("reads"),
    "colorize": TrainedFolder("mends"),
    "inpaint": TrainedFolder("mends"),
    TEXT_GAN: _OUR_TEXT_TO_IMAGE,
    TEXT_DIFFUSION: TrainedFolder(
        "text-to-image", (Weights(_UNET), Weights(f"text_encoder/{WEIGHTS}")), library=True
    ),
}


def folder_entry(folder: Path, name: str) -> CatalogEntry:
    """What a model's folder says of itself, whoever made it; its weights are looked at, not loaded.

    Raises:
        InputError: there is no model in it, or one of another kind.
    """
    place = GENERATOR if (folder / GENERATOR).is_dir() else ""
    file = folder / place / "config.json"
    config = read_json(file) if place or file.is_file() else {}
    if not place and not _is_ours(folder, config):
        return pretrained_entry(folder, name)
    recipe = config.get("recipe", "gpt2" if config.get("model_type") == "gpt2" else "")
    found = FOLDERS.get(recipe) if isinstance(recipe, str) else None
    if found is None or found.config != place:
        known = ", ".join(one for one, row in FOLDERS.items() if row.config == place)
        expected = f"a recipe of this project made: {known}"
        detail = f"its recipe is {shown(recipe) or 'not named'}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    return _entry(folder, name, recipe, found, config)


def _is_ours(folder: Path, config: dict[str, Any]) -> bool:
    """Whether this project made a model.

    Its config.json names a recipe, or it is a GPT-2 with the record of how its text was prepared.
    """
    return "recipe" in config or (config.get("model_type") == "gpt2" and (folder / PREPARATION).is_file())


def _entry(
    folder: Path, name: str, recipe: str, found: TrainedFolder, config: dict[str, Any]
) -> CatalogEntry:
    files = [_existing(folder, weights.file) for weights in found.weights]
    counts = [
        num_parameters(file, weights.counted)
        for file, weights in zip(files, found.weights, strict=True)
        if weights.counted is not None
    ]
    size = config.get("image_size")
    return CatalogEntry(
        name=name,
        family="library" if found.library else "ours",
        kind=found.kind,
        recipe=recipe,
        location=str(folder),
        num_parameters=sum(counts),
        size_mib=sum(file.stat().st_size for file in files) / 2**20,
        architecture=recipe,
        runs_on_ours=found.runs_on_ours,
        image_size=size if isinstance(size, int) else None,
    )


def _existing(folder: Path, file: str) -> Path:
    path = folder / file
    return weights_path(path.parent, path.name)
