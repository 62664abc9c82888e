"""Interpolation, arithmetic and style mixing in the latent space of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import Settings, setting, shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.images.classify import SumReading, Thing, read_sum, reader_of
from aigc_demo.studio.images.compare import MOST_STEPS, ImageColumn, gan, is_gan, paint
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.images.model import Progress

MOST_FRAMES = 48
MOST_SUMMANDS = 16
MOST_SEEDS_CHARACTERS = 300


@dataclass(frozen=True)
class Way(Settings):
    """Settings of an interpolation between two seeds."""

    from_seed: int = setting(1, "of the first image", low=0, high=MAX_SEED)
    to_seed: int = setting(2, "of the last image", low=0, high=MAX_SEED)
    num_frames: int = setting(24, "how many images, both ends among them", low=2, high=MOST_FRAMES)
    truncation: float = setting(1.0, "how far from the mean image a GAN may go", low=0, high=1.5)
    num_inference_steps: int = setting(
        20, "steps in which diffusion takes the noise away", low=1, high=MOST_STEPS
    )


def check_way(catalog: Catalog, models: Any, settings: Mapping[str, Any]) -> tuple[tuple[str, ...], Way]:
    """Checked names of one to four models, and the settings of an interpolation.

    Raises:
        InputError: a model is unknown or writes text, or a setting does not fit.
    """
    return catalog.checked_all(models, IMAGE_GENERATOR), Way.from_mapping(settings)


def interpolate(
    models: tuple[str, ...], way: Way, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[ImageColumn, ...]]:
    """Spherical interpolation between the noise of two seeds, with several models concurrently.

    Args:
        models: their full names.
        way: from `check_way`.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        The columns, as `compare_images`; their images are the frames, first to last.
    """

    def make(model: Any, on_step: "Progress") -> "Tensor":
        return _frames(model, way, on_step)

    yield from paint(models, (way.from_seed, way.to_seed), make, cache, stop)


def _frames(model: Any, way: Way, on_step: "Progress") -> "Tensor":
    from aigc_demo.generators.images.latents import latents, spherical
    from aigc_demo.generators.images.model import ImageSampling

    ends = (way.from_seed, way.to_seed)
    if is_gan(model):
        first, last = latents(ends, model.latent_size)
        frames = spherical(first, last, way.num_frames)
        return model.of_latents(frames, way.truncation)
    noise = model.noise(ends)
    first, last = noise.flatten(1)
    frames = spherical(first, last, way.num_frames).unflatten(1, noise.shape[1:])
    return model.of_noise(frames, ImageSampling(num_inference_steps=way.num_inference_steps), on_step)


def checked_seed(name: str, value: Any) -> int:
    """A seed: a whole number from 0 to 2**31 - 1.

    Raises:
        InputError: it is not one.
    """
    try:
        seed = Way.from_mapping({"from_seed": value}).from_seed
    except InputError as error:
        raise InputError(error.key, **{**error.values, "name": name}) from None
    return seed


def checked_seeds(name: str, value: Any) -> tuple[int, ...]:
    """One to sixteen seeds: a list, or text with commas or spaces between them.

    Raises:
        InputError: it is neither, there are none or too many, or one is no seed.
    """
    parts = value
    if isinstance(value, str) and len(value) <= MOST_SEEDS_CHARACTERS:
        parts = value.replace(",", " ").replace("，", " ").replace("、", " ").split()
    if not isinstance(parts, (list, tuple)) or not 1 <= len(parts) <= MOST_SUMMANDS:
        expected = f"a list of 1 to {MOST_SUMMANDS} seeds"
        raise InputError("setting_type", name=name, expected=expected, got=shown(value) or '""')
    return tuple(checked_seed(name, part) for part in parts)


@dataclass(frozen=True, eq=False)
class Sum:
    """A - B + C.

    Attributes:
        model: whose latents.
        images: uint8 [4, C, H, W]: of the mean of A, of B, of C, and of the result.
        scores: what the discriminator says of each.
        seen: what a classifier reads in them; None where no classifier knows such images by name.
    """

    model: str
    images: "Tensor"
    scores: tuple[float, ...]
    seen: SumReading | None = None


def latent_sum(
    cache: ModelCache,
    name: Any,
    a: Any,
    b: Any,
    c: Any,
    truncation: Any = 1.0,
    asked: Sequence[Thing] = (),
) -> Sum:
    """Latent arithmetic: mean of A minus mean of B plus mean of C.

    Args:
        cache: where the model is, or is loaded to.
        name: of a GAN.
        a: seeds, as `checked_seeds` takes them.
        b: likewise.
        c: likewise.
        truncation: of all four images.
        asked: what the images of A, of B and of C have to show, where words asked for it.

    Raises:
        InputError: an argument does not fit, or the model is no GAN.
        DemoError: the model cannot be loaded.
    """
    seeds = [checked_seeds(letter, value) for letter, value in zip("ABC", (a, b, c), strict=True)]
    way = Way.from_mapping({"truncation": truncation})
    model = gan(cache, name)
    from aigc_demo.generators.images.latents import latents

    groups = [latents(part, model.latent_size) for part in seeds]
    with time_slice_for(model, cache):
        images = model.of_sum(groups, way.truncation)
        scores = tuple(model.discriminate(images).tolist())
        seen = _seen(cache, cache.catalog.choice(name).entry, model, groups, images, asked)
    return Sum(model.name, images, scores, seen)


def _seen(
    cache: ModelCache,
    entry: Any,
    model: Any,
    groups: "list[Tensor]",
    images: "Tensor",
    asked: Sequence[Thing],
) -> SumReading | None:
    """The classes of A, B, C and the result, if there is a classifier for them."""
    from aigc_demo.measure.images import encode

    try:
        reader, classifier = reader_of(cache, entry, model.image_size)
    except DemoError:  # a sum is worth showing without
        return None
    of_groups = [encode(classifier, model.of_latents(group))[1] for group in groups]
    _, of_sum = encode(classifier, images)
    assert of_sum is not None
    return read_sum(reader, [probs for probs in of_groups if probs is not None], of_sum, asked)


def mix_styles(cache: ModelCache, name: Any, coarse: Any, fine: Any, truncation: Any = 1.0) -> "Tensor":
    """Style mixing: the first layers by one seed's style, the others by another's, for every crossover.

    Args:
        cache: where the model is, or is loaded to.
        name: of a model with styles.
        coarse: the seed that says what is where.
        fine: the seed that gives colours and details.
        truncation: of all images.

    Returns:
        uint8 [layers + 1, C, H, W], from all fine to all coarse.

    Raises:
        InputError: an argument does not fit, or the model has no styles.
        DemoError: the model cannot be loaded.
    """
    seeds = checked_seed("coarse_seed", coarse), checked_seed("fine_seed", fine)
    way = Way.from_mapping({"truncation": truncation})
    full = cache.catalog.checked(name, IMAGE_GENERATOR)
    model = cache.get(full)
    if not getattr(model, "has_styles", False):
        raise InputError("no_styles", model=full)
    from aigc_demo.generators.images.latents import latents
    from aigc_demo.generators.images.model import ImageSampling

    with time_slice_for(model, cache):
        return model.mixed(*latents(seeds, model.latent_size), ImageSampling(way.truncation))
