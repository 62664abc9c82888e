"""What clearing a cookie does not lift, and what an order is expected to take."""

import itertools

import psutil
import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs import run_queue
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.workers import QueueRules
from aigc_demo.studio.visitors import admission
from aigc_demo.studio.visitors.admission import asked_minutes, expected, expected_again
from aigc_demo.studio.visitors.limits import PUBLIC, Limits
from aigc_demo.training.recipes import RECIPES

HERE, THERE = "192.0.2.1", "192.0.2.2"
secrets = (f"secret number {number}" for number in itertools.count())


@pytest.fixture(autouse=True)
def of_no_size(monkeypatch):
    for name in ("expected", "expected_again"):
        monkeypatch.setattr(run_queue, name, lambda *order: (0.0, 0.0))


def queue_of(tmp_path, **limits):
    return RunQueue(tmp_path / "runs", QueueRules(at_once=0), Limits(**limits))


def order(queue, address=HERE, minutes="3", **others):
    """One order of a visitor who has just cleared all cookies."""
    others.setdefault("secret", next(secrets))
    return queue.order("gpt", "tiny-world", budget=("--minutes", minutes), address=address, **others)


def end(queue, name, bytes_taken=0):
    folder = queue.folder / name
    Job.load(folder).changed(folder, stage="ended")
    (folder / "weights").write_bytes(b"x" * bytes_taken)


def refusal(*arguments, **others):
    with pytest.raises(InputError) as caught:
        order(*arguments, **others)
    return caught.value.key


def test_runs_of_one_address_whatever_its_cookies(tmp_path):
    queue = queue_of(tmp_path, runs_per_address=2)
    names = [order(queue), order(queue)]
    assert refusal(queue) == "too_many_runs_of_network"
    order(queue, THERE)
    order(queue, ""), order(queue, ""), order(queue, "")  # not known: only the limits for all hold
    end(queue, names[0])
    order(queue)


def test_minutes_of_one_address_in_a_day_are_not_lifted_by_deleting_runs(tmp_path):
    queue = queue_of(tmp_path, minutes_per_address=10)
    name = order(queue, minutes="8", secret="anna" * 5)
    assert refusal(queue, minutes="3") == "minutes_used"
    end(queue, name)
    queue.delete(name, "anna" * 5)
    assert refusal(queue, minutes="3") == "minutes_used"
    order(queue, minutes="2")
    order(queue, THERE, minutes="8")
    again = RunQueue(queue.folder, QueueRules(at_once=0), queue.limits)
    queue.close()
    assert refusal(again, minutes="3") == "minutes_used", "a restart lifts nothing either"


def test_what_waited_and_was_stopped_counts_for_nothing(tmp_path):
    queue = queue_of(tmp_path, minutes_per_address=10)
    name = order(queue, minutes="8", secret="anna" * 5)
    queue.stop(name, "anna" * 5)
    assert queue._usage.minutes_of(HERE) == 0
    order(queue, minutes="10")


def test_minutes_of_everybody(tmp_path):
    queue = queue_of(tmp_path, minutes_waiting=10)
    order(queue, HERE, minutes="6")
    assert refusal(queue, THERE, minutes="5") == "minutes_waiting"
    order(queue, THERE, minutes="4")


def test_a_run_by_steps_counts_as_the_longest_there_is(tmp_path):
    limits = Limits(run_minutes=15)
    assert asked_minutes(("--steps", "20"), limits) == 15
    assert asked_minutes(("train", "gpt", "--minutes", "2.5", "--seed", "1"), limits) == 2.5
    queue = queue_of(tmp_path, run_minutes=15)
    assert refusal(queue, minutes="16") == "run_minutes"


def test_what_is_under_way_counts_as_what_it_will_take(tmp_path, monkeypatch):
    monkeypatch.setattr(run_queue, "expected", lambda *order: (90.0, 0.0))
    queue = queue_of(tmp_path, disk_mib_per_address=200)
    name = order(queue)
    order(queue)
    assert refusal(queue) == "disk_of_network"
    end(queue, name)
    order(queue)


def test_a_run_that_goes_on_from_a_model_has_that_ones_size(monkeypatch):
    small = expected("gpt", ["batch_size=8"], init="gpt-tiny-world")
    large = expected("gpt", ["batch_size=8"], init="gpt-shakespeare")
    assert large[0] > 4 * small[0], "4.8 million parameters against 0.6"
    more = expected("gpt", ["batch_size=128"], init="gpt-shakespeare")
    assert more[1] > large[1] + 500


def test_the_largest_that_a_page_takes_is_sized_in_seconds(monkeypatch):
    import time

    given = ["num_layers=12", "hidden_size=512", "num_heads=8", "choices=16", "reading_layers=12"]
    began = time.process_time()  # of this process alone: a busy machine adds nothing
    assert expected("text2image", given)[1] > 10_000
    assert time.process_time() - began < 15
    again = time.process_time()
    expected("text2image", given)
    assert time.process_time() - again < 0.5


