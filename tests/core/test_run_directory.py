"""A run on disk is whole at every moment, whatever was killed in the middle of writing."""

import errno
import json
import logging
import math
import os
import shutil
import warnings
from itertools import pairwise

import pytest
from PIL import Image

from aigc_demo.core import run_directory
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import CheckpointSaved, RunFinished, SampleReady, StepDone, from_json
from aigc_demo.core.files.manifest import build_manifest, invalid_file, step_of
from aigc_demo.core.run_directory import LOGGER, RunDirectory

CONFIG = {"recipe": "gpt", "data": "床前.txt", "settings": {"learning_rate": 0.003}}


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "runs" / "mine")
    directory.create(CONFIG)
    return directory


def fill(folder):
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "state").mkdir()
    (folder / "state" / "random.bin").write_bytes(b"abc")


def save(run, step):
    fill(run.begin_checkpoint(step))
    return run.finish_checkpoint(step)


def test_create_writes_the_config_and_the_folders(run):
    assert run.exists()
    assert run.config() == CONFIG
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "config.json", "samples"]
    assert "床前.txt" in (run.path / "config.json").read_text("utf8")


def test_a_second_run_in_the_same_place_is_refused_and_the_first_is_kept(run):
    with pytest.raises(InputError, match="already holds a run; add --resume"):
        run.create({"recipe": "gpt2"})
    assert run.config() == CONFIG


def test_no_run_and_a_broken_config_are_said_in_a_sentence(tmp_path, run):
    with pytest.raises(InputError) as caught:
        RunDirectory(tmp_path / "nothing").config()
    assert caught.value.key == "no_run"
    (run.path / "config.json").write_text("{")
    with pytest.raises(InputError) as caught:
        run.config()
    assert caught.value.key == "broken_checkpoint"


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError) as caught:
        RunDirectory(tmp_path / "file" / "run").create(CONFIG)
    assert caught.value.key == "cannot_write"


def test_events_come_back_in_order(run):
    assert list(run.events()) == []
    happened = [StepDone(1, 3.5), SampleReady(1, text="明月\nplum"), CheckpointSaved(1, "x")]
    for event in happened:
        run.append(event)
    assert list(run.events()) == happened
    assert len(run.events_path.read_text("utf8").splitlines()) == 3


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_line_half_written_is_passed_over(run, cut):
    """Cut anywhere, in the middle of a Chinese character too."""
    run.append(StepDone(1, 3.5))
    whole = run.events_path.stat().st_size
    run.append(SampleReady(1, text="床前明月光"))
    data = run.events_path.read_bytes()
    run.events_path.write_bytes(data[: max(whole, len(data) - 1 - cut)])
    assert list(run.events()) == [StepDone(1, 3.5)]


def test_rewind_drops_what_came_after_and_the_end(run):
    for event in [
        StepDone(2, 3.0),
        CheckpointSaved(2, "x"),
        StepDone(3, math.nan),
        RunFinished(2, "stopped"),
    ]:
        run.append(event)
    run.rewind_events(2)
    lines = run.events_path.read_text("utf8").splitlines()
    assert [from_json(line) for line in lines] == [StepDone(2, 3.0), CheckpointSaved(2, "x")]


def test_a_checkpoint_is_not_seen_until_it_is_whole(run):
    beside = run.begin_checkpoint(500)
    fill(beside)
    assert run.checkpoints() == []
    place = run.finish_checkpoint(500)
    assert place == run.path / "checkpoints" / "step-000500"
    assert run.checkpoints() == run.resumable() == [place]
    assert step_of(place) == 500
    assert [path.name for path in place.parent.iterdir()] == ["step-000500"]


def test_manifest_names_every_file_with_size_and_hash(run):
    place = save(run, 7)
    listed = json.loads((place / "manifest.json").read_text())
    assert listed == build_manifest(place)
    assert sorted(listed) == ["model.safetensors", "state/random.bin"]
    # SHA-256 of "abc" is the standard's own example.
    standard = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert listed["state/random.bin"] == {"bytes": 3, "sha256": standard}


def test_one_that_was_never_finished_leaves_nothing_in_the_next(run):
    first = save(run, 100)
    beside = run.begin_checkpoint(200)
    (beside / "half.safetensors").write_bytes(b"wei")
    assert run.resumable() == [first]
    assert invalid_file(first, read_all=True) == ""
    second = save(run, 200)
    assert sorted(path.name for path in second.iterdir()) == ["manifest.json", "model.safetensors", "state"]


