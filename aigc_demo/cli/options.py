"""The options that several commands share, and what they are read as."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.paths import checked_path
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.studio.models.arguments import checked_text

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, the last one the result.")]
Set = Annotated[list[str], typer.Option("--set", help="name=value, as often as needed.")]
Model = Annotated[
    str, typer.Argument(help="A name that `models` lists, a run, a folder, or hf:owner/name@commit.")
]
Data = Annotated[
    str, typer.Option(help="tiny-world, a .txt file, a folder or .zip of images, or hf:owner/name[:config].")
]
A_PATH: dict[str, Any] = {"parser": checked_path, "metavar": "PATH"}
Runs = Annotated[
    Path | None, typer.Option(**A_PATH, help="Where the runs are; AIGC_DEMO_RUNS, or runs, if left away.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.", min=0, max=MAX_SEED)]


def settings_of(pairs: list[str]) -> dict[str, str]:
    """`name=value` pairs as a mapping.

    Raises:
        InputError: a pair has no equals sign.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise InputError("setting_type", name="--set", expected="name=value", got=pair[:60])
        found[name.strip()] = text_of(name.strip(), value)
    return found


def text_of(name: str, value: str) -> str:
    """An argument that is no path: as UTF-8, whatever the locale took its bytes for.

    Raises:
        InputError: it is none.
    """
    try:
        return os.fsencode(value).decode("utf-8")
    except UnicodeError:
        return checked_text(name, value)


def runs_folder(folder: Path | None) -> Path:
    """Where the runs are: in the folder that was named, or where the page has them."""
    return folder or checked_path(os.environ.get("AIGC_DEMO_RUNS") or "runs")
