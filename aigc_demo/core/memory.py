"""How much memory there is, and how much of it one model may take; without torch."""

from pathlib import Path

from aigc_demo.core.errors import InputError
from aigc_demo.core.process.system import memory_bytes

MODEL_SHARE = 0.6
"""Of all memory, what one model may take: the rest is for the page, other models, and a run."""
BYTES_A_NUMBER = 4  # float32, in which a CPU computes


def memory_gib(root: Path = Path("/")) -> float | None:
    """The memory that this process may use: the machine's, or the container's limit where that is less."""
    whole = memory_bytes()
    limits = [] if whole is None else [whole]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((root / "sys/fs/cgroup" / name).read_text()))
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
    return round(min(limits) / 2**30, 1) if limits else None


def check_fits(name: str, num_parameters: int, root: Path = Path("/")) -> None:
    """Refuse a model that is too large for this machine, before any memory is taken for it.

    Args:
        name: of the model, for the error.
        num_parameters: how many numbers its weights are, each 4 bytes in memory.
        root: of the files in which the system tells about itself.

    Raises:
        InputError: its weights would take more than MODEL_SHARE of the memory.
    """
    whole = memory_gib(root)
    needed = num_parameters * BYTES_A_NUMBER / 2**20
    limit = float("inf") if whole is None else whole * 1024 * MODEL_SHARE
    if needed > limit:
        raise InputError("model_needs_memory", name=name, needed=round(needed), limit=round(limit))
