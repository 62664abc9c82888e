"""Hidden words: how often a model guesses them, by hand."""

import math

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.measure.masked import masked_figures


def test_masked_figures_of_one_that_always_says_the_same():
    """One word in four is "the", so is every guess: a quarter is right, and all within five."""

    class Stubborn:
        context_length, mask, vocab = 40, 9, 10

        def ids(self, text):
            return [0, 1, 2, 3] * 1000

        def logits(self, ids_BT):
            return torch.tensor([5.0, 4, 3, 2, 0, 0, 0, 0, 0, 0]).expand(*ids_BT.shape, 10)

    figures = masked_figures(Stubborn(), "x", seed=1)
    assert figures["masked_accuracy"] == pytest.approx(0.25, abs=0.05)
    assert figures["masked_top5_accuracy"] == 1.0
    assert (figures["num_samples"], figures["num_hidden"]) == (100, 600)
    total = math.log(sum(math.exp(x) for x in (5, 4, 3, 2, 0, 0, 0, 0, 0, 0)))
    assert figures["masked_loss"] == pytest.approx(total - 3.5, abs=0.1)


class Copying:
    """Says of each place that the word which it is shown there is the right one; keeps what it was shown."""

    def __init__(self, ids, context_length):
        self._ids, self.context_length, self.mask = ids, context_length, 50
        self.shown = []

    def ids(self, text):
        return self._ids

    def logits(self, ids_BT):
        self.shown.extend(ids_BT.tolist())
        return torch.nn.functional.one_hot(ids_BT, 51) * 3.0


@pytest.mark.parametrize(
    ("length", "context", "windows"),
    [(100, 40, [40, 40, 20]), (61, 30, [30, 30, 1]), (3, 40, [3]), (300, 999, [128, 128, 44])],
)
def test_so_many_of_each_window_are_hidden_and_the_rest_is_shown(length, context, windows):
    """Who copies is never right: what is asked for is not shown. The last window counts, too."""
    ids = [place % 50 for place in range(length)]
    model = Copying(ids, context)
    figures = masked_figures(model, "x")
    assert [len(row) for row in model.shown] == windows
    hidden = [max(1, round(0.15 * size)) for size in windows]
    assert [row.count(50) for row in model.shown] == hidden
    shown = [index for row in model.shown for index in row]
    assert all(one in (other, 50) for one, other in zip(shown, ids, strict=True))
    assert (figures["num_hidden"], figures["num_tokens"], figures["num_samples"]) == (
        sum(hidden),
        length,
        len(windows),
    )
    assert figures["masked_accuracy"] == 0
    # The mask has a score of 3, the 50 words 0 each.
    assert figures["masked_loss"] == pytest.approx(math.log(math.exp(3) + 50), rel=1e-5)


def test_a_guess_is_compared_with_the_word_that_was_hidden():
    class Knowing(Copying):
        def logits(self, ids_BT):
            """Of a text that counts up: one more than the word before, and 0 where that is hidden."""
            self.shown.extend(ids_BT.tolist())
            before = torch.nn.functional.pad(ids_BT[:, :-1], (1, 0), value=-1)
            known = torch.where(before == 50, 0, before + 1)
            return torch.nn.functional.one_hot(known, 51) * 99.0

    model = Knowing(list(range(40)), 40)
    figures = masked_figures(model, "x", seed=3)
    (row,) = model.shown
    hidden = [place for place, index in enumerate(row) if index == 50]
    right = [place for place in hidden if place == 0 or row[place - 1] != 50]
    assert figures["masked_accuracy"] == pytest.approx(len(right) / len(hidden))
    other = Knowing(list(range(40)), 40)
    masked_figures(other, "x", seed=4)
    assert other.shown != model.shown, "the seed says which"


def test_nothing_to_hide():
    class Silent:
        def ids(self, text):
            return []

    with pytest.raises(InputError) as refused:
        masked_figures(Silent(), "")
    assert refused.value.key == "text_empty"
