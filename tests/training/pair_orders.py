"""Orders of recipes that learn from images with captions, small enough to train in a second."""

from pathlib import Path

from aigc_demo.training.start import Order

SMALL = {
    "image_size": 32,
    "num_pictures": 120,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
    "width": 8,
}
OF_RECIPE = {
    "clip": {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "embedding_size": 16, "phrasings": 1},
    "checker": {},
    "colorize": {"width": 4},
    "inpaint": {"width": 4},
}


def order(run_dir: Path, recipe: str, **changes) -> Order:
    settings = {**SMALL, **OF_RECIPE[recipe], **changes.pop("settings", {})}
    given = {"source": "tiny-world", "steps": 12, **changes}
    return Order(recipe=recipe, run_dir=run_dir, settings=settings, **given)
