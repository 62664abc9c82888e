"""Encoders that predict masked words and tell whether one text follows another, on whichever network."""

# Shapes: B rows, T tokens, N chosen tokens of all rows, V vocabulary.

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.kinds import MASKED_WORDS, check_kind
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.text.rows import (
    Row,
    RowBatch,
    RowVocabulary,
    Span,
    batch_of,
    check_known,
    check_length,
    row_of,
)
from aigc_demo.generators.trained_folder import trained_loader

MOST_MASKS = 8
WORD_PIECE = "##"
"""What BERT writes before a piece that goes on a word."""


class EncoderNetwork(Protocol):
    """An encoder with the heads of its pretraining.

    Attributes:
        vocab_size: V.
        context_length: the most tokens of a row, special ones included.
        num_parameters: shared ones counted once.
        memory_mib: what its weights take.
        has_next_sentence_head: whether it tells if one text follows another.
    """

    vocab_size: int
    context_length: int
    num_parameters: int
    memory_mib: float
    has_next_sentence_head: bool

    def predict(self, batch: RowBatch, chosen_BT: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits of the chosen tokens [N, V], by row and position, and of the next sentence [B, 2].

        The next sentence's are those of "follows" and "does not follow"; None without such a head.
        """


@dataclass(frozen=True)
class Guess:
    """A candidate for a masked token.

    Attributes:
        id: of its token.
        text: of it.
        prob: of it, among all tokens of the vocabulary.
    """

    id: int
    text: str
    prob: float


@dataclass(frozen=True)
class MaskedPlace:
    """One mask of a text.

    Attributes:
        first: character where it begins.
        past: where it ends.
        guesses: the candidates, likeliest first.
    """

    first: int
    past: int
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class FilledText:
    """A text whose masks are predicted.

    Attributes:
        masked: the text with its masks, cleaned.
        places: of the masks, in order.
    """

    masked: str
    places: tuple[MaskedPlace, ...]

    @property
    def text(self) -> str:
        """The text with the likeliest token in the place of each mask."""
        parts, begin = list[str](), 0
        for place in self.places:
            word = place.guesses[0].text.removeprefix(WORD_PIECE)
            parts += [self.masked[begin : place.first], word if place.first else word.lstrip(" ")]
            begin = place.past
        return "".join((*parts, self.masked[begin:]))


class MaskedWords:
    """An encoder with its vocabulary.

    Args:
        name: to show.
        network: on which it runs.
        vocabulary: of its texts.
        family: ours, library or pretrained.
    """

    def __init__(self, name: str, network: EncoderNetwork, vocabulary: RowVocabulary, family: Family):
        self.name, self.family = name, family
        self.network, self.vocabulary = network, vocabulary
        self.vocab_size, self.context_length = network.vocab_size, network.context_length
        self.num_parameters, self.memory_mib = network.num_parameters, network.memory_mib
        self.has_next_sentence_head = network.has_next_sentence_head

    def row(self, first: str, second: str | None = None, hidden: Iterable[Span] = ()) -> Row:
        """The row of one text or two, cleaned as training texts are (`data.text.cleaning`).

        Args:
            first: masks in it are written `<mask>` or `[MASK]`.
            second: likewise.
            hidden: ranges of characters of the first text, cleaned, whose tokens are masked.

        Raises:
            InputError: it is longer than the model reads.
        """
        row = row_of(
            self.vocabulary, clean_text(first), None if second is None else clean_text(second), hidden
        )
        check_length(row, self.context_length, self.name)
        return row

    @torch.inference_mode()
    def predict(self, rows: Sequence[Row], chosen: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor | None]:
        """Logits of chosen tokens [N, V], by row and position, and of the next sentence [B, 2], float32.

        Args:
            rows: B of them.
            chosen: positions in each row, ascending.
        """
        batch = batch_of(rows, self.vocabulary.padding_id)
        chosen_BT = torch.zeros_like(batch.mask_BT)
        for number, places in enumerate(chosen):
            chosen_BT[number, list(places)] = True
        return self.network.predict(batch, chosen_BT)

    def fill(self, text: str, count: int = 5, hidden: Iterable[Span] = ()) -> FilledText:
        """Predict the masks of a text.

        Args:
            text: with at least one mask, or with something hidden.
            count: how many candidates for each.
            hidden: as in `row`.

        Raises:
            InputError: there is no mask, there are too many or nothing else, or the text is too long or in a
                script that the model does not know.
            DemoError: its weights are damaged.
        """
        text = clean_text(text)
        row = self.row(text, hidden=hidden)
        places = row.places_of(self.vocabulary.mask_id)
        self._check_masks(row, text, places)
        logits_NV, _ = self.predict([row], [places])
        probs_NV = logits_NV.softmax(-1)
        if not bool(probs_NV.isfinite().all()):
            raise DemoError("not_finite", model=self.name)
        spans = [row.spans[place] or (0, 0) for place in places]
        guessed = [self._likeliest(probs_V, count) for probs_V in probs_NV]
        return FilledText(
            text, tuple(MaskedPlace(*span, guesses) for span, guesses in zip(spans, guessed, strict=True))
        )

    def follow_probs(self, rows: Sequence[Row]) -> list[float]:
        """The probability that the second text of each row follows the first.

        Raises:
            InputError: the model has no next-sentence head.
            DemoError: its weights are damaged.
        """
        _, logits_B2 = self.predict(rows, [()] * len(rows))
        if logits_B2 is None:
            raise InputError("no_next_sentence_head", model=self.name)
        probs_B = logits_B2.softmax(-1)[:, 0]
        if not bool(probs_B.isfinite().all()):
            raise DemoError("not_finite", model=self.name)
        return probs_B.tolist()

    def follows(self, first: str, second: str) -> float:
        """The probability that one text follows another.

        Raises:
            InputError: a text is empty, too long or in a script that the model does not know, or the model
                has no next-sentence head.
        """
        first, second = clean_text(first), clean_text(second)
        if not first.strip() or not second.strip():
            raise InputError("two_texts_needed")
        for text in (first, second):
            check_known(row_of(self.vocabulary, text), text, self.vocabulary, self.name)
        return self.follow_probs([self.row(first, second)])[0]

    def _check_masks(self, row: Row, text: str, places: Sequence[int]) -> None:
        if not places:
            raise InputError(
                "no_mask", mask=self.vocabulary.token_text(self.vocabulary.mask_id), model=self.name
            )
        if len(places) > MOST_MASKS:
            raise InputError("too_many_masks", got=len(places), limit=MOST_MASKS)
        rest = [span for place, span in enumerate(row.spans) if span and place not in places]
        if not any(text[slice(*span)].strip() for span in rest):
            raise InputError("only_masks")
        check_known(row, text, self.vocabulary, self.name)

    def _likeliest(self, probs_V: Tensor, count: int) -> tuple[Guess, ...]:
        """Candidates that are text: special tokens are none."""
        shown_V = probs_V.index_fill(0, torch.tensor(list(self.vocabulary.special_ids)), -1.0)
        top = shown_V.topk(min(count, len(probs_V) - len(self.vocabulary.special_ids)))
        return tuple(
            Guess(index, self.vocabulary.token_text(index), prob)
            for index, prob in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        )


def load_masked_words(
    entry: CatalogEntry,
    progress: Callable[[int, int], None] | None = None,
    *,
    on_ours: bool = False,
) -> MaskedWords:
    """An encoder by its entry, fetched if it is not here yet.

    Args:
        entry: of the catalog.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.
        on_ours: run a BERT's weights on our own network.

    Raises:
        InputError: something is missing, damaged, or of another kind, or it does not fit our network.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    check_kind(entry.name, entry.kind, MASKED_WORDS)
    if on_ours and not entry.runs_on_ours:
        raise InputError("not_on_ours", name=entry.name)
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        return MaskedWords(entry.name, *_parts(entry, folder, on_ours), entry.family)


def _parts(entry: CatalogEntry, folder: Path, on_ours: bool) -> tuple[EncoderNetwork, RowVocabulary]:
    """The network and the vocabulary of an encoder."""
    if load := trained_loader(entry):
        return load(folder)
    # transformers takes seconds to import, and our own models need nothing of it.
    from aigc_demo.generators.text.library_encoder import load_library_encoder

    return load_library_encoder(folder, trained=entry.family != "pretrained", on_ours=on_ours)
