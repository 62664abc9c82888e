"""One prompt, continued by several models at the same time.

Each model works in a column of its own (side_by_side.py). All columns draw from the same seed, hence from
the same uniform numbers, so their texts differ only where the models decide differently.
"""

import math
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.studio.models import gpu
from aigc_demo.studio.models.arguments import (
    check_in_vocabulary,
    checked_bits,
    checked_ids,
    checked_prompt,
)
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache, weights_mib
from aigc_demo.studio.models.side_by_side import Progressing, Work, side_by_side, time_slice_for
from aigc_demo.studio.models.time_slices import TimeSlice


@dataclass(frozen=True)
class Token:
    """One generated token.

    Attributes:
        id: its number in the vocabulary.
        text: what it adds to the text.
        bits: its surprise, -log2 of the probability that the model gave it; NaN where that is not known.
    """

    id: int
    text: str
    bits: float


@dataclass(frozen=True)
class Column(Progressing):
    """Output of one model so far.

    Attributes:
        seed: of the uniform numbers that it draws from.
        prompt: the tokens that it read, as it cuts them.
        tokens: what it wrote, also before a Continue.
        seconds: spent loading while it loads, then spent writing: in its own turns, without the others'.
        first_token_ms: of these, until the first token; None before it.
        tokens_per_second: of this call: the model's own speed, without loading and without waiting for
            its time_slice.
        memory_mib: what its weights take.
        fetched: the share of the model that has come over the network; None where none has to.
        gpu_seconds: for how long a GPU was asked for; None where none was, 0 where none was given.
        error: why it failed.
    """

    seed: int
    prompt: tuple[Token, ...] = ()
    tokens: tuple[Token, ...] = ()
    seconds: float = 0.0
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    memory_mib: float | None = None
    num_parameters: int | None = None
    fetched: float | None = None
    gpu_seconds: int | None = None
    error: DemoError | None = None

    @property
    def text(self) -> str:
        """The generated text."""
        return "".join(token.text for token in self.tokens)

    @property
    def has_started(self) -> bool:
        """Whether there is a token."""
        return bool(self.tokens)

    @property
    def ids(self) -> tuple[int, ...]:
        """The generated ids, from which Continue goes on."""
        return tuple(token.id for token in self.tokens)


@dataclass(frozen=True)
class Request:
    """A comparison, its arguments checked.

    Attributes:
        models: names from the catalog.
        prompt: what the texts begin with, cleaned.
        settings: of the decoding (`SamplingSettings`).
        written: for each model the tokens that it has written already; it goes on after them. Their texts
            are found again by the model, so ids and bits are enough.
    """

    models: tuple[str, ...]
    prompt: str
    settings: Any
    written: tuple[tuple[Token, ...], ...]


