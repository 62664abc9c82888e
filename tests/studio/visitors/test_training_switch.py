"""Training switched off by a server's owner: nothing starts, by whichever door."""

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.runs.order import RunOrder
from aigc_demo.studio.runs.preflight import try_order
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.visitors.training_switch import VARIABLE, training_is_on

OFF = ("off", "OFF", " 0 ", "false", "no")


@pytest.mark.parametrize("value", OFF)
def test_words_that_switch_it_off(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    assert not training_is_on()


@pytest.mark.parametrize("value", ["", "on", "1", "yes", "perhaps"])
def test_everything_else_leaves_it_on(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    assert training_is_on()


def test_nothing_is_ordered_resumed_or_tried(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "off")
    queue = RunQueue(tmp_path / "runs")
    doors = (
        lambda: queue.order("gpt", "tiny-world", secret="s", budget=("--steps", "1")),
        lambda: queue.resume("gpt-1", "s"),
        lambda: next(try_order(object.__new__(RunOrder), tmp_path)),
        lambda: queue.check_size(object.__new__(RunOrder)),
    )
    for door in doors:
        with pytest.raises(InputError) as refused:
            door()
        assert refused.value.key == "training_off"
    assert list(tmp_path.iterdir()) == []
