"""Numbers that a visitor sends: whatever they are, the answer is a sentence."""

import math

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.arguments import check_number


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
