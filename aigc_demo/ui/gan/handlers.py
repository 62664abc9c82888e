"""What happens on a click in the tab GAN: translate, call the studio, translate back."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.images.compare import PictureColumn, check_pictures, compare_pictures, gan
from aigc_demo.studio.images.real_images import (
    TrainingPictures,
    judge,
    nearest_training,
    png_pictures,
    some_real,
)
from aigc_demo.studio.models.cancellation import Cancellation, CancelToken
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.ui.gan import view
from aigc_demo.ui.gan.latent_handlers import first_gan
from aigc_demo.ui.image_view import gallery, picture_card, picture_facts, timeline
from aigc_demo.ui.notices import problem_words
from aigc_demo.ui.widgets import clicked, door, unchanged

if TYPE_CHECKING:
    from torch import Tensor

Picture = tuple[Any, ...]
SIDE = 5  # components in gan_tab.Side.picture
FEW = 8  # pictures of each kind that the discriminator is asked about
SETTING_NAMES = ("num_pictures", "truncation", "num_inference_steps")


class GanHandlers:
    """The handlers of the tab, as those of the tab Text.

    Args:
        cache: the models of the page.
        stops: which visitor's work is to stop.
        training: the pictures that models were trained on.
    """

    def __init__(self, cache: ModelCache, cancellation: Cancellation, training: TrainingPictures):
        self._cache, self._catalog = cache, cache.catalog
        self._cancellation, self._training = cancellation, training

    def stop(self, ticket: str) -> None:
        """Everything that this visitor has running ends at its next step."""
        self._cancellation.stop(ticket)

    def generate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """The pictures of both columns; the seed is the one on the page, or a new one where that is asked."""
        seed, fresh, *sliders, left, right = values
        with door(request):
            settings = dict(zip(SETTING_NAMES, sliders, strict=True))
            settings["seed"] = new_seed() if fresh else seed
            asked = check_pictures(self._catalog, [left, right], settings)
            with self._cancellation.once_in_line(ticket, "generate", dict(enumerate(asked.models))) as stop:
                if stop is None:  # a double click
                    return
                while stop.waits():
                    waiting = [PictureColumn(name, "waiting", asked.ask.seeds) for name in asked.models]
                    yield (asked.ask.seed, *self._sides(stop, waiting))
                for columns in compare_pictures(asked, self._cache, stop):
                    yield (asked.ask.seed, *self._sides(stop, columns))

    def _sides(self, stop: CancelToken, columns: Sequence[PictureColumn]) -> Picture:
        """Both columns; one for which another model was chosen meanwhile stays as the choice has left it."""
        sides = [
            unchanged(SIDE) if stop.has_left(number) else self._side(column.model, column)
            for number, column in enumerate(columns)
        ]
        return (*sides[0], *sides[1])

    def choose_model(self, request: gr.Request, ticket: str, number: int, model: Any) -> Picture:
        """An empty column for another model; what the one before is making there ends."""
        with door(request):
            side = self._side(self._catalog.checked(model, "pictures"), None)
            return unchanged(SIDE) if self._cancellation.leave(ticket, number, model) else side

    def _side(self, model: str, column: PictureColumn | None) -> Picture:
        """What one column shows, in the order of gan_tab.Side.picture."""
        choice = self._catalog.choice(model)
        return (
            picture_card(choice, column),
            view.column_gallery(column),
            timeline(column),
            picture_facts(choice, column),
            column,
        )

    # ---- real pictures

    def nearest(
        self, event: gr.EventData, request: gr.Request, shown: PictureColumn | None, upload: Any
    ) -> Iterator[Picture]:
        """The training picture nearest to the one that was clicked, in the part that is opened for it."""
        with door(request):
            place = clicked(event, 0 if shown is None or shown.pictures is None else len(shown.pictures))
            assert shown is not None and shown.pictures is not None
            marked, opened = view.column_gallery(shown, place), gr.update(open=True)
            yield marked, opened, gallery(None, empty="nearest_working")
            try:
                corpus = self._training.of(shown.model, upload)
                found, distance = nearest_training(shown.pictures[place : place + 1], corpus)
            except DemoError as error:
                yield marked, opened, gallery(None, empty=problem_words(error))
                return
            made, seed = shown.pictures[place], shown.seeds[place]
            drawn = view.nearest_gallery(made, seed, found[0], distance[0], len(corpus.train))
            yield marked, opened, drawn

    def judge(self, request: gr.Request, *values: Any) -> Iterator[Any]:
        """What the discriminator says of real pictures, of those of both columns, and of one's own."""
        own, upload, left, right, *columns = values
        with door(request):
            yield gallery(None, empty="nearest_working")
            try:
                model = first_gan(self._catalog, left, right)
                kinds = list(self._kinds(model, own, upload, columns))
                judged = [(kind, pictures, judge(self._cache, model, pictures)) for kind, pictures in kinds]
            except DemoError as error:
                yield gallery(None, empty=problem_words(error))
                return
            yield view.judged_gallery(model, judged) if judged else gallery(None, empty="judging_empty")

    def _kinds(self, model: str, own: Any, upload: Any, columns: list[Any]) -> "Iterator[tuple[str, Tensor]]":
        """What there is to judge, by the kind it is called."""
        network = gan(self._cache, model)
        if upload is not None or self._training.at_hand(model):
            yield "real", some_real(self._training.of(model, upload), FEW, 0)
        for kind, column in zip(("left", "right"), columns, strict=True):
            if column is not None and column.pictures is not None:
                yield kind, column.pictures[:FEW]
        if own:
            yield "own", png_pictures(list(own), network.image_size)
