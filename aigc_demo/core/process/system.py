"""What systems do differently, in one place: POSIX has modules, functions and signals that Windows has not.

Everything else in the project runs alike everywhere; where a system has no such thing, psutil answers, or the
answer is that it is not known.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MIB = 2**20


def peak_memory_mib() -> float:
    """The most memory this process ever held, in MiB (resident set, as the system counts it)."""
    if resource is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (MIB if sys.platform == "darwin" else 1024)
    held = psutil.Process().memory_info()
    return getattr(held, "peak_wset", held.rss) / MIB


def peak_address_space_mib() -> float:
    """The most address space that this process ever reserved; 0 where the system does not tell."""
    try:
        found = re.search(r"VmPeak:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    except OSError:  # Linux alone tells it
        found = None
    return int(found[1]) / 1024 if found else 0.0


def address_space_limit_mib() -> float | None:
    """This process's own limit of address space (`ulimit -v`); None where it has none."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft / MIB


def limit_address_space(num_bytes: int) -> None:
    """Hold this process to so much address space, where the system knows such a limit (macOS does not)."""
    _limit("RLIMIT_AS", num_bytes)


def forbid_files_and_core_dumps() -> None:
    """Let this process write no file, and leave none when it crashes, where the system knows such limits."""
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_CORE", 0)


def _limit(name: str, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        if resource is not None:
            resource.setrlimit(getattr(resource, name), (most, most))


def memory_bytes() -> int | None:
    """The machine's memory; None where the system does not tell."""
    with contextlib.suppress(psutil.Error, OSError, RuntimeError):
        return psutil.virtual_memory().total or None
    return None


def cores_allowed() -> int:
    """How many cores the system lets this process use, which may be fewer than the machine has."""
    with contextlib.suppress(psutil.Error, OSError, AttributeError):  # macOS has no such mask
        return len(psutil.Process().cpu_affinity() or ()) or os.cpu_count() or 1
    return os.cpu_count() or 1


def user_number() -> int | None:
    """The number of the user whose process this is; None where users have none (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def was_killed(returncode: int | None) -> bool:
    """Whether a process that ended with this was killed, as the system does where memory runs out."""
    kill = getattr(signal, "SIGKILL", None)
    return kill is not None and returncode in (-kill, 128 + kill)


def session_of_its_own() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` for a child that ends neither with its parent nor with its Ctrl-C."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}
