"""Small data and small settings that train in a second."""

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


def write_words(folder: Path) -> Path:
    """Sentences of a handful of words, about 9,000 characters."""
    rng = random.Random(0)
    words = ["red", "blue", "cat", "dog", "sees", "runs", "the", "a", "big", "small"]
    lines = [" ".join(rng.choices(words, k=6)) + "." for _ in range(320)]
    path = folder / "words.txt"
    path.write_text("\n".join(line if number % 4 else "\n" + line for number, line in enumerate(lines)))
    return path


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """A text of the test's own."""
    return write_words(tmp_path)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same text, which no test changes."""
    return write_words(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="session")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of noise, in one folder: none has a label."""
    folder = tmp_path_factory.mktemp("images")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).resize((32, 32)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of noise with captions, in one folder."""
    folder = tmp_path_factory.mktemp("captioned")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8)
    rows = ["file_name,text"]
    for number, image in enumerate(pixels):
        Image.fromarray(image).resize((32, 32)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,picture {number % 6} of {'red' if number % 2 else 'blue'}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder
