"""Scenes of the tiny world: coloured things on a small grid, and what happens to them.

A scene is sampled at random and independent of language and images; stories, captions and images are
generated from it. There is one rule: big things stay. A big thing does not fall when it is hit, nor move when
it is pushed or in the wind, a big animal does not run from another, and only a big thing gives shelter from
the rain.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
SHAPES = ("ball", "box", "cone", "star", "heart", "ring")
ANIMALS = ("cat", "dog", "bird", "frog", "duck", "mouse")
SIZES = ("small", "medium", "big")
WEATHERS = ("", "sunny", "windy", "rainy")
ROLLING = ("ball", "ring")  # the others slide
NUM_COLUMNS, NUM_ROWS = 3, 3
NEEDS = {"hungry": "eat", "thirsty": "drink", "tired": "sleep", "bored": "play"}
SHARED_NEEDS = ("tired", "bored")  # needs in which a second thing can take part
# Causes with two things: whether the actor, and the target, is an animal.
CAUSES_WITH_TWO = {
    "hit": (False, False),
    "push": (True, False),
    "call": (True, True),
    "bang": (True, False),
}
# Effects if the target is not big, and if it is.
EFFECTS_ON_TARGET = {
    "hit": ("fall", "stand"),
    "push": ("move", "stick"),
    "call": ("flee", "befriend"),
    "rain": ("find_no_room", "hide"),
}


@dataclass(frozen=True, order=True)
class Place:
    """A cell of the grid.

    Args:
        row: 0 at the top to 2 at the bottom.
        column: 0 at the left to 2 at the right.
    """

    row: int
    column: int


@dataclass(frozen=True)
class Thing:
    """A shape or an animal.

    Args:
        kind: one of SHAPES or ANIMALS.
        colour: one of COLOURS.
        size: one of SIZES.
        place: before the first happening.
    """

    kind: str
    colour: str
    size: str
    place: Place

    @property
    def is_animal(self) -> bool:
        """Whether it can act by itself."""
        return self.kind in ANIMALS

    @property
    def is_big(self) -> bool:
        """Whether it stays where it is, whatever happens."""
        return self.size == "big"


@dataclass(frozen=True)
class Happening:
    """A cause and its effect.

    Args:
        cause: hit, push, call, bang, wind, rain, or one of NEEDS.
        actor: index of the thing that acts, or that is affected by weather or noise.
        target: index of the second thing, or None.
        effect: result of `effect_of`.
    """

    cause: str
    actor: int
    target: int | None
    effect: str


@dataclass(frozen=True)
class Scene:
    """Things on the grid and what happens to them.

    Args:
        things: one to three, with different kinds, colours and places.
        weather: one of WEATHERS; "" where it does not matter.
        happenings: one or two, in order.
    """

    things: tuple[Thing, ...]
    weather: str
    happenings: tuple[Happening, ...]


def relations(first: Thing, second: Thing) -> tuple[str, ...]:
    """Position of the first relative to the second: left, right, above, below; two of them on a diagonal."""
    named = {
        "left": first.place.column < second.place.column,
        "right": first.place.column > second.place.column,
        "above": first.place.row < second.place.row,
        "below": first.place.row > second.place.row,
    }
    return tuple(name for name, holds in named.items() if holds)


def direction(happening: Happening, things: tuple[Thing, ...]) -> str:
    """Direction of a hit or a push: left or right, or "" where the things are not in one row."""
    if happening.target is None:
        return ""
    found = relations(things[happening.target], things[happening.actor])
    return found[0] if found in (("left",), ("right",)) else ""


def effect_of(cause: str, actor: Thing, target: Thing | None) -> str:
    """The effect of a cause, by the rules of the tiny world.

    Raises:
        ValueError: the cause does not allow these things.
    """
    if not can_take_part(cause, actor, target):
        raise ValueError(f"{cause} does not happen to {actor} and {target}")
    if cause in NEEDS:
        return NEEDS[cause]
    if cause == "bang":
        return "flee"
    if cause == "wind":
        return {"small": "fly", "medium": "fall", "big": "stand"}[actor.size]
    if target is None:
        return "go_home"
    moved, stays = EFFECTS_ON_TARGET[cause]
    return stays if target.is_big else moved


def can_take_part(cause: str, actor: Thing, target: Thing | None) -> bool:
    """Whether a cause allows this actor and target."""
    if actor is target:
        return False
    if cause in SHARED_NEEDS:
        return actor.is_animal
    if cause in NEEDS:
        return actor.is_animal and target is None
    if cause == "wind":
        return not actor.is_animal and target is None
    if cause == "rain":
        return actor.is_animal and (target is None or not target.is_animal)
    return target is not None and CAUSES_WITH_TWO.get(cause) == (actor.is_animal, target.is_animal)


# A plot: the things (s shape, a animal), the happenings (cause, actor, target), and the required weather.
# "need" is any of NEEDS, "shared" any of SHARED_NEEDS.
PLOTS: tuple[tuple[str, tuple[tuple[str, int, int | None], ...], str], ...] = (
    ("a", (("need", 0, None), ("need", 0, None)), ""),
    ("s", (("wind", 0, None),), "windy"),
    ("a", (("rain", 0, None), ("need", 0, None)), "rainy"),
    ("ss", (("hit", 0, 1),), ""),
    ("ss", (("hit", 0, 1),), ""),
    ("ss", (("wind", 0, None), ("wind", 1, None)), "windy"),
    ("as", (("push", 0, 1),), ""),
    ("as", (("push", 0, 1), ("need", 0, None)), ""),
    ("as", (("rain", 0, 1),), "rainy"),
    ("as", (("need", 0, None), ("shared", 0, 1)), ""),
    ("aa", (("call", 0, 1),), ""),
    ("aa", (("shared", 0, 1), ("call", 1, 0)), ""),
    ("ass", (("push", 0, 1), ("hit", 1, 2)), ""),
    ("ssa", (("hit", 0, 1), ("bang", 2, 1)), ""),
    ("aas", (("call", 0, 1), ("shared", 0, 2)), ""),
    ("aas", (("rain", 0, 2), ("rain", 1, 2)), "rainy"),
)
# Causes that require a certain cause and effect before them.
NEEDED_BEFORE = {"bang": ("hit", "fall"), "hit": ("push", "move")}


def scenes(seed: int) -> Iterator[Scene]:
    """An infinite sequence of random scenes, determined by the seed."""
    rng = random.Random(seed)
    while True:
        yield sample_scene(rng)


def sample_scene(rng: random.Random) -> Scene:
    """A random scene."""
    while True:
        roles, steps, weather = rng.choice(PLOTS)
        if not weather and len(roles) == 1 and rng.random() < 0.5:
            weather = "sunny"
        in_row = steps[0][0] in ("hit", "push")
        kinds = _different_kinds(roles, rng)
        colours = rng.sample(COLOURS, len(roles))
        places = _places(len(roles), in_row, rng)
        things = tuple(
            Thing(
                kind=kind,
                colour=colour,
                size=rng.choice(SIZES),
                place=place,
            )
            for kind, colour, place in zip(kinds, colours, places, strict=True)
        )
        happenings = tuple(_happenings(steps, things, rng))
        if follows(happenings):
            return Scene(things, weather, happenings)


def _different_kinds(roles: str, rng: random.Random) -> list[str]:
    """A different kind for each role, so that a story can say "the ball"."""
    animals, shapes = rng.sample(ANIMALS, len(roles)), rng.sample(SHAPES, len(roles))
    return [animals.pop() if role == "a" else shapes.pop() for role in roles]


def _places(count: int, in_row: bool, rng: random.Random) -> list[Place]:
    """Different cells; for hits and pushes all in one row and in order."""
    if not in_row:
        cells = [Place(row, column) for row in range(NUM_ROWS) for column in range(NUM_COLUMNS)]
        return rng.sample(cells, count)
    row = rng.randrange(NUM_ROWS)
    # Chains of three always go to the right, which makes them easier to learn.
    columns = sorted(rng.sample(range(NUM_COLUMNS), count), reverse=count < 3 and rng.random() < 0.5)
    return [Place(row, column) for column in columns]


def _happenings(
    steps: tuple[tuple[str, int, int | None], ...], things: tuple[Thing, ...], rng: random.Random
) -> Iterator[Happening]:
    needs = rng.sample(sorted(NEEDS), len(steps))
    for need, (cause, actor, target) in zip(needs, steps, strict=True):
        if cause == "need":
            cause = need
        elif cause == "shared":
            cause = rng.choice(SHARED_NEEDS)
        other = None if target is None else things[target]
        yield Happening(cause, actor, target, effect_of(cause, things[actor], other))


def follows(happenings: tuple[Happening, ...]) -> bool:
    """Whether each happening can follow the one before it, and the first can come first."""
    if not happenings or happenings[0].cause == "bang":
        return False
    return all(_can_follow(before, after) for before, after in itertools.pairwise(happenings))


def _can_follow(before: Happening, after: Happening) -> bool:
    if after.cause in NEEDED_BEFORE:
        link = after.actor if after.cause == "hit" else after.target
        return (before.cause, before.effect) == NEEDED_BEFORE[after.cause] and before.target == link
    again = before.cause == after.cause and before.actor == after.actor
    return not again and _gone(before) not in (after.actor, after.target)


def _gone(happening: Happening) -> int:
    """Index of the thing that has left the scene afterwards, or -1."""
    if happening.effect == "flee" and happening.target is not None:
        return happening.actor if happening.cause == "bang" else happening.target
    return happening.actor if happening.effect == "fly" else -1
