"""Splits a long text into chunks, to limit the memory that tokenizing it needs; the tokens stay the same."""

import re
from collections.abc import Iterator

CHUNK_LENGTH = 200_000
# Where a cut changes no token: after a newline between two non-space characters, before a space between two
# such characters, between a letter or digit and a punctuation mark.
SAFE_CUT = re.compile(
    r"(?<=\S\n)(?=\S)|(?<=\S)(?= \S)"
    r"|(?<=[^\W_])(?=[!-&(-/:-@\[-^`{-~\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])"
)


def split_into_chunks(text: str, runs: int | None = None) -> Iterator[str]:
    """Chunks whose tokens, joined, are those of the whole text.

    Args:
        text: any.
        runs: length after which the tokenizer cuts a run of letters; None if it does not.
    """
    begin = 0
    while len(text) - begin > CHUNK_LENGTH:
        near = begin + CHUNK_LENGTH
        found = SAFE_CUT.search(text, near, near + CHUNK_LENGTH)
        cut = found.end() if found else runs and _cut_in_run(text, begin, near, runs)
        found = None if cut else SAFE_CUT.search(text, near)
        cut = cut or (found.end() if found else len(text))
        yield text[begin:cut]
        begin = cut
    yield text[begin:]


def _cut_in_run(text: str, begin: int, near: int, runs: int) -> int | None:
    """The position at which the tokenizer cuts the run of letters at `near`; None for a shorter run."""
    start = near
    while start > begin and text[start - 1].isalpha():
        start -= 1
    cut = near + (start - near) % runs
    return cut if cut < len(text) and text[start:cut].isalpha() else None
