"""The page under the real package `spaces` as on ZeroGPU, with a stand-in of what lends the GPUs.

The package replaces parts of torch's CUDA build, so this runs where torch is one; it needs no GPU.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gradio_client import Client

from aigc_demo.studio.models.gpu import LONG_TEXT
from tests.generators.foreign_folders import save_gpt2
from tests.test_house import ROOT
from tests.ui.conftest import free_port, wait_until_it_answers
from tests.zero_gpu_server import ZeroGpuServer

pytest.importorskip("spaces")
pytestmark = pytest.mark.skipif(
    not hasattr(torch._C, "_cuda_init"),
    reason="the package spaces works with a CUDA build of torch, and this is none",
)


@pytest.fixture(scope="module")
def lender() -> Iterator[ZeroGpuServer]:
    with ZeroGpuServer() as server:
        yield server


@pytest.fixture(scope="module")
def page(lender: ZeroGpuServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page's address and its log."""
    home = tmp_path_factory.mktemp("zero")
    save_gpt2(home / "models" / "writer")
    port, log = free_port(), home / "app.log"
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {
        **kept,
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": lender.url,
        "ZEROGPU_OFFLOAD_DIR": str(home / "tensors"),
        "SYSTEM": "spaces",
        "SPACE_ID": "teacher/aigc-demo",
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "AIGC_DEMO_MODELS": str(home / "models"),
        "AIGC_DEMO_RUNS": str(home / "runs"),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    with log.open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=lines, stderr=lines
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until_it_answers(url, process, log)
        yield url, log
    finally:
        process.terminate()
        process.wait(30)


def written(url: str, num_tokens: int) -> dict[str, Any]:
    """What the page writes with the model of the folder."""
    return Client(url, verbose=False).predict(
        prompt="the cat", models=["writer"], max_new_tokens=num_tokens, seed=3, api_name="/generate_text"
    )


def test_the_page_reports_its_start(page: tuple[str, Path], lender: ZeroGpuServer) -> None:
    end = time.monotonic() + 30
    while not lender.asked("/startup-report") and time.monotonic() < end:
        time.sleep(0.1)
    assert lender.asked("/startup-report") == [{}], page[1].read_text()


def test_a_short_text_asks_for_no_gpu(page: tuple[str, Path], lender: ZeroGpuServer) -> None:
    before = len(lender.asked("/schedule"))
    (column,) = written(page[0], LONG_TEXT)["columns"]
    assert column["text"], column
    assert len(lender.asked("/schedule")) == before


@pytest.mark.parametrize("answer", ["granted", "quota exceeded", "busy"])
def test_a_long_text_asks_for_one_and_comes_in_any_case(
    page: tuple[str, Path], lender: ZeroGpuServer, answer: str
) -> None:
    """Where a GPU is granted that is not there, or none is, the CPU writes."""
    lender.answer, before = answer, len(lender.calls)
    (column,) = written(page[0], LONG_TEXT + 20)["columns"]
    assert (column["state"], len(column["token_ids"])) == ("finished", LONG_TEXT + 20), column
    paths = [call.path for call in lender.calls[before:]]
    assert paths[0] == "/schedule"
    asked = lender.asked("/schedule")[-1]
    assert 0 < int(asked["durationSeconds"]) <= 120
    assert ("/release" in paths) == (answer == "granted")
