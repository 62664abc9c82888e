"""The recipes that train a language model: settings, curves, rows, what their cards say; no torch."""

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
    Measuring,
    Recipe,
    loss_curve,
)
from aigc_demo.training.text_settings import SHAPE, TextTrainingSettings


@dataclass(frozen=True)
class LanguageModelSettings(TextTrainingSettings):
    """What `--set` changes in the recipes that train a language model; its text's preparation included."""

    paragraph_start_prob: float = setting(
        0.125, "probability that a row starts where a paragraph starts", low=0, high=1
    )
    validation_windows: int = setting(64, "windows in each validation, the same ones each time", low=1)
    sample_tokens: int = setting(200, "tokens of the sample at each checkpoint", low=0, high=4096)
    sample_prompt: str = setting("", "prompt of the sample")


CURVES = (
    loss_curve("loss"),
    LEARNING_RATE,
    GRADIENT_NORM,
    TOKENS_PER_SECOND,
)


def _measured(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
    """Bits of held-out text and, for the tiny world, whether generated stories are its own."""
    rows: list[tuple[str, Any]] = [
        ("bits per character", f"{figures['bits_per_character']:.4f}"),
        ("bits per byte", f"{figures['bits_per_byte']:.4f}"),
        ("characters outside the vocabulary", f"{figures['num_unknown']:,}"),
    ]
    if "accepted" in figures:
        accepted = f"{figures['accepted']:.1%} of {figures['num_generated']:,}"
        rows += [
            ("stories that the parser of the tiny world accepts", accepted),
            ("different stories among them", f"{figures['distinct']:.1%}"),
            (
                "longest run of characters that stands in the training part",
                f"{figures['longest_copied_run']:,}",
            ),
        ]
    preparation = figures["preparation"]
    held_out = preparation["validation_fraction"]
    case = ", in lower case" if preparation.get("lowercase") else ""
    return Measured(
        f"Measured with the file as shipped on {figures['num_characters']:,} held-out characters\n"
        f"({figures['num_bytes']:,} bytes), the last {held_out:.0%} of the data{case}:\n"
        f"every character predicted once, in consecutive windows of {settings['context_length']}.",
        rows,
        "A character outside the vocabulary costs its unknown token plus 8 bits for every byte of it.",
    )


_LOADING = """## How to load it

```
python -m aigc_demo generate FOLDER --prompt "..."
```"""
_USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It writes text that looks like its data
and knows nothing else; do not rely on anything it says."""


def _card(shipped: str, own: str, *, loading: str = _LOADING, library: str = "aigc-demo") -> CardTexts:
    return CardTexts(
        shipped,
        own,
        use=_USE,
        loading=loading,
        measured=_measured,
        library=library,
        recorded_on="windows of held-out text",
        unit=" nats a token",
        num_units=("batch_size", "context_length"),
        unit_name="tokens",
    )


_ASKED = (
    "tokenizer",
    "num_layers",
    "hidden_size",
    "context_length",
    "batch_size",
    "learning_rate",
    "dropout",
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


_EXAMPLE = {
    "tokenizer": "words",
    "lowercase": True,
    "optimizer": "sgd",
    "learning_rate": 1.0,
    "weight_decay": 0.0,
    "max_grad_norm": 0.25,
    "schedule": "cosine",
    "dropout": 0.2,
}


def _row(**fields: Any) -> Recipe:
    return Recipe(
        LanguageModelSettings,
        CURVES,
        "aigc_demo.training.language_model.training",
        learns_from=TEXT,
        rate="tokens_per_second",
        asked=_ASKED,
        shape=("tokenizer", *SHAPE),
        # Stories of the tiny world can be read back, so a card says how many can.
        measuring=Measuring(tiny_world_samples=1000),
        **fields,
    )


ROWS = {
    "gpt": _row(
        folder=FOLDERS["gpt"],
        # At Muon's usual rate it does not learn in this time which colour belongs to which thing.
        small={**_STORIES, "learning_rate": 8e-3, "muon_learning_rate": 5e-3},
        card=_card(
            "A decoder-only Transformer written from scratch in this project",
            "A decoder-only Transformer, written from scratch in AIGC Demo and trained with it",
        ),
    ),
    "gpt2": _row(
        # As the library's users train it: AdamW with a cosine schedule, tied embeddings.
        defaults={
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "schedule": "cosine",
            "tie_embeddings": True,
        },
        small={**_STORIES, "learning_rate": 3e-3},
        folder=FOLDERS["gpt2"],
        card=_card(
            "The library baseline: transformers' GPT2LMHeadModel, trained by this project on the same data",
            "transformers' GPT2LMHeadModel, trained with AIGC Demo",
            loading=f"{_LOADING}\n\nOr with transformers' `AutoModelForCausalLM` and `AutoTokenizer`.",
            library="transformers",
        ),
    ),
    "word-lm": _row(
        # As PyTorch's example of a word language model has it: words in lower case, those that stand once
        # unknown, plain SGD at rate 1 with clipped gradients. Punctuation keeps its place, so that tokens
        # joined give the text back. The example divides its rate by 4 where validation stops to improve; here
        # a rate depends on the share of the run alone, and the cosine takes it down.
        defaults={
            **_EXAMPLE,
            "num_layers": 2,
            "hidden_size": 200,
            "mlp_size": 200,
            "num_heads": 2,
            "context_length": 35,
            "batch_size": 20,
            "paragraph_start_prob": 0.0,
        },
        # With capitals, and in the shape of `gpt`, so that the two read the same tokens.
        small={**_EXAMPLE, **_STORIES, "mlp_size": 512, "lowercase": False, "dropout": 0.2},
        folder=FOLDERS["word-lm"],
        card=_card(
            "The library baseline on torch's own Transformer layers, as PyTorch's example of a word language "
            "model trains them, trained by this project on the same data",
            "torch's Transformer layers as a word language model, trained with AIGC Demo",
        ),
    ),
}
