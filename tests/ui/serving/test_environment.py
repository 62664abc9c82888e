"""What the page's process finds settled before gradio is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.private_temp import private_folder
from aigc_demo.ui.serving import environment

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("given", "kept"), [(None, False), ("", False), ("mine", True)])
def test_the_folder_that_the_host_names_stays(
    shared: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, kept: bool
) -> None:
    monkeypatch.setattr(environment, "user_temp_folder", lambda: private_folder(shared))
    monkeypatch.setattr(environment.os, "environ", {} if given is None else {"GRADIO_TEMP_DIR": given})
    environment.configure_environment()
    found = environment.os.environ["GRADIO_TEMP_DIR"]
    assert found == (given if kept else str(private_folder(shared)))


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
    assert done.stdout.split() == [str(private_folder(shared))] * 4
    assert [path.name for path in shared.iterdir()] == [private_folder(shared).name]


def test_a_folder_that_takes_nothing_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "new" / "one"))
    environment.check_temporary_folder()
    assert list((tmp_path / "new" / "one").iterdir()) == []
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(DemoError) as raised:
        environment.check_temporary_folder()
    assert (raised.value.key, raised.value.values["path"]) == (
        "cannot_write",
        str(tmp_path / "file" / "below"),
    )
