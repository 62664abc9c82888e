"""Calculating with images in a real browser, by the models that the project ships: as a reader does it."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.ui.conftest import ROOT, free_port, wait_until_it_answers
from tests.ui.test_browser import at_rest, open_named_tab, opened

SECONDS = 120_000  # two thousand images on a busy machine


@pytest.fixture(scope="module")
def shipped_url(tmp_path_factory):
    """The page as `python app.py` serves it, where no Hub is."""
    folder = tmp_path_factory.mktemp("shipped")
    log, port = folder / "page.log", free_port()
    environment = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "AIGC_DEMO_RUNS": str(folder / "runs"),
    }
    with log.open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=lines, stderr=lines
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_it_answers(url, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def calculated(page, language):
    """The captions and the line, after seeds were found by the words that stand there, and added up."""
    page.click("#gan-arithmetic > button")
    at_rest(page)
    page.click("#gan-find")
    page.wait_for_function(
        "() => document.querySelector('#gan-seeds-c textarea, #gan-seeds-c input').value", timeout=SECONDS
    )
    at_rest(page)
    page.click("#gan-calculate")
    page.wait_for_selector("#gan-sum .images-grid[data-drawn]", timeout=SECONDS)
    captions = page.locator(f"#gan-sum figcaption span[lang={language}]").all_text_contents()
    line = page.locator(f"#gan-arithmetic-line .notice span[lang={language}]").first.text_content()
    return captions, line


def of_words(caption):
    """Without the percentage behind it."""
    return re.sub(r"\s\d+\s%$", "", caption)


def test_the_example_on_the_page_comes_out_right_and_says_so(chromium, shipped_url):
    with opened(chromium, shipped_url) as page:
        open_named_tab(page, "GAN")
        page.wait_for_selector("#gan-generate")
        at_rest(page)
        captions, line = calculated(page, "en")
        assert list(map(of_words, captions)) == [
            "mean of A · red ball",
            "mean of B · red box",
            "mean of C · blue box",
            "A − B + C · blue ball",
        ]
        assert re.match(r"As expected: .* makes blue ball, and that is what .* \(\d+ %\)\.$", line)
        seeds = page.locator("#gan-seeds-a textarea, #gan-seeds-a input").first
        assert len(seeds.input_value().split(",")) == 16
        # What comes out otherwise is said: the first seeds of each alone.
        for letter in "abc":
            field = page.locator(f"#gan-seeds-{letter} textarea, #gan-seeds-{letter} input").first
            field.fill(field.input_value().split(",")[0])
        page.click("#gan-calculate")
        page.get_by_text("Another thing than expected").locator("visible=true").first.wait_for()
        result = page.locator("#gan-sum figcaption span[lang=en]").last.text_content()
        assert of_words(result) != "A − B + C · blue ball"


def test_in_chinese_on_a_small_screen(chromium, shipped_url):
    with opened(chromium, shipped_url, language="zh-CN", theme="dark", width=390) as page:
        open_named_tab(page, "GAN 生成对抗网络")
        page.wait_for_selector("#gan-generate")
        at_rest(page)
        captions, line = calculated(page, "zh-CN")
        assert of_words(captions[3]) == "A − B + C · 蓝球"
        assert line.startswith("与预期一致")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(
            """() => [...document.querySelectorAll('#gan-sum figcaption')].every(
              one => one.scrollWidth <= one.clientWidth + 1)"""
        ), "no caption is cut off"
