"""Filters an untrusted configuration: allowed settings within allowed bounds.

A configuration is data: numbers, switches and words from short lists. What is not on the list of its kind is
left out where it changes nothing, and refused where it would change what the network computes.
"""

from collections.abc import Collection, Mapping
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.pretrained.config_keys import NEUTRAL, Key

Config = dict[str, Any]


# Would load code of the folder's own, or weights in a form that is no plain number.
REFUSED = ("auto_map", "quantization_config", "compression_config")


def taken(config: Mapping[str, Any], keys: Mapping[str, Key], path: str, name: str = "config.json") -> Config:
    """The settings of a configuration that are on the list of its kind.

    Args:
        config: as it was read.
        keys: the list.
        path: whose configuration it is, for the error.
        name: of the file, likewise.

    Raises:
        InputError: one of them is missing, or is not what it may be.
    """
    for setting in REFUSED:
        if config.get(setting):
            raise InputError(
                "broken_model", path=path, detail=f"{name} asks for {setting}, which is never used"
            )
    found = {}
    for setting, key in keys.items():
        if setting not in config:
            if key.needed:
                raise InputError("broken_model", path=path, detail=f"{setting} is missing in {name}")
            continue
        value = config[setting]
        if not key.takes(value):
            detail = f"{setting} is {shown(value)} in {name}"
            raise InputError("broken_model", path=path, detail=detail)
        found[setting] = value
    return found


def check_rest(
    config: Mapping[str, Any],
    keys: Collection[str],
    usual: Mapping[str, Any],
    path: str,
    name: str = "config.json",
) -> None:
    """Refuse a configuration that asks its library for something else than usual beside what is taken.

    What the library does not know, it does not heed: that is left out silently.

    Args:
        config: as it was read.
        keys: what is taken.
        usual: the library's own settings with their defaults.
        path: whose configuration it is, for the error.
        name: of the file, likewise.

    Raises:
        InputError: it does.
    """
    for setting, value in config.items():
        if setting in keys or setting in NEUTRAL or setting not in usual:
            continue
        default = usual[setting]
        same = value == default or (isinstance(default, tuple) and value == list(default))
        if not same and value is not None:
            detail = f"{setting} is {shown(value)} in {name}, which is not supported here"
            raise InputError("broken_model", path=path, detail=detail)
