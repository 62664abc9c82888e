"""Pairs of a text and its answer, for an encoder-decoder: couplets, questions, consecutive sentences."""

# Shapes: S tokens of a source, T tokens of a target.

import itertools
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

import numpy as np

from aigc_demo.core.errors import InputError
from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import TINY_WORLD, LoadedText
from aigc_demo.data.text.corpus import TextSettings, cut_text, is_collection, tokenise_step
from aigc_demo.data.text.documents import documents_of, sentence_spans
from aigc_demo.data.text.tokenizer import IntArray, Tokenizer, train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.data.tiny_world.stories.questions import NUM_QUESTIONS, questions
from aigc_demo.data.tiny_world.texts import NUM_STORIES, parse_story, questions_text

COUPLETS, QUESTIONS, NEXT_SENTENCES = "couplets", "questions", "next sentences"
NUM_STORIES_READ = 3000
"""Stories whose words make the vocabulary: all words of the tiny world's stories stand in them."""
NUM_MEASURED = 1000
"""Pairs of which it is counted how many are too long."""


@dataclass(frozen=True)
class AnswerPair:
    """A text and its answer.

    Attributes:
        first: the first text of the source: a line, a sentence, or a question.
        second: the second text of the source, such as the story that the question is about; None for none.
        target: the answer.
        kind: of the question.
    """

    first: str
    second: str | None
    target: str
    kind: str = ""


@dataclass(frozen=True)
class EncodedPair:
    """A pair as tokens.

    Attributes:
        source: [S] `<start> first <sep>`, and `second <sep>` where there is one.
        segments: [S] 0 up to the first separator, then 1.
        target: [T] `<start> answer <sep>`.
    """

    source: IntArray
    segments: IntArray
    target: IntArray

    def fits(self, context_length: int, target_length: int) -> bool:
        """Whether source and target are no longer than this."""
        return len(self.source) <= context_length and len(self.target) <= target_length


class QuestionPairs(Sequence[AnswerPair]):
    """Some questions about each of some stories of the tiny world, the same ones every time.

    They are asked when they are looked up: all of them beforehand would take half a minute.

    Args:
        stories: texts that its parser reads.
    """

    def __init__(self, stories: Sequence[str]):
        self.stories = stories

    def __len__(self) -> int:
        return NUM_QUESTIONS * len(self.stories)

    @overload
    def __getitem__(self, index: int) -> AnswerPair: ...

    @overload
    def __getitem__(self, index: slice) -> list[AnswerPair]: ...

    def __getitem__(self, index: int | slice) -> AnswerPair | list[AnswerPair]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        number, place = divmod(range(len(self))[index], NUM_QUESTIONS)
        return _asked(self.stories[number])[place]


@lru_cache(2 * NUM_STORIES)
def _asked(story: str) -> list[AnswerPair]:
    """The questions about a story, which depend on the story alone."""
    rng = random.Random(zlib.crc32(story.encode()))
    return [AnswerPair(one.text, story, one.answer, one.kind) for one in questions(story, rng)]


@dataclass(frozen=True, eq=False)
class AnswerCorpus:
    """Pairs for training and validation.

    Args:
        name: of the source.
        sha256: of the source as it was read.
        task: `COUPLETS`, `QUESTIONS` or `NEXT_SENTENCES`.
        train: of the first part of the text.
        validation: of the rest.
        tokenizer: with the special tokens of an encoder.
        report: one entry per step.
    """

    name: str
    sha256: str
    task: str
    train: Sequence[AnswerPair]
    validation: Sequence[AnswerPair]
    tokenizer: Tokenizer
    report: tuple[PreparationStep, ...]

    @property
    def unknown_share(self) -> float:
        """The share of tokens that are not in the vocabulary, 0 to 1, measured on some of the pairs."""
        encoded = [encode_pair(pair, self.tokenizer) for pair in spread(self.train, NUM_MEASURED)]
        tokens = np.concatenate([part for one in encoded for part in (one.source, one.target)])
        return float((tokens == self.tokenizer.unknown_id).mean())


def answer_pairs(text: str, source: str) -> tuple[str, Sequence[AnswerPair], dict[str, int]]:
    """The pairs of a cleaned text.

    Args:
        text: of the tiny world questions about its stories; of titled poems the lines of each couplet, each
            with its mark; of other texts each sentence and the next one.
        source: its name.

    Returns:
        The task, the pairs in the order of the text, and how much was left out: stories that were cut in two,
        lines that have no other, and couplets whose lines are not of one length.
    """
    if source == TINY_WORLD:
        stories, num_cut = _whole_stories(text)
        return QUESTIONS, QuestionPairs(stories), {"stories_cut_in_two": num_cut}
    documents = documents_of(text)
    if not is_collection(text):
        following = [pair for sentences in documents for pair in itertools.pairwise(sentences)]
        return NEXT_SENTENCES, [AnswerPair(first, None, second) for first, second in following], {}
    couplets = [pair for lines in documents for pair in zip(lines[::2], lines[1::2], strict=False)]
    kept = [AnswerPair(first, None, second) for first, second in couplets if len(first) == len(second)]
    dropped = {
        "lines_left_over": sum(len(lines) % 2 for lines in documents),
        "couplets_of_two_lengths": len(couplets) - len(kept),
    }
    return COUPLETS, kept, dropped


