"""One error message for whatever a library raises on an untrusted file.

On an invalid file a library may raise OSError, ValueError, ImportError, an exception class of its own, or,
where its Rust code panics, pyo3's PanicException, which is not a subclass of Exception.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aigc_demo.core.errors import DemoError, InputError

PANIC = "PanicException"


def is_library_error(error: BaseException) -> bool:
    """Whether it is an error, not a request to exit such as KeyboardInterrupt."""
    return isinstance(error, Exception) or type(error).__name__ == PANIC


@contextmanager
def library_errors(key: str, **values: Any) -> Iterator[None]:
    """Convert any exception of a library into one error message.

    Args:
        key: of the message.
        values: of its placeholders.

    Raises:
        InputError: with this key; a DemoError passes unchanged.
    """
    try:
        yield
    except DemoError:
        raise
    except BaseException as error:
        if not is_library_error(error):
            raise
        raise InputError(key, **values) from error
