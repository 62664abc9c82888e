"""Values that fit no endpoint: sixty shapes for an argument, and whole requests that are wrong somewhere."""

import json
import random
from typing import Any
from urllib.parse import quote

FILE = {"meta": {"_type": "gradio.FileData"}}
DEAD_PORT = 9  # of the service discard; nothing listens there
ROUTES = (
    # every route of gradio 6 and of ours, with {} for a part that is filled in
    "/", "/{}", "/{}/", "/config", "/config/", "/static/{}", "/assets/{}", "/svelte/{}", "/favicon.ico",
    "/robots.txt", "/theme.css", "/pwa_icon/{}", "/manifest.json", "/monitoring", "/monitoring/summary",
    "/monitoring/{}", "/login", "/logout", "/gradio_api/user", "/gradio_api/login_check",
    "/gradio_api/token", "/gradio_api/app_id", "/gradio_api/dev/reload", "/gradio_api/runs",
    "/gradio_api/deep_link", "/gradio_api/info", "/gradio_api/openapi.json",
    "/gradio_api/custom_component/{}/{}/{}/{}", "/gradio_api/proxy={}", "/gradio_api/file={}",
    "/gradio_api/file/{}", "/gradio_api/stream/{}", "/gradio_api/stream/{}/close",
    "/gradio_api/stream/{}/{}/{}/playlist.m3u8", "/gradio_api/stream/{}/{}/{}/{}.ts",
    "/gradio_api/stream/{}/{}/{}/playlist-file", "/gradio_api/reset", "/gradio_api/heartbeat/{}",
    "/gradio_api/run/{}", "/gradio_api/api/{}", "/gradio_api/call/{}", "/gradio_api/call/v2/{}",
    "/gradio_api/call/{}/{}", "/gradio_api/call/v2/{}/{}", "/gradio_api/queue/join",
    "/gradio_api/queue/data", "/gradio_api/queue/status", "/gradio_api/cancel",
    "/gradio_api/component_server", "/gradio_api/upload", "/gradio_api/upload_progress",
    "/gradio_api/startup-events", "/gradio_api/theme.css", "/gradio_api/process_recording",
    "/gradio_api/vibe-edit", "/gradio_api/vibe-code", "/gradio_api/run-history/records",
    "/gradio_api/profiling/summary", "/gradio_api/mcp/", "/gradio_api/mcp/schema",
    "/gradio_api/mcp/sse", "/run-pictures/{}/{}.png",
)  # fmt: skip
METHODS = ("GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "X")
PARTS = (
    "a", "0", "-1", "1", "9" * 5000, "%00", "%00.png", "%ff", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/etc/passwd", "//etc/passwd", "app.py", "../app.py", "/proc/self/environ", "/proc/self/cwd/app.py",
    "http://127.0.0.1:9/a", "https://127.0.0.1:9/a", "file:///etc/passwd", "a" * 5000, "client", "server",
    "generate_text", "start_run", "models", "nobody", "*", "%", "%zz", "{}", "null", "a b", "ä", "1.5", "1e9",
    "index.html", "js/", ".", "a%0d%0ab", "an-old-run", "mcp", "CON", "a?b=c", "a#b",
)  # fmt: skip
QUERIES = (
    "", "", "?", "?session_hash=a", "?session_hash=" + "a" * 3000, "?session_hash=%00", "?upload_id=a",
    "?deep_link=../../etc", "?deep_link=%00", "?page=a", "?page=%00", "?__theme=dark", "?all_endpoints=1",
    "?__sign=a", "?a[]=1&a[]=2", "?" + "a=1&" * 500, "?limit=-1", "?session_hash=a&session_hash=b",
)  # fmt: skip
HEADERS = (
    {}, {}, {}, {"Range": "bytes=5-2"}, {"Range": "bytes=" + "9" * 5000 + "-1"}, {"Range": "bytes=a-b"},
    {"Origin": "http://["}, {"Origin": "null"}, {"X-Forwarded-Host": "["}, {"X-Forwarded-Host": "a:99999999"},
    {"X-Forwarded-Host": "999.999.999.999"}, {"X-Gradio-Server": "http://[::"}, {"X-Forwarded-Proto": "\xff"},
    {"Cookie": "lang=\xff; a=%00"}, {"Accept-Language": ",;q=;q=x"}, {"Accept-Encoding": "br"},
    {"Accept-Encoding": "gzip;q=2"}, {"If-None-Match": "a"}, {"Host": "["}, {"Host": "a b"}, {"Host": ""},
    {"X-Forwarded-For": "a, b, \xff"}, {"Authorization": "Bearer x"}, {"Expect": "100-continue"},
    {"Upgrade": "websocket", "Connection": "Upgrade"}, {"Content-Encoding": "gzip"},
    {"Origin": "http://a.example", "Access-Control-Request-Method": "POST"},
    {"Accept": "application/json, text/event-stream", "Mcp-Session-Id": "a"},
)  # fmt: skip
KINDS = (
    "application/json", "application/json", "application/json; charset=\xff", "text/plain",
    "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 300,
    "",    "application/x-www-form-urlencoded", "application/json; charset=utf-16",
)  # fmt: skip


def shapes(uploaded: str) -> list[Any]:
    """The values that are tried for each argument.

    Args:
        uploaded: the path of a file that was uploaded, as the page gave it.
    """
    nested: Any = 0
    deep: Any = 0
    for _ in range(200):
        nested, deep = [nested], {"a": deep}
    png = "data:image/png;base64,iVBORw0KGgo="
    return [
        None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**30), 0.5, -0.5, 1e308, 5e-324,
        float("nan"), float("inf"), float("-inf"), "", " ", "0", "1e9", "nan", "x" * 100_000, "\0", "a\0b",
        "\ud800", "a\u202eb", "<img src=x onerror=alert(1)>", "../../etc/passwd", "/etc/passwd",
        f"http://127.0.0.1:{DEAD_PORT}/a.png", "file:///etc/passwd", "%s%n{0}${x}\r\n", "an-old-run",
        "an-old-run@9999999999999", "hf:evil/evil@0", png, "iVBORw0KGgo=" * 50, [], [None], [[]], [1, 2, 3],
        ["a"] * 1000, [png], nested, {}, {"a": 1}, deep, {"__type__": "update", "choices": []},
        {"path": "/etc/passwd"}, {"path": "/etc/passwd", **FILE}, [{"path": "../app.py", **FILE}],
        {"path": "/proc/self/environ", "orig_name": "a.txt", **FILE}, {"path": uploaded, **FILE},
        [{"path": uploaded, "size": -1, **FILE}] * 20, {"path": None, "url": None, **FILE},
        {"path": "a", "url": f"http://127.0.0.1:{DEAD_PORT}/a.png", **FILE}, {"index": -1, "value": "a"},
        {"index": [0, 10**30], "src": png}, {"headers": [[]], "data": [[{}]], "metadata": 1},
    ]  # fmt: skip


