"""Ctrl-C at any moment of a command: one line at most, exit code 130, never a stack trace."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C goes to the tests too")

# At the first line of a module, wherever it is imported: a Ctrl-C is there before the line is run.
HOOK = """
import importlib.abc, os, signal, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def hooked(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(HOOK, "utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def ended(hooked: dict[str, str], words: list[str], module: str) -> tuple[int, str]:
    """How a program ends that is interrupted while it imports a module, and what it says."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**hooked, "INTERRUPT_AT": module},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [["-m", "aigc_demo", "models"], ["app.py"]])
@pytest.mark.parametrize(
    "module",
    ["aigc_demo.core.files.private_temp", "aigc_demo.core.errors", "numpy", "numpy._core._multiarray_umath"],
)
def test_an_interrupt_while_libraries_are_imported(
    hooked: dict[str, str], words: list[str], module: str
) -> None:
    assert ended(hooked, words, module) == (130, "Interrupted.\n")


@pytest.mark.parametrize("module", ["torch", "aigc_demo.studio.text.generate"])
def test_an_interrupt_in_the_work_of_a_command(hooked: dict[str, str], module: str) -> None:
    words = ["-m", "aigc_demo", "generate", "gpt-tang", "--num", "2"]
    assert ended(hooked, words, module) == (130, "Interrupted.\n")


def test_an_interrupt_of_texts_that_nobody_reads(tmp_path: Path) -> None:
    words = ["generate", "gpt-tang", "--num", "10000", "--set", "max_new_tokens=20"]
    with subprocess.Popen(
        [sys.executable, "-m", "aigc_demo", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as writing:
        assert writing.stdout and writing.stderr
        writing.stdout.readline()
        time.sleep(1)  # so that it comes in the midst of later texts
        writing.send_signal(signal.SIGINT)
        assert writing.wait(timeout=20) == 130
        assert writing.stderr.read() == b"Interrupted.\n"


def test_an_interrupt_that_the_shell_has_taken_away_stays_so() -> None:
    program = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "aigc_demo", "models"]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        for _ in range(20):
            time.sleep(0.1)  # spread over the two seconds in which it imports and works
            listing.send_signal(signal.SIGINT)
        listing.communicate(timeout=60)
    assert listing.returncode == 0


def test_whoever_imports_the_package_keeps_the_own_handler() -> None:
    program = "import signal, aigc_demo.cli; print(signal.getsignal(2) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b"True"
