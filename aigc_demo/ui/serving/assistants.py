"""The endpoints as tools of assistants (Model Context Protocol): who calls, how many at once, the answers.

gradio makes a tool of every named endpoint, and calls it by a request to the server's own address. The
endpoint's name is the tool's, its docstring the description.
"""

import asyncio
import base64
import binascii
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.data.images.zip_files import PNG_SIGNATURE
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.serving.addresses import CALLER_HEADER, CALLER_WORD, address_of

TOOLS_PATH = "/gradio_api/mcp"
OLD_TRANSPORTS = ("/sse", "/messages", "/messages/")
# A call holds one of the 40 threads that the page's own work shares, until its answer is there.
MOST_CALLS = 16


class ToolCalls:
    """Lets a few calls of tools run at once, the others wait; says to the endpoint whose call it is.

    The endpoint is called from the server's own address. Where a request comes from there, uvicorn takes the
    last address of X-Forwarded-For for the caller's, so the real one is added at its end; what the limits
    count by goes along in a header that nobody else can write (`addresses`).

    Args:
        app: what is behind it.
        limits: of the host.
        most: calls at once.
    """

    def __init__(self, app: ASGIApp, limits: Limits, most: int = MOST_CALLS):
        self._app, self._limits, self._slots = app, limits, asyncio.Semaphore(most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        if scope["type"] != "http" or TOOLS_PATH not in scope["path"]:
            await self._app(scope, receive, send)
            return
        if scope["path"].endswith(OLD_TRANSPORTS):  # its calls could not be counted here
            gone = PlainTextResponse("Tools are called by streamable HTTP, at the address without /sse.", 404)
            await gone(scope, receive, send)
            return
        own = (CALLER_HEADER.encode(), f"{CALLER_WORD} {address_of(Request(scope), self._limits)}".encode())
        scope = {**scope, "headers": [*with_caller(scope), own]}
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        whole = await _whole(receive)  # before it takes a slot: a body that never ends keeps nobody waiting
        async with self._slots:
            await self._app(scope, _replayed(whole, receive), send)


def with_caller(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The request's headers, with the address that it came from at the end of X-Forwarded-For."""
    name = b"x-forwarded-for"
    headers = [one for one in scope["headers"] if one[0] != CALLER_HEADER.encode()]
    if not scope.get("client"):
        return headers
    chain = [value for key, value in headers if key == name] + [str(scope["client"][0]).encode("latin-1")]
    return [(key, value) for key, value in headers if key != name] + [(name, b", ".join(chain))]


async def _whole(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def next_message() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return next_message


def clear_answers(page: Any) -> None:
    """Let tools answer with JSON, and with images that an assistant sees.

    gradio's own answer is Python's notation of the value, with the images as base64 in the text.

    Args:
        page: launched with `mcp_server=True`; where its tools are not as expected, gradio's answers stay.
    """
    server = getattr(page, "mcp_server_obj", None)
    plain, types = getattr(server, "postprocess_output_data", None), getattr(server, "types", None)
    if plain is None or types is None:
        return

    def contents(data: Any, root_url: str) -> Any:
        try:
            return [part for value in data for part in _parts(value, types)]
        except (TypeError, ValueError):
            return plain(data, root_url)

    setattr(server, "postprocess_output_data", contents)  # noqa: B010  (a type checker cannot see it)


def _parts(value: Any, types: Any) -> list[Any]:
    images: list[Any] = []
    text = json.dumps(_without_images(value, images, types), ensure_ascii=False)
    return [types.TextContent(type="text", text=text), *images]


def _without_images(value: Any, images: list[Any], types: Any) -> Any:
    """The same value, in which each image is its number; the images are added to the list."""
    if isinstance(value, dict):
        return {key: _without_images(one, images, types) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_images(one, images, types) for one in value]
    kind = image_type(value)
    if kind is None:
        return value
    images.append(types.ImageContent(type="image", data=value, mimeType=kind))
    return f"picture {len(images)}"


def image_type(value: Any) -> str | None:
    """The type of the image that a value is in base64; None for all else."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    try:
        start = base64.b64decode(value[:16], validate=True)
    except (binascii.Error, ValueError):
        return None
    if start.startswith(PNG_SIGNATURE):
        return "image/png"
    return "image/webp" if start.startswith(b"RIFF") and start.endswith(b"WEBP") else None
