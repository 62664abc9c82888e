"""What happens on a click in the tab GAN: translate, call the studio, translate back."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from aigc_demo.studio.compare import new_seed
from aigc_demo.studio.compare_pictures import PictureColumn, check_pictures, compare_pictures
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.stop_book import StopBook
from aigc_demo.ui import picture_view as view
from aigc_demo.ui.widgets import door

Picture = tuple[Any, ...]
SETTING_NAMES = ("num_pictures", "truncation", "num_inference_steps")


class GanHandlers:
    """The handlers of the tab, as those of the tab Text.

    Args:
        cache: the models of the page.
        stops: which visitor's work is to stop.
    """

    def __init__(self, cache: ModelCache, stops: StopBook):
        self._cache, self._catalog = cache, cache.catalog
        self._stops = stops

    def stop(self, ticket: str) -> None:
        """Everything that this visitor has running ends at its next step."""
        self._stops.stop(ticket)

    def generate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """The pictures of both columns; the seed is the one on the page, or a new one where that is asked."""
        seed, fresh, *sliders, left, right = values
        with door(request):
            settings = dict(zip(SETTING_NAMES, sliders, strict=True))
            settings["seed"] = new_seed() if fresh else seed
            asked = check_pictures(self._catalog, [left, right], settings)
            with self._stops.writing(ticket) as stop:
                for columns in compare_pictures(asked, self._cache, stop):
                    sides = [self._side(column.model, column) for column in columns]
                    yield (asked.ask.seed, *sides[0], *sides[1])

    def choose_model(self, request: gr.Request, model: Any) -> Picture:
        """An empty column for another model."""
        with door(request):
            return self._side(self._catalog.checked(model, "pictures"), None)

    def _side(self, model: str, column: PictureColumn | None) -> Picture:
        """What one column shows, in the order of gan_tab.Side.picture."""
        choice = self._catalog.choice(model)
        return (
            view.picture_card(choice, column),
            view.column_gallery(column),
            view.timeline(column),
            view.picture_facts(choice, column),
            column,
        )
