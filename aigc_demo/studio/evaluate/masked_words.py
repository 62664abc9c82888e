"""How well does an encoder predict masked words and next sentences of held-out text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.evaluate.text import prepared

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.generators.text.masked_words import MaskedWords
    from aigc_demo.generators.text.rows import Row

USUAL_SAMPLES = 2000
LONGEST_ROW = 128


def evaluate_masked_words(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a model that predicts masked words, on held-out text.

    Args:
        entry: of the model.
        source: where the text comes from.
        split: as in `evaluate_text`.
        settings: of the preparation.
        samples: how many rows at most; 0 for 2,000.
        seed: of the tokens that are masked.

    Returns:
        `split`, `preparation`, and the figures of `masked_figures`.

    Raises:
        DemoError: the model or the source cannot be had, or nothing is left to measure.
    """
    from aigc_demo.generators.text.masked_words import load_masked_words

    known, whole, held_out = prepared(entry, source, split, settings or {})
    model = load_masked_words(entry)
    rows = _windows(model, whole if split == "all" else held_out)[: samples or USUAL_SAMPLES]
    return {**known, **masked_figures_of(model, rows, seed)}


def masked_figures_of(model: "MaskedWords", rows: "Sequence[Row]", seed: int = 0) -> dict[str, Any]:
    """The figures of `masked_figures` for the rows of a model."""
    from aigc_demo.measure.masked import masked_figures

    def predict(
        numbers: Sequence[int], ids: Sequence[Sequence[int]], places: Sequence[Sequence[int]]
    ) -> "Tensor":
        masked = [replace(rows[number], ids=tuple(one)) for number, one in zip(numbers, ids, strict=True)]
        return model.predict(masked, places)[0]

    special = set(model.vocabulary.special_ids) - {model.vocabulary.unknown_id}
    return masked_figures(predict, [row.ids for row in rows], model.vocabulary.mask_id, special, seed)


def _windows(model: "MaskedWords", text: str) -> "list[Row]":
    """Rows of consecutive parts of a text.

    Raises:
        InputError: there is no token in it.
    """
    spans = model.vocabulary.spans(text)
    if not spans:
        raise InputError("text_empty")
    size = min(LONGEST_ROW, model.context_length - 2)
    parts = [spans[begin : begin + size] for begin in range(0, len(spans), size)]
    return [model.row(text[part[0][1] : part[-1][2]]) for part in parts]
