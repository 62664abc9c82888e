"""Figures of samples, on texts whose figures can be counted by hand."""

import random

import pytest

from aigc_demo.measure.samples import copied_runs, one_verse_length, sample_figures

FIVE = "《春望》杜甫\n国破山河在，城春草木深。\n感时花溅泪，恨别鸟惊心。\n"
SEVEN = "两个黄鹂鸣翠柳，一行白鹭上青天。"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (FIVE, 5),
        (SEVEN, 7),
        (FIVE + SEVEN, None),  # two lengths
        (FIVE + "烽火连三。\n", None),  # one short line
        ("春眠，不觉。", None),  # one length, but none of verse
        ("《春望》杜甫\n", None),  # a title alone
        ("春望 杜甫\n国破山河在，城春草木深。", None),  # what is no title counts as a line
        ("", None),
    ],
)
def test_lines_of_one_length(text: str, length: int | None) -> None:
    assert one_verse_length(text) == length


def test_what_each_sample_copied() -> None:
    source = "abcdefgh"
    assert copied_runs(["xxcdexx", "fgh", "zzz", "", "ab-efgh"], source) == ["cde", "fgh", "", "", "efgh"]


def test_a_run_does_not_reach_into_the_next_sample() -> None:
    assert copied_runs(["abc", "def"], "abcdef") == ["abc", "def"]


def test_against_a_search_of_every_run() -> None:
    rng = random.Random(0)
    source = "".join(rng.choices("abc", k=300))
    samples = ["".join(rng.choices("abc", k=rng.randint(1, 40))) for _ in range(30)]

    def longest(sample: str) -> int:
        runs = (sample[i:j] for i in range(len(sample)) for j in range(i, len(sample) + 1))
        return max(len(run) for run in runs if run in source)

    found = copied_runs(samples, source)
    assert [len(run) for run in found] == [longest(sample) for sample in samples]
    assert all(run in source and run in sample for run, sample in zip(found, samples, strict=True))


def test_figures_of_many() -> None:
    figures = sample_figures([FIVE, FIVE, SEVEN, "一二三"], source="城春草木深。一二")
    assert figures.num_generated == 4
    assert figures.lines_of_one_length == 0.75
    assert figures.distinct == 0.75
    assert figures.longest_copied_text == "城春草木深。"
    assert (figures.longest_copied_run, figures.median_copied_run) == (6, 4)


def test_no_samples_have_no_figures() -> None:
    with pytest.raises(ValueError, match="no samples"):
        sample_figures([], "text")
