"""Large images of single things on a transparent background, to be scaled down and placed.

Coordinates are from -1 to 1, x to the right and y down. Each figure fills the square as far as its shape
allows. It has a dark outline, since yellow on white has little contrast, and a silhouette of its own, since
at 11 pixels nothing else is visible.
"""

import math
from collections.abc import Callable, Iterable
from functools import cache

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

SPRITE_SIZE = 256
OVERSAMPLING = 2
OUTLINE = 0.07
# Distinguishable colours: the CIELAB distance of any two is at least 30, and at least 12 for people with
# red-green colour blindness, mostly by lightness (brown dark, red bright).
COLOUR_VALUES: dict[str, Colour] = {
    "red": (230, 36, 48),
    "orange": (240, 126, 16),
    "yellow": (252, 222, 54),
    "green": (20, 158, 108),
    "blue": (52, 112, 226),
    "purple": (98, 30, 140),
    "pink": (250, 160, 200),
    "brown": (94, 54, 28),
}
WHITE, BLACK, BEAK, INNER = (255, 255, 255), (25, 22, 30), (255, 176, 30), (255, 205, 210)


@cache
def sprite(kind: str, colour: str) -> Image.Image:
    """A thing on a transparent background.

    Args:
        kind: one of the shapes and animals of `scene`.
        colour: one of `COLOUR_VALUES`.

    Returns:
        An RGBA image of SPRITE_SIZE by SPRITE_SIZE; it is cached, so do not modify it.
    """
    pen = _Pen(COLOUR_VALUES[colour])
    FIGURES[kind](pen)
    return pen.image.reduce(OVERSAMPLING)


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Linear interpolation between two colours."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


