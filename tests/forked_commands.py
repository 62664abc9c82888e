"""Python programs in processes of their own that need not import torch anew.

A test that starts `python -m aigc_demo` waits for seconds until the libraries are imported, and then for less
than one until the command is done. Here a server for each process of the tests imports them once; it forks
for each command, and the child runs the module as Python would. From outside it is the same: a pid, signals,
pipes, an exit status, and what PYTHONPATH and PYTHONIOENCODING say. What depends on how an interpreter begins
(the locale, a stream that is closed, an interrupt while it imports) needs a process by `subprocess`.

python -m tests.forked_commands SOCKET MODULE...
"""

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "aigc_demo"]
# What takes longest; torch.optim imports torch._dynamo at its first step. None of them reads HF_HOME,
# HF_ENDPOINT and the like at its import, so a program may be given its own.
LIBRARIES = ("torch._dynamo", "torch.distributed.fsdp", "torch.utils.data", "safetensors.torch", "PIL.Image")
READ_THE_ENVIRONMENT = ("huggingface_hub", "transformers", "accelerate", "gradio")
# What a training or a text imports sooner or later.
ALL = (*LIBRARIES, "aigc_demo.cli", "aigc_demo.training.start", "aigc_demo.generators.text.loading")
ALL += ("aigc_demo.training.language_model.training", "aigc_demo.studio.text.generate")
PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT


