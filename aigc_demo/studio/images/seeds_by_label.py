"""Seeds by label: which of a model's first images shows a red ball?

A classifier of the tiny world labels the images of the first 2,000 seeds, once for each model; then any words
are looked up among its predictions.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.studio.images.classify import ATTRIBUTES, Thing, reader_of
from aigc_demo.studio.images.compare import gan
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for

if TYPE_CHECKING:
    from torch import Tensor

NUM_SEEDS = 2000
AT_ONCE = 100
SEEDS_FOUND = 16
"""Of all 1,680 sums of two colours and two kinds 85 % come out right, 61 % with 4 (docs/experiments.md)."""
SURE_ENOUGH = 0.5
MOST_MODELS = 4
MOST_WORDS_CHARACTERS = 60
SMALL_WORDS = ("a", "an", "the")


@dataclass(frozen=True)
class Working:
    """Progress of a search."""

    done: int
    total: int


@dataclass(frozen=True)
class Found:
    """Seeds whose images have the label, most confident first.

    Attributes:
        words: what was asked for.
        seeds: of the model's noise.
        probs: how sure the classifier is of each, 0 to 1.
        num_looked_at: among how many seeds.
        thing: the words, by attributes.
    """

    words: str
    seeds: tuple[int, ...]
    probs: tuple[float, ...]
    num_looked_at: int
    thing: Thing


def modes_named(words: Any, num_modes: int) -> tuple[int, ...]:
    """The modes of the tiny world with a label: "red ball" is any size of it.

    Args:
        words: a colour, a size, a thing, or several of these.
        num_modes: how many the classifier knows.

    Raises:
        InputError: a word is not one of the tiny world's, or nothing fits.
    """
    from aigc_demo.data.tiny_world.image import thing_of

    text = checked_prompt("words", words, MOST_WORDS_CHARACTERS)
    wanted = _wanted(text)
    things = [thing_of(mode) for mode in range(num_modes)]
    modes = tuple(
        mode for mode, thing in enumerate(things) if wanted <= {thing.kind, thing.colour, thing.size}
    )
    if not wanted or not modes:
        raise InputError("unknown_thing", words=shown(text) or '""')
    return modes


class SeedBook:
    """Predicted classes of the first seeds of each model, computed on demand.

    Args:
        cache: the models of the page.
        num_seeds: how many are looked at.
    """

    def __init__(self, cache: ModelCache, num_seeds: int = NUM_SEEDS):
        self._cache, self._catalog = cache, cache.catalog
        self.num_seeds = num_seeds
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], Tensor] = OrderedDict()

    def find(
        self, name: Any, words: Sequence[Any], stop: threading.Event, count: int = SEEDS_FOUND
    ) -> Iterator[Working | tuple[Found, ...]]:
        """Find seeds for each of some labels.

        Args:
            name: of a GAN that learned the tiny world.
            words: for each answer one: "red ball", "small blue box".
            stop: ends it between two batches.
            count: most seeds of an answer.

        Yields:
            How far it is, then all answers; after Stop no answer.

        Raises:
            InputError: words name nothing, nothing is found, or nobody here can look at such images.
            DemoError: a model cannot be loaded.
        """
        model = gan(self._cache, name)
        entry = self._catalog.choice(name).entry
        classifier_name, classifier = reader_of(self._cache, entry, model.image_size)
        num_modes = classifier.config.num_classes
        asked = [(str(text), modes_named(text, num_modes)) for text in words]
        key = (entry.name, classifier_name)
        with self._lock:
            probs = self._seen.get(key)
        if probs is None:
            parts: list[Tensor] = []
            for part in self._looked(model, classifier):
                parts.append(part)
                yield Working(sum(map(len, parts)), self.num_seeds)
                if stop.is_set():
                    return
            probs = self._keep(key, parts)
        yield tuple(_found(entry.name, text, probs, modes, count) for text, modes in asked)

    def _looked(self, model: Any, classifier: Any) -> "Iterator[Tensor]":
        from aigc_demo.generators.images.model import ImageSampling
        from aigc_demo.measure.images import encode

        for first in range(0, self.num_seeds, AT_ONCE):
            with time_slice_for(model, self._cache):
                seeds = range(first, min(first + AT_ONCE, self.num_seeds))
                _, probs = encode(classifier, model.make(seeds, ImageSampling()))
            assert probs is not None
            yield probs

    def _keep(self, key: tuple[str, str], parts: "list[Tensor]") -> "Tensor":
        import torch

        probs = torch.cat(parts)
        with self._lock:
            self._seen[key] = probs
            if len(self._seen) > MOST_MODELS:
                self._seen.popitem(last=False)
        return probs


def _named(words: str, mode: int) -> Thing:
    """Words of the tiny world by attributes, as a mode has them that they name."""
    from aigc_demo.data.tiny_world.image import thing_of

    one = thing_of(mode)
    wanted = _wanted(words)
    return {name: getattr(one, name) for name in ATTRIBUTES if getattr(one, name) in wanted}


def _wanted(words: str) -> set[str]:
    return {word for word in words.lower().replace(",", " ").split() if word not in SMALL_WORDS}


def _found(model: str, words: str, probs_NK: "Tensor", modes: tuple[int, ...], count: int) -> Found:  # noqa: N803
    probs = probs_NK[:, list(modes)].sum(1)
    best = probs.argsort(descending=True, stable=True)[:count].tolist()
    sure = [seed for seed in best if float(probs[seed]) >= SURE_ENOUGH]
    if not sure:
        raise InputError("nothing_found", model=model, words=shown(words), count=len(probs))
    thing = _named(words, modes[0])
    return Found(words, tuple(sure), tuple(float(probs[seed]) for seed in sure), len(probs), thing)
