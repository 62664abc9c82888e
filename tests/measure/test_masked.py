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


def test_nothing_to_hide():
    class Silent:
        def ids(self, text):
            return []

    with pytest.raises(InputError) as refused:
        masked_figures(Silent(), "")
    assert refused.value.key == "text_empty"
