"""Proxies of the environment, as the clients of the Hub and of the page's own server read them.

A client of httpx is built for every proxy that the environment names, whatever is asked of it. One that it
cannot use (SOCKS without the package for it, text that is no address) would end a program that asks nothing
through it. Such a variable is set aside, kept for child processes, and named where the Hub is asked.
"""

import importlib
import os
import urllib.request
from typing import Any
from urllib.parse import urlsplit

SCHEMES = ("http", "https", "all")
# The Hub's client and gradio's: two generations of one library, which read proxies alike.
CLIENTS = ("httpx", "httpx2")

_set_aside: dict[str, str] = {}


def settle_proxies() -> None:
    """Set aside the variables that name a proxy which no client can use; may be called again.

    Where the environment names none, those of the system (Windows and macOS keep some) are written into it:
    a client looks at them only as long as the environment says nothing of proxies, NO_PROXY included.
    """
    for scheme, address in urllib.request.getproxies().items():
        if scheme not in SCHEMES:
            continue
        names = [name for name in os.environ if name.lower() == f"{scheme}_proxy"]
        if not names:
            os.environ[f"{scheme}_proxy"] = address
        if not is_usable(address):
            for name in names or [f"{scheme}_proxy"]:
                set_aside(name, os.environ.pop(name))


def set_aside(name: str, value: str) -> None:
    """Keep the value of a variable that this process does without, for its children."""
    _set_aside[name] = value


def is_usable(address: str) -> bool:
    """Whether the clients on this machine can be built for a proxy; nothing is asked of it."""
    whole = address if "://" in address else f"http://{address}"
    for name in CLIENTS:
        try:
            client = importlib.import_module(name)
        except ImportError:
            continue
        try:
            client.HTTPTransport(proxy=whole, verify=False).close()
        except Exception:  # of the scheme, of the address, of a missing package: each has its own
            return False
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
    spared = [value for value in (given.get("no_proxy"), given.get("NO_PROXY")) if value]
    bypass: Any = getattr(urllib.request, "proxy_bypass_environment")  # noqa: B009  (no type checker knows it)
    if spared and bypass(parts.hostname or "", {"no": spared[0]}):
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
    return [name for name in _set_aside if name.lower() in {f"{scheme}_proxy" for scheme in SCHEMES}]
