"""Sources of text: the tiny world, a file, or a dataset on the Hub."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.hub.tables import PREFIX, HubSource
from aigc_demo.data.hub.text import MAX_TEXT_BYTES, read_hub_text
from aigc_demo.data.text.encodings import decode_text
from aigc_demo.data.tiny_world.texts import documents_text, stories_text

TINY_WORLD = "tiny-world"
# What a source holds.
TEXT, IMAGES = "text", "pictures"


@dataclass(frozen=True)
class LoadedText:
    """A text before preprocessing.

    Args:
        name: of the source, without folders.
        text: decoded, without a byte-order mark.
        sha256: of the file's bytes; without a file, of the text in UTF-8.
        encoding: in which the file was decoded; UTF-8 without a file.
    """

    name: str
    text: str
    sha256: str
    encoding: str = "UTF-8"


def load_documents(source: str) -> LoadedText:
    """Read a text for an encoder: as `load_text`, but the tiny world's stories in both languages.

    Raises:
        InputError: as `load_text`.
    """
    return _from_text(TINY_WORLD, documents_text()) if source == TINY_WORLD else load_text(source)


def load_text(source: str) -> LoadedText:
    """Read a text.

    Args:
        source: "tiny-world", the path of a text file, or hf:owner/name[@commit][:config].

    Raises:
        InputError: the source is unknown or unreadable, or the text is empty, too large, not text, or of an
            uncertain encoding.
    """
    if source == TINY_WORLD:
        return _from_text(TINY_WORLD, stories_text())
    if source.startswith(PREFIX):
        return _from_text(source, *read_hub_text(HubSource.parse(source)))
    return _from_file(source)


def _from_text(name: str, text: str, encoding: str = "UTF-8") -> LoadedText:
    check_content(text, name)
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return LoadedText(name, text, sha256, encoding)


def _from_file(source: str) -> LoadedText:
    path = Path(source)
    name = shown(path.name)
    try:
        if path.is_dir():
            raise InputError("source_is_folder", path=shown(source))
        if not path.exists():
            looks_like_path = path.suffix or len(path.parts) > 1
            raise InputError("no_file", path=shown(source)) if looks_like_path else _unknown(source)
        if not path.is_file():  # reading a device or a pipe might never end
            raise InputError("unreadable_file", path=shown(source), detail="not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        raise InputError("unreadable_file", path=shown(source), detail=detail) from error
    if len(content) > MAX_TEXT_BYTES:
        raise InputError("too_large", name=name, got=f"{size / 2**20:.1f}", limit=MAX_TEXT_BYTES // 2**20)
    text, encoding = decode_text(content, name)
    check_content(text, name)
    return LoadedText(name, text, hashlib.sha256(content).hexdigest(), encoding)


def _unknown(source: str) -> InputError:
    return InputError("unknown_source", name=shown(source) or '""')


def check_content(text: str, name: str) -> None:
    """Check the content of a text.

    Raises:
        InputError: it contains a zero byte, which no text does, or is empty.
    """
    if "\0" in text:
        raise InputError(
            "not_text", name=name, place=len(text[: text.index("\0")].encode("utf-8", "replace"))
        )
    if not text.strip("\ufeff \t\r\n"):
        raise InputError("empty_text", name=name)
