"""Two processes that train an encoder-decoder together, each with a part of it, give the curve of one."""

import json
import sys
from pathlib import Path

import pytest

from aigc_demo.training.start import train
from tests.training.ranks import launch_environment, run_ranks
from tests.training.recorded import losses
from tests.training.seq2seq.poems import SMALL, order, poems_file

__all__ = ["poems_file"]

MORE = {"gradient_accumulation_steps": 2, "max_grad_norm": 0.5, "checkpoint_every": 4}


def test_sharded_over_two_processes_it_is_the_run_of_one(poems_file: Path, tmp_path: Path) -> None:
    """Of the library's network, whose halves share their embeddings."""
    recipe = "seq2seq-library"
    whole = losses(train(order(tmp_path / "one", recipe, source=str(poems_file), steps=8, settings=MORE)))
    settings = [part for name, value in {**SMALL, **MORE}.items() for part in ("--set", f"{name}={value}")]
    command = ["train", recipe, "--data", str(poems_file), "--run-dir", str(tmp_path / "two"), "--steps", "8"]
    words = [
        sys.executable,
        "-m",
        "tests.training.fsdp_on_cpu",
        *command,
        *settings,
        "--json",
        "--stop-after",
        "4",
    ]
    first, second = run_ranks(words, launch_environment("fsdp.yaml"))
    lines = [json.loads(line) for line in first.splitlines() if line.startswith("{")]
    assert second == ""
    both = [line["loss"] for line in lines if line.get("event") == "step"]
    assert len(both) == 4
    rest = losses(
        train(order(tmp_path / "two", recipe, source=str(poems_file), steps=8, settings=MORE, resume=True))
    )
    assert both + rest == pytest.approx(whole, abs=1e-5)
