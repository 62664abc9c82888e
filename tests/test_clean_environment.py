"""That the tests pass whatever the environment says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clean_environment import FOLDER, cleaned
from tests.test_house import ROOT

NOBODY = "http://127.0.0.1:9"
HOSTILE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_ENDPOINT": NOBODY,
    "HF_TOKEN": "x",
    "HUGGING_FACE_HUB_TOKEN": "x",
    "HF_HOME": "/dev/null/hub",
    "HF_DATASETS_OFFLINE": "1",
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY"), NOBODY),
    **dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9"),
    "LANG": "C",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
    "COLUMNS": "20",
    "FORCE_COLOR": "1",
    "SPACE_ID": "someone/else",
    "SYSTEM": "spaces",
    "AIGC_DEMO_PRESET": "public",
    "AIGC_DEMO_TRAINING": "off",
    "AIGC_DEMO_RUNS": "/dev/null/runs",
    "AIGC_DEMO_MODELS": "/dev/null/models",
    "AIGC_DEMO_MODELS_MIB": "1",
    "AIGC_DEMO_CALLS_PER_ADDRESS": "1",
    "GRADIO_SERVER_NAME": "::1",
    "GRADIO_SERVER_PORT": "1",
    "GRADIO_ROOT_PATH": "elsewhere",
    "GRADIO_TEMP_DIR": "/dev/null/gradio",
    "GRADIO_SHARE": "true",
    "OMP_NUM_THREADS": "none",
    "WORLD_SIZE": "4",
    "WANDB_MODE": "offline",
}
# Some that failed in it: they ask a Hub, read what it has, push to it, start a training, open the page.
SOME = (
    "tests/generators/test_hub.py::test_what_the_hub_does_not_have_is_said",
    "tests/data/test_sources.py::test_what_the_hub_does_not_have_is_said_in_a_sentence",
    "tests/studio/runs/export/test_hub_push.py::test_what_the_hub_has_against_it_is_one_sentence",
    "tests/ui/serving/test_headers.py",
)


def test_tests_pass_in_a_hostile_environment(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in (FOLDER, "HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *SOME],
        cwd=ROOT,
        env={**{name: value for name, value in kept.items() if "PYTEST" not in name}, **HOSTILE},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]


def test_nothing_hostile_is_left(tmp_path: Path) -> None:
    left = cleaned(HOSTILE, tmp_path)
    assert {name: value for name, value in left.items() if HOSTILE.get(name) == value} == {}
    assert set(left) == {"HOME", FOLDER, "HF_HOME", "GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"}


@pytest.mark.parametrize("home", [None, "", "/dev/null/home"])
def test_a_home_is_there(home: str | None, tmp_path: Path) -> None:
    assert cleaned({} if home is None else {"HOME": home}, tmp_path)["HOME"] == str(tmp_path)
    assert cleaned({"HOME": str(tmp_path.parent)}, tmp_path)["HOME"] == str(tmp_path.parent)


def test_what_finds_programs_and_displays_stays(tmp_path: Path) -> None:
    kept = {"PATH": "/bin", "PYTHONPATH": "x", "DISPLAY": ":0", "CI": "true", "CUDA_VISIBLE_DEVICES": "1"}
    assert kept.items() <= cleaned(kept, tmp_path).items()
