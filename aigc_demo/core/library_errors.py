"""What a library raises on files that others wrote, in one sentence.

Libraries say in many ways that they do not like a file: OSError, ValueError, ImportError, errors of their
own, and where one that is written in Rust panics, pyo3's PanicException, which is no Exception.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aigc_demo.core.errors import DemoError, InputError

PANIC = "PanicException"


def is_of_a_library(error: BaseException) -> bool:
    """Whether an error is one of a program, and not that it shall end."""
    return isinstance(error, Exception) or type(error).__name__ == PANIC


@contextmanager
def library_errors(key: str, **values: Any) -> Iterator[None]:
    """Turn whatever a library raises inside into one sentence.

    Args:
        key: of the sentence.
        values: that fill it.

    Raises:
        InputError: the sentence; a DemoError of ours passes as it is.
    """
    try:
        yield
    except DemoError:
        raise
    except BaseException as error:
        if not is_of_a_library(error):
            raise
        raise InputError(key, **values) from error
