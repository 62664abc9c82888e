"""Two ways of doing one thing, timed in turn, so that a machine that slows down slows down both."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from aigc_demo.core.device import cpu_quota
from aigc_demo.core.proxies import configure_proxies

configure_proxies()  # what is measured is on this machine, and asked directly


def paired(ours: Callable[[], Any], peer: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Time both in turn, once to warm up and then `repeats` times.

    Returns:
        `ours_seconds` and `peer_seconds`, medians; `ratio`, the median over the pairs of peer over ours
        (above 1: ours is faster); `ratio_min` and `ratio_max` over the pairs.
    """
    ours(), peer()
    times = [(_seconds(ours), _seconds(peer)) for _ in range(repeats)]
    ratios = [slow / fast for fast, slow in times]
    return {
        "ours_seconds": statistics.median(fast for fast, _ in times),
        "peer_seconds": statistics.median(slow for _, slow in times),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(title: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows, or with --json one object a line and the machine with them."""
    machine = {
        "machine": platform.machine(),
        "cores": cpu_quota(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    if "--json" in sys.argv:
        for row in rows:
            print(json.dumps({"benchmark": title, **row, **machine}))
        return
    print(f"{title}  ({', '.join(f'{name} {value}' for name, value in machine.items())})")
    for row in rows:
        print("  " + "  ".join(f"{name} {_shown(value)}" for name, value in row.items()))


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