def raw_request(rng: random.Random, host: str, values: list[Any]) -> bytes:
    """One request as bytes, which is mostly no good.

    Args:
        rng: which one.
        host: and port of the server.
        values: what bodies are filled with.
    """
    route = rng.choice(ROUTES)
    while "{}" in route:
        part = rng.choice(PARTS)
        route = route.replace("{}", part if rng.random() < 0.1 else quote(part, safe="/%:.*"), 1)
    method, extra = rng.choice(METHODS), rng.choice(HEADERS)
    body = b"" if method in ("GET", "HEAD", "OPTIONS") and rng.random() < 0.9 else _body(rng, values)
    headers = {"Host": host, "Connection": "close", "Content-Type": rng.choice(KINDS)}
    headers["Content-Length"] = rng.choice([str(len(body))] * 20 + ["-1", "a", "9" * 30])
    lines = [f"{name}: {value}" for name, value in {**headers, **extra}.items() if value or name == "Host"]
    head = "\r\n".join([f"{method} {route}{rng.choice(QUERIES)} HTTP/1.1", *lines, "", ""])
    return head.encode("latin-1", "replace") + body


def _body(rng: random.Random, values: list[Any]) -> bytes:
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice([b"", b"{", b"null", b"[]", b"\xff\xfe", b"1e999", b"[" * 50_000, b'{"data":'])
    if kind == 1:
        part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\nabc\r\n--x--\r\n'
        return part % rng.choice([b"a.txt", b"../../a", b"\x00", b"a" * 3000, b""])
    if kind == 2:
        tool = rng.choice(["models", "score_text", "nobody", "runs"])
        call = {"name": tool, "arguments": {"text": rng.choice(values), "models": rng.choice(values)}}
        return _json({"jsonrpc": "2.0", "id": rng.choice(values), "method": "tools/call", "params": call})
    wrong = {
        key: rng.choice(values)
        for key in ("data", "fn_index", "session_hash", "event_id", "trigger_id", "event_data", "fn_name")
        if rng.random() < 0.5
    }
    usual = {"data": [], "fn_index": rng.randrange(120), "session_hash": "odd", "event_id": "a"}
    return _json({**usual, "component_id": rng.choice(values), "simple_format": True, **wrong})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")
