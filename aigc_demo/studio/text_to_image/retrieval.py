"""Which text fits which image, as a dual encoder sees it: a table of scores, and search both ways."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import DUAL_ENCODER
from aigc_demo.generators.shipped import TINY_WORLD_DUAL_ENCODER
from aigc_demo.studio.models.arguments import check_number
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for
from aigc_demo.studio.text_to_image.compare import TextToImageAsk, checked_caption, ranker_for

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.text_to_image.clip_scores import ClipMatcher
    from aigc_demo.generators.text_to_image.matching import Matcher

MOST_TEXTS = 32
MOST_FOUND = 12
NUM_SEARCHED = 100
SEARCH_SEED = 11


@dataclass(frozen=True, eq=False)
class Library:
    """What is searched.

    Attributes:
        images: uint8 [N, C, H, W].
        captions: one for each.
    """

    images: "Tensor"
    captions: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """Something that was found.

    Attributes:
        place: in the library.
        score: how well it fits, -1 to 1.
    """

    place: int
    score: float


def default_matcher(catalog: Catalog) -> str:
    """The dual encoder that the page begins with.

    Raises:
        InputError: there is none yet.
    """
    choices = catalog.choices(DUAL_ENCODER)
    if not choices:
        raise InputError("unknown_model", name=TINY_WORLD_DUAL_ENCODER)
    return choices[0].value


def dual_encoder_named(cache: ModelCache, name: Any) -> "Matcher | ClipMatcher":
    """A dual encoder of the page; None for the one that it begins with.

    Raises:
        InputError: there is no such model, or it does something else.
    """
    full = default_matcher(cache.catalog) if name is None else cache.catalog.checked(name, DUAL_ENCODER)
    matcher: Matcher | ClipMatcher = cache.get(full)
    return matcher


def checked_captions(texts: Any) -> tuple[str, ...]:
    """A list of captions.

    Raises:
        InputError: it is none, or one of them does not fit.
    """
    if not isinstance(texts, (list, tuple)) or not 1 <= len(texts) <= MOST_TEXTS:
        expected = f"a list of 1 to {MOST_TEXTS} captions"
        raise InputError("setting_type", name="texts", expected=expected, got=shown(texts))
    return tuple(map(checked_caption, texts))


def score_table(
    cache: ModelCache, texts: Sequence[str], images: "Tensor", name: Any = None
) -> list[list[float]]:
    """How well each image fits each text, a row for each text, -1 to 1."""
    table: list[list[float]] = dual_encoder_named(cache, name).scores(texts, images).tolist()
    return table


def library_for(cache: ModelCache, name: Any = None) -> Library:
    """What a dual encoder searches: drawings of the tiny world, or what a model of ours made of its captions.

    Real images that others drew are not part of this project.

    Raises:
        InputError: there is no such dual encoder, or nothing that it could search.
    """
    full = default_matcher(cache.catalog) if name is None else cache.catalog.checked(name, DUAL_ENCODER)
    matcher = dual_encoder_named(cache, full)
    return held_out_library(matcher.image_size)


@lru_cache(maxsize=2)
def held_out_library(size: int) -> Library:
    """Images of groups that training never shows, half of the captions in each language."""
    import itertools

    import torch

    from aigc_demo.data.tiny_world.caption import LANGUAGES, caption
    from aigc_demo.data.tiny_world.group import groups
    from aigc_demo.data.tiny_world.image import render_groups

    rng = random.Random(SEARCH_SEED)
    some = tuple(itertools.islice(groups(rng, held_out=True), NUM_SEARCHED))
    images = torch.from_numpy(render_groups(some, size, rng))
    captions = tuple(caption(group, LANGUAGES[place % 2], rng) for place, group in enumerate(some))
    return Library(images, captions)


def find_images(cache: ModelCache, text: Any, count: Any = 8, name: Any = None) -> list[Hit]:
    """The images of the library that fit a text best.

    Args:
        cache: where the dual encoder is.
        text: what is looked for.
        count: how many.
        name: of the dual encoder.

    Raises:
        InputError: something does not fit, or no word is known.
    """
    caption = checked_caption(text)
    check_number("num", count, 1, MOST_FOUND, whole=True)
    matcher, library = dual_encoder_named(cache, name), library_for(cache, name)
    if not bool(matcher.ids([caption]).any()):
        raise InputError("no_known_words", model=name or default_matcher(cache.catalog))
    return _best(matcher.scores([caption], library.images)[0].tolist(), int(count))


def find_texts(cache: ModelCache, image: "Tensor", count: Any = 8, name: Any = None) -> list[Hit]:
    """The captions of the library that fit an image best.

    Args:
        cache: as in `find_images`.
        image: uint8 [C, H, W], of the dual encoder's size.
        count: how many.
        name: of the dual encoder.
    """
    check_number("num", count, 1, MOST_FOUND, whole=True)
    library = library_for(cache, name)
    scores = dual_encoder_named(cache, name).scores(library.captions, image[None])
    return _best(scores[:, 0].tolist(), int(count))


def _best(scores: list[float], count: int) -> list[Hit]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[:count]
    return [Hit(place, scores[place]) for place in order]


def generated_and_scored(
    cache: ModelCache, name: str, captions: Sequence[str], seed: Any
) -> "tuple[Tensor, list[list[float]]]":
    """An image of each caption by one model, and how well each fits each caption.

    Args:
        cache: where the model is.
        name: its full name.
        captions: checked.
        seed: of all images.

    Raises:
        InputError: the seed does not fit, or nobody can compare this model's images.
    """
    ask = TextToImageAsk.from_mapping({"seed": seed})
    model = cache.get(name)
    ranker = ranker_for(cache, model)
    if ranker is None:
        raise InputError("no_ranker", model=name)
    with time_slice_for(model, cache):
        images = model.make(captions, [ask.seed] * len(captions), ask.sampling)
    table: list[list[float]] = ranker.scores(captions, images).tolist()
    return images, table
