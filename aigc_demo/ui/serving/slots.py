"""Slots for the functions of the page, by groups: whoever floods one group is refused there, and only there.

gradio queues each group by itself, but counts one total of what waits, and gives a slot to whoever comes
first, be there anybody to read the answer or not. Here each group has an end of its own, who reads goes
first, and a slot whose reader has left or does not read is given to the next.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from gradio import queueing, route_utils
from gradio.server_messages import ProcessCompletedMessage
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.frame import GROUPS
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.serving.addresses import address_of
from aigc_demo.ui.words.wording import sentence

# All groups at their ends together; each function that runs may hold a thread.
MOST_JOBS = sum(group.at_once for group in GROUPS.values()) + 40
MOST_THREADS = 120
# A function that is in no group.
OTHERS_WAITING = 100
LOOK_SECONDS = 0.2
# How long a running call may be without a reader once another one waits for its slot.
UNREAD_SECONDS = 0.6
# How long a call may wait for a reader before it is forgotten.
FORGET_SECONDS = 60.0
# The same where its group is full, and others are refused.
UNREAD_WAITING_SECONDS = 2.0
# A stream that takes nothing for so long is not being read.
BLOCKED_SECONDS = 0.4

log = logging.getLogger(__name__)


class Readers:
    """Who reads the answers of which calls, right now.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._sending: dict[object, tuple[str, float]] = {}

    def read(self, *keys: str) -> bool:
        """Whether somebody reads the stream of a session or a call, and takes what is sent."""
        now = self._clock()
        blocked = Counter(key for key, since in self._sending.values() if now - since > BLOCKED_SECONDS)
        return any(self._open[key] > blocked[key] for key in keys)

    async def stream(self, key: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, from its beginning to its end.

        Args:
            key: the session or the call that it belongs to.
            app: what answers it.
            scope: of the request, as ASGI has it, as are the next two.
            receive: the request's body.
            send: takes the answer.
        """
        me = object()

        async def watched(message: Message) -> None:
            self._sending[me] = (key, self._clock())
            await send(message)
            self._sending.pop(me, None)

        self._open[key] += 1
        try:
            await app(scope, receive, watched)
        finally:
            self._sending.pop(me, None)
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class ReaderWatch:
    """Middleware that notes who reads.

    Args:
        app: what is behind it.
        readers: where it is noted.
    """

    def __init__(self, app: ASGIApp, readers: Readers):
        self._app, self._readers = app, readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""
        key = stream_key(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if key is None:
            await self._app(scope, receive, send)
        else:
            await self._readers.stream(key, self._app, scope, receive, send)


def stream_key(scope: Scope) -> str | None:
    """The session or the call whose answers a request asks for; None for any other request."""
    parts = scope["path"].rstrip("/").split("/")
    if parts[-2:] == ["queue", "data"]:
        return Request(scope).query_params.get("session_hash")
    if len(parts) > 3 and "call" in (parts[-3], parts[-4]):
        return parts[-1]
    return None


class SlotQueue(queueing.Queue):
    """gradio's queue with an end for each group, and slots for those who read.

    Args:
        blocks: the page.
        readers: who reads.
        limits: of the host.
        clock: seconds.
    """

    def __init__(
        self,
        blocks: Any,
        readers: Readers,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ):
        # Estimates once a second: gradio's default sends one to each who waits whenever anything moves.
        super().__init__(False, MOST_JOBS, 1, None, blocks)
        self._readers, self._limits, self._clock = readers, limits, clock
        self._looked = 0.0
        self._unread: dict[str, float] = {}

    def start(self) -> None:
        """Begin to give out slots; gradio would have as many of them as threads."""
        self.max_thread_count = MOST_JOBS
        super().start()

    def compute_analytics_summary(self, records: Any) -> Any:
        """Nothing: gradio would group all the calls of the past in a data frame after each call."""
        return self.cached_event_analytics_summary

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Take a call, or refuse it where its group or its caller has too many."""
        if body.fn_index is not None:
            fn = route_utils.get_fn(self.blocks, None, body)
            refusal = self._refusal(fn.concurrency_id, address_of(request, self._limits))
            if refusal:
                return False, sentence(*refusal, chosen_language(request)), "queue_full"
        return await super().push(body, request, username)

    def _refusal(self, name: str, address: str) -> tuple[str, dict[str, Any]] | None:
        group = GROUPS.get(name)
        waiting = self.event_queue_per_concurrency_id.get(name)
        most = group.waiting if group else OTHERS_WAITING
        if waiting and len(waiting.queue) >= most:
            self._forget(waiting, UNREAD_WAITING_SECONDS)  # who has left keeps nobody out
        if waiting and len(waiting.queue) >= most:
            return "too_many_calls", {"count": most}
        if group and group.by_address and address and self._limits.calls_per_address:
            there = [*(waiting.queue if waiting else ()), *self._running(name)]
            same = sum(address_of(event.request, self._limits) == address for event in there)
            if same >= self._limits.calls_per_address:
                return "too_many_calls_of_one", {"count": same}
        return None

    def _running(self, name: str) -> list[queueing.Event]:
        jobs = [event for job in self.active_jobs if job for event in job]
        return [event for event in jobs if event.concurrency_id == name]

    def send_message(self, event: queueing.Event, event_message: Any) -> None:
        """Keep a message for who reads; a session that gradio has forgotten has no reader any more."""
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)
        else:
            event.alive = False

    def get_events(self) -> Any:
        """Whose turn it is: in any group with a free slot, the first that somebody reads.

        What is raised here would end the loop that serves everybody, so nothing is.
        """
        try:
            now = self._clock()
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._free_slots(now)
            return self._next_events()
        except Exception:
            log.exception("slots could not be given out")
            return None

    def _next_events(self) -> Any:
        for name, group in self.event_queue_per_concurrency_id.items():
            limit = group.concurrency_limit
            if group.queue and (limit is None or group.current_concurrency < limit):
                read = (event for event in group.queue if self._is_read(event))
                event = next(read, group.queue[0])
                group.queue.remove(event)
                return [event], False, name
        return None

    def _is_read(self, event: queueing.Event) -> bool:
        return self._readers.read(event.session_hash, event._id)

    def _free_slots(self, now: float) -> None:
        """End calls that nobody reads where others wait for their slots; forget what nobody asks for."""
        unread: dict[str, float] = {}
        for name, group in self.event_queue_per_concurrency_id.items():
            limit = group.concurrency_limit
            wanted = any(self._is_read(event) for event in group.queue)
            if limit is not None and group.current_concurrency >= limit and wanted:
                for event in self._running(name):
                    if event.alive and not self._is_read(event):
                        unread[event._id] = self._unread.get(event._id, now)
                        if now - unread[event._id] >= UNREAD_SECONDS:
                            self._end(event)
            self._forget(group, FORGET_SECONDS)
        self._unread = unread

    def _end(self, event: queueing.Event) -> None:
        """Nothing more of this call; its generator is closed at its next step."""
        message = sentence("nobody_read", {}, chosen_language(event.request))
        try:
            self.send_message(event, ProcessCompletedMessage(output={"error": message}, success=False))
        finally:
            event.alive = False

    def _forget(self, group: queueing.EventQueue, after_seconds: float) -> None:
        """Take what has waited for so long, and nobody asks for, out of a group."""
        now = self._clock()
        for event in [one for one in group.queue if now - one.enqueue_time > after_seconds]:
            if not self._is_read(event):
                group.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
                self._end(event)


def with_slots(page: Any, readers: Readers, limits: Limits) -> None:
    """Give a page this queue, in the place of gradio's, before it is launched.

    Args:
        page: built, and not yet launched; `queue` was called.
        readers: as the page's middleware notes them.
        limits: of the host.
    """
    page._queue = SlotQueue(page, readers, limits)