def test_the_same_step_again_replaces_the_first(run):
    save(run, 100)
    (run.begin_checkpoint(100) / "model.safetensors").write_bytes(b"newer weights")
    place = run.finish_checkpoint(100)
    assert (place / "model.safetensors").read_bytes() == b"newer weights"
    assert run.checkpoints() == [place]
    assert run.resumable() == []


def test_a_full_disk_is_said_in_a_sentence_and_the_checkpoint_before_is_kept(run, monkeypatch):
    first = save(run, 100)
    fill(run.begin_checkpoint(200))

    def full_disk(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_directory, "write_atomically", full_disk)
    with pytest.raises(DemoError, match="No space left on device"):
        run.finish_checkpoint(200)
    assert run.resumable() == [first]


def test_training_state_is_kept_for_the_last_two(run):
    places = [save(run, step) for step in (100, 200, 300)]
    assert run.checkpoints() == places
    assert run.resumable() == places[1:]
    assert not (places[0] / "state").exists()


def test_a_step_past_a_million_is_still_the_newest(run):
    places = [save(run, step) for step in (999_999, 1_000_000)]
    assert run.checkpoints() == places


def test_a_shortened_file_and_an_unfinished_folder_are_not_seen(run):
    place = save(run, 100)
    (place.parent / "step-000200").mkdir()
    assert run.checkpoints() == [place]
    (place / "model.safetensors").write_bytes(b"weight")
    assert invalid_file(place) == "model.safetensors"
    assert run.checkpoints() == []


def test_a_changed_file_of_the_same_size_is_found_by_its_hash(run):
    place = save(run, 100)
    (place / "model.safetensors").write_bytes(b"weightz")
    assert invalid_file(place) == ""
    assert invalid_file(place, read_all=True) == "model.safetensors"


@pytest.mark.parametrize(
    "text", ["", "[]", "[1]", "3", '{"model.safetensors": 7}', '{"model.safetensors": {}}']
)
def test_a_foreign_manifest_makes_a_broken_checkpoint(run, text):
    place = save(run, 100)
    (place / "manifest.json").write_text(text)
    assert invalid_file(place) == "manifest.json"


def write_sheet(run, shade):
    run.write_sample_image(2, Image.new("RGB", (4, 4), (shade, shade, shade)))


REWRITES = {
    "config.json": (lambda run: run.change_config(steps=1), lambda run: run.change_config(steps=2000)),
    "events.jsonl": (lambda run: run.rewind_events(2), lambda run: run.rewind_events(1)),
    "samples/step-000002.txt": (
        lambda run: run.write_sample(2, "床前"),
        lambda run: run.write_sample(2, "明"),
    ),
    "samples/step-000002.png": (lambda run: write_sheet(run, 0), lambda run: write_sheet(run, 255)),
}


def written_once(run, name):
    """The file as it is after the first of two writes; what the second one does."""
    for step in (1, 2):
        run.append(StepDone(step, 3.5))
    first, second = REWRITES[name]
    first(run)
    return run.path / name, second


def files_of(run):
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", REWRITES)
def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(run, monkeypatch, name):
    path, write = written_once(run, name)
    old, seen = path.read_bytes(), []
    replace = type(path).replace

    def replaced(beside, target):
        seen.append((target, target.read_bytes(), beside.read_bytes()))
        return replace(beside, target)

    monkeypatch.setattr(type(path), "replace", replaced)
    write(run)
    new = path.read_bytes()
    assert new != old and seen == [(path, old, new)], "what takes the name at once is whole by then"
    assert not [one for one in files_of(run) if one.name.startswith(".")]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", REWRITES)
def test_where_writing_fails_half_way_the_old_file_stays_and_nothing_beside_it(run, monkeypatch, name, error):
    _, write = written_once(run, name)
    before = files_of(run)

    def half_written(*rest, **others):
        beside = [path for path, content in files_of(run).items() if before.get(path) != content]
        assert [path.name.startswith(".") for path in beside] == [True], "half of it is there, hidden"
        raise error

    def half_a_image(image, path, format):
        path.write_bytes(b"\x89PNG")
        half_written()

    monkeypatch.setattr(os, "fsync", half_written)
    monkeypatch.setattr(Image.Image, "save", half_a_image)
    with pytest.raises(DemoError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        write(run)
    assert getattr(caught.value, "key", "cannot_write") == "cannot_write"
    assert files_of(run) == before


def test_a_checkpoint_whose_manifest_cannot_be_written_is_none(run, monkeypatch):
    place = save(run, 1)
    fill(run.begin_checkpoint(2))

    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DemoError, match="No space left"):
        run.finish_checkpoint(2)
    assert run.checkpoints() == [place]
    assert not (run.path / "checkpoints/step-000002").exists()
    monkeypatch.undo()
    assert step_of(save(run, 2)) == 2, "and once there is room, the same step is written"


