"""Streaming detokenization: only text that can no longer change is emitted.

Two things hold text back. A token of byte-level BPE may end within a character (a Chinese character has
three bytes in UTF-8), and the end of the text may be the beginning of a stop string.
"""

from collections.abc import Callable, Sequence

INCOMPLETE = "\ufffd"
"""What decoders write for bytes that are no character, or not yet."""

MAX_WINDOW = 16
"""Tokens kept for one character at most; UTF-8 needs four, a model may draw bytes that never make one."""


class Detokenizer:
    """The text of a growing list of tokens, in pieces that are safe to append.

    Args:
        decode: turns ids into text, special tokens left out.
        stop: the text ends before the first of these; each at least one character.

    Attributes:
        stop: the stop strings; they count for the text that comes from now on.
        stopped: whether a stop string has come; nothing more should be pushed then.
    """

    def __init__(self, decode: Callable[[list[int]], str], stop: Sequence[str] = ()):
        self._decode = decode
        self.stop = tuple(stop)
        self._window: list[int] = []  # tokens that the next one is decoded with
        self._emitted = ""  # that part of the window's text which was handed on
        self._held = ""  # text that may be the beginning of a stop string
        self.stopped = False

    def push(self, index: int) -> str:
        """Add a token; return the text that is certain now, often empty or several characters."""
        return self._before_stop(self._new_text(index))

    def finish(self) -> str:
        """The text that was still held back, after the last token; half a character is left out."""
        held, self._held = self._held, ""
        return "" if self.stopped else held

    def _new_text(self, index: int) -> str:
        text = self._decode([*self._window, index])
        new = text[len(self._emitted) :]
        if not new:  # a special token
            return ""
        self._window.append(index)
        if new.endswith(INCOMPLETE) and len(self._window) < MAX_WINDOW:
            # Only the last mark can still become a character.
            self._emitted = text[:-1]
            return new[:-1]
        # The last token is the left neighbour that decides about spaces; those before it are done.
        self._window = self._window[-1:]
        self._emitted = self._decode(self._window)
        return new

    def _before_stop(self, new: str) -> str:
        """Emit the text up to a stop string, or up to a possible beginning of one."""
        if not self.stop:
            return new
        text = self._held + new
        places = [place for place in map(text.find, self.stop) if place >= 0]
        if places:
            self.stopped, self._held = True, ""
            return text[: min(places)]
        held = max(_overlap(text, stop) for stop in self.stop)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]


def _overlap(text: str, stop: str) -> int:
    """How many of the text's last characters are the first of the stop string, all of it excluded."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
