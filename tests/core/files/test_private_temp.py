"""Temporary files of one user among many, and a home where there is none."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aigc_demo.core.files import private_temp
from aigc_demo.core.files.private_temp import private_folder

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list:
    registered: list = []
    monkeypatch.setattr(private_temp.atexit, "register", lambda *call: registered.append(call))
    return registered


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.lstat().st_mode)


def test_a_user_has_one_folder_of_their_own(shared: Path, at_exit: list) -> None:
    folder = private_folder(shared)
    assert folder == private_folder(shared)
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
    folder = private_folder(shared)
    assert folder.parent == shared.resolve() and folder.name != f"aigc-demo-{os.geteuid()}"
    assert mode(folder) == 0o700
    (call,) = at_exit
    call[0](*call[1:])
    assert not folder.exists()


def test_a_child_that_was_forked_takes_nothing_away(shared: Path) -> None:
    private_temp._remove(shared, os.getpid() + 1)
    assert shared.exists()


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(
    "module", ["aigc_demo.cli", "aigc_demo.ui.serving.environment", "aigc_demo.generators.hub"]
)
def test_a_user_of_whom_nothing_is_known_has_a_home(shared: Path, module: str, empty: bool) -> None:
    unknown = "os.path.expanduser = lambda path: path.replace('~', os.environ.get('HOME', '~'))\n"
    code = (
        "import os, pathlib\n"
        f"{'' if empty else unknown}"
        f"import {module}, huggingface_hub.constants as hub\n"
        "print(pathlib.Path.home(), hub.HF_HOME, os.environ['TORCHINDUCTOR_CACHE_DIR'])"
    )
    unset = ("HOME", "HF_HOME", "TORCHINDUCTOR_CACHE_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "TMPDIR": str(shared), **({"HOME": ""} if empty else {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    home = private_folder(shared)
    assert done.stdout.split() == [
        str(home),
        str(home / ".cache" / "huggingface"),
        str(home / "torchinductor"),
    ]
