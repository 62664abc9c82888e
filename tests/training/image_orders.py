"""Orders of recipes that learn from images, with settings so small that they train in a second."""

from pathlib import Path

from aigc_demo.training.start import Order

SMALL = {
    "num_pictures": 64,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
}
OF_RECIPE = {
    "classifier": {"width": 8, "feature_size": 16},
    # As in the paper; what the tiny world gets without settings is asked for where it is tested.
    "ddpm": {
        "base_channels": 8,
        "sample_steps": 2,
        "sample_pictures": 4,
        "prediction_type": "epsilon",
        "optimizer": "adamw",
    },
}


def order(run_dir: Path, recipe: str, **changes) -> Order:
    settings = {**SMALL, **OF_RECIPE[recipe], **changes.pop("settings", {})}
    given = {"source": "tiny-world", "steps": 12, **changes}
    return Order(recipe=recipe, run_dir=run_dir, settings=settings, **given)
