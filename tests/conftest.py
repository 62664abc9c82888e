"""What all tests have in common: a clean environment, before anything else is imported."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clean_environment import clean_environment

clean_environment()

ROOT = Path(__file__).resolve().parents[1]
# Each of these waits for browsers or for processes of its own, and takes as long as a hundred other files.
# They are given out first, those that take longest before the others, so that all workers end together.
FIRST = (
    "tests/ui/train/test_browser.py",
    "tests/training/test_processes.py",
    "tests/ui/test_browser.py",
    "tests/test_console.py",
    "tests/test_hub_endpoint.py",
    "tests/ui/serving/test_places.py",
    "tests/training/text_to_image/test_training.py",
    "tests/studio/runs/export/test_hub_push.py",
    "tests/ui/gan/test_browser.py",
    "tests/ui/text_to_image/test_browser.py",
    "tests/core/process/test_interrupts.py",
    "tests/test_clean_environment.py",
    "tests/training/test_tracking.py",
    "tests/training/gan/test_training.py",
    "tests/ui/gan/test_step_by_step_browser.py",
    "tests/ui/gan/test_sum_browser.py",
    "tests/test_hosting.py",
    "tests/ui/train/test_api.py",
    "tests/generators/test_hub.py",
    "tests/test_runs_before.py",
    "tests/ui/text/test_predictions_in_browser.py",
    "tests/training/language_model/test_training.py",
    "tests/training/seq2seq/test_processes.py",
    "tests/training/restoration/test_training.py",
    "tests/training/test_resume.py",
    "tests/studio/runs/test_preflight.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first; --no-loadscope-reorder leaves them there."""
    place = {ROOT / name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(FIRST)))


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
