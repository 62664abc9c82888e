"""Requests that fit nothing: no answer of 5xx, no stack trace in the log, and the page goes on."""

import random
import socket
from urllib.parse import urlsplit

from benchmarks.odd_shapes import raw_request, shapes

REQUESTS = 150


def status_of(host, request):
    """The status that comes, None where the connection is closed without one."""
    with socket.create_connection((host.hostname, host.port), timeout=20) as line:
        try:
            line.sendall(request)
            head = line.recv(12)
        except ConnectionError:
            return None
    return int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else None


def test_no_request_ends_in_a_fault_of_the_server(page_process):
    url, _, log = page_process
    host, rng, values = urlsplit(url), random.Random(7), shapes("/tmp/gradio/a.txt")
    before = log.read_text("utf8").count("Traceback")
    found = [(status_of(host, request), request) for request in
             (raw_request(rng, host.netloc, values) for _ in range(REQUESTS))]  # fmt: skip
    assert [(status, request[:200]) for status, request in found if (status or 0) >= 500] == []
    assert {status for status, _ in found} >= {200, 400, 404, 405, 422}
    assert log.read_text("utf8").count("Traceback") == before
    assert status_of(host, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == 200
