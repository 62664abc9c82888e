"""How the page is served: queue, limits, the cap on request bodies, the order of starting and stopping."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.ui.assistants import ToolCalls

MAX_BODY_BYTES = 4 * 2**20
# A run that is brought back: weights of some ten million bytes, and the record of a long training.
MAX_UPLOAD_BYTES = 64 * 2**20
UPLOAD_PATH = "/upload"
MAX_WAITING = 40
WARM_UP_SECONDS = 0.5
CLOSE_SECONDS = 1

QUEUE: dict[str, Any] = {"api_open": False, "max_size": MAX_WAITING}
BLOCKS: dict[str, Any] = {"analytics_enabled": False, "delete_cache": (3600, 24 * 3600)}
LAUNCH: dict[str, Any] = {
    "show_error": False,
    "max_file_size": MAX_UPLOAD_BYTES,
    "state_session_capacity": 200,
    "enable_monitoring": False,
    "strict_cors": True,
    "ssr_mode": False,
    "run_history": False,
    "footer_links": ["api"],
    "mcp_server": True,  # the named endpoints are tools of assistants
}


class BodyCap:
    """Refuses request bodies that are larger than anything the page sends.

    Args:
        app: what is behind it.
        limit: bytes; counted as they come, whatever the header says.
        upload_limit: likewise, for a file.
    """

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES, upload_limit: int = MAX_UPLOAD_BYTES):
        self._app = app
        self._limit, self._upload_limit = limit, upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._upload_limit if scope["path"].endswith(UPLOAD_PATH) else self._limit
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"This request is too large."})


def picture_route(path: str, find: Callable[[str, int], bytes | None]) -> Route:
    """A route for small PNG pictures, `PATH/NAME/NUMBER.png`.

    Args:
        path: where it is, without slashes.
        find: from name and number to the picture; None for one that is not there.
    """

    def answer(request: Request) -> Response:
        content = find(request.path_params["name"], request.path_params["number"])
        if content is None:
            return Response("No such picture.", status_code=404, media_type="text/plain")
        kept = {"cache-control": "max-age=3600", "x-content-type-options": "nosniff"}
        return Response(content, media_type="image/png", headers=kept)

    return Route(f"/{path}/{{name:str}}/{{number:int}}.png", answer)


def middleware() -> dict[str, Any]:
    """The cap on bodies and the care for tool calls, for `launch(app_kwargs=...)`."""
    return {"middleware": [Middleware(BodyCap), Middleware(ToolCalls)]}


def warm_up(prepare: Callable[[], None]) -> threading.Thread:
    """Prepare what the first visitor needs, once the page answers; a failure only costs the head start."""

    def work() -> None:
        time.sleep(WARM_UP_SECONDS)
        try:
            prepare()
        except Exception:
            logging.getLogger(__name__).warning(
                "Warming up failed; models load at their first use", exc_info=True
            )

    thread = threading.Thread(target=work, name="warm-up", daemon=True)
    thread.start()
    return thread


def wait_for_end(close: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, then close. Python runs no `finally` at SIGTERM by itself.

    Raises:
        ValueError: not called from the main thread.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    ended.wait()
    close()


def quiet_environment() -> None:
    """Keep gradio from calling home, and its calls to this server away from a proxy.

    What the user has set stays: the server's own addresses are added to NO_PROXY.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if spared.strip() != "*":
        own = ["127.0.0.1", "localhost", os.environ.get("GRADIO_SERVER_NAME", "").strip("[]")]
        hosts = dict.fromkeys(host.strip() for host in [*spared.split(","), *own])
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, hosts))
