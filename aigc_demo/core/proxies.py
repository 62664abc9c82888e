"""Proxy settings of the environment, for the HTTP clients of the Hub and of gradio.

An httpx client creates a transport for every proxy variable, whether it is needed or not. A proxy that it
does not support (SOCKS without the extra package, an invalid URL) would make every client fail. Such a
variable is removed from the environment, kept for child processes, and named in the error when the Hub is
contacted. Requests to this machine always bypass the proxy, which could not reach it.
"""

import importlib
import os
import re
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

SCHEMES = ("http", "https", "all")
# The Hub's client and gradio's: two major versions of one library, with the same handling of proxies.
CLIENTS = ("httpx", "httpx2")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPARED = ("no_proxy", "NO_PROXY")
_NAME = re.compile(r"(http|https|all|no)_proxy", re.IGNORECASE)

_set_aside: dict[str, str] = {}


def configure_proxies(own: Sequence[str] = ()) -> None:
    """Remove unsupported proxies and add this machine's addresses to NO_PROXY; idempotent.

    Where the environment has no proxy variable, the system's proxies (Windows and macOS) are written to it:
    a client uses them only while the environment has no proxy variable at all, NO_PROXY included.

    Args:
        own: addresses of this machine besides the loopback ones.
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
    """Whether the installed clients support a proxy URL; the proxy is not contacted."""
    whole = address if "://" in address else f"http://{address}"
    for client in _clients():
        try:
            client.HTTPTransport(proxy=whole, verify=False).close()
        except Exception:  # scheme, address and missing package raise different classes
            return False
    return True


def _clients() -> Iterable[Any]:
    for name in CLIENTS:
        try:
            yield importlib.import_module(name)
        except ImportError:
            continue


def _spare(own: Sequence[str]) -> None:
    """Add addresses to NO_PROXY, without those that no client can parse, such as [::1]."""
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
    """Whether clients can be created with these hosts in NO_PROXY and no proxy variable."""
    held = {name: os.environ.pop(name) for name in list(os.environ) if _NAME.fullmatch(name)}
    os.environ["no_proxy"] = ",".join(hosts)
    try:
        for client in _clients():
            client.Client(verify=False).close()
    except Exception:  # the two clients and their dependencies raise different classes
        return False
    finally:
        del os.environ["no_proxy"]
        os.environ.update(held)
    return True


def given_environment() -> dict[str, str]:
    """The environment including the removed variables, for a child process."""
    return {**os.environ, **_set_aside}


def proxy_variable(url: str) -> str | None:
    """The environment variable of the proxy that applies to a URL.

    Args:
        url: http or https.

    Returns:
        The variable's name as it is spelled in the environment; None for a direct connection.
    """
    given, parts = given_environment(), urlsplit(url)
    spared = _spared(given)
    bypass: Any = getattr(urllib.request, "proxy_bypass_environment")  # noqa: B009  (no type checker knows it)
    if "*" in spared or bypass(parts.hostname or "", {"no": ",".join(spared)}):
        return None
    for lower in (f"{parts.scheme}_proxy", "all_proxy"):
        # The lower-case variable takes precedence, even where it is empty, which means no proxy.
        names = [lower] if lower in given else [name for name in given if name.lower() == lower]
        named = next((name for name in names if given[name]), None)
        if named is not None:
            return named
    return None


def unusable_variables() -> list[str]:
    """The variables of proxies that no client supports."""
    return [name for name in _set_aside if name not in SPARED]
