"""What happens on a click in the tab GAN where noise is calculated with, and where models are measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.generators.trained_folder import row_of
from aigc_demo.studio.images.latent_space import check_way, interpolate, latent_sum, mix_styles
from aigc_demo.studio.images.measure import Measured, measure_images
from aigc_demo.studio.images.real_images import TrainingImages
from aigc_demo.studio.images.seeds_by_label import Found, SeedBook, Working
from aigc_demo.studio.models.cancellation import Cancellation, Place
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.stoppable import unless_stopped
from aigc_demo.ui.column_handlers import Values, once_in_line
from aigc_demo.ui.gan import view
from aigc_demo.ui.image_view import gallery
from aigc_demo.ui.notices import notice, problem_words, refusal
from aigc_demo.ui.widgets import errors_as_toasts
from aigc_demo.ui.words.tiny_world import in_english

WAY_NAMES = ("from_seed", "to_seed", "num_frames", "truncation", "num_inference_steps")


@dataclass(frozen=True)
class FoundSeeds:
    """What a page keeps of its last search: whose seeds they are, and what was asked for.

    Attributes:
        model: in whose images they were found.
        parts: of A, B and C.
    """

    model: str
    parts: tuple[Found, ...]

    def texts(self) -> list[str]:
        """As they stand in the fields."""
        return [", ".join(map(str, part.seeds)) for part in self.parts]

    def is_found(self, number: int, seeds: Any) -> bool:
        """Whether a field still holds what was found for it."""
        return bool(seeds == self.texts()[number])

    def line(self) -> Any:
        """The line that says where they were found."""
        least = 100 * min(prob for part in self.parts for prob in part.probs)
        return notice("seeds_found", model=self.model, count=self.parts[0].num_looked_at, prob=least)


class LatentHandlers:
    """The handlers of the folded parts of the tab.

    Args:
        cache: the models of the page.
        cancellation: which visitor's work is to stop.
        training: the images that models were trained on.
    """

    def __init__(self, cache: ModelCache, cancellation: Cancellation, training: TrainingImages):
        self._cache, self._catalog = cache, cache.catalog
        self._cancellation, self._training = cancellation, training
        self._seeds = SeedBook(cache)

    def interpolate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """The way from one seed to another, by both models."""
        *settings, left, right = values
        with errors_as_toasts(request):
            models, way = check_way(self._catalog, [left, right], dict(zip(WAY_NAMES, settings, strict=True)))

            def work(place: Place) -> Iterator[Values]:
                for columns in interpolate(models, way, self._cache, place):
                    yield tuple(view.film(column) for column in columns)

            waiting = (gallery(None, empty="waits_in_line"),) * len(models)
            yield from once_in_line(self._cancellation, ticket, "interpolate", work, lambda _: waiting)

    def find_seeds(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Seeds for three words each, a line that says how far it is, and what was found."""
        *words, left, right = values
        asked = [in_english(text) if isinstance(text, str) else text for text in words]

        def work(place: Place) -> Iterator[Values]:
            yield _only(notice("looking", done=0, total=self._seeds.num_seeds))
            try:
                model = first_gan(self._catalog, left, right)
                for found in self._seeds.find(model, asked, place):
                    yield _progress(model, found)
            except DemoError as error:
                yield _only(refusal(error))
                return
            if place.is_set():
                yield _only(notice("gan_stopped"))

        waiting = _only(notice("waits_in_line"))
        with errors_as_toasts(request):
            yield from once_in_line(self._cancellation, ticket, "find_seeds", work, lambda _: waiting)

    def seeds_of(self, request: gr.Request, *values: Any) -> Any:
        """Whose the seeds are that were found, when another model is chosen; typed ones are anybody's."""
        *seeds, left, right, found = values
        with errors_as_toasts(request):
            model = first_gan(self._catalog, left, right)
            if found is None or not any(map(found.is_found, range(3), seeds)):
                return gr.skip()
            if model == found.model:
                return found.line()
            return notice("seeds_of_another", model=found.model, other=model)

    def calculate(self, request: gr.Request, *values: Any) -> Values:
        """A - B + C; where seeds were found by words, their images have to show what the words ask."""
        *seeds, truncation, left, right, found = values
        with errors_as_toasts(request):
            model = first_gan(self._catalog, left, right)
            parts = found.parts if found is not None else ()
            asked = [
                part.thing if found.is_found(number, seeds[number]) else {}
                for number, part in enumerate(parts)
            ]
            a, b, c = seeds
            result = latent_sum(self._cache, model, a, b, c, truncation, asked)
            return view.sum_gallery(result), view.sum_line(result)

    def mix(self, request: gr.Request, *values: Any) -> Any:
        """Two seeds' styles, by the first of both models that has styles; else why there are none."""
        coarse, fine, truncation, left, right = values
        with errors_as_toasts(request):
            chosen = [
                self._catalog.choice(self._catalog.checked(name, IMAGE_GENERATOR)) for name in (left, right)
            ]
            styled = [one.value for one in chosen if (row := row_of(one.entry)) and row.has_styles]
            try:
                images = mix_styles(self._cache, (*styled, left)[0], coarse, fine, truncation)
            except DemoError as error:
                return gallery(None, empty=problem_words(error))
            return view.mixed_gallery(images)

    def measure(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Both models against real images, one after the other."""
        steps, upload, left, right = values
        nothing = view.measured_facts(None)

        def work(place: Place) -> Iterator[Values]:
            shown = [notice("nearest_working"), nothing] * 2
            yield tuple(shown)
            for side, model in enumerate((left, right)):
                for line, facts in self._measured(model, upload, place, steps):
                    shown[2 * side : 2 * side + 2] = line, facts
                    yield tuple(shown)

        waiting = (notice("waits_in_line"), nothing) * 2
        with errors_as_toasts(request):
            yield from once_in_line(self._cancellation, ticket, "measure", work, lambda _: waiting)

    def _measured(self, model: Any, upload: Any, stop: Any, steps: Any) -> Iterator[Values]:
        nothing = view.measured_facts(None)
        found: Working | Measured | None = None
        try:
            corpus = unless_stopped(lambda: self._training.of(model, upload), stop)
            asked = {"num_inference_steps": steps}
            for found in measure_images(self._cache, model, corpus, stop, **asked) if corpus else ():
                if isinstance(found, Working):
                    yield notice("making", done=found.done, total=found.total), nothing
        except DemoError as error:
            yield refusal(error), nothing
            return
        if isinstance(found, Measured):
            yield view.alarm(found), view.measured_facts(found)
        else:
            yield notice("gan_stopped"), nothing


def _only(line: Any) -> Values:
    """A line, with the seeds as they are."""
    return gr.skip(), gr.skip(), gr.skip(), line, gr.skip()


def _progress(model: str, found: "Working | tuple[Found, ...]") -> Values:
    if isinstance(found, Working):
        return _only(notice("looking", done=found.done, total=found.total))
    kept = FoundSeeds(model, found)
    return (*kept.texts(), kept.line(), kept)


def first_gan(catalog: Any, *models: Any) -> str:
    """The first of some models that is a GAN; the first of all where none is, so that an error names it.

    Raises:
        InputError: one of them is none of the page's models of images.
    """
    chosen = [catalog.choice(catalog.checked(name, IMAGE_GENERATOR)) for name in models]
    gans = [one.value for one in chosen if (row := row_of(one.entry)) and row.has_latents]
    return (*gans, chosen[0].value)[0]
