"""What freely written texts are like: do they keep a form, do they differ, do they copy?"""

# Shapes: N characters of the source, M of all samples together.

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VERSE_LENGTHS = (5, 7)
TITLE = re.compile(r"\A《[^\n]*》[^\n]*\n")
BETWEEN_VERSES = re.compile(r"[，。？！；：、\s]+")
# Odd, so that no power of it loses bits; the characters' numbers spread over 64 bits.
BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class SampleFigures:
    """Figures of many samples; shares are between 0 and 1.

    Attributes:
        num_generated: samples.
        lines_of_one_length: share of samples that are verse of one length (`one_verse_length`).
        distinct: different samples per sample.
        longest_copied_run: most consecutive characters that any sample has in common with the source.
        longest_copied_text: those characters.
        median_copied_run: the same of the sample in the middle.
    """

    num_generated: int
    lines_of_one_length: float
    distinct: float
    longest_copied_run: int
    longest_copied_text: str
    median_copied_run: float


def sample_figures(samples: Sequence[str], source: str) -> SampleFigures:
    """All figures of samples against the text that their model was trained on.

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("no samples")
    copied = copied_runs(samples, source)
    longest = max(copied, key=len)
    return SampleFigures(
        num_generated=len(samples),
        lines_of_one_length=sum(one_verse_length(text) is not None for text in samples) / len(samples),
        distinct=len(set(samples)) / len(samples),
        longest_copied_run=len(longest),
        longest_copied_text=longest,
        median_copied_run=statistics.median(len(run) for run in copied),
    )


def one_verse_length(text: str) -> int | None:
    """The length that all lines of a poem have, 5 or 7 characters; None if they differ or have another.

    A line ends at a punctuation mark, as Chinese verse is counted: a row of print holds two. A title in
    front (《title》author) is not looked at.
    """
    body = TITLE.sub("", text)
    lengths = {len(line) for line in BETWEEN_VERSES.split(body) if line}
    return lengths.pop() if len(lengths) == 1 and lengths <= set(VERSE_LENGTHS) else None


def copied_runs(samples: Sequence[str], source: str) -> list[str]:
    """For each sample the longest run of characters that stands in the source, word for word.

    Runs of every length are compared at once, as 64-bit numbers; what is found is looked up in the source,
    so that two runs with one number deceive nobody.

    Args:
        samples: texts, of any length.
        source: what they may have copied.

    Returns:
        One run for each sample, "" where they have no character in common; the first of equal ones.
    """
    text_M = "".join(samples)
    edges = np.cumsum([0, *(len(sample) for sample in samples)])
    owner_M = np.repeat(np.arange(len(samples)), np.diff(edges))
    mine_M, theirs_N = _characters(text_M), _characters(source)
    runs = [""] * len(samples)
    # Where runs of the length so far begin that stand in both, and the number of each.
    place, there = np.arange(len(mine_M)), np.arange(len(theirs_N))
    hashes, hashes_there = np.zeros_like(mine_M), np.zeros_like(theirs_N)
    for length in range(1, min(len(mine_M), len(theirs_N)) + 1):
        goes_on = place + length <= edges[owner_M[place] + 1]  # within its own sample
        place, hashes = place[goes_on], hashes[goes_on] * BASE + mine_M[place[goes_on] + length - 1]
        goes_on = there + length <= len(theirs_N)
        there, hashes_there = (
            there[goes_on],
            hashes_there[goes_on] * BASE + theirs_N[there[goes_on] + length - 1],
        )
        both = np.intersect1d(hashes, hashes_there)
        found, found_there = np.isin(hashes, both), np.isin(hashes_there, both)
        place, hashes = place[found], hashes[found]
        there, hashes_there = there[found_there], hashes_there[found_there]
        owners, first = np.unique(owner_M[place], return_index=True)
        for sample, start in zip(owners.tolist(), place[first].tolist(), strict=True):
            if (run := text_M[start : start + length]) in source:
                runs[sample] = run
        if not len(place):
            break
    return runs


def _characters(text: str) -> np.ndarray:
    """Characters as uint64, each a number that looks random."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    mixed = (points + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(29))
