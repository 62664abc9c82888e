"""The command line in consoles as people have them, each in a process of its own with real pipes."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aigc_demo.core.run_directory import RunDirectory
from tests import forked_commands

SETTINGS = {"num_layers": 1, "num_heads": 1, "hidden_size": 16, "context_length": 16, "batch_size": 2}
SETTINGS |= {"sample_tokens": 9, "sample_prompt": "春", "validation_windows": 2, "validate_every": 10**6}
PIPE_BYTES = 65536  # what a pipe of Linux holds
LINE = "春眠不觉晓，处处闻啼鸟。😀\n\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "诗 😀.txt"
    path.write_text(LINE * 60, "utf-8")
    return path


def command(source: Path, run: Path, *more: object, steps: int = 2) -> list[str]:
    settings = [f"{name}={value}" for name, value in SETTINGS.items()]
    sets = [word for one in settings for word in ("--set", one)]
    words = ["train", "gpt", "--data", source, "--run-dir", run, "--steps", steps, *sets, *more]
    return [sys.executable, "-m", "aigc_demo", *map(str, words)]


def environment(**more: str) -> dict[str, str]:
    dropped = {"PYTHONIOENCODING", "PYTHONUTF8", "PYTHONUNBUFFERED", "LC_ALL", "LANG", "LC_CTYPE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "OMP_NUM_THREADS": "1", **more}


def last_event(run: Path) -> Any:
    *_, last = RunDirectory(run).events()
    return last


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_character_that_the_console_has_not_is_replaced(
    source: Path, tmp_path: Path, encoding: str, as_json: bool
) -> None:
    more = ["--json"] if as_json else []
    words, variables = command(source, tmp_path / "训练", *more), environment(PYTHONIOENCODING=encoding)
    if encoding == "gbk":  # once as an interpreter opens its streams, otherwise as forked_commands does
        done = subprocess.run(words, env=variables, capture_output=True, check=True)
    else:
        done = forked_commands.run(words, env=variables, check=True)
    assert last_event(tmp_path / "训练").reason == "finished"
    if as_json:  # UTF-8 whatever the console is: what reads JSON reads nothing else
        lines = [json.loads(line.decode("utf-8")) for line in done.stdout.splitlines()]
        assert [line["text"][0] for line in lines if line.get("event") == "sample"] == ["春", "春"]
        assert lines[-1]["run_dir"] == str(tmp_path / "训练")
        return
    shown = {"cp1252": "\\u6625", "ascii": "\\u6625", "gbk": "春", "utf-8": "春"}[encoding]
    assert f"--- sample\n{shown}" in done.stdout.decode(encoding)


def test_a_locale_that_knows_ascii_alone_changes_no_prompt(source: Path, tmp_path: Path) -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(
        command(source, tmp_path / "run"), env=environment(**locale), capture_output=True, check=True
    )
    sample = (tmp_path / "run/samples/step-000002.txt").read_text("utf-8")
    assert sample.startswith("春")


def test_half_a_character_is_refused(source: Path, tmp_path: Path) -> None:
    refused = subprocess.run(
        [*map(os.fsencode, command(source, tmp_path / "run")), b"--set", b"sample_prompt=\xff"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr == "sample_prompt holds half of a character; paste it again as plain text.\n"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("unbuffered", "interrupted"), [("", False), ("1", False), ("", True)])
def test_a_closed_pipe_ends_a_training_as_stop_does(
    source: Path, tmp_path: Path, unbuffered: str, interrupted: bool
) -> None:
    start = subprocess.Popen if unbuffered else forked_commands.start
    with start(
        command(source, tmp_path / "run", steps=10**6),
        env=environment(PYTHONUNBUFFERED=unbuffered),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as training:
        assert training.stdout and training.stderr
        training.stdout.readline()
        training.stdout.close()
        if interrupted:  # Ctrl-C before `| tee` goes to both
            training.send_signal(signal.SIGINT)
        try:
            assert training.wait(timeout=60) == 0
        finally:
            training.kill()
        assert training.stderr.read() == b""
    last = last_event(tmp_path / "run")
    assert last.reason == "stopped"
    (checkpoint,) = RunDirectory(tmp_path / "run").resumable()
    assert checkpoint.name == f"step-{last.step:06d}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_under_the_output_ends_no_training(source: Path, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = forked_commands.run(
            command(source, tmp_path / "run"),
            env=environment(),
            stdout=full,
            stderr=forked_commands.PIPE,
            text=True,
            check=False,
        )
    assert last_event(tmp_path / "run").reason == "finished"
    assert done.returncode == 1  # what was to be printed is not there
    assert done.stderr == (
        "Not everything could be printed (No space left on device); "
        "free some space, or print to another place.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="no such way to close a stream")
def test_streams_that_are_closed_at_the_start_lead_nowhere(source: Path, tmp_path: Path) -> None:
    words = command(source, tmp_path / "run")
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], env=environment(), check=False
    )
    assert done.returncode == 0
    assert last_event(tmp_path / "run").reason == "finished"
    assert (tmp_path / "run/events.jsonl").read_text("utf-8").count('"event": "step"') == 2
    RunDirectory(tmp_path / "run").config()  # nothing was printed into another file


@pytest.fixture
def training(source: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One that has started and will not end by itself."""
    with started(command(source, tmp_path / "run", steps=10**6), tmp_path / "run") as training:
        yield training
        training.kill()


