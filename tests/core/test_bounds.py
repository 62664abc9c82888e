import os
import subprocess
import sys

import pytest

from aigc_demo.core import bounds
from aigc_demo.core.errors import DemoError

TAKES = (
    "from aigc_demo.core.bounds import limit_memory\nlimit_memory()\n"
    "try:\n    taken = bytearray({mib} * 2**20)\n"
    "except MemoryError:\n    print('refused')\nelse:\n    print('taken')"
)


def outcome(mib, **environment):
    done = subprocess.run(
        [sys.executable, "-c", TAKES.format(mib=mib)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system bounds no address space")
def test_memory_ends_where_the_environment_says():
    beyond = bounds.RESERVED_MIB + 400
    assert outcome(beyond, **{bounds.MEMORY_VARIABLE: "300"}) == "refused"
    assert outcome(200, **{bounds.MEMORY_VARIABLE: "300"}) == "taken"
    assert outcome(200, **{bounds.MEMORY_VARIABLE: "a lot"}) == "taken"


def test_disk_is_counted_below_the_run_and_refused_beyond_the_bound(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "weights").write_bytes(b"x" * 2**20)
    (tmp_path / "config.json").write_bytes(b"x")
    bounds.check_disk(tmp_path)
    monkeypatch.setenv(bounds.DISK_VARIABLE, "2")
    bounds.check_disk(tmp_path)
    monkeypatch.setenv(bounds.DISK_VARIABLE, "1")
    with pytest.raises(DemoError) as caught:
        bounds.check_disk(tmp_path)
    assert (caught.value.key, caught.value.values) == ("run_disk_full", {"used": 1, "limit": 1})
