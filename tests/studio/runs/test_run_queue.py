"""The desk with a worker that trains nothing: queue, ownership, limits, death, a second server."""

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
from aigc_demo.studio.runs import run_queue as run_desk
from aigc_demo.studio.runs.job import PACKAGE_HOME, Ticket, train_arguments
from aigc_demo.studio.runs.run_queue import DeskRules, RunDesk
from aigc_demo.studio.visitors.limits import Limits

WORKER = Path(__file__).with_name("queue_worker.py")
ANNA, BELA = "anna's secret", "bela's secret"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch) -> None:
    executed = property(lambda ticket: [sys.executable, str(WORKER), *ticket.arguments])
    monkeypatch.setattr(Ticket, "executed", executed)
    monkeypatch.setattr(run_desk, "TEND_SECONDS", 0.05)
    for name in ("expected", "expected_again"):  # its settings are no recipe's
        monkeypatch.setattr(run_desk, name, lambda *order: (0.0, 0.0))


@pytest.fixture
def desk(tmp_path: Path):
    desk = RunDesk(tmp_path / "runs")
    desk.open()
    yield desk
    desk.close()


def order(desk: RunDesk, secret: str = ANNA, *, steps: int = 10_000, **others) -> str:
    return desk.order("gpt", "tiny-world", secret=secret, budget=("--steps", str(steps)), **others)


def until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for it; the seconds are those after which it is given up, on a busy machine too."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def ticket(desk: RunDesk, name: str) -> Ticket:
    found = Ticket.load(desk.folder / name)
    assert found is not None
    return found


def steps_done(desk: RunDesk, name: str) -> int:
    return max((event.step for event in desk.run(name).events()), default=0)


def finish(desk: RunDesk, name: str) -> RunFinished | None:
    last = list(desk.run(name).events())[-1:]
    return last[0] if last and isinstance(last[0], RunFinished) else None


def test_one_trains_the_other_waits_for_its_turn(desk: RunDesk) -> None:
    first, second, third = order(desk, steps=20), order(desk, BELA, steps=3), order(desk, BELA, steps=3)
    assert [desk.place(name) for name in (first, second, third)] == [0, 1, 2]
    assert [desk.state(name).stands for name in (first, second, third)] == ["running", "waiting", "waiting"]
    until(lambda: ticket(desk, third).stage == "ended")
    assert [steps_done(desk, name) for name in (first, second, third)] == [20, 3, 3]
    times = [ticket(desk, name).since for name in (first, second, third)]
    assert times == sorted(times)
    assert ticket(desk, first).returncode == 0
    assert desk.state(first).stands == "finished" and not desk.state(first).resumable
    assert desk.names() == [third, second, first]


def test_the_command_shown_is_the_one_that_runs(desk: RunDesk) -> None:
    name = order(desk, seed=7, settings=("num_layers=2",), init="gpt-shakespeare", steps=1)
    assert ticket(desk, name).command == (
        f"python -m aigc_demo train gpt --data tiny-world --run-dir runs/{name} --steps 1 "
        "--seed 7 --init gpt-shakespeare --set num_layers=2"
    )
    assert str(desk.folder / name) in ticket(desk, name).executed


def test_the_command_shown_names_no_folder_of_the_server() -> None:
    arguments = train_arguments(
        "gpt",
        "/srv/my app/runs/gpt-1/source.txt",
        Path("/srv/my app/runs/gpt-1"),
        budget=("--steps", "3"),
        settings=("guide=/opt/models/clip", "num_layers=2"),
        init="/srv/my app/runs/gpt-0/checkpoints/step-000002",
    )
    assert Ticket("x", tuple(arguments), "ended", 0.0).command == (
        "python -m aigc_demo train gpt --data runs/gpt-1/source.txt --run-dir runs/gpt-1 --steps 3 --seed 0 "
        "--init runs/gpt-0/checkpoints/step-000002 --set guide=clip --set num_layers=2"
    )
    imported = Ticket("x", ("train", "gpt", "--data", "/srv/texts/a.txt"), "ended", 0.0)
    assert imported.command == "python -m aigc_demo train gpt --data a.txt"


