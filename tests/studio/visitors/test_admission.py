"""What clearing a cookie does not lift, and what an order is expected to take."""

import itertools

import psutil
import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs import run_queue as run_desk
from aigc_demo.studio.runs.job import Ticket
from aigc_demo.studio.runs.run_queue import DeskRules, RunDesk
from aigc_demo.studio.visitors import admission
from aigc_demo.studio.visitors.admission import asked_minutes, expected, expected_again
from aigc_demo.studio.visitors.limits import PUBLIC, Limits
from aigc_demo.training.recipes import RECIPES

HERE, THERE = "192.0.2.1", "192.0.2.2"
secrets = (f"secret number {number}" for number in itertools.count())


@pytest.fixture(autouse=True)
def of_no_size(monkeypatch):
    for name in ("expected", "expected_again"):
        monkeypatch.setattr(run_desk, name, lambda *order: (0.0, 0.0))


def desk_of(tmp_path, **limits):
    return RunDesk(tmp_path / "runs", DeskRules(at_once=0), Limits(**limits))


def order(desk, address=HERE, minutes="3", **others):
    """One order of a visitor who has just cleared all cookies."""
    others.setdefault("secret", next(secrets))
    return desk.order("gpt", "tiny-world", budget=("--minutes", minutes), address=address, **others)


def end(desk, name, bytes_taken=0):
    folder = desk.folder / name
    Ticket.load(folder).changed(folder, stage="ended")
    (folder / "weights").write_bytes(b"x" * bytes_taken)


def refusal(*arguments, **others):
    with pytest.raises(InputError) as caught:
        order(*arguments, **others)
    return caught.value.key


def test_runs_of_one_address_whatever_its_cookies(tmp_path):
    desk = desk_of(tmp_path, runs_per_address=2)
    names = [order(desk), order(desk)]
    assert refusal(desk) == "too_many_runs_of_network"
    order(desk, THERE)
    order(desk, ""), order(desk, ""), order(desk, "")  # not known: only the limits for all hold
    end(desk, names[0])
    order(desk)


def test_minutes_of_one_address_in_a_day_are_not_lifted_by_deleting_runs(tmp_path):
    desk = desk_of(tmp_path, minutes_per_address=10)
    name = order(desk, minutes="8", secret="anna" * 5)
    assert refusal(desk, minutes="3") == "minutes_used"
    end(desk, name)
    desk.delete(name, "anna" * 5)
    assert refusal(desk, minutes="3") == "minutes_used"
    order(desk, minutes="2")
    order(desk, THERE, minutes="8")
    again = RunDesk(desk.folder, DeskRules(at_once=0), desk.limits)
    desk.close()
    assert refusal(again, minutes="3") == "minutes_used", "a restart lifts nothing either"


def test_what_waited_and_was_stopped_counts_for_nothing(tmp_path):
    desk = desk_of(tmp_path, minutes_per_address=10)
    name = order(desk, minutes="8", secret="anna" * 5)
    desk.stop(name, "anna" * 5)
    assert desk._usage.minutes_of(HERE) == 0
    order(desk, minutes="10")


def test_minutes_of_everybody(tmp_path):
    desk = desk_of(tmp_path, minutes_waiting=10)
    order(desk, HERE, minutes="6")
    assert refusal(desk, THERE, minutes="5") == "minutes_waiting"
    order(desk, THERE, minutes="4")


def test_a_run_by_steps_counts_as_the_longest_there_is(tmp_path):
    limits = Limits(run_minutes=15)
    assert asked_minutes(("--steps", "20"), limits) == 15
    assert asked_minutes(("train", "gpt", "--minutes", "2.5", "--seed", "1"), limits) == 2.5
    desk = desk_of(tmp_path, run_minutes=15)
    assert refusal(desk, minutes="16") == "run_minutes"


