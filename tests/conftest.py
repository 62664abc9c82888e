"""What all tests have in common: a clean environment, before anything else is imported."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clean_environment import clean_environment

clean_environment()


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
    from aigc_demo.studio.visitors.visitor import answer_to

    answer_to(None)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder for temporary files that all users share, as /tmp is."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder
