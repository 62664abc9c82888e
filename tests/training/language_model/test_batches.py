"""Rows of a text: which ones there are, and how short a text may be."""

from dataclasses import replace

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.training.language_model.batches import Batches
from tests.training.test_steps_by_hand import corpus_of


@pytest.mark.parametrize(("train", "validation"), [(13, 40), (40, 12)])
def test_a_row_and_its_last_target_fit_into_the_text(train: int, validation: int) -> None:
    corpus = replace(corpus_of([2 + index for index in range(train)]), validation=torch.arange(validation))
    input_BT, target_BT = Batches(corpus, 12, 1000, seed=3, paragraph_start_prob=0.0).rows(0)
    assert input_BT.shape == target_BT.shape == (1000, 12)
    assert torch.equal(target_BT, input_BT + 1)
    assert set(input_BT[:, 0].tolist()) == set(range(2, 2 + train - 12)), "from the first place to the last"
    with pytest.raises(InputError) as refused:
        Batches(corpus, 13, 1, seed=3)
    assert refused.value.key == "too_little_text"
    assert refused.value.values["possible"] == 12
