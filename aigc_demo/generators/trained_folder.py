"""A model's folder as training here leaves it: which recipe made it, and what it says of itself.

Its weights are looked at, not loaded. A new recipe is one row of `FOLDERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import WEIGHTS, num_parameters, read_json, weights_path
from aigc_demo.data.preparation import PREPARATION
from aigc_demo.generators import kinds
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.pretrained.folder import pretrained_entry
from aigc_demo.nets.options import COLORIZE, INPAINT

# Folders of networks inside a model's folder.
GENERATOR, DISCRIMINATOR, MATCHER = "generator", "discriminator", "matcher"
_UNET = "unet/diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Weights:
    """One file of weights.

    Attributes:
        file: its name in the model's folder.
        counted: the beginning of the names of those tensors that count as the model's parameters; None for
            none, such as a discriminator's, which takes no part in making an image.
        copies: names of tensors that are equal to others of the file, and are not counted.
    """

    file: str = WEIGHTS
    counted: str | None = ""
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainedFolder:
    """How a recipe leaves its model.

    Attributes:
        kind: of the model, a row of `kinds`; a recipe's too.
        weights: its files.
        config: the folder of its config.json.
        library: whether its network is a library's, and not written here.
        runs_on_ours: whether its weights also fit our own network.
        load: the function that loads it from a catalog entry, as module:name, where its kind has several;
            that of text takes the data type of its weights too, and whether to quantize them.
        check: the function that compares its networks with the headers of their weights without loading
            them, as module:name.
        quantizes: whether it also runs with 8-bit weights.
        tokenizer: the folder of its tokenizer, where it has one.
        has_latents: whether it makes an image of one noise vector, with which one can calculate.
        has_styles: whether styles of two of its images can be mixed.
    """

    kind: str
    weights: tuple[Weights, ...] = (Weights(),)
    config: str = ""
    library: bool = False
    runs_on_ours: bool = False
    load: str = ""
    check: str = ""
    quantizes: bool = False
    tokenizer: str = ""
    has_latents: bool = False
    has_styles: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders of its networks, where there are several."""
        return tuple(weights.file.split("/")[0] for weights in self.weights if "/" in weights.file)

    @property
    def family(self) -> Family:
        """Whose network it is, trained here."""
        return "library" if self.library else "ours"


_PACKAGE = "aigc_demo.generators"
_GAN = TrainedFolder(
    kinds.IMAGE_GENERATOR,
    (Weights(f"{GENERATOR}/{WEIGHTS}"), Weights(f"{DISCRIMINATOR}/{WEIGHTS}")),
    GENERATOR,
    load=f"{_PACKAGE}.images.gan:load_gan",
    check=f"{_PACKAGE}.images.gan:check_networks",
    has_latents=True,
)
FOLDERS: dict[str, TrainedFolder] = {
    "gpt": TrainedFolder(kinds.TEXT_GENERATOR, load=f"{_PACKAGE}.text.ours:load_ours_text", quantizes=True),
    "gpt2": TrainedFolder(kinds.TEXT_GENERATOR, library=True, runs_on_ours=True),
    "word-lm": TrainedFolder(
        kinds.TEXT_GENERATOR, library=True, load=f"{_PACKAGE}.text.word_lm:load_word_lm"
    ),
    "bert": TrainedFolder(kinds.MASKED_WORDS, load=f"{_PACKAGE}.text.our_encoder:load_our_encoder"),
    "bert-library": TrainedFolder(kinds.MASKED_WORDS, library=True, runs_on_ours=True),
    "seq2seq": TrainedFolder(kinds.ANSWERS, load=f"{_PACKAGE}.answers.ours:load_our_answers"),
    "seq2seq-library": TrainedFolder(
        kinds.ANSWERS,
        # The same as the encoder's: written twice, so that the library's own class loads the file.
        (Weights(copies=("decoder.bert.embeddings.word_embeddings.weight",)),),
        library=True,
        load=f"{_PACKAGE}.answers.library:load_library_answers",
    ),
    "dcgan": _GAN,
    "stylegan": replace(_GAN, has_styles=True),
    "ddpm": TrainedFolder(kinds.IMAGE_GENERATOR, (Weights(_UNET),), library=True),
    "classifier": TrainedFolder(kinds.IMAGE_ENCODER),
    "clip": TrainedFolder(kinds.DUAL_ENCODER),
    "checker": TrainedFolder(kinds.ATTRIBUTE_READER),
    COLORIZE: TrainedFolder(kinds.RESTORATION),
    INPAINT: TrainedFolder(kinds.RESTORATION),
    "text2image": TrainedFolder(
        kinds.TEXT_TO_IMAGE,
        (
            Weights(f"{GENERATOR}/{WEIGHTS}"),
            Weights(f"{DISCRIMINATOR}/{WEIGHTS}", None),
            Weights(f"{MATCHER}/{WEIGHTS}", "text_encoder."),
        ),
        GENERATOR,
        load=f"{_PACKAGE}.text_to_image.ours:load_text_gan",
        tokenizer=MATCHER,
    ),
    "text2image-diffusion": TrainedFolder(
        kinds.TEXT_TO_IMAGE,
        (Weights(_UNET), Weights(f"text_encoder/{WEIGHTS}")),
        library=True,
        load=f"{_PACKAGE}.text_to_image.library:load_text_diffusion",
    ),
}


def row_of(entry: CatalogEntry) -> TrainedFolder | None:
    """How training here left a model; None for a model of others."""
    return FOLDERS.get(entry.recipe)


def trained_loader(entry: CatalogEntry) -> Callable[..., Any] | None:
    """The function that loads a model that was trained here; None where its kind has but one, or for others'.

    Imported now: libraries take seconds, and our own models need nothing of them.
    """
    row = row_of(entry)
    return kinds.function_named(row.load) if row is not None and row.load else None


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
        num_parameters(file, weights.counted, weights.copies)
        for file, weights in zip(files, found.weights, strict=True)
        if weights.counted is not None
    ]
    size = config.get("image_size")
    return CatalogEntry(
        name=name,
        family=found.family,
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
