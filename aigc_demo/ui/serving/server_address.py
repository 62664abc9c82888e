"""Where the page listens, and below which path others find it, as the environment says it."""

import os
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import gradio.http_server
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError

NAME, PATH = "GRADIO_SERVER_NAME", "GRADIO_ROOT_PATH"
LOOPBACK = "127.0.0.1"
SCHEMES = ("http", "https")
_start_server = gradio.http_server.start_server


def server_name() -> str:
    """The host to listen at, from GRADIO_SERVER_NAME; of IPv6 in brackets, as addresses are written.

    Raises:
        InputError: this machine has no such address.
    """
    name = os.environ.get(NAME, "").strip() or LOOPBACK
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    of_ipv6 = ":" in bare
    try:
        with socket.socket(socket.AF_INET6 if of_ipv6 else socket.AF_INET) as probe:
            probe.bind((bare, 0))
    except (OSError, UnicodeError, TypeError) as error:  # a name can be too long to be asked for
        raise InputError("server_name", name=shown(name)) from error
    return f"[{bare}]" if of_ipv6 else bare


def root_path() -> str:
    """The path below which a reverse proxy serves the page, from GRADIO_ROOT_PATH.

    Returns:
        With a slash before it and none after it; a whole address without one after it; "" for none.

    Raises:
        InputError: it is neither a path nor such an address.
    """
    given = os.environ.get(PATH, "").strip()
    if not _is_place(given):
        raise InputError("root_path", name=shown(given))
    if _is_whole(given):
        return given.rstrip("/")
    bare = given.strip("/")
    return f"/{bare}" if bare else ""


def _is_whole(text: str) -> bool:
    scheme, sign, _ = text.partition("://")
    return bool(sign) and scheme in SCHEMES


def _is_place(text: str) -> bool:
    """Whether a text is a path, or an http address with one, and nothing more."""
    whole = _is_whole(text)
    try:
        parts = urlsplit(text if whole else text.strip("/"))
        named = bool(parts.hostname) and parts.port != 0 if whole else not (parts.scheme or parts.netloc)
    except ValueError:  # brackets that do not close, a port that is none
        return False
    strange = set("?#\\") & set(text) or not text.isprintable() or " " in text
    return bool(named) and not strange and ".." not in parts.path.split("/")


class BelowPath:
    """Takes the path of the reverse proxy away from requests, where that has left it.

    So the page is the same behind both kinds of proxies, and whether its address was given as a path or as a
    whole: gradio takes a path away by itself, a whole address not.

    Args:
        app: what is behind it.
        root: as `root_path` says it.
    """

    def __init__(self, app: ASGIApp, root: str):
        self._app, self._path = app, urlsplit(root).path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        path = scope.get("path", "")
        if self._path and path == self._path:  # what the page asks for would be beside it
            query = scope.get("query_string", b"").decode("latin-1")
            there = RedirectResponse(f"{path}/" + (f"?{query}" if query else ""))
            await there(scope, receive, send)
            return
        if self._path and path.startswith(f"{self._path}/"):
            bare = path[len(self._path) :]
            scope = {**scope, "path": bare, "raw_path": quote(bare).encode()}
        await self._app(scope, receive, send)


def listen_on_ipv6() -> None:
    """Let gradio listen at IPv6 addresses; may be called again.

    It looks for a free port by IPv4, at whatever GRADIO_SERVER_NAME is, and asks itself at the address that
    it listens at, which of all addresses not every system takes for an address.
    """
    if ":" in os.environ.get(NAME, ""):
        gradio.http_server.LOCALHOST_NAME = LOOPBACK
    start: Callable[..., tuple[str, int, str, Any]] = _start_server

    def start_server(*arguments: Any, **settings: Any) -> tuple[str, int, str, Any]:
        name, port, url, server = start(*arguments, **settings)
        return name, port, url.replace("//[::]:", "//[::1]:"), server

    gradio.http_server.start_server = start_server
