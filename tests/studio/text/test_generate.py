"""Texts by one model, for the command line and for measuring."""

import pytest
import torch

from aigc_demo.studio.text.generate import write_texts


def test_writing_takes_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigc_demo.core.device.cpu_quota", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        settings = {"max_new_tokens": 2}
        one, other = write_texts("gpt-tiny-world", "", num=2, seed=8, settings=settings)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert (one["seed"], other["seed"]) == (8, 9)
    assert (one["num_tokens"], other["num_tokens"]) == (2, 2)
