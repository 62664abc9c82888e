"""Available memory, and the share of it that one model may use; does not import torch."""

from pathlib import Path

from aigc_demo.core.errors import InputError
from aigc_demo.core.process.system import memory_bytes

MODEL_SHARE = 0.6
"""Share of memory for one model: the rest is for the page, other models, and a run."""
BYTES_PER_PARAMETER = 4  # float32, in which a CPU computes


def memory_gib(root: Path = Path("/")) -> float | None:
    """Memory available to this process in GiB: the machine's, or the container's limit if that is lower."""
    whole = memory_bytes()
    limits = [] if whole is None else [whole]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((root / "sys/fs/cgroup" / name).read_text()))
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
    return round(min(limits) / 2**30, 1) if limits else None


def check_fits(name: str, num_parameters: int, root: Path = Path("/")) -> None:
    """Check that a model fits into this machine's memory, before its weights are allocated.

    Args:
        name: of the model, for the error.
        num_parameters: of the model, 4 bytes each.
        root: of the file system with `sys`.

    Raises:
        InputError: its weights need more than MODEL_SHARE of the memory.
    """
    whole = memory_gib(root)
    needed = num_parameters * BYTES_PER_PARAMETER / 2**20
    limit = float("inf") if whole is None else whole * 1024 * MODEL_SHARE
    if needed > limit:
        raise InputError("model_needs_memory", name=name, needed=round(needed), limit=round(limit))