def test_disk_of_an_address_and_of_all(tmp_path):
    queue = queue_of(tmp_path, disk_mib_per_address=2, disk_mib=4)
    for address in (HERE, HERE, THERE):
        end(queue, order(queue, address), 2**20)
    assert refusal(queue, HERE) == "disk_of_network"
    end(queue, order(queue, THERE), 2**20)
    assert refusal(queue, "192.0.2.3") == "disk_of_all"


def test_where_the_disk_is_full_the_oldest_run_that_a_visitor_ended_goes(tmp_path):
    queue = queue_of(tmp_path, disk_mib=3, delete_oldest=True)
    oldest, waiting, newer = order(queue), order(queue), order(queue)
    end(queue, oldest, 2**20)
    end(queue, newer, 2**20)
    of_the_terminal = queue.folder / "mine"
    of_the_terminal.mkdir()
    (of_the_terminal / "config.json").write_bytes(b"x" * 2**21)
    (queue.folder / waiting / "text").write_bytes(b"x" * 2**20)
    new = order(queue)
    assert set(queue.names()) == {waiting, newer, new, "mine"}


def test_a_run_that_was_brought_counts_too(tmp_path, monkeypatch):
    queue = queue_of(tmp_path, disk_mib_per_address=1)
    source = tmp_path / "run.zip"
    source.write_bytes(b"x" * 2**20)
    brought = []

    def bring(source, folder, secret, room_bytes, *, shared):
        assert room_bytes == 2**20
        brought.append(shared)
        (folder / "brought").mkdir()
        (folder / "brought" / "weights").write_bytes(b"x" * 2**20)
        return "brought"

    monkeypatch.setattr(run_queue, "import_run", bring)
    assert queue.bring(source, "anna" * 5, HERE, shared=False) == "brought"
    with pytest.raises(InputError, match="your network"):
        queue.bring(source, "bela" * 5, HERE)
    assert brought == [False]


def test_twenty_cleared_cookies_reach_no_more_than_the_public_preset_gives(tmp_path):
    queue = RunQueue(tmp_path / "runs", QueueRules(at_once=0), Limits(**PUBLIC))
    asked, taken = 0.0, 0
    for _ in range(20):
        for _ in range(5):
            try:
                name = order(queue, minutes="15")
            except InputError:
                continue
            asked, taken = asked + 15, taken + 1
            end(queue, name, 2**18)
    assert asked <= PUBLIC["minutes_per_address"] and taken >= 2
    assert queue._notes.bytes_of([queue.folder]) < PUBLIC["disk_mib_per_address"] * 2**20


ANNA, BELA = "anna" * 5, "bela" * 5
# What stands at a limit when a run goes on, the limit that just lets it, and what is said one below.
# The run was ordered for 6 minutes and has had 2; it takes 2 MiB, and 1.5 more.
AT_RESUME = {
    "runs of the visitor": (ANNA, THERE, {"runs_per_visitor": 2}, "too_many_runs"),
    "runs of the address": (BELA, HERE, {"runs_per_address": 2}, "too_many_runs_of_network"),
    "runs that wait": (BELA, THERE, {"runs_waiting": 2}, "queue_full"),
    "minutes of the address": (BELA, HERE, {"minutes_per_address": 2 + 5 + 4}, "minutes_used"),
    "minutes of all": (BELA, THERE, {"minutes_waiting": 5 + 4}, "minutes_waiting"),
    "disk of the visitor": (ANNA, THERE, {"disk_mib_per_visitor": 5}, "disk_budget"),
    "disk of the address": (BELA, HERE, {"disk_mib_per_address": 5}, "disk_of_network"),
    "disk of all": (BELA, THERE, {"disk_mib": 5}, "disk_of_all"),
    "disk of one run": (BELA, THERE, {"run_disk_mib": 2}, "run_needs_disk"),
    "memory of one run": (BELA, THERE, {"run_memory_mib": 7}, "needs_memory"),
}


def stopped_beside_another(tmp_path, monkeypatch, other, its_address):
    """Anna's run that has ended before its end, beside one that waits, as large as the smallest counts."""
    monkeypatch.setattr(run_queue, "expected_again", lambda job, folder: (1.5, 7.0))
    queue = queue_of(tmp_path, runs_per_visitor=0, runs_per_address=0, runs_waiting=0)
    name = order(queue, minutes="6", secret=ANNA)
    end(queue, name, 2 * 2**20)
    folder = queue.folder / name
    Job.load(folder).changed(folder, spent_minutes=2.0)
    queue._usage.took(name, 2.0)
    order(queue, its_address, minutes="5", secret=other)
    return queue, name


