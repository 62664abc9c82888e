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
from aigc_demo.data.captions.pairs import LONGEST
from aigc_demo.data.text.tokenizer import BPE_VOCAB_SIZE
from aigc_demo.data.text.word_level import SPECIAL_TOKENS
from aigc_demo.generators.catalog import find
from aigc_demo.nets.style_generator import StyleGenerator
from aigc_demo.training.families import family_of
from aigc_demo.training.language_model.networks import NETWORKS
from aigc_demo.training.recipes import recipe_named

MIB = 2**20
# A process that has imported torch and the libraries, and has trained a network of no size (measured).
BASE_MIB = 520
# Beside what is kept there is what an operation works on, and the gradient of what comes next (measured).
WORKING_SHARE = 1.35
# Bytes of one parameter: weight, gradient, two moments, an average.
BYTES_A_PARAMETER = 20
STATE_BYTES_A_PARAMETER, WEIGHT_BYTES = 16, 2
# Pictures are kept as bytes, decoded once, and cut.
PICTURE_COPIES = 3
SOURCE_COPIES = 12
# Logits as they are, as log-probabilities, and their gradient.
LOGIT_COPIES = 3
TINY_WORLD_TOKENS = 400


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
        source_bytes: of the visitor's own text or pictures, as they lie in the run directory; 0 for the tiny
            world.
        text: the visitor's own, whose tokens are counted.

    Raises:
        InputError: there is no such recipe.
        ValueError: these settings make no network.
    """
    recipe = recipe_named(recipe_name)
    with importing():  # one at a time, and networks import the libraries
        count, kept = _measured(recipe_name, settings)
    logits = 0
    if recipe.family == "language-model":
        tokens = _vocabulary(settings, text)
        count += tokens * settings.hidden_size * (1 if settings.tie_embeddings else 2)
        logits = LOGIT_COPIES * 4 * settings.units_per_step * tokens
    pictures = (
        PICTURE_COPIES * 3 * getattr(settings, "num_pictures", 0) * getattr(settings, "image_size", 0) ** 2
    )
    memory = (
        count * BYTES_A_PARAMETER + kept * WORKING_SHARE + logits + pictures + SOURCE_COPIES * source_bytes
    )
    state = NUM_STATES_KEPT * STATE_BYTES_A_PARAMETER * count
    disk = (MOST_CHECKPOINTS * WEIGHT_BYTES * count + state + 2 * source_bytes) / MIB
    return Estimate(count, BASE_MIB + memory / MIB, disk)


@lru_cache(maxsize=256)
def _measured(recipe_name: str, settings: Any) -> tuple[int, int]:
    """Parameters of a recipe's networks, and bytes that autograd keeps of one batch."""
    recipe = recipe_named(recipe_name)
    with torch.device("meta"):
        networks = family_of(recipe).networks(recipe_name, settings)
        passes = PASSES[recipe.family](networks, settings)
        kept = sum(times * _kept_bytes(networks, forward) for times, forward in passes)
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
    theirs = NETWORKS[recipe_name].shape if recipe_name in NETWORKS else {}
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


def _kept_bytes(networks: list[nn.Module], forward: Callable[[], Any]) -> int:
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


# What a step of a family sends through its networks: how many times, and what.
Passes = list[tuple[int, Callable[[], Any]]]


def _pictures(settings: Any, channels: int = 3) -> Tensor:
    side = settings.image_size
    return torch.empty(settings.batch_size, channels, side, side)


def _language_model(networks: list[nn.Module], settings: Any) -> Passes:
    """Tokens of a tiny vocabulary; what depends on its size is added afterwards."""
    ids_BT = torch.zeros(settings.batch_size, settings.context_length, dtype=torch.long)

    def forward() -> Tensor:
        found = networks[0](ids_BT)
        logits_BTV = getattr(found, "logits", found)
        return nn.functional.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BT.flatten())

    return [(1, forward)]


