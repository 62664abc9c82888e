"""What happens on a click in the tab Text: translate, call the studio, translate back."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.studio.text import inspection
from aigc_demo.studio.text.compare import Column, Token, check_request, compare_text, new_seed, surprise
from aigc_demo.ui.column_handlers import ColumnHandlers, Values
from aigc_demo.ui.text import view
from aigc_demo.ui.text.view import Shown
from aigc_demo.ui.widgets import clicked, errors_as_toasts

PARTS = ("card", "strip", "choices", "facts")  # of a column, in this order
SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "temperature": (0, 2, 0.05, 0.8),
    "top_k": (0, 200, 1, 50),
    "top_p": (0, 1, 0.01, 1),
    "min_p": (0, 1, 0.01, 0),
    "num_beams": (1, 8, 1, 1),
    "repetition_penalty": (1, 2, 0.05, 1),
    "max_new_tokens": (1, 1000, 1, 200),
}
SETTING_NAMES = tuple(SLIDERS)


def settings_from(values: Sequence[Any], seed: Any = 0) -> dict[str, Any]:
    """The sliders and the stop text, as settings of the decoding; the studio checks them."""
    *sliders, stop_at = values
    stop = stop_at.replace("\\n", "\n") if isinstance(stop_at, str) else ""
    named = dict(zip(SETTING_NAMES, sliders, strict=True))
    return {**named, "stop": (stop,) if stop else (), "seed": seed}


class TextHandlers(ColumnHandlers):
    """The handlers of the tab."""

    num_outputs = len(PARTS) + 1

    # ---- writing

    def generate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Both columns from the prompt; the seed is the one on the page, or a new one where that is asked."""
        _, seed, fresh, *_ = values
        yield from self._from_prompt(request, ticket, new_seed() if fresh else seed, values)

    def regenerate(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Both columns from the prompt, with a new seed whatever the page says."""
        yield from self._from_prompt(request, ticket, new_seed(), values)

    def _from_prompt(
        self, request: gr.Request, ticket: str, seed: Any, values: Sequence[Any]
    ) -> Iterator[Values]:
        prompt, _, _, *sliders, left, right, shown_left, shown_right = values
        with errors_as_toasts(request):
            settings = settings_from(sliders, seed)
            asked = check_request(self._catalog, [left, right], prompt, settings)
            new = [
                replace(shown.written_by(settings, 0), text_id=secrets.token_hex(4))
                for shown in (shown_left, shown_right)
            ]
            yield from self._write(ticket, asked, new)

    def go_on(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Both columns from where they ended, by the same stream of random numbers."""
        _, _, _, *sliders, _, _, shown_left, shown_right = values
        with errors_as_toasts(request):
            both = (shown_left, shown_right)
            if any(shown.column is None for shown in both):
                raise InputError("nothing_generated")
            models = [shown.column.model for shown in both]
            written = [shown.column.tokens for shown in both]
            settings = settings_from(sliders, shown_left.column.seed)
            asked = check_request(self._catalog, models, shown_left.prompt, settings, written)
            new = [shown.written_by(settings, len(shown.column.tokens)) for shown in both]
            yield from self._write(ticket, asked, new)

    def _write(self, ticket: str, asked: Any, shown: list[Shown]) -> Iterator[Values]:
        """The seed and both columns, again and again."""
        with self._cancellation.joined(ticket, dict(enumerate(asked.models)), may_wait=False) as stop:
            for columns in compare_text(asked, self._cache, stop):
                yield self._both(
                    asked.settings.seed,
                    stop,
                    lambda number, now=columns: self._written(shown[number], now[number], asked.prompt),  # type: ignore[misc]
                )

    def _written(self, old: Shown, column: Column, prompt: str) -> Values:
        new = replace(old, column=column, prompt=prompt, offered=None)
        return self._side(column.model, new)

    def _side(self, model: str, shown: Shown) -> Values:
        """What one column shows, in the order of PARTS, then the state."""
        choice = self._catalog.choice(model)
        return (
            view.model_card(choice, shown),
            view.strip(shown),
            None,
            view.model_facts(choice, shown),
            shown,
        )

    def _empty_side(self, model: Any) -> Values:
        return self._side(model, Shown())

    # ---- alternatives

    def show_alternatives(self, event: gr.EventData, request: gr.Request, shown: Shown) -> Values:
        """What else could stand at the clicked place, before and after the settings it was written by."""
        with errors_as_toasts(request):
            column = shown.column
            place = clicked(event, len(column.tokens) if column else 0, "no_such_token")
            assert column is not None
            found = inspection.next_token(
                self._cache,
                column.model,
                shown.prompt,
                column.ids[:place],
                shown.settings_at(place),
                column.ids[place],
            )
            new = replace(shown, offered=(place, found))
            return view.strip(new, chosen=place), view.choices(found, column.ids[place]), new

    def take_alternative(
        self, event: gr.EventData, request: gr.Request, ticket: str, number: int, shown: Shown, *values: Any
    ) -> Iterator[Values]:
        """One column goes on from the alternative that was chosen, by the settings as they stand now."""
        with errors_as_toasts(request):
            if shown.column is None or shown.offered is None:
                raise InputError("nothing_generated")
            place, found = shown.offered
            taken = found[clicked(event, len(found), "no_such_token")]
            written = (*shown.column.tokens[:place], Token(taken.id, taken.text, surprise(taken.prob_before)))
            settings = settings_from(values, shown.column.seed)
            asked = check_request(self._catalog, [shown.column.model], shown.prompt, settings, [written])
            new = replace(shown.written_by(settings, place + 1), text_id=secrets.token_hex(4))
            with self._cancellation.joined(ticket, {number: shown.column.model}, may_wait=False) as stop:
                for (column,) in compare_text(asked, self._cache, stop):
                    yield self._unless_left(
                        stop,
                        number,
                        lambda _, now=column: self._written(new, now, shown.prompt),  # type: ignore[misc]
                    )

    # ---- reading

    def score(self, request: gr.Request, *values: Any) -> Values:
        """Bits per byte of both models on the pasted text, under their columns too."""
        text, *rest = values
        models, shown = rest[:2], list(rest[2:])
        with errors_as_toasts(request):
            results = [self._score(model, text) for model in models]
            for side, (model, result) in enumerate(zip(models, results, strict=True)):
                if not isinstance(result, DemoError):
                    shown[side] = replace(shown[side], bits_per_byte=(model, result.bits_per_byte))
            facts = [view.model_facts(self._catalog.choice(m), s) for m, s in zip(models, shown, strict=True)]
            strips = [view.score(model, result) for model, result in zip(models, results, strict=True)]
            return (*strips, *facts, *shown)

    def _score(self, model: Any, text: Any) -> Any:
        """The score, or why there is none: one model that cannot be loaded leaves the other alone."""
        inspection.check_scored(self._catalog, model, text)
        try:
            return inspection.score_text(self._cache, model, text)
        except DemoError as error:
            return error

    def attention(self, request: gr.Request, *values: Shown) -> Values:
        """The attention of both models over what they wrote."""
        with errors_as_toasts(request):
            if all(shown.column is None for shown in values):
                raise InputError("nothing_generated")
            return tuple(self._attention(shown) for shown in values)

    def _attention(self, shown: Shown) -> Any:
        if shown.column is None:
            return view.attention(None, None)
        try:
            found = inspection.attention(self._cache, shown.column.model, shown.prompt, shown.column.ids)
        except DemoError as error:
            return view.attention(shown.column.model, error)
        return view.attention(shown.column.model, found)
