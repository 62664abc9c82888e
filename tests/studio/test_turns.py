import threading
import time
from itertools import pairwise

from aigc_demo.studio.turns import Turn, Turns


def work(turns, name, token_seconds, until, log):
    """Write tokens that take so long each, and log whose they were."""
    with turns.joined() as turn:
        while time.perf_counter() < until:
            log.append(name)
            time.sleep(token_seconds)
            turn.pass_on()
        log.append((name, turn.seconds))


def shares(turns, token_seconds, seconds):
    log, until = [], time.perf_counter() + seconds
    threads = [
        threading.Thread(target=work, args=(turns, name, each, until, log))
        for name, each in token_seconds.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return log, dict(entry for entry in log if isinstance(entry, tuple))


def test_a_turn_lasts_several_tokens_and_the_time_is_shared():
    log, had = shares(Turns(0.05), {"a": 0.005, "b": 0.005}, 0.6)
    names = [entry for entry in log if isinstance(entry, str)]
    changes = sum(one != other for one, other in pairwise(names))
    assert 4 <= changes <= 13, "0.6 s in turns of 0.05 s or a little more"
    assert abs(had["a"] - had["b"]) < 0.15
    assert 0.55 < had["a"] + had["b"] < 0.9


def test_one_whose_tokens_take_long_gets_no_larger_share():
    _, had = shares(Turns(0.02), {"slow": 0.1, "quick": 0.005}, 1.0)
    assert 0.35 < had["quick"] < 0.7
    assert 0.35 < had["slow"] < 0.75


def test_who_comes_later_gets_a_share_from_then_on():
    turns = Turns(0.02)
    log, end = [], time.perf_counter() + 0.9
    first = threading.Thread(target=work, args=(turns, "first", 0.005, end, log))
    first.start()
    time.sleep(0.5)
    second = threading.Thread(target=work, args=(turns, "second", 0.005, end, log))
    second.start()
    first.join(10)
    second.join(10)
    had = dict(entry for entry in log if isinstance(entry, tuple))
    assert 0.1 < had["second"] < 0.32, "half of the last 0.4 s, not all of it to catch up"


def test_the_turn_goes_on_when_a_writer_fails():
    turns = Turns()
    try:
        with turns.joined():
            raise RuntimeError("broken")
    except RuntimeError:
        pass
    with turns.joined() as turn:
        assert turn.seconds < 5


def test_who_is_alone_or_takes_no_part_never_waits():
    begun = time.perf_counter()
    with Turns(0).joined() as turn:
        for _ in range(100):
            turn.pass_on()
    Turn().pass_on()
    assert time.perf_counter() - begun < 1


def test_who_has_not_begun_comes_before_all_who_have():
    turns, order = Turns(10.0), []
    first = Turn(turns)
    first.begin()
    first.has_begun = True

    def writer(name, share, begun):
        turn = Turn(turns, share)
        turn.has_begun = begun
        turn.begin()
        order.append(name)
        turn.end()

    threads = [
        threading.Thread(target=writer, args=given)
        for given in (("little", 0.0, True), ("more", 5.0, True), ("new", 9.0, False))
    ]
    for thread in threads:
        thread.start()
        while len(turns._waiting) <= threads.index(thread):
            time.sleep(0.001)
    assert turns.somebody_new()
    first.end()
    for thread in threads:
        thread.join(5)
    assert order == ["new", "little", "more"]


def test_a_new_one_passes_on_after_its_first_token_however_long_a_turn_is():
    turns, log = Turns(60.0), []
    until = time.perf_counter() + 0.4

    def write(name):
        with turns.joined() as turn:
            while time.perf_counter() < until:
                log.append(name)
                time.sleep(0.01)
                turn.pass_on()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert set(log[:6]) == {"a", "b", "c"}, "each has its first token before anybody's turn is over"
