"""A text as documents of sentences, tokenized sentence by sentence: what an encoder is pretrained on."""

# Shapes: D documents, S sentences, N tokens.

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import LoadedText
from aigc_demo.data.text.corpus import TITLE_LINE, TextSettings, cut_text, is_collection, tokenise_step
from aigc_demo.data.text.tokenizer import IntArray, Tokenizer, train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS

BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
# Up to and with the marks that end it and the quotation marks after them; verse also ends at a comma.
SENTENCE = re.compile(r"[^.!?…。！？]*[.!?…。！？]+[\"'”’」』）)]*|[^.!?…。！？]+\Z")
VERSE = re.compile(r"[^，。！？；：、]*[，。！？；：、]+[”’」』]*|[^，。！？；：、]+\Z")


@dataclass(frozen=True, eq=False)
class Documents:
    """Sentences in order, tokenized.

    Args:
        sentences: [S] texts.
        document: [S] int64, the number of each sentence's document, ascending.
        tokens: [S] ids of each sentence.
        words: [S] for each token the number of its word within the sentence, from 0: letters that stand
            together are a word, as is every other character.
    """

    sentences: tuple[str, ...]
    document: IntArray
    tokens: tuple[IntArray, ...]
    words: tuple[IntArray, ...]

    @cached_property
    def first(self) -> IntArray:
        """[S] the first sentence of each sentence's document."""
        return np.searchsorted(self.document, self.document)

    @cached_property
    def past(self) -> IntArray:
        """[S] one past the last sentence of each sentence's document."""
        return np.searchsorted(self.document, self.document, side="right")

    @property
    def num_tokens(self) -> int:
        """N, of all sentences."""
        return sum(map(len, self.tokens))

    @property
    def num_documents(self) -> int:
        """D."""
        return len(np.unique(self.document))


@dataclass(frozen=True, eq=False)
class DocumentCorpus:
    """Documents for training and validation.

    Args:
        name: of the source.
        sha256: of the source as it was read.
        train: the documents of the first part of the text.
        validation: those of the rest.
        tokenizer: of both, with the special tokens of an encoder.
        report: one entry per step.
    """

    name: str
    sha256: str
    train: Documents
    validation: Documents
    tokenizer: Tokenizer
    report: tuple[PreparationStep, ...]

    @property
    def unknown_share(self) -> float:
        """The share of all tokens that are not in the vocabulary, 0 to 1."""
        tokens = np.concatenate([*self.train.tokens, *self.validation.tokens])
        return float((tokens == self.tokenizer.unknown_id).mean())


def documents_of(text: str) -> list[list[str]]:
    """The sentences of each document of a cleaned text.

    Documents are separated by blank lines. Where all of them are titled (as poems are), titles are left out
    and a sentence is a line of verse: it ends at a comma too.

    Returns:
        A list for each document that has sentences; they have no white space around them.
    """
    titled = is_collection(text)
    pattern = VERSE if titled else SENTENCE
    found = []
    for document in BLANK_LINES.split(text):
        body = document[match.end() :] if titled and (match := TITLE_LINE.match(document)) else document
        sentences = [part.strip() for part in pattern.findall(body)]
        found.append([sentence for sentence in sentences if any(map(str.isalnum, sentence))])
    return [sentences for sentences in found if sentences]


def encode_documents(documents: Sequence[Sequence[str]], tokenizer: Tokenizer) -> Documents:
    """Tokenize documents.

    Args:
        documents: the sentences of each.
        tokenizer: of any kind.
    """
    sentences = tuple(sentence for document in documents for sentence in document)
    number = np.repeat(np.arange(len(documents)), [len(document) for document in documents])
    tokens, words = zip(*_encoded(sentences, tokenizer), strict=True) if sentences else ((), ())
    return Documents(sentences, number, tokens, words)


def sentence_places(text: str) -> list[tuple[int, int]]:
    """Where sentences are, without the white space around them: first character and past the last one."""
    found = []
    for match in SENTENCE.finditer(text):
        if sentence := match[0].strip():
            begin = match.start() + match[0].index(sentence)
            found.append((begin, begin + len(sentence)))
    return found


