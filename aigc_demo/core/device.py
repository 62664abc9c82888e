"""Device, threads and seeds."""

import copy
import math
import os
from pathlib import Path
from typing import Any

import torch

from aigc_demo.core.process.system import cores_allowed


def cpu_quota(root: Path = Path("/")) -> int:
    """The number of cores this process may use: the container's quota, not the host's core count.

    Reads cgroup v2's `cpu.max`, then v1's pair of files, then the affinity mask. At least 1.
    """
    allowed = cores_allowed()
    return max(1, min(allowed, _quota_v2(root) or allowed, _quota_v1(root) or allowed))


def _quota_v2(root: Path) -> int | None:
    try:
        quota, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max": no quota
        return None


def _quota_v1(root: Path) -> int | None:
    try:
        folder = root / "sys/fs/cgroup/cpu"
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return math.ceil(quota / int((folder / "cpu.cfs_period_us").read_text())) if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


def set_threads(processes: int = 1) -> int:
    """Set torch's number of threads to its share of the cores, and return it.

    `OMP_NUM_THREADS` in the environment can lower it.

    Args:
        processes: how many processes share the cores. More threads than cores wait for each other: two runs
            of two threads each on two cores reach less than a hundredth of the speed of one run alone.
    """
    threads = int(max(1, min(cpu_quota() // processes, _threads_wanted())))
    torch.set_num_threads(threads)
    return threads


def _threads_wanted() -> float:
    first, *_ = os.environ.get("OMP_NUM_THREADS", "").split(",")  # one number for each level of nesting
    return int(first) if first.strip().isdecimal() else math.inf


def copy_to(network: torch.nn.Module, device: str) -> torch.nn.Module:
    """A copy of a network on another device; shared weights stay shared."""
    tensors = (*network.parameters(), *network.buffers())
    moved: dict[int, Any] = {}
    for tensor in tensors:
        there = tensor.detach().to(device)
        is_weight = isinstance(tensor, torch.nn.Parameter)
        moved[id(tensor)] = torch.nn.Parameter(there, tensor.requires_grad) if is_weight else there
    return copy.deepcopy(network, moved)


def seeded(seed: int) -> torch.Generator:
    """A random generator on the CPU, so that a seed gives the same numbers on every device."""
    return torch.Generator(device="cpu").manual_seed(seed)


def precision(wanted: str) -> str:
    """The value of accelerate's `mixed_precision`; "auto" is bfloat16 where the hardware supports it."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return "bf16" if supported or getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)() else "no"
