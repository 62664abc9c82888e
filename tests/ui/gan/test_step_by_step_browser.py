"""The step-by-step GAN in a real browser: press, read the formula, train the twins, change language."""

import os
import subprocess
import sys

import pytest

from tests.ui.accessibility import check_accessible
from tests.ui.conftest import ROOT, free_port, wait_until_it_answers


@pytest.fixture(scope="module")
def gan_url(tmp_path_factory):
    log, port = tmp_path_factory.mktemp("step-by-step") / "page.log", free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.ui.gan.step_by_step_page", str(port)]
    with log.open("w") as lines:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_it_answers(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(15)


def test_a_class_trains_step_by_step(chromium, gan_url):
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{gan_url}?__theme=light")
    page.click("#step-by-step-discriminator")
    page.wait_for_selector("#step-by-step-board .step-by-step-tile")
    assert page.locator("#step-by-step-board .step-by-step-tile").count() == 48
    assert page.locator("#step-by-step-formula .katex").count() == 1, "the formula is typeset, offline"
    assert page.locator("#step-by-step-course svg[role=img]").count() == 2
    page.locator("#step-by-step-times").get_by_label("×10").check()
    page.click("#step-by-step-both")
    page.wait_for_function(
        "document.querySelector('.step-by-step-state').textContent.includes('Steps so far: 11.')"
    )
    points = page.locator("#step-by-step-course polyline").first.get_attribute("points")
    assert len(points.split()) == 11
    page.click("#twins > button")
    page.locator("#twins-times").get_by_label("×10").check()
    page.click("#twins-step")
    page.wait_for_selector("#twins-plots svg .mark")
    assert page.locator("#twins-plots .mark").count() == 4
    check_accessible(page, "main")
    page.evaluate("window.aigc.switchLanguage('zh-CN')")
    page.wait_for_function(
        "document.querySelector('#step-by-step-both').textContent.includes('先更新 D，再更新 G')"
    )
    assert "已训练 11 步" in page.locator("#step-by-step-board .step-by-step-state").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.fill("#step-by-step-generator-rate input", "5")
    page.click("#step-by-step-generator")
    page.wait_for_selector("text=generator_rate 必须不大于 0.01")
    assert errors == []
    context.close()
