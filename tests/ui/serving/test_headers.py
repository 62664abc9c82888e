"""The security headers stand on every answer, whoever gives it."""

import http.client
from urllib.parse import urlsplit

import pytest

from aigc_demo.ui.serving.headers import CONTENT_SECURITY_POLICY, HEADERS

JSON = {"Content-Type": "application/json"}
PREFLIGHT = {"Origin": "http://a.example", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (200, "GET", "/", {}),
        (200, "GET", "/", {"Accept-Encoding": "br"}),
        (200, "GET", "/gradio_api/queue/data?session_hash=nobody", {}),  # a stream of events
        (200, "GET", "/gradio_api/heartbeat/somebody", {}),
        (200, "OPTIONS", "/gradio_api/queue/join", PREFLIGHT),  # gradio's own middleware answers
        (400, "GET", "/run-pictures/a/" + "9" * 5000 + ".png", {}),
        (400, "POST", "/gradio_api/call/v2/nobody", JSON),
        (403, "GET", "/gradio_api/file=/etc/passwd", {}),
        (404, "GET", "/run-pictures/nobody/1.png", {}),
        (404, "GET", "/nothing/here", {}),
        (404, "GET", "/gradio_api/proxy=https://a.example", {}),
        (413, "POST", "/gradio_api/queue/join", {"Content-Length": "99999999"}),
        (406, "POST", "/gradio_api/mcp/", JSON),
    ],
)
def test_every_answer_has_the_headers_once(page_url, status, method, path, headers):
    connection = http.client.HTTPConnection(urlsplit(page_url).netloc, timeout=20)
    body = b"{}" if method == "POST" and "Content-Length" not in headers else None
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    assert answer.status == status
    for name, value in HEADERS.items():
        assert [given for key, given in answer.getheaders() if key.lower() == name] == [value]
    connection.close()


def test_the_policy_names_no_host_but_those_that_may_show_the_page():
    parts = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    first, *ancestors = parts.pop("frame-ancestors").split()
    assert first == "'self'"
    assert {one.split(".")[-2].split("/")[-1] for one in ancestors} == {"huggingface", "hf"}
    assert all(one.startswith("https:") for one in ancestors)
    assert not any("//" in sources or "*" in sources for sources in parts.values())
    assert parts["default-src"] == parts["object-src"] == "'none'"
    assert parts["connect-src"] == parts["base-uri"] == "'self'"
