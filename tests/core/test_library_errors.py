"""Whatever a library raises becomes one sentence; what ends the program, and what is one already, passes."""

import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.library_errors import library_errors

# As pyo3 makes it: of BaseException.
PanicException = type("PanicException", (BaseException,), {})


@pytest.mark.parametrize(
    "error",
    [OSError(2, "no"), ValueError(), ImportError("x"), RecursionError(), OverflowError(), PanicException()],
)
def test_what_a_library_raises_is_one_sentence(error):
    with (
        pytest.raises(InputError, match="its tokenizer") as caught,
        library_errors("broken_model", path="x", detail="its tokenizer"),
    ):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), DemoError("disk_slow"), InputError("text_empty")],
)
def test_what_ends_the_program_or_is_a_sentence_passes(error):
    with pytest.raises(type(error)) as caught, library_errors("broken_model", path="x", detail="y"):
        raise error
    assert caught.value is error
