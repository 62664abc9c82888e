"""Evaluation of dual encoders, attribute readers and restoration networks on image-caption pairs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.training.card import FIGURE_ENDINGS

if TYPE_CHECKING:
    from aigc_demo.data.tiny_world.group import Group
    from aigc_demo.generators.catalog_entry import CatalogEntry

FEWEST = 2
MOST_RESTORED = 2000


def evaluate_matcher(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate a dual encoder on held-out pairs, or on all.

    Args:
        entry: of the dual encoder.
        source: of the pairs.
        split: "validation", or "all", such as for names that cannot be inferred from other ones.
        settings: of the preprocessing.
        samples: without effect, as `seed`: nothing is generated.
        seed: see `samples`.

    Returns:
        `split`, `num_samples`; `top1_of_100`, top-1 accuracy of retrieving an image's caption among 100 (or
        all there are, if fewer); `picture_of_100`, the same of a caption's image, and with "all"
        `picture_of_all`, among all images; of held-out tiny-world images `told_from_exchanged`, the share of
        those with several things that score higher with their caption than with one in which two things have
        exchanged colours, kinds or sizes; with the suffix `_zh` the same for Chinese captions, where there
        are any.

    Raises:
        DemoError: model or source cannot be loaded, or nothing is held out.
    """
    import torch

    from aigc_demo.core.device import set_threads
    from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
    from aigc_demo.data.tiny_world.caption import language_of
    from aigc_demo.generators.text_to_image.matching import load_matcher
    from aigc_demo.measure.retrieval import found_among, preferred_share

    set_threads()
    matcher = load_matcher(entry)
    given = PairSettings.among(settings or {})
    preparation = PairSettings.from_mapping({"image_size": matcher.image_size, **given})
    corpus = prepare_pairs(source, preparation)
    images, captions, meanings = corpus.validation, corpus.validation_captions, corpus.validation_meanings
    if split == "all":
        images = torch.cat([corpus.train, images])
        captions, meanings = corpus.train_captions + captions, corpus.train_meanings + meanings
    if len(images) < FEWEST:
        raise InputError("setting_range", name="validation_fraction", expected="more", got=len(images))
    seen, meaning = matcher.of_images(images), torch.tensor(meanings)
    figures = {}
    for language, ending in FIGURE_ENDINGS.items():
        chosen = [next((text for text in texts if language_of(text) == language), None) for texts in captions]
        if None in chosen and (ending or not any(chosen)):
            continue
        rows = torch.tensor([place for place, text in enumerate(chosen) if text])
        texts = matcher.of_texts([text for text in chosen if text])
        figures[f"top1_of_100{ending}"] = found_among(seen[rows], texts, meaning[rows])
        figures[f"picture_of_100{ending}"] = found_among(texts, seen[rows], meaning[rows])
        if split == "all":
            figures[f"picture_of_all{ending}"] = found_among(texts, seen[rows], meaning[rows], len(rows))
        elif pairs := _pairs_with_exchanged(corpus.validation_groups, language):
            places, own, other = zip(*pairs, strict=True)
            own_texts, other_texts = matcher.of_texts(own), matcher.of_texts(other)
            figures[f"told_from_exchanged{ending}"] = preferred_share(
                seen[list(places)], own_texts, other_texts
            )
    return {
        "split": split,
        "num_samples": len(images),
        **{name: round(value, 4) for name, value in figures.items()},
    }


def _pairs_with_exchanged(groups: "Sequence[Group]", language: str) -> list[tuple[int, str, str]]:
    """Index of a group, its caption, and the caption with one attribute of two things exchanged.

    Every group of two or more things comes once for each attribute in which its first two differ.
    """
    import random

    from aigc_demo.data.captions.pairs import ATTRIBUTES, swap_attributes
    from aigc_demo.data.tiny_world.caption import caption
    from aigc_demo.data.tiny_world.group import are_distinct, meaning

    found = []
    for place, group in enumerate(groups):
        for attribute in ATTRIBUTES if len(group.things) > 1 else ():
            other = swap_attributes(group, (attribute,))
            if are_distinct(other.things) and meaning(other) != meaning(group):
                # The same random numbers: the same phrasing.
                own, wrong = (caption(one, language, random.Random(place)) for one in (group, other))
                found.append((place, own, wrong))
    return found


