"""How much may be uploaded in an hour, by one address and by all: an upload lies on the disk for an hour."""

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.serving.addresses import address_of
from aigc_demo.ui.words.wording import sentence

UPLOAD_PATH = "/upload"
HOUR_SECONDS, MINUTE_SECONDS = 3600.0, 60.0
MIB = 2**20


class UploadLimits:
    """Counts what is uploaded, as it comes, and refuses what is too much.

    Args:
        app: what is behind it.
        limits: of the host.
        clock: seconds.
    """

    def __init__(self, app: ASGIApp, limits: Limits, clock: Callable[[], float] = time.monotonic):
        self._app, self._limits, self._clock = app, limits, clock
        self._by_minute: OrderedDict[tuple[int, str], int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(UPLOAD_PATH):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        address = address_of(request, self._limits)
        declared = request.headers.get("content-length", "")
        coming = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
        refusal = self._refusal(address, coming)
        if refusal:
            words = sentence(*refusal, chosen_language(request))
            await PlainTextResponse(words, 429, {"connection": "close"})(scope, receive, send)
            return

        async def counted() -> Message:
            message = await receive()
            size = len(message.get("body", b""))
            if size and self._refusal(address, size):
                return {"type": "http.disconnect"}
            minute = int(self._clock() // MINUTE_SECONDS)
            self._by_minute[minute, address] = self._by_minute.get((minute, address), 0) + size
            return message

        await self._app(scope, counted, send)

    def _refusal(self, address: str, more: int) -> tuple[str, dict[str, int]] | None:
        """Why so many bytes more are not taken from an address."""
        after = (self._clock() - HOUR_SECONDS) // MINUTE_SECONDS
        while self._by_minute and next(iter(self._by_minute))[0] < after:
            self._by_minute.popitem(last=False)
        of_all = sum(self._by_minute.values())
        of_one = sum(size for (_, where), size in self._by_minute.items() if where == address)
        for key, used, limit in (
            ("uploads_of_network", of_one, self._limits.upload_mib_per_address if address else 0),
            ("uploads_of_all", of_all, self._limits.upload_mib),
        ):
            if limit and used + more > limit * MIB:
                return key, {"used": used // MIB, "limit": limit}
        return None