def sentence_spans(text: str, tokenizer: Tokenizer) -> tuple[IntArray, IntArray, IntArray]:
    """Tokenize a text as documents are: each sentence by itself, without the white space around it.

    Returns:
        ids, and where each token begins and ends in the text, end exclusive.
    """
    found = [(np.empty(0, np.int64),) * 3]
    for begin, end in sentence_places(text):
        ids, starts, ends = tokenizer.encode_spans(text[begin:end])
        found.append((ids, begin + starts, begin + ends))
    ids, starts, ends = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return ids, starts, ends


def word_numbers(text: str, starts: IntArray) -> IntArray:
    """The number of the word that each token belongs to, from 0.

    A token goes on with the word before it if it begins with a letter of an alphabet after another one.

    Args:
        text: that was tokenized.
        starts: [N] where each token begins.

    Returns:
        [N] ascending.
    """
    if not len(starts):
        return np.empty(0, np.int64)
    code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    alphabetic = (code_points < FIRST_IDEOGRAPH) & np.array([char.isalnum() for char in text])
    goes_on = alphabetic[starts] & (starts > 0) & alphabetic[starts - 1]
    return np.cumsum(~goes_on) - (0 if goes_on[0] else 1)


FIRST_IDEOGRAPH = 0x2E80
"""Code points from here on are Chinese, Japanese and Korean characters, each a word of its own."""


def _encoded(sentences: Sequence[str], tokenizer: Tokenizer) -> Iterator[tuple[IntArray, IntArray]]:
    """Ids and word numbers of each sentence; those that come again are tokenized once."""
    known: dict[str, tuple[IntArray, IntArray]] = {}
    for sentence in sentences:
        if sentence not in known:
            ids, starts, _ = tokenizer.encode_spans(sentence)
            known[sentence] = ids, word_numbers(sentence, starts)
        yield known[sentence]


def prepare_documents(
    loaded: LoadedText, settings: TextSettings, tokenizer: Tokenizer | None = None, *, also_known: str = ""
) -> DocumentCorpus:
    """Clean and split a text, divide both parts into sentences, and tokenize them.

    Args:
        loaded: the text and its source.
        settings: of the preprocessing.
        tokenizer: of an existing model; None trains one on the training part of the text.
        also_known: a further text whose words a new tokenizer is to know, for tasks that come later.

    Raises:
        InputError: nothing is left after cleaning, or the vocabulary is too small.
    """
    cut = cut_text(loaded, settings)
    train, validation = documents_of(cut.train), documents_of(cut.validation)
    # As the sentences are tokenized: each by itself, so that its first word has no space before it.
    text = "\n".join(sentence for document in train for sentence in document)
    trained = tokenizer is None
    if tokenizer is None:
        tokenizer = train_tokenizer(
            text + also_known, settings.tokenizer, settings.vocab_size, special=ENCODER_TOKENS
        )
    encoded, held_out = encode_documents(train, tokenizer), encode_documents(validation, tokenizer)
    report = (
        *cut.report,
        tokenise_step(tokenizer, text, trained),
        _encode_step(encoded, held_out, tokenizer),
    )
    return DocumentCorpus(loaded.name, loaded.sha256, encoded, held_out, tokenizer, report)


def _encode_step(train: Documents, validation: Documents, tokenizer: Tokenizer) -> PreparationStep:
    parts = (train, validation)
    unknown = sum(int((ids == tokenizer.unknown_id).sum()) for part in parts for ids in part.tokens)
    facts: dict[str, int | float | str] = {
        "train_documents": train.num_documents,
        "validation_documents": validation.num_documents,
        "train_sentences": len(train.sentences),
        "validation_sentences": len(validation.sentences),
        "train_tokens": train.num_tokens,
        "validation_tokens": validation.num_tokens,
    }
    return PreparationStep("encode", train.num_tokens + validation.num_tokens, unknown, facts)
