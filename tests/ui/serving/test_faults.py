"""Exceptions that nobody handled: the answer, and what the log keeps of them."""

import asyncio
import logging
import threading

import pytest
from starlette.exceptions import HTTPException

from aigc_demo.core.config import shown
from aigc_demo.ui.serving import faults
from aigc_demo.ui.serving.faults import UnhandledErrors, is_power_of_ten, log_fault


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch):
    monkeypatch.setattr(faults, "_counts", faults.Counter())


def serve(application, method, path):
    """What is sent for a request; in a thread, since the browser tests' driver keeps a loop running here."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    thread = threading.Thread(target=lambda: asyncio.run(UnhandledErrors(application)(scope, None, send)))
    thread.start()
    thread.join()
    return sent


def answer(error, content_type=None, path="/gradio_api/queue/data"):
    """What is sent where an application raises, after it has sent the head of an answer of a type."""

    async def application(scope, receive, send):
        if content_type:
            head = [(b"content-type", content_type)]
            await send({"type": "http.response.start", "status": 200, "headers": head})
        raise error

    return serve(application, "GET", path)


def fails_in_our_code():
    """An exception that a function of this package raises over an argument."""
    with pytest.raises(AttributeError) as caught:
        shown(type("Odd", (), {"__repr__": lambda self: self.missing})())
    return caught.value


def test_an_exception_before_the_answer_becomes_a_short_refusal(caplog):
    head, body = answer(KeyError("/home/x/secret"))
    assert head["status"] == 400
    assert body["body"] == b"This request does not fit the page."
    assert caplog.records[0].levelno == logging.WARNING
    assert "KeyError at test_faults.py:" in caplog.text
    assert "Traceback" not in caplog.text
    assert "secret" not in caplog.text


def test_a_fault_of_our_own_is_500_and_its_stack_trace_is_logged_once(caplog):
    error = fails_in_our_code()
    assert [answer(error)[0]["status"] for _ in range(3)] == [500, 500, 500]
    assert caplog.text.count("Traceback") == 1
    assert "missing" in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/gradio_api/run/predict", 400), ("/gradio_api/api/a/", 400), ("/gradio_api/info", 500)],
)
def test_what_a_direct_call_is_refused_with_is_no_fault_of_the_server(path, status):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 500, "headers": []})

    assert serve(application, "POST", path)[0]["status"] == status


def test_a_stream_ends_and_another_answer_is_cut_off(caplog):
    assert answer(ValueError(), b"text/event-stream; charset=utf-8")[1:] == [
        {"type": "http.response.body", "body": b"", "more_body": False}
    ]
    assert answer(ValueError(), b"image/png")[1:] == []


def test_an_answer_that_came_too_late_is_not_logged(caplog):
    answer(HTTPException(404), b"text/event-stream")
    assert caplog.text == ""


def test_the_log_keeps_each_tenfold_of_a_fault(caplog):
    error = KeyError()
    for _ in range(120):
        assert not log_fault(error, "A test")
    assert [record.getMessage() for record in caplog.records] == [
        f"A test: KeyError at nowhere ({count} so far)" for count in (1, 10, 100)
    ]
    assert [is_power_of_ten(count) for count in (1, 2, 10, 20, 101, 1000)] == [1, 0, 1, 0, 0, 1]


def test_a_path_cannot_write_lines_into_the_log(caplog):
    answer(KeyError(), path="/a\nERROR forged")
    assert len(caplog.text.splitlines()) == 1


def test_what_is_no_http_is_not_logged():
    faults.quiet_server_log()
    server = logging.getLogger("uvicorn.error")
    records = [
        logging.makeLogRecord({"msg": words})
        for words in ("Invalid HTTP request received.", "something else")
    ]
    assert [bool(server.filter(record)) for record in records] == [False, True]
