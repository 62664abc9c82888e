"""The runs while the folder of one of them does not answer, as on a mounted storage."""

import sys
import threading
from pathlib import Path

import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import CheckpointSaved, RunFinished, SampleReady, StepDone
from aigc_demo.core.process.worker import Worker
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs import notes as run_notes
from aigc_demo.studio.runs import patient_reads
from aigc_demo.studio.runs import watch as run_watch
from aigc_demo.studio.runs.job import Job, hashed
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.samples import PNG_SIGNATURE
from aigc_demo.studio.runs.watch import RunWatches, image_key
from tests.studio.runs.test_run_queue import until
from tests.studio.slow_disk import hanging

WORKER = Path(__file__).with_name("queue_worker.py")
ANNA, BELA = "anna's secret", "bela's secret"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(patient_reads, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(run_watch, "REFRESH_SECONDS", 0.0)
    executed = property(lambda job: [sys.executable, str(WORKER), *job.arguments])
    monkeypatch.setattr(Job, "executed", executed)


def ended(folder: Path, secret: str, steps: int = 3) -> Path:
    run = RunDirectory(folder)
    run.create({"recipe": "dcgan", "steps": steps, "settings": {}})
    for number in range(1, steps + 1):
        run.append(StepDone(number, 1 / number, {"seconds": number}))
    run.append(SampleReady(steps, file=f"samples/step-{steps:06d}.png"))
    (folder / "samples" / f"step-{steps:06d}.png").write_bytes(PNG_SIGNATURE + folder.name.encode())
    run.append(RunFinished(steps, "finished"))
    Job(hashed(secret), ("train", "dcgan"), "ended", 0.0).save(folder)
    return folder


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def slow(runs):
    return ended(runs / "annas", ANNA)


@pytest.fixture
def other(runs):
    return ended(runs / "belas", BELA)


def test_the_list_goes_on_without_the_one_or_with_what_was_known_of_it(runs, slow, other, monkeypatch):
    fresh, informed = RunQueue(runs), RunQueue(runs)
    assert set(informed.names()) == {"annas", "belas"}
    before = informed.state("annas")
    with hanging(monkeypatch, slow) as held:
        assert fresh.names() == ["belas"]
        assert set(informed.names()) == {"annas", "belas"}
        assert (informed.state("annas"), informed.state("belas").stands) == (before, "finished")
        assert set(informed.states(["annas", "belas"])) == {"annas", "belas"}
        assert set(fresh.states(["annas", "belas"])) == {"belas"}
        assert held != []
        with pytest.raises(DemoError) as refused:
            fresh.state("annas")
        assert refused.value.key == "disk_slow"
    until(lambda: set(fresh.names()) == {"annas", "belas"})


def test_who_is_asked_for_by_a_name_that_none_can_have_touches_no_disk(runs, slow, monkeypatch):
    queue = RunQueue(runs)
    with hanging(monkeypatch, runs):
        for name in ("../annas", "", None, ["annas"], "a/b", "x" * 200):
            with pytest.raises(InputError):
                queue.state(name)
            with pytest.raises(InputError):
                RunWatches(queue).view(name)


def test_others_look_at_their_runs_and_who_looks_at_the_slow_one_sees_it_as_it_was(
    runs, slow, other, monkeypatch
):
    watches = RunWatches(RunQueue(runs))
    before = watches.view("annas")
    assert (before.state.step, watches.sample_image("annas", 3, image_key("annas"))) == (
        3,
        PNG_SIGNATURE + b"annas",
    )
    with hanging(monkeypatch, slow):
        for fresh in (False, True):
            assert watches.view("belas", fresh=fresh).state.step == 3
            assert watches.view("annas", fresh=fresh) is before
        assert watches.sample_image("belas", 3, image_key("belas")) == PNG_SIGNATURE + b"belas"
        assert watches.sample_image("annas", 3, image_key("annas")) is None
    RunDirectory(slow).append(StepDone(9, 0.1, {"seconds": 9}))
    until(lambda: watches.view("annas").state.step == 9)


def test_others_order_stop_resume_and_delete(runs, slow, monkeypatch):
    queue = RunQueue(runs)
    queue.names()
    with hanging(monkeypatch, slow):
        first = queue.order("gpt", "tiny-world", secret=BELA, budget=("--steps", "10000"))
        second = queue.order("gpt", "tiny-world", secret=BELA, budget=("--steps", "3"))
        assert (queue.state(first).stands, queue.place(second)) == ("running", 1)
        assert queue.used_bytes(ANNA) == 0
        assert queue.used_bytes(BELA) > 0
        queue.stop(second, BELA)
        queue.delete(second, BELA)
        queue.stop(first, BELA)
        until(lambda: queue.state(first).stands == "stopped")
        queue.resume(first, BELA)
        assert queue.state(first).stands == "running"
        queue.stop(first, BELA)
        until(lambda: queue.state(first).stands == "stopped")
        assert (queue.belongs_to(first, BELA), queue.names_of(BELA)) == (True, [first])
    queue.close()


def test_a_run_that_trains_on_a_disk_that_went_silent_still_counts_and_is_not_ended(runs, slow, monkeypatch):
    queue = RunQueue(runs)
    trains = queue.order("gpt", "tiny-world", secret=ANNA, budget=("--steps", "100000"))
    assert queue.state(trains).stands == "running"
    process = Job.load(runs / trains).worker(runs / trains).process
    queue.names()  # the queue has seen it under way
    child = queue._children.pop(trains)  # as after a restart of the server
    with hanging(monkeypatch, runs / trains):
        waits = queue.order("gpt", "tiny-world", secret=BELA, budget=("--steps", "3"))
        queue.rules = type(queue.rules)(silence_seconds=0.0)
        queue._tend()
        assert process.is_running()
        assert queue.state(waits).stands == "waiting"
    queue.rules = type(queue.rules)()
    queue.stop(trains, ANNA)
    until(lambda: queue._tend() or queue.state(waits).stands == "finished")
    assert child.wait(20) == 0
    queue.close()


def test_a_run_that_waits_on_a_disk_that_went_silent_lets_the_next_one_go_first(runs, slow, monkeypatch):
    queue = RunQueue(runs)
    names = [
        queue.order("gpt", "tiny-world", secret=secret, budget=("--steps", steps))
        for secret, steps in ((ANNA, "100000"), (BELA, "3"), (BELA, "3"))
    ]
    queue.names()
    with hanging(monkeypatch, runs / names[1]):
        queue.stop(names[0], ANNA)
        until(lambda: queue._tend() or queue.state(names[2]).stands == "finished")
    until(lambda: queue._tend() or queue.state(names[1]).stands == "finished")
    queue.close()


def test_a_ticket_that_cannot_be_seen_for_a_moment_does_not_let_two_train(runs, monkeypatch):
    queue = RunQueue(runs)
    first = queue.order("gpt", "tiny-world", secret=ANNA, budget=("--steps", "100000"))
    hidden = runs / first / "ticket.json"
    hidden.rename(hidden.with_name("aside"))
    second = queue.order("gpt", "tiny-world", secret=BELA, budget=("--steps", "3"))
    assert Job.load(runs / second).stage == "waiting"
    hidden.with_name("aside").rename(hidden)
    queue.stop(first, ANNA)
    until(lambda: queue._tend() or queue.state(second).stands == "finished")
    queue.close()


def test_a_run_whose_folder_takes_no_writing_keeps_no_other_waiting(runs, monkeypatch):
    queue = RunQueue(runs)
    gone = Job(hashed(ANNA), ("train", "gpt"), "started", 0.0, pid=2**22 + 1, born=1.0)
    for name in ("a-broken", "b-broken"):
        (runs / name).mkdir(parents=True)
        gone.save(runs / name)
    saved = Job.save

    def save(job, folder):
        if folder.name.endswith("broken"):
            raise DemoError("cannot_write", path=str(folder), detail="Input/output error")
        return saved(job, folder)

    monkeypatch.setattr(Job, "save", save)
    mine = queue.order("gpt", "tiny-world", secret=BELA, budget=("--steps", "3"))
    until(lambda: queue._tend() or queue.state(mine).stands == "finished")
    queue.close()


def test_the_pickers_of_models_offer_the_others(runs, slow, other, monkeypatch):
    asked = []
    catalog = Catalog(RunQueue(runs))
    monkeypatch.setattr(catalog._of_runs, "_read", lambda name: asked.append(name))
    with hanging(monkeypatch, slow):
        catalog.choices("pictures")
    assert asked == ["belas"]


def test_a_slow_disk_is_read_by_several_at_once(runs, monkeypatch):
    for number in range(6):
        ended(runs / f"run-{number}", ANNA)
    together, most = threading.Barrier(6), []
    read = run_notes.size

    def slowly(folder):
        most.append(together.wait(20))  # all six are there, or nobody goes on
        return read(folder)

    notes = run_notes.RunNotes(runs)
    monkeypatch.setattr(notes._sizes, "_read", slowly)
    monkeypatch.setattr(patient_reads, "PATIENCE_SECONDS", 30.0)
    folders = [runs / f"run-{number}" for number in range(6)]
    assert notes.bytes_of(folders) == sum(map(read, folders))
    assert sorted(most) == list(range(6))


def test_a_checkpoint_that_is_seen_later_than_it_was_announced(runs):
    run = RunDirectory(runs / "late")
    run.create({"recipe": "gpt", "steps": 10, "settings": {}})
    watches = RunWatches(RunQueue(runs))
    for step in (1, 2):
        beside = run.begin_checkpoint(step)
        (beside / "config.json").write_text("{}")
        run.finish_checkpoint(step)
        run.append(CheckpointSaved(step, f"checkpoints/step-{step:06d}"))
    place = run.checkpoint(2)
    hidden = place.rename(place.with_name(".not-yet"))
    assert watches.view("late").checkpoints == (1,)
    assert watches.view("late").checkpoints == (1,)
    hidden.rename(place)
    assert watches.view("late").checkpoints == (1, 2)


def test_a_checkpoint_that_was_announced_and_deleted_is_not_looked_for_for_ever(runs, monkeypatch):
    run = RunDirectory(runs / "late")
    run.create({"recipe": "gpt", "steps": 10, "settings": {}})
    beside = run.begin_checkpoint(1)
    (beside / "config.json").write_text("{}")
    run.finish_checkpoint(1)
    run.append(CheckpointSaved(2, "checkpoints/step-000002"))
    looks, listed = [], RunDirectory.checkpoints
    watch = run_watch.RunWatch(RunQueue(runs), "late")
    monkeypatch.setattr(watch._run, "checkpoints", lambda: looks.append(1) or listed(run))
    for _ in range(3 * run_watch.MOST_LOOKS):
        assert watch.view().checkpoints == (1,)
    assert len(looks) <= run_watch.MOST_LOOKS + 2


def test_a_worker_is_known_by_its_record(tmp_path):
    assert run_notes.Note(None, True, 0.0, Worker(2**22 + 1, 1.0)).process is None