def evaluate_attribute_reader(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate an attribute reader on held-out images.

    Args:
        entry: of the reader.
        source: the tiny world.
        split: without effect, as `samples` and `seed`: all held-out images are used.
        settings: of the preprocessing.
        samples: see `split`.
        seed: see `split`.

    Returns:
        `num_samples`, `num_things`; `checker_accuracy`, the share of things with kind, colour, size and place
        all right; `picture_accuracy`, the share of images with everything right, the background too.

    Raises:
        DemoError: model or source cannot be loaded, or nothing is held out.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.data.images.corpus import ImageSettings
    from aigc_demo.data.tiny_world.group_images import groups_of, prepare_groups
    from aigc_demo.generators.text_to_image.matching import load_reader
    from aigc_demo.measure.attributes import verdicts

    set_threads()
    reader = load_reader(entry)
    given = ImageSettings.among(settings or {})
    corpus = prepare_groups(
        source, ImageSettings.from_mapping({"image_size": reader.config.image_size, **given})
    )
    wanted = groups_of(corpus.validation_truth, corpus.validation_weather)
    if not wanted:
        raise InputError("setting_range", name="validation_fraction", expected="more than 0", got=0)
    found = verdicts(reader, corpus.validation, wanted)
    things = [thing for one in found for thing in one.things]
    return {
        "num_samples": len(wanted),
        "num_things": len(things),
        "checker_accuracy": round(sum(thing.num_right == 4 for thing in things) / len(things), 5),
        "picture_accuracy": round(sum(one.all_right for one in found) / len(found), 5),
    }


def evaluate_restoration(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate a restoration network on held-out images.

    Args:
        entry: of the network.
        source: of the images.
        split: without effect, as `samples` and `seed`: all held-out images are restored.
        settings: of the preprocessing.
        samples: see `split`.
        seed: see `split`.

    Returns:
        `num_samples`; `grey_levels`, the mean absolute error in grey levels, of inpainting inside the mask
        only; `grey_levels_before`, the same of the trivial baseline: grey, or the mean of the known pixels.

    Raises:
        DemoError: model or source cannot be loaded, or nothing is held out.
    """
    import torch

    from aigc_demo.core.device import seeded, set_threads
    from aigc_demo.data.images.corpus import ImageSettings, prepare_images
    from aigc_demo.data.images.pixels import to_float, to_uint8
    from aigc_demo.generators.text_to_image.restoration import load_restoration
    from aigc_demo.nets.images.restoration import random_masks

    set_threads()
    restoration = load_restoration(entry)
    shown = {"image_size": restoration.image_size, "pictures": "groups"}
    shown |= ImageSettings.among(settings or {})
    true = prepare_images(source, ImageSettings.from_mapping(shown)).validation[:MOST_RESTORED]
    if not len(true):
        raise InputError("setting_range", name="validation_fraction", expected="more than 0", got=0)
    task, size = restoration.task, restoration.image_size
    holes = random_masks(len(true), size, seeded(0)) if task.masked else torch.ones(len(true), 1, size, size)
    plain = to_uint8(task.plain_guess(to_float(true), holes))
    restored = restoration.restored(true, holes)
    away = {
        name: ((output.float() - true.float()).abs() * holes).sum().item() / (3 * holes.sum().item())
        for name, output in (("grey_levels", restored), ("grey_levels_before", plain))
    }
    return {
        "num_samples": len(true),
        **{name: round(value, 3) for name, value in away.items()},
    }
