"""A run that was stopped and resumed ends as one that was not."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

from aigc_demo.training.start import Order, train
from tests.training.recorded import losses, validations


def check_resumed(order: Callable[..., Order], folder: Path, recipe: str, source: str = "tiny-world") -> None:
    """Twelve steps at once, and in two parts of five and seven: the same losses, metrics and weights."""
    whole = list(train(order(folder / "a", recipe, source=source)))
    halves = [
        *train(order(folder / "b", recipe, source=source, stop_after=5)),
        *train(order(folder / "b", recipe, source=source, resume=True)),
    ]
    assert len(losses(whole)) == 12
    assert losses(halves) == losses(whole)
    assert validations(halves)[-1] == validations(whole)[-1]
    weights = [sorted((folder / run / "checkpoints/step-000012").rglob("*.safetensors")) for run in "ab"]
    assert len(weights[0]) == 1
    first, second = (load_file(paths[0]) for paths in weights)
    assert all(torch.equal(first[name], second[name]) for name in first)
