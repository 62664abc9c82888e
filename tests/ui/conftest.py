import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.ui.tiny_page import HELD

ROOT = Path(__file__).resolve().parents[2]
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIOLATIONS = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url, process, log, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except OSError:
            assert process.poll() is None, log.read_text("utf8")[-2000:]
            time.sleep(0.2)
    raise AssertionError(f"no page after {seconds} s: {log.read_text('utf8')[-2000:]}")


@pytest.fixture(scope="session")
def page_process(tmp_path_factory):
    """The page in a process of its own, with tiny models: (address, process, log file)."""
    folder = tmp_path_factory.mktemp("page")
    log, port = folder / "page.log", free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.ui.tiny_page", str(folder)]
    with log.open("w") as lines:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_it_answers(url, process, log)
        yield url, process, log
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def page_url(page_process):
    return page_process[0]


@pytest.fixture
def held(page_process):
    """While this file exists, images of diffusion take minutes, and a text of the slow model one."""
    path = page_process[2].with_name(HELD)
    path.touch()
    yield path
    path.unlink(missing_ok=True)


def note_violation(message):
    """Keep what the browser says of the Content-Security-Policy."""
    if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
        VIOLATIONS.append(message.text)


@pytest.fixture(autouse=True)
def within_the_policy():
    """Whatever a test does in the browser, the page stays within its Content-Security-Policy."""
    yield
    found = list(VIOLATIONS)
    VIOLATIONS.clear()
    assert found == []


@pytest.fixture(scope="session")
def chromium():
    """Debian's chromium. In CI a missing browser is a failure; elsewhere the tests skip and say the cure."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        cure = "no browser: install Debian's `chromium` (apt-get install chromium) to run these tests"
        if os.environ.get("CI") == "true":
            pytest.fail(cure)
        pytest.skip(cure)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        new_context = browser.new_context

        def watched(**options):
            context = new_context(**options)
            context.on("console", note_violation)
            return context

        browser.new_context = watched
        yield browser
        browser.close()
