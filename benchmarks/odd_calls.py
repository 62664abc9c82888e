"""Call everything wrongly and look at what breaks: python benchmarks/odd_calls.py [--json] [--seed 0]

The real page runs in a process of its own. Every listener and endpoint, the private ones too, is called with
sixty shapes for each argument (`odd_shapes`), then come 1,000 random calls and 1,000 raw requests. Counted
are answers with status 500, stack traces in the log of the server, calls without an answer for 30 s, and
answers with paths of the server. Runs are ordered and tried, but the process that would train ends at once.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it runs from the clone, nothing is installed

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.first_page import free_port, whole_page
from benchmarks.odd_shapes import raw_request, shapes

SECRET = "a-visitor-who-is-odd-but-always-the-same"
WAIT_SECONDS = 30.0
AT_ONCE = 12
RANDOM_CALLS, RAW_REQUESTS = 1_000, 1_000
TRACE = "Traceback (most recent call last)"
TRAINING = ("start_run", "try_run", "resume_run", "stop_run", "attempt", "start", "resume")
# What makes a call that does fit small, by the name of an argument or of its component.
SMALL: dict[str, Any] = {
    "max_new_tokens": 1, "num_pictures": 1, "num_inference_steps": 1, "num_candidates": 1, "num_frames": 2,
    "num_beams": 1, "secret": SECRET, "model": "gpt-shakespeare", "models": ["gpt-shakespeare"], "text": "a",
    "prompt": "a", "caption": "a red ball", "captions": ["a red ball"], "query": "a red ball", "steps": 1,
    "minutes": None, "name": "nobody", "num": 1, "amount": 1, "t2i-captions": "a red ball",
}  # fmt: skip
# Work of many seconds, whatever its other arguments are: the models that it would take are left out.
HEAVY = ("measure", "find_seeds", "leave_out", "swap", "compare", "score_images")
MODELS: dict[str, Any] = {
    "generate_images": ["dcgan-tiny-world"], "interpolate": "dcgan-tiny-world",
    "discriminate": "dcgan-tiny-world", "text_to_image": ["text2image-tiny-world"],
    "rank": "clip-tiny-world", "check_attributes": "checker-tiny-world", "retrieve": "clip-tiny-world",
}  # fmt: skip


@dataclass
class Findings:
    """What was found so far."""

    calls: int = 0
    status_500: int = 0
    hung: int = 0
    paths: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, call: str) -> None:
        """Count one that should not be, with what it was."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 40:
            self.examples.append(f"{kind}: {call[:300]}")


@dataclass(frozen=True)
class Listener:
    """One function of the page that can be called.

    Attributes:
        index: its fn_index.
        name: its api_name.
        data: arguments that fit.
        places: those that are not the server's own state.
    """

    index: int
    name: str
    data: list[Any]
    places: tuple[int, ...]
    takes_events: bool


def serve() -> None:
    """The real page, in which the processes that would train end at once."""
    from aigc_demo.studio.runs import preflight
    from aigc_demo.studio.runs.job import Job
    from aigc_demo.ui.app import serve as serve_page

    Job.executed = property(lambda job: [sys.executable, "-c", "pass"])  # type: ignore
    problem = {"key": "out_of_memory", "values": {}}
    preflight.trial = lambda *arguments, **bounds: iter([{"fits": False, "problem": problem}])  # type: ignore
    serve_page()


