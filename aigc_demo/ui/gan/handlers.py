"""What happens on a click in the tab GAN: translate, call the studio, translate back."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.images.compare import ImageColumn, check_images, compare_images, gan
from aigc_demo.studio.images.real_images import (
    TrainingImages,
    discriminate,
    nearest_training,
    png_images,
    some_real,
)
from aigc_demo.studio.models.cancellation import Cancellation, Place
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.ui.column_handlers import ColumnHandlers, Values, once_in_line
from aigc_demo.ui.gan import view
from aigc_demo.ui.gan.latent_handlers import first_gan
from aigc_demo.ui.image_view import gallery, image_card, image_facts, timeline
from aigc_demo.ui.notices import problem_words
from aigc_demo.ui.widgets import clicked, errors_as_toasts

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("card", "images", "timeline", "facts")  # of a column, in this order
FEW = 8  # images of each kind that the discriminator is asked about
SETTING_NAMES = ("num_pictures", "truncation", "num_inference_steps")


class GanHandlers(ColumnHandlers):
    """The handlers of the tab.

    Args:
        cache: the models of the page.
        cancellation: which visitor's work is to stop.
        training: the images that models were trained on.
    """

    num_outputs = len(PARTS) + 1

    def __init__(self, cache: ModelCache, cancellation: Cancellation, training: TrainingImages):
        super().__init__(cache, cancellation)
        self._training = training

    def generate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """The images of both columns; the seed is the one on the page, or a new one where that is asked."""
        seed, fresh, *sliders, left, right = values
        with errors_as_toasts(request):
            settings = dict(zip(SETTING_NAMES, sliders, strict=True))
            settings["seed"] = new_seed() if fresh else seed
            asked = check_images(self._catalog, [left, right], settings)
            seed, seeds = asked.ask.seed, asked.ask.seeds

            def waiting(place: Place) -> Values:
                return self._columns(
                    seed, place, [ImageColumn(name, "waiting", seeds) for name in asked.models]
                )

            def work(place: Place) -> Iterator[Values]:
                for columns in compare_images(asked, self._cache, place):
                    yield self._columns(seed, place, columns)

            models = dict(enumerate(asked.models))
            yield from once_in_line(self._cancellation, ticket, "generate", work, waiting, models)

    def _columns(self, seed: int, place: Place, columns: Sequence[ImageColumn]) -> Values:
        return self._both(seed, place, lambda number: self._side(columns[number].model, columns[number]))

    def _empty_side(self, model: Any) -> Values:
        return self._side(self._catalog.checked(model, IMAGE_GENERATOR), None)

    def _side(self, model: str, column: ImageColumn | None) -> Values:
        """What one column shows, in the order of PARTS, then the state."""
        choice = self._catalog.choice(model)
        return (
            image_card(choice, column),
            view.column_gallery(column),
            timeline(column),
            image_facts(choice, column),
            column,
        )

    # ---- real images

    def nearest(
        self, event: gr.EventData, request: gr.Request, shown: ImageColumn | None, upload: Any
    ) -> Iterator[Values]:
        """The training image nearest to the one that was clicked, in the part that is opened for it."""
        with errors_as_toasts(request):
            place = clicked(event, 0 if shown is None or shown.images is None else len(shown.images))
            assert shown is not None and shown.images is not None
            marked, opened = view.column_gallery(shown, place), gr.update(open=True)
            yield marked, opened, gallery(None, empty="nearest_working")
            try:
                corpus = self._training.of(shown.model, upload)
                found, distance = nearest_training(shown.images[place : place + 1], corpus)
            except DemoError as error:
                yield marked, opened, gallery(None, empty=problem_words(error))
                return
            image, seed = shown.images[place], shown.seeds[place]
            gallery_value = view.nearest_gallery(image, seed, found[0], distance[0], len(corpus.train))
            yield marked, opened, gallery_value

    def score_images(self, request: gr.Request, *values: Any) -> Iterator[Any]:
        """What the discriminator says of real images, of those of both columns, and of one's own."""
        own, upload, left, right, *columns = values
        with errors_as_toasts(request):
            yield gallery(None, empty="nearest_working")
            try:
                model = first_gan(self._catalog, left, right)
                kinds = list(self._kinds(model, own, upload, columns))
                judged = [(kind, images, discriminate(self._cache, model, images)) for kind, images in kinds]
            except DemoError as error:
                yield gallery(None, empty=problem_words(error))
                return
            yield view.judged_gallery(model, judged) if judged else gallery(None, empty="judging_empty")

    def _kinds(self, model: str, own: Any, upload: Any, columns: list[Any]) -> "Iterator[tuple[str, Tensor]]":
        """What is scored, by the kind it is called."""
        network = gan(self._cache, model)
        if upload is not None or self._training.at_hand(model):
            yield "real", some_real(self._training.of(model, upload), FEW, 0)
        for kind, column in zip(("left", "right"), columns, strict=True):
            if column is not None and column.images is not None:
                yield kind, column.images[:FEW]
        if own:
            yield "own", png_images(list(own), network.image_size)
