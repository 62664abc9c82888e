"""One of two processes that train a GAN together; leaves its weights beside the run."""

import sys
from pathlib import Path

import torch

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.family import family_of
from aigc_demo.training.order import Order
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget

SETTINGS = {
    "num_pictures": 64,
    "batch_size": 8,
    "num_features": 8,
    "latent_size": 16,
    "mixed_precision": "no",
    "r1_gamma": 1.0,
    "r1_every": 2,
}


def main(run_dir: Path) -> None:
    recipe = recipe_named("dcgan")
    order = Order("dcgan", "tiny-world", run_dir, steps=4, settings=SETTINGS)
    settings = recipe.complete(order.settings, order.source)
    training = family_of(recipe).prepare(order, settings, Budget(steps=4), RunDirectory(run_dir), None)
    if training.accelerator.is_main_process:
        RunDirectory(run_dir).create({})
    training.accelerator.wait_for_everyone()
    for _ in range(4):
        training.train_step()
    weights = {
        f"{side}.{name}": tensor
        for side in ("generator", "discriminator")
        for name, tensor in getattr(training, side).state_dict().items()
    }
    torch.save(weights, run_dir.with_name(f"replica-{training.accelerator.process_index}.pt"))
    training.accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
