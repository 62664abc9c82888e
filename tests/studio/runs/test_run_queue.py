"""The queue with a worker that trains nothing: queue, ownership, limits, death, a second server."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunFinished
from aigc_demo.core.process.worker import worker_lock
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs import run_queue, workers
from aigc_demo.studio.runs.job import PACKAGE_HOME, Job, train_arguments
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.state import RunState
from aigc_demo.studio.runs.workers import QueueRules
from aigc_demo.studio.visitors.limits import Limits

WORKER = Path(__file__).with_name("queue_worker.py")
ANNA, BELA = "anna's secret", "bela's secret"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch) -> None:
    executed = property(lambda job: [sys.executable, str(WORKER), *job.arguments])
    monkeypatch.setattr(Job, "executed", executed)
    monkeypatch.setattr(run_queue, "TEND_SECONDS", 0.05)
    for name in ("expected", "expected_again"):  # its settings are no recipe's
        monkeypatch.setattr(run_queue, name, lambda *order: (0.0, 0.0))


@pytest.fixture
def queue(tmp_path: Path):
    queue = RunQueue(tmp_path / "runs")
    queue.open()
    yield queue
    queue.close()


def order(queue: RunQueue, secret: str = ANNA, *, steps: int = 10_000, **others) -> str:
    return queue.order("gpt", "tiny-world", secret=secret, budget=("--steps", str(steps)), **others)


def until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for it; the seconds are those after which it is given up, on a busy machine too."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def job(queue: RunQueue, name: str) -> Job:
    found = Job.load(queue.folder / name)
    assert found is not None
    return found


def steps_done(queue: RunQueue, name: str) -> int:
    return max((event.step for event in queue.run(name).events()), default=0)


def finish(queue: RunQueue, name: str) -> RunFinished | None:
    last = list(queue.run(name).events())[-1:]
    return last[0] if last and isinstance(last[0], RunFinished) else None


def test_one_trains_the_other_waits_for_its_turn(queue: RunQueue) -> None:
    first, second, third = order(queue, steps=20), order(queue, BELA, steps=3), order(queue, BELA, steps=3)
    assert [queue.place(name) for name in (first, second, third)] == [0, 1, 2]
    assert [queue.state(name).stands for name in (first, second, third)] == ["running", "waiting", "waiting"]
    until(lambda: job(queue, third).stage == "ended")
    assert [steps_done(queue, name) for name in (first, second, third)] == [20, 3, 3]
    times = [job(queue, name).since for name in (first, second, third)]
    assert times == sorted(times)
    assert job(queue, first).returncode == 0
    assert queue.state(first).stands == "finished" and not queue.state(first).resumable
    assert queue.names() == [third, second, first]


def test_the_command_shown_is_the_one_that_runs(queue: RunQueue) -> None:
    name = order(queue, seed=7, settings=("num_layers=2",), init="gpt-shakespeare", steps=1)
    assert job(queue, name).command == (
        f"python -m aigc_demo train gpt --data tiny-world --run-dir runs/{name} --steps 1 "
        "--seed 7 --init gpt-shakespeare --set num_layers=2"
    )
    assert str(queue.folder / name) in job(queue, name).executed


def test_the_command_shown_names_no_folder_of_the_server() -> None:
    arguments = train_arguments(
        "gpt",
        "/srv/my app/runs/gpt-1/source.txt",
        Path("/srv/my app/runs/gpt-1"),
        budget=("--steps", "3"),
        settings=("guide=/opt/models/clip", "num_layers=2"),
        init="/srv/my app/runs/gpt-0/checkpoints/step-000002",
    )
    assert Job("x", tuple(arguments), "ended", 0.0).command == (
        "python -m aigc_demo train gpt --data runs/gpt-1/source.txt --run-dir runs/gpt-1 --steps 3 --seed 0 "
        "--init runs/gpt-0/checkpoints/step-000002 --set guide=clip --set num_layers=2"
    )
    imported = Job("x", ("train", "gpt", "--data", "/srv/texts/a.txt"), "ended", 0.0)
    assert imported.command == "python -m aigc_demo train gpt --data a.txt"


def test_stop_ends_with_a_checkpoint_and_resume_goes_on_from_it(queue: RunQueue) -> None:
    name = order(queue)
    until(lambda: steps_done(queue, name) >= 3)
    queue.stop(name, ANNA)
    until(lambda: job(queue, name).stage == "ended")
    stopped = finish(queue, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert queue.state(name).stands == "stopped" and queue.state(name).resumable
    assert [path.name for path in queue.run(name).resumable()] == [f"step-{stopped.step:06d}"]
    queue.resume(name, ANNA)
    assert job(queue, name).arguments[-1] == "--resume"
    until(lambda: steps_done(queue, name) > stopped.step)


@pytest.mark.parametrize("action", ["resume", "delete"])
def test_an_end_that_the_queue_has_not_noted_yet_is_an_end(tmp_path: Path, monkeypatch, action: str) -> None:
    monkeypatch.setattr(run_queue, "TEND_SECONDS", 3600.0)
    queue = RunQueue(tmp_path / "runs")
    name = order(queue)
    until(lambda: steps_done(queue, name) >= 3)
    queue.stop(name, ANNA)
    until(lambda: not queue.state(name).under_way)
    assert job(queue, name).stage == "started", "nobody has tended the queue meanwhile"
    getattr(queue, action)(name, ANNA)
    assert name not in queue.names() if action == "delete" else queue.state(name).under_way
    queue.close()


def test_only_the_owner_stops_resumes_and_deletes(queue: RunQueue) -> None:
    name = order(queue)
    for action in (queue.stop, queue.resume, queue.delete):
        with pytest.raises(InputError, match="somebody else"):
            action(name, BELA)
    assert job(queue, name).stage == "started"
    assert ANNA not in (queue.folder / name / "ticket.json").read_text()


def test_one_that_waits_is_taken_out_of_the_queue(queue: RunQueue) -> None:
    first, second = order(queue), order(queue)
    queue.stop(second, ANNA)
    assert (queue.place(second), job(queue, second).stage) == (0, "ended")
    queue.resume(second, ANNA)  # it never began: it starts from the beginning
    assert queue.place(second) == 1 and "--resume" not in job(queue, second).arguments
    queue.stop(first, ANNA)
    until(lambda: steps_done(queue, second) > 0)


def test_a_run_is_deleted_when_it_has_ended(queue: RunQueue) -> None:
    name = order(queue)
    with pytest.raises(InputError, match="stop it first"):
        queue.delete(name, ANNA)
    queue.stop(name, ANNA)
    until(lambda: job(queue, name).stage == "ended")
    assert queue.used_bytes(ANNA) > 0 == queue.used_bytes(BELA)
    queue.delete(name, ANNA)
    assert queue.names() == [] and queue.used_bytes(ANNA) == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", "nobody", "a/b", "\0", 7, None, ".desk.lock"])
def test_a_name_that_is_no_run(queue: RunQueue, name: object) -> None:
    queue.folder.mkdir(exist_ok=True)
    with pytest.raises(InputError, match="no run named"):
        queue.run(name)


def test_limits_of_a_visitor_and_of_the_queue(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path, limits=Limits(runs_per_visitor=2, runs_waiting=2))
    order(queue), order(queue)
    with pytest.raises(InputError, match="2 runs that train or wait"):
        order(queue)
    order(queue, BELA)
    with pytest.raises(InputError, match="2 runs wait already"):
        order(queue, "a third one")
    queue.close()


def test_a_visitor_who_has_filled_his_part_of_the_disk(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "runs", QueueRules(at_once=0), Limits(disk_mib_per_visitor=1))
    name = order(queue, text=b"x" * 2**20, steps=1)
    assert (queue.folder / name / "source.txt").read_bytes() == b"x" * 2**20
    with pytest.raises(InputError, match="delete one"):
        order(queue)
    order(queue, BELA, steps=1)
    queue.close()


def test_two_visitors_who_start_at_once(queue: RunQueue) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(lambda number: order(queue, str(number), steps=2), range(8)))
    assert len(set(names)) == 8
    started = [name for name in names if job(queue, name).stage == "started"]
    assert len(started) <= 1
    until(lambda: all(job(queue, name).stage == "ended" for name in names))


def test_a_worker_that_was_killed_leaves_the_queue_free(queue: RunQueue) -> None:
    name, next_one = order(queue, settings=("mode=dies",)), order(queue, steps=2)
    until(lambda: job(queue, next_one).stage == "ended")
    assert job(queue, name).returncode == -signal.SIGKILL
    assert finish(queue, name) is None
    state = queue.state(name)
    assert (state.stands, state.step, state.resumable) == ("interrupted", 3, False)
    assert state.problem is not None and state.problem.key == "worker_killed"


def test_what_a_worker_could_not_do_is_told(queue: RunQueue) -> None:
    refused, exploded = order(queue, settings=("mode=refuses",)), order(queue, settings=("mode=explodes",))
    until(lambda: job(queue, exploded).stage == "ended")
    state = queue.state(refused)
    assert (state.stands, str(state.problem)) == ("failed", str(InputError("unknown_source", name="nowhere")))
    queue.resume(refused, ANNA)  # it never began, so it begins anew; the old problem is forgotten
    state = queue.state(exploded)
    assert (state.stands, str(state.problem)) == ("non-finite", str(DemoError("loss_not_finite", step=3)))


@pytest.mark.parametrize("word", ["a\0b", "x" * 3_000_000, "\ud800"])
def test_an_order_that_no_process_can_be_started_with_fails_and_the_next_one_starts(
    queue: RunQueue, word: str
) -> None:
    bad, good = order(queue, settings=(f"sample_prompt={word}",)), order(queue, BELA, steps=2)
    until(lambda: job(queue, good).stage == "ended")
    assert steps_done(queue, good) == 2
    state = queue.state(bad)
    assert state.stands == "failed" and state.problem is not None and state.problem.key == "cannot_start"


def test_a_run_that_trains_for_too_long_is_stopped_with_a_checkpoint(queue: RunQueue, monkeypatch) -> None:
    name = order(queue)
    until(lambda: steps_done(queue, name) >= 1)
    monkeypatch.setattr(queue, "_longest_seconds", lambda job: 0.0)
    until(lambda: job(queue, name).stage == "ended")
    stopped = finish(queue, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert queue.state(name).resumable and job(queue, name).spent_minutes > 0


def test_a_run_gets_no_more_time_than_it_asked_for_and_nothing_left_is_nothing(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path, QueueRules(at_once=0))
    name = queue.order("gpt", "tiny-world", secret=ANNA, budget=("--minutes", "2"))
    mine = job(queue, name)
    assert queue._longest_seconds(mine) == 2 * 60 * 1.25 + 120
    mine.changed(queue.folder / name, stage="ended", spent_minutes=2.5)
    with pytest.raises(InputError) as caught:
        queue.resume(name, ANNA)
    assert caught.value.key == "run_minutes"
    queue.close()


def test_where_the_system_has_no_process_to_give_the_order_waits(queue: RunQueue, monkeypatch) -> None:
    started, given = subprocess.Popen, []

    def none_at_first(*arguments, **options):
        given.append(1)
        if len(given) < 3:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        return started(*arguments, **options)

    monkeypatch.setattr(workers.subprocess, "Popen", none_at_first)
    name = order(queue, steps=2)
    until(lambda: job(queue, name).stage == "ended")
    assert steps_done(queue, name) == 2


def test_a_worker_is_told_its_bounds(queue: RunQueue) -> None:
    queue.limits = queue._admission.limits = Limits(run_memory_mib=1234, run_disk_mib=56)
    assert queue.bounds() == {"AIGC_DEMO_WORKER_MEMORY_MIB": "1234", "AIGC_DEMO_WORKER_DISK_MIB": "56"}


def test_a_run_of_the_command_line_is_seen_too(queue: RunQueue) -> None:
    run = RunDirectory(queue.folder / "mine")
    run.create({"recipe": "gpt"})
    assert queue.names() == ["mine"]
    assert queue.state("mine").stands == "interrupted"
    with worker_lock(run.path):
        assert queue.state("mine").stands == "running"
        with pytest.raises(InputError, match="somebody else"):
            queue.stop("mine", ANNA)
    run.append(RunFinished(step=3, reason="time"))
    assert queue.state("mine") == RunState("mine", "time", place=0, step=3)


def test_a_worker_that_hangs_is_ended(queue: RunQueue) -> None:
    queue.rules = QueueRules(silence_seconds=0.5)
    name = order(queue, settings=("mode=hangs",))
    until(lambda: job(queue, name).stage == "ended")
    assert job(queue, name).problem == {"key": "worker_silent", "values": {"seconds": 0}}
    state = queue.state(name)
    assert state.stands == "interrupted"
    assert state.problem is not None and state.problem.key == "worker_silent"


def test_a_server_that_ends_stops_its_workers_with_a_checkpoint(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path)
    queue.open()
    name, waiting = order(queue), order(queue)
    until(lambda: steps_done(queue, name) >= 2)
    queue.close()
    stopped = finish(queue, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert len(queue.run(name).resumable()) == 1
    assert job(queue, waiting).stage == "waiting"  # the next server starts it
    again = RunQueue(tmp_path)
    again.open()
    until(lambda: steps_done(again, waiting) >= 1)
    again.close()


SERVER = """
import sys, time
from pathlib import Path
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.job import Job
Job.executed = property(lambda job: [sys.executable, sys.argv[2], *job.arguments])
queue = RunQueue(Path(sys.argv[1]))
queue.open()
print(queue.order("gpt", "tiny-world", secret="anna's secret", budget=("--steps", "10000")), flush=True)
time.sleep(60)
"""


def test_after_a_kill_of_the_server_the_next_one_adopts_its_worker(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), str(WORKER)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_HOME)},
    )
    assert server.stdout is not None
    name = server.stdout.readline().decode().strip()
    queue = RunQueue(tmp_path)
    with pytest.raises(InputError, match="Another server"):
        order(queue)  # while the first one lives
    until(lambda: steps_done(queue, name) >= 1)
    server.kill()
    server.wait()
    server.stdout.close()
    queue.open()
    before = steps_done(queue, name)
    until(lambda: steps_done(queue, name) > before + 5)
    assert job(queue, name).stage == "started"
    worker = job(queue, name).worker(tmp_path / name)
    assert worker is not None
    queue.stop(name, ANNA)
    until(lambda: job(queue, name).stage == "ended")
    stopped = finish(queue, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert not psutil.pid_exists(worker.pid) or worker.process is None
    queue.close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    queue = RunQueue(tmp_path / "file" / "runs")
    with pytest.raises(DemoError, match="cannot be written"):
        order(queue)
    assert queue.names() == []
