"""The machine that does the work, as a receipt names it."""

import platform
from pathlib import Path
from typing import Any

import torch

from aigc_demo.core.device import cpu_quota
from aigc_demo.core.memory import memory_gib


def machine_facts(device: torch.device, root: Path = Path("/")) -> dict[str, Any]:
    """What this machine is and how much of it this process uses, without its name.

    Args:
        device: that the process computes on.
        root: of the files in which the system tells about itself.

    Returns:
        `processor`, `cores` (that the process may use), `threads` (that it computes with), `memory_gib`
        (that it may use, None where the system does not tell), `accelerator` (the name of a GPU, or None).
    """
    return {
        "processor": processor(root),
        "cores": cpu_quota(root),
        "threads": torch.get_num_threads(),
        "memory_gib": memory_gib(root),
        "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def processor(root: Path = Path("/")) -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = (root / "proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except (OSError, UnicodeDecodeError):
        names = []
    return names[0] if names and names[0] else platform.machine()
