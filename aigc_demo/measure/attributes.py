"""What is on an image of the tiny world, and is it what was asked for?

The reader (`nets/images/attribute_reader`) never trains, guides or ranks what draws; it only judges.
"""

# Shapes: N images, C channels, H rows, W columns, P places.

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aigc_demo.data.images.pixels import to_float
from aigc_demo.data.tiny_world.group import CENTRES, MOST_THINGS, Group, centres, group_standing
from aigc_demo.data.tiny_world.image import MIDDLE, render
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Thing
from aigc_demo.nets.images.attribute_reader import AttributeLogits, AttributeReader

Centre = tuple[float, float]
LOOKS = ("kind", "colour", "size")
READ_TOGETHER = 250


@dataclass(frozen=True)
class Found:
    """What an image shows, as it was read.

    Attributes:
        things: by where they stand.
        weather: of the ground.
        confidence: 0 to 1, of whatever was least sure.
        unlike: mean difference of the image from a drawing of the same, in grey levels.
    """

    things: Mapping[Centre, Thing]
    weather: str
    confidence: float
    unlike: float

    @property
    def group(self) -> Group | None:
        """As a group; None where things do not stand as those of a group do."""
        return group_standing(self.things, self.weather)


@dataclass(frozen=True)
class ThingVerdict:
    """Of one thing that was asked for, what is right.

    Attributes:
        wanted: the thing.
        found: what was taken for it; None where nothing is left that could be.
        kind: whether its kind is right.
        colour: whether its colour is.
        size: whether its size is.
        place: whether it stands where it should.
    """

    wanted: Thing
    found: Thing | None
    kind: bool
    colour: bool
    size: bool
    place: bool

    @property
    def num_right(self) -> int:
        """How many of the four."""
        return self.kind + self.colour + self.size + self.place


@dataclass(frozen=True)
class Verdict:
    """Whether an image shows what was asked for.

    Attributes:
        things: of each that was asked for.
        num_more: how many others there are.
        weather: whether the ground is right.
    """

    things: tuple[ThingVerdict, ...]
    num_more: int
    weather: bool

    @property
    def all_right(self) -> bool:
        """Whether nothing is wrong, missing or too much."""
        return self.weather and not self.num_more and all(thing.num_right == 4 for thing in self.things)


@torch.no_grad()
def read_images(reader: AttributeReader, images_NCHW: Tensor) -> list[Found]:
    """What images show.

    Args:
        reader: trained, for images of this size.
        images_NCHW: uint8.

    Raises:
        ValueError: the reader is for another size.
    """
    reader.eval()
    found: list[Found] = []
    for part_BCHW in images_NCHW.split(READ_TOGETHER):
        reading = reader(to_float(part_BCHW))
        found += [_found(looks, image) for looks, image in zip(_each(reading), part_BCHW, strict=True)]
    return found


def verdict(wanted: Group, found: Found) -> Verdict:
    """Compare what was asked for with what was read; things are matched so that most is right."""
    asked = list(zip(wanted.things, centres(wanted), strict=True))
    there: list[tuple[Centre, Thing] | None] = list(found.things.items())
    num_more = max(0, len(there) - len(asked))
    there += [None] * max(0, len(asked) - len(there))
    matched = max(
        (
            tuple(_compared(thing, where, other) for (thing, where), other in zip(asked, order, strict=True))
            for order in itertools.permutations(there, len(asked))
        ),
        key=lambda things: sum(thing.num_right for thing in things),
    )
    return Verdict(matched, num_more, found.weather == wanted.weather)


def verdicts(reader: AttributeReader, images_NCHW: Tensor, wanted: Sequence[Group]) -> list[Verdict]:
    """Whether each image shows the group that was asked for.

    Raises:
        ValueError: the reader is for another size, or there are not as many groups as images.
    """
    found = read_images(reader, images_NCHW)
    return [verdict(group, one) for group, one in zip(wanted, found, strict=True)]


def _compared(wanted: Thing, where: Centre, other: tuple[Centre, Thing] | None) -> ThingVerdict:
    if other is None:
        return ThingVerdict(wanted, None, kind=False, colour=False, size=False, place=False)
    centre, thing = other
    same = {name: getattr(thing, name) == getattr(wanted, name) for name in LOOKS}
    return ThingVerdict(wanted, thing, **same, place=centre == where)


def _each(reading: AttributeLogits) -> Iterator[tuple[dict[Centre, Thing], str, float]]:
    """Of every image its things, its weather, and how sure the reader is of what it is least sure of."""
    present_BP = reading.present_BP.sigmoid()
    looks = [
        logits_BPN.softmax(-1).max(-1)
        for logits_BPN in (reading.kind_BPK, reading.colour_BPL, reading.size_BPS)
    ]
    weather = reading.weather_BA.softmax(-1).max(-1)
    for row in range(len(present_BP)):
        things: dict[Centre, Thing] = {}
        sure = [float(weather.values[row]), float((present_BP[row] - 0.5).abs().min() + 0.5)]
        for place in range(len(CENTRES)):
            if present_BP[row, place] > 0.5:
                kind, colour, size = (int(look.indices[row, place]) for look in looks)
                things[CENTRES[place]] = Thing(SHAPES[kind], COLOURS[colour], SIZES[size], MIDDLE)
                sure += [float(look.values[row, place]) for look in looks]
        yield things, WEATHERS[int(weather.indices[row])], min(sure)


def _found(read: tuple[dict[Centre, Thing], str, float], image_CHW: Tensor) -> Found:
    things, weather, confidence = read
    unlike = 255.0
    group = group_standing(things, weather) if len(things) <= MOST_THINGS else None
    if group:
        drawn = np.asarray(render(group, image_CHW.shape[-1])).astype(np.float32).transpose(2, 0, 1)
        unlike = float(np.abs(drawn - image_CHW.numpy().astype(np.float32)).mean())
    return Found(things, weather, confidence, unlike)