def _gan(networks: list[nn.Module], settings: Any) -> Passes:
    generator, discriminator = networks
    noise_BZ = torch.empty(settings.batch_size, settings.latent_size)

    def draw() -> Tensor:
        if isinstance(generator, StyleGenerator):
            return generator.synthesize(generator.styles(noise_BZ))
        return generator(noise_BZ)

    # Real and made ones; a gradient of a gradient keeps what both of its passes kept.
    judged = 2 + (2 if settings.r1_gamma else 0)
    return [(1, draw), (judged, lambda: discriminator(_pictures(settings).requires_grad_()))]


def _classifier(networks: list[nn.Module], settings: Any) -> Passes:
    return [(2, lambda: networks[0](_pictures(settings)))]  # two views of each


def _diffusion(networks: list[nn.Module], settings: Any) -> Passes:
    unet: Any = networks[0]
    side, channels = settings.image_size // settings.patch_size, 3 * settings.patch_size**2
    x_BCHW = torch.empty(settings.batch_size, channels, side, side)
    return [(1, lambda: unet(x_BCHW, torch.zeros(settings.batch_size, dtype=torch.long)).sample)]


def _captions(count: int) -> Tensor:
    return torch.zeros(count, LONGEST, dtype=torch.long)


def _contrastive(networks: list[nn.Module], settings: Any) -> Passes:
    texts = settings.batch_size * (1 + settings.wrong_captions)
    return [(1, lambda: networks[0](_captions(texts), _pictures(settings)))]


def _text_to_image(networks: list[nn.Module], settings: Any) -> Passes:
    parts: Any = networks
    generator, discriminator = parts
    B = settings.batch_size
    tokens_BTC = torch.empty(B, LONGEST, generator.config.token_size)
    text_BE, seen_BT = torch.empty(B, generator.config.text_size), torch.ones(B, LONGEST, dtype=torch.bool)
    # Made ones, real ones, and real ones with the caption of another.
    judged = 3 + (2 if settings.r1_gamma else 0)
    return [
        (
            max(1, settings.choices),
            lambda: generator(torch.empty(B, settings.latent_size), tokens_BTC, seen_BT, text_BE),
        ),
        (judged, lambda: discriminator(_pictures(settings).requires_grad_(), text_BE)),
    ]


def _text_diffusion(networks: list[nn.Module], settings: Any) -> Passes:
    network: Any = networks[0]
    seen_BT = torch.ones(settings.batch_size, LONGEST, dtype=torch.bool)
    timestep_B = torch.zeros(settings.batch_size, dtype=torch.long)

    def forward() -> Tensor:
        words_BTD = network.read(_captions(settings.batch_size))
        return network(_pictures(settings), timestep_B, words_BTD, seen_BT)

    return [(1, forward)]


def _reader(networks: list[nn.Module], settings: Any) -> Passes:
    return [(1, lambda: networks[0](_pictures(settings)))]


def _mender(networks: list[nn.Module], settings: Any) -> Passes:
    mender: Any = networks[0]
    return [(1, lambda: mender(_pictures(settings, channels=mender.config.num_inputs)))]


PASSES: dict[str, Callable[[list[nn.Module], Any], Passes]] = {
    "language-model": _language_model,
    "gan": _gan,
    "classifier": _classifier,
    "diffusion": _diffusion,
    "contrastive": _contrastive,
    "text-to-image": _text_to_image,
    "text-diffusion": _text_diffusion,
    "reader": _reader,
    "mender": _mender,
}


def _vocabulary(settings: Any, text: str | None) -> int:
    """How many tokens a text will have, or a bound of it."""
    limits = [settings.vocab_size] if settings.vocab_size else []
    if text is None:
        found = TINY_WORLD_TOKENS
    elif settings.tokenizer == "characters":
        found = len(set(text))
    else:
        found = len(set(text.split())) + len(set(text)) if settings.tokenizer == "words" else BPE_VOCAB_SIZE
    return min([found, *limits]) + len(SPECIAL_TOKENS)
