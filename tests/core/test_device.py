"""Threads follow the container's quota; random streams follow their seed."""

import subprocess
import sys

import pytest
import torch

from aigc_demo.core import device
from aigc_demo.core.device import cpu_quota, seeded, set_threads


@pytest.fixture
def sixteen_cores(monkeypatch):
    """A host with 16 cores, whatever the machine of the test has."""
    monkeypatch.setattr(device, "cores_allowed", lambda: 16)


def write(root, name, text):
    path = root / "sys/fs/cgroup" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000\n", 2),
        ("250000 100000\n", 3),  # half a core more is worth a thread
        ("50000 100000\n", 1),
        ("6400000 100000\n", 16),  # never more than the host has
        ("max 100000\n", 16),
        ("100000 0\n", 16),
        ("garbage\n", 16),
        ("", 16),
    ],
)
def test_quota_of_version_2(tmp_path, text, cores):
    write(tmp_path, "cpu.max", text)
    assert cpu_quota(tmp_path) == cores


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [("300000", "100000", 3), ("-1", "100000", 16), ("150000", "50000", 3), ("100000", "0", 16)],
)
def test_quota_of_version_1(tmp_path, quota, period, cores):
    write(tmp_path, "cpu/cpu.cfs_quota_us", quota)
    write(tmp_path, "cpu/cpu.cfs_period_us", period)
    assert cpu_quota(tmp_path) == cores


@pytest.mark.usefixtures("sixteen_cores")
def test_without_a_quota_the_affinity_mask_counts(tmp_path):
    assert cpu_quota(tmp_path) == 16


@pytest.mark.usefixtures("sixteen_cores")
def test_the_smaller_of_two_quotas_counts(tmp_path):
    write(tmp_path, "cpu.max", "500000 100000")
    write(tmp_path, "cpu/cpu.cfs_quota_us", "300000")
    write(tmp_path, "cpu/cpu.cfs_period_us", "100000")
    assert cpu_quota(tmp_path) == 3


@pytest.mark.parametrize(
    ("processes", "wanted", "threads"),
    [
        (1, None, 5),
        (2, None, 2),
        (7, None, 1),
        (1, "1", 1),
        (1, "3,1", 3),  # one number for each level of nesting
        (2, "4", 2),  # at most, not at least
        (1, "0", 1),
        (1, "many", 5),
        (1, "", 5),
    ],
)
def test_processes_share_the_cores(monkeypatch, processes, wanted, threads):
    monkeypatch.setattr(device, "cpu_quota", lambda: 5)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if wanted is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    before = torch.get_num_threads()
    try:
        assert set_threads(processes) == threads
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_seed_gives_its_stream_and_leaves_the_global_one_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = torch.rand(5, generator=seeded(11))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(first, torch.rand(5, generator=seeded(11)))
    assert not torch.equal(first, torch.rand(5, generator=seeded(12)))


def test_peak_memory_sees_what_was_held():
    """In a process of its own: the whole suite's peak would have to be topped here."""
    code = (
        "from aigc_demo.core.process.system import peak_memory_mib\n"
        "before = peak_memory_mib()\n"
        "held = b'x' * int((before + 64) * 2**20)\n"
        "del held\n"
        "print(peak_memory_mib() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 64 <= float(done.stdout) < 1024
