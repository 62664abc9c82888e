"""Poems in which each line is answered by its mirror image, and small orders of trainings on them."""

from pathlib import Path

import pytest

from aigc_demo.training.start import Order

SMALL = {
    "context_length": 16,
    "target_length": 12,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_size": 16,
    "batch_size": 8,
    "dropout": 0.0,
    "mixed_precision": "no",
    "validate_every": 5,
    "checkpoint_every": 10,
    "validation_pairs": 20,
    "sample_pairs": 0,
}


def poems(count: int = 120) -> str:
    """Couplets of lines of four or of five characters."""
    found = []
    for number in range(count):
        lines = [f"{'甲乙丙丁戊'[number % 5]}{number:03}"[: 4 + place % 2 - 1] + "山" for place in (0, 1)]
        body = "\n".join(f"{line}，{line[::-1]}。" for line in lines)
        found.append(f"《其{number}》无名\n{body}\n")
    return "\n".join(found)


@pytest.fixture(scope="session")
def poems_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("poems") / "poems.txt"
    path.write_text(poems(), encoding="utf8")
    return path


def order(run_dir: Path, recipe: str = "seq2seq", **changes) -> Order:
    settings = {**SMALL, **changes.pop("settings", {})}
    given = {"steps": 12, **changes}
    return Order(recipe=recipe, run_dir=run_dir, settings=settings, **given)
