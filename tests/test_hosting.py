"""docs/hosting.md on Spaces, followed to the letter, against stand-ins of the Hub and of ZeroGPU."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.space_server import FREE_HARDWARE, TOKEN, SpaceServer
from tests.test_house import ROOT, front_matter, tracked_files
from tests.ui.conftest import free_port, wait_until_it_answers

SECTION = (ROOT / "docs/hosting.md").read_text("utf8").split("## Publish it as a Space")[1].split("\n## ")[0]
COMMANDS = [line.replace("YOUR_NAME", "teacher") for line in SECTION.split("```")[1].strip().splitlines()]

# As on ZeroGPU: an app that decorates nothing is stopped when it is launched, and torch may not come first.
ZERO_GPU = """
import sys

if "torch" in sys.modules:
    raise RuntimeError("CUDA has been initialized before importing the `spaces` package")
import gradio as gr

decorated = []


def GPU(function=None, *, duration=60, size=None):
    def decorate(function):
        decorated.append(function.__name__)
        return function

    return decorate if function is None else decorate(function)


def gradio_auto_wrap(function):  # gradio asks it for each listener of a page on a Space
    return function


launch = gr.Blocks.launch


def launched(*arguments, **settings):
    print("decorated:", decorated, flush=True)
    if not decorated:
        print("No @spaces.GPU function detected during startup", flush=True)
        raise SystemExit(1)
    return launch(*arguments, **settings)


gr.Blocks.launch = launched
"""


def on_a_space(folder: Path, home: Path, *, spaces: str | None = ZERO_GPU) -> dict[str, str]:
    """The environment of an app on a Space; `spaces` is the package that is found first."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    places = [str(folder)]
    if spaces is not None:
        (home / "first").mkdir(parents=True, exist_ok=True)
        (home / "first" / "spaces.py").write_text(spaces)
        places.insert(0, str(home / "first"))
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(places),
        "SYSTEM": "spaces",
        "SPACE_ID": "teacher/aigc-demo",
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "AIGC_DEMO_RUNS": str(home / "runs"),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }


def start(folder: Path, home: Path, **facts) -> tuple[subprocess.Popen, str, Path]:
    """`python app.py` from a folder: the process, where it should answer, and what it writes."""
    port, log = free_port(), home / "app.log"
    environment = {**on_a_space(folder, home, **facts), "GRADIO_SERVER_PORT": str(port)}
    with log.open("w") as lines:
        command = [sys.executable, str(front_matter()["app_file"])]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=lines, stderr=lines)
    return process, f"http://127.0.0.1:{port}/", log


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository as a clone of it, with trainings of whoever works in it."""
    folder = tmp_path / "clone"
    for path in tracked_files():
        if path.is_file():
            place = folder / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "source.txt").write_text("a private text")
    return folder


@pytest.fixture
def hub(tmp_path: Path):
    with SpaceServer(tmp_path / "space") as server:
        yield server


def in_terminal(command: str, folder: Path, hub: SpaceServer, home: Path) -> subprocess.CompletedProcess:
    """A line of docs/hosting.md, typed in the clone; the token is what the login would ask for."""
    words = shlex.split(command)
    tool = Path(sys.executable).with_name(words[0])
    if words[:3] == ["hf", "auth", "login"]:
        words += ["--token", TOKEN]
    environment = {
        name: value
        for name, value in os.environ.items()
        if "proxy" not in name.lower() and not name.startswith("HF_")
    }
    # The stand-in takes large files the way that every client knows.
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(
        [tool, *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_commands_publish_what_then_serves(clone: Path, hub: SpaceServer, tmp_path: Path) -> None:
    assert [shlex.split(command)[:2] for command in COMMANDS] == [
        ["hf", "auth"],
        ["hf", "repos"],
        ["hf", "upload"],
    ]
    for command in COMMANDS:
        done = in_terminal(command, clone, hub, tmp_path / "home")
        assert done.returncode == 0, f"{command}: {done.stderr[-800:]}"
    assert hub.spaces == ["teacher/aigc-demo"]
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files() if path.is_file()}
    assert set(hub.files()) == tracked
    assert (hub.folder / "assets/gpt-tang/model.safetensors").read_bytes() == (
        ROOT / "assets/gpt-tang/model.safetensors"
    ).read_bytes()
    process, url, log = start(hub.folder, tmp_path / "app")
    try:
        assert wait_until_it_answers(url, process, log) == 200
        assert "decorated: ['work']" in log.read_text()
    finally:
        process.terminate()
        process.wait(20)


def test_the_hardware_is_one_that_a_free_account_gets() -> None:
    assert front_matter()["suggested_hardware"] == FREE_HARDWARE
    assert re.findall(r"--flavor (\S+)", "\n".join(COMMANDS)) == [FREE_HARDWARE]


def test_an_upload_alone_makes_no_space(clone: Path, hub: SpaceServer, tmp_path: Path) -> None:
    """Why there are three commands."""
    in_terminal(COMMANDS[0], clone, hub, tmp_path / "home")
    done = in_terminal(COMMANDS[2], clone, hub, tmp_path / "home")
    assert done.returncode != 0
    assert "ZeroGPU only" in done.stderr
    assert hub.spaces == []


def test_the_stand_in_stops_an_app_that_decorates_nothing(tmp_path: Path) -> None:
    """That it can say no: the same start with an app that knows nothing of ZeroGPU."""
    bare = (
        "import gradio as gr\nimport spaces\nwith gr.Blocks() as page:\n    gr.Markdown('x')\npage.launch()\n"
    )
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "app.py").write_text(textwrap.dedent(bare))
    process, _, log = start(tmp_path / "bare", tmp_path / "home")
    assert process.wait(60) == 1
    assert "No @spaces.GPU function detected" in log.read_text()


@pytest.mark.parametrize("there", [True, False])
def test_elsewhere_nothing_changes(tmp_path: Path, there: bool) -> None:
    """With the real package where no GPU is lent, and without it."""
    code = (
        "import sys\n"
        f"if not {there}: sys.modules['spaces'] = None\n"
        "import app\n"
        "from aigc_demo.studio.models import gpu\n"
        "print(gpu._work is gpu.work, 'torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr[-500:]
