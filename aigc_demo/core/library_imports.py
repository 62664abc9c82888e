"""A lock for importing large libraries: one thread at a time.

transformers and diffusers import their submodules lazily, and these import each other. When two threads
start with different submodules, Python avoids the deadlock by giving one of them a partially initialized
module, and its import fails. Code that may be the first to use such a library enters `importing`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Hold the import lock; reentrant."""
    with _lock:
        yield
