"""The tab Text for programs: each action a named endpoint that takes and gives plain JSON.

from gradio_client import Client
answer = Client("http://127.0.0.1:7860").predict(prompt="ROMEO:", seed=1, api_name="/generate_text")
"""

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import KINDS, TEXT_GENERATOR
from aigc_demo.studio.models.arguments import checked_text
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.catalog import default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text import inspection
from aigc_demo.studio.text.compare import Column, check_request, compare_text, new_seed
from aigc_demo.ui.frame import READING, TEXT, in_group
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.text.fork_api import ForkApi
from aigc_demo.ui.text.prediction_api import add_prediction_api
from aigc_demo.ui.widgets import errors_as_toasts
from aigc_demo.ui.words.wording import sentence


def add_text_api(studio: Studio) -> None:
    """Add the endpoints to the page that is being built."""
    api = TextApi(studio.cache, studio.cancellation)
    gr.api(api.generate_text, api_name="generate_text", **TEXT)
    for endpoint in (api.next_token, api.score_text, api.attention, api.token_ids):
        gr.api(endpoint, api_name=endpoint.__name__, **READING)
    gr.api(ForkApi(studio.cache, studio.cancellation).fork, api_name="fork", **TEXT)
    add_prediction_api(studio)
    gr.api(api.models, api_name="models", **in_group("page"))
    gr.api(api.stop_text, api_name="stop_text", **in_group("page"))


