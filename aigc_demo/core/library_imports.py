"""The large libraries, imported by one thread at a time.

transformers and diffusers import their parts when these are first used, and the parts import each other.
Where two threads begin at different ends, Python lets one of them see a module that is half there rather than
wait for ever, and its import fails. Whoever may be the first to use such a library does so in `importing`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Be the only thread that imports; may be entered again inside itself."""
    with _lock:
        yield
