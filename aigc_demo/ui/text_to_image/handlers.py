"""What happens on a click in the tab Text to image: translate, call the studio, translate back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators.kinds import TEXT_TO_IMAGE
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.studio.text_to_image import retrieval
from aigc_demo.studio.text_to_image.compare import (
    MOST_CHARACTERS,
    TextToImageColumn,
    check_text_to_image,
    compare_text_to_image,
    learned_words,
)
from aigc_demo.studio.text_to_image.postprocess import painted, postprocessed, restored, words_in_image
from aigc_demo.studio.text_to_image.word_ablation import with_each_other, without_each_word
from aigc_demo.ui.column_handlers import ColumnHandlers, Values
from aigc_demo.ui.image_view import gallery, image_card, image_facts, timeline
from aigc_demo.ui.notices import problem_words
from aigc_demo.ui.text_to_image import view
from aigc_demo.ui.widgets import clicked, errors_as_toasts
from aigc_demo.ui.words.wording import everywhere

PARTS = ("card", "images", "checked", "timeline", "facts")  # of a column, in this order
SETTING_NAMES = ("num_candidates", "guidance_scale", "num_inference_steps", "scheduler")


@dataclass(frozen=True, eq=False)
class Shown:
    """What one column of one visitor shows, so that the next click can go on from it.

    Attributes:
        column: the candidates.
        caption: what they were drawn for.
        other: the caption to compare with.
        settings: how they were drawn.
        chosen: which one is worked on, by its place among those shown.
    """

    column: TextToImageColumn
    caption: str
    other: str
    settings: dict[str, Any]
    chosen: int = 0

    @property
    def place(self) -> int:
        """The chosen candidate's place among all that were generated."""
        return self.column.order[self.chosen]