class TextApi:
    """The endpoints; their docstrings are what the API's page shows."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog = cache, cache.catalog
        self._cancellation = cancellation

    def _named(self, models: list[str] | None) -> Any:
        return list(default_pair(self._catalog.choices(TEXT_GENERATOR))) if models is None else models

    def generate_text(
        self,
        request: gr.Request,
        prompt: str = "",
        models: list[str] | None = None,
        seed: int | None = None,
        temperature: float = 0.8,
        top_k: int = 50,
        top_p: float = 1.0,
        num_beams: int = 1,
        repetition_penalty: float = 1.0,
        max_new_tokens: int = 200,
        stop: list[str] | None = None,
        token_ids: list[list[int]] | None = None,
        min_p: float = 0.0,
    ) -> Iterator[Json]:
        """Continue a prompt with one to four language models at the same time, streaming.

        All models sample with one stream of random numbers. Each answer is {"ticket", "seed", "columns":
        [{"model", "state", "text", "token_ids", "bits", "error", ...}]}, whole each time, at most ten a
        second. `ticket` is a secret of this call, in its first answer already: who gives it to stop_text ends
        the text. One model's failure leaves the others alone; if all fail, the call fails with the first
        one's sentence. Small models share the processor in time slices; "seconds", "tokens_per_second" and
        "first_token_ms" count a model's own slices only.

        Args:
            prompt: the text to continue; empty to begin a new one.
            models: one to four names from `models`; null for ours and its baseline.
            seed: of the random numbers, from 0; null for a new one, which the answer holds.
            temperature: 0 always takes the likeliest token (greedy); higher samples more varied text.
            top_k: sample among this many of the likeliest tokens; 0 for all.
            top_p: sample among the likeliest tokens that have this probability together; above 0, at most 1.
            num_beams: above 1 is beam search for the likeliest text instead of sampling.
            repetition_penalty: 1 for none; above 1 makes tokens that were there already less likely.
            max_new_tokens: how many tokens are generated at most.
            stop: texts that end the text.
            token_ids: for each model the ids it has written already, from an earlier answer, to go on after.
            min_p: sample among the tokens that are at least this share as likely as the likeliest; 0 for all.
        """
        settings: Json = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "min_p": min_p,
            "num_beams": num_beams,
            "repetition_penalty": repetition_penalty,
            "max_new_tokens": max_new_tokens,
            "stop": () if stop is None else stop,
            "seed": new_seed() if seed is None else seed,
        }
        with errors_as_toasts(request):
            asked = check_request(self._catalog, self._named(models), prompt, settings, token_ids)
            language, ticket = chosen_language(request), new_ticket()
            with self._cancellation.joined(ticket, may_wait=False) as event:
                for columns in compare_text(asked, self._cache, event):
                    yield {"ticket": ticket, **_answer(columns, asked.settings.seed, language)}
            if all(column.error for column in columns):
                raise columns[0].error  # type: ignore[misc]

    def stop_text(self, request: gr.Request, ticket: str) -> bool:
        """Stop what is being generated, a text at its next token, an image at its next step.

        Returns whether it was being generated.

        Args:
            ticket: the secret that stands in the answers of the call to stop.
        """
        with errors_as_toasts(request):
            return self._cancellation.stop(checked_text("ticket", ticket))

    def next_token(
        self,
        request: gr.Request,
        model: str,
        prompt: str = "",
        token_ids: list[int] | None = None,
        temperature: float = 0.8,
        top_k: int = 50,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        num: int = 10,
        min_p: float = 0.0,
    ) -> list[Json]:
        """What could come next after a prompt and the ids written after it, likeliest first.

        Each is {"id", "text", "prob_before", "prob_after"}: the model's own probability, and that with which
        it is sampled under the settings.

        Args:
            model: a name from `models`.
            prompt: the text so far.
            token_ids: ids that follow the prompt, from an answer of generate_text.
            temperature: as in generate_text.
            top_k: as in generate_text.
            top_p: as in generate_text.
            repetition_penalty: as in generate_text.
            num: how many tokens are wanted.
            min_p: as in generate_text.
        """
        settings = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "min_p": min_p,
            "repetition_penalty": repetition_penalty,
        }
        with errors_as_toasts(request):
            count = inspection.checked_count(num)
            found = inspection.next_token(self._cache, model, prompt, token_ids, settings, num=count)
            return [asdict(alternative) for alternative in found]

    def score_text(self, request: gr.Request, text: str, models: list[str] | None = None) -> list[Json]:
        """Bits per byte of a text, and the surprisal of each character in bits.

        Lower is better; models with different tokens compare. Each answer is {"model", "text",
        "bits_per_byte", "num_bytes", "num_tokens", "character_bits", "error"}. `text` is what was measured,
        written as training texts are (line feeds, no byte-order mark, Unicode form NFC), so that a text costs
        the same in whichever form it comes; bytes and characters are those of this text.

        Args:
            text: what is to be read.
            models: one to four names from `models`; null for ours and its baseline.
        """
        with errors_as_toasts(request):
            names = self._catalog.checked_all(self._named(models))
            for name in names:
                inspection.check_scored(self._catalog, name, text)
            return [self._score(name, text, chosen_language(request)) for name in names]

    def _score(self, model: str, text: str, language: str) -> Json:
        try:
            found = asdict(inspection.score_text(self._cache, model, text))
        except DemoError as error:
            return {"model": model, "error": sentence(error.key, error.values, language)}
        return {**found, "error": None}

    def attention(
        self, request: gr.Request, model: str, prompt: str = "", token_ids: list[int] | None = None
    ) -> Json:
        """Attention weights of all layers and heads over the last tokens of a text.

        {"tokens": [T], "weights": [L][H][T][T] between 0 and 1}; row t: token t over 0 to t.

        Args:
            model: a name from `models`.
            prompt: the text.
            token_ids: ids that follow the prompt, from an answer of generate_text.
        """
        with errors_as_toasts(request):
            found = inspection.attention(self._cache, model, prompt, token_ids)
            return {"tokens": list(found.tokens), "weights": found.nested()}

    def token_ids(self, request: gr.Request, model: str, text: str) -> list[Json]:
        """How a model's tokenizer splits a text: {"id", "text"} of each token.

        Args:
            model: a name from `models`.
            text: what is to be tokenized.
        """
        with errors_as_toasts(request):
            return [
                {"id": index, "text": shown}
                for index, shown in inspection.token_ids(self._cache, model, text)
            ]

    def models(self, request: gr.Request) -> list[Json]:
        """The models of this page, of all kinds: name, kind, family, parameters, licence, languages, data.

        `problem` says why a model cannot be used, and is null where it can.
        """
        language = chosen_language(request)
        return [
            {
                "name": choice.value,
                "kind": choice.entry.kind,
                "family": choice.entry.family,
                "num_parameters": choice.entry.num_parameters,
                "licence": choice.entry.licence,
                "languages": list(choice.entry.languages),
                "training_data": choice.entry.training_data,
                "on_our_network": choice.on_ours or choice.entry.family == "ours",
                "problem": _problem(choice.entry.problem, language),
            }
            for choice in self._catalog.choices(*KINDS)
        ]


def _problem(error: DemoError | None, language: str) -> str | None:
    return None if error is None else sentence(error.key, error.values, language)


def _answer(columns: tuple[Column, ...], seed: int, language: str) -> Json:
    return {"seed": seed, "columns": [_column(column, language) for column in columns]}


def _column(column: Column, language: str) -> Json:
    return {
        "model": column.model,
        "state": column.state,
        "text": column.text,
        "token_ids": list(column.ids),
        "bits": [None if math.isnan(token.bits) else round(token.bits, 3) for token in column.tokens],
        "seconds": round(column.seconds, 3),
        "tokens_per_second": column.tokens_per_second,
        "first_token_ms": column.first_token_ms,
        "memory_mib": column.memory_mib,
        "num_parameters": column.num_parameters,
        "gpu_seconds": column.gpu_seconds,
        "error": sentence(column.error.key, column.error.values, language) if column.error else None,
    }
