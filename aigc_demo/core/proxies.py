"""Proxies of the environment, as the clients of the Hub and of the page's own server read them.

A client of httpx is built for every proxy that the environment names, whatever is asked of it. One that it
cannot use (SOCKS without the package for it, text that is no address) would end a program that asks nothing
through it. Such a variable is set aside, kept for child processes, and named where the Hub is asked. This
machine's own addresses are asked directly in any case: no proxy reaches them.
"""

import importlib
import os
import re
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

SCHEMES = ("http", "https", "all")
# The Hub's client and gradio's: two generations of one library, which read proxies alike.
CLIENTS = ("httpx", "httpx2")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPARED = ("no_proxy", "NO_PROXY")
_NAME = re.compile(r"(http|https|all|no)_proxy", re.IGNORECASE)

_set_aside: dict[str, str] = {}


def configure_proxies(own: Sequence[str] = ()) -> None:
    """Let clients be built, and ask this machine directly; may be called again.

    Where the environment names no proxy, those of the system (Windows and macOS keep some) are written into
    it: a client looks at them only as long as the environment says nothing of proxies, NO_PROXY included.

    Args:
        own: addresses of this machine beside those of loopback.
    """
    for scheme, address in urllib.request.getproxies().items():
        if scheme not in SCHEMES:
            continue
        names = [name for name in os.environ if name.lower() == f"{scheme}_proxy"]
        if not names:
            os.environ[f"{scheme}_proxy"] = address
        if not is_usable(address):
            for name in names or [f"{scheme}_proxy"]:
                _set_aside[name] = os.environ.pop(name)
    _spare([*LOOPBACK, *own])


def is_usable(address: str) -> bool:
    """Whether the clients on this machine can be built for a proxy; nothing is asked of it."""
    whole = address if "://" in address else f"http://{address}"
    for client in _clients():
        try:
            client.HTTPTransport(proxy=whole, verify=False).close()
        except Exception:  # of the scheme, of the address, of a missing package: each has its own
            return False
    return True


def _clients() -> Iterable[Any]:
    for name in CLIENTS:
        try:
            yield importlib.import_module(name)
        except ImportError:
            continue


def _spare(own: Sequence[str]) -> None:
    """Add addresses to NO_PROXY, and set aside what no client can read there, such as [::1]."""
    given = _spared(given_environment())
    if "*" in given:
        return
    hosts = list(dict.fromkeys([*given, *own]))
    if hosts == given == _spared(dict(os.environ)):
        return
    readable = hosts if _are_readable(hosts) else [host for host in hosts if _are_readable([host])]
    for name in SPARED:
        os.environ[name] = ",".join(readable)
        _set_aside.pop(name, None)
        if readable != hosts:
            _set_aside[name] = ",".join(hosts)


def _spared(environment: dict[str, str]) -> list[str]:
    value = next((environment[name] for name in SPARED if environment.get(name)), "")
    return [host.strip() for host in value.split(",") if host.strip()]


def _are_readable(hosts: Sequence[str]) -> bool:
    """Whether clients can be built where NO_PROXY holds these, and no proxy is named."""
    held = {name: os.environ.pop(name) for name in list(os.environ) if _NAME.fullmatch(name)}
    os.environ["no_proxy"] = ",".join(hosts)
    try:
        for client in _clients():
            client.Client(verify=False).close()
    except Exception:  # each of the two, and each of those that they ask, has its own
        return False
    finally:
        del os.environ["no_proxy"]
        os.environ.update(held)
    return True


def given_environment() -> dict[str, str]:
    """The environment with what was set aside, for a child process."""
    return {**os.environ, **_set_aside}


def proxy_variable(url: str) -> str | None:
    """The variable that names the proxy through which an address is asked.

    Args:
        url: the address, http or https.

    Returns:
        Its name as the environment spells it; None where the address is asked directly.
    """
    given, parts = given_environment(), urlsplit(url)
    spared = _spared(given)
    bypass: Any = getattr(urllib.request, "proxy_bypass_environment")  # noqa: B009  (no type checker knows it)
    if "*" in spared or bypass(parts.hostname or "", {"no": ",".join(spared)}):
        return None
    for lower in (f"{parts.scheme}_proxy", "all_proxy"):
        # One in small letters counts, even where it is empty and so says that there is none.
        names = [lower] if lower in given else [name for name in given if name.lower() == lower]
        named = next((name for name in names if given[name]), None)
        if named is not None:
            return named
    return None


def unusable_variables() -> list[str]:
    """The variables that name a proxy which no client can use."""
    return [name for name in _set_aside if name not in SPARED]
