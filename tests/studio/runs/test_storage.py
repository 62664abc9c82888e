import os

import pytest

from aigc_demo.studio.runs import storage


@pytest.fixture
def mounted(monkeypatch, tmp_path):
    """A storage that is mounted at tmp_path/data."""
    place = tmp_path / "data"
    (place / "deep").mkdir(parents=True)
    monkeypatch.setattr(os.path, "ismount", lambda path: os.fspath(path) == os.fspath(place))
    return place


@pytest.mark.parametrize(
    ("space", "runs", "lost"),
    [
        (None, None, False),
        (None, "elsewhere", False),
        ("owner/name", None, True),
        ("owner/name", "elsewhere", True),
        ("owner/name", "data", False),
        ("owner/name", "data/deep/runs", False),
    ],
)
def test_a_restart_takes_the_runs_of_a_space_unless_they_are_on_a_mounted_disk(
    mounted, monkeypatch, space, runs, lost
):
    for name, value in (("SPACE_ID", space), ("AIGC_DEMO_RUNS", runs)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert storage.lost_at_restart(mounted.parent / (runs or "runs")) == lost


def test_a_link_to_a_mounted_disk_leads_there(mounted):
    link = mounted.parent / "runs"
    link.symlink_to(mounted / "deep")
    assert storage.on_a_mount(link / "mine")
    assert not storage.on_a_mount(mounted.parent / "other")


def test_the_disk_of_the_root_is_no_mount_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: os.fspath(path) == os.sep)
    assert not storage.on_a_mount(tmp_path)