def check_request(
    catalog: Catalog,
    models: Any,
    prompt: Any,
    settings: Mapping[str, Any],
    written: Sequence[Any] | None = None,
) -> Request:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names.
        prompt: what the texts begin with.
        settings: of the decoding, loose.
        written: for each model the tokens or ids that it has written already.

    Raises:
        InputError: a model is unknown, the prompt is too long or not text, a setting does not fit.
    """
    from aigc_demo.generators.text.decoding import SamplingSettings

    names = catalog.checked_all(models)
    given = list(written) if isinstance(written, (list, tuple)) and written else [()] * len(names)
    if len(given) != len(names):
        expected = f"a list of {len(names)}, one for each model"
        raise InputError("setting_type", name="token_ids", expected=expected, got=f"{len(given)}")
    return Request(
        models=names,
        prompt=checked_prompt("prompt", prompt),
        settings=SamplingSettings.from_mapping(settings),
        written=tuple(_checked_tokens(tokens) for tokens in given),
    )


def _checked_tokens(given: Any) -> tuple[Token, ...]:
    """Tokens with their surprisal; bare ids become tokens of unknown surprisal."""
    if not isinstance(given, tuple) or not all(isinstance(part, Token) for part in given):
        return tuple(Token(index, "", math.nan) for index in checked_ids("token_ids", given))
    ids = checked_ids("token_ids", [token.id for token in given])
    return tuple(
        replace(token, id=index, bits=checked_bits("token_ids", token.bits))
        for index, token in zip(ids, given, strict=True)
    )


def new_seed() -> int:
    """A random seed."""
    return secrets.randbelow(MAX_SEED + 1)


def compare_text(request: Request, cache: ModelCache, stop: CancelToken) -> Iterator[tuple[Column, ...]]:
    """Continue the prompt with all models concurrently.

    Args:
        request: from `check_request`.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        All columns, at most ten times a second, and once more when the last is over. A column that fails
        carries its error and leaves the others alone.
    """
    seed = request.settings.seed
    columns = [
        Column(name, "waiting", seed, tokens=written)
        for name, written in zip(request.models, request.written, strict=True)
    ]

    def writer(place: int, column: Column, report: Callable[[Column], None]) -> Work:
        passage = Passage(request.prompt, request.settings, request.written[place])
        return Writer(passage, column, cache, stop, report)

    yield from side_by_side(columns, writer, cache, stop)


@dataclass(frozen=True)
class Passage:
    """What one column writes.

    Attributes:
        prompt: what the text begins with.
        settings: of the decoding (`SamplingSettings`).
        written: tokens that it goes on after.
    """

    prompt: str
    settings: Any
    written: tuple[Token, ...] = ()


class Writer(Work):
    """The worker of a column of text.

    Args:
        passage: what it writes.
        rest: of `Work`.
    """

    def __init__(self, passage: Passage, *rest: Any):
        super().__init__(*rest)
        self.passage = passage
        self.model: Any = None

    def fail(self, error: DemoError) -> None:
        """End with the error and all tokens so far: text may have been held back for a stop string."""
        tokens = with_texts(self.model, self.column.tokens) if self.model else self.column.tokens
        self.update(state="failed", error=error, tokens=tokens)

    def do(self) -> None:
        self.update(state="loading")
        model = self.cache.get(self.column.model)
        written = self.passage.written
        check_in_vocabulary(model, [token.id for token in written])
        self.model = model
        self.update(
            state="running",
            seconds=0.0,
            prompt=prompt_tokens(model, self.passage.prompt),
            tokens=with_texts(model, written),
            memory_mib=weights_mib(model),
            num_parameters=model.num_parameters,
        )
        with time_slice_for(model, self.cache, self.stop) as time_slice:
            reason = self._draw(time_slice, [token.id for token in written])
        self.update(state="stopped" if self.stop.is_set() and reason in ("", "stopped") else "finished")

    def _draw(self, time_slice: TimeSlice, written: list[int]) -> str:
        """Generate in time slices; returns why the text ended."""
        reason = ""
        for drawn, token in enumerate(self._tokens(written), start=1):
            self._took(Token(token.id, token.text, surprise(token.prob)), drawn, time_slice.seconds)
            reason = token.reason
            time_slice.pass_on()
        return reason

    def _tokens(self, written: list[int]) -> Iterator[Any]:
        """Each token as it is sampled, on a GPU where there is one and the text is long enough."""
        from aigc_demo.generators.text.decoding import generate

        asked = self.passage
        choice = self.cache.catalog.choice(self.column.model)
        task = gpu.TextTask(choice.entry, asked.prompt, asked.settings, tuple(written))
        if not choice.on_ours and self.asks_gpu(task):
            try:
                yield from self._until_stopped(gpu.results(task, self.model))
                return
            except DemoError as error:
                self.without_gpu(error)
        yield from generate(self.model, asked.prompt, asked.settings, self.stop.is_set, written=written)

    def _until_stopped(self, tokens: Iterator[Any]) -> Iterator[Any]:
        for token in tokens:
            yield token
            if self.stop.is_set():
                return

    def _took(self, token: Token, drawn: int, seconds: float) -> None:
        self.update(
            tokens=(*self.column.tokens, token),
            seconds=seconds,
            first_token_ms=seconds * 1000 if drawn == 1 else self.column.first_token_ms,
            tokens_per_second=drawn / seconds if seconds > 0 else None,
        )


def prompt_tokens(model: Any, prompt: str) -> tuple[Token, ...]:
    """The prompt as the model cuts it; parts of one character stand with the first of them."""
    tokens, shown = [], 0
    for index, first, past in model.spans(prompt):
        tokens.append(Token(index, prompt[max(first, shown) : past], 0.0))
        shown = max(shown, past)
    return tuple(tokens)


def with_texts(model: Any, tokens: Sequence[Token]) -> tuple[Token, ...]:
    """The same tokens with the text that each adds, as in generation."""
    from aigc_demo.generators.text.detokenizer import Detokenizer

    growing = Detokenizer(model.decode)
    return tuple(replace(token, text=growing.push(token.id)) for token in tokens)


def surprise(prob: float) -> float:
    """Surprisal in bits, -log2 of a probability; 0 counts as the smallest float."""
    return -math.log2(max(prob, 1e-38))
