"""Pairs of sentences for next-sentence prediction: the sentence that follows, or a wrong one in its place."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aigc_demo.data.text.documents import Documents

NEARBY = 8
"""Sentences of nearly the same length to choose from, where there is no other of the same length."""
MOST_TRIES = 50


@dataclass(frozen=True)
class SentencePair:
    """Two sentences, by their indices in the documents.

    Attributes:
        first: the sentence before.
        second: the one that follows it, or a wrong one.
        follows: whether it follows.
        same_document: whether both are of one document.
    """

    first: int
    second: int
    follows: bool
    same_document: bool


class SentencePairs:
    """Draws pairs, of which half are wrong.

    A wrong second sentence is as long as the right one, in tokens, and ends with the same mark; half of them
    are of the same document. So neither length nor topic tells right from wrong.

    Args:
        documents: whose sentences are paired.
        may_follow: where it is known, whether a sentence can follow another by the rules of the documents'
            grammar. Wrong sentences are then others of the same document that cannot follow; where all of
            them can, the first sentence is left out.
    """

    def __init__(self, documents: Documents, may_follow: Callable[[str, str], bool] | None = None):
        self.documents, self.may_follow = documents, may_follow
        index = np.arange(len(documents.sentences))
        self.firsts: list[int] = index[index + 1 < documents.past].tolist()
        texts, tokens = documents.sentences, documents.tokens
        self._keys = [(text[-1], len(ids)) for text, ids in zip(texts, tokens, strict=True)]
        self._ranked = sorted(range(len(self._keys)), key=lambda i: (self._keys[i], i))
        self._ranked_keys = [self._keys[i] for i in self._ranked]

    def draw(self, rng: random.Random) -> SentencePair | None:
        """A pair, right or wrong with the same probability; None where no first sentence can be had.

        Args:
            rng: draws.
        """
        for _ in range(MOST_TRIES if self.firsts else 0):
            first = rng.choice(self.firsts)
            follows = rng.random() < 0.5
            # Also for a right pair: a first sentence without a wrong second one is left out altogether.
            wrong = self.wrong(first, rng)
            if wrong is not None:
                return SentencePair(first, first + 1, True, True) if follows else wrong
        return None

    def wrong(self, first: int, rng: random.Random) -> SentencePair | None:
        """A wrong second sentence; None where there is none.

        Args:
            first: the sentence before, one of `firsts`.
            rng: draws.
        """
        if self.may_follow is not None:
            return self._chosen(first, self.unlawful(first), rng)
        if rng.random() < 0.5:
            found = self._chosen(first, self._alike_beside(first), rng)
            if found is not None:
                return found
        return self._elsewhere(first, rng)

    def unlawful(self, first: int) -> list[int]:
        """The other sentences of the document that cannot follow this one."""
        assert self.may_follow is not None
        text = self.documents.sentences
        return [i for i in self._beside(first) if not self.may_follow(text[first], text[i])]

    def is_lawful(self, pair: SentencePair) -> bool | None:
        """Whether a pair's second sentence can follow by the grammar; None where that is not known."""
        if self.may_follow is None:
            return None
        text = self.documents.sentences
        return self.may_follow(text[pair.first], text[pair.second])

    def num_left_out(self, num_firsts: int) -> tuple[int, int]:
        """How many wrong pairs were looked at for the first so many first sentences, and how many are lawful.

        Args:
            num_firsts: first sentences, evenly spread.
        """
        step = max(1, len(self.firsts) // max(1, num_firsts))
        looked_at = [(len(self._beside(first)), len(self.unlawful(first))) for first in self.firsts[::step]]
        total = sum(count for count, _ in looked_at)
        return total, total - sum(count for _, count in looked_at)

    def _beside(self, first: int) -> list[int]:
        """The other sentences of the document, without copies of the right one."""
        document = range(int(self.documents.first[first]), int(self.documents.past[first]))
        return [other for other in document if self._is_wrong(first, other)]

    def _alike_beside(self, first: int) -> list[int]:
        return [i for i in self._beside(first) if self._keys[i] == self._keys[first + 1]]

    def _chosen(self, first: int, among: list[int], rng: random.Random) -> SentencePair | None:
        return SentencePair(first, rng.choice(among), False, True) if among else None

    def _elsewhere(self, first: int, rng: random.Random) -> SentencePair | None:
        """One of another document, or of anywhere in the only one there is."""
        key, document = self._keys[first + 1], self.documents.document
        low, high = bisect_left(self._ranked_keys, key), bisect_right(self._ranked_keys, key)
        only_one = document[0] == document[-1]
        for wider in (0, NEARBY, len(self._ranked)):
            begin, end = max(0, low - wider), min(len(self._ranked), high + wider)
            for _ in range(MOST_TRIES):
                other = self._ranked[rng.randrange(begin, end)]
                same = bool(document[other] == document[first])
                if (only_one or not same) and self._is_wrong(first, other):
                    return SentencePair(first, other, False, same)
        return None

    def _is_wrong(self, first: int, other: int) -> bool:
        """Whether a sentence is neither the first one nor the right one, nor a copy of that."""
        text = self.documents.sentences
        return other != first and text[other] != text[first + 1]
