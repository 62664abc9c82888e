"""The recipes that train an encoder-decoder: settings, curves, rows, what their cards say; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.config import setting
from aigc_demo.data.sources import TEXT
from aigc_demo.generators.trained_folder import FOLDERS
from aigc_demo.training.card import CardTexts, Measured
from aigc_demo.training.recipe import (
    GRADIENT_NORM,
    LEARNING_RATE,
    TOKENS_PER_SECOND,
    Curve,
    Line,
    Recipe,
    loss_curve,
    measure_curve,
)
from aigc_demo.training.text_settings import ENCODER_OF_STORIES, SHAPE, TextTrainingSettings


@dataclass(frozen=True)
class AnswerSettings(TextTrainingSettings):
    """What `--set` changes in the recipes that train an encoder-decoder."""

    num_layers: int = setting(4, "Transformer blocks of the encoder and of the decoder", low=1, high=64)
    tie_embeddings: bool = setting(True, "one matrix for the token embeddings and the output layer")
    target_length: int = setting(
        32, "tokens of an answer, its start and end included; longer ones are left out", low=3, high=8192
    )
    validation_pairs: int = setting(
        256, "pairs in each validation, the same ones each time", low=1, high=100_000
    )
    sample_pairs: int = setting(6, "held-out sources that are answered at each checkpoint", low=0, high=100)

    @property
    def lengths(self) -> tuple[int, int]:
        """The most tokens of a source and of an answer."""
        return self.context_length, min(self.target_length, self.context_length)

    @property
    def units_per_step(self) -> int:
        """Tokens of sources and answers in one step, at most."""
        return self.batch_size * sum(self.lengths)


CURVES = (
    loss_curve("loss"),
    Curve("exact_match", (Line("exact_match", "validation", "exact_match"),)),
    measure_curve("token_accuracy"),
    LEARNING_RATE,
    GRADIENT_NORM,
    TOKENS_PER_SECOND,
)


def _measured(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
    """Answers to held-out sources, compared with the true ones."""
    rows = [
        ("answers that are the true one, to the character", f"{figures['exact_match']:.2%}"),
        ("with the commonest answer every time", f"{figures['commonest_answer_share']:.2%}"),
        ("answers as long as the true one", f"{figures['length_kept']:.2%}"),
        ("bits per character of the true answer", f"{figures['bits_per_character']:.4f}"),
    ]
    for kind, found in figures.get("kinds", {}).items():
        rows.append((f"questions of the kind {kind.replace('_', ' ')}", f"{found['exact_match']:.2%}"))
    held_out = figures["preparation"]["validation_fraction"]
    return Measured(
        f"Measured with the file as shipped on {figures['num_samples']:,} held-out pairs, from the last\n"
        f"{held_out:.0%} of the data. An answer is the likeliest token at every place.",
        rows,
    )


_LOADING = """## How to load it

```
python -m aigc_demo generate FOLDER --prompt "..."
```"""
_USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It answers texts like those of its data
and knows nothing else; do not rely on anything it says."""


def _card(shipped: str, own: str, *, loading: str = _LOADING, library: str = "aigc-demo") -> CardTexts:
    return CardTexts(
        shipped,
        own,
        use=_USE,
        loading=loading,
        measured=_measured,
        library=library,
        recorded_on="held-out pairs",
        unit=" nats a token of the answer",
        num_units=("batch_size",),
        unit_name="pairs",
    )


_ASKED = (
    "tokenizer",
    "num_layers",
    "hidden_size",
    "context_length",
    "target_length",
    "batch_size",
    "learning_rate",
    "dropout",
)
_DEFAULTS = {"hidden_size": 160, "context_length": 128, "batch_size": 64}


def _row(**fields: Any) -> Recipe:
    return Recipe(
        AnswerSettings,
        CURVES,
        "aigc_demo.training.seq2seq.training",
        learns_from=TEXT,
        rate="tokens_per_second",
        asked=_ASKED,
        shape=("tokenizer", *SHAPE),
        **fields,
    )


ROWS = {
    "seq2seq": _row(
        defaults=_DEFAULTS,
        small={**ENCODER_OF_STORIES, "learning_rate": 8e-3, "muon_learning_rate": 5e-3},
        folder=FOLDERS["seq2seq"],
        starts_from=("bert",),
        card=_card(
            "An encoder-decoder Transformer written from scratch in this project",
            "An encoder-decoder Transformer, written from scratch in AIGC Demo and trained with it",
        ),
    ),
    "seq2seq-library": _row(
        # As `bert-library`, from which it can start.
        defaults={**_DEFAULTS, "optimizer": "adamw", "learning_rate": 1e-3},
        small={**ENCODER_OF_STORIES, "learning_rate": 1e-3},
        folder=FOLDERS["seq2seq-library"],
        starts_from=("bert-library",),
        card=_card(
            "The library baseline: transformers' EncoderDecoderModel of two BERTs, trained by this project "
            "on the same data",
            "transformers' EncoderDecoderModel of two BERTs, trained with AIGC Demo",
            loading=f"{_LOADING}\n\nOr with transformers' `EncoderDecoderModel` and `AutoTokenizer`.",
            library="transformers",
        ),
    ),
}
