"""What all tests share."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Keep what a test printed and logged sendable to another process: half a character cannot travel."""
    report = yield
    report.sections = [
        (name, content.encode("utf-8", "backslashreplace").decode()) for name, content in report.sections
    ]
    return report
