"""Which sentence may follow which: all neighbours in stories, and few others."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from aigc_demo.data.tiny_world.scene import ANIMALS, Scene, Thing, effect_of, follows
from aigc_demo.data.tiny_world.stories.sentence_order import may_follow
from aigc_demo.data.tiny_world.stories.sentences import readings
from aigc_demo.data.tiny_world.stories.story import GRAMMARS
from aigc_demo.data.tiny_world.texts import scenes, stories, story

LANGUAGES = ("en", "zh")


def sentences(text: str, language: str) -> list[str]:
    grammar = GRAMMARS[language]
    return [grammar.line([sentence]) for sentence in grammar.sentences(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_neighbours_in_stories_may_follow_each_other(language):
    for text in itertools.islice(stories(41, language), 2000):
        for first, second in itertools.pairwise(sentences(text, language)):
            assert may_follow(first, second), (first, second)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_all_other_sentences_of_a_story_may_not_follow(language):
    refused = total = 0
    for text in itertools.islice(stories(42, language), 1000):
        lines = sentences(text, language)
        for (index, first), (other, second) in itertools.product(enumerate(lines), repeat=2):
            if other not in (index, index + 1):
                total += 1
                refused += not may_follow(first, second)
    print(f"{refused / total:.4f} of {total} refused")
    assert 0.98 < refused / total < 0.99


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_another_story_seldom_may_follow(language):
    rng = random.Random(43)
    lines = [rng.choice(sentences(text, language)) for text in itertools.islice(stories(43, language), 4000)]
    accepted = sum(may_follow(*pair) for pair in itertools.pairwise(lines))
    print(f"{accepted} of {len(lines) - 1} accepted")
    assert accepted / len(lines) < 0.03


BALL, BOX = "There was a big red ball.", "To the right of it was an orange box."
HIT = "The big red ball rolled fast and hit the orange box, so the box fell over."
RAIN = "It was a rainy day."
HUNGRY = "One day the green cat was hungry, so it ate an apple."


@pytest.mark.parametrize(
    ("first", "second", "lawful"),
    [
        (BALL, BOX, True),
        (BOX, BALL, False),
        (BALL, BALL, False),
        (BOX, HIT, True),
        (HIT, BOX, False),
        (BALL, HIT, False),  # the box is not introduced
        ("Above it was an orange box.", HIT, False),  # nothing that is hit is below the other thing
        ("To the right of it was a big orange box.", HIT, False),  # it is not the same size
        ("To the right of it was a blue box.", HIT, False),
        ("To the right of it was a red cone.", BOX, False),
        # Three things: the ball is introduced first, and the cat last, since it hears the bang.
        (BOX, "A green cat was to the right of the box.", True),
        (BOX, "A green cat was to the right of it.", False),  # that could be the ball or the box
        (BOX, "A green cat was to the right of the star.", True),  # the first thing may have been a star
        (BOX, "A green box was to the right of the box.", False),
        (HIT, "Now the box lay next to the ball.", True),
        (HIT, "Now the ball lay next to the box.", False),
        (HIT, "Now the box lay next to the star.", False),
        (HIT, "The ball stopped next to the box.", False),
        (HIT, "Later the bang scared the green cat, so it ran far away from the box.", True),
        (HIT, "Later the bang scared the green cat, so it ran far away from the ball.", False),
        (
            "The big red ball rolled fast and hit the big orange box, but the box did not move.",
            "Later the bang scared the green cat, so it ran away.",
            False,
        ),
        (
            "The brown dog pushed the red ball, so it rolled away.",
            "Then the ball rolled and hit the orange box, so the box fell down.",
            True,
        ),
        (
            "The brown dog pushed the big red ball, but it was too big.",
            "Then the ball rolled and hit the orange box, so the box fell down.",
            False,
        ),
        (HIT, "One day the bang scared the green cat, so it ran away.", False),
        (HIT, "Later the bang scared the red cat, so it ran away.", False),  # two red things
        ("The big red ball rolled into the orange box.", "So the box fell down.", True),
        ("The big red ball rolled into the orange box.", "But the box did not move.", False),
        ("The big red ball rolled into the big orange box.", "But the box did not move.", True),
        ("So the box fell down.", "In the end the box lay on the ground.", True),
        ("So the box fell down.", "In the end the box was gone.", False),
        ("So the box fell down.", "Now the box lay next to the cat.", False),  # a cat does not roll
        ("The big red ball slid into the orange box.", "So the box fell down.", False),
        # The cat that hears a bang stands at the right of both; what fell is not big.
        ("There was a red ball to the left of a blue box.", "A green cat was to the right of the box.", True),
        (
            "There was a red ball to the left of a blue box.",
            "A green cat was to the right of the ball.",
            True,
        ),
        (
            "There was a red ball to the left of a blue box.",
            "A green cat was to the left of the ball.",
            False,
        ),
        ("There was a red ball to the left of a blue box.", "A green cat was above the ball.", False),
        (
            "There was a red ball to the left of a big blue box.",
            "A green cat was to the right of the box.",
            False,
        ),
        # A thing that is pushed into another is introduced between the animal and that.
        ("To the right of the dog was a blue ring.", "A pink star was to the right of the ring.", True),
        ("To the right of the dog was a blue ring.", "A pink star was to the right of the dog.", False),
        ("To the right of the dog was a big blue ring.", "A pink star was to the right of the ring.", False),
        ("A brown dog was to the left of the ring.", "A pink star was to the right of the dog.", False),
        # The weather.
        (RAIN, "There was a green cat.", True),
        (RAIN, "There was a green cat to the left of a red box.", True),
        (RAIN, "There was a green ball to the left of a red box.", False),
        ("It was a windy day.", "There was a green cat.", False),
        ("It was a sunny day.", "There was a green cat to the left of a red box.", False),
        (RAIN, HUNGRY, False),
        # Needs come in twos.
        (HUNGRY, "Then the cat was thirsty, so it drank some milk.", True),
        (HUNGRY, "Then the cat was hungry, so it ate some bread.", False),
        (HUNGRY, "Then the cat was not hungry any more.", False),
        (HUNGRY, "Then the cat was tired, so it slept next to the small red box.", True),
        (
            "One day the green cat was tired, so it slept for an hour.",
            "Then the cat was tired, so it slept next to the small red box.",
            False,
        ),
        (HUNGRY, "Then the dog was thirsty, so it drank some milk.", False),
        # What has left does not come again.
        ("The cat was not scared.", HUNGRY, False),
        (
            "The big green cat meowed at the red dog, so the dog ran away.",
            "Then the cat was bored, so it played with the small blue star.",
            True,
        ),
        (
            "The big green cat meowed at the red dog, so the dog ran away.",
            "Then the dog was bored, so it played with the small blue star.",
            False,
        ),
        # Either order of the second and the third thing.
        ("A red box was above the cat.", "A blue dog was below the cat.", True),
        ("A blue dog was below the cat.", "A red box was above the cat.", True),
        # In Chinese alike.
        ("从前有一个红色的大球。", "它的右边有一个橙色的方块。", True),
        ("它的右边有一个橙色的方块。", "从前有一个红色的大球。", False),
        ("红色的大球滚过去碰到了橙色的方块。", "所以方块倒了。", True),
        ("红色的大球滚过去碰到了橙色的大方块。", "所以方块倒了。", False),
        ("红色的大球滑过去碰到了橙色的方块。", "所以方块倒了。", False),
        ("那天是下雨天。", "从前有一只绿色的猫。", True),
        ("那天是大风天。", "从前有一只绿色的猫。", False),
        # Other text.
        (BALL, "它的右边有一个橙色的方块。", False),
        (BALL, "", False),
        ("", BALL, False),
        (BALL, "To the right of it was a orange box.", False),
        ("There was {}.", "To the right of it was {}.", False),
        (BALL + " " + BOX, HIT, False),
    ],
)
def test_what_follows_from_the_grammar(first, second, lawful):
    assert may_follow(first, second) == lawful


def test_a_full_stop_and_spaces_do_not_matter():
    assert may_follow(f" {BALL}", f"{BOX[:-1]} ")
    assert may_follow("从前有一个红色的大球", "它的右边有一个橙色的方块")


def test_a_sentence_may_belong_to_several_happenings():
    forms = {sentence.form.content for sentence in readings("In the end the cat was happy.")}
    assert forms == {("push", "move"), ("thirsty", "drink")}
    assert {sentence.form.content for sentence in readings("At home the cat was dry again.")} == {
        ("rain", "find_no_room"),
        ("rain", "go_home"),
    }


# Each of these is accepted though its story goes on otherwise: there must be another story that has it.
OTHERWISE = [
    ("There was a green cat.", "The green cat felt hungry, so it ate some bread."),
    ("There was a small yellow box.", "To the left of the box was a big brown cone."),
    (
        "A pink box was to the left of the frog.",
        "One day the green frog pushed the pink box, so it slid away.",
    ),
    ("The green frog pushed the pink box, so it slid away.", "In the end the frog was happy."),
]


@pytest.mark.parametrize(("first", "second"), OTHERWISE)
def test_what_is_accepted_stands_in_a_story(first, second):
    assert may_follow(first, second)
    assert witness(first, second, "en"), "no story has these sentences side by side"


def test_what_is_refused_stands_in_no_story_that_was_tried():
    first, second = "There was a green cat.", "The green cat felt hungry, so it ate some bread."
    assert not may_follow(second, first)
    assert not witness(second, first, "en", num_tries=2000)


def witness(first: str, second: str, language: str, num_tries: int = 30_000) -> str:
    """A story with these sentences side by side, found by writing many about the things that they name."""
    rng = random.Random(0)
    for scene in itertools.islice(scenes(0), num_tries):
        cast = _recast(scene, first, second, rng)
        if cast:
            text = story(cast, rng, language)
            if (first, second) in itertools.pairwise(sentences(text, language)):
                return text
    return ""


def _recast(scene: Scene, first: str, second: str, rng: random.Random) -> Scene | None:
    """The scene with the things that the sentences name, in random parts; None where they do not fit."""
    things = list(scene.things)
    parts = rng.sample(range(len(things)), len(things))
    for kind, colour, size in _looks(first, second):
        part = next((part for part in parts if things[part].is_animal == (kind in ANIMALS)), None)
        if part is None:
            return None
        parts.remove(part)
        things[part] = Thing(
            kind, colour or things[part].colour, size or things[part].size, things[part].place
        )
    if len({thing.kind for thing in things}) < len(things) or len({thing.colour for thing in things}) < len(
        things
    ):
        return None
    happenings = tuple(
        replace(
            one,
            effect=effect_of(
                one.cause, things[one.actor], None if one.target is None else things[one.target]
            ),
        )
        for one in scene.happenings
    )
    return replace(scene, things=tuple(things), happenings=happenings) if follows(happenings) else None


def _looks(first: str, second: str) -> Iterator[tuple[str, str, str]]:
    """Kind, colour and size of the things that two sentences name; "" for what they do not say."""
    found: dict[str, tuple[str, str]] = {}
    for reference in readings(first)[0].references + readings(second)[0].references:
        if reference.colour or reference.kind not in found:
            found[reference.kind] = (reference.colour, reference.size)
    return ((kind, *look) for kind, look in found.items())
