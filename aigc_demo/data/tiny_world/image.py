"""Images of the tiny world: a single thing, a group, or a scene on its grid.

An image of a single thing shows one of a known number of modes (kind, colour, size), so the modes that a
generator covers can be counted.
"""

import math
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from aigc_demo.data.tiny_world import caption as tiny_caption
from aigc_demo.data.tiny_world.group import Group, centres, groups
from aigc_demo.data.tiny_world.scene import (
    ANIMALS,
    COLOURS,
    NUM_COLUMNS,
    NUM_ROWS,
    SHAPES,
    SIZES,
    Place,
    Scene,
    Thing,
    relations,
    sample_scene,
)
from aigc_demo.data.tiny_world.sprite import SPRITE_SIZE, WHITE, Colour, mixed, sprite
from aigc_demo.data.tiny_world.stories.english import ENGLISH

KINDS = {"shapes": SHAPES, "things": (*SHAPES, *ANIMALS)}
NUM_MODES = {name: len(kinds) * len(COLOURS) * len(SIZES) for name, kinds in KINDS.items()}
SCENES, GROUPS = "scenes", "groups"
STEP = 16  # an image's side is a multiple of this
MIDDLE = Place(1, 1)
# Diameters, as a share of the image, and of a cell of the grid.
ALONE = {"small": 0.35, "medium": 0.6, "big": 0.9}
IN_CELL = {"small": 0.5, "medium": 0.74, "big": 0.98}
JITTER_ALONE, JITTER_IN_CELL = 0.06, 0.04  # maximum shift in each direction, as shares of the same
PHASES = 4  # subpixel positions in each direction
MIN_SCALE = 4  # a reduced sprite is at least this much, and at most twice this much, larger than its stamp
MARGIN = 16  # around a reduced sprite, in its pixels
BACKGROUND, TINT = (242, 243, 240), 7  # colour, and maximum variation of each channel
SKY = {"sunny": (196, 228, 250), "windy": (212, 224, 226), "rainy": (172, 180, 196)}


def render(subject: Scene | Group | Thing, size: int, rng: random.Random | None = None) -> Image.Image:
    """An RGB image of a thing, a group, or a scene before its first happening.

    Args:
        subject: the place of a single thing is ignored.
        size: side in pixels, a multiple of 16.
        rng: shifts things by a few pixels and varies the background; None for neither.

    Raises:
        ValueError: the size is not a multiple of 16.
    """
    if size < STEP or size % STEP:
        raise ValueError(f"size must be a multiple of {STEP}, got {size}")
    if isinstance(subject, Thing):
        subject = Group((subject,))
    image = _background(subject.weather, size, _tinted(SKY.get(subject.weather, BACKGROUND), rng))
    if isinstance(subject, Group):
        alone = len(subject.things) == 1
        cell, diameters = (size, ALONE) if alone else (size / 2, IN_CELL)
        jitter = (JITTER_ALONE if alone else JITTER_IN_CELL) * cell
        for thing, (x, y) in zip(subject.things, centres(subject), strict=True):
            _place(image, thing, (x * size, y * size), diameters[thing.size] * cell, jitter, rng)
    else:
        width, height = size / NUM_COLUMNS, size / NUM_ROWS
        for thing in subject.things:
            centre = (thing.place.column + 0.5) * width, (thing.place.row + 0.5) * height
            _place(image, thing, centre, IN_CELL[thing.size] * width, JITTER_IN_CELL * width, rng)
    return image.convert("RGB")


def render_groups(groups_N: Sequence[Group], size: int, rng: random.Random) -> np.ndarray:  # noqa: N803
    """Images of groups, uint8 [N, 3, size, size]."""
    pixels = np.empty((len(groups_N), 3, size, size), np.uint8)
    for place, group in enumerate(groups_N):
        pixels[place] = np.asarray(render(group, size, rng)).transpose(2, 0, 1)
    return pixels


def subjects(kind: str, rng: random.Random) -> Iterator[Scene | Group | Thing]:
    """An infinite sequence of random subjects for training.

    Args:
        kind: shapes, things, scenes or groups; held-out groups are excluded.
        rng: the source of randomness.
    """
    if kind == GROUPS:
        yield from groups(rng, held_out=False)
    while True:
        yield sample_scene(rng) if kind == SCENES else one_thing(rng, KINDS[kind])


def one_thing(rng: random.Random, kinds: tuple[str, ...]) -> Thing:
    """A random thing of one of these kinds, uniform over modes."""
    return Thing(rng.choice(kinds), rng.choice(COLOURS), rng.choice(SIZES), MIDDLE)


def mode_of(thing: Thing) -> int:
    """The mode of a thing; shapes come first, so they have the same modes among shapes and among things."""
    kind = KINDS["things"].index(thing.kind)
    return (kind * len(COLOURS) + COLOURS.index(thing.colour)) * len(SIZES) + SIZES.index(thing.size)


def thing_of(mode: int) -> Thing:
    """A thing of this mode, the inverse of `mode_of`.

    Raises:
        ValueError: there is no such mode.
    """
    if not 0 <= mode < NUM_MODES["things"]:
        raise ValueError(f"modes go from 0 to {NUM_MODES['things'] - 1}, got {mode}")
    rest, size = divmod(mode, len(SIZES))
    kind, colour = divmod(rest, len(COLOURS))
    return Thing(KINDS["things"][kind], COLOURS[colour], SIZES[size], MIDDLE)


