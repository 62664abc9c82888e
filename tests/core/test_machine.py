"""A machine made of files says what it is."""

from pathlib import Path

import pytest
import torch

from aigc_demo.core.machine import machine_facts, processor
from aigc_demo.core.memory import memory_gib


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: Test CPU @ 2.00GHz\n" * 2)
    (tmp_path / "sys/fs/cgroup/cpu").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("100000 100000\n")
    (tmp_path / "sys/fs/cgroup/memory.max").write_text(f"{96 * 2**20}\n")
    return tmp_path


def test_facts_name_the_processor_and_the_share_of_it(root):
    facts = machine_facts(torch.device("cpu"), root)
    assert facts == {
        "processor": "Test CPU @ 2.00GHz",
        "cores": 1,
        "threads": torch.get_num_threads(),
        "memory_gib": 0.1,
        "accelerator": None,
    }


def test_a_system_that_tells_nothing_is_named_by_its_architecture(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert processor(tmp_path) == "riscv64"
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor : 0\n")
    assert processor(tmp_path) == "riscv64"


def test_no_limit_means_all_memory_of_the_machine(root):
    (root / "sys/fs/cgroup/memory.max").write_text("max\n")
    whole = memory_gib(root)
    assert whole is not None
    assert whole > 0.2
