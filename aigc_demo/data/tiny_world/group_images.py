"""Pictures of groups with what stands where as numbers: what a reader of attributes learns from.

All combinations of colour, shape and size are among them, those too that are kept from what draws: a judge
has to know everything.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from aigc_demo.core.errors import InputError
from aigc_demo.data.images.corpus import PICTURES, ImageCorpus, ImageSettings, unique_images
from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.data.tiny_world.group import CENTRES, SHARES, Group, centres, group_standing, sample_group
from aigc_demo.data.tiny_world.image import MIDDLE, drawn
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Thing

if TYPE_CHECKING:
    from torch import Tensor

SEED = 7  # other drawings than those that models learn to draw from


@dataclass(frozen=True, eq=False)
class GroupCorpus(ImageCorpus):
    """Pictures of groups.

    Args:
        train_truth: [N, 9, 4] int64, of every one of CENTRES whether a thing stands there (0 or 1), its kind,
            colour and size; -1 where none stands.
        train_weather: [N] int64.
        validation_truth: of the held-out pictures.
        validation_weather: of the held-out pictures.
    """

    train_truth: "Tensor"
    train_weather: "Tensor"
    validation_truth: "Tensor"
    validation_weather: "Tensor"


@lru_cache(maxsize=1)
def prepare_groups(source: str, settings: ImageSettings) -> GroupCorpus:
    """Drawings of groups; always the same ones.

    Raises:
        InputError: the source is not the tiny world: nobody knows what stands where in other pictures.
    """
    import torch

    if source != TINY_WORLD:
        raise InputError("setting_range", name="--data", expected=TINY_WORLD, got=source)
    rng, size = random.Random(SEED), settings.image_size
    counts = rng.choices(list(SHARES), list(SHARES.values()), k=settings.num_pictures)
    groups = [sample_group(rng, count) for count in counts]
    pixels = drawn(groups, size, rng)
    kept, _ = unique_images(pixels)
    dropped = len(groups) - len(kept)
    if dropped:
        pixels, groups = pixels[kept], [groups[place] for place in kept]
    truth, weather = truth_of(groups)
    num_held = int(len(groups) * settings.validation_fraction)
    parts = slice(num_held, None), slice(0, num_held)
    pictures = torch.from_numpy(pixels)
    train_pictures = len(groups) - num_held
    return GroupCorpus(
        name=TINY_WORLD,
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        train=pictures[parts[0]],
        validation=pictures[parts[1]],
        train_labels=None,
        validation_labels=None,
        mode_names=(),
        train_texts=None,
        validation_texts=None,
        report=(
            PreparationStep("read", len(counts), 0, {"image_size": size, "things": sum(counts)}, PICTURES),
            PreparationStep("clean", len(groups), dropped, {"repeated": dropped}, PICTURES),
            PreparationStep(
                "split",
                len(groups),
                0,
                {"train_pictures": train_pictures, "validation_pictures": num_held},
                PICTURES,
            ),
        ),
        train_truth=truth[parts[0]],
        train_weather=weather[parts[0]],
        validation_truth=truth[parts[1]],
        validation_weather=weather[parts[1]],
    )


def truth_of(groups: Sequence[Group]) -> "tuple[Tensor, Tensor]":
    """What stands where, as a reader of attributes should say it.

    Returns:
        [N, 9, 4] and [N] int64, as in GroupCorpus.
    """
    import torch

    truth = torch.full((len(groups), len(CENTRES), 4), -1)
    truth[..., 0] = 0
    for row, group in enumerate(groups):
        for thing, centre in zip(group.things, centres(group), strict=True):
            looks = SHAPES.index(thing.kind), COLOURS.index(thing.colour), SIZES.index(thing.size)
            truth[row, CENTRES.index(centre)] = torch.tensor((1, *looks))
    return truth, torch.tensor([WEATHERS.index(group.weather) for group in groups])


def groups_of(truth_NP4: "Tensor", weather_N: "Tensor") -> list[Group]:  # noqa: N803
    """The groups that `truth_of` gives these numbers."""
    groups = []
    for truth, weather in zip(truth_NP4.tolist(), weather_N.tolist(), strict=True):
        things = {
            centre: Thing(SHAPES[kind], COLOURS[colour], SIZES[size], MIDDLE)
            for centre, (there, kind, colour, size) in zip(CENTRES, truth, strict=True)
            if there
        }
        group = group_standing(things, WEATHERS[weather])
        assert group is not None  # numbers of a group
        groups.append(group)
    return groups
