"""What clearing a cookie does not lift, and what an order is expected to take."""

import itertools

import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.studio import run_desk
from aigc_demo.studio.admission import asked_minutes, expected
from aigc_demo.studio.limits import PUBLIC, Limits
from aigc_demo.studio.run_desk import DeskRules, RunDesk
from aigc_demo.studio.ticket import Ticket
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
    began = time.process_time()
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
