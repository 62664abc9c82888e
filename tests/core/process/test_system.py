"""What Windows has not is asked for in one place, and everything can be imported and measured without it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from aigc_demo.core.process import system
from tests.test_house import PACKAGE, ROOT, SOURCES

MODULES = {
    "resource",
    "fcntl",
    "pwd",
    "grp",
    "termios",
    "tty",
    "pty",
    "posix",
    "syslog",
    "readline",
    "curses",
}
OF_OS = {
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getpgid", "killpg", "setsid", "nice"),
    *(
        "sched_getaffinity",
        "sched_setaffinity",
        "statvfs",
        "sysconf",
        "uname",
        "getloadavg",
        "chown",
        "mkfifo",
    ),
    *("wait3", "wait4", "WNOHANG", "O_NOFOLLOW", "O_NONBLOCK", "posix_spawn", "sendfile", "openpty"),
}
OF_SIGNAL = {"SIGHUP", "SIGKILL", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGCHLD", "alarm", "pause"}
OF_POPEN = {"preexec_fn", "start_new_session", "process_group", "pass_fds"}
DOOR = PACKAGE / "core/process/system.py"
# Started as a script by its path, so that it imports nothing of this project; it asks first, too.
ALONE = PACKAGE / "data/images/decoder.py"

WINDOWS = f"""
import builtins, importlib, json, os, pkgutil, signal, sys
import aigc_demo
names = [found.name for found in pkgutil.walk_packages(aigc_demo.__path__, "aigc_demo.")]
names = [name for name in names if not name.endswith(("__main__", ".decoder"))]
for name in names:  # libraries go by the system that they find, so they come with all that it has
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "aigc_demo"]:
    del sys.modules[name]
blocked, plain = {MODULES!r}, builtins.__import__
def without(name, globals=None, locals=None, fromlist=(), level=0):
    if name in blocked and str((globals or {{}}).get("__name__")).startswith("aigc_demo"):
        raise ModuleNotFoundError(name)
    return plain(name, globals, locals, fromlist, level)
builtins.__import__ = without
for of, gone in ((os, {OF_OS!r}), (signal, {OF_SIGNAL!r})):
    for name in gone:
        if hasattr(of, name):
            delattr(of, name)
for name in names:
    importlib.import_module(name)
from aigc_demo.core import bounds, device, memory
from aigc_demo.core.process import stop_signals, system
os.environ[bounds.MEMORY_VARIABLE] = "500"
bounds.limit_memory()
stop_signals.stop_on_signals()
print(json.dumps({{
    "modules": len(names), "resource": system.resource is not None, "peak": system.peak_memory_mib(),
    "limit": system.address_space_limit_mib(), "gib": memory.memory_gib(), "cores": device.cpu_quota(),
    "killed": system.was_killed(137), "threads": device.set_threads(),
}}))
"""


def test_every_module_imports_and_measures_without_posix() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS], capture_output=True, text=True, check=False, cwd=ROOT, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["modules"] > 200
    assert not found["resource"] and not found["killed"]
    assert 100 < found["peak"] < psutil.virtual_memory().total / 2**20  # torch and gradio alone take that
    assert found["limit"] is None
    assert 0.1 < found["gib"] <= psutil.virtual_memory().total / 2**30 + 0.1
    assert 1 <= found["threads"] <= found["cores"] <= (os.cpu_count() or 1)


def test_on_windows_the_peak_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    held = SimpleNamespace(rss=5 * 2**20, peak_wset=7 * 2**20)
    monkeypatch.setattr(system, "resource", None)
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(memory_info=lambda: held))
    assert system.peak_memory_mib() == 7
    del held.peak_wset
    assert system.peak_memory_mib() == 5


def test_a_system_without_affinity_lets_a_process_use_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 11)
    monkeypatch.setattr(psutil, "Process", SimpleNamespace)  # as on macOS: no cpu_affinity
    assert system.cores_allowed() == 11


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_the_affinity_mask_counts() -> None:
    code = (
        "import os\nfrom aigc_demo.core.process.system import cores_allowed\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nprint(cores_allowed())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "1\n"


def test_a_child_in_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "getsid"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, **system.session_of_its_own())
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
        child.communicate(b"\n", timeout=30)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    monkeypatch.setattr(system, "os", SimpleNamespace(name="nt"))
    assert system.session_of_its_own() == {"creationflags": 512}


def posix_of(tree: ast.AST) -> set[str]:
    """What a module asks for that Windows has not."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            names = {name.name for name in node.names}
            found |= {str(node.module)} & MODULES
            found |= names & {"os": OF_OS, "signal": OF_SIGNAL}.get(str(node.module), set())
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = {"os": OF_OS, "signal": OF_SIGNAL}.get(node.value.id, set())
            found |= {node.attr} & known
        elif isinstance(node, ast.keyword):
            found |= {str(node.arg)} & OF_POPEN
    return found


def test_what_it_looks_for_is_found() -> None:
    written = "import resource\nfrom os import fork\nos.kill(1, signal.SIGKILL)\nPopen(preexec_fn=f)\n"
    assert posix_of(ast.parse(written)) == {"resource", "fork", "SIGKILL", "preexec_fn"}
    assert "resource" in posix_of(ast.parse(DOOR.read_text("utf-8")))


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path not in (DOOR, ALONE)], ids=lambda path: path.stem
)
def test_nobody_else_asks_for_posix(path: Path) -> None:
    found = posix_of(ast.parse(path.read_text("utf-8")))
    if path.parent.name == "benchmarks":  # these measure on Linux; that they start is enough
        found &= MODULES
    assert found == set()
