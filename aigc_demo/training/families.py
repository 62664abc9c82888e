"""How the recipes of each family are put together; a family is imported when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.loop import TrainingLoop
from aigc_demo.training.order import Order
from aigc_demo.training.recipes import Recipe
from aigc_demo.training.settings import Budget


@dataclass(frozen=True)
class Family:
    """What all recipes of a family share.

    Attributes:
        prepare: from an order, its settings and budget, the run and the checkpoint to go on from (or None),
            to a loop of which nothing has been trained.
        networks: from a recipe's name and its settings to the networks that it trains, to be counted.
        write_sample: what the model in a checkpoint makes where that takes noticeable time, or None.
    """

    prepare: Callable[[Order, Any, Budget, RunDirectory, Path | None], TrainingLoop]
    networks: Callable[[str, Any], list[nn.Module]]
    write_sample: Callable[[Any, Path], Any] | None = None


def family_of(recipe: Recipe) -> Family:
    """How a recipe is put together."""
    if recipe.family == "gan":
        from aigc_demo.training.gan import start as gan_start

        return Family(gan_start.prepare, gan_start.networks)
    if recipe.family == "classifier":
        from aigc_demo.training.classifier import start as classifier_start

        return Family(classifier_start.prepare, classifier_start.networks)
    if recipe.family == "diffusion":
        from aigc_demo.training.diffusion import start as diffusion_start

        return Family(diffusion_start.prepare, diffusion_start.networks)
    if recipe.family == "contrastive":
        from aigc_demo.training.contrastive import start as contrastive_start

        return Family(contrastive_start.prepare, contrastive_start.networks)
    if recipe.family == "text-to-image":
        from aigc_demo.training.text_to_image import start as text_to_image_start

        return Family(text_to_image_start.prepare, text_to_image_start.networks)
    if recipe.family == "text-diffusion":
        from aigc_demo.training.text_diffusion import start as text_diffusion_start

        return Family(text_diffusion_start.prepare, text_diffusion_start.networks)
    if recipe.family == "reader":
        from aigc_demo.training.attributes import training as attribute_reading

        return Family(attribute_reading.prepare, attribute_reading.networks)
    if recipe.family == "mender":
        from aigc_demo.training.restoration import training as mending

        return Family(mending.prepare, mending.networks)
    from aigc_demo.training.language_model import start as language_model_start

    return Family(
        language_model_start.prepare, language_model_start.networks, language_model_start.write_sample
    )
