"""From which network address a call comes: what limits count by, where a cookie can be cleared."""

import hmac
import ipaddress
import os
import secrets
from typing import Any

from aigc_demo.studio.visitors.limits import Limits

# The page's own process calls itself for tools of assistants; only it knows this word.
CALLER_HEADER = "x-aigc-demo-caller"
CALLER_WORD = secrets.token_urlsafe(24)
# IPv6 gives each network this much to itself.
IPV6_NETWORK = 64
OF_THIS_MACHINE = "127.0.0.1"


def address_of(request: Any, limits: Limits) -> str:
    """The network address of a caller, as far as it is known.

    Args:
        request: gradio's or Starlette's; None for no request.
        limits: of the host, which name the header of a trusted proxy.

    Returns:
        The address, of IPv6 the network; "" where it is not known: behind a Space's proxy without a header
        that its owner trusts, all visitors would have the proxy's address.
    """
    if request is None:
        return ""
    headers = getattr(request, "headers", None) or {}
    if is_tool_call(request):
        return str(headers[CALLER_HEADER]).partition(" ")[2]
    if limits.proxy_header:
        chain = [part.strip() for part in _lines(headers, limits.proxy_header).split(",")]
        if len(chain) >= limits.proxies and chain[-limits.proxies]:
            return network(chain[-limits.proxies])
    elif os.environ.get("SPACE_ID"):
        return ""
    client = getattr(request, "client", None)
    if getattr(client, "port", None) == 0 and headers.get("x-forwarded-for"):
        return OF_THIS_MACHINE  # the server believes that header of whoever connects from here: we do not
    return network(str(getattr(client, "host", "") or ""))


def is_tool_call(request: Any) -> bool:
    """Whether the page calls itself for an assistant: all of them share one session of gradio's."""
    headers = getattr(request, "headers", None) or {}
    word = str(headers.get(CALLER_HEADER, "")).partition(" ")[0]
    return hmac.compare_digest(word.encode("utf-8", "replace"), CALLER_WORD.encode())


def _lines(headers: Any, name: str) -> str:
    """A header with all of its lines: a proxy may add its own below the caller's."""
    every = getattr(headers, "getlist", None)
    return ",".join(every(name)) if every else str(headers.get(name, ""))


def network(address: str) -> str:
    """An address as limits count it: IPv4 as it is, IPv6 by its network; text that is none, cut short."""
    bare = address.partition("]")[0].strip("[") if address.startswith("[") else address
    if bare.count(":") == 1:  # IPv4 with a port
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        if found.is_loopback:
            return OF_THIS_MACHINE
        return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
    return str(found)