def mode_name(mode: int) -> str:
    """The name of a mode, such as "big red ball"."""
    return ENGLISH.name(thing_of(mode))


def caption(subject: Scene | Group | Thing) -> str:
    """A caption, such as "a big red ball", "an orange cat above a small blue box on a rainy day"."""
    if isinstance(subject, Group):
        return tiny_caption.caption(subject)
    if isinstance(subject, Thing):
        return ENGLISH.described(subject)
    first, *others = subject.things
    words = ENGLISH.described(first)
    for position, other in enumerate(others):
        relation = ENGLISH.relations[relations(first, other)[0]]
        words += f"{' and' if position else ''} {relation} {ENGLISH.described(other)}"
    return f"{words} on a {subject.weather} day" if subject.weather else words


def _place(
    image: Image.Image,
    thing: Thing,
    centre: tuple[float, float],
    diameter: float,
    jitter: float,
    rng: random.Random | None,
) -> None:
    """Place a thing with a precision of a quarter pixel; it stays inside the image."""
    steps = []
    for middle in centre:
        moved = middle + (rng.uniform(-jitter, jitter) if rng else 0.0)
        room = diameter / 2
        steps.append(round(min(max(moved, room), image.width - room) * PHASES - diameter / 2 * PHASES))
    (left, x_phase), (top, y_phase) = (divmod(step, PHASES) for step in steps)
    stamp = _stamp(thing.kind, thing.colour, diameter, x_phase, y_phase)
    # The stamp has a margin of one pixel; only empty pixels can be outside the image.
    left, top = left - 1, top - 1
    source = (max(0, -left), max(0, -top))
    image.alpha_composite(stamp, (max(0, left), max(0, top)), source)


@lru_cache(maxsize=16_384)
def _stamp(kind: str, colour: str, diameter: float, x_phase: int, y_phase: int) -> Image.Image:
    """A thing in its final size, with a subpixel shift to the right and down."""
    halvings = max(0, math.frexp(SPRITE_SIZE / diameter / MIN_SCALE)[1] - 1)
    scale = SPRITE_SIZE / 2**halvings / diameter  # pixels of the reduced sprite per pixel of the image
    side = int(diameter) + 3
    left = MARGIN - (1 + x_phase / PHASES) * scale
    top = MARGIN - (1 + y_phase / PHASES) * scale
    box = (left, top, left + side * scale, top + side * scale)
    return (
        _reduced(kind, colour, halvings).resize((side, side), Image.Resampling.HAMMING, box).convert("RGBA")
    )


@lru_cache(maxsize=256)
def _reduced(kind: str, colour: str, halvings: int) -> Image.Image:
    """A scaled-down sprite with a margin, in premultiplied alpha, which averaging requires."""
    small = sprite(kind, colour).convert("RGBa").reduce(2**halvings)
    large = Image.new("RGBa", (small.width + 2 * MARGIN, small.height + 2 * MARGIN), (0, 0, 0, 0))
    large.paste(small, (MARGIN, MARGIN))
    return large


def _tinted(colour: Colour, rng: random.Random | None) -> Colour:
    if rng is None:
        return colour
    red, green, blue = (min(255, value + rng.randint(-TINT, TINT)) for value in colour)
    return red, green, blue


def _background(weather: str, size: int, colour: Colour) -> Image.Image:
    """The background; the weather is visible everywhere, so that no thing can hide it."""
    if not weather:
        return Image.new("RGBA", (size, size), (*colour, 255))
    large = Image.new("RGB", (size * 4, size * 4), colour)
    pen, unit = ImageDraw.Draw(large), size * 4 / 100
    if weather == "sunny":
        _draw_sun(pen, unit, colour)
    elif weather == "windy":
        _draw_wind(pen, unit)
    elif weather == "rainy":
        _draw_rain(pen, unit)
    return large.reduce(4).convert("RGBA")


def _draw_sun(pen: ImageDraw.ImageDraw, unit: float, colour: Colour) -> None:
    """The sun in the upper left corner, with rays over the whole image."""
    reach = 220 * unit
    for step in range(6):
        pen.pieslice(
            (-reach, -reach, reach, reach), 18 * step - 4, 18 * step + 5, mixed(colour, (255, 240, 170), 0.8)
        )
    pen.ellipse((-20 * unit, -20 * unit, 20 * unit, 20 * unit), (255, 200, 40))


def _draw_wind(pen: ImageDraw.ImageDraw, unit: float) -> None:
    """Streaks of wind with curled ends."""
    for row, start in enumerate((6, 34, 14, 46, 2, 30)):
        y, end = (9 + 16.5 * row) * unit, (start + 42) * unit
        pen.line((start * unit, y, end, y), WHITE, round(3 * unit))
        curl = 5 * unit
        pen.arc(
            (end - curl, y - 2 * curl + 1.5 * unit, end + curl, y + 1.5 * unit),
            -160,
            90,
            WHITE,
            round(3 * unit),
        )


def _draw_rain(pen: ImageDraw.ImageDraw, unit: float) -> None:
    """Slanting drops."""
    for row in range(7):
        for column in range(7):
            x, y = (15 * column + 7 * (row % 2) + 5) * unit, (15 * row + 1) * unit
            pen.line((x, y, x - 3 * unit, y + 9 * unit), (92, 116, 168), round(2.5 * unit))
