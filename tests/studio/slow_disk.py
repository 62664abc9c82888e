"""A disk that does not answer: every operation on the files of some folders waits until it is let go."""

import io
import os
import threading
from contextlib import contextmanager
from pathlib import Path

OPERATIONS = {
    os: ("stat", "lstat", "open", "scandir", "listdir", "mkdir", "rename", "replace", "unlink"),
    io: ("open",),
}


class SlowDisk:
    """Holds back what is done to files below some folders.

    Args:
        folders: that are slow.
        wait: returns when the disk answers.
    """

    def __init__(self, folders, wait):
        self._slow = tuple(str(folder) for folder in folders)
        self._wait = wait

    def is_slow(self, path):
        if not isinstance(path, (str, os.PathLike)):
            return False
        text = os.fspath(path)
        return any(text == folder or str(text).startswith(folder + os.sep) for folder in self._slow)

    def held_back(self, operation):
        def slowly(path, *arguments, **options):
            if self.is_slow(path):
                self._wait()
            return operation(path, *arguments, **options)

        return slowly

    def install(self, set_attribute=setattr):
        for module, names in OPERATIONS.items():
            for name in names:
                set_attribute(module, name, self.held_back(getattr(module, name)))


@contextmanager
def hanging(monkeypatch, *folders: Path):
    """The folders do not answer inside; who waits for them in this very thread fails at once."""
    answers, mine, held = threading.Event(), threading.current_thread(), []

    def wait():
        held.append(threading.current_thread())
        assert threading.current_thread() is not mine, "the caller itself waits for the disk"
        assert answers.wait(60), "the disk was never let go"

    with monkeypatch.context() as patch:
        SlowDisk(folders, wait).install(patch.setattr)
        try:
            yield held
        finally:
            answers.set()
    for thread in held:
        thread.join(10)
