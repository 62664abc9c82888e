"""The kinds of models, as plain data: what each does, its loader and its evaluator.

A new kind is one row. A loader takes a catalog's entry and `progress`, that of text and of masked words also
`on_ours`; an evaluator takes an entry, a source and a split, and the settings, samples and seed of
`studio.evaluate`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import InputError


@dataclass(frozen=True)
class Kind:
    """One row: what all models of a kind have in common.

    Attributes:
        sentence: what such a model does, as it follows "it" and "one that" in an error.
        load: the function that loads one, as module:name.
        wanted: the files that are fetched from the Hub; exact names where they are known, since a pattern
            such as *.safetensors would take copies in other formats along.
        needed: patterns, of each of which a file has to be there before a model counts as whole.
        task: the Hub's name for what it does, in the front matter of a model card.
        evaluate: the function that measures one, as module:name; "" where none does.
        not_evaluated: why there is none.
        libraries: the modules that loading a pretrained one needs. They are imported alone, its weights,
            which may come over a network for minutes, keep nobody waiting.
        makes_images: of captions or of nothing.
        looks_at_images: and makes none from nothing.
        takes_captions: whether it makes images of captions.
        sampling: the settings with which it makes images, as module:class.
        compared_with_all: whether what it makes is measured against all of a source, and not against what
            was held out of it.
        keeps_preparation: whether its folder says how its data were prepared.
    """

    sentence: str
    load: str
    wanted: tuple[str, ...]
    needed: tuple[str, ...]
    task: str
    evaluate: str = ""
    not_evaluated: str = ""
    libraries: tuple[str, ...] = ()
    makes_images: bool = False
    looks_at_images: bool = False
    takes_captions: bool = False
    sampling: str = ""
    compared_with_all: bool = False
    keeps_preparation: bool = False

    def loader(self) -> Callable[..., Any]:
        """The function behind `load`; imports torch."""
        return function_named(self.load)

    def sampling_of(self, settings: Mapping[str, Any]) -> Any:
        """The checked settings behind `sampling`.

        Raises:
            InputError: a name is unknown, or a value does not fit.
        """
        return function_named(self.sampling).from_mapping(settings)  # type: ignore[attr-defined]

    def is_whole(self, folder: Path) -> bool:
        """Whether a folder in the Hub's cache holds what such a model needs."""
        return all(any(path.is_file() for path in folder.glob(pattern)) for pattern in self.needed)


