"""The page under load: many clients that want texts, floods, and clients that leave or do not read.

The page runs in a process of its own on loopback; the clients speak HTTP as `gradio_client` does. Measured
are the seconds from a client's call to the first token that it receives, beside an endpoint of the same page
that answers a constant; how soon other functions answer while 64 clients want texts at once; and how soon one
visitor's text begins while others leave without a word, do not read, or ask for a model that fails hard.

    python benchmarks/many_clients.py [--clients N] [--requests N] [--json]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it runs from the clone, nothing is installed

import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import psutil

from benchmarks.measuring import report

NUM_TOKENS, LONG_TOKENS = 20, 400
FLOOD = 64
PANICKING = "gpt-tang"
SECONDS = 120.0


def main() -> None:
    """Measure all of it."""
    if "--serve" in sys.argv:
        serve_for_clients()
        return
    clients = int(sys.argv[sys.argv.index("--clients") + 1]) if "--clients" in sys.argv else 32
    requests = int(sys.argv[sys.argv.index("--requests") + 1]) if "--requests" in sys.argv else 512
    with tempfile.TemporaryDirectory() as place, served(Path(place)) as (url, page):
        rows = asyncio.run(steady(url, page, clients, requests))
        report(f"{clients} clients, {requests} calls in all: seconds to the first answer", rows)
        report(f"{FLOOD} clients want texts at once; meanwhile", asyncio.run(flood(url)))
        report("seconds to one visitor's first token while others misbehave", asyncio.run(misbehaviour(url)))


# ---- the page


def serve_for_clients() -> None:
    """The page as `app.py` serves it, with one endpoint more, and with one model that fails hard."""
    import gradio as gr

    from aigc_demo.studio.models.catalog import Catalog
    from aigc_demo.studio.models.model_cache import load_model
    from aigc_demo.ui import app

    class Panic(BaseException):
        """What a library of Rust raises: no Exception."""

    def load(name: str, progress: Any) -> Any:
        if name == PANICKING:
            raise Panic
        return load_model(Catalog().choice(name), progress)

    build = app.build_app

    def with_constant(studio: Any) -> Any:
        page = build(studio)
        with page:
            gr.api(constant, api_name="constant", concurrency_id="constant", concurrency_limit=3)
        return page

    app.build_app = with_constant
    app.serve(app.new_studio(load=load))


def constant(text: str = "") -> str:
    """Always the same answer: what gradio itself costs."""
    return "constant"


@contextlib.contextmanager
def served(place: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The page, warmed up, with nothing in its runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "AIGC_DEMO_RUNS": str(place / "runs"),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
    }
    with (place / "page.log").open("wb") as log:
        command = [sys.executable, __file__, "--serve"]
        page = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
                break
            if page.poll() is not None:
                raise RuntimeError((place / "page.log").read_text("utf-8")[-2000:])
            time.sleep(0.2)
        asyncio.run(warmed(url))
        yield url, psutil.Process(page.pid)
    finally:
        page.send_signal(signal.SIGTERM)
        try:
            page.wait(20)
        except subprocess.TimeoutExpired:
            page.kill()


async def warmed(url: str) -> None:
    """The models of the default pair are in memory afterwards."""
    async with client(url) as http:
        async for _ in answers(http, "generate_text", text_arguments("Once", 0, 4)):
            pass


# ---- calls


def client(url: str) -> httpx.AsyncClient:
    """One client, with a connection of its own for each call under way."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    return httpx.AsyncClient(base_url=url, timeout=SECONDS, limits=limits, trust_env=False)


def text_arguments(prompt: str, seed: int, num_tokens: int, models: list[str] | None = None) -> list[Any]:
    """The arguments of `generate_text`, in their order."""
    return [prompt, models, seed, 0.8, 50, 1.0, 1, 1.0, num_tokens, None, None]


class Refused(Exception):
    """The page did not take the call, or answered with an error."""


async def answers(http: httpx.AsyncClient, name: str, arguments: list[Any]) -> AsyncIterator[Any]:
    """What a call of a named endpoint answers, as it comes."""
    called = await http.post(f"/gradio_api/call/{name}", json={"data": arguments})
    if called.status_code != 200:
        raise Refused(called.text[:200])
    event = called.json()["event_id"]
    async with http.stream("GET", f"/gradio_api/call/{name}/{event}") as stream:
        kind = ""
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind in ("generating", "complete"):
                yield json.loads(line.removeprefix("data: "))
            elif line.startswith("data: ") and kind == "error":
                raise Refused(line[:200])


async def first_token_seconds(http: httpx.AsyncClient, arguments: list[Any]) -> tuple[float, float]:
    """Seconds to the first answer with a token in it, and to the last answer."""
    started, first = time.perf_counter(), None
    async for answer in answers(http, "generate_text", arguments):
        if first is None and any(column["token_ids"] for column in answer[0]["columns"]):
            first = time.perf_counter() - started
    if first is None:
        raise Refused("no token")
    return first, time.perf_counter() - started


async def call_seconds(http: httpx.AsyncClient, name: str, arguments: list[Any]) -> float:
    """Seconds until a call is answered, be it with a refusal in words."""
    started = time.perf_counter()
    with contextlib.suppress(Refused):
        async for _ in answers(http, name, arguments):
            pass
    return time.perf_counter() - started


# ---- what is measured


