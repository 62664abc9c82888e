from pathlib import Path

import pytest

from aigc_demo.core import proxies
from aigc_demo.studio.runs.job import child_environment


def test_a_training_is_given_the_proxies_that_the_page_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the Hub itself, and has to say so where it cannot; without them it would ask directly."""
    monkeypatch.setattr(proxies, "_set_aside", {})
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:9")
    proxies.configure_proxies()
    assert child_environment(Path("problem.json"))["ALL_PROXY"] == "socks4://127.0.0.1:9"