class _Pen:
    """Draws outlined figures of one colour."""

    def __init__(self, colour: Colour):
        self.colour = colour
        self.dark = mixed(colour, BLACK, 0.55)
        self.shade = mixed(colour, BLACK, 0.25)
        self.light = mixed(colour, WHITE, 0.45)
        size = SPRITE_SIZE * OVERSAMPLING
        # Transparent pixels have the outline's colour, so that scaling adds no black or white to the edge.
        self.image = Image.new("RGBA", (size, size), (*self.dark, 0))
        self._draw = ImageDraw.Draw(self.image)
        self._half = size / 2

    def polygon(self, points: Iterable[Point], fill: Colour | None = None, outline: float = OUTLINE) -> None:
        """A filled polygon with an outline around it, whose corners are round."""
        corners = [self._place(point) for point in points]
        if outline:
            closed = [*corners, *corners[:2]]
            self._draw.line(closed, self.dark, self._width(2 * outline), joint="curve")
            for x, y in corners:
                radius = self._half * outline
                self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), self.dark)
        self._draw.polygon(corners, fill or self.colour)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, fill: Colour | None = None, outline: float = OUTLINE
    ) -> None:
        """An ellipse with centre (x, y) and an outline around it."""
        if outline:
            self._draw.ellipse(self._box(x, y, rx + outline, ry + outline), self.dark)
        self._draw.ellipse(self._box(x, y, rx, ry), fill or self.colour)

    def arc(self, x: float, y: float, rx: float, ry: float, start: int, end: int, width: float) -> None:
        """An arc of an ellipse in the outline's colour; angles in degrees, clockwise from the right."""
        self._draw.arc(self._box(x, y, rx, ry), start, end, self.dark, self._width(width))

    def line(self, points: Iterable[Point], fill: Colour | None = None, width: float = OUTLINE) -> None:
        """A line through the points."""
        corners = [self._place(point) for point in points]
        self._draw.line(corners, fill or self.dark, self._width(width), joint="curve")

    def eye(self, x: float, y: float, radius: float) -> None:
        """White with a pupil and a glint."""
        self.ellipse(x, y, radius, radius, WHITE, outline=OUTLINE / 2)
        self.ellipse(x, y, radius * 0.62, radius * 0.62, BLACK, outline=0)
        self.ellipse(x - radius * 0.22, y - radius * 0.22, radius * 0.2, radius * 0.2, WHITE, outline=0)

    def _place(self, point: Point) -> Point:
        return self._half * (1 + point[0]), self._half * (1 + point[1])

    def _box(self, x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
        return (*self._place((x - rx, y - ry)), *self._place((x + rx, y + ry)))

    def _width(self, width: float) -> int:
        return max(1, round(width * self._half))


def _ball(pen: _Pen) -> None:
    pen.ellipse(0, 0, 0.92, 0.92, pen.shade)
    pen.ellipse(-0.07, -0.08, 0.8, 0.8, outline=0)
    pen.ellipse(-0.33, -0.4, 0.27, 0.2, mixed(pen.colour, WHITE, 0.75), outline=0)


def _box(pen: _Pen) -> None:
    depth, low, high = 0.38, 0.92, -0.92
    front = [(-low, high + depth), (low - depth, high + depth), (low - depth, low), (-low, low)]
    top = [(-low, high + depth), (high + depth, high), (low, high), (low - depth, high + depth)]
    side = [(low - depth, high + depth), (low, high), (low, low - depth), (low - depth, low)]
    pen.polygon(top, pen.light)
    pen.polygon(side, pen.shade)
    pen.polygon(front)


def _cone(pen: _Pen) -> None:
    base = 0.62

    def half(side: int) -> list[Point]:
        angles = [math.pi / 2 * step / 16 for step in range(17)]
        return [(side * 0.88 * math.cos(angle), base + 0.3 * math.sin(angle)) for angle in angles]

    rim = [*half(-1), *reversed(half(1))]
    pen.polygon([(0, -0.92), *rim])
    pen.polygon([(0, -0.92), (0.24, base + 0.29), *reversed(half(1)[:13])], pen.shade, outline=0)
    pen.polygon([(-0.05, -0.6), (-0.34, base + 0.12), (-0.56, base + 0.06)], pen.light, outline=0)


def _star(pen: _Pen) -> None:
    def corner(step: int, radius: float) -> Point:
        angle = math.pi * (step / 5 - 0.5)
        return radius * math.sin(angle + math.pi / 2), 0.08 - radius * math.cos(angle + math.pi / 2)

    corners = [corner(step, 0.46 if step % 2 else 0.96) for step in range(10)]
    pen.polygon(corners)
    for step in range(0, 10, 2):  # shade the right half of every ray
        pen.polygon([(0, 0.08), corners[step], corners[(step + 1) % 10]], pen.shade, outline=0)
    pen.ellipse(-0.12, -0.04, 0.12, 0.1, pen.light, outline=0)


def _heart(pen: _Pen) -> None:
    def at(angle: float) -> Point:
        x = 16 * math.sin(angle) ** 3
        y = 13 * math.cos(angle) - 5 * math.cos(2 * angle) - 2 * math.cos(3 * angle) - math.cos(4 * angle)
        return x / 17.5, -(y + 2.5) / 16.5

    pen.polygon([at(2 * math.pi * step / 180) for step in range(180)])
    pen.ellipse(-0.45, -0.42, 0.22, 0.17, mixed(pen.colour, WHITE, 0.7), outline=0)


def _ring(pen: _Pen) -> None:
    pen.ellipse(0, 0, 0.92, 0.92)
    pen.arc(0, 0, 0.84, 0.84, 20, 160, 0.1)
    pen.ellipse(0, 0, 0.8, 0.8, outline=0)
    pen.line(
        [
            (0.72 * math.cos(a), 0.72 * math.sin(a))
            for a in (math.pi * (1.1 + step / 40) for step in range(20))
        ],
        mixed(pen.colour, WHITE, 0.7),
        0.12,
    )
    pen.ellipse(0, 0, 0.42, 0.42, pen.dark, outline=0)
    _cut_hole(pen, 0.42 - OUTLINE)


def _cut_hole(pen: _Pen, radius: float) -> None:
    size = pen.image.width
    hole = Image.new("L", (size, size), 255)
    box = tuple(size / 2 * (1 + edge) for edge in (-radius, -radius, radius, radius))
    ImageDraw.Draw(hole).ellipse(box, 0)
    pen.image.putalpha(Image.composite(pen.image.getchannel("A"), Image.new("L", (size, size)), hole))


def _cat(pen: _Pen) -> None:
    for side in (-1, 1):
        pen.polygon([(side * 0.86, -0.92), (side * 0.9, 0.0), (side * 0.1, -0.45)])
        pen.polygon([(side * 0.74, -0.62), (side * 0.74, -0.2), (side * 0.36, -0.42)], INNER, outline=0)
    pen.ellipse(0, 0.18, 0.92, 0.74)
    for side in (-1, 1):
        pen.eye(side * 0.38, 0.06, 0.22)
        pen.line([(side * 0.34, 0.46), (side * 0.98, 0.34)], width=0.05)
        pen.line([(side * 0.34, 0.54), (side * 0.96, 0.62)], width=0.05)
        pen.arc(side * 0.14, 0.5, 0.14, 0.14, 10, 170, 0.06)
    pen.polygon([(-0.13, 0.34), (0.13, 0.34), (0, 0.48)], INNER, outline=0.04)


def _dog(pen: _Pen) -> None:
    pen.ellipse(0, -0.05, 0.68, 0.84)
    for side in (-1, 1):  # ears that hang down
        ear = [(0.42, -0.86), (0.7, -0.8), (0.86, -0.5), (0.92, -0.1), (0.91, 0.24), (0.82, 0.4), (0.7, 0.4)]
        pen.polygon([(side * x, y) for x, y in [*ear, (0.58, 0.16), (0.54, -0.3)]], pen.shade)
        pen.eye(side * 0.27, -0.22, 0.19)
    pen.ellipse(0, 0.42, 0.44, 0.42, mixed(pen.colour, WHITE, 0.75), outline=0.04)
    pen.polygon([(-0.09, 0.66), (0.09, 0.66), (0.08, 0.86), (-0.08, 0.86)], (235, 90, 110), outline=0.04)
    pen.ellipse(0, 0.24, 0.22, 0.16, BLACK, outline=0)
    pen.line([(0, 0.3), (0, 0.56)], BLACK, 0.06)
    pen.arc(0, 0.4, 0.24, 0.24, 20, 160, 0.07)


def _bird(pen: _Pen) -> None:
    for x in (-0.1, 0.2):  # legs
        pen.line([(x, 0.5), (x, 0.93), (x + 0.2, 0.93)], mixed(BEAK, BLACK, 0.3), 0.1)
    pen.polygon([(-0.4, 0.0), (-0.91, -0.12), (-0.85, 0.18), (-0.91, 0.44), (-0.3, 0.4)], pen.shade)
    pen.polygon([(0.5, -0.5), (0.91, -0.3), (0.5, -0.12)], BEAK)
    pen.ellipse(-0.02, 0.16, 0.6, 0.46)
    pen.ellipse(0.27, -0.32, 0.42, 0.42)
    pen.ellipse(0.08, 0.1, 0.5, 0.42, outline=0)  # no line between head and body
    pen.polygon(
        [(0.24, 0.02), (0.0, -0.5), (-0.34, -0.92), (-0.5, -0.55), (-0.5, -0.1), (-0.2, 0.26)], pen.light
    )
    pen.eye(0.38, -0.38, 0.17)


def _frog(pen: _Pen) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.5, -0.48, 0.36, 0.36)
    pen.ellipse(0, 0.2, 0.92, 0.7)
    for side in (-1, 1):
        pen.ellipse(side * 0.5, -0.44, 0.34, 0.34, outline=0)
        pen.eye(side * 0.5, -0.5, 0.26)
        pen.ellipse(side * 0.1, 0.02, 0.04, 0.03, pen.dark, outline=0)
    pen.arc(0, 0.0, 0.72, 0.6, 12, 168, 0.1)
    pen.ellipse(0, 0.74, 0.34, 0.1, pen.light, outline=0)


