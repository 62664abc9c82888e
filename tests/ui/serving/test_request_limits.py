"""How large and how slow a request may be, and which are refused unread."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from aigc_demo.ui.serving import request_limits
from aigc_demo.ui.serving.request_limits import MIB, RequestLimits, is_host, most_bytes, with_timeout


def ask(parts, headers=(), path="/gradio_api/call/score_text", seconds=30.0, reads=True, delay=0):
    """Send a body through the limits: what the application got, and the status that was answered.

    A part comes after a delay, one that is None never.
    """
    got, sent, waiting = [], [], list(parts)

    async def receive():
        await asyncio.sleep(30 if waiting[0] is None else delay)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    async def application(scope, receive, send):
        got.append(dict(scope["headers"]))
        while reads:
            message = await receive()
            got.append(message)
            if message["type"] != "http.request" or not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    limits = RequestLimits(application, limit=lambda path: 10, seconds=seconds)
    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    # In a thread: the browser tests' driver keeps a loop running in this one.
    thread = threading.Thread(target=lambda: asyncio.run(limits(scope, receive, send)))
    thread.start()
    thread.join()
    return got[1:], [message["status"] for message in sent if "status" in message]


def test_a_body_within_its_limit_passes_as_it_comes():
    got, status = ask([b"abcd", b"efghij"], [(b"content-length", b"10")])
    assert [message["body"] for message in got] == [b"abcd", b"efghij"]
    assert status == [200]


@pytest.mark.parametrize("length", [b"11", b"-1", b"a", b"9" * 5000, b""])
def test_a_length_that_is_too_much_or_none_is_refused_unread(length):
    assert ask([b"x"], [(b"content-length", length)]) == ([], [413])


def test_a_body_that_is_longer_than_it_says_is_refused_whatever_the_page_answers():
    got, status = ask([b"x" * 6, b"x" * 6, b"x"], [(b"content-length", b"6")])
    assert [message["type"] for message in got] == ["http.request", "http.disconnect"]
    assert status == [413]


def test_a_body_that_does_not_come_is_refused():
    got, status = ask([b"x", None], seconds=0.05)
    assert got[-1] == {"type": "http.disconnect"}
    assert status == [408]


def test_a_body_that_nobody_reads_costs_no_time():
    assert ask([None], seconds=0.05, reads=False) == ([], [200])


@pytest.mark.parametrize(("bytes_a_second", "status"), [(1000, 408), (5, 200)])
def test_a_body_that_keeps_coming_has_longer(monkeypatch, bytes_a_second, status):
    monkeypatch.setattr(request_limits, "BYTES_A_SECOND", bytes_a_second)
    assert ask([b"x"] * 6, seconds=0.15, delay=0.05)[1] == [status]


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/gradio_api/upload", 64 * MIB + MIB // 64),
        ("/gradio_api/queue/join", 11 * MIB),
        ("/gradio_api/call/start_run", 11 * MIB),
        ("/gradio_api/call/v2/try_run/", 11 * MIB),
        ("/gradio_api/mcp/", 11 * MIB),
        ("/gradio_api/call/score_text", 4 * MIB),
        ("/gradio_api/call/v2/upload", 4 * MIB),
        ("/gradio_api/component_server", MIB // 16),
        ("/gradio_api/call/upload/upload", MIB // 16),
        ("/login", MIB // 16),
    ],
)
def test_each_route_has_its_limit(path, most):
    assert most_bytes(path) == most


@pytest.mark.parametrize(
    "route", ["proxy=https://a", "file=http://a/b", "file/https://a", "deep_link", "custom_component/a/b/c/d"]
)
def test_routes_that_the_page_does_not_use_are_closed(route):
    assert ask([b""], path=f"/gradio_api/{route}") == ([], [404])


def test_a_file_of_the_page_is_no_closed_route():
    assert ask([b""], path="/gradio_api/file=/tmp/gradio/a.png")[1] == [200]


@pytest.mark.parametrize("host", ["localhost:7860", "a-b.hf.space", "[::1]:80", "127.0.0.1", ""])
def test_what_a_host_is(host):
    assert is_host(host)
    assert ask([b""], [(b"host", host.encode())])[1] == [200]


@pytest.mark.parametrize("host", ["[", "a b", "a:99999", "a/b", "u@a", "999.999.999.999", "[:::]", "\xff"])
@pytest.mark.parametrize("header", [b"host", b"x-forwarded-host"])
def test_a_host_that_is_none_is_refused(header, host):
    assert ask([b""], [(header, host.encode("latin-1"))]) == ([], [400])


@contextlib.contextmanager
def served(application):
    """An application behind uvicorn, whose protocol closes what does not become a request: its port."""
    config = uvicorn.Config(application, port=0, http=with_timeout(H11Protocol), log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


async def slow_answer(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.5)  # longer than a request may take to come, in the test below
        await send({"type": "http.response.body", "body": b"at last"})


def answer_to(port, words):
    """All that comes until the server closes the connection, and after how many seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        start, answer = time.monotonic(), b""
        line.sendall(words)
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(4096):
                answer += part
        return answer, time.monotonic() - start


def test_a_connection_without_a_whole_request_is_closed_and_a_slow_answer_is_not(monkeypatch):
    monkeypatch.setattr(request_limits, "HEADER_SECONDS", 0.2)
    with served(slow_answer) as port:
        for words in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            answer, seconds = answer_to(port, words)
            assert answer == b""
            assert seconds > 0.1, "it is given its time; where none closes it, the client gives up"
        answer, _ = answer_to(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"at last" in answer
        answer, _ = answer_to(port, b"no HTTP at all\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"content-security-policy: " in answer
