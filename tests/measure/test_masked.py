"""Masked tokens: how often a model predicts them, by hand; and next sentences."""

import math

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.measure.masked import masked_figures, next_sentence_figures

START, MASK, SEPARATOR = 50, 51, 52
SPECIAL = {START, MASK, SEPARATOR}


def row(*ids: int) -> list[int]:
    return [START, *ids, SEPARATOR]


class Shown:
    """Keeps the rows that it is shown; its logits are those of a function of a row and a place."""

    def __init__(self, logits):
        self._logits, self.rows = logits, {}

    def __call__(self, numbers, rows, places):
        self.rows |= dict(zip(numbers, rows, strict=True))
        found = [self._logits(ids, place) for ids, one in zip(rows, places, strict=True) for place in one]
        return torch.stack(found)


def test_figures_of_a_model_that_always_says_the_same():
    """One token in four is 0, so is every guess: a quarter is right, and all within five."""
    always = torch.tensor([5.0, 4, 3, 2, *[0] * 49])
    rows = [row(*[0, 1, 2, 3] * 10) for _ in range(100)]
    figures = masked_figures(Shown(lambda ids, place: always), rows, MASK, SPECIAL, seed=1)
    assert figures["masked_accuracy"] == pytest.approx(0.25, abs=0.05)
    assert figures["masked_top5_accuracy"] == 1.0
    assert (figures["num_samples"], figures["num_masked"], figures["num_tokens"]) == (100, 600, 4000)
    total = math.log(sum(math.exp(x) for x in always.tolist()))
    assert figures["masked_loss"] == pytest.approx(total - 3.5, abs=0.1)


def test_so_many_tokens_of_each_row_are_masked_and_the_rest_is_shown():
    """Whoever copies is never right: what is asked for is not shown, and special tokens are not asked for."""
    rows = [row(*[place % 50 for place in range(length)]) for length in (100, 3, 40, 1, 0)]
    model = Shown(lambda ids, place: torch.nn.functional.one_hot(torch.tensor(ids[place]), 53) * 3.0)
    figures = masked_figures(model, rows, MASK, SPECIAL)
    assert {number: ids.count(MASK) for number, ids in model.rows.items()} == {0: 15, 1: 1, 2: 6, 3: 1}
    for number, ids in model.rows.items():
        assert (ids[0], ids[-1]) == (START, SEPARATOR)
        assert all(one in (other, MASK) for one, other in zip(ids, rows[number], strict=True))
    assert (figures["num_masked"], figures["num_tokens"], figures["num_samples"]) == (23, 144, 5)
    assert figures["masked_accuracy"] == 0
    # The mask has a score of 3, the 52 other tokens 0 each.
    assert figures["masked_loss"] == pytest.approx(math.log(math.exp(3) + 52), rel=1e-5)


def test_a_prediction_is_compared_with_the_token_that_was_masked():
    def one_more(ids, place):
        """Of rows that count up: one more than the token before, and 0 where that is masked."""
        known = 0 if ids[place - 1] in (START, MASK) else ids[place - 1] + 1
        return torch.nn.functional.one_hot(torch.tensor(known), 53) * 99.0

    rows = [row(*range(begin, begin + 10)) for begin in range(40)]
    model = Shown(one_more)
    figures = masked_figures(model, rows, MASK, SPECIAL, seed=3)
    right = sum(
        index == MASK and (ids[place - 1] not in (START, MASK) or rows[number][place] == 0)
        for number, ids in model.rows.items()
        for place, index in enumerate(ids)
    )
    assert 0 < figures["masked_accuracy"] == right / figures["num_masked"] < 1
    other, same = Shown(one_more), Shown(one_more)
    masked_figures(other, rows, MASK, SPECIAL, seed=4)
    masked_figures(same, rows, MASK, SPECIAL, seed=3)
    assert other.rows != model.rows
    assert same.rows == model.rows, "the seed says which"


@pytest.mark.parametrize("rows", [[], [row()]])
def test_nothing_to_mask(rows):
    with pytest.raises(InputError) as refused:
        masked_figures(Shown(lambda ids, place: torch.zeros(53)), rows, MASK, SPECIAL)
    assert refused.value.key == "text_empty"


def test_accuracy_of_next_sentences_and_of_each_kind_of_wrong_ones_apart():
    """Two of three true pairs, one of two wrong ones of the same document, both of another are recognized."""
    probs = [0.9, 0.8, 0.2, 0.7, 0.1, 0.3, 0.4]
    follows = [True, True, True, False, False, False, False]
    same = [True, True, True, True, True, False, False]
    assert next_sentence_figures(probs, follows, same) == {
        "next_sentence_accuracy": pytest.approx(5 / 7),
        "next_sentence_chance": pytest.approx(4 / 7),
        "next_sentence_accuracy_same_document": pytest.approx((2 / 3 + 1 / 2) / 2),
        "next_sentence_accuracy_other_document": pytest.approx((2 / 3 + 1) / 2),
    }
    assert set(next_sentence_figures([0.6], [True], [True])) == {
        "next_sentence_accuracy",
        "next_sentence_chance",
    }
