"""Bounds of one training: whoever starts its process sets them in the environment, and it keeps them itself.

Memory is bounded by the system, as address space: what does not fit fails in the very operation that asks for
it, and the run says so in a sentence. Disk is looked at after each checkpoint.
"""

import contextlib
import os
from pathlib import Path

from aigc_demo.core.errors import DemoError
from aigc_demo.core.process.system import MIB, limit_address_space

MEMORY_VARIABLE, DISK_VARIABLE = "AIGC_DEMO_WORKER_MEMORY_MIB", "AIGC_DEMO_WORKER_DISK_MIB"
# Address space that is reserved and not used: stacks of threads, arenas of the allocator (measured: 1.2 GiB).
RESERVED_MIB = 2048


def bound_memory() -> None:
    """Hold this process to the memory that the environment names; to be called before it takes any."""
    limit = memory_bound_mib()
    if limit:
        limit_address_space(round((limit + RESERVED_MIB) * MIB))


def memory_bound_mib() -> float:
    """Memory that the environment gives to this process; 0 where it says nothing."""
    return _mib(MEMORY_VARIABLE)


def check_disk(folder: Path) -> None:
    """Refuse to go on where a run has taken more disk than the environment names.

    Raises:
        DemoError: it has.
    """
    limit = _mib(DISK_VARIABLE)
    if not limit:
        return
    used = size(folder)
    if used > limit * MIB:
        raise DemoError("run_disk_full", used=round(used / MIB), limit=round(limit))


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(root, name)).st_size
    return total


def _mib(variable: str) -> float:
    try:
        return float(os.environ.get(variable, ""))
    except ValueError:
        return 0.0