def started(words: list[str], run: Path) -> subprocess.Popen[bytes]:
    start = subprocess.Popen if words[0] == "sh" else forked_commands.start
    training = start(words, env=environment(), stdout=subprocess.DEVNULL)
    for _ in range(600):
        if any(event.step >= 1 for event in RunDirectory(run).events()):
            return training
        time.sleep(0.1)
    training.kill()
    raise AssertionError("it did not begin")


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_ends_a_training_as_stop_does(
    training: subprocess.Popen[bytes], tmp_path: Path, name: str
) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"no {name} here")
    training.send_signal(getattr(signal, name))
    assert training.wait(timeout=60) == 0
    last = last_event(tmp_path / "run")
    assert last.reason == "stopped"
    assert RunDirectory(tmp_path / "run").resumable()[-1].name == f"step-{last.step:06d}"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_under_nohup_the_end_of_the_terminal_ends_nothing(source: Path, tmp_path: Path) -> None:
    words = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command(source, tmp_path / "run", steps=10**6)]
    training = started(words, tmp_path / "run")
    try:
        training.send_signal(signal.SIGHUP)
        step = last_event(tmp_path / "run").step
        deadline = time.monotonic() + 30
        while last_event(tmp_path / "run").step <= step + 20:
            assert time.monotonic() < deadline and training.poll() is None
            time.sleep(0.1)
        training.send_signal(signal.SIGTERM)
        assert training.wait(timeout=60) == 0
    finally:
        training.kill()


