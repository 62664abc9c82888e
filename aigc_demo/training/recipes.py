"""What can be trained: plain data, which a page can read without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.training.curves import (
    CLASSIFIER,
    CONTRASTIVE,
    DIFFUSION,
    GAN,
    LANGUAGE_MODEL,
    MENDER,
    TEXT_TO_IMAGE,
    Curve,
)
from aigc_demo.training.image_settings import (
    ClassifierSettings,
    DiffusionSettings,
    GanSettings,
    StyleGanSettings,
)
from aigc_demo.training.pair_settings import (
    CheckerSettings,
    ClipSettings,
    MenderSettings,
    TextDiffusionSettings,
    TextToImageSettings,
)
from aigc_demo.training.settings import LanguageModelSettings


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is trained.

    Attributes:
        settings: the class of its settings.
        family: which loop trains it.
        kind: of its models, a row of `generators.kinds`.
        rate: the measure of a step that says how fast it goes.
        curves: the charts that tell its story.
        defaults: settings that differ from those of its class.
        small: those with which it learns the tiny world in three minutes of two cores: they hold for that
            source where nothing else is said.
        ours: whether the network is written here.
        asked: the settings that a page offers first; the others come behind them.
        shape: the settings that are a model's own, so that a run which goes on from one takes them from it.
        trial: settings with which a trial of a few steps sees those that take longest.
    """

    settings: type[Any]
    curves: tuple[Curve, ...]
    family: str = "language-model"
    kind: str = "text"
    rate: str = "tokens_per_second"
    defaults: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = True
    asked: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    trial: Mapping[str, Any] = field(default_factory=dict)

    @property
    def learns_from(self) -> str:
        """What its source holds: text or pictures."""
        return "text" if self.family == "language-model" else "pictures"

    def complete(self, given: Mapping[str, Any], source: str = "") -> Any:
        """All settings, from those that were given.

        Args:
            given: by name.
            source: what it is to be trained on.

        Raises:
            InputError: a name is unknown, or a value does not fit.
        """
        suited = self.small if source == TINY_WORLD else {}
        return self.settings.from_mapping({**self.defaults, **suited, **given})


_ASKED = (
    "tokenizer",
    "num_layers",
    "hidden_size",
    "context_length",
    "batch_size",
    "learning_rate",
    "dropout",
)

_SHAPE = (
    "tokenizer",
    "context_length",
    "num_layers",
    "num_heads",
    "hidden_size",
    "mlp_size",
    "tie_embeddings",
)

# How they were found: docs/experiments.md. A row is as long as the longest story, and each begins with one;
# many small steps teach more than a few large ones.
_STORIES = {
    "tokenizer": "words",
    "num_layers": 3,
    "num_heads": 4,
    "hidden_size": 128,
    "context_length": 96,
    "batch_size": 16,
    "paragraph_start_prob": 1.0,
    "dropout": 0.0,
}

# What is lost differs; how it is learned does not.
_MENDER = Recipe(
    MenderSettings,
    MENDER,
    family="mender",
    kind="mends",
    rate="pictures_per_second",
    asked=("image_size", "width", "batch_size", "learning_rate"),
    shape=("image_size", "width"),
)

