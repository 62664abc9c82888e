"""What happens on a click in the tab Text: translate, call the studio, translate back."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text import inspection as reading
from aigc_demo.studio.text.compare import Column, Token, check_request, compare_text, new_seed, surprise
from aigc_demo.ui.text import view as columns
from aigc_demo.ui.text.view import Shown
from aigc_demo.ui.widgets import door, unchanged

Picture = tuple[Any, ...]
SIDE = 5  # components in text_tab.Side.picture
SETTING_NAMES = ("temperature", "top_k", "top_p", "num_beams", "repetition_penalty", "max_new_tokens")


def settings_from(values: Sequence[Any], seed: Any = 0) -> dict[str, Any]:
    """The sliders and the stop text, as settings of the decoding; the studio checks them."""
    *sliders, stop_at = values
    stop = stop_at.replace("\\n", "\n") if isinstance(stop_at, str) else ""
    named = dict(zip(SETTING_NAMES, sliders, strict=True))
    return {**named, "stop": (stop,) if stop else (), "seed": seed}


class TextHandlers:
    """The handlers of the tab. Their first argument is gradio's request; the others are the components'.

    A handler that writes, and Stop, take the visitor's ticket first: a secret that the server made for one
    opened page, kept by gradio on the server alone (gr.State).

    Args:
        cache: the models of the page.
        stops: which visitor's writing is to stop.
    """

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog = cache, cache.catalog
        self._cancellation = cancellation

    # ---- writing

    def generate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """Both columns from the prompt; the seed is the one on the page, or a new one where that is asked."""
        _, seed, fresh, *_ = values
        yield from self._from_prompt(request, ticket, new_seed() if fresh else seed, values)

    def regenerate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """Both columns from the prompt, with a new seed whatever the page says."""
        yield from self._from_prompt(request, ticket, new_seed(), values)

    def _from_prompt(
        self, request: gr.Request, ticket: str, seed: Any, values: Sequence[Any]
    ) -> Iterator[Picture]:
        prompt, _, _, *sliders, left, right, shown_left, shown_right = values
        with door(request):
            settings = settings_from(sliders, seed)
            asked = check_request(self._catalog, [left, right], prompt, settings)
            new = [
                replace(shown.written_by(settings, 0), text_id=secrets.token_hex(4))
                for shown in (shown_left, shown_right)
            ]
            yield from self._write(ticket, asked, new)

    def go_on(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Picture]:
        """Both columns from where they ended, by the same stream of random numbers."""
        _, _, _, *sliders, _, _, shown_left, shown_right = values
        with door(request):
            both = (shown_left, shown_right)
            if any(shown.column is None for shown in both):
                raise InputError("nothing_generated")
            models = [shown.column.model for shown in both]
            written = [shown.column.tokens for shown in both]
            settings = settings_from(sliders, shown_left.column.seed)
            asked = check_request(self._catalog, models, shown_left.prompt, settings, written)
            new = [shown.written_by(settings, len(shown.column.tokens)) for shown in both]
            yield from self._write(ticket, asked, new)

    def _write(self, ticket: str, asked: Any, shown: list[Shown]) -> Iterator[Picture]:
        """Pictures for the page: the seed, then for each column its card, strip, alternatives and state.

        A column for which another model was chosen meanwhile stays as the choice has left it.
        """
        with self._cancellation.writing(ticket, dict(enumerate(asked.models))) as stop:
            for picture in compare_text(asked, self._cache, stop):
                sides = [
                    unchanged(SIDE) if stop.has_left(number) else self._picture(old, column, asked.prompt)
                    for number, (old, column) in enumerate(zip(shown, picture, strict=True))
                ]
                yield (asked.settings.seed, *sides[0], *sides[1])

    def _picture(self, old: Shown, column: Column, prompt: str) -> Picture:
        new = replace(old, column=column, prompt=prompt, offered=None)
        return self._side(column.model, new)

    def _side(self, model: str, shown: Shown) -> Picture:
        """What one column shows, in the order of text_tab.Side.picture."""
        choice = self._catalog.choice(model)
        return (
            columns.model_card(choice, shown),
            columns.strip(shown),
            None,
            columns.model_facts(choice, shown),
            shown,
        )

    def stop(self, ticket: str) -> None:
        """Everything that this visitor has running ends at its next token."""
        self._cancellation.stop(ticket)

    def choose_model(self, request: gr.Request, ticket: str, column: int, model: Any) -> Picture:
        """An empty column for another model; what the one before is writing there ends."""
        with door(request):
            side = self._side(model, Shown())
            return unchanged(SIDE) if self._cancellation.leave(ticket, column, model) else side

    # ---- alternatives

    def show_alternatives(self, event: gr.EventData, request: gr.Request, shown: Shown) -> Picture:
        """What else could stand at the clicked place, before and after the settings it was written by."""
        with door(request):
            place = _place(event, shown)
            column = shown.column
            assert column is not None
            found = reading.next_token(
                self._cache,
                column.model,
                shown.prompt,
                column.ids[:place],
                shown.settings_at(place),
                column.ids[place],
            )
            new = replace(shown, offered=(place, found))
            return columns.strip(new, chosen=place), columns.choices(found, column.ids[place]), new

    def take_alternative(
        self, event: gr.EventData, request: gr.Request, ticket: str, number: int, shown: Shown, *values: Any
    ) -> Iterator[Picture]:
        """One column goes on from the alternative that was chosen, by the settings as they stand now."""
        with door(request):
            if shown.column is None or shown.offered is None:
                raise InputError("nothing_generated")
            place, found = shown.offered
            taken = found[_number(event, len(found))]
            written = (*shown.column.tokens[:place], Token(taken.id, taken.text, surprise(taken.prob_before)))
            settings = settings_from(values, shown.column.seed)
            asked = check_request(self._catalog, [shown.column.model], shown.prompt, settings, [written])
            new = replace(shown.written_by(settings, place + 1), text_id=secrets.token_hex(4))
            with self._cancellation.writing(ticket, {number: shown.column.model}) as stop:
                for (column,) in compare_text(asked, self._cache, stop):
                    yield (
                        unchanged(SIDE) if stop.has_left(number) else self._picture(new, column, shown.prompt)
                    )

    # ---- reading

    def score(self, request: gr.Request, *values: Any) -> Picture:
        """Bits per byte of both models on the pasted text, under their columns too."""
        text, *rest = values
        models, shown = rest[:2], list(rest[2:])
        with door(request):
            results = [self._score(model, text) for model in models]
            for side, (model, result) in enumerate(zip(models, results, strict=True)):
                if not isinstance(result, DemoError):
                    shown[side] = replace(shown[side], bits_per_byte=(model, result.bits_per_byte))
            facts = [
                columns.model_facts(self._catalog.choice(m), s) for m, s in zip(models, shown, strict=True)
            ]
            strips = [columns.score(model, result) for model, result in zip(models, results, strict=True)]
            return (*strips, *facts, *shown)

    def _score(self, model: Any, text: Any) -> Any:
        """The score, or why there is none: one model that cannot be loaded leaves the other alone."""
        reading.check_scored(self._catalog, model, text)
        try:
            return reading.score_text(self._cache, model, text)
        except DemoError as error:
            return error

    def attention(self, request: gr.Request, *values: Shown) -> Picture:
        """The attention of both models over what they wrote."""
        with door(request):
            if all(shown.column is None for shown in values):
                raise InputError("nothing_generated")
            return tuple(self._attention(shown) for shown in values)

    def _attention(self, shown: Shown) -> Any:
        if shown.column is None:
            return columns.attention(None, None)
        try:
            found = reading.attention(self._cache, shown.column.model, shown.prompt, shown.column.ids)
        except DemoError as error:
            return columns.attention(shown.column.model, error)
        return columns.attention(shown.column.model, found)


def _place(event: gr.EventData, shown: Shown) -> int:
    """The place of the token that was clicked; the number comes from the browser, hence the check."""
    count = len(shown.column.tokens) if shown.column else 0
    return _number(event, count)


def _number(event: gr.EventData, count: int) -> int:
    number = event._data.get("index") if isinstance(event._data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count:
        raise InputError("no_such_token", got=str(number)[:20], count=count)
    return number
