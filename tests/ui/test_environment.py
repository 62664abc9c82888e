"""What the page's process finds settled before gradio is imported."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aigc_demo.ui import environment
from aigc_demo.ui.environment import own_folder

ROOT = Path(__file__).resolve().parents[2]
SOMEBODY = 12345


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list:
    registered: list = []
    monkeypatch.setattr(environment.atexit, "register", lambda *call: registered.append(call))
    return registered


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.lstat().st_mode)


def test_a_user_has_one_folder_of_their_own(shared: Path, at_exit: list) -> None:
    folder = own_folder(shared)
    assert folder == own_folder(shared)
    assert (folder.name, mode(folder)) == (f"aigc-demo-{os.geteuid()}", 0o700)
    assert at_exit == []


def made_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)


def open_to_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def link(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_text("in the way")


@pytest.mark.parametrize("there", [made_by_another, open_to_others, link, file])
def test_what_others_made_is_not_used(
    shared: Path, at_exit: list, monkeypatch: pytest.MonkeyPatch, there
) -> None:
    """A new one is, which goes with the process."""
    place = shared / f"aigc-demo-{os.geteuid()}"
    owner = os.geteuid()
    there(place, monkeypatch)
    if there is made_by_another:
        place.rename(place.with_name(f"aigc-demo-{owner + 1}"))
    folder = own_folder(shared)
    assert folder.parent == shared.resolve() and folder.name != f"aigc-demo-{os.geteuid()}"
    assert mode(folder) == 0o700
    (call,) = at_exit
    call[0](*call[1:])
    assert not folder.exists()


def test_a_child_that_was_forked_takes_nothing_away(shared: Path) -> None:
    environment._remove(shared, os.getpid() + 1)
    assert shared.exists()


@pytest.mark.parametrize(("given", "kept"), [(None, False), ("", False), ("mine", True)])
def test_the_folder_that_the_host_names_stays(
    shared: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, kept: bool
) -> None:
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(shared))
    monkeypatch.setattr(environment.os, "environ", {} if given is None else {"GRADIO_TEMP_DIR": given})
    environment.settle_environment()
    found = environment.os.environ["GRADIO_TEMP_DIR"]
    assert found == (given if kept else str(own_folder(shared)))


def test_gradio_finds_it_wherever_it_looks(shared: Path) -> None:
    """Some of its modules look when they are imported."""
    code = (
        "import aigc_demo.ui.app, gradio.utils, gradio.mcp, gradio.route_utils\n"
        "import gradio_client.client as client\n"
        "print(gradio.utils.get_upload_folder(), gradio.mcp.DEFAULT_TEMP_DIR,"
        " gradio.route_utils.DEFAULT_TEMP_DIR, client.DEFAULT_TEMP_DIR)"
    )
    kept = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "TMPDIR": str(shared), "ALL_PROXY": "socks5://127.0.0.1:9"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(own_folder(shared))] * 4
    assert [path.name for path in shared.iterdir()] == [own_folder(shared).name]
