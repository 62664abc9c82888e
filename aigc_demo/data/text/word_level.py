"""Word-level tokenizers: a pattern splits the text, and each part is one entry of the vocabulary."""

import re
from collections import Counter
from collections.abc import Sequence

import tokenizers
from tokenizers import Regex, decoders, models, pre_tokenizers

from aigc_demo.data.text.chunks import split_into_chunks

UNKNOWN, START, PADDING, MASK, SEPARATOR = "<unk>", "<start>", "<pad>", "<mask>", "<sep>"
SPECIAL_TOKENS = (UNKNOWN, START)
# Of a model that reads several texts at once, padded to one length, some of their tokens masked.
ENCODER_TOKENS = (*SPECIAL_TOKENS, PADDING, MASK, SEPARATOR)
MIN_WORD_COUNT = 2
CHARACTER_PATTERN = r"[\s\S]"
# A word or a punctuation mark includes one space before it, so that the joined tokens give the text; other
# white space and each Chinese character is a token of its own.
WORD_PATTERN = (
    r" ?\p{Han}| ?[\p{L}\p{M}\p{N}_&&[^\p{Han}]]+(?:'[\p{L}&&[^\p{Han}]]+)?| ?[^\s\p{L}\p{M}\p{N}_]|\s"
)
# WORD_PATTERN for ASCII text, for Python's regex engine, which is five times as fast.
ASCII_WORD = re.compile(
    r" ?[A-Za-z0-9_]+(?:'[A-Za-z]+)?| ?[^ \t\n\x0b\x0c\rA-Za-z0-9_]|[ \t\n\x0b\x0c\r]", re.ASCII
)


def word_level(
    tokens: list[str], pattern: str, special: Sequence[str] = SPECIAL_TOKENS
) -> tokenizers.Tokenizer:
    """A tokenizer that splits by a pattern and looks up each part in the vocabulary.

    Args:
        tokens: without the special ones.
        pattern: matches one token after the other.
        special: special tokens, which get the first ids.
    """
    vocabulary = {token: index for index, token in enumerate([*special, *tokens])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    inner.decoder = decoders.Fuse()
    inner.add_special_tokens(list(special))
    return inner


def most_common(counts: Counter[str], kept: int | None) -> list[str]:
    """Tokens by descending count, ties in code point order."""
    return sorted(counts, key=lambda token: (-counts[token], token))[:kept]


def common_words(text: str, kept: int | None) -> list[str]:
    split = pre_tokenizers.Split(Regex(WORD_PATTERN), "isolated")
    counts = Counter({"\n": text.count("\n")} if "\n" in text else {})
    # No word spans two lines, so lines that come again are split once.
    for line, often in Counter(text.split("\n")).items():
        for chunk in split_into_chunks(line):
            if chunk.isascii():
                words = ASCII_WORD.findall(chunk)
            else:
                words = [word for word, _ in split.pre_tokenize_str(chunk)]
            for word in words:
                counts[word] += often
    if kept is None:
        counts = Counter({word: count for word, count in counts.items() if count >= MIN_WORD_COUNT})
    return most_common(counts, kept)
