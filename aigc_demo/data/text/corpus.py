"""The preprocessing of text, step by step: clean, split, tokenize, encode.

Every step is a function and reports how much it kept and dropped.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import disk_errors, write_atomically
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.data.preparation import PREPARATION, PreparationStep
from aigc_demo.data.sources import LoadedText
from aigc_demo.data.text.cleaning import clean_text, lowercase, normalize_newlines, remove_controls
from aigc_demo.data.text.tokenizer import KINDS, Tokenizer, train_tokenizer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "PreparationSettings",
    "PreparationStep",
    "TextCorpus",
    "TextSettings",
    "Tokenizer",
    "clean",
    "is_collection",
    "prepare_text",
    "split",
    "train_tokenizer",
]

PARAGRAPH = re.compile(r"(?:\A|(?<=\n\n))(?=[^\n])")
TITLE_LINE = re.compile(r"《[^\n]*》[^\n]*\n(?=[^\n])")


@dataclass(frozen=True)
class PreparationSettings(Settings):
    """Line filters and the validation split; saved with every trained model.

    An evaluation must split a text as the training did; otherwise the model is evaluated on training data.
    """

    validation_fraction: float = setting(0.1, "share of the text kept for validation", low=0.0, high=0.9)
    drop_repeated_lines: bool = setting(False, "keep only the first of equal lines")
    min_line_length: int = setting(0, "drop lines with fewer characters", low=0, high=1_000_000)
    max_line_length: int | None = setting(None, "drop lines with more characters", low=1, high=1_000_000)
    lowercase: bool = setting(
        False, "the text in lower case, as of the word models before subword tokenizers"
    )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write preparation.json into a model's folder.

        Raises:
            DemoError: the folder cannot be written.
        """
        values = {item.name: getattr(self, item.name) for item in fields(PreparationSettings)}
        with disk_errors(Path(folder)):
            write_atomically(Path(folder) / PREPARATION, json.dumps(values, indent=2))

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> "PreparationSettings":
        """The settings that `save` wrote; the defaults where the file is missing.

        Raises:
            InputError: the file is broken.
        """
        path = Path(folder) / PREPARATION
        if not path.is_file():
            return PreparationSettings()
        try:
            return PreparationSettings.from_mapping(read_json(path))
        except InputError as error:
            raise InputError("broken_model", path=str(folder), detail=PREPARATION) from error


@dataclass(frozen=True)
class TextSettings(PreparationSettings):
    """How a text is prepared."""

    tokenizer: str = setting("characters", "what a token is", choices=KINDS)
    vocab_size: int | None = setting(
        None, "largest vocabulary, special tokens included", low=3, high=1_000_000
    )


@dataclass(frozen=True, eq=False)
class TextCorpus:
    """A tokenized text, split for training and validation.

    Args:
        name: of the source.
        sha256: of the source as it was read.
        train_text: the first part, cleaned.
        validation_text: the rest; may be empty.
        train: [N] int64, token ids of the first part.
        validation: [M] int64.
        paragraph_starts: [P] int64, ascending indices into `train` of the first token of each paragraph, and
            of each body after a title.
        tokenizer: of `train` and `validation`.
        report: one entry per step.
    """

    name: str
    sha256: str
    train_text: str
    validation_text: str
    train: "Tensor"
    validation: "Tensor"
    paragraph_starts: "Tensor"
    tokenizer: Tokenizer
    report: tuple[PreparationStep, ...]


def clean(text: str, settings: PreparationSettings) -> tuple[str, list[PreparationStep]]:
    """Normalize a text as `cleaning.clean_text` does, lower it if asked, and filter its lines; idempotent.

    Blank lines are structure and are never dropped.

    Returns:
        The text and two entries of the report, clean and drop_lines.
    """
    unix = normalize_newlines(text)
    printable = remove_controls(unix)
    composed = clean_text(printable)
    if settings.lowercase:
        composed = lowercase(composed)
    pairs = zip(printable.split("\n"), composed.split("\n"), strict=True)
    facts: dict[str, int | float | str] = {
        "carriage_returns": text.count("\r"),
        "control_characters": len(unix) - len(printable),
        "lines_normalised": sum(before != after for before, after in pairs),
    }
    step = PreparationStep("clean", len(composed), len(text) - len(composed), facts)
    kept, drop_step = _drop_lines(composed, settings)
    return kept, [step, drop_step]


def split(text: str, validation_fraction: float = 0.1) -> tuple[str, str]:
    """Split a text by position: the first part for training, the rest for validation.

    A collection of titled documents is split at the next blank line, so that no document is cut in two; if
    there is none, at the one before the last document.

    Args:
        text: cleaned.
        validation_fraction: share of the characters in the second part, 0 to 1.

    Returns:
        Two texts whose concatenation is `text`.
    """
    cut = int((1 - validation_fraction) * len(text))
    if 0 < cut < len(text) and is_collection(text):
        documents = [match.start() for match in PARAGRAPH.finditer(text)][1:]
        cut = next((start for start in documents if start >= cut), documents[-1])
    return text[:cut], text[cut:]


def is_collection(text: str) -> bool:
    """Whether every paragraph of a text is a document with a title line, 《title》author."""
    count = 0
    for paragraph in PARAGRAPH.finditer(text):
        if not TITLE_LINE.match(text, paragraph.start()):
            return False  # for most texts at the first paragraph
        count += 1
    return count > 1