def test_a_sample_is_a_file_of_its_step(run):
    assert run.write_sample(500, "床前\r\n") == "samples/step-000500.txt"
    assert (run.path / "samples/step-000500.txt").read_bytes() == "床前\r\n".encode()


def test_the_log_keeps_what_libraries_warn_of_and_what_is_logged(run):
    for number in (1, 2):
        with run.keep_log(), warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"an old name, {number}", DeprecationWarning, stacklevel=1)
            logging.getLogger("some.library").error("half of a character: \ud800")
            logging.getLogger("some.library").info("chatter")
            LOGGER.info("from step 0")
    lines = (run.path / "run.log").read_text("utf8").splitlines()
    messages = [line.split(" ", 2)[2] for line in lines if line.startswith("20")]
    assert [line for line in messages if not line.startswith("WARNING")] == [
        "ERROR some.library: half of a character: ?",
        "INFO aigc_demo: from step 0",
    ] * 2
    assert [line.rpartition(": ")[2] for line in messages if "DeprecationWarning" in line] == [
        "an old name, 1",
        "an old name, 2",
    ]


def test_no_training_fails_for_its_log(tmp_path):
    with RunDirectory(tmp_path / "nowhere").keep_log():
        LOGGER.warning("lost")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("killed_at", [1, 2])
def test_killed_while_it_removes_what_is_old_every_checkpoint_is_whole(run, monkeypatch, killed_at):
    """Half of the files of an old state, or of a checkpoint that is written anew, are gone by then."""
    for step in (10, 20):
        save(run, step)
    again = 30 if killed_at == 1 else 20  # the state of the first grows old; or the second is replaced
    fill(run.begin_checkpoint(again))
    rmtree = shutil.rmtree

    def killed(folder, **rest):
        if folder.exists():
            next(path for path in sorted(folder.rglob("*")) if path.is_file()).unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run.finish_checkpoint(again)
    named = list((run.path / "checkpoints").glob("step-*"))
    assert [invalid_file(path, read_all=True) for path in named] == [""] * len(named)
    assert len(named) == (3 if killed_at == 1 else 1)
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    save(run, 40)
    assert not list((run.path / "checkpoints").glob(".*"))  # what the killed one left takes no place


@pytest.mark.parametrize("num_saved", [21, 60, 200])
def test_twenty_checkpoints_are_kept_the_first_the_last_two_and_an_even_spread(run, num_saved):
    steps = [10 * number for number in range(1, num_saved + 1)]
    for step in steps:
        save(run, step)
    kept = [step_of(path) for path in run.checkpoints()]
    assert len(kept) == 20
    assert kept[0] == 10
    assert kept[-2:] == steps[-2:]
    # Of what lies between, no gap is more than four times an even one, and none is nought.
    gaps = [after - before for before, after in pairwise(kept[:-1])]
    assert max(gaps) <= 4 * (kept[-2] - kept[0]) / 18
    assert [step_of(path) for path in run.resumable()] == steps[-2:]
    assert not list((run.path / "checkpoints").glob(".*"))


def test_a_checkpoint_by_its_step(run, tmp_path):
    with pytest.raises(InputError) as caught:
        run.checkpoint()
    assert caught.value.key == "nothing_to_export"
    early, late = save(run, 5), save(run, 10)
    assert (run.checkpoint(), run.checkpoint(10), run.checkpoint(5)) == (late, late, early)
    with pytest.raises(InputError, match="no whole checkpoint at step 7; choose one of 5, 10"):
        run.checkpoint(7)
    (late / "model.safetensors").unlink()
    assert run.checkpoint() == early
    with pytest.raises(InputError) as caught:
        RunDirectory(tmp_path / "nowhere").checkpoint()
    assert caught.value.key == "unknown_run"
