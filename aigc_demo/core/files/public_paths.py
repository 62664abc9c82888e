"""Paths of this machine as others may see them: by the name of a run, or by their last part alone.

Errors, commands and records name files by their whole path, which a terminal shows. A page, an answer of the
API and an exported archive do not show the folders of the server.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

FOLDERS_OF_A_RUN = ("checkpoints", "samples")
_PART, _SEPARATOR = r"""[^\s\\/'"(),;:<>|*?]""", r"[\\/]"
# Two folders deep at least: a single slash is more often a part of a text.
_INSIDE = re.compile(rf"(?<![\w.:/\\<>-])(?:[A-Za-z]:)?{_SEPARATOR}(?:{_PART}+{_SEPARATOR})+{_PART}*")


def public_path(path: str) -> str:
    """A path without the folders of the machine; what is not absolute stays as it is.

    Args:
        path: of any system.

    Returns:
        Below a run's folder what begins with the run's name, such as gpt-1/checkpoints/step-000500; of any
        other path the last part.
    """
    if not PurePosixPath(path).is_absolute() and not PureWindowsPath(path).is_absolute():
        return path
    parts = PureWindowsPath(path).parts[1:]
    for place, part in enumerate(parts[1:]):
        if part in FOLDERS_OF_A_RUN:
            return "/".join(parts[place:])
    return parts[-1] if parts else ""


def without_paths(text: str) -> str:
    """A text whose absolute paths are shortened as `public_path` does."""
    return _INSIDE.sub(lambda found: public_path(found[0]), text)


def public_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an error's sentence without the folders of the machine; numbers stay as they are."""
    return {name: _public(name, value) for name, value in values.items()}


def _public(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    return public_path(str(value)) if name == "path" else without_paths(str(value))