RECIPES: dict[str, Recipe] = {
    "gpt": Recipe(
        LanguageModelSettings,
        LANGUAGE_MODEL,
        # At Muon's usual rate it does not learn in this time which colour belongs to which thing.
        small={**_STORIES, "learning_rate": 8e-3, "muon_learning_rate": 5e-3},
        asked=_ASKED,
        shape=_SHAPE,
    ),
    "gpt2": Recipe(
        LanguageModelSettings,
        LANGUAGE_MODEL,
        # As the library's users train it: AdamW with a cosine, tied embeddings.
        defaults={
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "schedule": "cosine",
            "tie_embeddings": True,
        },
        small={**_STORIES, "learning_rate": 3e-3},
        ours=False,
        asked=_ASKED,
        shape=_SHAPE,
    ),
    "dcgan": Recipe(
        GanSettings,
        GAN,
        # Ten minutes are short for the paper's rates and widths: small networks that take large steps, held
        # back from each other by the penalty. How they were found: docs/experiments.md.
        small={
            "num_features": 32,
            "batch_size": 64,
            "optimizer": "muon",
            "muon_learning_rate": 0.03,
            "learning_rate": 1e-3,
            "beta1": 0.0,
            "beta2": 0.99,
            "schedule": "linear",
            "r1_gamma": 0.5,
            "ema_decay": 0.998,
        },
        family="gan",
        kind="pictures",
        rate="pictures_per_second",
        asked=("image_size", "num_features", "loss", "batch_size", "learning_rate", "ema_decay"),
        shape=("image_size", "latent_size", "num_features"),
    ),
    "stylegan": Recipe(
        StyleGanSettings,
        GAN,
        family="gan",
        kind="pictures",
        rate="pictures_per_second",
        asked=("image_size", "width", "loss", "batch_size", "learning_rate", "r1_gamma"),
        shape=("image_size", "latent_size", "num_features", "style_size", "num_mapping_layers", "width"),
    ),
    "ddpm": Recipe(
        DiffusionSettings,
        DIFFUSION,
        # The paper's network says the noise; one that says the picture, by Muon, draws shapes in minutes.
        small={"prediction_type": "sample", "optimizer": "muon"},
        family="diffusion",
        kind="pictures",
        rate="pictures_per_second",
        ours=False,
        asked=("image_size", "base_channels", "batch_size", "learning_rate", "ema_decay"),
        shape=(
            "image_size",
            "base_channels",
            "layers_per_block",
            "attention",
            "prediction_type",
            "patch_size",
        ),
    ),
    "classifier": Recipe(
        ClassifierSettings,
        CLASSIFIER,
        family="classifier",
        kind="measures",
        rate="pictures_per_second",
        asked=("image_size", "width", "batch_size", "learning_rate"),
        shape=("image_size", "width", "feature_size"),
    ),
    "clip": Recipe(
        ClipSettings,
        CONTRASTIVE,
        family="contrastive",
        kind="matches",
        rate="pictures_per_second",
        asked=("image_size", "num_layers", "hidden_size", "batch_size", "learning_rate", "wrong_captions"),
        shape=("image_size", "num_layers", "num_heads", "hidden_size", "width", "embedding_size"),
    ),
    "text2image": Recipe(
        TextToImageSettings,
        TEXT_TO_IMAGE,
        # Its captions are those that the shipped dual encoder knows.
        small={"guide": "clip-tiny-world"},
        family="text-to-image",
        kind="text-to-image",
        rate="pictures_per_second",
        asked=("image_size", "num_layers", "hidden_size", "batch_size", "copying", "guide_weight"),
        trial={"copying": 0.0},
        shape=(
            "image_size",
            "latent_size",
            "num_features",
            "hidden_size",
            "num_layers",
            "reading_layers",
            "num_heads",
        ),
    ),
    "text2image-diffusion": Recipe(
        TextDiffusionSettings,
        DIFFUSION,
        family="text-diffusion",
        kind="text-to-image",
        rate="pictures_per_second",
        ours=False,
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
    ),
    "colorize": _MENDER,
    "inpaint": _MENDER,
    "checker": Recipe(
        CheckerSettings,
        CLASSIFIER,
        family="reader",
        kind="reads",
        rate="pictures_per_second",
        asked=("image_size", "width", "batch_size", "learning_rate"),
        shape=("image_size", "width"),
    ),
}


def recipe_named(name: Any) -> Recipe:
    """The recipe.

    Raises:
        InputError: there is none of that name.
    """
    if not isinstance(name, str) or name not in RECIPES:
        raise InputError("unknown_recipe", name=shown(name), known=", ".join(RECIPES))
    return RECIPES[name]
