"""Groups of one to three shapes, which a caption can describe completely.

Some combinations of colour, shape and size are excluded from training, to test compositional
generalization: a model has seen every attribute, but not the combination.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Place, Thing, relations

MOST_THINGS = 3
SHARES = {1: 0.3, 2: 0.5, 3: 0.2}  # probability of each number of things
# A thing is held out if the sum of its indices, size counted twice, is divisible by this: for half of the
# pairs of colour and shape exactly one size, for the others none.
HELD_OUT_EVERY = 6
NUM_HELD_OUT = len(SHAPES) * len(COLOURS) * len(SIZES) // HELD_OUT_EVERY


# Possible centres of things, as shares of the image's width and height.
CENTRES = (
    (0.5, 0.5),
    *((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75)),
    *((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)),
)


@dataclass(frozen=True)
class Group:
    """Shapes next to each other.

    Args:
        things: one to three, in cells of a grid of two by two. Two are side by side or one above the other;
            of three, the second is beside the first, and the third above or below it. No two have the same
            kind and colour.
        weather: one of WEATHERS; "" for a plain background.
    """

    things: tuple[Thing, ...]
    weather: str = ""


def are_distinct(things: Sequence[Thing]) -> bool:
    """Whether no two things have the same kind and colour."""
    return len({(thing.kind, thing.colour) for thing in things}) == len(things)


def is_held_out(thing: Thing) -> bool:
    """Whether this combination of colour, shape and size is excluded from training: 24 of 144 are."""
    numbers = COLOURS.index(thing.colour) + SHAPES.index(thing.kind) + 2 * SIZES.index(thing.size)
    return numbers % HELD_OUT_EVERY == 0


def groups(rng: random.Random, *, held_out: bool, count: int | None = None) -> Iterator[Group]:
    """An infinite sequence of random groups.

    Args:
        rng: the source of randomness.
        held_out: groups with at least one thing that is excluded from training; else groups without.
        count: number of things; None for one to three.
    """
    while True:
        group = sample_group(rng, count or rng.choices(list(SHARES), list(SHARES.values()))[0])
        if any(map(is_held_out, group.things)) == held_out:
            yield group


def sample_group(rng: random.Random, count: int) -> Group:
    """A random group, uniform over combinations and arrangements.

    Raises:
        ValueError: `count` is not from 1 to 3.
    """
    if not 1 <= count <= MOST_THINGS:
        raise ValueError(f"groups have 1 to {MOST_THINGS} things, not {count}")
    looks = list(itertools.product(SHAPES, COLOURS))
    chosen = rng.sample(looks, count)
    things = tuple(
        Thing(kind, colour, rng.choice(SIZES), place)
        for (kind, colour), place in zip(chosen, _places(rng, count), strict=True)
    )
    return Group(things, rng.choice(WEATHERS))


def meaning(group: Group) -> Group:
    """The canonical form of a group: things sorted by place, and no empty row or column before them.

    Groups with the same captions have equal canonical forms.
    """
    top = min(thing.place.row for thing in group.things)
    left = min(thing.place.column for thing in group.things)
    moved = [
        replace(thing, place=Place(thing.place.row - top, thing.place.column - left))
        for thing in group.things
    ]
    return Group(tuple(sorted(moved, key=lambda thing: thing.place)), group.weather)


def arrange(looks: list[Thing], steps: list[str], weather: str = "") -> Group | None:
    """Place things by their relations; None if there is no such arrangement.

    Args:
        looks: the things; their places are ignored.
        steps: for each thing but the first, the relation of the first to it: left, right, above or below.
        weather: of the group.
    """
    if len(looks) - 1 != len(steps) or not 1 <= len(looks) <= MOST_THINGS:
        return None
    if not are_distinct(looks):
        return None
    if len({step in ("left", "right") for step in steps}) < len(steps):
        return None  # two of three in one line
    row, column = int("below" in steps), int("right" in steps)
    places = [Place(row, column)]
    for step in steps:
        beside = step in ("left", "right")
        places.append(Place(row, 1 - column) if beside else Place(1 - row, column))
    return Group(tuple(replace(a, place=place) for a, place in zip(looks, places, strict=True)), weather)


def centres(group: Group) -> list[tuple[float, float]]:
    """The centre of each thing, one of CENTRES: 0.5 in a direction with only one row or column."""
    columns, rows = ({getattr(t.place, name) for t in group.things} for name in ("column", "row"))
    return [
        (
            0.25 + thing.place.column / 2 if len(columns) > 1 else 0.5,
            0.25 + thing.place.row / 2 if len(rows) > 1 else 0.5,
        )
        for thing in group.things
    ]


def group_standing(looks: Mapping[tuple[float, float], Thing], weather: str = "") -> Group | None:
    """The group with things at these centres; None if there is no such group.

    Args:
        looks: things by centre; their own places are ignored.
        weather: of the group.
    """
    things = [
        replace(thing, place=Place(row=int(y > 0.5), column=int(x > 0.5))) for (x, y), thing in looks.items()
    ]
    if not 1 <= len(things) <= MOST_THINGS or not are_distinct(things):
        return None
    for order in (things, things[1:] + things[:1], things[2:] + things[:2]):
        group = Group(tuple(order), weather)
        straight = all(len(relations(order[0], other)) == 1 for other in order[1:])
        if straight and set(centres(group)) == set(looks):
            return group
    return None


def _places(rng: random.Random, count: int) -> list[Place]:
    row, column = rng.randrange(2), rng.randrange(2)
    corner, beside, across = Place(row, column), Place(row, 1 - column), Place(1 - row, column)
    if count == 2:
        return [corner, rng.choice((beside, across))]
    return [corner, beside, across][:count]
