import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import gradio as gr
import pytest

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.frame import GROUPS, Group, in_group
from aigc_demo.ui.serving import slots
from aigc_demo.ui.serving.slots import Readers, ReaderWatch, SlotQueue, stream_key


def run(work):
    """What a coroutine returns; in a thread, since gradio would make a loop where this one had been."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


def built(make):
    """A page; built inside a loop, since gradio would leave one open where there is none."""

    async def work():
        return make()

    return run(work())


def nothing() -> None:
    """An endpoint."""


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def event(name, group, host="192.0.2.1", since=100.0):
    request = SimpleNamespace(client=SimpleNamespace(host=host), headers={}, cookies={})
    return SimpleNamespace(_id=name, session_hash=f"session-{name}", concurrency_id=group, alive=True,
                           enqueue_time=since, request=request)  # fmt: skip


@pytest.fixture
def page():
    def make():
        with gr.Blocks() as page:
            for name in ("text", "page"):
                gr.api(nothing, api_name=name, **in_group(name))
        return page

    return built(make)


@pytest.fixture
def slot_queue(page, monkeypatch):
    monkeypatch.setattr(slots, "GROUPS", {"text": Group(2, 3), "page": Group(2, 3, by_address=False)})
    clock = Clock()
    made = built(lambda: SlotQueue(page, Readers(clock), Limits(calls_per_address=4), clock))
    made.clock, made.sent = clock, []
    made.send_message = lambda event, message: made.sent.append((event._id, message))
    made.active_jobs = [None] * 8
    for fn in page.fns.values():
        made.create_event_queue_for_fn(fn)
    for name, group in made.event_queue_per_concurrency_id.items():
        group.concurrency_limit = slots.GROUPS[name].at_once
    return made


def waiting(queue, group):
    return queue.event_queue_per_concurrency_id[group].queue


def runs(queue, one):
    queue.active_jobs[queue.active_jobs.index(None)] = [one]
    queue.event_queue_per_concurrency_id[one.concurrency_id].current_concurrency += 1


def reads(queue, one, count=1):
    queue._readers._open[one.session_hash] += count


def call(page, name, host="192.0.2.9"):
    number = next(key for key, fn in page.fns.items() if fn.api_name == name)
    body = SimpleNamespace(fn_index=number, session_hash="s", trigger_id=None)
    return body, SimpleNamespace(client=SimpleNamespace(host=host), headers={}, cookies={})


def test_a_full_group_refuses_and_the_others_do_not(page, slot_queue, monkeypatch):
    taken = []

    async def push(self, body, request, username):
        taken.append(body.fn_index)
        return True, "id", "success"

    monkeypatch.setattr(slots.queueing.Queue, "push", push)
    waiting(slot_queue, "text").extend(event(f"t{number}", "text") for number in range(3))
    refused = run(slot_queue.push(*call(page, "text"), None))
    assert refused == (False, "3 calls wait already; try again in a moment.", "queue_full")
    assert run(slot_queue.push(*call(page, "page"), None)) == (True, "id", "success")
    assert len(taken) == 1


def test_one_address_cannot_have_all_of_a_group(page, slot_queue):
    for number in range(2):
        runs(slot_queue, event(f"r{number}", "text", "192.0.2.9"))
    waiting(slot_queue, "text").extend(event(f"t{number}", "text", "192.0.2.9") for number in range(2))
    assert slot_queue._refusal("text", "192.0.2.9") == ("too_many_calls_of_one", {"count": 4})
    assert slot_queue._refusal("text", "192.0.2.8") is None
    assert slot_queue._refusal("text", "") is None, "an address that is not known is not held to anything"
    waiting(slot_queue, "page").extend(event(f"p{number}", "page", "192.0.2.9") for number in range(2))
    assert slot_queue._refusal("page", "192.0.2.9") is None


def test_who_reads_goes_first_and_who_does_not_only_where_nobody_else_waits(slot_queue):
    first, second = event("first", "text"), event("second", "text")
    waiting(slot_queue, "text").extend([first, second])
    reads(slot_queue, second)
    assert slot_queue.get_events() == ([second], False, "text")
    assert slot_queue.get_events() == ([first], False, "text")
    assert slot_queue.get_events() is None


def test_a_slot_that_nobody_reads_is_given_away_once_somebody_waits(slot_queue):
    left, read, new = event("left", "text"), event("read", "text"), event("new", "text")
    runs(slot_queue, left)
    runs(slot_queue, read)
    reads(slot_queue, read)
    slot_queue.clock.now += 60
    assert slot_queue.get_events() is None and left.alive, "nobody waits: it may go on unread"
    waiting(slot_queue, "text").append(new)
    reads(slot_queue, new)
    for _ in range(4):
        slot_queue.clock.now += 0.25
        assert slot_queue.get_events() is None
    assert (left.alive, read.alive) == (False, True)
    ((name, message),) = slot_queue.sent
    assert name == "left" and not message.success and "Nobody read" in message.output["error"]


def test_a_call_that_nobody_asks_for_is_forgotten_after_a_minute(slot_queue):
    runs(slot_queue, event("a", "text"))
    runs(slot_queue, event("b", "text"))
    kept, gone = event("kept", "text"), event("gone", "text")
    waiting(slot_queue, "text").extend([kept, gone])
    reads(slot_queue, kept)
    for one in slot_queue._running("text"):
        reads(slot_queue, one)
    slot_queue.clock.now += 61
    assert slot_queue.get_events() is None
    assert waiting(slot_queue, "text") == [kept]


def test_a_session_that_gradio_forgot_ends_its_call_and_not_the_loop(slot_queue):
    del slot_queue.send_message
    left, new = event("left", "text"), event("new", "text")
    runs(slot_queue, left)
    runs(slot_queue, event("read", "text"))
    reads(slot_queue, slot_queue._running("text")[1])
    waiting(slot_queue, "text").append(new)
    reads(slot_queue, new)
    for _ in range(4):
        slot_queue.clock.now += 0.25
        assert slot_queue.get_events() is None
    assert left.alive is False
    slot_queue.send_message(new, None)
    assert new.alive is False, "its session is not there either"


def test_whatever_is_raised_the_loop_goes_on(slot_queue, monkeypatch, caplog):
    waiting(slot_queue, "text").append(event("first", "text"))
    monkeypatch.setattr(slot_queue, "_free_slots", lambda now: 1 / 0)
    assert slot_queue.get_events() is None
    assert "ZeroDivisionError" in caplog.text


def test_who_has_left_keeps_nobody_out_of_a_full_group(page, slot_queue, monkeypatch):
    waiting(slot_queue, "text").extend(event(f"t{number}", "text") for number in range(3))
    slot_queue.clock.now += 3
    assert slot_queue._refusal("text", "") is None
    assert waiting(slot_queue, "text") == []


def test_readers_are_counted_from_the_beginning_of_a_stream_to_its_end_however_it_ends():
    readers, clock = Readers(), Clock()
    readers._clock = clock
    seen = []

    async def app(scope, receive, send):
        seen.append(readers.read("me"))
        await send({})
        raise ConnectionResetError

    async def work():
        async def send(message):
            seen.append(readers.read("me"))
            clock.now += 2  # the client takes nothing for so long
            seen.append(readers.read("me"))

        with pytest.raises(ConnectionResetError):
            await readers.stream("me", app, {}, None, send)
        seen.append(readers.read("me"))

    run(work())
    assert seen == [True, True, False, False]
    assert not readers._open and not readers._sending


def test_a_second_reader_counts_where_the_first_is_blocked():
    clock = Clock()
    readers = Readers(clock)
    readers._open["me"] = 2
    readers._sending[object()] = ("me", clock.now - 5)
    assert readers.read("me")
    readers._sending[object()] = ("me", clock.now - 5)
    assert not readers.read("me")


def test_streams_are_known_by_their_addresses():
    def key(path, query=b""):
        return stream_key({"type": "http", "path": path, "query_string": query, "headers": []})

    assert key("/gradio_api/queue/data", b"session_hash=abc") == "abc"
    assert key("/sub/path/gradio_api/queue/data/", b"session_hash=abc") == "abc"
    assert key("/gradio_api/call/generate_text/17") == "17"
    assert key("/gradio_api/call/v2/generate_text/17") == "17"
    assert key("/gradio_api/queue/data") is None
    assert key("/gradio_api/queue/join") is None
    assert key("/assets/call.js") is None


def test_only_what_is_read_is_noted():
    readers, passed = Readers(), []

    async def app(scope, receive, send):
        passed.append(dict(readers._open))

    async def work():
        watch = ReaderWatch(app, readers)
        base = {"type": "http", "query_string": b"session_hash=abc", "headers": []}
        await watch({**base, "method": "GET", "path": "/gradio_api/queue/data"}, None, None)
        await watch({**base, "method": "POST", "path": "/gradio_api/call/generate_text"}, None, None)
        await watch({"type": "lifespan"}, None, None)

    run(work())
    assert passed == [{"abc": 1}, {}, {}]


def test_every_function_of_the_page_that_waits_is_in_a_group():
    from aigc_demo.ui.app import build_app

    page = built(build_app)
    found = {fn.concurrency_id for fn in page.fns.values() if fn.queue and fn.fn is not None}
    assert found <= set(GROUPS), "a listener without a group has a slot of its own, and no end"
    assert isinstance(page._queue, SlotQueue)
    assert sum(group.at_once for group in GROUPS.values()) <= slots.MOST_JOBS
    threads = sum(group.at_once for name, group in GROUPS.items() if name != "watch")
    assert threads <= slots.MOST_THREADS, "a flood of one group takes no thread of another"


def test_calls_of_the_past_cost_nothing(slot_queue):
    class Untouched:
        def __iter__(self):
            raise AssertionError("looked at")

    assert slot_queue.compute_analytics_summary(Untouched()) == {"functions": {}}