class Forked:
    """A running program, to be used as a `subprocess.Popen`.

    Args:
        words: [sys.executable, "-m", module, ...] or [sys.executable, "-c", code, ...].
        env: its environment.
        stdout: PIPE, DEVNULL, a descriptor or an open file; likewise `stderr`, which may be STDOUT too.
        text: whether the pipes are read as UTF-8 text.
        cwd: its folder; the repository if left away.
        imported: what it finds imported: ALL, or LIBRARIES if it has an environment of its own for the Hub.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: Any = DEVNULL,
        stderr: Any = DEVNULL,
        text: bool = False,
        cwd: Path = ROOT,
        imported: tuple[str, ...] = ALL,
    ):
        assert words[0] == sys.executable and words[1] in ("-m", "-c")
        self.args, self.returncode = list(words), None
        self._text, given = text, []
        self.stdout, write = self._stream(stdout, given)
        self.stderr, write_errors = self._stream(write if stderr == STDOUT else stderr, given)
        self._status, status_pipe = os.pipe()
        order = {"words": list(words[1:]), "env": dict(env), "cwd": str(cwd)}
        with (ours := _server(imported)).lock:
            body = json.dumps(order).encode()
            header = len(body).to_bytes(4, "big")
            socket.send_fds(ours.socket, [header], [write, write_errors, status_pipe])
            ours.socket.sendall(body)
        for descriptor in (*given, status_pipe):
            os.close(descriptor)
        self.pid = int.from_bytes(os.read(self._status, 4), "big")
        assert self.pid, "the server did not fork"

    def _stream(self, asked: Any, given: list[int]) -> tuple[IO[Any] | None, int]:
        """What the test reads, and the descriptor that the command gets; those made here are noted."""
        if asked == PIPE:
            read, write = os.pipe()
            given.append(write)
            return (open(read, encoding="utf-8") if self._text else open(read, "rb")), write
        if asked == DEVNULL:
            given.append(os.open(os.devnull, os.O_RDWR))
            return None, given[-1]
        return None, asked if isinstance(asked, int) else asked.fileno()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, negative for a signal, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int.from_bytes(os.read(self._status, 4), "big", signed=True)
            os.close(self._status)
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[Any, Any]:
        """All that it prints, and its end."""
        read: dict[str, Any] = {"stdout": None, "stderr": None}
        streams = {name: stream for name in read if (stream := getattr(self, name)) is not None}

        def take(name: str) -> None:
            read[name] = streams[name].read()

        threads = [
            threading.Thread(target=take, args=(name,)) for name in streams if not streams[name].closed
        ]
        for thread in threads:
            thread.start()
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            for thread in threads:
                thread.join()
            self._close()
        return read["stdout"], read["stderr"]

    def _close(self) -> None:
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()
        self.wait()


def start(words: Sequence[str], **how: Any) -> "Forked | subprocess.Popen[Any]":
    """The program, running; by `subprocess` where no process can fork."""
    if hasattr(os, "fork"):
        return Forked(words, **how)
    how.pop("imported", None)
    return subprocess.Popen(words, **{"cwd": ROOT, **how})


def run(
    words: Sequence[str], *, check: bool = False, timeout: float | None = None, **how: Any
) -> "subprocess.CompletedProcess[Any]":
    """`subprocess.run` of a program, with its output captured where nothing else is asked.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
        subprocess.CalledProcessError: it failed, and `check` is asked.
    """
    running = start(words, **{"stdout": PIPE, "stderr": PIPE, **how})
    output, errors = running.communicate(timeout)
    done = subprocess.CompletedProcess(running.args, running.wait(), output, errors)
    if check:
        done.check_returncode()
    return done


class _Server:
    def __init__(self, imported: tuple[str, ...]) -> None:
        self.socket, theirs = socket.socketpair()
        self.lock = threading.Lock()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-m", "tests.forked_commands", str(theirs.fileno()), *imported]
        self.process = subprocess.Popen(words, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        self.socket.close()
        self.process.wait()


@cache
def _server(imported: tuple[str, ...]) -> _Server:
    return _Server(imported)


def serve(given: socket.socket) -> dict[str, Any] | None:
    """Fork for each order.

    Returns:
        In a child its order; in the server None, once nobody can order any more.
    """
    while True:
        header, descriptors, _, _ = socket.recv_fds(given, 4, 3)
        if not header:
            return None
        order = json.loads(given.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL))
        if os.fork() == 0:
            given.close()
            return _in_a_child(order, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _in_a_child(order: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Fork again: one to be the command, one to say how it ended."""
    *_, status_pipe = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ready, go = os.pipe()
    pid = os.fork()
    if pid:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a terminal's Ctrl-C goes to both
        os.write(status_pipe, pid.to_bytes(4, "big"))
        for descriptor in (*descriptors[:-1], ready):
            os.close(descriptor)
        os.close(go)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(status_pipe, status.to_bytes(4, "big", signed=True))
        os._exit(0)
    os.close(go)
    os.read(ready, 1)  # ends when the other process has said the pid
    os.close(ready)
    os.dup2(descriptors[0], 1)
    os.dup2(descriptors[1], 2)
    for descriptor in descriptors:
        os.close(descriptor)
    return order


def main() -> None:
    given, imported = socket.socket(fileno=int(sys.argv[1])), tuple(sys.argv[2:])
    for name in imported:
        importlib.import_module(name)
    assert imported != LIBRARIES or not set(READ_THE_ENVIRONMENT) & set(sys.modules)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that say how a command ended
    order = serve(given)
    if order is not None:
        _begin(order)
        _run(*order["words"])


def _begin(order: dict[str, Any]) -> None:
    """What an interpreter does before it runs a program."""
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    how: dict[str, Any] = {"encoding": os.environ.get("PYTHONIOENCODING", "utf-8"), "closefd": False}
    sys.stdout = sys.__stdout__ = open(1, "w", **how)  # noqa: SIM115
    how |= {"errors": "backslashreplace", "buffering": 1}
    sys.stderr = sys.__stderr__ = open(2, "w", **how)  # noqa: SIM115
    sys.path[:1] = [order["cwd"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("sitecustomize")


def _run(option: str, program: str, *words: str) -> None:
    """`python -m program words` or `python -c program words`."""
    if option == "-m":
        sys.argv = [program, *words]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    sys.argv = ["-c", *words]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(program, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    main()
