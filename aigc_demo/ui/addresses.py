"""From which network address a call comes: what limits count by, where a cookie can be cleared."""

import hmac
import ipaddress
import os
import secrets
from typing import Any

from aigc_demo.studio.limits import Limits

# The page's own process calls itself for tools of assistants; only it knows this word.
CALLER_HEADER = "x-aigc-demo-caller"
CALLER_WORD = secrets.token_urlsafe(24)
# IPv6 gives each network this much to itself.
IPV6_NETWORK = 64


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
    word, _, handed_on = str(headers.get(CALLER_HEADER, "")).partition(" ")
    if hmac.compare_digest(word.encode("utf-8", "replace"), CALLER_WORD.encode()):
        return handed_on
    if limits.proxy_header:
        chain = [part.strip() for part in str(headers.get(limits.proxy_header, "")).split(",")]
        if len(chain) >= limits.proxies and chain[-limits.proxies]:
            return network(chain[-limits.proxies])
    elif os.environ.get("SPACE_ID"):
        return ""
    client = getattr(request, "client", None)
    return network(str(getattr(client, "host", "") or ""))


def network(address: str) -> str:
    """An address as limits count it: IPv4 as it is, IPv6 by its network; text that is none, cut short."""
    try:
        found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
    return str(found)
