"""A small text and small settings that train in a second."""

import random
from pathlib import Path

import pytest

TINY = {
    "context_length": 16,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_size": 16,
    "batch_size": 8,
    "dropout": 0.0,
    "mixed_precision": "no",
    "validate_every": 5,
    "checkpoint_every": 10,
    "sample_tokens": 0,
}


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """Sentences of a handful of words, about 9,000 characters."""
    rng = random.Random(0)
    words = ["red", "blue", "cat", "dog", "sees", "runs", "the", "a", "big", "small"]
    lines = [" ".join(rng.choices(words, k=6)) + "." for _ in range(320)]
    path = tmp_path / "words.txt"
    path.write_text("\n".join(line if number % 4 else "\n" + line for number, line in enumerate(lines)))
    return path
