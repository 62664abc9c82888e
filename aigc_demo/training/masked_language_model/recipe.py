"""The recipes that pretrain an encoder: settings, curves, rows, what their cards say; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import TEXT
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import CardTexts, Measured
from aigc_demo.training.recipe import (
    GRADIENT_NORM,
    LEARNING_RATE,
    TOKENS_PER_SECOND,
    Line,
    Recipe,
    measure_curve,
)
from aigc_demo.training.text_settings import ENCODER_OF_STORIES, SHAPE, TextTrainingSettings


@dataclass(frozen=True)
class MaskingSettings(Settings):
    """How tokens are chosen and replaced."""

    mask_prob: float = setting(0.15, "share of the tokens that are to be predicted", low=0.01, high=0.9)
    mask_token_share: float = setting(0.8, "share of those that are replaced by <mask>", low=0, high=1)
    random_token_share: float = setting(
        0.1, "share of those that are replaced by a random token; the others stay", low=0, high=1
    )
    whole_words: bool = setting(True, "mask all tokens of a word together")
    static_masks: bool = setting(False, "the same masks for a row every time, instead of new ones each time")


@dataclass(frozen=True)
class EncoderSettings(MaskingSettings, TextTrainingSettings):
    """What `--set` changes in the recipes that pretrain an encoder."""

    tie_embeddings: bool = setting(True, "one matrix for the token embeddings and the output layer")
    max_sentences: int = setting(3, "sentences of the first text of a row, at most", low=1, high=64)
    single_text_prob: float = setting(0.25, "probability that a row has one text alone", low=0, high=0.99)
    next_sentence_weight: float = setting(1.0, "weight of the next-sentence loss", low=0, high=100)
    validation_rows: int = setting(
        256, "rows in each validation, the same ones each time", low=1, high=100_000
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mask_token_share + self.random_token_share > 1:
            expected = (
                f"at most {1 - self.mask_token_share:g}, as mask_token_share is {self.mask_token_share:g}"
            )
            raise InputError(
                "setting_range", name="random_token_share", expected=expected, got=self.random_token_share
            )


CURVES = (
    measure_curve("masked_loss", logarithmic=True),
    measure_curve("masked_accuracy"),
    measure_curve("next_sentence_loss", logarithmic=True),
    measure_curve("next_sentence_accuracy", Line("by_chance", "validation", "next_sentence_chance")),
    LEARNING_RATE,
    GRADIENT_NORM,
    TOKENS_PER_SECOND,
)


def _measured(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
    """Masked tokens and next sentences of held-out text."""
    rows: list[tuple[str, Any]] = [
        ("masked tokens predicted rightly", f"{figures['masked_accuracy']:.2%}"),
        ("the right one among the first five", f"{figures['masked_top5_accuracy']:.2%}"),
    ]
    if "next_sentence_accuracy" in figures:
        rows.append(("next-sentence accuracy", f"{figures['next_sentence_accuracy']:.2%}"))
    if "next_sentence_ceiling" in figures:
        left_out = f"{figures['lawful_pairs_left_out']:,} of {figures['pairs_looked_at']:,} wrong pairs"
        ceiling = f"{figures['next_sentence_ceiling']:.2%}; {left_out} were left out, as they are lawful too"
        rows.append(("ceiling of that accuracy, by the grammar of the stories", ceiling))
    held_out = figures["preparation"]["validation_fraction"]
    return Measured(
        f"Measured with the file as shipped on {figures['num_samples']:,} rows of held-out text, the last\n"
        f"{held_out:.0%} of the data.",
        rows,
    )


_LOADING = """## How to load it

```
python -m aigc_demo generate FOLDER --prompt "... <mask> ..."
```"""
_USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It fills in words of texts like its
data and tells whether one sentence can follow another; do not rely on anything it says."""


def _card(shipped: str, own: str, *, loading: str = _LOADING, library: str = "aigc-demo") -> CardTexts:
    return CardTexts(
        shipped,
        own,
        use=_USE,
        loading=loading,
        measured=_measured,
        library=library,
        recorded_on="rows of held-out text",
        unit=" nats, of masked tokens and next sentences together",
        num_units=("batch_size",),
        unit_name="rows",
    )


_ASKED = (
    "tokenizer",
    "num_layers",
    "hidden_size",
    "context_length",
    "batch_size",
    "learning_rate",
    "mask_prob",
    "max_sentences",
)


def _row(**fields: Any) -> Recipe:
    return Recipe(
        EncoderSettings,
        CURVES,
        "aigc_demo.training.masked_language_model.training",
        learns_from=TEXT,
        rate="tokens_per_second",
        asked=_ASKED,
        shape=("tokenizer", *SHAPE),
        **fields,
    )


# As large as a couplet model that starts from it may be: files in the repository stay below 10 MB.
_DEFAULTS = {"num_layers": 4, "hidden_size": 160, "context_length": 128, "batch_size": 64}
ROWS = {
    "bert": _row(
        defaults=_DEFAULTS,
        small={**ENCODER_OF_STORIES, "learning_rate": 8e-3, "muon_learning_rate": 5e-3},
        folder=FOLDERS["bert"],
        card=_card(
            "A bidirectional Transformer encoder written from scratch in this project",
            "A bidirectional Transformer encoder, written from scratch in AIGC Demo and trained with it",
        ),
    ),
    "bert-library": _row(
        # As the library's users train it: AdamW; its schedule is a straight line, ours with a level part.
        defaults={**_DEFAULTS, "optimizer": "adamw", "learning_rate": 1e-3},
        small={**ENCODER_OF_STORIES, "learning_rate": 2e-3},
        folder=FOLDERS["bert-library"],
        card=_card(
            "The library baseline: transformers' BertForPreTraining, trained by this project on this data",
            "transformers' BertForPreTraining, trained with AIGC Demo",
            loading=f"{_LOADING}\n\nOr with transformers' `BertForPreTraining` and `AutoTokenizer`.",
            library="transformers",
        ),
    ),
}
