import asyncio
from concurrent.futures import ThreadPoolExecutor

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.serving.upload_limits import MIB, UploadLimits


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def upload(limits, host, chunks, declared=None, path="/gradio_api/upload"):
    """What the page behind took, and the status that the client got."""
    took, status = [], []

    async def application(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            took.append(len(message["body"]))
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                return

    async def send(message):
        if message["type"] == "http.response.start":
            status.append(message["status"])

    coming = iter([b"x" * (size * MIB) for size in chunks])
    left = len(chunks)

    async def receive():
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(coming), "more_body": left > 0}

    headers = [(b"content-length", str(declared * MIB).encode())] if declared else []
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b"",
             "client": (host, 1)}  # fmt: skip
    limits._app = application
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, limits(scope, receive, send)).result()
    return sum(took) // MIB, status


def test_an_address_uploads_so_much_in_an_hour_and_others_go_on():
    clock = Clock()
    limits = UploadLimits(None, Limits(upload_mib_per_address=3, upload_mib=5), clock)
    assert upload(limits, "192.0.2.1", [1, 1], 2) == (2, [200])
    assert upload(limits, "192.0.2.1", [1, 1], 2) == (0, [429])
    assert upload(limits, "192.0.2.2", [2], 2) == (2, [200])
    assert upload(limits, "192.0.2.3", [2], 2) == (0, [429]), "of all there are five"
    clock.now += 3661
    assert upload(limits, "192.0.2.1", [1, 1], 2) == (2, [200])


def test_what_comes_counts_whatever_the_header_says():
    limits = UploadLimits(None, Limits(upload_mib_per_address=3, upload_mib=0), Clock())
    assert upload(limits, "192.0.2.1", [1, 1, 1, 1, 1]) == (3, [])
    assert upload(limits, "192.0.2.1", [1])[1] == []


def test_only_uploads_count():
    limits = UploadLimits(None, Limits(upload_mib_per_address=1, upload_mib=1), Clock())
    assert upload(limits, "192.0.2.1", [1, 1], 2, path="/gradio_api/queue/join") == (2, [200])