def test_what_is_under_way_counts_as_what_it_will_take(tmp_path, monkeypatch):
    monkeypatch.setattr(run_desk, "expected", lambda *order: (90.0, 0.0))
    desk = desk_of(tmp_path, disk_mib_per_address=200)
    name = order(desk)
    order(desk)
    assert refusal(desk) == "disk_of_network"
    end(desk, name)
    order(desk)


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
    desk = desk_of(tmp_path, disk_mib_per_address=2, disk_mib=4)
    for address in (HERE, HERE, THERE):
        end(desk, order(desk, address), 2**20)
    assert refusal(desk, HERE) == "disk_of_network"
    end(desk, order(desk, THERE), 2**20)
    assert refusal(desk, "192.0.2.3") == "disk_of_all"


def test_where_the_disk_is_full_the_oldest_run_that_a_visitor_ended_goes(tmp_path):
    desk = desk_of(tmp_path, disk_mib=3, delete_oldest=True)
    oldest, waiting, newer = order(desk), order(desk), order(desk)
    end(desk, oldest, 2**20)
    end(desk, newer, 2**20)
    of_the_terminal = desk.folder / "mine"
    of_the_terminal.mkdir()
    (of_the_terminal / "config.json").write_bytes(b"x" * 2**21)
    (desk.folder / waiting / "text").write_bytes(b"x" * 2**20)
    new = order(desk)
    assert set(desk.names()) == {waiting, newer, new, "mine"}


def test_a_run_that_was_brought_counts_too(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, disk_mib_per_address=1)
    source = tmp_path / "run.zip"
    source.write_bytes(b"x" * 2**20)
    brought = []

    def bring(source, folder, secret, room_bytes, *, shared):
        assert room_bytes == 2**20
        brought.append(shared)
        (folder / "brought").mkdir()
        (folder / "brought" / "weights").write_bytes(b"x" * 2**20)
        return "brought"

    monkeypatch.setattr(run_desk, "import_run", bring)
    assert desk.bring(source, "anna" * 5, HERE, shared=False) == "brought"
    with pytest.raises(InputError, match="your network"):
        desk.bring(source, "bela" * 5, HERE)
    assert brought == [False]


def test_twenty_cleared_cookies_reach_no_more_than_the_public_preset_gives(tmp_path):
    desk = RunDesk(tmp_path / "runs", DeskRules(at_once=0), Limits(**PUBLIC))
    asked, taken = 0.0, 0
    for _ in range(20):
        for _ in range(5):
            try:
                name = order(desk, minutes="15")
            except InputError:
                continue
            asked, taken = asked + 15, taken + 1
            end(desk, name, 2**18)
    assert asked <= PUBLIC["minutes_per_address"] and taken >= 2
    assert desk._notes.bytes_of([desk.folder]) < PUBLIC["disk_mib_per_address"] * 2**20


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
    monkeypatch.setattr(run_desk, "expected_again", lambda ticket, folder: (1.5, 7.0))
    desk = desk_of(tmp_path, runs_per_visitor=0, runs_per_address=0, runs_waiting=0)
    name = order(desk, minutes="6", secret=ANNA)
    end(desk, name, 2 * 2**20)
    folder = desk.folder / name
    Ticket.load(folder).changed(folder, spent_minutes=2.0)
    desk._usage.took(name, 2.0)
    order(desk, its_address, minutes="5", secret=other)
    return desk, name


@pytest.mark.parametrize("kind", AT_RESUME)
def test_a_run_goes_on_only_within_the_limits_of_who_resumes_it(tmp_path, monkeypatch, kind):
    other, its_address, limits, key = AT_RESUME[kind]
    desk, name = stopped_beside_another(tmp_path, monkeypatch, other, its_address)
    ((limit, enough),) = limits.items()
    before = Ticket.load(desk.folder / name)
    desk._admission.limits = Limits(**{limit: enough - 1})
    with pytest.raises(InputError) as caught:
        desk.resume(name, ANNA, HERE)
    assert caught.value.key == key
    assert Ticket.load(desk.folder / name) == before and desk._usage.minutes(name) == 2.0
    assert name in desk.names()
    desk._admission.limits = Limits(**limits)
    desk.resume(name, ANNA, HERE)
    assert Ticket.load(desk.folder / name).stage == "waiting"
    assert desk._usage.minutes(name) == 6.0, "the two that it had and the four that it may have"


