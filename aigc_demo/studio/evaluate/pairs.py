"""How good is what looks at images of captions: does it find the right one, does it read what is there?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError

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
    """Measure a dual encoder on pairs that are held out, or on all.

    Args:
        entry: of it.
        source: of the pairs.
        split: "validation", or "all" of them, such as names that nobody could guess.
        settings: of their preparation.
        samples: without effect, as `seed`: it makes nothing.
        seed: see `samples`.

    Returns:
        `split`, `num_samples`; `top1_of_100`, how many images find their caption among
        100 (or what is there, if that is less); `picture_of_100`, how many captions find their image, and
        with "all" `picture_of_all`, how many find it among all; of held-out drawings
        `told_from_exchanged`, how many of those with several things are nearer to their caption than to one
        in which two things have exchanged colours, kinds or sizes; with `_zh` the same of Chinese captions,
        where there are such.

    Raises:
        DemoError: model or source cannot be had, or nothing is held out.
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
    for language, ending in (("en", ""), ("zh", "_zh")):
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
    """Which group, a caption of it, and one in the same words in which two of its things exchanged a look.

    Every group of two or more things comes once for each look in which its first two differ.
    """
    import random

    from aigc_demo.data.captions.pairs import ATTRIBUTES, swap_attributes
    from aigc_demo.data.tiny_world.caption import caption
    from aigc_demo.data.tiny_world.group import are_distinct, meaning

    found = []
    for place, group in enumerate(groups):
        for look in ATTRIBUTES if len(group.things) > 1 else ():
            other = swap_attributes(group, (look,))
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
    """Measure a reader of attributes on drawings that are held out.

    Args:
        entry: of it.
        source: the tiny world.
        split: without effect, as `samples` and `seed`: all that are held out are looked at.
        settings: of the preparation.
        samples: see `split`.
        seed: see `split`.

    Returns:
        `num_samples`, `num_things`; `checker_accuracy`, how many things are read rightly
        in kind, colour, size and place; `picture_accuracy`, of how many images everything is right, the
        ground too.

    Raises:
        DemoError: model or source cannot be had, or nothing is held out.
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
    """Measure what restores images, on those that are held out.

    Args:
        entry: of it.
        source: of the images.
        split: without effect, as `samples` and `seed`: all that are held out are restored.
        settings: of the preparation.
        samples: see `split`.
        seed: see `split`.

    Returns:
        `num_samples`; `grey_levels`, the mean difference of what it draws from the true
        pixels, of what repairs only where something was painted over; `grey_levels_before`, the same of the
        plainest guess: grey, or the mean of what is left of the image.

    Raises:
        DemoError: model or source cannot be had, or nothing is held out.
    """
    import torch

    from aigc_demo.core.device import seeded, set_threads
    from aigc_demo.data.images.corpus import ImageSettings, prepare_images
    from aigc_demo.data.images.pixels import to_float, to_uint8
    from aigc_demo.generators.text_to_image.restoration import load_restoration
    from aigc_demo.nets.restoration import random_masks

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