@pytest.mark.parametrize("kind", AT_RESUME)
def test_a_run_goes_on_only_within_the_limits_of_who_resumes_it(tmp_path, monkeypatch, kind):
    other, its_address, limits, key = AT_RESUME[kind]
    queue, name = stopped_beside_another(tmp_path, monkeypatch, other, its_address)
    ((limit, enough),) = limits.items()
    before = Job.load(queue.folder / name)
    queue._admission.limits = Limits(**{limit: enough - 1})
    with pytest.raises(InputError) as caught:
        queue.resume(name, ANNA, HERE)
    assert caught.value.key == key
    assert Job.load(queue.folder / name) == before and queue._usage.minutes(name) == 2.0
    assert name in queue.names()
    queue._admission.limits = Limits(**limits)
    queue.resume(name, ANNA, HERE)
    assert Job.load(queue.folder / name).stage == "waiting"
    assert queue._usage.minutes(name) == 6.0, "the two that it had and the four that it may have"


def test_the_minutes_of_a_run_that_goes_on_are_those_that_it_has_not_had(tmp_path, monkeypatch):
    queue, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    for spent in (6.0, 6.5):
        Job.load(queue.folder / name).changed(queue.folder / name, spent_minutes=spent)
        with pytest.raises(InputError) as caught:
            queue.resume(name, ANNA, HERE)
        assert caught.value.key == "run_minutes"
    # A host that gives less to a run than it did then gives what is left of that.
    queue.limits = queue._admission.limits = Limits(run_minutes=5, minutes_per_address=9)
    Job.load(queue.folder / name).changed(queue.folder / name, spent_minutes=4.5)
    queue.resume(name, ANNA, HERE)
    assert queue._usage.minutes(name) == 5.0


@pytest.mark.parametrize("stage", ["waiting", "started", "ended"])
@pytest.mark.parametrize("record", ["none", "begun", "without state", "with state"])
def test_what_goes_on_has_ended_and_left_something_to_go_on_from(tmp_path, stage, record):
    queue = queue_of(tmp_path)
    name = order(queue, secret=ANNA, shared=record == "none")
    run = RunDirectory(queue.folder / name)
    if record != "none":  # else it never began, and begins now
        run.create({"recipe": "gpt"})
    if record.endswith("state"):
        beside = run.begin_checkpoint(20)
        (beside / "model.safetensors").write_bytes(b"weights")
        if record == "with state":
            (beside / "state").mkdir()
        run.finish_checkpoint(20)
    myself = psutil.Process()
    living = {"pid": myself.pid, "born": myself.create_time()} if stage == "started" else {}
    Job.load(run.path).changed(run.path, stage=stage, **living)
    refused = "nothing_to_resume" if record in ("begun", "without state") else ""
    refused = refused if stage == "ended" else "run_under_way"
    if refused:
        with pytest.raises(InputError) as caught:
            queue.resume(name, ANNA, HERE)
        assert caught.value.key == refused and Job.load(run.path).stage == stage
        return
    for _ in range(2):  # the words do not pile up
        queue.resume(name, ANNA, HERE)
        job = Job.load(run.path)
        assert (job.stage, job.arguments.count("--resume")) == ("waiting", record == "with state")
        assert job.shared == (record == "none") and job.belongs_to(ANNA)
        job.changed(run.path, stage="ended")


def test_no_run_is_removed_to_make_room_for_itself(tmp_path, monkeypatch):
    """The oldest run of all that have ended is the one that is to go on."""
    queue, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    younger = order(queue, THERE, secret=BELA)
    end(queue, younger, 2**20)
    queue._admission.limits = Limits(disk_mib=5, delete_oldest=True)
    queue.resume(name, ANNA, HERE)
    assert name in queue.names() and younger not in queue.names()
    assert Job.load(queue.folder / name).stage == "waiting"


def test_a_run_that_cannot_have_its_room_is_still_there(tmp_path, monkeypatch):
    queue, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    queue._admission.limits = Limits(disk_mib=4, delete_oldest=True)
    with pytest.raises(InputError) as caught:
        queue.resume(name, ANNA, HERE)
    assert caught.value.key == "disk_of_all"
    assert name in queue.names() and Job.load(queue.folder / name).stage == "ended"


def test_no_run_is_removed_that_another_one_goes_on_from(tmp_path, monkeypatch):
    queue = queue_of(tmp_path, disk_mib=3, delete_oldest=True)
    first, second, third = (order(queue) for _ in range(3))
    for name in (first, second, third):
        end(queue, name, 2**20)
    monkeypatch.setattr(run_queue, "expected", lambda *order: (0.5, 0.0))
    waiting = order(queue, init=str(queue.folder / first / "checkpoints/step-000020"))
    assert set(queue.names()) == {first, third, waiting}, "the second was the oldest of the others"
    queue._admission.limits = Limits(disk_mib=2, delete_oldest=True)
    assert refusal(queue) == "disk_of_all"
    assert set(queue.names()) == {first, third, waiting}, "it still waits for what it goes on from"
    end(queue, waiting, 100)
    new = order(queue)
    assert set(queue.names()) == {waiting, new}


