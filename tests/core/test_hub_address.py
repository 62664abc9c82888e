"""Which texts are addresses of a Hub."""

import pytest

from aigc_demo.core.hub_address import hub_address_problem


@pytest.mark.parametrize(
    "address",
    [None, "https://hub.example.edu", "http://127.0.0.1:8080/", "https://hub.example.edu/mirror/hub"],
)
def test_an_address_is_no_problem(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    if address is not None:
        monkeypatch.setenv("HF_ENDPOINT", address)
    assert hub_address_problem() is None


@pytest.mark.parametrize(
    "address",
    ["", " ", "hub.example.edu", "hub.example.edu:80", "ftp://hub", "https://", "https:///x", "http://x:y"],
)
def test_what_is_none_has_its_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    problem = hub_address_problem()
    assert problem is not None
    assert (problem.key, problem.exit_code) == ("hub_address", 2)
