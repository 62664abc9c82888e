"""What a classifier of the tiny world reads in pictures, and what a sum of pictures is expected to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.real_pictures import is_tiny_world

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES = ("size", "colour", "kind")
USUAL = ("colour", "kind")
# So many of a group's pictures show what the group has in common.
IN_COMMON = 0.75

Thing = Mapping[str, str]
"""What is known of a thing, by ATTRIBUTES; not each is."""


@dataclass(frozen=True)
class Reading:
    """What a classifier takes a picture for.

    Args:
        thing: its likeliest attributes, of those that were asked for.
        prob: how sure the classifier is of all of them together, 0 to 1.
    """

    thing: Thing
    prob: float


@dataclass(frozen=True)
class SumReading:
    """What is seen in the three means and in the result of A - B + C.

    Args:
        reader: the classifier's name.
        readings: of the mean of A, of B, of C, and of the result.
        expected: what the result should show, by what the pictures of A, of B and of C have in common; empty
            where that cannot be said. The result is read for these attributes.
    """

    reader: str
    readings: tuple[Reading, ...]
    expected: Thing

    @property
    def as_expected(self) -> bool:
        """Whether the result shows what is expected."""
        return bool(self.expected) and self.readings[-1].thing == self.expected


def reader_of(cache: ModelCache, entry: Any, image_size: int) -> tuple[str, Any]:
    """A classifier that knows the things of the tiny world by name, at this size; its name and itself.

    Args:
        cache: where it is, or is loaded to.
        entry: of the model whose pictures are read.
        image_size: of these pictures.

    Raises:
        InputError: there is none, or the model did not learn the tiny world.
        DemoError: it cannot be loaded.
    """
    fitting = [
        choice.value
        for choice in cache.catalog.measure_choices()
        if is_tiny_world(choice.entry) and choice.entry.image_size == image_size
    ]
    if not is_tiny_world(entry) or not fitting:
        raise InputError("no_words", model=entry.name, size=image_size)
    return fitting[0], cache.get(fitting[0])


def read_thing(probs_K: "Tensor", attributes: Sequence[str] = USUAL) -> Reading:  # noqa: N803
    """The likeliest attributes of a picture, the others being any.

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
    """What most of a group's pictures show: attribute by attribute, where three of four agree.

    Args:
        probs_NK: of each picture and mode.
    """
    found = {}
    for name in ATTRIBUTES:
        seen = [read_thing(probs_K, (name,)).thing[name] for probs_K in probs_NK]
        best = max(set(seen), key=seen.count)
        if seen.count(best) >= IN_COMMON * len(seen):
            found[name] = best
    return found


def expected_of(a: Thing, b: Thing, c: Thing) -> Thing:
    """What A - B + C should show: of each attribute what B takes away from A or has in common with C.

    Red ball - red box + blue box: the colour is C's, since A and B have theirs in common, and the kind A's,
    since B and C have theirs. An attribute of which neither is so is left out; without a kind or a colour
    nothing is expected.
    """
    found = {}
    for name in ATTRIBUTES:
        one, two, three = a.get(name), b.get(name), c.get(name)
        value = three if one == two else one if two == three else None
        if two is not None and value is not None:
            found[name] = value
    return found if any(name in found for name in USUAL) else {}


def read_sum(reader: str, of_groups: "Sequence[Tensor]", of_sum_4K: "Tensor") -> SumReading:  # noqa: N803
    """Read the pictures of a sum.

    Args:
        reader: the classifier's name.
        of_groups: probabilities [N, K] of the pictures of A, of B and of C.
        of_sum_4K: of the three means and the result.
    """
    things = [in_common(probs_NK) for probs_NK in of_groups]
    expected = expected_of(*things)
    asked = [*map(_asked, things), tuple(expected) or USUAL]
    readings = [read_thing(probs_K, names) for probs_K, names in zip(of_sum_4K, asked, strict=True)]
    return SumReading(reader, tuple(readings), expected)


def _asked(thing: Thing) -> tuple[str, ...]:
    """Which attributes are worth reading where this is known: colour and kind always, the size if it is."""
    return tuple(name for name in ATTRIBUTES if name in USUAL or name in thing)


def _thing(mode: int) -> dict[str, str]:
    from aigc_demo.data.tiny_picture import thing_of

    thing = thing_of(mode)
    return {name: getattr(thing, name) for name in ATTRIBUTES}
