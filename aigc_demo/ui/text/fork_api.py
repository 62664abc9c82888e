"""Decoders side by side for programs: the endpoint /fork.

from gradio_client import Client
answer = Client("http://127.0.0.1:7860").predict(prompt="ROMEO:", seed=1, api_name="/fork")
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import TEXT_GENERATOR
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.catalog import default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import Column, new_seed
from aigc_demo.studio.text.fork import Fork, check_fork_request, decode_and_find
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.widgets import errors_as_toasts
from aigc_demo.ui.words.wording import sentence


class ForkApi:
    """The endpoint; its docstring is what the API's page shows."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog, self._cancellation = cache, cache.catalog, cancellation

    def fork(
        self,
        request: gr.Request,
        prompt: str = "",
        model: str | None = None,
        decoders: list[str] | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int = 5,
        top_p: float = 0.8,
        min_p: float = 0.1,
        num_beams: int = 4,
        repetition_penalty: float = 1.0,
        max_new_tokens: int = 60,
        stop: list[str] | None = None,
    ) -> Iterator[Json]:
        """Continue a prompt with one language model and several decoders, and say where and why they part.

        All decoders draw from one stream of random numbers: the token drawn is the one with the largest
        log-probability plus noise, and the noise of a token is the same for all. Each answer is {"ticket",
        "seed", "columns": [{"decoder", "state", "text", "token_ids", "error"}], "forks"}, whole each time.
        `forks` is null until all have ended, then a list in the order of the texts: {"position": how many
        tokens were shared, "shared_ids", "candidates": [{"id", "text", "prob", "noise"}], "decisions":
        [{"decoder", "id", "probs", "num_kept", "mean_log_prob"}]}. A decision's `probs` are those of the
        candidates under its own rules, 0 where they dropped one, and `num_kept` counts the tokens of the
        vocabulary that they left; for beam search, which compares whole texts by `mean_log_prob`, they are
        empty and null. Who gives `ticket` to stop_text ends the work.

        Args:
            prompt: the text to continue; empty to begin a new one.
            model: a name from `models` that generates text; null for ours.
            decoders: at least two of greedy, temperature, top_k, top_p, min_p, beam; null for all.
            seed: of the random numbers, from 0; null for a new one, which the answer holds.
            temperature: of the decoders that draw.
            top_k: of the decoder top_k, as in generate_text.
            top_p: of the decoder top_p.
            min_p: of the decoder min_p.
            num_beams: of the decoder beam, at least 2.
            repetition_penalty: of all of them.
            max_new_tokens: how many tokens are generated at most.
            stop: texts that end a text.
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
            asked = check_fork_request(self._catalog, self._named(model), prompt, settings, decoders)
            language, ticket = chosen_language(request), new_ticket()

            def answer(columns: tuple[Column, ...], forks: tuple[Fork, ...] | None) -> Json:
                return {
                    "ticket": ticket,
                    "seed": columns[0].seed,
                    "columns": [
                        _column(decoder, column, language)
                        for decoder, column in zip(asked.settings, columns, strict=True)
                    ],
                    "forks": None if forks is None else [asdict(fork) for fork in forks],
                }

            with self._cancellation.joined(ticket, may_wait=False) as cancelled:
                for columns, forks in decode_and_find(asked, self._cache, cancelled):
                    yield answer(columns, forks)

    def _named(self, model: str | None) -> Any:
        return default_pair(self._catalog.choices(TEXT_GENERATOR))[0] if model is None else model


def _column(decoder: str, column: Column, language: str) -> Json:
    return {
        "decoder": decoder,
        "state": column.state,
        "text": column.text,
        "token_ids": list(column.ids),
        "error": sentence(column.error.key, column.error.values, language) if column.error else None,
    }
