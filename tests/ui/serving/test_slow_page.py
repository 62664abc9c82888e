"""The whole page while the disk of one run does not answer."""

import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from aigc_demo.core.sentences import ENGLISH
from tests.ui.conftest import ROOT, free_port, wait_until_it_answers


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Its address, and the file that holds the disk back."""
    folder, port = tmp_path_factory.mktemp("slow"), free_port()
    log = folder / "page.log"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }
    command = [sys.executable, "-m", "tests.ui.serving.slow_page", str(folder)]
    with log.open("w") as lines:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_it_answers(url, process, log)
        yield url, folder / "held"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_others_are_served_while_a_run_does_not_answer_and_it_comes_back(page):
    url, held = page
    client = Client(url, verbose=False)
    assert held.exists()
    assert [run["name"] for run in client.predict(api_name="/runs")] == ["quick"]
    curves = client.predict(name="quick", api_name="/run_curves")["curves"]
    assert curves["loss"]["train"] == [[1, 3.0], [2, 1.5]]
    for _ in range(3):
        with pytest.raises(AppError) as refused:
            client.predict(name="slow", api_name="/run_curves")
        assert str(refused.value) == ENGLISH["disk_slow"]
    assert "gpt-shakespeare" in [model["name"] for model in client.predict(api_name="/models")]
    ordered = client.predict(recipe="gpt", steps=20_000, api_name="/start_run")
    stopped = client.predict(name=ordered["name"], secret=ordered["secret"], api_name="/stop_run")
    assert stopped["name"] == ordered["name"]
    assert held.exists()
    held.unlink()
    end = time.monotonic() + 30
    while "slow" not in [run["name"] for run in client.predict(api_name="/runs")]:
        assert time.monotonic() < end
    assert client.predict(name="slow", api_name="/run_curves")["run"]["stands"] == "finished"
    client.close()


def test_a_space_says_near_start_that_its_disk_is_lost(page):
    with urllib.request.urlopen(f"{page[0]}config", timeout=30) as answer:
        assert "space-disk" in answer.read().decode("utf8")


def test_elsewhere_nothing_is_said_of_it(page_url):
    with urllib.request.urlopen(f"{page_url}config", timeout=30) as answer:
        assert "space-disk" not in answer.read().decode("utf8")
