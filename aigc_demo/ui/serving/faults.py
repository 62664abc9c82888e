"""Exceptions that nobody handled: whose fault they are, what is logged of them, what is answered.

A fault of our own code is logged with its stack trace, once for each place in the code. What gradio or
Starlette raise over a request that does not fit is one line. Both are counted, and written again at the
10th, 100th, ... time only, so that no visitor can fill the log.
"""

import logging
import re
import threading
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PACKAGE = Path(__file__).resolve().parents[2]
# What our middleware calls, as it passes a request on.
CALLED = re.compile(r"/(starlette|fastapi|uvicorn|anyio|gradio/(blocks|queueing|routes|route_utils)\.py)\b")
# gradio answers 500 here to whatever a handler refuses; the body is the sentence that the visitor is shown.
DIRECT_CALLS = r"/gradio_api/(run|api)/[^/]+/?$"
REFUSAL = "This request does not fit the page."

log = logging.getLogger(__name__)
_counts: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


class UnhandledErrors:
    """Answers a request at which an exception was raised that nobody handled, without a stack trace.

    400 where the request is at fault, 500 where our own code is. After the answer has begun, a stream of
    events ends and every other answer is cut off.

    Args:
        app: what is behind it.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, is_stream = False, False

        async def observed(message: Message) -> None:
            nonlocal started, is_stream
            if message["type"] == "http.response.start":
                started = True
                if message["status"] == 500 and re.search(DIRECT_CALLS, scope["path"]):
                    message = {**message, "status": 400}
                kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
                is_stream = any(value.startswith(b"text/event-stream") for value in kinds)
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception as error:
            ours = log_fault(error, f"{scope['method']} {scope['path'][:80]!a}")
            if not started:
                refusal = PlainTextResponse(REFUSAL, 500 if ours else 400)
                await refusal(scope, receive, send)
            elif is_stream:
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def quiet_server_log() -> None:
    """Keep out of the log what uvicorn would write of each request that is no HTTP or wants WebSockets."""
    unread = ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")
    logging.getLogger("uvicorn.error").addFilter(lambda record: not str(record.msg).startswith(unread))


def log_fault(error: BaseException, doing: str) -> bool:
    """Log an exception that nobody handled.

    Args:
        error: the exception.
        doing: what failed, for the log.

    Returns:
        whether our own code is at fault.
    """
    error = _innermost(error)
    ours = raised_in_our_code(error)
    if isinstance(
        error, (HTTPException, ClientDisconnect)
    ):  # an answer that came too late, a visitor who left
        return ours
    place = _place(error)
    with _lock:
        _counts[type(error).__name__, place] += 1
        count = _counts[type(error).__name__, place]
    if ours and count == 1:
        log.error("%s failed", doing, exc_info=error)
    elif is_power_of_ten(count):
        log.warning("%s: %s at %s (%d so far)", doing, type(error).__name__, place, count)
    return ours


def raised_in_our_code(error: BaseException) -> bool:
    """Whether a function of this package is at fault, and did not only pass a request on."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if PACKAGE in path.parents and path != Path(__file__):
            return True
        if CALLED.search(path.as_posix()):
            return False
    return False


def is_power_of_ten(count: int) -> bool:
    """Whether a count is 1, 10, 100, ..."""
    return str(count).strip("0") == "1"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _place(error: BaseException) -> str:
    frames: Any = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
