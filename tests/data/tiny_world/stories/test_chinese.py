"""Stories in Chinese: the same scenes and rules as in English, in tables of their own."""

import itertools
import random
import re

import pytest

from aigc_demo.data.tiny_world.scene import ANIMALS, Happening, Place, Scene, Thing
from aigc_demo.data.tiny_world.stories.chinese import CHINESE
from aigc_demo.data.tiny_world.stories.english import ENGLISH
from aigc_demo.data.tiny_world.texts import documents_text, parse_story, scenes, stories, story

HIT = (
    "那里有一个红色的大球。它的右边有一个橙色的方块。"
    "红色的大球飞快地滚过去撞到了橙色的方块，所以方块倒了。现在方块躺在球旁边。"
)


def facts(scene: Scene) -> tuple:
    """What a story says of a scene, whatever the order of its things."""
    names = [(thing.kind, thing.colour) for thing in scene.things]
    happenings = [
        (one.cause, names[one.actor], None if one.target is None else names[one.target], one.effect)
        for one in scene.happenings
    ]
    things = sorted((thing.kind, thing.colour, thing.size) for thing in scene.things)
    return things, scene.weather, happenings


def test_both_grammars_have_the_same_tables():
    for name in ("kinds", "colours", "sizes", "weathers", "relations", "sounds"):
        assert getattr(CHINESE, name).keys() == getattr(ENGLISH, name).keys()
        words = list(getattr(CHINESE, name).values())
        assert len(set(words)) == len(words)
    for name in ("causes", "effects", "closings"):
        chinese, english = getattr(CHINESE, name), getattr(ENGLISH, name)
        assert {key: len(found) for key, found in chinese.items()} == {
            key: len(found) for key, found in english.items()
        }


def test_every_story_is_read_back_as_its_scene():
    rng = random.Random(5)
    for scene in itertools.islice(scenes(5), 1000):
        text = story(scene, rng, "zh")
        assert re.fullmatch("[\u4e00-\u9fff，。]+", text)
        result = parse_story(text)
        assert result.scene is not None, (text, result.problem)
        assert facts(result.scene) == facts(scene), text


def test_a_story_is_what_the_tables_say():
    things = (Thing("dog", "brown", "medium", Place(1, 0)), Thing("star", "pink", "big", Place(1, 2)))
    pushed = Scene(things, "", (Happening("push", 0, 1, "stick"),))
    texts = {story(pushed, random.Random(seed), "zh") for seed in range(5000)}
    assert (
        "从前有一只棕色的狗。它的右边有一颗粉色的大星星。"
        "有一天，棕色的狗推了粉色的大星星。但是星星一动也没动。最后狗很难过。"
    ) in texts
    assert (
        "那里有一只棕色的狗，在一颗粉色的大星星的左边。棕色的狗推了粉色的大星星一下，但是它太重了。狗只好放弃了。"
    ) in texts


@pytest.mark.parametrize("kind", ENGLISH.kinds)
def test_things_have_their_measure_word(kind):
    measure = CHINESE.described(Thing(kind, "red", "small", Place(0, 0))).removesuffix(CHINESE.kinds[kind])
    if kind in ANIMALS:
        assert measure == "一只红色的小"
    else:
        assert measure == ("一颗红色的小" if kind in ("star", "heart") else "一个红色的小")


def test_the_story_that_the_next_test_breaks_is_whole():
    assert parse_story(HIT).problem == ""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("。红色的大球", "。红色的小球", "红色的小球 is nothing that was introduced"),
        ("。红色的大球", "。红色的球", "not its whole name: 红色的球"),
        ("躺在球旁边", "躺在红色的大球旁边", "its size again: 红色的大球"),
        ("撞到了橙色的方块", "撞到了橙色的圆锥", "橙色的圆锥 is nothing that was introduced"),
        ("所以方块", "所以球", "unfitting: 球"),
        ("滚过去", "滑过去", "unfitting: 滑"),
        ("一个橙色", "一只橙色", "wrong article: 一只橙色的方块"),
        ("方块倒了", "方块飞走了", "does not follow from hit: 方块飞走了"),
        ("所以方块", "但是方块", "does not follow from hit: 方块倒了"),
        ("橙色的方块", "橙色的大方块", "stand follows, not fall"),
        ("右边", "上面", "the places contradict each other"),
        ("那里有", "这是一个大风天。那里有", "the weather does not fit"),
        ("现在方块躺在球旁边。", "", "it breaks off"),
        ("现在方块", "方块", "no ending: 方块躺在球旁边"),
        ("那里有", "有", "no beginning: 有一个红色的大球"),
        ("。现在", "。 现在", "not a line of whole sentences"),
        ("旁边。", "旁边", "not a line of whole sentences"),
        ("，", ",", "not a line of whole sentences"),
    ],
)
def test_a_broken_story_is_refused_with_its_reason(old, new, problem):
    assert old in HIT
    # A big box stays big wherever it is named.
    assert problem in parse_story(HIT.replace(old, new, -1 if "橙色的方块" in old else 1)).problem


def test_a_story_cut_anywhere_is_refused():
    for text in itertools.islice(stories(21, "zh"), 150):
        assert not any(parse_story(text[:length]).ok for length in range(len(text)))


def test_a_story_with_the_effect_of_another_is_refused():
    texts = list(itertools.islice(stories(6, "zh"), 400))
    changed = [
        text.replace("所以", "但是") if "所以" in text else text.replace("但是", "所以") for text in texts
    ]
    assert not any(parse_story(text).ok for text in changed)
    resized = [
        re.sub("的([大小]?)", lambda size: "的" if size[1] else "的大", text, count=1) for text in texts
    ]
    assert not any(parse_story(text).ok for text in resized if text not in texts)


def test_languages_are_not_mixed():
    english, chinese = next(stories(1)), next(stories(1, "zh"))
    for text in (english + chinese, chinese + english, f"{english} {chinese}"):
        assert not parse_story(text).ok


# Documents in both languages.


def test_documents_alternate_between_languages():
    texts = documents_text(50).split("\n\n")
    assert texts.pop() == ""
    assert texts[0::2] == list(itertools.islice(stories(0, "en"), 50))
    assert texts[1::2] == list(itertools.islice(stories(0, "zh"), 50))
    assert documents_text(50, seed=1) != documents_text(50)


def test_a_document_is_not_a_translation_of_its_neighbour():
    scenes_read = [parse_story(text).scene for text in documents_text(300).split("\n\n")[:-1]]
    assert None not in scenes_read
    alike = sum(facts(one) == facts(other) for one, other in itertools.pairwise(scenes_read))
    assert alike == 0
