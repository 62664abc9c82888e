"""Images of groups with the attributes of each thing as labels: training data of the attribute reader.

All combinations of colour, shape and size are included, also those that are excluded from the training of
generators: the model that evaluates them has to know all.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from aigc_demo.core.errors import InputError
from aigc_demo.data.images.corpus import IMAGES, ImageCorpus, ImageSettings, unique_images
from aigc_demo.data.preparation import PreparationStep
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.data.tiny_world.group import CENTRES, SHARES, Group, centres, group_standing, sample_group
from aigc_demo.data.tiny_world.image import MIDDLE, render_groups
from aigc_demo.data.tiny_world.scene import COLOURS, SHAPES, SIZES, WEATHERS, Thing

if TYPE_CHECKING:
    from torch import Tensor

SEED = 7  # other images than those that generators are trained on


@dataclass(frozen=True, eq=False)
class GroupCorpus(ImageCorpus):
    """Images of groups with labels.

    Args:
        train_truth: [N, 9, 4] int64, for each of CENTRES: whether there is a thing (0 or 1), its kind, colour
            and size; -1 where there is none.
        train_weather: [N] int64.
        validation_truth: [M, 9, 4] int64.
        validation_weather: [M] int64.
    """

    train_truth: "Tensor"
    train_weather: "Tensor"
    validation_truth: "Tensor"
    validation_weather: "Tensor"


@lru_cache(maxsize=1)
def prepare_groups(source: str, settings: ImageSettings) -> GroupCorpus:
    """Images of groups; deterministic.

    Raises:
        InputError: the source is not the tiny world: other images have no attribute labels.
    """
    import torch

    if source != TINY_WORLD:
        raise InputError("setting_range", name="--data", expected=TINY_WORLD, got=source)
    rng, size = random.Random(SEED), settings.image_size
    counts = rng.choices(list(SHARES), list(SHARES.values()), k=settings.num_pictures)
    groups = [sample_group(rng, count) for count in counts]
    pixels = render_groups(groups, size, rng)
    kept, _ = unique_images(pixels)
    dropped = len(groups) - len(kept)
    if dropped:
        pixels, groups = pixels[kept], [groups[place] for place in kept]
    truth, weather = truth_of(groups)
    num_held = int(len(groups) * settings.validation_fraction)
    parts = slice(num_held, None), slice(0, num_held)
    images = torch.from_numpy(pixels)
    num_train = len(groups) - num_held
    return GroupCorpus(
        name=TINY_WORLD,
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        train=images[parts[0]],
        validation=images[parts[1]],
        train_labels=None,
        validation_labels=None,
        mode_names=(),
        train_texts=None,
        validation_texts=None,
        report=(
            PreparationStep("read", len(counts), 0, {"image_size": size, "things": sum(counts)}, IMAGES),
            PreparationStep("clean", len(groups), dropped, {"repeated": dropped}, IMAGES),
            PreparationStep(
                "split",
                len(groups),
                0,
                {"train_pictures": num_train, "validation_pictures": num_held},
                IMAGES,
            ),
        ),
        train_truth=truth[parts[0]],
        train_weather=weather[parts[0]],
        validation_truth=truth[parts[1]],
        validation_weather=weather[parts[1]],
    )


def truth_of(groups: Sequence[Group]) -> "tuple[Tensor, Tensor]":
    """The labels of groups.

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
    """The groups with these labels, the inverse of `truth_of`."""
    groups = []
    for truth, weather in zip(truth_NP4.tolist(), weather_N.tolist(), strict=True):
        things = {
            centre: Thing(SHAPES[kind], COLOURS[colour], SIZES[size], MIDDLE)
            for centre, (there, kind, colour, size) in zip(CENTRES, truth, strict=True)
            if there
        }
        group = group_standing(things, WEATHERS[weather])
        assert group is not None  # the labels are those of a group
        groups.append(group)
    return groups
