"""Paths without the server's folders: relative to a run's folder, or the last component only.

Errors, commands and records contain absolute paths, which are right for a terminal. The page, responses of
the API and exported archives must not reveal the folders of the server.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

FOLDERS_OF_A_RUN = ("checkpoints", "samples")
_PART, _SEPARATOR = r"""[^\s\\/'"(),;:<>|*?]""", r"[\\/]"
# At least two folders deep: a single slash is more often part of a text.
_INSIDE = re.compile(rf"(?<![\w.:/\\<>-])(?:[A-Za-z]:)?{_SEPARATOR}(?:{_PART}+{_SEPARATOR})+{_PART}*")


def public_path(path: str) -> str:
    """A path without the server's folders; a relative path is returned unchanged.

    Args:
        path: in POSIX or Windows notation.

    Returns:
        Inside a run's folder the path from the run's name, such as gpt-1/checkpoints/step-000500; of any
        other path the last component.
    """
    if not PurePosixPath(path).is_absolute() and not PureWindowsPath(path).is_absolute():
        return path
    parts = PureWindowsPath(path).parts[1:]
    for place, part in enumerate(parts[1:]):
        if part in FOLDERS_OF_A_RUN:
            return "/".join(parts[place:])
    return parts[-1] if parts else ""


def without_paths(text: str) -> str:
    """A text with every absolute path replaced by its `public_path`."""
    return _INSIDE.sub(lambda found: public_path(found[0]), text)


def public_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The placeholder values of an error message without the server's folders."""
    return {name: _public(name, value) for name, value in values.items()}


def _public(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    return public_path(str(value)) if name == "path" else without_paths(str(value))