def _duck(pen: _Pen) -> None:
    pen.polygon([(0.62, -0.5), (0.91, -0.4), (0.91, -0.28), (0.62, -0.2)], BEAK)
    pen.polygon([(-0.91, -0.2), (-0.3, 0.1), (-0.3, 0.8), (-0.7, 0.62)])
    pen.ellipse(-0.06, 0.44, 0.74, 0.46)
    pen.ellipse(0.32, -0.46, 0.42, 0.42)
    # Neck and tail run into the body without a line.
    pen.polygon([(-0.02, 0.1), (-0.04, -0.3), (0.66, -0.2), (0.6, 0.2), (0.66, 0.42), (0.2, 0.5)], outline=0)
    pen.polygon([(-0.9, -0.16), (-0.3, 0.1), (-0.1, 0.5), (-0.66, 0.62)], outline=0)
    pen.ellipse(-0.16, 0.42, 0.38, 0.2, pen.light, outline=0.05)
    pen.eye(0.42, -0.54, 0.17)


def _mouse(pen: _Pen) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.52, -0.44, 0.4, 0.4)
        pen.ellipse(side * 0.52, -0.44, 0.25, 0.25, INNER, outline=0)
    pen.ellipse(0, 0.1, 0.62, 0.5)
    pen.polygon([(-0.58, 0.26), (0.58, 0.26), (0.14, 0.84), (-0.14, 0.84)])
    pen.ellipse(0, 0.1, 0.62, 0.5, outline=0)
    for side in (-1, 1):
        pen.eye(side * 0.27, 0.06, 0.18)
        pen.line([(side * 0.2, 0.62), (side * 0.86, 0.46)], width=0.05)
        pen.line([(side * 0.2, 0.7), (side * 0.84, 0.78)], width=0.05)
    pen.ellipse(0, 0.74, 0.17, 0.15, (245, 120, 150), outline=0.04)


FIGURES: dict[str, Callable[[_Pen], None]] = {
    "ball": _ball,
    "box": _box,
    "cone": _cone,
    "star": _star,
    "heart": _heart,
    "ring": _ring,
    "cat": _cat,
    "dog": _dog,
    "bird": _bird,
    "frog": _frog,
    "duck": _duck,
    "mouse": _mouse,
}
