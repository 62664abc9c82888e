"""Where a text comes from: the tiny world, a file, or a data set on the Hub."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.tiny_world import stories_text

TINY_WORLD = "tiny-world"
MAX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class LoadedText:
    """A text as it was found.

    Args:
        name: what to call it, without the folders of this machine.
        text: untouched.
        sha256: of the file's bytes, or of the text in UTF-8 where there is no file.
    """

    name: str
    text: str
    sha256: str


def load_text(source: str) -> LoadedText:
    """Read a text.

    Args:
        source: the path of a text file in UTF-8.

    Raises:
        InputError: there is none, or it cannot be read, or it is not text.
    """
    if source == TINY_WORLD:
        text = stories_text()
        return LoadedText(TINY_WORLD, text, hashlib.sha256(text.encode()).hexdigest())
    return _load_file(source)


def _load_file(source: str) -> LoadedText:
    path = Path(source)
    name = shown(path.name)
    try:
        if path.is_dir():
            raise InputError("source_is_folder", path=shown(source))
        if not path.is_file():
            raise InputError("no_file", path=shown(source))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        raise InputError("unreadable_file", path=shown(source), detail=detail) from error
    if len(content) > MAX_BYTES:
        raise InputError("too_large", name=name, got=f"{size / 2**20:.0f}", limit=MAX_BYTES // 2**20)
    return LoadedText(name, _decoded(content, name), hashlib.sha256(content).hexdigest())


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("not_text", name=name, place=error.start) from error
    if "\0" in text:
        raise InputError("not_text", name=name, place=content.index(0))
    if not text.strip("\ufeff \t\r\n"):
        raise InputError("empty_text", name=name)
    return text
