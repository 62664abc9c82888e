import re
from dataclasses import fields
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.visitors.limits import PUBLIC, Limits, limits_of_host, variable

HOSTING = Path(__file__).resolve().parents[3] / "docs/hosting.md"


def test_without_a_word_a_host_is_a_classroom_and_a_space_is_public():
    assert limits_of_host({}) == Limits()
    assert limits_of_host({"SPACE_ID": "me/demo"}) == Limits(**PUBLIC)
    assert limits_of_host({"SPACE_ID": "me/demo", "AIGC_DEMO_PRESET": "classroom"}) == Limits()


def test_single_limits_are_set_over_a_preset():
    found = limits_of_host({"AIGC_DEMO_PRESET": " Public ", "AIGC_DEMO_RUN_MINUTES": "7",
                            "AIGC_DEMO_SHARE_RUNS": "yes", "AIGC_DEMO_DISK_MIB": ""})  # fmt: skip
    assert (found.run_minutes, found.share_runs) == (7, True)
    assert found.disk_mib == PUBLIC["disk_mib"]
    assert found.runs_per_visitor == PUBLIC["runs_per_visitor"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("RUN_MINUTES", "0"), ("RUN_MINUTES", "soon"), ("DISK_MIB", "-1"), ("DISK_MIB", "nan"),
     ("DELETE_OLDEST", "maybe"), ("PROXIES", "11"), ("PRESET", "school")],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_by_the_variables_name(name, value):
    with pytest.raises(InputError) as caught:
        limits_of_host({"AIGC_DEMO_" + name: value})
    assert "AIGC_DEMO_" + name in str(caught.value)


def test_up_to_ten_proxies_may_stand_before_the_page():
    assert limits_of_host({"AIGC_DEMO_PROXIES": "10"}).proxies == 10


def test_what_the_public_preset_names_exists_and_is_no_looser():
    classroom = Limits()
    for name, value in PUBLIC.items():
        usual = getattr(classroom, name)
        if not isinstance(usual, bool):
            assert value > 0 and (usual == 0 or value <= usual), name


def test_the_page_on_hosting_has_a_row_for_each_limit_with_both_presets():
    rows = dict(re.findall(r"^\| `(AIGC_DEMO_\w+)` \| (.+) \|$", HOSTING.read_text("utf-8"), re.MULTILINE))
    for item in fields(Limits):
        usual, public = getattr(Limits(), item.name), PUBLIC.get(item.name, getattr(Limits(), item.name))
        cells = [cell.strip() for cell in rows[variable(item.name)].split("|")]
        assert cells[-2:] == [shown(usual), shown(public)], item.name


def shown(value):
    return ("on" if value else "off") if isinstance(value, bool) else f"{value:,}" if value != "" else ""
