"""Which proxies of the environment are set aside, and which variable leads to an address."""

import importlib.util
import os
import urllib.request

import httpx
import pytest

from aigc_demo.core import proxies
from aigc_demo.core.proxies import (
    configure_proxies,
    given_environment,
    is_usable,
    proxy_variable,
    unusable_variables,
)

HUB = "https://hub.example.edu"
LOOPBACK = "127.0.0.1,localhost,::1"
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
    configure_proxies()
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
    configure_proxies()
    assert os.environ["https_proxy"] == address
    assert unusable_variables() == ["ALL_PROXY"]
    configure_proxies()
    assert unusable_variables() == ["ALL_PROXY"], "may be called again"


def test_every_spelling_of_a_proxy_that_is_none_goes() -> None:
    """Both spellings at once, as many shells set them."""
    os.environ |= {"http_proxy": "socks4://a:1", "HTTP_PROXY": "socks4://a:1"}
    configure_proxies()
    assert sorted(unusable_variables()) == ["HTTP_PROXY", "http_proxy"]
    assert urllib.request.getproxies_environment() == {"no": LOOPBACK}


def test_what_the_system_says_of_proxies_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows and macOS; once NO_PROXY is set there, a client would no longer look."""
    system = {"http": "http://proxy:1", "https": "http://proxy:1", "socks": "socks://proxy:2"}
    monkeypatch.setattr(urllib.request, "getproxies", lambda: system)
    configure_proxies()
    found = urllib.request.getproxies_environment()
    assert found == {"http": "http://proxy:1", "https": "http://proxy:1", "no": LOOPBACK}


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
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*,foo"}, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "ALL_PROXY"),
    ],
)
def test_the_variable_that_leads_to_an_address(environment: dict[str, str], variable: str | None) -> None:
    os.environ |= environment
    configure_proxies()
    assert proxy_variable(HUB) == variable


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("[::1], .example.edu", ".example.edu"),
        ("fd00::/8,10.0.0.0/8,[::1]:80", "10.0.0.0/8"),
        ("*.example.edu,\x01", "*.example.edu"),
        ("", ""),
    ],
)
def test_what_was_spared_stays_and_what_no_client_reads_goes(name: str, given: str, kept: str) -> None:
    os.environ |= {name: given, "HTTP_PROXY": "http://host:1"}
    for _ in range(2):
        configure_proxies(["192.0.2.1"])
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"]
        assert os.environ["no_proxy"].lstrip(",") == ",".join(filter(None, (kept, LOOPBACK, "192.0.2.1")))
        assert os.environ["HTTP_PROXY"] == "http://host:1"
        httpx.Client(verify=False).close()
        for host in filter(None, map(str.strip, given.split(","))):
            assert host in given_environment()["no_proxy"].split(","), "a child is given all of it"


def test_where_everything_is_spared_nothing_changes() -> None:
    os.environ |= {"NO_PROXY": "*", "HTTP_PROXY": "http://host:1"}
    configure_proxies()
    assert os.environ["NO_PROXY"] == "*" and "no_proxy" not in os.environ


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860"])
def test_loopback_is_asked_directly(host: str) -> None:
    os.environ |= {"ALL_PROXY": "http://host:1", "NO_PROXY": "example.com"}
    configure_proxies()
    assert proxy_variable(f"http://{host}/") is None
    with httpx.Client(verify=False) as client:
        transport = client._transport_for_url(httpx.URL(f"http://{host}/"))
        assert transport is client._transport
        assert client._transport_for_url(httpx.URL(HUB)) is not client._transport
