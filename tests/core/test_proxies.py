"""Which proxies of the environment are set aside, and which variable leads to an address."""

import importlib.util
import os
import urllib.request

import httpx
import pytest

from aigc_demo.core import proxies
from aigc_demo.core.proxies import (
    given_environment,
    is_usable,
    proxy_variable,
    settle_proxies,
    unusable_variables,
)

HUB = "https://hub.example.edu"
NO_ADDRESS = (
    "http://[::1",
    "http://host:port",
    "://",
    "direct://",
    "ftp://host:21",
    " http://host:1",
    "http:h",
)
SOCKS = ("socks4://host:1", "socks://host:1", "SOCKS4A://u:p@host:1")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(proxies, "_set_aside", {})
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("address", [*NO_ADDRESS, *SOCKS])
def test_a_client_is_built_whatever_a_variable_holds(name: str, address: str) -> None:
    os.environ[name] = address
    with pytest.raises(Exception, match=r".") as before:
        httpx.Client(verify=False)
    assert type(before.value).__name__ in ("ValueError", "InvalidURL")
    settle_proxies()
    httpx.Client(verify=False).close()
    assert unusable_variables() == [name]
    assert name not in os.environ
    assert given_environment()[name] == address, "a child decides for itself"


@pytest.mark.parametrize("address", ["socks5://u:p@host:1", "socks5h://host:1"])
def test_socks_counts_where_its_package_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("socksio") is None:
        assert not is_usable(address)
        monkeypatch.setattr(proxies, "CLIENTS", ())
    assert is_usable(address), "as the clients say, and not a list of ours"


@pytest.mark.parametrize("address", ["http://host:8080", "host:8080", "https://u:p@host", "HTTP://h:1/x"])
def test_proxies_that_can_be_used_stay(address: str) -> None:
    os.environ |= {"https_proxy": address, "ALL_PROXY": "socks4://host:1"}
    settle_proxies()
    assert os.environ["https_proxy"] == address
    assert unusable_variables() == ["ALL_PROXY"]
    settle_proxies()
    assert unusable_variables() == ["ALL_PROXY"], "may be called again"


def test_every_spelling_of_a_proxy_that_is_none_goes() -> None:
    """Both spellings at once, as many shells set them."""
    os.environ |= {"http_proxy": "socks4://a:1", "HTTP_PROXY": "socks4://a:1"}
    settle_proxies()
    assert sorted(unusable_variables()) == ["HTTP_PROXY", "http_proxy"]
    assert urllib.request.getproxies_environment() == {}


def test_what_the_system_says_of_proxies_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows and macOS; once NO_PROXY is set there, a client would no longer look."""
    system = {"http": "http://proxy:1", "https": "http://proxy:1", "socks": "socks://proxy:2"}
    monkeypatch.setattr(urllib.request, "getproxies", lambda: system)
    settle_proxies()
    os.environ["no_proxy"] = "localhost"
    found = urllib.request.getproxies_environment()
    assert found == {"http": "http://proxy:1", "https": "http://proxy:1", "no": "localhost"}


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://p:1"}, None),  # of another scheme
        ({"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://p:2"}, "HTTPS_PROXY"),
        ({"all_proxy": "http://p:2"}, "all_proxy"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://p:2"}, "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://p:2", "ALL_PROXY": "http://p:3"}, "ALL_PROXY"),
        ({"ALL_PROXY": "socks4://p:1"}, "ALL_PROXY"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "localhost, example.edu"}, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "ALL_PROXY"),
    ],
)
def test_the_variable_that_leads_to_an_address(environment: dict[str, str], variable: str | None) -> None:
    os.environ |= environment
    settle_proxies()
    assert proxy_variable(HUB) == variable
