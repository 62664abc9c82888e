"""What a request may cost before it is answered: bytes, seconds, and which of gradio's routes there are.

How large a body may be depends on the route. It is counted as it comes and not kept here; one that does not
arrive in time is refused, and so is a connection over which no whole request comes.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.ui.serving.headers import HEADERS

MIB = 2**20
# A run that is brought back: weights of some ten million bytes, and the record of a long training.
MAX_UPLOAD_BYTES = 64 * MIB
# A text to train on has 5 MiB, and twice as much in JSON whose writer escapes all that is not ASCII.
MAX_ORDER_BYTES = 11 * MIB
MAX_CALL_BYTES = 4 * MIB
MAX_OTHER_BYTES = MIB // 16
# What multipart/form-data adds to a file.
ENVELOPE_BYTES = MIB // 64
BODY_SECONDS = 30.0
# A large upload over a slow line gets one more second for each so many bytes that have come.
BYTES_A_SECOND = MIB // 4
HEADER_SECONDS = 30.0

_LIMITS: tuple[tuple[str, int], ...] = (
    # the part of the path after /gradio_api, and the most bytes
    (r"/upload", MAX_UPLOAD_BYTES + ENVELOPE_BYTES),
    (r"/queue/join", MAX_ORDER_BYTES),  # the page and gradio's client call every endpoint here
    (r"/call(/v2)?/(start_run|try_run)/?", MAX_ORDER_BYTES),
    (r"/mcp/?", MAX_ORDER_BYTES),
    (r"/(call|call/v2|run|api)/[^/]*/?", MAX_CALL_BYTES),
)
# Routes of gradio that this page does not use, and that would read, write or fetch something for anybody.
_CLOSED = re.compile(
    r"/(proxy=|file[=/]\w+:/|deep_link|process_recording|custom_component|dev/|vibe-|undo-vibe|run-history|"
    r"profiling)"
)
_HOST = re.compile(r"([\w.-]{0,255}|\[[0-9a-fA-F:.]{2,45}\])(:(?P<port>\d{1,5}))?", re.ASCII)
_HOST_HEADERS = (b"host", b"x-forwarded-host")


class RequestLimits:
    """Refuses what is too large, too slow, or meant for a route that is closed.

    Args:
        app: what is behind it.
        limit: from the path to the most bytes of a body; counted as they come, whatever the header says.
        seconds: in which a body comes whole, a long one as in `BYTES_A_SECOND`.
    """

    def __init__(
        self, app: ASGIApp, limit: Callable[[str], int] | None = None, seconds: float = BODY_SECONDS
    ):
        self._app, self._limit, self._seconds = app, limit or most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limit(scope["path"]), self._seconds)
        refusal = _closed_or_malformed(scope) or body.declared(dict(scope["headers"]))
        if refusal is not None:
            await _refusal(*refusal)(scope, receive, send)
            return
        started = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if started or body.refused is None:
                started = True
                await send(message)

        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"x-gradio-server"]}
        await self._app(scope, body.receive, send_unless_refused)
        if body.refused is not None and not started:
            await _refusal(*body.refused)(scope, receive, send)


class _Body:
    """One request's body on its way: a disconnect is what the page sees of one that is refused."""

    def __init__(self, receive: Receive, limit: int, seconds: float):
        self.refused: tuple[int, str] | None = None
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._bytes, self._whole = 0, False
        self._started = asyncio.get_running_loop().time()

    def declared(self, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """The refusal of a body by the length that its header gives."""
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and len(length) < 16 and int(length) <= self._limit:
            return None
        return 413, "This request is too large."

    async def receive(self) -> Message:
        """The next part, or a disconnect where there is too much of it or it does not come."""
        if self._whole:
            return await self._receive()  # waits until the visitor leaves
        if self.refused is not None:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout_at(self._started + self._seconds + self._bytes / BYTES_A_SECOND):
                message = await self._receive()
        except TimeoutError:
            self.refused = 408, "This request did not arrive in time."
            return {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > self._limit:
            self.refused = 413, "This request is too large."
            return {"type": "http.disconnect"}
        return message


def most_bytes(path: str) -> int:
    """How many bytes the body of a request to a path may have."""
    _, _, route = path.partition("/gradio_api")
    return next((limit for route_of, limit in _LIMITS if re.fullmatch(route_of, route)), MAX_OTHER_BYTES)


def _closed_or_malformed(scope: Scope) -> tuple[int, str] | None:
    _, _, route = scope["path"].partition("/gradio_api")
    if _CLOSED.match(route):
        return 404, "This page has no such route."
    for name, value in scope["headers"]:
        # The page's own address is made of these, in the queue too, where nobody could be told of an error.
        if name in _HOST_HEADERS and not is_host(value.split(b",")[0].strip().decode("latin-1")):
            return 400, "The header Host names no host."
    return None


def is_host(value: str) -> bool:
    """Whether a header's value is a host, with or without a port, of which an address can be made."""
    try:
        httpx.URL(f"http:{'//'}{value}")
    except httpx.InvalidURL:
        return False
    found = _HOST.fullmatch(value)
    return found is not None and int(found["port"] or 0) < 2**16


def _refusal(status: int, words: str) -> PlainTextResponse:
    return PlainTextResponse(words, status, {"connection": "close"})


class RequestTimeout:
    """To be mixed into a protocol of uvicorn's, which itself waits for a request's headers without end.

    A connection is closed where no whole request has come for `HEADER_SECONDS`, since it was opened or since
    the last answer was over.
    """

    cycle: Any  # the request that is being answered, as uvicorn's protocols call it
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A visitor connects."""
        super().connection_made(transport)  # type: ignore[misc]
        self._waiting_since = self.loop.time()
        self._timer = self.loop.call_later(HEADER_SECONDS, self._look, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The visitor leaves."""
        self._timer.cancel()
        super().connection_lost(exc)  # type: ignore[misc]

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; uvicorn's own answer would come without the headers of all others."""
        if self.cycle is None or self.cycle.response_complete:
            lines = [f"{name}: {value}" for name, value in {**HEADERS, "connection": "close"}.items()]
            head = "\r\n".join(["HTTP/1.1 400 Bad Request", "content-type: text/plain", *lines, "", msg])
            self.transport.write(head.encode())
        self.transport.close()

    def on_response_complete(self) -> None:
        """An answer is over."""
        self._waiting_since = self.loop.time()
        super().on_response_complete()  # type: ignore[misc]

    def _look(self, transport: asyncio.Transport) -> None:
        protocol: Any = transport.get_protocol()
        if transport.is_closing() or protocol is not self:
            return
        answering = self.cycle is not None and not self.cycle.response_complete
        left = HEADER_SECONDS if answering else self._waiting_since + HEADER_SECONDS - self.loop.time()
        if left <= 0:
            transport.abort()
        else:
            self._timer = self.loop.call_later(left, self._look, transport)


def with_timeout(protocol: type[Any]) -> type[Any]:
    """A protocol class of uvicorn's, whose connections do not wait for a request without end."""
    return type(f"Timed{protocol.__name__}", (RequestTimeout, protocol), {})
