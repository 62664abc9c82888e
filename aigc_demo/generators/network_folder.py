"""A network in a folder: its config.json and its weights, validated before they are loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from aigc_demo.core.config import Settings
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import check_weights, read_json, weights_path
from aigc_demo.core.library_errors import library_errors

COUNTERS = ("I64",)  # batch norm counts its batches
KNOWN_TYPES = ("F32", "F16", "BF16", *COUNTERS)


@contextmanager
def named_after(name: str, folder: Path) -> Iterator[None]:
    """Errors inside name the model instead of its path on this machine.

    Args:
        name: of the model, to show.
        folder: where it lies.

    Raises:
        InputError: what was raised inside, with the name in the place of the folder.
    """
    try:
        yield
    except InputError as error:
        place = Path(str(error.values.get("path", "")))
        if not place.is_relative_to(folder):
            raise
        shown = "/".join((name, *place.relative_to(folder).parts))
        raise type(error)(error.key, **{**error.values, "path": shown}) from error


def checked(network: Any, shape: type[Settings], folder: Path) -> Settings:
    """The configuration in a folder, checked against the shapes of its weights.

    Args:
        network: makes one from its configuration.
        shape: the class of its settings.
        folder: where it lies.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    try:
        described = shape.from_mapping(read_json(folder / "config.json"))
    except InputError as error:
        raise InputError("broken_model", path=str(folder), detail=str(error)) from error
    with torch.device("meta"):
        _check(network(described), folder)
    return described


def loaded(network: Any, shape: type[Settings], folder: Path) -> Any:
    """A network with its weights, in evaluation mode, float32; otherwise as `checked`."""
    loaded_network: nn.Module = network(checked(network, shape, folder))
    loaded_network.load_state_dict(load_weights(weights_path(folder)))
    return loaded_network.float().eval()


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file with a validated header.

    Raises:
        InputError: the library does not take it all the same, or it went away.
    """
    with library_errors("broken_model", path=str(path), detail="its header or its length is wrong"):
        return load_file(path)


def _check(network: nn.Module, folder: Path) -> None:
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    check_weights(weights_path(folder), expected, dtypes=KNOWN_TYPES)
