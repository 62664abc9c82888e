"""How well does an encoder predict masked words and next sentences of held-out text."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.evaluate.text import prepared

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from aigc_demo.data.text.documents import Documents
    from aigc_demo.data.text.sentence_pairs import SentencePair
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.generators.text.masked_words import MaskedWords
    from aigc_demo.generators.text.rows import Row, RowVocabulary

USUAL_SAMPLES = 2000
MOST_SENTENCES = 3
"""Sentences of the first text of a row, as is usual in training."""
MOST_TOO_LONG = 20
"""Rows that are too long for each one that is used."""
BATCH_SIZE = 64


@dataclass(frozen=True)
class PairRow:
    """Two texts as a model reads them.

    Attributes:
        row: of them.
        follows: whether the second follows the first.
        same_document: whether both are of one document.
        lawful: whether the grammar of the text lets the second one follow; None where it has no grammar.
    """

    row: "Row"
    follows: bool
    same_document: bool
    lawful: bool | None = None


@dataclass(frozen=True)
class PairRows:
    """Rows of two texts, and what was left out of them.

    Attributes:
        rows: of them.
        num_looked_at: wrong pairs that were compared with the grammar; 0 where there is none.
        num_left_out: those of them that are lawful, and so are no wrong pairs.
    """

    rows: list[PairRow]
    num_looked_at: int = 0
    num_left_out: int = 0

    def grammar_figures(self) -> dict[str, float]:
        """What a text with a grammar has beside the chance level; nothing for any other text.

        Returns:
            `next_sentence_ceiling`, the share of rows on which whoever knows the grammar is right,
            `pairs_looked_at` and `lawful_pairs_left_out`.
        """
        known = [row.lawful == row.follows for row in self.rows if row.lawful is not None]
        if not known:
            return {}
        return {
            "next_sentence_ceiling": sum(known) / len(known),
            "pairs_looked_at": self.num_looked_at,
            "lawful_pairs_left_out": self.num_left_out,
        }


def evaluate_masked_words(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure an encoder on held-out text: masked words and, where it has the head, next sentences.

    Its rows have two texts, as in its pretraining: the second follows the first in half of them. Which rows
    and which masks depends on the text, the tokens and the seed alone, so models of the same tokens are asked
    for the same ones.

    Args:
        entry: of the model.
        source: where the text comes from.
        split: as in `evaluate_text`.
        settings: of the preparation.
        samples: how many rows; 0 for 2,000.
        seed: of the rows and of their masks.

    Returns:
        `split`, `preparation`, and the figures of `masked_figures`, `next_sentence_figures` and
        `PairRows.grammar_figures`.

    Raises:
        DemoError: the model or the source cannot be had, or nothing is left to measure.
    """
    from aigc_demo.data.sources import load_documents
    from aigc_demo.generators.text.masked_words import load_masked_words
    from aigc_demo.measure.masked import next_sentence_figures

    known, whole, held_out = prepared(entry, source, split, settings or {}, load_documents)
    model = load_masked_words(entry)
    text = whole if split == "all" else held_out
    pairs = pair_rows(model, text, source, samples or USUAL_SAMPLES, seed)
    rows = [pair.row for pair in pairs.rows]
    figures = {**known, **masked_figures_of(model, rows, seed)}
    if not model.has_next_sentence_head:
        return figures
    found = next_sentence_figures(
        _follow_probs(model, rows),
        [pair.follows for pair in pairs.rows],
        [pair.same_document for pair in pairs.rows],
    )
    return {**figures, **found, **pairs.grammar_figures()}


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


def pair_rows(model: "MaskedWords", text: str, source: str, count: int, seed: int) -> PairRows:
    """Rows of two texts each, right and wrong, as in the pretraining of an encoder.

    Args:
        model: whose tokens say how long a sentence is.
        text: cleaned.
        source: its name; of the tiny world no wrong sentence is drawn that could follow by its grammar.
        count: how many.
        seed: of the draw.

    Raises:
        InputError: no sentence of the text follows another one, or all are too long for the model.
    """
    from aigc_demo.data.sources import TINY_WORLD
    from aigc_demo.data.text.corpus import is_collection
    from aigc_demo.data.text.documents import documents_of, encode_documents
    from aigc_demo.data.text.sentence_pairs import SentencePairs
    from aigc_demo.data.tiny_world.texts import may_follow

    documents = encode_documents(documents_of(text), _Spans(model.vocabulary))  # type: ignore[arg-type]
    pairs = SentencePairs(documents, may_follow if source == TINY_WORLD else None)
    joined, rng, found = "" if is_collection(text) else " ", random.Random(seed), list[PairRow]()
    for _ in range(MOST_TOO_LONG * count):
        pair = pairs.draw(rng)
        if pair is None:
            break
        row = _row(model, documents, pair, rng.randint(1, MOST_SENTENCES), joined)
        if row is not None:
            lawful = pairs.is_lawful(pair)
            found.append(PairRow(row, pair.follows, pair.same_document, lawful))
        if len(found) == count:
            break
    if not found:
        raise InputError("no_sentence_pairs", name=source)
    looked_at, left_out = (0, 0) if pairs.may_follow is None else pairs.num_left_out(len(found))
    return PairRows(found, looked_at, left_out)


def _row(
    model: "MaskedWords", documents: "Documents", pair: "SentencePair", num_sentences: int, joined: str
) -> "Row | None":
    """The row of a pair, with so many sentences in its first text or fewer; None where it is too long."""
    first = max(int(documents.first[pair.first]), pair.first + 1 - num_sentences)
    for begin in range(first, pair.first + 1):
        try:
            text = joined.join(documents.sentences[begin : pair.first + 1])
            return model.row(text, documents.sentences[pair.second])
        except InputError:  # one sentence less
            continue
    return None


def _follow_probs(model: "MaskedWords", rows: "Sequence[Row]") -> list[float]:
    """The probability that the second text follows, of each row; those of similar length together."""
    order = sorted(range(len(rows)), key=lambda number: len(rows[number].ids))
    probs = [0.0] * len(rows)
    for begin in range(0, len(order), BATCH_SIZE):
        part = order[begin : begin + BATCH_SIZE]
        for number, prob in zip(part, model.follow_probs([rows[number] for number in part]), strict=True):
            probs[number] = prob
    return probs


class _Spans:
    """A vocabulary of any model, as documents are tokenized with one."""

    def __init__(self, vocabulary: "RowVocabulary"):
        self._vocabulary = vocabulary

    def encode_spans(self, text: str) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """As `Tokenizer.encode_spans`."""
        import numpy as np

        found = np.array(self._vocabulary.spans(text), np.int64).reshape(-1, 3)
        return found[:, 0], found[:, 1], found[:, 2]
