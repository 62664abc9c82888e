"""Groups of shapes and their captions: what is told is read back, in both languages."""

import itertools
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from aigc_demo.data.tiny_world.caption import LANGUAGES, NAMES, caption, language_of, parse_caption
from aigc_demo.data.tiny_world.group import Group, arrange, groups, is_held_out, meaning, sample_group
from aigc_demo.data.tiny_world.image import MIDDLE, render, thing_of
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, Place, Thing, relations

BALL = Thing("ball", "red", "small", MIDDLE)
BOX = Thing("box", "blue", "big", MIDDLE)
STAR = Thing("star", "green", "medium", MIDDLE)


def some_groups(number: int, **kind) -> list[Group]:
    return list(itertools.islice(groups(random.Random(0), **{"held_out": False, **kind}), number))


def test_a_sixth_of_the_combinations_is_held_out_and_every_part_of_them_is_taught() -> None:
    things = [Thing(*look, MIDDLE) for look in itertools.product(SHAPES, COLOURS, SIZES)]
    held = [thing for thing in things if is_held_out(thing)]
    assert (len(things), len(held)) == (144, 24)
    taught = [thing for thing in things if not is_held_out(thing)]
    for thing in held:
        assert any((t.kind, t.colour) == (thing.kind, thing.colour) for t in taught)
        assert any((t.kind, t.size) == (thing.kind, thing.size) for t in taught)
        assert any((t.colour, t.size) == (thing.colour, thing.size) for t in taught)
    assert set(Counter(thing.kind for thing in held).values()) == {4}
    assert set(Counter(thing.colour for thing in held).values()) == {3}
    assert set(Counter(thing.size for thing in held).values()) == {8}


def test_groups_hold_what_they_promise() -> None:
    assert not any(is_held_out(thing) for group in some_groups(300) for thing in group.things)
    unseen = some_groups(300, held_out=True)
    assert all(any(map(is_held_out, group.things)) for group in unseen)
    assert {len(group.things) for group in unseen} == {1, 2, 3}
    assert {len(group.things) for group in some_groups(50, count=2)} == {2}
    for group in unseen:
        looks = {(thing.kind, thing.colour) for thing in group.things}
        assert len(looks) == len({thing.place for thing in group.things}) == len(group.things)
        for other in group.things[1:]:
            assert len(relations(group.things[0], other)) == 1  # never on a diagonal
    with pytest.raises(ValueError, match="not 4"):
        sample_group(random.Random(0), 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_told_is_read_back(language: str) -> None:
    rng = random.Random(1)
    seen = set()
    for group in some_groups(1500):
        for chooser in (rng, None):
            text = caption(group, language, chooser)
            reading = parse_caption(text)
            assert language_of(text) == language
            assert reading.group is not None, text
            assert meaning(reading.group) == meaning(group), text
            seen.add(text)
    assert len(seen) > 2000


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "a small red circle left of a large blue square",
            "there is a big blue box to the right of a tiny red ball",
        ),
        ("A SMALL RED BALL\n  to the  left of the big blue box.", "一个小红圆在一个大蓝方块的左边"),
        ("a big blue square with a small red circle left of it", "一个大蓝色的正方形左边有一个小红色的圆形"),
    ],
)
def test_captions_that_mean_the_same(first: str, second: str) -> None:
    readings = [parse_caption(text).group for text in (first, second)]
    assert None not in readings
    one, other = (meaning(group) for group in readings if group)
    assert one == other == arrange([replace(BALL), replace(BOX)], ["left"])


def test_captions_that_differ_in_one_word_differ_in_meaning() -> None:
    plain = "a small red ball left of a big blue box on a sunny day"
    whole = parse_caption(plain).group
    assert whole is not None
    for old, new in {
        "small": "big",
        "red": "green",
        "ball": "star",
        "left": "right",
        "sunny": "rainy",
    }.items():
        other = parse_caption(plain.replace(old, new)).group
        assert other is not None
        assert meaning(other) != meaning(whole)
    swapped = parse_caption("a big blue box left of a small red ball on a sunny day").group
    assert swapped is not None
    assert meaning(swapped) != meaning(whole)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("", 0),
        ("a red", 0),
        ("a ball", 0),  # of which colour?
        ("a red blue ball", 0),
        ("red ball blue box", 0),
        ("a red ball left of", 0),
        ("a red ball left of a blue box and right of a green star", 0),  # three in a row
        ("a red ball left of a small red ball", 0),  # which of them?
        ("a red ball on a sunny day in the rain", 0),
        ("a red ball and a blue box and a green star", 0),
        ("a red dragon", 1),
        ("a reddish ball", 1),
        ("🐉🐉", 2),
        ("一条龙在球的左边", 1),
        ("红色", 0),
        ("x" * 10_000, 1),
        ("?" * 10_000, 10_000),
    ],
)
def test_what_is_no_caption_has_no_group(text: str, unknown: int) -> None:
    reading = parse_caption(text)
    assert reading.group is None
    assert reading.num_unknown == unknown


def test_every_word_has_its_place() -> None:
    text = "a Red  dragon, to the  left of 3 boxes"
    words = parse_caption(text).words
    assert "".join(text[word.first : word.past] for word in words) == "aReddragon,to the  left of3boxes"
    assert [word.part for word in words] == ["", "colour", "unknown", "", "relation", "unknown", "unknown"]
    assert [word.meaning for word in words if word.meaning] == ["red", "left"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_has_two_meanings(language: str) -> None:
    names = [name for names in NAMES[language].values() for name in names]
    assert len(names) == len(set(names))


def test_arranged_puts_things_where_relations_say() -> None:
    group = arrange([BALL, BOX, STAR], ["left", "above"], "rainy")
    assert group is not None
    assert [thing.place for thing in group.things] == [Place(0, 0), Place(0, 1), Place(1, 0)]
    assert group.weather == "rainy"
    assert arrange([BALL, BOX, STAR], ["left", "right"]) is None
    assert arrange([BALL, BOX], []) is None
    assert arrange([BALL, replace(BALL, size="big")], ["left"]) is None
    assert arrange([], []) is None


def test_a_group_is_drawn_where_it_stands() -> None:
    red, blue = thing_of(0), thing_of(0)
    red, blue = replace(red, colour="red"), replace(blue, colour="blue")
    for step, axis, first_half in (
        ("left", 1, True),
        ("right", 1, False),
        ("above", 0, True),
        ("below", 0, False),
    ):
        group = arrange([red, blue], [step])
        assert group is not None
        pixels = np.asarray(render(group, 64)).astype(int)
        redness = pixels[..., 0] - pixels[..., 2]
        place = np.argwhere(redness > 100).mean(0), np.argwhere(redness < -80).mean(0)
        assert (place[0][axis] < place[1][axis]) == first_half
        assert abs(place[0][1 - axis] - place[1][1 - axis]) < 2  # the other way they stand in the middle


def test_one_thing_alone_is_drawn_as_ever() -> None:
    for rng in (None, 3):
        images = [
            np.asarray(render(subject, 32, None if rng is None else random.Random(rng)))
            for subject in (BOX, Group((BOX,)))
        ]
        assert np.array_equal(*images)
    skies = [np.asarray(render(Group((BOX,), weather), 32)) for weather in ("", "sunny", "windy", "rainy")]
    assert len({sky.tobytes() for sky in skies}) == 4
