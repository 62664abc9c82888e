"""The tab Train while a run goes on: how soon it shows something, what it costs, and what it sends.

The page runs as `python app.py` in a process of its own, looked at in a real browser. Measured are the
seconds from Start to the first point on the chart, the share of one core that the page's own process takes
while a run goes on and one browser watches, the bytes that a redraw sends, and the speed of a training that
the page started against the same command in a terminal (pairs in turn).

    python benchmarks/train_page.py [--pairs N] [--json]      needs Debian's chromium
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it runs from the clone, nothing is installed

import contextlib
import itertools
import os
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
from gradio_client import Client
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from benchmarks.measuring import report

NUM_STEPS = 60
WATCHED_SECONDS = 20
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main() -> None:
    """Measure all of it."""
    pairs = int(sys.argv[sys.argv.index("--pairs") + 1]) if "--pairs" in sys.argv else 3
    with tempfile.TemporaryDirectory() as place, served(Path(place) / "runs") as (url, process):
        client = Client(url, verbose=False)
        with browsed() as browser:
            shown = first_points(browser, url)
            watched = while_it_trains(browser, url, process)
        ratios = [against_a_terminal(client, Path(place), number) for number in range(pairs)]
        client.close()
    report("the tab Train", [{**shown, **watched}])
    rows = {"ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios)}
    report("steps a second, started by the page against the same command in a terminal", [rows])


@contextlib.contextmanager
def served(runs: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The page, with nothing in its runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "AIGC_DEMO_RUNS": str(runs), "GRADIO_SERVER_PORT": str(port)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    page = subprocess.Popen([sys.executable, str(ROOT / "app.py")], cwd=ROOT, env=environment, **quiet)
    url = f"http://127.0.0.1:{port}/"
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
                break
            if page.poll() is not None:
                raise RuntimeError("the page ended")
            time.sleep(0.2)
        time.sleep(10)  # the models that it warms up with are there then
        yield url, psutil.Process(page.pid)
    finally:
        page.send_signal(signal.SIGTERM)
        page.wait(20)


@contextlib.contextmanager
def browsed() -> Iterator[Browser]:
    """Debian's chromium, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM.split())
        yield browser
        browser.close()


def opened(browser: Browser, url: str) -> Page:
    """The tab Train in a new window."""
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.goto(url)
    page.get_by_role("tab").last.click()
    page.wait_for_selector("#start")
    page.wait_for_timeout(1500)
    return page


def first_points(browser: Browser, url: str) -> dict[str, float]:
    """Seconds from Start to the first point on the chart, that of the untrained model on held-out text, and
    to the first of a step; the run is then stopped.
    """
    page = opened(browser, url)
    started = time.perf_counter()
    page.click("#start")
    seconds = {}
    for name, line in (("first_point_seconds", "line: "), ("first_step_seconds", "line: train")):
        # A level line has no height, so the browser's driver would not call it visible.
        drawn = f"#chart-0 .plot_marks path[aria-label*='{line}'][d*='L']"
        page.wait_for_selector(drawn, state="attached")
        seconds[name] = time.perf_counter() - started
    page.click("#stop-run")
    page.wait_for_selector("#run .state[data-state=stopped]")
    page.close()
    return seconds


def while_it_trains(browser: Browser, url: str, process: psutil.Process) -> dict[str, float]:
    """What the page's process takes, and what a redraw sends, with one browser that watches."""
    page = opened(browser, url)
    page.click("#start")
    page.wait_for_selector("#chart-0 .plot_marks path[aria-label$='line: train']")
    traffic = Traffic(page.context.new_cdp_session(page))
    before, started = _cpu_seconds(process), time.perf_counter()
    page.wait_for_timeout(WATCHED_SECONDS * 1000)
    seconds = time.perf_counter() - started
    share = (_cpu_seconds(process) - before) / seconds
    figures = {
        "page_share_of_a_core": share,
        "updates_per_second": len(traffic.messages) / seconds,
        "bytes_per_update_median": float(statistics.median(traffic.messages)),
        "bytes_per_update_mean": statistics.fmean(traffic.messages),
    }
    page.click("#stop-run")
    page.wait_for_selector("#run .state[data-state=stopped]")
    page.close()
    return figures


class Traffic:
    """Sizes of what the page's stream of events brings, message by message, as the browser counts them."""

    def __init__(self, session: CDPSession):
        self.messages: list[int] = []
        session.send("Network.enable")
        session.on("Network.dataReceived", self._received)

    def _received(self, event: dict[str, Any]) -> None:
        if event["dataLength"] > 60:  # heartbeats of the stream are shorter
            self.messages.append(event["dataLength"])


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def against_a_terminal(client: Client, place: Path, number: int) -> float:
    """Speed of a training that the page starts over that of the same command in a terminal, one pair."""
    ordered = client.predict(recipe="gpt", steps=NUM_STEPS, seed=number, api_name="/start_run")
    words = shlex.split(ordered["command"])
    folder = Path(words[words.index("--run-dir") + 1])
    while not (rate := _steps_per_second(folder)):
        time.sleep(1)
    copy = place / f"terminal-{number}"
    words[words.index("--run-dir") + 1] = str(copy)
    subprocess.run(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    return rate / _steps_per_second(copy)


def _steps_per_second(folder: Path) -> float:
    """By the median step, so that a checkpoint beside does not count; 0 while the run goes on."""
    events = list(RunDirectory(folder).events())
    if not events or events[-1].kind != "finish":
        return 0.0
    seconds = [event.metrics["seconds"] for event in events if isinstance(event, StepDone)]
    return 1 / statistics.median(late - early for early, late in itertools.pairwise(seconds))


if __name__ == "__main__":
    main()
