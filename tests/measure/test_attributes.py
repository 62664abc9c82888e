"""What is on a picture, and is it what was asked for: by readers that know, and one that does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_demo.data.group_pictures import groups_of, truth_of
from aigc_demo.data.tiny_group import CENTRES, Group, arranged, centres, draw_group, group_standing, meaning
from aigc_demo.data.tiny_picture import MIDDLE, draw
from aigc_demo.data.tiny_scene import Thing
from aigc_demo.measure.attributes import Found, read_pictures, share_right, verdict
from aigc_demo.nets.attribute_reader import Reading

BALL = Thing("ball", "red", "small", MIDDLE)
BOX = Thing("box", "blue", "big", MIDDLE)
STAR = Thing("star", "green", "medium", MIDDLE)


class Knowing(nn.Module):
    """A reader that says what it was told, of one picture after another."""

    def __init__(self, groups: list[Group]):
        super().__init__()
        self.truth, self.weather = truth_of(groups)
        self.read = 0

    def forward(self, x_BCHW: Tensor) -> Reading:
        rows = slice(self.read, self.read + len(x_BCHW))
        self.read += len(x_BCHW)
        truth = self.truth[rows]
        sure = [
            nn.functional.one_hot(truth[..., 1 + n].clamp(min=0), count) * 20.0
            for n, count in enumerate((6, 8, 3))
        ]
        weather = nn.functional.one_hot(self.weather[rows], 4) * 20.0
        return Reading(truth[..., 0] * 40.0 - 20, *sure, weather)


def pictures(groups: list[Group], size: int = 64) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(draw(group, size))).permute(2, 0, 1) for group in groups])


def some_groups(count: int) -> list[Group]:
    import random

    rng = random.Random(4)
    return [draw_group(rng, 1 + number % 3) for number in range(count)]


def group_of(*things: Thing, steps: tuple[str, ...] = (), weather: str = "") -> Group:
    found = arranged(list(things), list(steps), weather)
    assert found is not None
    return found


def found_of(group: Group) -> Found:
    return Found(dict(zip(centres(group), group.things, strict=True)), group.weather, 1.0, 0.0)


def test_numbers_of_groups_give_the_groups_back() -> None:
    groups = some_groups(60)
    assert [meaning(group) for group in groups_of(*truth_of(groups))] == [meaning(group) for group in groups]


@pytest.mark.parametrize(
    ("places", "is_group"),
    [
        ((0,), True),
        ((1, 2), True),
        ((3, 4), True),
        ((5, 6, 7), True),
        ((6, 7, 8), True),
        ((), False),
        ((1,), False),
        ((0, 1), False),
        ((1, 3), False),
        ((5, 6), False),
        ((5, 8), False),
        ((1, 2, 3), False),
        ((5, 6, 7, 8), False),
    ],
)
def test_only_some_places_are_those_of_a_group(places: tuple[int, ...], is_group: bool) -> None:
    looks = [BALL, BOX, STAR, replace(STAR, kind="cone")]
    standing = {CENTRES[place]: look for place, look in zip(places, looks, strict=False)}
    found = group_standing(standing, "sunny")
    assert (found is not None) == is_group
    if found:
        assert dict(zip(centres(found), [(t.kind, t.colour) for t in found.things], strict=True)) == {
            centre: (look.kind, look.colour) for centre, look in standing.items()
        }


def test_what_is_there_is_read_and_compared_with_a_drawing() -> None:
    groups = some_groups(12)
    found = read_pictures(Knowing(groups), pictures(groups))  # type: ignore[arg-type]
    assert [meaning(one.group) for one in found if one.group] == [meaning(group) for group in groups]
    assert all(one.unlike == 0 and one.confidence > 0.99 for one in found)
    noise = torch.randint(0, 256, (12, 3, 64, 64), dtype=torch.uint8)
    assert all(one.unlike > 40 for one in read_pictures(Knowing(groups), noise))  # type: ignore[arg-type]


def test_what_stands_as_no_group_is_unlike_any() -> None:
    class Blind(nn.Module):
        def forward(self, x_BCHW: Tensor) -> Reading:
            shapes = [(len(x_BCHW), 9), *((len(x_BCHW), 9, n) for n in (6, 8, 3)), (len(x_BCHW), 4)]
            return Reading(*(torch.zeros(shape) for shape in shapes))

    (found,) = read_pictures(Blind(), pictures(some_groups(1)))  # type: ignore[arg-type]
    assert found.group is None
    assert found.unlike == 255
    assert found.confidence < 0.5


def test_all_is_right_where_all_is_right() -> None:
    for group in some_groups(30):
        assert verdict(group, found_of(group)).all_right


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "cone"}, "kind"),
        ({"colour": "pink"}, "colour"),
        ({"size": "medium"}, "size"),
    ],
)
def test_one_wrong_look_is_named(changes: dict, wrong: str) -> None:
    wanted = group_of(BALL, BOX, steps=("left",), weather="rainy")
    shown = group_of(replace(BALL, **changes), BOX, steps=("left",), weather="rainy")
    result = verdict(wanted, found_of(shown))
    assert not result.all_right
    assert [getattr(result.things[0], name) for name in ("kind", "colour", "size", "place")].count(False) == 1
    assert not getattr(result.things[0], wrong)
    assert result.things[1].num_right == 4


def test_a_wrong_place_ground_or_number_is_named() -> None:
    wanted = group_of(BALL, BOX, steps=("left",))
    swapped = verdict(wanted, found_of(group_of(BALL, BOX, steps=("right",))))
    assert [thing.place for thing in swapped.things] == [False, False]
    assert [thing.num_right for thing in swapped.things] == [3, 3]
    assert not verdict(wanted, found_of(group_of(BALL, BOX, steps=("left",), weather="windy"))).weather
    more = verdict(wanted, found_of(group_of(BALL, BOX, STAR, steps=("left", "above"))))
    assert more.num_more == 1 and not more.all_right
    fewer = verdict(wanted, found_of(group_of(BOX)))
    assert fewer.things[0].found is None and fewer.things[0].num_right == 0
    assert (fewer.things[1].kind, fewer.things[1].place) == (True, False)


def test_the_share_of_pictures_that_are_right() -> None:
    groups = some_groups(8)
    asked = [*groups[:6], groups[0], groups[1]]
    assert share_right(Knowing(groups), pictures(groups), asked) == 0.75  # type: ignore[arg-type]
