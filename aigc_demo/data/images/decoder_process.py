"""The subprocess that decodes images, with a timeout for each; see `decoder` for what it may do."""

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from aigc_demo.core.errors import DemoError

DECODER = Path(__file__).with_name("decoder.py")
DECODING_SECONDS = 20.0
MAX_ANSWER_BYTES = 4096
# Allowed responses: a decoder that a crafted file has taken over could send anything.
REASONS = ("no_picture", "other_format", "too_small", "too_large", "unusual", "broken")
NOTES = {"format", "mode", "animated", "transparent", "rotated"}


class DecoderProcess:
    """The decoding subprocess, restarted after a crash or a timeout."""

    def __init__(self, side: int, formats: tuple[str, ...]):
        # -P: no module beside the script may shadow one of a library.
        self._command = [sys.executable, "-P", str(DECODER), str(side), *formats]
        self._num_bytes = side * side * 3
        self._process: subprocess.Popen[bytes] | None = None
        self._hung = threading.Event()
        self.num_crashes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def decode(self, content: bytes) -> tuple[dict[str, Any], bytes]:
        """The response of `decoder`, or {"skipped": "hung"} or {"skipped": "crashed"}."""
        process = self._process or self._start()
        self._hung.clear()
        timer = threading.Timer(DECODING_SECONDS, self._kill_hung, (process,))
        timer.start()
        try:
            return self._request(process, content)
        except (OSError, ValueError):  # broken pipe, or an incomplete or invalid response
            self.num_crashes += 1
            self._close()
            return {"skipped": "hung" if self._hung.is_set() else "crashed"}, b""
        finally:
            timer.cancel()

    def _request(self, process: subprocess.Popen[bytes], content: bytes) -> tuple[dict[str, Any], bytes]:
        assert process.stdin and process.stdout
        process.stdin.write(len(content).to_bytes(8, "big") + content)
        process.stdin.flush()
        about = json.loads(process.stdout.readline(MAX_ANSWER_BYTES))
        if not isinstance(about, dict) or not (about.get("skipped") in REASONS or about.keys() >= NOTES):
            raise ValueError("invalid response")
        if "skipped" in about:
            return about, b""
        pixels = process.stdout.read(self._num_bytes)
        if len(pixels) != self._num_bytes:
            raise ValueError("incomplete response")
        return about, pixels

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise DemoError("no_decoder", detail=error.strerror or type(error).__name__) from error
        return self._process

    def _kill_hung(self, process: subprocess.Popen[bytes]) -> None:
        self._hung.set()
        process.kill()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin and process.stdout
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):  # unread bytes in the pipe
            process.stdin.close()
        process.stdout.close()
