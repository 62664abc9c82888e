"""How much memory and disk a training will take, from its settings alone, before anything is made.

The networks are made on torch's meta device, where tensors have shapes and no numbers, and one batch goes
through them: what autograd keeps for the backward pass is counted as it would be kept. That holds for every
recipe and every setting, takes a fraction of a second, and no memory.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.library_imports import importing
from aigc_demo.core.run_directory import MOST_CHECKPOINTS, NUM_STATES_KEPT
from aigc_demo.generators.catalog import find
from aigc_demo.training.family import family_of
from aigc_demo.training.recipes import recipe_named

MIB = 2**20
# A process that has imported torch and the libraries, and has trained a network of no size (measured).
BASE_MIB = 520
# Beside saved tensors there is the working memory of an operation, and the gradient of its output (measured).
WORKING_SHARE = 1.35
# Bytes of one parameter: weight, gradient, two moments, an average.
BYTES_PER_PARAMETER = 20
STATE_BYTES_PER_PARAMETER, WEIGHT_BYTES = 16, 2
# Images are kept as bytes: decoded, cleaned, and split.
IMAGE_COPIES = 3
SOURCE_COPIES = 12


@dataclass(frozen=True)
class Estimate:
    """What a training takes.

    Attributes:
        num_parameters: of all networks that it trains.
        memory_mib: of its process, at the most.
        disk_mib: of its run directory, at the most.
    """

    num_parameters: int
    memory_mib: float
    disk_mib: float


def estimate(recipe_name: str, settings: Any, source_bytes: int = 0, text: str | None = None) -> Estimate:
    """What an order takes.

    Args:
        recipe_name: what is trained.
        settings: of the recipe, complete.
        source_bytes: of the visitor's own text or images, as they lie in the run directory; 0 for the tiny
            world.
        text: the visitor's own, whose tokens are counted.

    Raises:
        InputError: there is no such recipe.
        ValueError: these settings make no network.
    """
    recipe = recipe_named(recipe_name)
    with importing():  # one at a time, and networks import the libraries
        count, kept = _measured(recipe_name, settings)
    vocabulary = family_of(recipe).vocabulary
    more_parameters, more_bytes = (0, 0) if vocabulary is None else vocabulary(settings, text)
    count += more_parameters
    images = IMAGE_COPIES * 3 * getattr(settings, "num_pictures", 0) * getattr(settings, "image_size", 0) ** 2
    memory = (
        count * BYTES_PER_PARAMETER
        + kept * WORKING_SHARE
        + more_bytes
        + images
        + SOURCE_COPIES * source_bytes
    )
    state = NUM_STATES_KEPT * STATE_BYTES_PER_PARAMETER * count
    disk = (MOST_CHECKPOINTS * WEIGHT_BYTES * count + state + 2 * source_bytes) / MIB
    return Estimate(count, BASE_MIB + memory / MIB, disk)


@lru_cache(maxsize=256)
def _measured(recipe_name: str, settings: Any) -> tuple[int, int]:
    """Parameters of a recipe's networks, and bytes that autograd keeps of one batch."""
    family = family_of(recipe_named(recipe_name))
    with torch.device("meta"):
        networks = family.networks(recipe_name, settings)
        passes = family.forward_passes(networks, settings)
        kept = sum(times * _saved_tensor_bytes(networks, forward) for times, forward in passes)
    return sum(weight.numel() for network in networks for weight in network.parameters()), kept


def shape_of(recipe_name: str, init: str) -> dict[str, Any]:
    """The settings that a run takes from the model that it goes on from, as far as its files name them.

    Args:
        recipe_name: of both.
        init: a name of the catalog, or a folder.

    Raises:
        InputError: there is no such model.
    """
    recipe = recipe_named(recipe_name)
    folder = Path(find(init).location)
    configs = [_config(path) for path in (folder / "config.json", *sorted(folder.glob("*/config.json")))]
    with importing():
        theirs = family_of(recipe).config_names(recipe_name)
    found = {}
    for name in recipe.shape:
        values = [config[theirs.get(name, name)] for config in configs if theirs.get(name, name) in config]
        if values:
            found[name] = values[0]
    return found


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _saved_tensor_bytes(networks: list[nn.Module], forward: Callable[[], Any]) -> int:
    """Bytes that autograd keeps of a forward pass, each storage once, weights left out."""
    own = {weight.untyped_storage()._cdata for network in networks for weight in network.parameters()}
    alive: list[Tensor] = []  # so that no two storages have one address
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own and storage._cdata not in sizes:
            sizes[storage._cdata] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward()
    return sum(sizes.values())
