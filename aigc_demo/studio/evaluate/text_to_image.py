"""How often does a text-to-image model draw everything that the caption says?"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.generators.shipped import TINY_WORLD_READER
from aigc_demo.training.card import FIGURE_ENDINGS

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.data.tiny_world.group import Group
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.generators.text_to_image.matching import Matcher
    from aigc_demo.generators.text_to_image.model import TextSampling, TextToImageModel

COUNTS = {1: "one_object", 2: "two_objects", 3: "three_objects"}
SEED = 7  # of the captions: not that of training


@dataclass(frozen=True)
class TextToImageTest(Settings):
    """What a model is asked for, and which models measure what it generates."""

    num_captions: int = setting(1000, "captions of each kind and language", low=1, high=20_000)
    candidates: int = setting(8, "images of each caption from which the best is chosen", low=1, high=64)
    most_objects: int = setting(2, "how many things captions tell of at most", low=1, high=3)
    languages: tuple[str, ...] = setting(("en", "zh"), "of the captions", choices=("en", "zh"))
    checker: str = setting(TINY_WORLD_READER, "reads the images, by its name or run")
    ranker: str = setting("", "chooses the best, by its name or run; empty for the model's own dual encoder")
    judge: str = setting("", "of images with captions of your own: a dual encoder that guided nothing")


def evaluate_text_to_image(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a text-to-image model.

    On the tiny world every caption tells of at least one combination of colour, shape and size that training
    never shows, and an image counts where the checker finds everything right and nothing more: each thing's
    kind, colour, size and place, and the ground.

    Args:
        entry: of the model.
        source: the tiny world, or images with captions.
        split: without effect, as `samples`: `TextToImageTest` says of how many captions, and which.
        settings: of `TextToImageTest`, `TextSampling`, and the preparation of images with captions.
        samples: see `split`.
        seed: of the first image of the first caption; all others have the next ones.

    Returns:
        `num_samples` (captions). On the tiny world
        `one_object_first` and `two_objects_first`, the share of captions of which the first image is right,
        `one_object_best_of_8` and `two_objects_best_of_8` of which the one that the dual encoder ranks
        highest is, and `_zh` of Chinese ones. Of images with captions `found_of_100`, how many of the
        images drawn are found by their caption among 100.

    Raises:
        DemoError: model or source cannot be had, or a setting does not fit.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.text_to_image.model import TextSampling
    from aigc_demo.generators.text_to_image.ours import load_text_to_image

    set_threads()
    given = dict(settings or {})
    test = TextToImageTest.from_mapping(TextToImageTest.among(given))
    sampling = TextSampling.from_mapping(TextSampling.among(given))
    model = load_text_to_image(entry)
    if source == TINY_WORLD:
        figures = _of_tiny_world(model, test, sampling, seed)
    else:
        figures = _of_pairs(model, source, test, sampling, given, seed)
    return {
        **figures,
        "settings": {**test.to_dict(), **sampling.to_dict()},
    }


def asked(count: int, language: str, number: int) -> tuple[list["Group"], list[str]]:
    """Groups that training never shows, and their captions; always the same.

    Args:
        count: how many things each has.
        language: of the captions.
        number: how many.
    """
    from aigc_demo.data.tiny_world.caption import caption
    from aigc_demo.data.tiny_world.group import groups

    rng = random.Random(f"{SEED} {count}")
    wanted = list(itertools.islice(groups(rng, held_out=True, count=count), number))
    rng = random.Random(f"{SEED} {count} {language}")
    return wanted, [caption(group, language, rng) for group in wanted]


def _of_tiny_world(
    model: "TextToImageModel", test: TextToImageTest, sampling: "TextSampling", seed: int
) -> dict[str, Any]:
    import torch

    from aigc_demo.generators.text_to_image.matching import load_reader
    from aigc_demo.measure.attributes import verdicts

    reader, ranker = load_reader(test.checker), _ranker(model, test)
    figures: dict[str, Any] = {}
    for count, language in itertools.product(range(1, test.most_objects + 1), test.languages):
        wanted, texts = asked(count, language, test.num_captions)
        candidates = _candidates(model, texts, test, sampling, seed)
        right = torch.tensor(
            [[one.all_right for one in verdicts(reader, images, wanted)] for images in candidates]
        ).float()
        name, end = COUNTS[count], FIGURE_ENDINGS[language]
        figures[f"{name}_first{end}"] = round(right[0].mean().item(), 4)
        if ranker is not None:
            best = _best(ranker, texts, candidates)[None]
            figures[f"{name}_best_of_{test.candidates}{end}"] = round(right.gather(0, best).mean().item(), 4)
    return {"num_samples": test.num_captions, **figures}


def _candidates(
    model: "TextToImageModel",
    texts: list[str],
    test: TextToImageTest,
    sampling: "TextSampling",
    seed: int,
) -> "list[Tensor]":
    """The first image of all texts, the second of all, and so on."""
    step = test.candidates
    return [
        model.make(texts, range(seed + place, seed + place + step * len(texts), step), sampling)
        for place in range(step)
    ]


def _best(ranker: "Matcher", texts: list[str], candidates: "list[Tensor]") -> "Tensor":
    """Which candidate of each text fits it best."""
    import torch

    text_features = ranker.of_texts(texts)
    return torch.stack(
        [(text_features * ranker.of_images(images)).sum(dim=1) for images in candidates]
    ).argmax(dim=0)


def _of_pairs(
    model: "TextToImageModel",
    source: str,
    test: TextToImageTest,
    sampling: "TextSampling",
    given: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """How often images of a source's captions are found among 100, by a dual encoder that did not guide."""
    import torch

    from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
    from aigc_demo.generators.text_to_image.matching import load_matcher
    from aigc_demo.measure.retrieval import found_among

    if not test.judge:
        raise InputError(
            "setting_range", name="judge", expected="a dual encoder that guided nothing", got="none"
        )
    judge = load_matcher(test.judge)
    preparation = {"image_size": model.image_size, **PairSettings.among(given)}
    corpus = prepare_pairs(source, PairSettings.from_mapping(preparation))
    every = [*corpus.train_captions, *corpus.validation_captions]
    rng = random.Random(SEED)
    texts = [captions[0] for captions in rng.sample(every, min(len(every), test.num_captions))]
    candidates = _candidates(model, texts, test, sampling, seed)
    ranker, judged = _ranker(model, test), judge.of_texts(texts)
    seen = torch.stack([judge.of_images(images) for images in candidates])
    meanings = torch.tensor([texts.index(text) for text in texts])
    figures = {"found_of_100_first": found_among(judged, seen[0], meanings)}
    if ranker is not None:
        chosen = seen[_best(ranker, texts, candidates), torch.arange(len(texts))]
        figures[f"found_of_100_best_of_{test.candidates}"] = found_among(judged, chosen, meanings)
    return {"num_samples": len(texts), **{name: round(value, 4) for name, value in figures.items()}}


def _ranker(model: "TextToImageModel", test: TextToImageTest) -> "Matcher | None":
    """The dual encoder that is asked for, or the model's own; None where there is nothing to choose from.

    Raises:
        InputError: it has none, and none is named.
    """
    from aigc_demo.generators.text_to_image.matching import load_matcher

    if test.candidates == 1:
        return None
    if test.ranker:
        return load_matcher(test.ranker)
    own = getattr(model, "matcher", None)
    if own is None:
        raise InputError("setting_range", name="ranker", expected="a dual encoder", got="none")
    return own
