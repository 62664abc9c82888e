"""What happens on a click in the tab GAN where noise is calculated with, and where models are measured."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.generators.catalog import GANS
from aigc_demo.studio.find_seeds import Found, SeedBook, Working
from aigc_demo.studio.latent_space import check_way, interpolate, latent_sum, mix_styles
from aigc_demo.studio.measure_pictures import Measured, measure_pictures
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.real_pictures import TrainingPictures
from aigc_demo.studio.stop_book import StopBook
from aigc_demo.ui import picture_view as view
from aigc_demo.ui.gan_words import in_english
from aigc_demo.ui.run_view import notice, refusal
from aigc_demo.ui.widgets import door

Picture = tuple[Any, ...]
WAY_NAMES = ("from_seed", "to_seed", "num_frames", "truncation", "num_inference_steps")


class LatentHandlers:
    """The handlers of the folded parts of the tab.

    Args:
        cache: the models of the page.
        stops: which visitor's work is to stop.
        training: the pictures that models were trained on.
    """

    def __init__(self, cache: ModelCache, stops: StopBook, training: TrainingPictures):
        self._cache, self._catalog = cache, cache.catalog
        self._stops, self._training = stops, training
        self._seeds = SeedBook(cache)

    def interpolate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """The way from one seed to another, by both models."""
        *settings, left, right = values
        with door(request):
            models, way = check_way(self._catalog, [left, right], dict(zip(WAY_NAMES, settings, strict=True)))
            with self._stops.in_line(ticket) as stop:
                while stop.waits():
                    yield (view.gallery(None, empty="waits_in_line"),) * len(models)
                for columns in interpolate(models, way, self._cache, stop):
                    yield tuple(view.film(column) for column in columns)

    def find_seeds(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """Seeds for three words each, and a line that says how far it is."""
        *words, left, right = values
        keep = (gr.skip(), gr.skip(), gr.skip())
        with door(request), self._stops.in_line(ticket) as stop:
            while stop.waits():
                yield *keep, notice("waits_in_line")
            asked = [in_english(text) if isinstance(text, str) else text for text in words]
            yield *keep, notice("looking", done=0, total=self._seeds.num_seeds)
            try:
                for found in self._seeds.find(first_gan(self._catalog, left, right), asked, stop):
                    yield self._looked(found)
            except DemoError as error:
                yield *keep, refusal(error)
                return
            if stop.is_set():
                yield *keep, notice("gan_stopped")

    def _looked(self, found: "Working | tuple[Found, ...]") -> Picture:
        if isinstance(found, Working):
            return gr.skip(), gr.skip(), gr.skip(), notice("looking", done=found.done, total=found.total)
        least = 100 * min(prob for part in found for prob in part.probs)
        line = notice("seeds_found", count=found[0].num_looked_at, prob=least)
        return (*(", ".join(map(str, part.seeds)) for part in found), line)

    def calculate(self, request: gr.Request, *values: Any) -> Picture:
        """A - B + C."""
        a, b, c, truncation, left, right = values
        with door(request):
            model = first_gan(self._catalog, left, right)
            found = latent_sum(self._cache, model, a, b, c, truncation)
            return view.sum_gallery(found), view.sum_line(found)

    def mix(self, request: gr.Request, *values: Any) -> Any:
        """Two seeds' styles, by the first of both models that has styles; else why there are none."""
        coarse, fine, truncation, left, right = values
        with door(request):
            chosen = [self._catalog.choice(self._catalog.checked(name, "pictures")) for name in (left, right)]
            styled = [choice.value for choice in chosen if choice.entry.recipe == "stylegan"]
            try:
                pictures = mix_styles(self._cache, (*styled, left)[0], coarse, fine, truncation)
            except DemoError as error:
                return view.gallery(None, empty=view.problem(error))
            return view.mixed_gallery(pictures)

    def measure(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """Both models against real pictures, one after the other."""
        steps, upload, left, right = values
        shown: list[Any] = [notice("nearest_working"), view.measured_facts(None)] * 2
        with door(request), self._stops.in_line(ticket) as stop:
            while stop.waits():
                yield (notice("waits_in_line"), view.measured_facts(None)) * 2
            yield tuple(shown)
            for side, model in enumerate((left, right)):
                for line, facts in self._measured(model, upload, stop, steps):
                    shown[2 * side : 2 * side + 2] = line, facts
                    yield tuple(shown)

    def _measured(self, model: Any, upload: Any, stop: Any, steps: Any) -> Iterator[Picture]:
        nothing = view.measured_facts(None)
        found: Working | Measured | None = None
        try:
            corpus = self._training.of(model, upload)
            for found in measure_pictures(self._cache, model, corpus, stop, num_inference_steps=steps):
                if isinstance(found, Working):
                    yield notice("making", done=found.done, total=found.total), nothing
        except DemoError as error:
            yield refusal(error), nothing
            return
        if isinstance(found, Measured):
            yield view.alarm(found), view.measured_facts(found)
        else:
            yield notice("gan_stopped"), nothing


def first_gan(catalog: Any, *models: Any) -> str:
    """The first of some models that is a GAN; the first of all where none is, so that an error names it.

    Raises:
        InputError: one of them is none of the page's models of pictures.
    """
    chosen = [catalog.choice(catalog.checked(name, "pictures")) for name in models]
    gans = [choice.value for choice in chosen if choice.entry.recipe in GANS]
    return (*gans, chosen[0].value)[0]
