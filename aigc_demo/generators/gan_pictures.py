"""The two networks of a GAN, loaded from its folder."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from aigc_demo.core.config import Settings
from aigc_demo.core.errors import InputError
from aigc_demo.core.weights_file import check_weights, read_json, weights_path
from aigc_demo.nets.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.style_generator import StyleConfig, StyleGenerator

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
COUNTERS = ("I64",)  # batch norm counts its batches


def load_networks(folder: Path) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator in a GAN's folder, in evaluation mode, float32.

    Raises:
        InputError: one of them is missing, damaged, or of another kind.
    """
    return load_generator(folder), load_discriminator(folder)


def load_generator(folder: Path) -> nn.Module:
    """The generator in a GAN's folder.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    config = read_json(folder / GENERATOR / "config.json")
    if config.get("recipe") == "stylegan":
        return _loaded(StyleGenerator, StyleConfig, config, folder / GENERATOR)
    return _loaded(Generator, DcganConfig, config, folder / GENERATOR)


def load_discriminator(folder: Path) -> nn.Module:
    """The discriminator in a GAN's folder.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    config = read_json(folder / DISCRIMINATOR / "config.json")
    return _loaded(Discriminator, DcganConfig, config, folder / DISCRIMINATOR)


def _loaded(network: Any, shape: type[Settings], config: dict[str, Any], folder: Path) -> nn.Module:
    """A network with its weights, whose file is looked at before it is loaded."""
    path = weights_path(folder)
    try:
        described = shape.from_mapping(config)
    except InputError as error:
        raise InputError("broken_model", path=str(folder), detail=str(error)) from error
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in network(described).state_dict().items()}
    check_weights(path, expected, dtypes=("F32", "F16", "BF16", *COUNTERS))
    loaded: nn.Module = network(described)
    loaded.load_state_dict(load_file(path))
    return loaded.float().eval()