def test_the_minutes_of_a_run_that_goes_on_are_those_that_it_has_not_had(tmp_path, monkeypatch):
    desk, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    for spent in (6.0, 6.5):
        Ticket.load(desk.folder / name).changed(desk.folder / name, spent_minutes=spent)
        with pytest.raises(InputError) as caught:
            desk.resume(name, ANNA, HERE)
        assert caught.value.key == "run_minutes"
    # A host that gives less to a run than it did then gives what is left of that.
    desk.limits = desk._admission.limits = Limits(run_minutes=5, minutes_per_address=9)
    Ticket.load(desk.folder / name).changed(desk.folder / name, spent_minutes=4.5)
    desk.resume(name, ANNA, HERE)
    assert desk._usage.minutes(name) == 5.0


@pytest.mark.parametrize("stage", ["waiting", "started", "ended"])
@pytest.mark.parametrize("record", ["none", "begun", "without state", "with state"])
def test_what_goes_on_has_ended_and_left_something_to_go_on_from(tmp_path, stage, record):
    desk = desk_of(tmp_path)
    name = order(desk, secret=ANNA, shared=record == "none")
    run = RunDirectory(desk.folder / name)
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
    Ticket.load(run.path).changed(run.path, stage=stage, **living)
    refused = "nothing_to_resume" if record in ("begun", "without state") else ""
    refused = refused if stage == "ended" else "run_under_way"
    if refused:
        with pytest.raises(InputError) as caught:
            desk.resume(name, ANNA, HERE)
        assert caught.value.key == refused and Ticket.load(run.path).stage == stage
        return
    for _ in range(2):  # the words do not pile up
        desk.resume(name, ANNA, HERE)
        ticket = Ticket.load(run.path)
        assert (ticket.stage, ticket.arguments.count("--resume")) == ("waiting", record == "with state")
        assert ticket.shared == (record == "none") and ticket.belongs_to(ANNA)
        ticket.changed(run.path, stage="ended")


def test_no_run_is_removed_to_make_room_for_itself(tmp_path, monkeypatch):
    """The oldest run of all that have ended is the one that is to go on."""
    desk, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    younger = order(desk, THERE, secret=BELA)
    end(desk, younger, 2**20)
    desk._admission.limits = Limits(disk_mib=5, delete_oldest=True)
    desk.resume(name, ANNA, HERE)
    assert name in desk.names() and younger not in desk.names()
    assert Ticket.load(desk.folder / name).stage == "waiting"


def test_a_run_that_cannot_have_its_room_is_still_there(tmp_path, monkeypatch):
    desk, name = stopped_beside_another(tmp_path, monkeypatch, BELA, THERE)
    desk._admission.limits = Limits(disk_mib=4, delete_oldest=True)
    with pytest.raises(InputError) as caught:
        desk.resume(name, ANNA, HERE)
    assert caught.value.key == "disk_of_all"
    assert name in desk.names() and Ticket.load(desk.folder / name).stage == "ended"


def test_no_run_is_removed_that_another_one_goes_on_from(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, disk_mib=3, delete_oldest=True)
    first, second, third = (order(desk) for _ in range(3))
    for name in (first, second, third):
        end(desk, name, 2**20)
    monkeypatch.setattr(run_desk, "expected", lambda *order: (0.5, 0.0))
    waiting = order(desk, init=str(desk.folder / first / "checkpoints/step-000020"))
    assert set(desk.names()) == {first, third, waiting}, "the second was the oldest of the others"
    desk._admission.limits = Limits(disk_mib=2, delete_oldest=True)
    assert refusal(desk) == "disk_of_all"
    assert set(desk.names()) == {first, third, waiting}, "it still waits for what it goes on from"
    end(desk, waiting, 100)
    new = order(desk)
    assert set(desk.names()) == {waiting, new}


def test_nothing_is_removed_where_it_would_not_be_enough(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, disk_mib=6, delete_oldest=True)
    ended = order(desk)
    end(desk, ended, 2 * 2**20)
    monkeypatch.setattr(run_desk, "expected", lambda *order: (3.0, 0.0))
    waiting = order(desk)
    monkeypatch.setattr(run_desk, "expected", lambda *order: (3.5, 0.0))
    assert refusal(desk) == "disk_of_all"
    assert set(desk.names()) == {waiting, ended}


