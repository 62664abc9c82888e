"""Numbers that a visitor sends: whatever they are, the answer is a sentence."""

import math

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.models.arguments import MAX_TOKENS, check_number, checked_ids


@pytest.mark.parametrize("value", [1, 5, 2.0])
def test_numbers_within_their_bounds_pass(value):
    check_number("num", value, 1, 5, whole=True)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (10**400, "setting_range"),  # more than a float holds
        (-(10**400), "setting_range"),
        (1e308, "setting_range"),
        (0, "setting_range"),
        (1.5, "setting_type"),
        (math.nan, "setting_type"),
        (math.inf, "setting_type"),
        (-math.inf, "setting_type"),
        (True, "setting_type"),
        ("1", "setting_type"),
        (None, "setting_type"),
        ([1], "setting_type"),
    ],
)
def test_anything_else_is_refused(value, key):
    with pytest.raises(InputError) as refused:
        check_number("num", value, 1, 5, whole=True)
    assert refused.value.key == key
    assert len(str(refused.value)) < 200


def test_ids_are_whole_numbers_that_32_bits_hold():
    assert checked_ids("token_ids", [0, 3.0, 2**31 - 1]) == (0, 3, 2**31 - 1)
    assert checked_ids("token_ids", (1,) * MAX_TOKENS) == (1,) * MAX_TOKENS
    assert len(checked_ids("token_ids", [1] * 20_000)) == 20_000
    assert checked_ids("token_ids", None) == ()
    for wrong in (2**31, 2.0**31, -1, 0.5, math.nan, math.inf, True, "1", None, [1]):
        with pytest.raises(InputError) as refused:
            checked_ids("token_ids", [1, wrong])
        assert refused.value.key == "setting_type"
    with pytest.raises(InputError) as refused:
        checked_ids("token_ids", [1] * (MAX_TOKENS + 1))
    assert refused.value.key == "setting_range"