@contextlib.contextmanager
def page(place: Path, training: str = "on") -> Iterator[tuple[str, Path]]:
    """The page in a process of its own: its address and its log.

    Args:
        place: where runs and temporary files are.
        training: what AIGC_DEMO_TRAINING is.

    Raises:
        RuntimeError: it ended, or did not answer in two minutes.
    """
    port, log = free_port(), place / "page.log"
    for name in ("gradio", "other"):
        (place / name).mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "AIGC_DEMO_RUNS": str(place / "runs"),
        "AIGC_DEMO_TRAINING": training,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(place / "gradio"),
        "TMPDIR": str(place / "other"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    with log.open("w") as lines:
        command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    try:
        end = time.monotonic() + 120
        while not whole_page(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no page: {log.read_text()[-1000:]}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def listeners(config: dict[str, Any], info: dict[str, Any]) -> list[Listener]:
    """Every function of a page, with arguments that fit.

    Args:
        config: of the page.
        info: of its named endpoints.
    """
    parts = {part["id"]: part for part in config["components"]}
    found = []
    for dependency in config["dependencies"]:
        ends = [parts[place] for place in dependency["inputs"]]
        named = info["named_endpoints"].get(f"/{dependency['api_name']}", {}).get("parameters", [])
        names = [one["parameter_name"] for one in named] if len(named) == len(ends) else [""] * len(ends)
        events = any(event == "select" for _, event in dependency["targets"])
        data = [_small(end, name, dependency["api_name"]) for end, name in zip(ends, names, strict=True)]
        places = tuple(place for place, end in enumerate(ends) if end["type"] != "state")
        found.append(Listener(dependency["id"], dependency["api_name"], data, places, events))
    return found


def _small(part: dict[str, Any], name: str, function: str) -> Any:
    properties = part["props"]
    label = str(properties.get("label"))
    if part["type"] == "browserstate":
        return SECRET
    if part["type"] == "dropdown" and function in HEAVY and "model" in str(properties.get("elem_id")):
        return ""
    if name in ("model", "models") and function in MODELS:
        return MODELS[function]
    known = [key for key in SMALL if key in (name, properties.get("elem_id")) or f'"aigc_{key}"' in label]
    return SMALL[known[-1]] if known else properties.get("value")


class Caller:
    """Calls a page, and keeps what should not be.

    Args:
        address: of the page.
        findings: where it is kept.
        secrets_: texts that no answer may hold.
    """

    def __init__(self, address: str, findings: Findings, secrets_: tuple[str, ...]):
        self._address, self._findings, self._secrets = address, findings, secrets_
        limits = httpx.Limits(max_connections=4 * AT_ONCE)
        self.client = httpx.AsyncClient(
            base_url=address, timeout=WAIT_SECONDS, limits=limits, trust_env=False
        )

    async def call(self, listener: Listener, data: Any, worker: int = AT_ONCE, **more: Any) -> str:
        """Join the queue in a worker's session and read until the call is over; all that was answered."""
        what = f"{listener.index} {listener.name} {str(data)[:200]} {str(more)[:100]}"
        session = f"odd-{worker}"
        body = {"data": data, "fn_index": listener.index, "session_hash": session, **more}
        content = json.dumps(body).encode("utf-8", "surrogatepass")
        self._findings.calls += 1
        started = time.monotonic()
        try:
            # An address for each worker, as from a proxy: one alone may not have so many calls at once.
            headers = {"Content-Type": "application/json", "X-Forwarded-For": f"10.0.0.{worker}"}
            joined = await self.client.post("/gradio_api/queue/join", content=content, headers=headers)
            while joined.status_code == 503 and time.monotonic() < started + WAIT_SECONDS:
                await asyncio.sleep(0.3)
                joined = await self.client.post("/gradio_api/queue/join", content=content, headers=headers)
            answer = joined.text
            if joined.status_code == 200:
                answer += await self._rest(str(more.get("session_hash", session)))
        except httpx.TimeoutException:
            self._findings.note("hung", what)
            return ""
        except httpx.HTTPError as error:
            self._findings.outcomes[type(error).__name__] += 1
            return ""
        self._findings.outcomes[str(joined.status_code)] += 1
        self.look(what, joined.status_code, answer)
        if (seconds := time.monotonic() - started) > 5:
            self._findings.outcomes["over 5 s"] += 1
            if "-v" in sys.argv:
                sys.stderr.write(f"{seconds:.1f} s: {what}\n")
        return answer

    async def _rest(self, session: str) -> str:
        """The stream of one session until it closes; a timeout where nothing but heartbeats comes."""
        parts, alive = [], time.monotonic()
        address = "/gradio_api/queue/data"
        async with self.client.stream("GET", address, params={"session_hash": session}) as stream:
            async for line in stream.aiter_lines():
                if line and '"msg":"heartbeat"' not in line:
                    alive = time.monotonic()
                    parts.append(line)
                if '"msg":"process_completed"' in line:
                    break
                if time.monotonic() - alive > WAIT_SECONDS:
                    raise httpx.ReadTimeout("only heartbeats")
        return "\n".join(parts)

    async def raw(self, request: bytes) -> None:
        """Send bytes and read what comes, of a stream only its beginning."""
        self._findings.calls += 1
        what, host = ascii(request[:200]), httpx.URL(self._address)
        reader, writer = await asyncio.open_connection(host.host, host.port)
        answer = b""
        try:
            writer.write(request)
            end = time.monotonic() + WAIT_SECONDS
            while len(answer) < 2**22 and time.monotonic() < end:
                patience = 1.0 if b"text/event-stream" in answer[:3000] else end - time.monotonic()
                part = await asyncio.wait_for(reader.read(65536), patience)
                if not part:
                    break
                answer += part
        except TimeoutError:
            if b"text/event-stream" not in answer[:3000]:
                self._findings.note("hung", what)
        except ConnectionError:
            self._findings.outcomes["connection closed"] += 1
        finally:
            writer.close()
        status = answer[9:12]
        self._findings.outcomes[f"raw {status.decode() or 'closed'}"] += 1
        self.look(what, int(status) if status.isdigit() else 0, answer.decode("utf-8", "replace"))

    def look(self, what: str, status: int, answer: str) -> None:
        """Count an answer that should not be."""
        if status >= 500 and status != 503:
            self._findings.note("status_500", f"{what} -> {answer[:150]}")
        if '"msg":"unexpected_error"' in answer:
            self._findings.outcomes["stream broken"] += 1
            self._findings.examples.append(f"stream broken: {what} -> {answer[-200:]}")
        leaked = [text for text in self._secrets if text in answer]
        if leaked:
            place = answer.find(leaked[0])
            self._findings.note("paths", f"{what} -> {answer[max(0, place - 80) : place + 80]}")


def odd_calls(found: list[Listener], values: list[Any], rng: random.Random) -> Iterator[tuple[Any, ...]]:
    """Calls of every listener: each argument in each shape, then data that are not those arguments.

    Args:
        found: the listeners.
        values: the shapes.
        rng: the order of the arguments of random calls.
    """
    places = [(listener, place, value) for listener in found for place in listener.places for value in values]
    rng.shuffle(places)  # calls of one function wait for each other, calls of several do not
    for listener, place, value in places:
        data = list(listener.data)
        data[place] = value
        yield listener, data, {}
    for listener in found:
        if listener.takes_events:
            for value in values:
                yield listener, list(listener.data), {"event_data": value}
        for data in (None, {}, "a", [], listener.data[:-1], [*listener.data, 1], [*listener.data] * 30):
            yield listener, data, {}
    for _ in range(RANDOM_CALLS):
        listener = rng.choice(found)
        data = [rng.choice(values) if rng.random() < 0.4 else value for value in listener.data]
        more = {key: rng.choice(values) for key in ("trigger_id", "event_data", "event_id", "simple_format")
                if rng.random() < 0.2}  # fmt: skip
        yield listener, data, more


async def clean(caller: Caller, found: list[Listener]) -> None:
    """Stop and delete the runs that were ordered."""
    by_name = {listener.name: listener for listener in found}
    answer = await caller.call(by_name["runs"], [])
    for line in answer.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            for run in json.loads(line.removeprefix("data: "))["output"]["data"][0]:
                await caller.call(by_name["stop_run"], [run["name"], SECRET])
                await caller.call(by_name["delete"], [run["name"], SECRET])


async def attack(address: str, findings: Findings, hidden: tuple[str, ...], given: Any, only: Any) -> bool:
    """Make all calls, many at once.

    Returns:
        whether the page still answers.
    """
    rng, caller = random.Random(given.seed), Caller(address, findings, hidden)
    async with caller.client as client:
        config, info = (await client.get("/config")).json(), (await client.get("/gradio_api/info")).json()
        sent = await client.post("/gradio_api/upload", files={"files": ("a.txt", b"once upon a time")})
        values, found = shapes(sent.json()[0]), listeners(config, info)
        calls = odd_calls([one for one in found if only is None or one.name in only], values, rng)
        if given.every > 1:
            calls = itertools.islice(calls, given.seed % given.every, None, given.every)
        requests = (raw_request(rng, address.removeprefix("http://"), values) for _ in range(RAW_REQUESTS))

        async def work(worker: int) -> None:
            for listener, data, more in calls:
                await caller.call(listener, data, worker, **more)
            for request in requests if only is None else ():
                await caller.raw(request)

        await asyncio.gather(*(work(worker) for worker in range(AT_ONCE)))
        await clean(caller, found)
        answered = await client.get("/", timeout=WAIT_SECONDS)
        models = next(one for one in found if one.name == "models")
        return answered.status_code == 200 and '"success":true' in await caller.call(models, [])


def main() -> None:
    """Call, count and print; the exit status is 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="only one of so many calls")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help="serve the page that is called")
    parser.add_argument("--only", nargs="*", help="names of endpoints and listeners")
    parser.add_argument("-v", action="store_true", help="what was found, and slow calls")
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    findings, traces, alive, started = Findings(), 0, True, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="odd-calls-") as folder:
        for training, only in (("on", given.only), ("off", given.only or TRAINING)):
            place = Path(folder) / training
            hidden = (str(ROOT), str(place / "runs"), str(place / "other"), "site-packages", "root:x:0:0",
                      "GRADIO_SERVER_PORT=")  # fmt: skip
            given.every = given.every if training == "on" else 10 * given.every
            with page(place, training) as (address, log):
                alive = asyncio.run(attack(address, findings, hidden, given, only)) and alive
            text = log.read_text("utf-8", "replace")
            traces += text.count(TRACE)
            if given.v:
                sys.stderr.write(text)
    row = {"calls": findings.calls, "status_500": findings.status_500, "tracebacks": traces,
           "hung": findings.hung, "paths": findings.paths, "still_answers": alive,
           "seconds": round(time.monotonic() - started), "outcomes": dict(findings.outcomes)}  # fmt: skip
    if given.v:
        sys.stderr.write("\n".join(findings.examples) + "\n")
    print(json.dumps(row) if given.json else "  ".join(f"{name} {value}" for name, value in row.items()))
    clean_page = not (findings.status_500 or traces or findings.hung or findings.paths) and alive
    sys.exit(0 if clean_page else 1)


if __name__ == "__main__":
    main()
