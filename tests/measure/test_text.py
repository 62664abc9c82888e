"""Bits per byte against numbers worked out by hand."""

import math

import pytest
import torch

from aigc_demo.measure.text import surprise, text_score, windows


def uniform(vocab_size: int):
    """A model that knows nothing."""
    return lambda ids_BT: torch.zeros(*ids_BT.shape, vocab_size)


def test_every_token_is_predicted_once() -> None:
    cut = windows(torch.arange(10, 21), context_length=4, start_id=1)
    assert [target.tolist() for _, target in cut] == [[10, 11, 12, 13], [14, 15, 16, 17], [18, 19, 20]]
    assert [read.tolist() for read, _ in cut] == [[1, 10, 11, 12], [13, 14, 15, 16], [17, 18, 19]]


def test_guessing_costs_the_logarithm_of_the_vocabulary() -> None:
    cut = windows(torch.randint(8, (101,)), context_length=7, start_id=1)
    assert surprise(uniform(8), cut, 8).tolist() == pytest.approx([3.0] * 101)


def test_each_token_gets_its_own_surprise_across_batches() -> None:
    ids = torch.randint(5, (457,), generator=torch.Generator().manual_seed(0))
    table = torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
    read = torch.cat((torch.tensor([1]), ids[:-1]))
    expected = -table.log_softmax(-1)[read, ids] / math.log(2)
    bits = surprise(lambda ids_BT: table[ids_BT], windows(ids, 3, 1), vocab_size=10**6)
    torch.testing.assert_close(bits.float(), expected)


def test_bytes_of_two_languages() -> None:
    # "aé" has 3 bytes: 6 bits over them are 2 a byte and 3 a character.
    score = text_score([2.0, 4.0], [(5, 0, 1), (6, 1, 2)], "aé", unknown_id=0)
    assert (score.bits_per_byte, score.bits_per_character, score.num_bytes) == (2.0, 3.0, 3)
    assert score.bits == (2.0, 4.0)


def test_an_unknown_character_costs_its_bytes_on_top() -> None:
    # The unknown token cost 1 bit, the three bytes of the character 24.
    score = text_score([1.0, 1.0], [(0, 0, 1), (5, 1, 2)], "春a", unknown_id=0)
    assert score.bits == (25.0, 1.0) and score.num_unknown == 1


def test_tokens_that_share_a_character_and_characters_that_share_a_token() -> None:
    # Three byte tokens make one Chinese character; one word token makes two letters.
    tokens = [(5, 0, 1), (6, 0, 1), (7, 0, 1), (8, 1, 3)]
    score = text_score([1.0, 2.0, 3.0, 4.0], tokens, "春ab", unknown_id=None)
    assert score.bits == (6.0, 2.0, 2.0) and score.num_tokens == 4


def test_an_unknown_word_costs_all_of_its_bytes() -> None:
    score = text_score([4.0], [(0, 0, 2)], "ab", unknown_id=0)
    assert score.bits == (10.0, 10.0) and score.num_unknown == 2


def test_nothing_to_score_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="0 surprises for 0 tokens of 0 characters"):
        text_score([], [], "", unknown_id=0)
