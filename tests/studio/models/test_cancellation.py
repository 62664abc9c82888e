"""Who is writing, who waits, and who is stopped."""

import threading

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.models.cancellation import MOST_QUEUED, Cancellation, CancelToken, new_ticket
from aigc_demo.studio.models.side_by_side import Progressing, Work, side_by_side


@pytest.fixture
def cancellation():
    return Cancellation()


def test_a_text_is_refused_while_another_of_the_same_owner_is_written(cancellation):
    with cancellation.joined("anna", may_wait=False):
        with pytest.raises(InputError), cancellation.joined("anna", may_wait=False):
            pass
        with cancellation.joined("bela", may_wait=False) as other:
            assert not other.is_set()
    with cancellation.joined("anna", may_wait=False) as stop:
        assert not stop.is_set()
    assert stop.is_set(), "who still looks at it ends"


def test_works_in_line_begin_one_after_the_other(cancellation):
    with cancellation.joined("anna") as first:
        assert not first.waits(0)
        with cancellation.joined("anna") as second:
            assert second.waits(0.01)
            with cancellation.joined("bela") as other_visitor:
                assert not other_visitor.waits(0), "nobody waits for another visitor"
            done = threading.Event()
            waiting = threading.Thread(target=lambda: (second.waits(30), done.set()))
            waiting.start()
            cancellation._queues["anna"].remove(first)
            with cancellation._changed:
                cancellation._changed.notify_all()
            assert done.wait(5), "it hears of its turn at once"
            cancellation._queues["anna"].insert(0, first)


def test_stop_ends_what_runs_and_what_waits(cancellation):
    with (
        cancellation.joined("anna") as first,
        cancellation.joined("anna") as second,
        cancellation.joined("bela") as other,
    ):
        assert cancellation.stop("anna")
        assert first.is_set()
        assert second.is_set()
        assert not second.waits(5), "it does not wait for its turn to end"
        assert not other.is_set()
    assert not cancellation.stop("anna"), "there is nothing to stop"


def test_a_line_has_an_end(cancellation):
    places = [cancellation.joined("anna") for _ in range(MOST_QUEUED)]
    for place in places:
        place.__enter__()
    with pytest.raises(InputError), cancellation.joined("anna"):
        pass
    for place in reversed(places):
        place.__exit__(None, None, None)
    with cancellation.joined("anna", may_wait=False):
        pass


def test_one_column_is_left_alone(cancellation):
    with cancellation.joined("anna", {0: "ours", 1: "theirs"}, may_wait=False) as token:
        left, right = token.of_work(0), token.of_work(1)
        assert cancellation.leave("anna", 0, "ours"), "the same model goes on"
        assert not cancellation.leave("anna", 0, "another")
        assert (left.is_set(), right.is_set(), token.is_set()) == (True, False, False)
        assert (token.has_left(0), token.has_left(1)) == (True, False)
        assert not cancellation.leave("anna", 0, "ours"), "what has ended does not go on"
        assert not cancellation.leave("bela", 1, "another"), "nobody leaves another's"
        assert not right.is_set()
        assert not cancellation.leave("anna", 1, "another")
        assert token.is_set(), "nothing is left to do"


def test_whoever_shows_a_left_column_learns_its_successor_once_each_time(cancellation):
    with cancellation.joined("anna", {0: "ours", 1: "theirs"}, may_wait=False) as token:
        assert token.take_successor(0) == "", "nothing was left"
        cancellation.leave("anna", 0, "another")
        assert [token.take_successor(0), token.take_successor(0)] == ["another", ""]
        cancellation.leave("anna", 0, "a third")
        cancellation.leave("anna", 0, "ours")
        assert [token.take_successor(0), token.take_successor(1)] == ["ours", ""]


def test_a_work_of_one_column_knows_which(cancellation):
    with cancellation.joined("anna", {1: "theirs"}, may_wait=False) as token:
        assert not cancellation.leave("anna", 0, "another")
        assert not token.is_set()
        only = token.of_work(0)
        assert not cancellation.leave("anna", 1, "another")
        assert only.is_set()


def test_without_columns_there_is_only_the_whole():
    token = CancelToken()
    assert not token.has_left(0)
    work = token.of_work(0)
    assert not work.is_set()
    token.set()
    assert work.is_set()


def test_tickets_cannot_be_guessed():
    assert len({new_ticket() for _ in range(100)}) == 100


class Counts(Work):
    """Works until it is stopped."""

    def do(self):
        self.update(state="running")
        while not self.stop.is_set():
            threading.Event().wait(0.005)
        self.update(state="stopped")


def test_a_column_that_is_left_stops_working_and_the_other_goes_on(cancellation):
    columns = [Progressing(name, "waiting") for name in ("ours", "theirs")]

    class NoCache:
        def loading(self):
            return {}

    with cancellation.joined("anna", {0: "ours", 1: "theirs"}, may_wait=False) as token:
        shown = side_by_side(
            columns, lambda place, column, report: Counts(column, NoCache(), token, report), NoCache(), token
        )
        next(shown)
        cancellation.leave("anna", 0, "another")
        states = [column.state for column in next(now for now in shown if now[0].over)]
        assert states == ["stopped", "running"]
        cancellation.stop("anna")
        *_, final = shown
        assert [column.state for column in final] == ["stopped", "stopped"]


def test_a_second_press_of_a_button_is_repeated_until_the_first_is_stopped(cancellation):
    with cancellation.joined("anna", work="measure") as first:
        assert not first.repeated
        with cancellation.joined("anna", work="measure") as again:
            assert again.repeated
        assert not first.is_set(), "a repeated press ends nothing"
        with (
            cancellation.joined("anna", work="find") as other,
            cancellation.joined("bela", work="measure") as hers,
        ):
            assert not other.repeated and not hers.repeated
            assert other.waits(0.01) and not hers.waits(0)
        first.set()
        with cancellation.joined("anna", work="measure") as next_one:
            assert not next_one.repeated and next_one.waits(0.01), "what was stopped has not ended yet"


def test_a_work_that_may_not_wait_is_refused_while_another_works(cancellation):
    with cancellation.joined("anna"), pytest.raises(InputError), cancellation.joined("anna", may_wait=False):
        pass
