"""What is on an image, and is it what was asked for: by readers that know, and one that does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_demo.data.tiny_world.group import (
    CENTRES,
    Group,
    arrange,
    centres,
    group_standing,
    meaning,
    sample_group,
)
from aigc_demo.data.tiny_world.group_images import groups_of, truth_of
from aigc_demo.data.tiny_world.image import MIDDLE, render
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Thing
from aigc_demo.measure.attributes import Found, read_images, verdict, verdicts
from aigc_demo.nets.images.attribute_reader import AttributeLogits

BALL = Thing("ball", "red", "small", MIDDLE)
BOX = Thing("box", "blue", "big", MIDDLE)
STAR = Thing("star", "green", "medium", MIDDLE)


class Knowing(nn.Module):
    """A reader that says what it was told, of one image after another."""

    def __init__(self, groups: list[Group]):
        super().__init__()
        self.truth, self.weather = truth_of(groups)
        self.read = 0

    def forward(self, x_BCHW: Tensor) -> AttributeLogits:
        rows = slice(self.read, self.read + len(x_BCHW))
        self.read += len(x_BCHW)
        truth = self.truth[rows]
        sure = [
            nn.functional.one_hot(truth[..., 1 + n].clamp(min=0), count) * 20.0
            for n, count in enumerate((6, 8, 3))
        ]
        weather = nn.functional.one_hot(self.weather[rows], 4) * 20.0
        return AttributeLogits(truth[..., 0] * 40.0 - 20, *sure, weather)


def images(groups: list[Group], size: int = 64) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(render(group, size))).permute(2, 0, 1) for group in groups])


def some_groups(count: int) -> list[Group]:
    import random

    rng = random.Random(4)
    return [sample_group(rng, 1 + number % 3) for number in range(count)]


def group_of(*things: Thing, steps: tuple[str, ...] = (), weather: str = "") -> Group:
    found = arrange(list(things), list(steps), weather)
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
    found = read_images(Knowing(groups), images(groups))  # type: ignore[arg-type]
    assert [meaning(one.group) for one in found if one.group] == [meaning(group) for group in groups]
    assert all(one.unlike == 0 and one.confidence > 0.99 for one in found)
    noise = torch.randint(0, 256, (12, 3, 64, 64), dtype=torch.uint8)
    assert all(one.unlike > 40 for one in read_images(Knowing(groups), noise))  # type: ignore[arg-type]


def test_what_stands_as_no_group_is_unlike_any() -> None:
    class Blind(nn.Module):
        def forward(self, x_BCHW: Tensor) -> AttributeLogits:
            shapes = [(len(x_BCHW), 9), *((len(x_BCHW), 9, n) for n in (6, 8, 3)), (len(x_BCHW), 4)]
            return AttributeLogits(*(torch.zeros(shape) for shape in shapes))

    (found,) = read_images(Blind(), images(some_groups(1)))  # type: ignore[arg-type]
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


def test_the_share_of_images_that_are_right() -> None:
    groups = some_groups(8)
    asked = [*groups[:6], groups[0], groups[1]]
    found = verdicts(Knowing(groups), images(groups), asked)  # type: ignore[arg-type]
    assert [one.all_right for one in found] == [True] * 6 + [False] * 2


# ---- one thing too many, one too few

FREE = [centre for centre in CENTRES if centre not in ((0.25, 0.5), (0.75, 0.5))]
PAIR = group_of(BALL, BOX, steps=("left",), weather="rainy")


def found_with(things: dict, weather: str = "rainy") -> Found:
    return Found(things, weather, 1.0, 0.0)


@pytest.mark.parametrize("more", [1, 2, 3])
@pytest.mark.parametrize("extra", [BALL, STAR, BOX])
def test_what_is_too_much_is_counted_and_nothing_is_wrong_with_what_is_right(more: int, extra: Thing) -> None:
    """Also where what is too much looks as what was asked for, and whichever comes first."""
    right = found_of(PAIR).things
    others = dict.fromkeys(FREE[:more], extra)
    for things in ({**right, **others}, {**others, **right}):
        result = verdict(PAIR, found_with(things))
        assert result.num_more == more
        assert [thing.num_right for thing in result.things] == [4, 4]
        assert [thing.found for thing in result.things] == list(PAIR.things)
        assert result.weather and not result.all_right


@pytest.mark.parametrize("missing", [0, 1])
def test_what_is_missing_is_named_and_the_other_is_right(missing: int) -> None:
    things = dict(list(found_of(PAIR).things.items())[1 - missing : 2 - missing])
    result = verdict(PAIR, found_with(things))
    assert result.num_more == 0
    assert [thing.num_right for thing in result.things] == ([0, 4] if missing == 0 else [4, 0])
    assert result.things[missing].found is None
    assert result.things[missing].wanted == PAIR.things[missing]
    assert not result.all_right


def test_where_nothing_is_all_is_missing_and_nothing_too_much() -> None:
    result = verdict(PAIR, found_with({}))
    assert [thing.found for thing in result.things] == [None, None]
    assert (result.num_more, result.weather, result.all_right) == (0, True, False)


def test_another_ground_alone_is_enough_to_be_wrong() -> None:
    result = verdict(PAIR, found_with(dict(found_of(PAIR).things), weather="sunny"))
    assert [thing.num_right for thing in result.things] == [4, 4]
    assert (result.num_more, result.weather, result.all_right) == (0, False, False)


def test_things_are_matched_so_that_most_is_right() -> None:
    """One that is right but for its place, and one in the place of it that is nothing else."""
    cone = Thing("cone", "pink", "medium", MIDDLE)
    things = {(0.25, 0.5): cone, (0.25, 0.25): BALL, (0.75, 0.5): BOX}
    result = verdict(PAIR, found_with(things))
    assert [thing.found for thing in result.things] == [BALL, BOX]
    assert [(thing.place, thing.num_right) for thing in result.things] == [(False, 3), (True, 4)]
    assert result.num_more == 1
    # The only thing there is nearer to the second that was asked for.
    result = verdict(PAIR, found_with({(0.5, 0.5): replace(BOX, size="small")}))
    assert [thing.num_right for thing in result.things] == [0, 2]


def test_right_is_all_of_three_or_a_image_is_not() -> None:
    groups = some_groups(30)
    for group in groups:
        found = found_of(group)
        for centre, thing in found.things.items():
            for look, other in (("kind", "cone"), ("colour", "pink"), ("size", "medium")):
                if getattr(thing, look) != other:
                    changed = {**found.things, centre: replace(thing, **{look: other})}
                    result = verdict(group, Found(changed, group.weather, 1.0, 0.0))
                    assert not result.all_right and result.num_more == 0
                    assert sum(t.num_right for t in result.things) == 4 * len(group.things) - 1


# ---- how sure, and how unlike


def logit(prob: float) -> float:
    return float(np.log(prob / (1 - prob)))


def reading_of_one(present: list[float], looks: float, weather: float) -> AttributeLogits:
    """A thing where its probability is above a half; the likeliest of each look has probability `looks`."""

    def sure(count: int, prob: float, places: int) -> Tensor:
        logits = torch.zeros(1, places, count)
        logits[..., 1] = np.log(prob / (1 - prob) * (count - 1))
        return logits

    return AttributeLogits(
        torch.tensor([[logit(prob) for prob in present]]),
        *(sure(count, looks, 9) for count in (6, 8, 3)),
        sure(4, weather, 1)[:, 0],
    )


@pytest.mark.parametrize(
    ("present", "looks", "weather", "least"),
    [
        ([0.99] + [0.02] * 8, 0.9, 0.95, 0.9),
        ([0.99] + [0.02] * 8, 0.97, 0.8, 0.8),
        ([0.7] + [0.02] * 8, 0.97, 0.95, 0.7),
        ([0.99] + [0.02] * 7 + [0.4], 0.97, 0.95, 0.6),  # that there is nothing
    ],
)
def test_a_reading_is_as_sure_as_what_it_is_least_sure_of(
    present: list[float], looks: float, weather: float, least: float
) -> None:
    class Reader(nn.Module):
        def forward(self, x_BCHW: Tensor) -> AttributeLogits:
            return reading_of_one(present, looks, weather)

    (found,) = read_images(Reader(), images(some_groups(1)))  # type: ignore[arg-type]
    assert found.confidence == pytest.approx(least, abs=1e-4)
    assert list(found.things) == [CENTRES[0]]
    assert found.things[CENTRES[0]] == Thing(SHAPES[1], COLOURS[1], SIZES[1], MIDDLE)
    assert found.weather == WEATHERS[1]


def test_unlike_is_the_mean_difference_in_grey_levels() -> None:
    groups = some_groups(3)
    shown = images(groups)
    darker = torch.where(shown >= 12, shown - 12, shown + 12)
    darker[:, :, :32] = shown[:, :, :32]
    found = read_images(Knowing(groups), darker)  # type: ignore[arg-type]
    assert [one.unlike for one in found] == pytest.approx([6.0] * 3)
