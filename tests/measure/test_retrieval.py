"""Found among a hundred: by hand, and what chance is."""

import pytest
import torch

from aigc_demo.core.device import seeded
from aigc_demo.measure.retrieval import found_among


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