class TextToImageHandlers(ColumnHandlers):
    """The handlers of the tab."""

    num_outputs = len(PARTS) + 1

    def read(self, caption: Any, left: Any, right: Any) -> dict[str, Any]:
        """The words of a caption as it is typed; what is too long is not looked at."""
        text = caption[:MOST_CHARACTERS] if isinstance(caption, str) else ""
        names = [self._catalog.checked(name, TEXT_TO_IMAGE) for name in (left, right)]
        return view.words(text, learned=learned_words(self._catalog, names, text))

    def draw(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """The candidates of both columns; the seed is the one on the page, or a new one where asked."""
        caption, seed, fresh, *sliders, left, right = values
        with errors_as_toasts(request):
            settings = dict(zip(SETTING_NAMES, sliders, strict=True))
            settings["seed"] = new_seed() if fresh else seed
            asked = check_text_to_image(self._catalog, [left, right], caption, settings)
            with self._cancellation.joined(ticket, dict(enumerate(asked.models)), may_wait=False) as stop:
                for columns in compare_text_to_image(asked, self._cache, stop):
                    shown = [
                        Shown(column, asked.caption, asked.other, asked.ask.to_dict()) for column in columns
                    ]
                    yield self._both(
                        asked.ask.seed,
                        stop,
                        lambda number, now=shown: self._side(now[number].column.model, now[number]),  # type: ignore[misc]
                    )

    def _empty_side(self, model: Any) -> Values:
        return self._side(self._catalog.checked(model, TEXT_TO_IMAGE), None)

    def choose(self, event: gr.EventData, request: gr.Request, shown: Shown | None) -> tuple[Any, Any]:
        """The candidate that is worked on below."""
        with errors_as_toasts(request):
            number = clicked(event, 0 if shown is None else len(shown.column.order))
            assert shown is not None
            now = Shown(shown.column, shown.caption, shown.other, shown.settings, number)
            return view.candidates(now.column, now.other, number), now

    def _side(self, model: str, shown: Shown | None) -> Values:
        """What one column shows, in the order of PARTS, then the state."""
        choice = self._catalog.choice(model)
        column = shown.column if shown is not None else None
        other, chosen = (shown.other, shown.chosen) if shown is not None else ("", -1)
        return (
            image_card(choice, column),
            view.candidates(column, other, chosen),
            view.checked(column),
            timeline(column),
            image_facts(choice, column),
            shown if column is not None and column.images is not None else None,
        )

    # ---- postprocessing

    def postprocess(self, request: gr.Request, *values: Any) -> Any:
        """The chosen candidate of each column after each step."""
        denoise, colorize, enlarge, left, right = values
        settings = {"denoise": denoise, "colorize": colorize, "enlarge": enlarge}
        with errors_as_toasts(request):
            shown = [gallery(None, empty="postprocess_empty") for _ in range(2)]
            for number, one in enumerate((left, right)):
                if one is not None:
                    try:
                        steps = postprocessed(self._cache, one.column.images[one.place], settings)
                        shown[number] = view.processed(steps)
                    except DemoError as error:
                        shown[number] = gallery(None, empty=problem_words(error))
            return tuple(shown)

    def take(self, request: gr.Request, shown: Shown | None) -> tuple[Any, Any]:
        """The left column's chosen candidate, to be painted over."""
        with errors_as_toasts(request):
            image = None if shown is None else shown.column.images[shown.place]  # type: ignore[index]
            return view.canvas(image), image

    def repair(self, request: gr.Request, image: Any, canvas: Any) -> Any:
        """The image that was taken, with what was painted over drawn anew."""
        with errors_as_toasts(request):
            if image is None:
                return view.processed((), "repair_none")
            mask = canvas.get("mask") if isinstance(canvas, dict) else None
            steps = restored(self._cache, image, painted(mask, image.shape[-1]))
            return view.processed(steps)

    # ---- word by word

    def leave_out(self, request: gr.Request, *values: Any) -> Iterator[Any]:
        """The left model's image without each word."""
        caption, seed, *sliders, model = values
        yield from self._changed(
            request,
            lambda: without_each_word(self._cache, model, caption, self._settings(seed, sliders)),
        )

    def swap(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[Any]:
        """The left model's image with each other word in the place of the one that was clicked."""
        caption, seed, *sliders, model = values
        index = event._data.get("index") if isinstance(event._data, dict) else None
        yield from self._changed(
            request,
            lambda: with_each_other(self._cache, model, caption, index, self._settings(seed, sliders)),
        )

    def _changed(self, request: gr.Request, make: Any) -> Iterator[Any]:
        with errors_as_toasts(request):
            opened = gr.update(open=True)
            yield gallery(None, empty="nearest_working"), opened
            try:
                yield view.changed(make()), opened
            except DemoError as error:
                yield gallery(None, empty=problem_words(error)), opened

    def _settings(self, seed: Any, sliders: list[Any]) -> dict[str, Any]:
        return {**dict(zip(SETTING_NAMES, sliders, strict=True)), "seed": seed}

    # ---- where the words went

    def look(self, request: gr.Request, shown: Shown | None) -> Any:
        """Where each word of the left caption went in its chosen candidate."""
        with errors_as_toasts(request):
            if shown is None:
                return view.attention((), None, None)
            seed = shown.column.seeds[shown.place]
            found = words_in_image(
                self._cache, shown.column.model, shown.caption, seed, shown.settings["truncation"]
            )
            if found is None:
                return view.attention((), None, None)
            words, taken = found
            assert shown.column.images is not None
            return view.attention(words, taken, shown.column.images[shown.place])

    # ---- matching and searching

    def compare(self, request: gr.Request, text: Any, seed: Any, model: Any) -> Iterator[Any]:
        """Each caption's image against all captions."""
        with errors_as_toasts(request):
            lines = [line.strip() for line in clean_text(str(text)).split("\n") if line.strip()]
            captions = retrieval.checked_captions(lines)
            yield {**view.matched((), None, ()), "empty": everywhere("nearest_working")}
            full = self._catalog.checked(model, TEXT_TO_IMAGE)
            images, table = retrieval.generated_and_scored(self._cache, full, captions, seed)
            yield view.matched(captions, images, table)

    def find_images(self, request: gr.Request, text: Any) -> tuple[Any, Any]:
        """The images of the hundred that fit a text."""
        with errors_as_toasts(request):
            hits = retrieval.find_images(self._cache, text)
            library = retrieval.library_for(self._cache)
            return view.found_images(library.images, hits, library.captions), hits

    def find_texts(
        self, event: gr.EventData, request: gr.Request, hits: list[retrieval.Hit] | None
    ) -> dict[str, Any]:
        """The captions of the hundred that fit the image that was clicked."""
        with errors_as_toasts(request):
            number = clicked(event, len(hits or []))
            assert hits is not None
            library = retrieval.library_for(self._cache)
            found = retrieval.find_texts(self._cache, library.images[hits[number].place])
            return view.found_texts(found, library.captions)