def function_named(name: str) -> Callable[..., Any]:
    """The function or class that a row names as module:name, imported now."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


# The kinds by name, as a catalog's entries, the API and the runs on a disk have them.
TEXT_GENERATOR, MASKED_WORDS, ANSWERS = "text", "masks", "answers"
IMAGE_GENERATOR, TEXT_TO_IMAGE = "pictures", "text-to-image"
IMAGE_ENCODER, DUAL_ENCODER, ATTRIBUTE_READER = "measures", "matches", "reads"
RESTORATION, DECODER = "mends", "decodes"

_IMAGE_MODELS = "aigc_demo.generators.images"
_TEXT_MODELS = "aigc_demo.generators.text"
_ANSWER_MODELS = "aigc_demo.generators.answers"
_CAPTION_MODELS = "aigc_demo.generators.text_to_image"
_EVALUATE = "aigc_demo.studio.evaluate"

_TRANSFORMERS_FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-?????-of-?????.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "preparation.json",  # of a model that was trained here and pushed
)
_TRANSFORMERS_NEEDED = ("config.json", "tokenizer.json", "model*.safetensors")
_OUR_FILES = ("config.json", "model.safetensors")
_DIFFUSION_FILES = (
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "scheduler/scheduler_config.json",
)

KINDS: dict[str, Kind] = {
    TEXT_GENERATOR: Kind(
        "generates text",
        f"{_TEXT_MODELS}.loading:load_text_model",
        _TRANSFORMERS_FILES,
        _TRANSFORMERS_NEEDED,
        "text-generation",
        f"{_EVALUATE}.text:evaluate_text",
        libraries=(f"{_TEXT_MODELS}.library", f"{_TEXT_MODELS}.ours"),
        keeps_preparation=True,
    ),
    MASKED_WORDS: Kind(
        "predicts masked words",
        f"{_TEXT_MODELS}.masked_words:load_masked_words",
        _TRANSFORMERS_FILES,
        _TRANSFORMERS_NEEDED,
        "fill-mask",
        f"{_EVALUATE}.masked_words:evaluate_masked_words",
        libraries=(f"{_TEXT_MODELS}.library_encoder",),
        keeps_preparation=True,
    ),
    ANSWERS: Kind(
        "answers a text",
        f"{_ANSWER_MODELS}.model:load_answers",
        _TRANSFORMERS_FILES,
        _TRANSFORMERS_NEEDED,
        "text2text-generation",
        f"{_EVALUATE}.answers:evaluate_answers",
        libraries=(f"{_ANSWER_MODELS}.library",),
        keeps_preparation=True,
    ),
    IMAGE_GENERATOR: Kind(
        "generates images",
        f"{_IMAGE_MODELS}.loading:load_image_model",
        # In diffusers' layout: in folders of their own, or all in one.
        (*_DIFFUSION_FILES, "config.json", "scheduler_config.json", "diffusion_pytorch_model.safetensors"),
        ("**/scheduler_config.json", "**/diffusion*.safetensors"),
        "unconditional-image-generation",
        f"{_EVALUATE}.images:evaluate_image_model",
        libraries=(f"{_IMAGE_MODELS}.diffusion",),
        makes_images=True,
        sampling=f"{_IMAGE_MODELS}.model:ImageSampling",
        compared_with_all=True,
    ),
    TEXT_TO_IMAGE: Kind(
        "generates images from captions",
        f"{_CAPTION_MODELS}.ours:load_text_to_image",
        # Its own decoder, large and slow, is left where it is.
        (
            *_DIFFUSION_FILES,
            *(f"tokenizer/{name}" for name in ("vocab.json", "merges.txt", "tokenizer_config.json")),
            "tokenizer/special_tokens_map.json",
            "tokenizer/tokenizer.json",
            "text_encoder/config.json",
            "text_encoder/model.safetensors",
        ),
        (
            "model_index.json",
            "tokenizer/vocab.json",
            "text_encoder/model.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "scheduler/scheduler_config.json",
        ),
        "text-to-image",
        f"{_EVALUATE}.text_to_image:evaluate_text_to_image",
        libraries=tuple(
            f"{_CAPTION_MODELS}.{module}" for module in ("library", "stable_diffusion", "clip_scores")
        ),
        makes_images=True,
        takes_captions=True,
        sampling=f"{_CAPTION_MODELS}.model:TextSampling",
    ),
    IMAGE_ENCODER: Kind(
        "extracts features of images",
        f"{_IMAGE_MODELS}.loading:load_encoder",
        _OUR_FILES,
        _OUR_FILES,
        "image-feature-extraction",
        f"{_EVALUATE}.images:evaluate_encoder",
        looks_at_images=True,
    ),
    DUAL_ENCODER: Kind(
        "matches texts and images",
        f"{_CAPTION_MODELS}.matching:load_any_matcher",
        (*_TRANSFORMERS_FILES, "preprocessor_config.json"),
        ("config.json", "model.safetensors", "vocab.json", "preprocessor_config.json"),
        "zero-shot-image-classification",
        f"{_EVALUATE}.pairs:evaluate_matcher",
        libraries=(f"{_CAPTION_MODELS}.matching", f"{_CAPTION_MODELS}.clip_scores"),
        looks_at_images=True,
    ),
    ATTRIBUTE_READER: Kind(
        "recognizes what images show",
        f"{_CAPTION_MODELS}.matching:load_reader",
        _OUR_FILES,
        _OUR_FILES,
        "object-detection",
        f"{_EVALUATE}.pairs:evaluate_attribute_reader",
        looks_at_images=True,
    ),
    RESTORATION: Kind(
        "restores images",
        f"{_CAPTION_MODELS}.restoration:load_restoration",
        _OUR_FILES,
        _OUR_FILES,
        "image-to-image",
        f"{_EVALUATE}.pairs:evaluate_restoration",
        looks_at_images=True,
    ),
    DECODER: Kind(
        "decodes latents into images",
        f"{_CAPTION_MODELS}.stable_diffusion:load_small_decoder",
        ("config.json", "diffusion_pytorch_model.safetensors"),
        ("config.json", "diffusion_pytorch_model.safetensors"),
        "image-to-image",
        not_evaluated="its images are measured as those of the model that it decodes for",
        libraries=(f"{_CAPTION_MODELS}.stable_diffusion",),
    ),
}


def check_kind(name: str, kind: str, *expected: str) -> None:
    """Refuse a model that does something else than is wanted.

    Args:
        name: of the model, or where it lies.
        kind: of it.
        expected: the kinds that would do.

    Raises:
        InputError: it is of none of them.
    """
    if kind not in expected:
        raise InputError(
            "foreign_model", path=name, detail=f"it {KINDS[kind].sentence}", expected=sentences(expected)
        )


def sentences(kinds: Iterable[str]) -> str:
    """What models of these kinds do, as it follows "one that"."""
    return " or ".join(KINDS[kind].sentence for kind in kinds)
