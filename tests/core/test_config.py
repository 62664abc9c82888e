"""Settings take what can be taken without guessing and refuse the rest in one sentence."""

import dataclasses
import json
import math
from dataclasses import dataclass

import pytest

from aigc_demo.core.config import Settings, setting, shown
from aigc_demo.core.errors import InputError


@dataclass(frozen=True)
class Sample(Settings):
    heat: float = setting(1.0, "how adventurous", low=0, high=5)
    count: int = setting(7, "how many", low=1, high=11)
    seed: int = setting(0, "any whole number")
    limit: int | None = setting(None, "at most this many", low=1)
    greedy: bool = setting(False, "take the likeliest")
    mode: str = setting("red", "which colour", choices=("red", "blue"))
    stop: tuple[str, ...] = setting((), "end at one of these")
    sizes: tuple[int, ...] = setting((2, 3), "widths")


def refusal(**values):
    with pytest.raises(InputError) as caught:
        Sample.from_mapping(values)
    return caught.value


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("heat", "0.8", 0.8),
        ("heat", 2, 2.0),
        ("heat", 0, 0.0),
        ("heat", 5, 5.0),
        ("count", 3.0, 3),
        ("count", "3", 3),
        ("count", "1e1", 10),
        ("limit", None, None),
        ("limit", "none", None),
        ("limit", "4", 4),
        ("greedy", "Yes", True),
        ("greedy", "0", False),
        ("greedy", True, True),
        ("mode", "blue", "blue"),
        ("stop", "\n\n", ("\n\n",)),
        ("stop", "", ()),
        ("stop", ["a", "b"], ("a", "b")),
        ("sizes", ["5", 7.0], (5, 7)),
    ],
)
def test_taken(name, given, taken):
    value = getattr(Sample.from_mapping({name: given}), name)
    assert value == taken
    assert type(value) is type(taken)


def test_a_large_seed_keeps_its_last_digit():
    seed = 2**63 - 1
    assert Sample(seed=seed).seed == seed
    assert Sample.from_mapping({"seed": str(seed)}).seed == seed


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("heat", math.nan, "heat must be a number, got nan."),
        ("heat", "NaN", "heat must be a number, got NaN."),
        ("heat", math.inf, "heat must be a number, got inf."),
        ("heat", True, "heat must be a number, got True."),
        ("heat", None, "heat must be a number, got None."),
        ("heat", [1.0], "heat must be a number, got [1.0]."),
        ("heat", "", "heat must be a number, got ."),
        ("heat", -0.001, "heat must be at least 0, got -0.001."),
        ("heat", 5.5, "heat must be at most 5, got 5.5."),
        ("count", 0, "count must be at least 1, got 0."),
        ("count", 12, "count must be at most 11, got 12."),
        ("count", 2.5, "count must be a whole number, got 2.5."),
        ("count", True, "count must be a number, got True."),
        ("count", "9" * 5000, "count must be a number, got " + "9" * 57 + "...."),
        ("limit", 0, "limit must be at least 1, got 0."),
        ("greedy", 1, "greedy must be true or false, got 1."),
        ("greedy", "maybe", "greedy must be true or false, got maybe."),
        ("mode", "green", "mode must be one of red, blue, got green."),
        ("mode", ["red"], "mode must be text, got ['red']."),
        ("stop", 3, "stop must be a list, got 3."),
        ("stop", [3], "stop must be text, got 3."),
        ("sizes", [1.5], "sizes must be a whole number, got 1.5."),
    ],
)
def test_refused_in_one_sentence(name, given, sentence):
    assert str(refusal(**{name: given})) == sentence


def test_an_unknown_name_is_refused_with_the_known_ones():
    error = refusal(heta=1)
    assert error.key == "unknown_setting"
    assert str(error) == (
        "There is no setting named heta here; there are: heat, count, seed, limit, greedy, mode, stop, sizes."
    )


def test_a_fixed_value_cannot_be_given_again():
    assert Sample.from_mapping({"heat": 2}, count=5).count == 5
    with pytest.raises(InputError, match="no setting named count"):
        Sample.from_mapping({"count": 3}, count=5)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample().heat = 2.0


def test_settings_survive_a_file():
    settings = Sample(heat=0.5, stop=("a",), limit=3, greedy=True)
    assert Sample.from_mapping(json.loads(json.dumps(settings.to_dict()))) == settings


def test_shown_is_short_printable_and_on_one_line():
    assert shown("a\nb\x1b[31m\u2028c") == "a b [31m c"
    assert shown("床前明月光") == "床前明月光"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == "x" * 57 + "..."
