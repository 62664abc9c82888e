"""Masked words, next sentences and answers for programs, as named endpoints.

from gradio_client import Client
answer = Client("http://127.0.0.1:7860").predict("春眠不<mask>晓，", api_name="/fill_mask")
"""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS
from aigc_demo.studio.models.cancellation import Cancellation, CancelToken, new_ticket
from aigc_demo.studio.models.catalog import default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answer import Answer, check_answer_request, compare_answers
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.studio.text.fill_mask import check_mask_request, compare_masks
from aigc_demo.studio.text.next_sentence import check_next_sentence_request, compare_next_sentence
from aigc_demo.studio.text.prediction import PredictionColumn
from aigc_demo.ui.frame import READING, TEXT
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.widgets import errors_as_toasts
from aigc_demo.ui.words.wording import sentence

Columns = Iterator[tuple[PredictionColumn, ...]]


def add_prediction_api(studio: Studio) -> None:
    """Add the endpoints to the page that is being built."""
    api = PredictionApi(studio.cache, studio.cancellation)
    gr.api(api.fill_mask, api_name="fill_mask", **READING)
    gr.api(api.next_sentence, api_name="next_sentence", **READING)
    gr.api(api.answer, api_name="answer", **TEXT)


class PredictionApi:
    """The endpoints; their docstrings are what the API's page shows."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog, self._cancellation = cache, cache.catalog, cancellation

    def fill_mask(
        self,
        request: gr.Request,
        text: str,
        models: list[str] | None = None,
        hidden: list[list[int]] | None = None,
        num: int = 5,
    ) -> Iterator[Json]:
        """Predict the masked words of a text with one to four encoders at the same time.

        Each answer is {"ticket", "columns": [{"model", "state", "result", "seconds", "error", ...}]}, whole
        each time. `result` is null until a model has finished, then {"text": the text with the likeliest
        words in their places, "masks": [{"first", "past", "guesses": [{"id", "text", "prob"}]}]}, where first
        and past are the characters of the mask, and the guesses are likeliest first. One model's failure
        leaves the others alone; if all fail, the call fails with the first one's sentence. Who gives `ticket`
        to stop_text ends the work.

        Args:
            text: at most 5,000 characters, with <mask> or [MASK] in the place of each of up to 8 masks.
            models: one to four names of models that predict masked words; null for ours and its baseline.
            hidden: ranges of characters that are masked too, as pairs [first, past the last], so that a text
                needs no masks written in it; null for none.
            num: how many candidates for each mask, 1 to 200.
        """
        with errors_as_toasts(request):
            asked = check_mask_request(self._catalog, self._named(models, MASKED_WORDS), text, hidden, num)
            yield from self._streamed(
                request, lambda stop: compare_masks(asked, self._cache, stop), _filled_json
            )

    def next_sentence(
        self, request: gr.Request, first: str, second: str, models: list[str] | None = None
    ) -> Iterator[Json]:
        """The probability that one text follows another, by one to four encoders at the same time.

        Each answer is {"ticket", "columns": [{"model", "state", "result", "seconds", "error", ...}]}, whole
        each time. `result` is null until a model has finished, then {"prob": from 0 to 1}; a model that knows
        nothing gives 0.5. Failures and `ticket` as in fill_mask.

        Args:
            first: a text of at most 2,000 characters.
            second: the text that may follow it, as long.
            models: one to four names of models that predict masked words; null for ours and its baseline.
        """
        with errors_as_toasts(request):
            named = self._named(models, MASKED_WORDS)
            asked = check_next_sentence_request(self._catalog, named, first, second)
            yield from self._streamed(
                request,
                lambda stop: compare_next_sentence(asked, self._cache, stop),
                lambda prob: {"prob": prob},
            )

    def answer(
        self,
        request: gr.Request,
        text: str,
        story: str | None = None,
        models: list[str] | None = None,
        seed: int | None = None,
        temperature: float = 0.0,
    ) -> Iterator[Json]:
        """Answer a text with one to four encoder-decoders at the same time.

        A first line gets the answering line of a couplet; a question about a story gets its answer. Each
        answer is {"ticket", "seed", "expected", "columns": [{"model", "state", "result", "seconds", "error",
        ...}]}, whole each time. `expected` is the right answer, null where it is not known. `result` is null
        until a model has finished, then {"text", "token_ids", "tokens": [T], "source": [S],
        "cross_attention": [T][S]}: what was looked at for each token of the answer, the mean of all layers
        and heads, between 0 and 1. Failures and `ticket` as in fill_mask.

        Args:
            text: a line or a question, at most 1,000 characters.
            story: of the tiny world, that the question is about; null where there is none.
            models: one to four names of models that answer a text; null for ours and its baseline.
            seed: of the random numbers, from 0; null for a new one. It matters above temperature 0 only.
            temperature: 0 always takes the likeliest token; higher samples more varied answers.
        """
        settings = {"seed": new_seed() if seed is None else seed, "temperature": temperature}
        with errors_as_toasts(request):
            named = self._named(models, ANSWERS)
            asked = check_answer_request(self._catalog, named, text, story, settings)
            known = {"seed": asked.settings.seed, "expected": asked.expected}
            work = self._streamed(
                request, lambda stop: compare_answers(asked, self._cache, stop), _answer_json
            )
            for streamed in work:
                yield {**streamed, **known}

    def _named(self, models: list[str] | None, kind: str) -> Any:
        """The models that were asked for; where none were, the pair that the page begins with."""
        choices = self._catalog.choices(kind)
        return list(default_pair(choices)) if models is None and choices else models

    def _streamed(
        self,
        request: gr.Request,
        begin: Callable[[CancelToken], Columns],
        as_json: Callable[[Any], Json],
    ) -> Iterator[Json]:
        """The columns as they go on.

        Raises:
            DemoError: all of them failed; the first one's.
        """
        language, ticket = chosen_language(request), new_ticket()
        columns: tuple[PredictionColumn, ...] = ()
        with self._cancellation.joined(ticket, may_wait=False) as stop:
            for columns in begin(stop):
                yield {
                    "ticket": ticket,
                    "columns": [_column_json(column, language, as_json) for column in columns],
                }
        if all(column.error for column in columns):
            raise columns[0].error  # type: ignore[misc]


def _column_json(column: PredictionColumn, language: str, as_json: Callable[[Any], Json]) -> Json:
    return {
        "model": column.model,
        "state": column.state,
        "result": None if column.result is None else as_json(column.result),
        "seconds": round(column.seconds, 4),
        "memory_mib": column.memory_mib,
        "num_parameters": column.num_parameters,
        "error": sentence(column.error.key, column.error.values, language) if column.error else None,
    }


def _filled_json(filled: Any) -> Json:
    """A `generators.text.masked_words.FilledText`."""
    masks = [
        {
            "first": place.first,
            "past": place.past,
            "guesses": [{"id": one.id, "text": one.text, "prob": one.prob} for one in place.guesses],
        }
        for place in filled.places
    ]
    return {"text": filled.text, "masks": masks}


def _answer_json(answer: Answer) -> Json:
    looked = answer.attention
    return {
        "text": answer.text,
        "token_ids": [token.id for token in answer.tokens],
        "tokens": list(looked.answer),
        "source": list(looked.source),
        "cross_attention": [[round(weight, 4) for weight in row] for row in looked.mean()],
    }