@pytest.mark.parametrize("words", [["models"], ["--help"], ["models", "--json"]])
def test_other_commands_end_quietly_when_nobody_reads_on(words: list[str]) -> None:
    with forked_commands.start(
        [sys.executable, "-m", "aigc_demo", *words],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        assert listing.stdout and listing.stderr
        listing.stdout.close()
        assert listing.wait(timeout=60) == 0
        assert listing.stderr.read() == b""


def test_texts_that_nobody_reads_are_not_written_on(source: Path, tmp_path: Path) -> None:
    forked_commands.run(command(source, tmp_path / "run"), env=environment(), check=True)
    words = ["generate", str(tmp_path / "run"), "--num", "10000", "--set", "max_new_tokens=200"]
    with forked_commands.start(
        [sys.executable, "-m", "aigc_demo", *words], env=environment(), stdout=subprocess.PIPE
    ) as writing:
        assert writing.stdout
        writing.stdout.readline()
        writing.stdout.close()
        try:
            assert writing.wait(timeout=60) == 0
        finally:
            writing.kill()


@pytest.fixture
def unread(source: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A training whose output, a small pipe, was full for a while; and the pipe's end to read."""
    fcntl = pytest.importorskip("fcntl", reason="no such pipes here")
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, getattr(fcntl, "F_SETPIPE_SZ", 1031), 4096)
    words = command(source, tmp_path / "run", "--json", steps=10**6)
    training = forked_commands.start(words, env=environment(), stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    try:
        deadline = time.monotonic() + 60
        while events_size(tmp_path / "run") < 6 * size:
            assert time.monotonic() < deadline, "its output holds it up"
            time.sleep(0.1)
        yield training, reading
    finally:
        training.kill()
        training.communicate()
        os.close(reading)


def events_size(run: Path) -> int:
    path = run / "events.jsonl"
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize("numbers", [["SIGTERM"], ["SIGHUP"], ["SIGINT"], ["SIGINT", "SIGINT"]])
def test_output_that_nobody_reads_holds_no_training_up_and_keeps_none_from_ending(
    unread: tuple[subprocess.Popen[bytes], int], tmp_path: Path, numbers: list[str]
) -> None:
    training, _ = unread
    before, deadline = last_event(tmp_path / "run").step, time.monotonic() + 60
    while last_event(tmp_path / "run").step <= before:
        assert time.monotonic() < deadline, "it does not go on"
        time.sleep(0.05)
    for name in numbers:
        training.send_signal(getattr(signal, name))
        time.sleep(0.05)  # two of one number at the same moment are one signal
    assert training.wait(timeout=20) == 0
    assert training.stderr and training.stderr.read() == b""
    last = last_event(tmp_path / "run")
    assert last.reason == "stopped"
    assert RunDirectory(tmp_path / "run").resumable()[-1].name == f"step-{last.step:06d}"


def test_a_reader_that_reads_on_gets_every_line_in_order(
    unread: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    training, reading = unread
    with os.fdopen(os.dup(reading), "rb") as output:
        lines = [output.readline() for _ in range(40)]
        training.send_signal(signal.SIGTERM)
        lines += output.readlines()
    assert training.wait(timeout=20) == 0
    *events, result = [json.loads(line) for line in lines]
    kept = [json.loads(line) for line in (tmp_path / "run/events.jsonl").read_text("utf-8").splitlines()]
    assert [one.get("step") for one in events] == [one.get("step") for one in kept]
    assert events == kept
    assert result["reason"] == "stopped"


def wait_until_full(reading: int) -> None:
    """Until no more goes into a pipe, so that whoever prints into it waits for a reader."""
    fcntl = pytest.importorskip("fcntl", reason="no such pipes here")
    termios = pytest.importorskip("termios", reason="no such pipes here")
    deadline = time.monotonic() + 60
    waiting = 0
    while waiting < PIPE_BYTES - select.PIPE_BUF:  # what is written at once goes in whole or not at all
        assert time.monotonic() < deadline, f"{waiting} bytes wait to be read"
        time.sleep(0.01)
        waiting = int.from_bytes(fcntl.ioctl(reading, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def test_a_late_reader_gets_all_that_was_printed() -> None:
    program = "from aigc_demo.core.process import console; console.prepare_console()\n"
    program += "for number in range(30_000): print(number, 'and some more to fill the pipe', flush=True)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as printing:
        assert printing.stdout
        wait_until_full(printing.stdout.fileno())
        lines = printing.stdout.read().splitlines()
    assert printing.returncode == 0
    assert [int(line.split()[0]) for line in lines] == list(range(30_000))


def test_a_second_interrupt_leaves_the_step_three_seconds() -> None:
    program = """
import signal, time
from aigc_demo.core.process.stop_signals import stop_on_signals
stop, start = stop_on_signals(), time.monotonic()
signal.raise_signal(signal.SIGINT)
signal.raise_signal(signal.SIGINT)
time.sleep(0.5)
print("the step is done", stop.is_set(), flush=True)
try:
    while time.monotonic() < start + 20:
        time.sleep(0.01)
except KeyboardInterrupt:
    print("ended", 2.9 < time.monotonic() - start < 10)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "the step is done True\nended True\n"