def test_stop_ends_with_a_checkpoint_and_resume_goes_on_from_it(desk: RunDesk) -> None:
    name = order(desk)
    until(lambda: steps_done(desk, name) >= 3)
    desk.stop(name, ANNA)
    until(lambda: ticket(desk, name).stage == "ended")
    stopped = finish(desk, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert desk.state(name).stands == "stopped" and desk.state(name).resumable
    assert [path.name for path in desk.run(name).resumable()] == [f"step-{stopped.step:06d}"]
    desk.resume(name, ANNA)
    assert ticket(desk, name).arguments[-1] == "--resume"
    until(lambda: steps_done(desk, name) > stopped.step)


@pytest.mark.parametrize("action", ["resume", "delete"])
def test_an_end_that_the_desk_has_not_noted_yet_is_an_end(tmp_path: Path, monkeypatch, action: str) -> None:
    monkeypatch.setattr(run_desk, "TEND_SECONDS", 3600.0)
    desk = RunDesk(tmp_path / "runs")
    name = order(desk)
    until(lambda: steps_done(desk, name) >= 3)
    desk.stop(name, ANNA)
    until(lambda: not desk.state(name).under_way)
    assert ticket(desk, name).stage == "started", "nobody has tended the desk meanwhile"
    getattr(desk, action)(name, ANNA)
    assert name not in desk.names() if action == "delete" else desk.state(name).under_way
    desk.close()


def test_only_the_owner_stops_resumes_and_deletes(desk: RunDesk) -> None:
    name = order(desk)
    for action in (desk.stop, desk.resume, desk.delete):
        with pytest.raises(InputError, match="somebody else"):
            action(name, BELA)
    assert ticket(desk, name).stage == "started"
    assert ANNA not in (desk.folder / name / "ticket.json").read_text()


def test_one_that_waits_is_taken_out_of_the_queue(desk: RunDesk) -> None:
    first, second = order(desk), order(desk)
    desk.stop(second, ANNA)
    assert (desk.place(second), ticket(desk, second).stage) == (0, "ended")
    desk.resume(second, ANNA)  # it never began: it starts from the beginning
    assert desk.place(second) == 1 and "--resume" not in ticket(desk, second).arguments
    desk.stop(first, ANNA)
    until(lambda: steps_done(desk, second) > 0)


def test_a_run_is_deleted_when_it_has_ended(desk: RunDesk) -> None:
    name = order(desk)
    with pytest.raises(InputError, match="stop it first"):
        desk.delete(name, ANNA)
    desk.stop(name, ANNA)
    until(lambda: ticket(desk, name).stage == "ended")
    assert desk.used_bytes(ANNA) > 0 == desk.used_bytes(BELA)
    desk.delete(name, ANNA)
    assert desk.names() == [] and desk.used_bytes(ANNA) == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", "nobody", "a/b", "\0", 7, None, ".desk.lock"])
def test_a_name_that_is_no_run(desk: RunDesk, name: object) -> None:
    desk.folder.mkdir(exist_ok=True)
    with pytest.raises(InputError, match="no run named"):
        desk.run(name)


def test_limits_of_a_visitor_and_of_the_queue(tmp_path: Path) -> None:
    desk = RunDesk(tmp_path, limits=Limits(runs_per_visitor=2, runs_waiting=2))
    order(desk), order(desk)
    with pytest.raises(InputError, match="2 runs that train or wait"):
        order(desk)
    order(desk, BELA)
    with pytest.raises(InputError, match="2 runs wait already"):
        order(desk, "a third one")
    desk.close()


def test_a_visitor_who_has_filled_his_part_of_the_disk(tmp_path: Path) -> None:
    desk = RunDesk(tmp_path / "runs", DeskRules(at_once=0), Limits(disk_mib_per_visitor=1))
    name = order(desk, text=b"x" * 2**20, steps=1)
    assert (desk.folder / name / "source.txt").read_bytes() == b"x" * 2**20
    with pytest.raises(InputError, match="delete one"):
        order(desk)
    order(desk, BELA, steps=1)
    desk.close()


def test_two_visitors_who_start_at_once(desk: RunDesk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(lambda number: order(desk, str(number), steps=2), range(8)))
    assert len(set(names)) == 8
    started = [name for name in names if ticket(desk, name).stage == "started"]
    assert len(started) <= 1
    until(lambda: all(ticket(desk, name).stage == "ended" for name in names))


def test_a_worker_that_was_killed_leaves_the_desk_free(desk: RunDesk) -> None:
    name, next_one = order(desk, settings=("mode=dies",)), order(desk, steps=2)
    until(lambda: ticket(desk, next_one).stage == "ended")
    assert ticket(desk, name).returncode == -signal.SIGKILL
    assert finish(desk, name) is None
    state = desk.state(name)
    assert (state.stands, state.step, state.resumable) == ("interrupted", 3, False)
    assert state.problem is not None and state.problem.key == "worker_killed"


def test_what_a_worker_could_not_do_is_told(desk: RunDesk) -> None:
    refused, exploded = order(desk, settings=("mode=refuses",)), order(desk, settings=("mode=explodes",))
    until(lambda: ticket(desk, exploded).stage == "ended")
    state = desk.state(refused)
    assert (state.stands, str(state.problem)) == ("failed", str(InputError("unknown_source", name="nowhere")))
    desk.resume(refused, ANNA)  # it never began, so it begins anew; the old problem is forgotten
    state = desk.state(exploded)
    assert (state.stands, str(state.problem)) == ("non-finite", str(DemoError("loss_not_finite", step=3)))


@pytest.mark.parametrize("word", ["a\0b", "x" * 3_000_000, "\ud800"])
def test_an_order_that_no_process_can_be_started_with_fails_and_the_next_one_starts(
    desk: RunDesk, word: str
) -> None:
    bad, good = order(desk, settings=(f"sample_prompt={word}",)), order(desk, BELA, steps=2)
    until(lambda: ticket(desk, good).stage == "ended")
    assert steps_done(desk, good) == 2
    state = desk.state(bad)
    assert state.stands == "failed" and state.problem is not None and state.problem.key == "cannot_start"


def test_a_run_that_trains_for_too_long_is_stopped_with_a_checkpoint(desk: RunDesk, monkeypatch) -> None:
    name = order(desk)
    until(lambda: steps_done(desk, name) >= 1)
    monkeypatch.setattr(desk, "_longest_seconds", lambda ticket: 0.0)
    until(lambda: ticket(desk, name).stage == "ended")
    stopped = finish(desk, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert desk.state(name).resumable and ticket(desk, name).spent_minutes > 0


def test_a_run_gets_no_more_time_than_it_asked_for_and_nothing_left_is_nothing(tmp_path: Path) -> None:
    desk = RunDesk(tmp_path, DeskRules(at_once=0))
    name = desk.order("gpt", "tiny-world", secret=ANNA, budget=("--minutes", "2"))
    mine = ticket(desk, name)
    assert desk._longest_seconds(mine) == 2 * 60 * 1.25 + 120
    mine.changed(desk.folder / name, stage="ended", spent_minutes=2.5)
    with pytest.raises(InputError) as caught:
        desk.resume(name, ANNA)
    assert caught.value.key == "run_minutes"
    desk.close()


def test_where_the_system_has_no_process_to_give_the_order_waits(desk: RunDesk, monkeypatch) -> None:
    started, given = subprocess.Popen, []

    def none_at_first(*arguments, **options):
        given.append(1)
        if len(given) < 3:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        return started(*arguments, **options)

    monkeypatch.setattr(run_desk.subprocess, "Popen", none_at_first)
    name = order(desk, steps=2)
    until(lambda: ticket(desk, name).stage == "ended")
    assert steps_done(desk, name) == 2


def test_a_worker_is_told_its_bounds(desk: RunDesk) -> None:
    desk.limits = desk._admission.limits = Limits(run_memory_mib=1234, run_disk_mib=56)
    assert desk.bounds() == {"AIGC_DEMO_WORKER_MEMORY_MIB": "1234", "AIGC_DEMO_WORKER_DISK_MIB": "56"}


def test_a_run_of_the_command_line_is_seen_too(desk: RunDesk) -> None:
    run = RunDirectory(desk.folder / "mine")
    run.create({"recipe": "gpt"})
    assert desk.names() == ["mine"]
    assert desk.state("mine").stands == "interrupted"
    with worker_lock(run.path):
        assert desk.state("mine").stands == "running"
        with pytest.raises(InputError, match="somebody else"):
            desk.stop("mine", ANNA)
    run.append(RunFinished(step=3, reason="time"))
    assert (desk.state("mine").stands, desk.state("mine").step) == ("time", 3)


def test_a_worker_that_hangs_is_ended(desk: RunDesk) -> None:
    desk.rules = DeskRules(silence_seconds=0.5)
    name = order(desk, settings=("mode=hangs",))
    until(lambda: ticket(desk, name).stage == "ended")
    assert ticket(desk, name).problem == {"key": "worker_silent", "values": {"seconds": 0}}
    state = desk.state(name)
    assert state.stands == "interrupted"
    assert state.problem is not None and state.problem.key == "worker_silent"


def test_a_server_that_ends_stops_its_workers_with_a_checkpoint(tmp_path: Path) -> None:
    desk = RunDesk(tmp_path)
    desk.open()
    name, waiting = order(desk), order(desk)
    until(lambda: steps_done(desk, name) >= 2)
    desk.close()
    stopped = finish(desk, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert len(desk.run(name).resumable()) == 1
    assert ticket(desk, waiting).stage == "waiting"  # the next server starts it
    again = RunDesk(tmp_path)
    again.open()
    until(lambda: steps_done(again, waiting) >= 1)
    again.close()


SERVER = """
import sys, time
from pathlib import Path
from aigc_demo.studio.runs.run_queue import RunDesk
from aigc_demo.studio.runs.job import Ticket
Ticket.executed = property(lambda ticket: [sys.executable, sys.argv[2], *ticket.arguments])
desk = RunDesk(Path(sys.argv[1]))
desk.open()
print(desk.order("gpt", "tiny-world", secret="anna's secret", budget=("--steps", "10000")), flush=True)
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
    desk = RunDesk(tmp_path)
    with pytest.raises(InputError, match="Another server"):
        order(desk)  # while the first one lives
    until(lambda: steps_done(desk, name) >= 1)
    server.kill()
    server.wait()
    server.stdout.close()
    desk.open()
    before = steps_done(desk, name)
    until(lambda: steps_done(desk, name) > before + 5)
    assert ticket(desk, name).stage == "started"
    worker = ticket(desk, name).worker(tmp_path / name)
    assert worker is not None
    desk.stop(name, ANNA)
    until(lambda: ticket(desk, name).stage == "ended")
    stopped = finish(desk, name)
    assert stopped is not None and stopped.reason == "stopped"
    assert not psutil.pid_exists(worker.pid) or worker.process is None
    desk.close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = RunDesk(tmp_path / "file" / "runs")
    with pytest.raises(DemoError, match="cannot be written"):
        order(desk)
    assert desk.names() == []