async def steady(url: str, page: psutil.Process, clients: int, requests: int) -> list[dict[str, Any]]:
    """Every client calls again as soon as its last call is over."""
    rows = []
    for name in ("constant", "generate_text"):
        firsts: list[float] = []
        errors = 0

        async def one(number: int, name: str = name, firsts: list[float] = firsts) -> None:
            nonlocal errors
            async with client(url) as http:
                for turn in range(requests // clients):
                    try:
                        if name == "constant":
                            firsts.append(await call_seconds(http, name, [""]))
                        else:
                            asked = text_arguments(f"Client {number}", turn, NUM_TOKENS)
                            firsts.append((await first_token_seconds(http, asked))[0])
                    except (Refused, httpx.HTTPError):
                        errors += 1

        memory_mib = page.memory_info().rss / 2**20
        cpu, started = _cpu_seconds(page), time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(clients)))
        seconds = time.perf_counter() - started
        rows.append(
            {
                "endpoint": name,
                **_quantiles(firsts),
                "errors": errors,
                "calls_per_second": len(firsts) / seconds,
                "cores_used": (_cpu_seconds(page) - cpu) / seconds,
                "memory_mib_more": page.memory_info().rss / 2**20 - memory_mib,
            }
        )
    return rows


async def flood(url: str) -> list[dict[str, Any]]:
    """All clients call in the same moment; the page, /models and resume are asked for meanwhile."""
    outcomes: list[str] = []

    async def one(number: int) -> None:
        async with client(url) as http:
            try:
                await first_token_seconds(http, text_arguments(f"Flood {number}", number, LONG_TOKENS))
                outcomes.append("answered")
            except Refused:
                outcomes.append("refused")

    tasks = [asyncio.create_task(one(number)) for number in range(FLOOD)]
    others: dict[str, list[float]] = {"page": [], "models": [], "resume_run": []}
    async with client(url) as http:
        await asyncio.sleep(0.5)
        for _ in range(10):
            started = time.perf_counter()
            (await http.get("/")).raise_for_status()
            others["page"].append(time.perf_counter() - started)
            others["models"].append(await call_seconds(http, "models", []))
            others["resume_run"].append(await call_seconds(http, "resume_run", ["no-such-run", "x"]))
            await asyncio.sleep(0.2)
    await asyncio.gather(*tasks)
    counts = {kind: outcomes.count(kind) for kind in ("answered", "refused")}
    worst = {f"{name}_worst_seconds": max(seconds) for name, seconds in others.items()}
    return [{**counts, **{f"{k}_median_seconds": statistics.median(v) for k, v in others.items()}, **worst}]


async def misbehaviour(url: str) -> list[dict[str, Any]]:
    """One visitor's first token: alone, then after each kind of misbehaviour, then after all of them."""
    rows = []
    for kinds in ((), ("panics",), ("leavers",), ("deaf",), ("panics", "leavers", "deaf")):
        async with contextlib.AsyncExitStack() as stack:
            for kind in kinds:
                await {"panics": _panics, "leavers": _leavers, "deaf": _deaf}[kind](url, stack)
            async with client(url) as http:
                try:
                    first, _ = await first_token_seconds(http, text_arguments("One visitor", 1, NUM_TOKENS))
                except Refused as refused:
                    print(f"refused: {refused}", file=sys.stderr)
                    first = float("nan")
        rows.append({"others": " and ".join(kinds) or "nobody", "first_token_seconds": first})
        await asyncio.sleep(2)
    return rows


async def _panics(url: str, stack: contextlib.AsyncExitStack) -> None:
    """Three calls for a model whose library fails with what is no Exception."""
    for number in range(3):
        http = await stack.enter_async_context(client(url))
        asked = {"data": text_arguments("panic", number, NUM_TOKENS, [PANICKING])}
        await http.post("/gradio_api/call/generate_text", json=asked)
    await asyncio.sleep(0.3)


async def _leavers(url: str, stack: contextlib.AsyncExitStack) -> None:
    """43 calls for long texts; of half of them the client is gone, the others never ask for the answer."""
    for number in range(43):
        async with client(url) as http:
            asked = {"data": text_arguments("left", number, LONG_TOKENS)}
            called = await http.post("/gradio_api/call/generate_text", json=asked)
            if called.status_code == 200 and number % 2:
                address = f"/gradio_api/call/generate_text/{called.json()['event_id']}"
                with contextlib.suppress(httpx.HTTPError, TimeoutError):
                    async with asyncio.timeout(0.05), http.stream("GET", address) as stream:
                        await anext(stream.aiter_lines())


async def _deaf(url: str, stack: contextlib.AsyncExitStack) -> None:
    """Three clients that open the stream of a long text and read nothing of it."""
    host, port = url.removeprefix("http://").split(":")
    async with client(url) as http:
        for number in range(3):
            asked = {"data": text_arguments("deaf", number, LONG_TOKENS)}
            called = await http.post("/gradio_api/call/generate_text", json=asked)
            if called.status_code != 200:
                continue
            reader = socket.create_connection((host, int(port)))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stack.callback(reader.close)
            path = f"/gradio_api/call/generate_text/{called.json()['event_id']}"
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await asyncio.sleep(0.3)


def _quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [float("nan")]
    return {
        "p50_seconds": statistics.median(ordered),
        "p95_seconds": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "worst_seconds": ordered[-1],
    }


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
