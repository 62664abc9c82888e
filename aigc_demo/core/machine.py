"""Hardware facts of this machine, for run records and model cards."""

import platform
from pathlib import Path
from typing import Any

import torch

from aigc_demo.core.device import cpu_quota
from aigc_demo.core.memory import memory_gib


def machine_facts(device: torch.device, root: Path = Path("/")) -> dict[str, Any]:
    """The hardware and this process's share of it; the host name is not included.

    Args:
        device: that the process computes on.
        root: of the file system with `proc` and `sys`.

    Returns:
        `processor`, `cores` (available to the process), `threads` (of torch), `memory_gib` (available to the
        process; None if unknown), `accelerator` (name of the GPU, or None).
    """
    return {
        "processor": processor(root),
        "cores": cpu_quota(root),
        "threads": torch.get_num_threads(),
        "memory_gib": memory_gib(root),
        "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def processor(root: Path = Path("/")) -> str:
    """The processor's model name; its architecture where /proc/cpuinfo has none."""
    try:
        lines = (root / "proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except (OSError, UnicodeDecodeError):
        names = []
    return names[0] if names and names[0] else platform.machine()
