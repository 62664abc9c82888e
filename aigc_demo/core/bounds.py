"""Memory and disk limits of a training process, read from environment variables that its parent sets.

The operating system enforces the memory limit, as a limit of address space: the allocation that exceeds it
fails, and the run ends with an error message. Disk use is checked after each checkpoint.
"""

import contextlib
import os
from pathlib import Path

from aigc_demo.core.errors import DemoError
from aigc_demo.core.process.system import MIB, limit_address_space

MEMORY_VARIABLE, DISK_VARIABLE = "AIGC_DEMO_WORKER_MEMORY_MIB", "AIGC_DEMO_WORKER_DISK_MIB"
# Address space that is reserved but not used: thread stacks, allocator arenas (measured: 1.2 GiB).
RESERVED_MIB = 2048


def limit_memory() -> None:
    """Limit the memory of this process as the environment says; call it before large allocations."""
    limit = memory_limit_mib()
    if limit:
        limit_address_space(round((limit + RESERVED_MIB) * MIB))


def memory_limit_mib() -> float:
    """The memory limit from the environment, in MiB; 0 for no limit."""
    return _mib(MEMORY_VARIABLE)


def check_disk(folder: Path) -> None:
    """Check that a run uses no more disk than the environment allows.

    Raises:
        DemoError: it uses more.
    """
    limit = _mib(DISK_VARIABLE)
    if not limit:
        return
    used = size(folder)
    if used > limit * MIB:
        raise DemoError("run_disk_full", used=round(used / MIB), limit=round(limit))


def size(folder: Path) -> int:
    """Total size in bytes of the files below a folder."""
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