def test_nothing_is_removed_where_it_would_not_be_enough(tmp_path, monkeypatch):
    queue = queue_of(tmp_path, disk_mib=6, delete_oldest=True)
    ended = order(queue)
    end(queue, ended, 2 * 2**20)
    monkeypatch.setattr(run_queue, "expected", lambda *order: (3.0, 0.0))
    waiting = order(queue)
    monkeypatch.setattr(run_queue, "expected", lambda *order: (3.5, 0.0))
    assert refusal(queue) == "disk_of_all"
    assert set(queue.names()) == {waiting, ended}


@pytest.mark.parametrize("num_runs", [3, 5])
def test_of_many_small_runs_the_oldest_goes_when_they_fill_the_disk_exactly(tmp_path, num_runs):
    """Each counts as one MiB."""
    queue = queue_of(tmp_path, disk_mib=num_runs, delete_oldest=True, runs_waiting=0, runs_per_address=0)
    names = [order(queue) for _ in range(num_runs)]
    for name in names:
        end(queue, name)
    new = order(queue)
    assert set(queue.names()) == {*names[1:], new}


def test_what_a_run_still_takes_is_what_is_not_there_yet(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(admission, "expected", lambda *order, **more: asked.append((order, more)) or (10, 5))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "1.png").write_bytes(b"x" * 700)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights").write_bytes(b"x" * 3 * 2**20)
    words = ("train", "gpt", "--data", str(tmp_path / "own"), "--init", "gpt-1@20", "--set", "num_layers=2")
    job = Job("x", (*words, "--set", "hidden_size=64"), "ended", 0.0)
    assert expected_again(job, tmp_path / "run") == (7.0, 5)
    assert asked == [(("gpt", ["num_layers=2", "hidden_size=64"], 700), {"init": "gpt-1@20"})]
    (tmp_path / "run" / "more").write_bytes(b"x" * 8 * 2**20)
    assert expected_again(job, tmp_path / "run")[0] == 0.0, "never less than nothing"


def test_a_run_that_goes_on_counts_what_it_had(tmp_path):
    queue = queue_of(tmp_path, minutes_per_address=15)
    name = order(queue, minutes="15", secret="anna" * 5)
    folder = queue.folder / name
    Job.load(folder).changed(folder, stage="ended", spent_minutes=14.0)
    queue._usage.took(name, 14.0)
    queue.resume(name, "anna" * 5, HERE)
    job = Job.load(folder)
    assert (job.stage, job.spent_minutes) == ("waiting", 14.0)
    assert queue._usage.minutes_of(HERE) == 15.0
    assert refusal(queue, minutes="1") == "minutes_used"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_as_a_page_offers_it_is_taken_by_both_presets(tmp_path, recipe):
    small = RECIPES[recipe].small
    given = [f"{name}={value}" for name, value in small.items()]
    disk_mib, memory_mib = expected(recipe, given)
    assert 0 < disk_mib <= PUBLIC["run_disk_mib"]
    assert 300 < memory_mib < 4500


def test_what_this_machine_has_no_room_for_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(run_queue, "expected", expected)
    queue = queue_of(tmp_path, run_memory_mib=2000, run_disk_mib=100)
    large = ("num_layers=12", "hidden_size=512", "num_heads=8", "context_length=512", "batch_size=128")
    assert refusal(queue, settings=large) == "needs_memory"
    assert refusal(queue, settings=("hidden_size=512", "num_layers=12", "batch_size=1")) == "run_needs_disk"
    assert refusal(queue, settings=("hidden_size=100", "num_heads=7")) in (
        "no_such_network",
        "heads_do_not_divide",
    )
    assert queue.names() == []
    order(queue, settings=("hidden_size=64",))


def test_an_order_that_the_disk_does_not_take_leaves_nothing_and_counts_for_nothing(tmp_path, monkeypatch):
    queue = queue_of(tmp_path, minutes_per_address=10)

    def full(folder):
        raise DemoError("cannot_write", path=str(folder), detail="no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Job, "save", lambda job, folder: full(folder))
        with pytest.raises(DemoError):
            order(queue, minutes="10", text=b"a text")
    assert queue.names() == [] and [path for path in queue.folder.iterdir() if path.name[0] != "."] == []
    order(queue, minutes="10")


def test_many_small_runs_count_as_something(tmp_path):
    queue = queue_of(tmp_path, disk_mib_per_address=3, runs_waiting=0, runs_per_address=0)
    for _ in range(3):
        end(queue, order(queue), 10)
    assert refusal(queue) == "disk_of_network"
