"""Classification of generated tiny-world images, and the expected class of A - B + C."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import IMAGE_ENCODER
from aigc_demo.studio.images.real_images import is_tiny_world
from aigc_demo.studio.models.model_cache import ModelCache

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES = ("size", "colour", "kind")
USUAL = ("colour", "kind")
# So many of a group's images show what the group has in common.
IN_COMMON = 0.75
# What is read with a smaller probability is not known. Of the first 600 images of dcgan-tiny-world 99 % are
# read as surely and of drawings all; an untrained generator's reach 0.18 (docs/experiments.md).
SURE_TO_READ = 0.4

Thing = Mapping[str, str]
"""What is known of a thing, by ATTRIBUTES; not each is."""


@dataclass(frozen=True)
class Reading:
    """The predicted class of an image.

    Args:
        thing: its likeliest attributes, of those that were asked for.
        prob: how sure the classifier is of all of them together, 0 to 1.
    """

    thing: Thing
    prob: float


@dataclass(frozen=True)
class SumReading:
    """Predicted classes of the three means and of the result of A - B + C.

    Args:
        reader: the classifier's name.
        readings: of the mean of A, of B, of C, and of the result.
        expected: what the result should show, by what the images of A, of B and of C have in common; empty
            where that cannot be said. The result is read for these attributes.
        why_open: why nothing is expected or the result cannot be judged, as the wording calls it.
    """

    reader: str
    readings: tuple[Reading, ...]
    expected: Thing
    why_open: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether the result shows what is expected."""
        return not self.why_open and bool(self.expected) and self.readings[-1].thing == self.expected


def reader_of(cache: ModelCache, entry: Any, image_size: int) -> tuple[str, Any]:
    """A classifier that knows the things of the tiny world by name, at this size; its name and itself.

    Args:
        cache: where it is, or is loaded to.
        entry: of the model whose images are read.
        image_size: of these images.

    Raises:
        InputError: there is none, or the model did not learn the tiny world.
        DemoError: it cannot be loaded.
    """
    fitting = [
        choice.value
        for choice in cache.catalog.choices(IMAGE_ENCODER)
        if is_tiny_world(choice.entry) and choice.entry.image_size == image_size
    ]
    if not is_tiny_world(entry) or not fitting:
        raise InputError("no_words", model=entry.name, size=image_size)
    return fitting[0], cache.get(fitting[0])


def read_thing(probs_K: "Tensor", attributes: Sequence[str] = USUAL) -> Reading:  # noqa: N803
    """The likeliest attributes of an image, the others being any.

    Args:
        probs_K: of each mode of the tiny world.
        attributes: those that are asked for.
    """
    sums: dict[tuple[str, ...], float] = {}
    for mode, prob in enumerate(probs_K.tolist()):
        thing = _thing(mode)
        key = tuple(thing[name] for name in attributes)
        sums[key] = sums.get(key, 0.0) + prob
    best = max(sums, key=lambda key: sums[key])
    return Reading(dict(zip(attributes, best, strict=True)), sums[best])


def in_common(probs_NK: "Tensor") -> Thing:  # noqa: N803
    """Attributes that three of four images of a group share, by confident predictions.

    Args:
        probs_NK: of each image and mode.
    """
    found = {}
    for name in ATTRIBUTES:
        readings = [read_thing(probs_K, (name,)) for probs_K in probs_NK]
        seen = [reading.thing[name] for reading in readings if reading.prob >= SURE_TO_READ]
        best = max(set(seen), key=seen.count, default="")
        if seen and seen.count(best) >= IN_COMMON * len(readings):
            found[name] = best
    return found


def expected_of(a: Thing, b: Thing, c: Thing) -> Thing:
    """What A - B + C should show: of each attribute what B takes away from A or has in common with C.

    Red ball - red box + blue box: the colour is C's, since A and B have theirs in common, and the kind A's,
    since B and C have theirs. An attribute of which neither is so is left out; without a kind or a colour
    nothing is expected, nor where A, B and C do not differ: then nothing was calculated.
    """
    found: dict[str, str] = {}
    differs = False
    for name in ATTRIBUTES:
        one, two, three = a.get(name), b.get(name), c.get(name)
        value = three if one == two else one if two == three else None
        if two is not None and value is not None:
            found[name] = value
            differs |= not one == two == three
    return found if differs and any(name in found for name in USUAL) else {}


def read_sum(
    reader: str,
    of_groups: "Sequence[Tensor]",
    of_sum_4K: "Tensor",  # noqa: N803
    asked: Sequence[Thing] = (),
) -> SumReading:
    """Classify the images of A, B, C and the result.

    Args:
        reader: the classifier's name.
        of_groups: probabilities [N, K] of the images of A, of B and of C.
        of_sum_4K: of the three means and the result.
        asked: what words asked A, B and C to show; empty where none did.
    """
    shown = [in_common(group) for group in of_groups]
    known = [_of_mean(thing, mean_K) for thing, mean_K in zip(shown, of_sum_4K[:3], strict=True)]
    things = [thing for thing, _ in known]
    expected = expected_of(*things)
    wanted = asked or [{}] * len(shown)
    other = any(not want.items() <= thing.items() for want, thing in zip(wanted, shown, strict=True))
    why = "asked" if other else ""
    if not why and any(reading.prob < SURE_TO_READ for _, reading in known):
        why = "unsure"
    if not why and not expected:
        why = "alike" if _alike(things) else "apart"
    result = read_thing(of_sum_4K[3], USUAL if why else tuple(expected))
    if not why and result.prob < SURE_TO_READ:
        why = "result"
    readings = (*(reading for _, reading in known), result)
    return SumReading(reader, readings, expected if why in ("", "result") else {}, why)


def _of_mean(thing: Thing, mean_K: "Tensor") -> tuple[Thing, Reading]:  # noqa: N803
    """Shared attributes of a group and the class of its mean; without the size where that is uncertain."""
    reading = read_thing(mean_K, _asked(thing))
    if reading.prob < SURE_TO_READ and "size" in thing:
        thing = {name: value for name, value in thing.items() if name != "size"}
        reading = read_thing(mean_K, _asked(thing))
    return thing, reading


def _alike(things: Sequence[Thing]) -> bool:
    """Whether all show the same, as far as it is known of each."""
    return bool(things[0]) and all(thing == things[0] for thing in things)


def _asked(thing: Thing) -> tuple[str, ...]:
    """Which attributes are worth reading where this is known: colour and kind always, the size if it is."""
    return tuple(name for name in ATTRIBUTES if name in USUAL or name in thing)


def _thing(mode: int) -> dict[str, str]:
    from aigc_demo.data.tiny_world.image import thing_of

    thing = thing_of(mode)
    return {name: getattr(thing, name) for name in ATTRIBUTES}