@pytest.mark.parametrize("num_runs", [3, 5])
def test_of_many_small_runs_the_oldest_goes_when_they_fill_the_disk_exactly(tmp_path, num_runs):
    """Each counts as one MiB."""
    desk = desk_of(tmp_path, disk_mib=num_runs, delete_oldest=True, runs_waiting=0, runs_per_address=0)
    names = [order(desk) for _ in range(num_runs)]
    for name in names:
        end(desk, name)
    new = order(desk)
    assert set(desk.names()) == {*names[1:], new}


def test_what_a_run_still_takes_is_what_is_not_there_yet(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(admission, "expected", lambda *order, **more: asked.append((order, more)) or (10, 5))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "1.png").write_bytes(b"x" * 700)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights").write_bytes(b"x" * 3 * 2**20)
    words = ("train", "gpt", "--data", str(tmp_path / "own"), "--init", "gpt-1@20", "--set", "num_layers=2")
    ticket = Ticket("x", (*words, "--set", "hidden_size=64"), "ended", 0.0)
    assert expected_again(ticket, tmp_path / "run") == (7.0, 5)
    assert asked == [(("gpt", ["num_layers=2", "hidden_size=64"], 700), {"init": "gpt-1@20"})]
    (tmp_path / "run" / "more").write_bytes(b"x" * 8 * 2**20)
    assert expected_again(ticket, tmp_path / "run")[0] == 0.0, "never less than nothing"


def test_a_run_that_goes_on_counts_what_it_had(tmp_path):
    desk = desk_of(tmp_path, minutes_per_address=15)
    name = order(desk, minutes="15", secret="anna" * 5)
    folder = desk.folder / name
    Ticket.load(folder).changed(folder, stage="ended", spent_minutes=14.0)
    desk._usage.took(name, 14.0)
    desk.resume(name, "anna" * 5, HERE)
    ticket = Ticket.load(folder)
    assert (ticket.stage, ticket.spent_minutes) == ("waiting", 14.0)
    assert desk._usage.minutes_of(HERE) == 15.0
    assert refusal(desk, minutes="1") == "minutes_used"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_as_a_page_offers_it_is_taken_by_both_presets(tmp_path, recipe):
    small = RECIPES[recipe].small
    given = [f"{name}={value}" for name, value in small.items()]
    disk_mib, memory_mib = expected(recipe, given)
    assert 0 < disk_mib <= PUBLIC["run_disk_mib"]
    assert 300 < memory_mib < 4500


def test_what_this_machine_has_no_room_for_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(run_desk, "expected", expected)
    desk = desk_of(tmp_path, run_memory_mib=2000, run_disk_mib=100)
    large = ("num_layers=12", "hidden_size=512", "num_heads=8", "context_length=512", "batch_size=128")
    assert refusal(desk, settings=large) == "needs_memory"
    assert refusal(desk, settings=("hidden_size=512", "num_layers=12", "batch_size=1")) == "run_needs_disk"
    assert refusal(desk, settings=("hidden_size=100", "num_heads=7")) in (
        "no_such_network",
        "heads_do_not_divide",
    )
    assert desk.names() == []
    order(desk, settings=("hidden_size=64",))


def test_an_order_that_the_disk_does_not_take_leaves_nothing_and_counts_for_nothing(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, minutes_per_address=10)

    def full(folder):
        raise DemoError("cannot_write", path=str(folder), detail="no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Ticket, "save", lambda ticket, folder: full(folder))
        with pytest.raises(DemoError):
            order(desk, minutes="10", text=b"a text")
    assert desk.names() == [] and [path for path in desk.folder.iterdir() if path.name[0] != "."] == []
    order(desk, minutes="10")


def test_many_small_runs_count_as_something(tmp_path):
    desk = desk_of(tmp_path, disk_mib_per_address=3, runs_waiting=0, runs_per_address=0)
    for _ in range(3):
        end(desk, order(desk), 10)
    assert refusal(desk) == "disk_of_network"