@dataclass(frozen=True)
class CutText:
    """A text, cleaned and split.

    Args:
        train: the first part.
        validation: the rest; may be empty.
        report: one entry per step so far.
    """

    train: str
    validation: str
    report: tuple[PreparationStep, ...]


def cut_text(loaded: LoadedText, settings: TextSettings) -> CutText:
    """Clean a text and split it.

    Raises:
        InputError: nothing is left after cleaning.
    """
    cleaned, steps = clean(loaded.text, settings)
    if not cleaned.strip():
        raise InputError("nothing_left", name=loaded.name, dropped=len(loaded.text))
    train, validation = split(cleaned, settings.validation_fraction)
    read: dict[str, int | float | str] = {
        "bytes": len(loaded.text.encode("utf-8", "surrogatepass")),
        "encoding": loaded.encoding,
        "sha256": loaded.sha256,
    }
    first = PreparationStep("read", len(loaded.text), 0, read)
    return CutText(train, validation, (first, *steps, _split_step(train, validation, settings)))


def prepare_text(
    loaded: LoadedText, settings: TextSettings, tokenizer: Tokenizer | None = None
) -> TextCorpus:
    """Clean, split and tokenize a text.

    Args:
        loaded: the text and its source.
        settings: of the preprocessing.
        tokenizer: of an existing model; None trains one on the training part of the text.

    Raises:
        InputError: nothing is left after cleaning, or the vocabulary is too small.
    """
    import torch  # imported late: the page needs only the settings

    cut = cut_text(loaded, settings)
    trained = tokenizer is None
    if tokenizer is None:
        tokenizer = train_tokenizer(cut.train, settings.tokenizer, settings.vocab_size)
    train, first, past = tokenizer.encode_spans(cut.train)
    validation, validation_first, validation_past = tokenizer.encode_spans(cut.validation)
    unknown = _unknown_length(tokenizer, train, first, past)
    unknown_validation = _unknown_length(tokenizer, validation, validation_first, validation_past)
    encoded = PreparationStep(
        "encode",
        len(train) + len(validation),
        unknown + unknown_validation,
        {
            "train_tokens": len(train),
            "validation_tokens": len(validation),
            "unknown_characters_train": unknown,
            "unknown_characters_validation": unknown_validation,
        },
    )
    return TextCorpus(
        name=loaded.name,
        sha256=loaded.sha256,
        train_text=cut.train,
        validation_text=cut.validation,
        train=torch.from_numpy(train),
        validation=torch.from_numpy(validation),
        paragraph_starts=torch.from_numpy(np.flatnonzero(np.isin(first, _paragraph_starts(cut.train)))),
        tokenizer=tokenizer,
        report=(*cut.report, tokenise_step(tokenizer, cut.train, trained), encoded),
    )


def _drop_lines(text: str, settings: PreparationSettings) -> tuple[str, PreparationStep]:
    """Filter lines by length and repetition; blank lines are always kept."""
    seen: set[str] = set()

    def repeated(line: str) -> bool:
        before = line in seen
        seen.add(line)
        return settings.drop_repeated_lines and before

    longest = settings.max_line_length
    reasons: dict[str, Callable[[str], bool]] = {
        "short_lines": lambda line: len(line) < settings.min_line_length,
        "long_lines": lambda line: longest is not None and len(line) > longest,
        "repeated_lines": repeated,
    }
    counts = dict.fromkeys(reasons, 0)
    kept = []
    lines = text.split("\n")
    for line in lines:
        reason = next((name for name, applies in reasons.items() if line and applies(line)), None)
        if reason is None:
            kept.append(line)
        else:
            counts[reason] += 1
    result = "\n".join(kept)
    facts: dict[str, int | float | str] = {"lines": len(lines), **counts}
    return result, PreparationStep("drop_lines", len(result), len(text) - len(result), facts)


def _split_step(train_text: str, validation_text: str, settings: TextSettings) -> PreparationStep:
    facts: dict[str, int | float | str] = {
        "train_characters": len(train_text),
        "validation_characters": len(validation_text),
        "cut": "at a blank line" if is_collection(train_text) else "by position",
        "validation_fraction": settings.validation_fraction,
    }
    return PreparationStep("split", len(train_text) + len(validation_text), 0, facts)


def tokenise_step(tokenizer: Tokenizer, train_text: str, trained: bool) -> PreparationStep:
    """What the report says of a tokenizer.

    Args:
        tokenizer: of the text.
        train_text: the training part.
        trained: whether it was trained on that part, and not taken from another model.
    """
    facts: dict[str, int | float | str] = {
        "tokenizer": tokenizer.kind,
        "vocab_size": tokenizer.vocab_size,
        "distinct_characters": len(set(train_text)),
        "vocabulary": "from the training part" if trained else "of the initial model",
    }
    return PreparationStep("tokenise", len(train_text), 0, facts)


def _unknown_length(tokenizer: Tokenizer, ids: np.ndarray, first: np.ndarray, past: np.ndarray) -> int:
    """The number of characters encoded as the unknown token."""
    return int((past - first)[ids == tokenizer.unknown_id].sum())


def _paragraph_starts(text: str) -> list[int]:
    """Positions of the first character of each paragraph, and of each body after a title."""
    starts = [match.start() for match in PARAGRAPH.finditer(text)]
    titles = (TITLE_LINE.match(text, start) for start in starts)
    bodies = [title.end() for title in titles if title]
    return sorted(starts + bodies)
