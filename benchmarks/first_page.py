"""How soon the page is there: `python app.py` against a bare gradio page, in the same environment.

Measured are the seconds from the start of the process until GET / answers 200 with the whole page, in pairs,
in which each is first in turn. The bare page is a title and nothing else. Neither calls home: gradio's
analytics are off.

    python benchmarks/first_page.py [--pairs N] [--json]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it runs from the clone, nothing is installed

import contextlib
import importlib.util
import os
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from typing import Any

from benchmarks.measuring import report

PAIRS = 9
POLL_SECONDS = 0.01
MOST_SECONDS = 120
BARE = """
import gradio as gr

with gr.Blocks() as page:
    gr.Markdown("# A title")
page.launch()
"""
OURS_COMMAND = [sys.executable, str(ROOT / "app.py")]
BARE_COMMAND = [sys.executable, "-c", BARE]
MARKS = (b"window.gradio_config", b"</html>")


def main() -> None:
    """Time both, once to warm up the disk, then in pairs."""
    pairs = int(sys.argv[sys.argv.index("--pairs") + 1]) if "--pairs" in sys.argv else PAIRS
    with tempfile.TemporaryDirectory() as place:
        _pair(place, 0)
        times = [_pair(place, number) for number in range(pairs)]
    ratios = [ours / bare for ours, bare in times]
    row: dict[str, Any] = {
        "ours_seconds": statistics.median(ours for ours, _ in times),
        "bare_seconds": statistics.median(bare for _, bare in times),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "pairs": pairs,
        "with_spaces": importlib.util.find_spec("spaces") is not None,
        "with_mcp": importlib.util.find_spec("mcp") is not None,
    }
    report("seconds to the first page, ours over a bare gradio page (below 1: ours is sooner)", [row])


def _pair(place: str, number: int) -> tuple[float, float]:
    """Seconds of ours and of the bare page; which comes first changes with the number."""
    commands = [OURS_COMMAND, BARE_COMMAND]
    order = (0, 1) if number % 2 == 0 else (1, 0)
    seconds = {which: seconds_to_page(commands[which], place) for which in order}
    return seconds[0], seconds[1]


def seconds_to_page(command: list[str], place: str) -> float:
    """Start a page, wait for its first whole answer, end it.

    Args:
        command: what serves on GRADIO_SERVER_PORT.
        place: a folder for the runs and for what gradio writes.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    port = free_port()
    environment = {
        **os.environ,
        "AIGC_DEMO_RUNS": str(Path(place) / "runs"),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": place,
        "HF_HUB_OFFLINE": "1",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **quiet)
    try:
        while not whole_page(port):
            if process.poll() is not None or time.perf_counter() - started > MOST_SECONDS:
                raise RuntimeError(f"no page from {command[:2]}")
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - started
    finally:
        process.kill()
        process.wait()


def whole_page(port: int) -> bool:
    """Whether GET / answers 200 with the page's configuration and its end."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        content = answer.read()
        return answer.status == 200 and all(mark in content for mark in MARKS)
    return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
