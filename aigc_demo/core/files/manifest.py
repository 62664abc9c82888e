"""The manifest of a checkpoint: size and SHA-256 of each file."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
STATE = "state"
"""Folder in a checkpoint with the training state, which resuming needs."""


def step_of(checkpoint: Path) -> int:
    """The step in the name of a checkpoint's folder."""
    return int(checkpoint.name.removeprefix("step-"))


def build_manifest(folder: Path, files: Iterable[Path] | None = None) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of a checkpoint's files, by relative path.

    Args:
        folder: of the checkpoint.
        files: by default all except the manifest itself.
    """
    if files is None:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in files
    }


def invalid_file(checkpoint: Path, *, read_all: bool = False) -> str:
    """The first file that differs from the manifest, or "" for a complete checkpoint.

    Args:
        checkpoint: its folder. Training state that was removed later is not an error.
        read_all: compare the hashes too, not only the sizes.
    """
    try:
        listed = json.loads((checkpoint / MANIFEST).read_text("utf-8"))
        for name, facts in listed.items():
            path = checkpoint / name
            if name.startswith(f"{STATE}/") and not (checkpoint / STATE).is_dir():
                continue
            if not path.is_file() or path.stat().st_size != facts["bytes"]:
                return name
            if read_all and sha256(path) != facts["sha256"]:
                return name
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return MANIFEST
    return ""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
