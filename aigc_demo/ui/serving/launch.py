"""How the page is served: queue, limits, what requests go through, the order of starting and stopping."""

import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aigc_demo.core.process.stop_signals import stop_on_signals
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.serving.assistants import ToolCalls
from aigc_demo.ui.serving.faults import UnhandledErrors, quiet_server_log
from aigc_demo.ui.serving.headers import SecurityHeaders
from aigc_demo.ui.serving.light_sessions import MOST_SESSIONS
from aigc_demo.ui.serving.request_limits import MAX_UPLOAD_BYTES, RequestLimits, with_timeout
from aigc_demo.ui.serving.server_address import BelowPath
from aigc_demo.ui.serving.slots import MOST_THREADS, Readers, ReaderWatch
from aigc_demo.ui.serving.upload_limits import UploadLimits

WARM_UP_SECONDS = 0.5
WARM_UP_END_SECONDS = 20
CLOSE_SECONDS = 1

QUEUE: dict[str, Any] = {"api_open": False}
BLOCKS: dict[str, Any] = {"analytics_enabled": False, "delete_cache": (600, 3600)}
LAUNCH: dict[str, Any] = {
    "show_error": False,
    "max_file_size": MAX_UPLOAD_BYTES,
    "state_session_capacity": MOST_SESSIONS,
    "max_threads": MOST_THREADS,
    "enable_monitoring": False,
    "strict_cors": True,
    "ssr_mode": False,
    "run_history": False,
    "footer_links": ["api"],
    "mcp_server": True,  # the named endpoints are tools of assistants
}


def image_route(path: str, find: Callable[[str, int, str], bytes | None]) -> Route:
    """A route for small PNG images, `PATH/NAME/NUMBER.png?key=KEY`.

    Args:
        path: where it is, without slashes.
        find: from name, number and key to the image; None for one that is not there.
    """

    def answer(request: Request) -> Response:
        asked = request.path_params
        content = find(asked["name"], asked["number"], request.query_params.get("key", ""))
        if content is None:
            return Response("No such picture.", status_code=404, media_type="text/plain")
        return Response(content, media_type="image/png", headers={"cache-control": "private, max-age=3600"})

    return Route(f"/{path}/{{name:str}}/{{number:int}}.png", answer)


def middleware(readers: Readers, limits: Limits) -> dict[str, Any]:
    """Headers, limits, answers to unhandled errors, the care for tool calls; for `launch(app_kwargs=...)`.

    Args:
        readers: where it is noted who reads the answers of which calls.
        limits: of the host.
    """
    inner = [
        Middleware(UploadLimits, limits=limits),
        Middleware(ReaderWatch, readers=readers),
        Middleware(ToolCalls, limits=limits),
    ]
    return {"middleware": inner, "lifespan": _with_outermost}


@contextlib.asynccontextmanager
async def _with_outermost(app: Starlette) -> AsyncIterator[None]:
    """Put around the application what every answer goes through, before the server listens.

    gradio adds its middleware outside of that in `app_kwargs`, and answers some requests there. Starlette's
    own outermost one, which answers 500 and lets uvicorn log a stack trace, gives way to ours.
    """
    stack: Any = app.middleware_stack
    inner = stack.app if isinstance(stack, ServerErrorMiddleware) else stack
    answering = BelowPath(UnhandledErrors(inner), getattr(app, "root_path", ""))
    app.middleware_stack = SecurityHeaders(RequestLimits(answering))
    yield


def bound_server(server: Any) -> None:
    """Limit how long a launched server waits: for a request to come, and for open streams when it ends."""
    server.config.timeout_graceful_shutdown = CLOSE_SECONDS
    quiet_server_log()
    server.config.http_protocol_class = with_timeout(server.config.http_protocol_class)


def warm_up(prepare: Callable[[], None]) -> threading.Thread:
    """Prepare what the first visitor needs, once the page answers; a failure only costs the head start.

    Returns:
        The thread; a process that ends waits for it, at most WARM_UP_END_SECONDS.
    """

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
    """Serve until Ctrl-C, SIGTERM or the end of the terminal, then close.

    Python runs no `finally` at SIGTERM by itself.

    Raises:
        ValueError: not called from the main thread.
    """
    ended = stop_on_signals()
    while not ended.wait(1.0):  # in short waits, which Ctrl-C ends on Windows too
        pass
    close()