def _whole_stories(text: str) -> tuple[list[str], int]:
    """The stories of a part of the tiny world, without those at its ends that were cut, and their number."""
    stories = [story for part in text.split("\n\n") if (story := part.strip("\n"))]
    ends = {0, len(stories) - 1} if stories else set()
    cut = {place for place in ends if not parse_story(stories[place]).ok}
    return [story for place, story in enumerate(stories) if place not in cut], len(cut)


def encode_pair(pair: AnswerPair, tokenizer: Tokenizer) -> EncodedPair:
    """Tokenize a pair, its texts sentence by sentence, as an encoder is pretrained on them."""
    source, segments = [tokenizer.start_id], [0]
    for segment, text in enumerate((pair.first,) if pair.second is None else (pair.first, pair.second)):
        source += [*sentence_spans(text, tokenizer)[0].tolist(), tokenizer.separator_id]
        segments += [segment] * (len(source) - len(segments))
    target = [tokenizer.start_id, *tokenizer.encode(pair.target), tokenizer.separator_id]
    return EncodedPair(np.array(source), np.array(segments), np.array(target))


def prepare_answer_pairs(
    loaded: LoadedText, settings: TextSettings, lengths: tuple[int, int], tokenizer: Tokenizer | None = None
) -> AnswerCorpus:
    """Clean and split a text, and find the pairs of both parts.

    Args:
        loaded: the text and its source.
        settings: of the preprocessing.
        lengths: the most tokens of a source and of a target.
        tokenizer: of an existing model; None trains one on the pairs of the training part.

    Raises:
        InputError: nothing is left after cleaning, there are no pairs or only ones that are too long, the
            vocabulary is too small, or stories of the tiny world are to be in lower case.
    """
    if loaded.name == TINY_WORLD and settings.lowercase:  # stories are read by their grammar
        raise InputError("setting_range", name="lowercase", expected="false for the tiny world", got="true")
    cut = cut_text(loaded, settings)
    task, train, dropped = answer_pairs(cut.train, loaded.name)
    task_later, validation, dropped_later = answer_pairs(cut.validation, loaded.name)
    if not train or not validation or task != task_later:
        raise InputError("no_answer_pairs", name=loaded.name)
    for name, count in dropped_later.items():
        dropped[name] += count
    text = _vocabulary_text(cut.train, train)
    trained = tokenizer is None
    if tokenizer is None:
        tokenizer = train_tokenizer(text, settings.tokenizer, settings.vocab_size, special=ENCODER_TOKENS)
    measured = _too_long((train, validation), tokenizer, lengths, loaded.name)
    paired = _pairs_step(task, train, validation, {**dropped, **measured}, sum(dropped.values()))
    report = (*cut.report, tokenise_step(tokenizer, text, trained), paired)
    return AnswerCorpus(loaded.name, loaded.sha256, task, train, validation, tokenizer, report)


def _pairs_step(
    task: str,
    train: Sequence[AnswerPair],
    validation: Sequence[AnswerPair],
    counts: dict[str, int],
    num_dropped: int,
) -> PreparationStep:
    facts: dict[str, int | float | str] = {
        "task": task,
        "train_pairs": len(train),
        "validation_pairs": len(validation),
        **counts,
    }
    return PreparationStep("pairs", len(train) + len(validation), num_dropped, facts, unit="pairs")


def _too_long(
    parts: Sequence[Sequence[AnswerPair]], tokenizer: Tokenizer, lengths: tuple[int, int], name: str
) -> dict[str, int]:
    """How many pairs were measured, and how many of them are too long.

    Raises:
        InputError: all of a part.
    """
    counts = {"measured_pairs": 0, "too_long_among_them": 0}
    for part in parts:
        some = spread(part, NUM_MEASURED)
        num_long = sum(not encode_pair(pair, tokenizer).fits(*lengths) for pair in some)
        if num_long == len(some):
            source, target = lengths
            values = {"name": name, "context_length": source, "target_length": target}
            raise InputError("answer_pairs_too_long", **values)
        counts["measured_pairs"] += len(some)
        counts["too_long_among_them"] += num_long
    return counts


def spread(pairs: Sequence[AnswerPair], most: int) -> list[AnswerPair]:
    """So many pairs, spread evenly; all where there are no more."""
    count = min(most, len(pairs))
    return [pairs[number * len(pairs) // count] for number in range(count)]


def _vocabulary_text(text: str, pairs: Sequence[AnswerPair]) -> str:
    """What a tokenizer is trained on: sentences as they are tokenized, each by itself.

    Args:
        text: the training part.
        pairs: of it.
    """
    texts = [text]
    if isinstance(pairs, QuestionPairs):
        texts = [*pairs.stories[:NUM_STORIES_READ], *questions_text().splitlines()]
    return "\n".join(sentence for one in texts for document in documents_of(one) for sentence in document)
