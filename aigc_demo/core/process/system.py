"""Operating system differences: functions that need a POSIX module or signal missing on Windows.

Where the system has no such function, psutil is used, or the result is None or 0 for unknown.
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
    """Peak memory of this process in MiB (resident set size)."""
    if resource is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (MIB if sys.platform == "darwin" else 1024)
    held = psutil.Process().memory_info()
    return getattr(held, "peak_wset", held.rss) / MIB


def peak_address_space_mib() -> float:
    """Peak address space of this process in MiB; 0 if unknown."""
    try:
        found = re.search(r"VmPeak:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    except OSError:  # only Linux has this file
        found = None
    return int(found[1]) / 1024 if found else 0.0


def address_space_limit_mib() -> float | None:
    """This process's limit of address space (`ulimit -v`) in MiB; None if unlimited."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft / MIB


def limit_address_space(num_bytes: int) -> None:
    """Limit this process's address space, where the system supports it (macOS does not)."""
    _limit("RLIMIT_AS", num_bytes)


def forbid_files_and_core_dumps() -> None:
    """Forbid this process to write files and core dumps, where the system supports such limits."""
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_CORE", 0)


def _limit(name: str, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        if resource is not None:
            resource.setrlimit(getattr(resource, name), (most, most))


def memory_bytes() -> int | None:
    """The machine's memory; None if unknown."""
    with contextlib.suppress(psutil.Error, OSError, RuntimeError):
        return psutil.virtual_memory().total or None
    return None


def cores_allowed() -> int:
    """The number of cores in this process's affinity mask; all cores where there is no mask."""
    with contextlib.suppress(psutil.Error, OSError, AttributeError):  # macOS has no such mask
        return len(psutil.Process().cpu_affinity() or ()) or os.cpu_count() or 1
    return os.cpu_count() or 1


def user_number() -> int | None:
    """The effective user id of this process; None on Windows."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def was_killed(returncode: int | None) -> bool:
    """Whether a process was ended by SIGKILL, as the system does when memory runs out."""
    kill = getattr(signal, "SIGKILL", None)
    return kill is not None and returncode in (-kill, 128 + kill)


def session_of_its_own() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` for a child that survives its parent and gets none of its Ctrl-C."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}
