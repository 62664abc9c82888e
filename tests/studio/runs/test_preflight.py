"""The trial in a process of its own: its result, its refusals, its death."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.runs.order import RunOrder
from aigc_demo.studio.runs.preflight import trial, try_order
from tests.training.conftest import TINY, text_file  # noqa: F401 (a fixture)

SETTINGS = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]


def try_training(*given, **options):
    """The last word of a trial."""
    *_, found = trial(*given, **options)
    return found


def arguments(text: Path, run_dir: Path, *more: str) -> list[str]:
    return ["train", "gpt", "--data", str(text), "--run-dir", str(run_dir), "--steps", "7", *SETTINGS, *more]


def test_it_gives_what_the_command_line_finds(text_file: Path, tmp_path: Path) -> None:  # noqa: F811
    found = try_training(arguments(text_file, tmp_path / "run"))
    assert (found["fits"], found["steps"]) == (True, 7)
    assert found["steps_per_second"] > 0
    assert list(tmp_path.iterdir()) == [text_file]


def test_an_order_with_a_text_of_its_own_leaves_nothing(tmp_path: Path) -> None:
    settings = {**TINY, "context_length": 16}
    order = RunOrder("gpt", text=b"One two three. " * 99, steps=7, settings=settings)
    *before, found = try_order(order, tmp_path)
    assert set(before) <= {None}
    assert (found["fits"], found["steps"]) == (True, 7)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_comes_with_its_key_and_values(text_file: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(DemoError) as refused:
        try_training(arguments(text_file, tmp_path / "run", "--set", "num_heads=3"))
    assert refused.value.key == "heads_do_not_divide"
    assert refused.value.values == {"hidden_size": 16, "num_heads": 3}


def test_one_that_takes_too_long_or_is_killed_does_not_fit(tmp_path: Path, monkeypatch) -> None:
    found = try_training(["train", "gpt"], timeout_seconds=0.01)
    assert found == {"fits": False, "problem": {"key": "preflight_too_slow", "values": {"seconds": 0}}}
    dying = tmp_path / "dying"
    dying.write_text(f"#!{sys.executable}\nimport os\nos.kill(os.getpid(), 9)\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    assert try_training(["train", "gpt"]) == {
        "fits": False,
        "problem": {"key": "out_of_memory", "values": {}},
    }


def test_whoever_goes_away_ends_the_trial_and_what_it_started(tmp_path: Path, monkeypatch) -> None:
    lasting = tmp_path / "lasting"
    child = "import time; time.sleep(60)"
    lasting.write_text(
        f"#!{sys.executable}\nimport subprocess, sys, time\n"
        f"started = subprocess.Popen([sys.orig_argv[0], '-c', {child!r}])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(started.pid))\ntime.sleep(60)\n"
    )
    lasting.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(lasting))
    going = trial(["train", "gpt"])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert next(going) is None
    began = time.monotonic()
    going.close()
    assert time.monotonic() - began < 30, "what is not ended goes on for a minute"
    started = int((tmp_path / "pid").read_text())
    while is_alive(started):  # it was told to end; a busy machine takes a moment
        assert time.monotonic() - began < 30
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_it_loads_no_torch() -> None:
    code = "import sys, aigc_demo.studio.runs.preflight; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
