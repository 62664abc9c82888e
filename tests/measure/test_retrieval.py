"""Found among a hundred: by hand, and what chance is."""

import pytest
import torch

from aigc_demo.core.device import seeded
from aigc_demo.measure.retrieval import found_among, preferred_share


def test_by_hand() -> None:
    keys = torch.eye(4)
    queries = keys[[0, 1, 3, 3]]  # the third looks for the fourth
    assert found_among(queries, keys, torch.arange(4)) == 0.75
    assert found_among(queries, keys, torch.tensor([0, 1, 2, 2])) == 1  # which means the same


def test_each_is_looked_for_in_its_own_part_and_a_smaller_rest_is_left_out() -> None:
    keys = torch.eye(5)
    queries = keys[[1, 0, 2, 3, 0]]
    assert found_among(queries, keys, torch.arange(5), among=2) == 0.5  # the last stands alone
    assert found_among(queries[4:], keys[4:], torch.arange(1), among=2) == 1


def test_vectors_that_say_nothing_find_by_chance() -> None:
    vectors = torch.randn(2, 20_000, 16, generator=seeded(0))
    found = found_among(vectors[0], vectors[1], torch.arange(20_000), among=50)
    assert found == pytest.approx(1 / 50, abs=0.005)


def test_where_all_keys_are_alike_one_of_each_part_is_found() -> None:
    """The first of equally near keys is taken, so that a network that says nothing gets what chance gives."""
    alike = torch.tensor([[0.6, 0.8]]).expand(12, 2)
    assert found_among(alike, alike, torch.arange(12), among=4) == 1 / 4
    assert found_among(alike, alike, torch.arange(12), among=12) == 1 / 12
    # Two of four keys are equal: the first is found by both of their queries, and is right for one.
    keys = torch.eye(4)[[0, 1, 1, 3]]
    assert found_among(keys, keys, torch.arange(4)) == 0.75
    assert found_among(keys, keys, torch.tensor([0, 5, 5, 3])) == 1


def test_meanings_count_within_a_part_alone() -> None:
    keys = torch.eye(4)
    queries = keys[[1, 0, 3, 2]]
    assert found_among(queries, keys, torch.tensor([0, 1, 0, 1]), among=2) == 0
    assert found_among(queries, keys, torch.tensor([0, 0, 1, 2]), among=2) == 0.5


def test_told_from_a_text_that_is_nearly_right_by_hand() -> None:
    image = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    own = torch.tensor([[0.8, 0.6], [0.6, 0.8], [0.0, 1.0], [1.0, 0.0]])
    other = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.6, 0.8], [0.0, 1.0]])
    # 0.8 against 0.6; 0.8 twice, which counts half; 0 against 0.6; 0.6 against 0.8.
    assert preferred_share(image, own, other) == pytest.approx(1.5 / 4)
    assert preferred_share(image, own, own) == 0.5
    assert preferred_share(image, other, own) == pytest.approx(2.5 / 4)
