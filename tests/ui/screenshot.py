"""Take the README's image: `python -m tests.ui.screenshot docs/screenshot.png`, with the shipped models."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.ui.conftest import BROWSER_ARGUMENTS, ROOT, free_port, wait_until_it_answers

SEED = 7


def take(url, path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1366, "height": 1020}, locale="en-US")
        page.set_default_timeout(90_000)
        page.goto(f"{url}?__theme=light")
        page.wait_for_selector("#strip-right .strip")
        page.uncheck("#fresh input")
        page.fill("#seed input", str(SEED))
        page.click("#generate")
        for side in ("left", "right"):
            page.wait_for_selector(f"#card-{side} .state[data-state=finished]")
        page.mouse.move(5, 5)
        page.wait_for_timeout(500)
        page.screenshot(path=path)
        browser.close()


def main():
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    log = Path(tempfile.mkdtemp()) / "page.log"
    with log.open("w") as lines:
        page = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=lines, stderr=lines
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until_it_answers(url, page, log)
        take(url, sys.argv[1])
    finally:
        page.send_signal(signal.SIGTERM)
        page.wait(20)


if __name__ == "__main__":
    main()
