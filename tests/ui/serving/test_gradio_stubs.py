import importlib
import subprocess
import sys

import pytest

from aigc_demo.ui.serving import gradio_stubs
from tests.ui.conftest import ROOT

COMPONENT = """
from gradio.components.base import Component


class Own(Component):
    EVENTS = ["change"]
"""


@pytest.mark.parametrize(("first", "written"), [("", True), ("import aigc_demo.ui; ", False)])
def test_a_component_gets_no_stub_file_once_our_page_is_imported(tmp_path, first, written):
    (tmp_path / "own.py").write_text(COMPONENT)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {first}import own; print(own.Own.change)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert "function" in done.stdout, done.stderr
    assert (tmp_path / "own.pyi").exists() == written


@pytest.mark.parametrize("content", ["def create_or_modify_pyi(): return 7", "other = 7"])
def test_a_gradio_that_has_no_such_function_is_imported_as_it_is(tmp_path, monkeypatch, content):
    package = tmp_path / f"like_gradio_{len(content)}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "meta.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(gradio_stubs, "MODULE", f"{package.name}.meta")
    finders = list(sys.meta_path)
    gradio_stubs.skip_stubs()
    module = importlib.import_module(f"{package.name}.meta")
    assert sys.meta_path == finders
    if "other" in content:
        assert (module.other, hasattr(module, "create_or_modify_pyi")) == (7, False)
    else:
        assert module.create_or_modify_pyi("any", "arguments") is None
    gradio_stubs.skip_stubs()  # it is imported already: nothing is left behind
    assert sys.meta_path == finders
