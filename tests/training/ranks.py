"""A program in two processes that train together, as a launcher starts them but without the launcher.

torchrun and `accelerate launch` import torch themselves, and so does each process that they start. Tests of
what the processes do together start them here; that the launchers start them stands in test_processes.py.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env

from tests import forked_commands
from tests.ui.conftest import free_port

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def launch_environment(config: str) -> dict[str, str]:
    """What `accelerate launch` tells its processes of a file in configs/."""
    words = ["--config_file", str(CONFIGS / config), "-m", "aigc_demo"]
    options, *_ = _validate_launch_command(launch_command_parser().parse_args(words))
    return {**QUIET, **prepare_multi_gpu_env(options), "OMP_NUM_THREADS": "1"}


def run_ranks(words: Sequence[str], environment: Mapping[str, str] = QUIET) -> list[str]:
    """What the two print, by rank; none may fail."""
    group = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
    group |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = [
        forked_commands.start(
            words,
            env={**environment, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=forked_commands.PIPE,
            stderr=forked_commands.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = []
    try:
        for process in processes:
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors[-2000:]
            outputs.append(output)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return outputs
