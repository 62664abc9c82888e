"""Tests run in two processes at once, each with one thread: threads that wait for each other are slower."""

import os
from collections.abc import Iterator

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """What was captured travels between the processes as UTF-8, which half a surrogate pair is not."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def nobody_in_particular() -> Iterator[None]:
    """A handler that was called here answered a visitor; the next test asks as nobody in particular."""
    yield
    from aigc_demo.studio.visitor import answer_to

    answer_to(None)
