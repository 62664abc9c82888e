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


def check_networks(folder: Path) -> str:
    """Look at both networks of a GAN's folder without loading them.

    Returns:
        The recipe that made it.

    Raises:
        InputError: one of them is missing, damaged, or of another kind.
    """
    config = read_json(folder / GENERATOR / "config.json")
    if config.get("recipe") == "stylegan":
        _checked(StyleGenerator, StyleConfig, config, folder / GENERATOR)
    else:
        _checked(Generator, DcganConfig, config, folder / GENERATOR)
    _checked(
        Discriminator, DcganConfig, read_json(folder / DISCRIMINATOR / "config.json"), folder / DISCRIMINATOR
    )
    return str(config.get("recipe", "dcgan"))


def _checked(network: Any, shape: type[Settings], config: dict[str, Any], folder: Path) -> Settings:
    """What a folder says of its network, after a look at whether its weights fit it."""
    try:
        described = shape.from_mapping(config)
    except InputError as error:
        raise InputError("broken_model", path=str(folder), detail=str(error)) from error
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in network(described).state_dict().items()}
    check_weights(weights_path(folder), expected, dtypes=("F32", "F16", "BF16", *COUNTERS))
    return described


def _loaded(network: Any, shape: type[Settings], config: dict[str, Any], folder: Path) -> nn.Module:
    """A network with its weights, whose file is looked at before it is loaded."""
    loaded: nn.Module = network(_checked(network, shape, config, folder))
    loaded.load_state_dict(load_file(weights_path(folder)))
    return loaded.float().eval()
