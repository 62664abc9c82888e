"""One prompt, continued by several models at the same time.

Each model works in a thread of its own and reports into one queue; one generator turns the reports into
whole pictures of all columns, at most ten a second. All columns draw from the same seed, hence from the
same uniform numbers, so their texts differ only where the models decide differently. Small models take
turns at the processor (turns.py), and a column's time is that of its own turns.
"""

import logging
import math
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.studio.arguments import (
    check_in_vocabulary,
    checked_bits,
    checked_ids,
    checked_text,
)
from aigc_demo.studio.catalog import Catalog
from aigc_demo.studio.model_cache import ModelCache, weights_mib
from aigc_demo.studio.turns import Turn

State = Literal["waiting", "loading", "running", "finished", "stopped", "failed"]
PICTURE_SECONDS = 0.1
MAX_SEED = 2**31 - 1
SMALL_PARAMETERS = 30_000_000
"""Models with fewer parameters take turns. Measured: with 5 million turns are faster, with 124 million
running side by side is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Token:
    """One written token.

    Attributes:
        id: its number in the vocabulary.
        text: what it adds to the text.
        bits: its surprise, -log2 of the probability that the model gave it; NaN where that is not known.
    """

    id: int
    text: str
    bits: float


@dataclass(frozen=True)
class Column:
    """What one model has done so far.

    Attributes:
        model: the name it was asked for by.
        state: waiting, loading, running, then one of finished, stopped and failed.
        seed: of the uniform numbers that it draws from.
        prompt: the tokens that it read, as it cuts them.
        tokens: what it wrote, also before a Continue.
        seconds: spent loading while it loads, then spent writing: in its own turns, without the others'.
        first_token_ms: of these, until the first token; None before it.
        tokens_per_second: of this call: the model's own speed, without loading and without waiting for
            its turn.
        memory_mib: what its weights take.
        fetched: the share of the model that has come over the network; None where none has to.
        error: why it failed.
    """

    model: str
    state: State
    seed: int
    prompt: tuple[Token, ...] = ()
    tokens: tuple[Token, ...] = ()
    seconds: float = 0.0
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    memory_mib: float | None = None
    num_parameters: int | None = None
    fetched: float | None = None
    error: DemoError | None = None

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(token.text for token in self.tokens)

    @property
    def ids(self) -> tuple[int, ...]:
        """What was written, as ids: what Continue goes on from."""
        return tuple(token.id for token in self.tokens)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("finished", "stopped", "failed")


@dataclass(frozen=True)
class Request:
    """A comparison, its arguments checked.

    Attributes:
        models: names from the catalog.
        prompt: what the texts begin with.
        settings: of the decoding (generators/decoding.SamplingSettings).
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
    from aigc_demo.generators.decoding import SamplingSettings

    names = catalog.checked_all(models)
    given = list(written) if isinstance(written, (list, tuple)) and written else [()] * len(names)
    if len(given) != len(names):
        expected = f"a list of {len(names)}, one for each model"
        raise InputError("setting_type", name="token_ids", expected=expected, got=f"{len(given)}")
    return Request(
        models=names,
        prompt=checked_text("prompt", prompt),
        settings=SamplingSettings.from_mapping(settings),
        written=tuple(_checked_tokens(tokens) for tokens in given),
    )


def _checked_tokens(given: Any) -> tuple[Token, ...]:
    """Tokens with their surprise; bare ids become tokens whose surprise is not known."""
    if not isinstance(given, tuple) or not all(isinstance(part, Token) for part in given):
        return tuple(Token(index, "", math.nan) for index in checked_ids("token_ids", given))
    ids = checked_ids("token_ids", [token.id for token in given])
    return tuple(
        replace(token, id=index, bits=checked_bits("token_ids", token.bits))
        for index, token in zip(ids, given, strict=True)
    )


def new_seed() -> int:
    """A seed that nobody has guessed."""
    return secrets.randbelow(MAX_SEED + 1)


def compare_text(request: Request, cache: ModelCache, stop: threading.Event) -> Iterator[tuple[Column, ...]]:
    """Continue the prompt with all models at once.

    Args:
        request: from `check_request`.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        All columns, at most ten times a second, and once more when the last is over. A column that fails
        carries its error and leaves the others alone.
    """
    reports: queue.SimpleQueue[tuple[int, Column]] = queue.SimpleQueue()
    seed = request.settings.seed
    columns = [
        Column(name, "waiting", seed, tokens=written)
        for name, written in zip(request.models, request.written, strict=True)
    ]
    for place, column in enumerate(columns):
        writer = _Writer(request, place, column, cache, stop, lambda new, i=place: reports.put((i, new)))  # type: ignore[misc]
        threading.Thread(target=writer.run, name=f"column-{place}", daemon=True).start()
    try:
        yield tuple(columns)
        while not all(column.over for column in columns):
            time.sleep(PICTURE_SECONDS / 2)  # at most ten pictures a second, with the wait below
            _take(reports, columns, PICTURE_SECONDS * 5)
            time.sleep(PICTURE_SECONDS / 2)
            _take(reports, columns, 0)
            yield tuple(_with_loading_time(column, cache) for column in columns)
    finally:
        stop.set()  # a closed tab: the writers end at their next token


def _take(reports: "queue.SimpleQueue[tuple[int, Column]]", columns: list[Column], wait: float) -> None:
    """Take all reports there are; where there is none, wait for one as long as told."""
    try:
        place, column = reports.get(timeout=wait) if wait else reports.get_nowait()
        while True:
            columns[place] = column
            place, column = reports.get_nowait()
    except queue.Empty:
        return


def _with_loading_time(column: Column, cache: ModelCache) -> Column:
    progress = cache.loading().get(column.model) if column.state == "loading" else None
    if progress is None:
        return column
    share = progress.fetched_bytes / progress.total_bytes if progress.total_bytes else None
    return replace(column, seconds=progress.seconds, fetched=share)


@dataclass
class _Writer:
    """One column's work, in a thread of its own."""

    request: Request
    place: int
    column: Column
    cache: ModelCache
    stop: threading.Event
    report: Callable[[Column], None]
    model: Any = None

    def run(self) -> None:
        try:
            self._write()
        except DemoError as error:
            self._fail(error)
        except Exception:
            log.exception("%s failed", self.column.model)
            self._fail(DemoError("column_failed", model=self.column.model))

    def _tell(self, **changes: Any) -> None:
        self.column = replace(self.column, **changes)
        self.report(self.column)

    def _fail(self, error: DemoError) -> None:
        """Say why, and show all that was drawn: text may have been held back for a stop string."""
        tokens = with_texts(self.model, self.column.tokens) if self.model else self.column.tokens
        self._tell(state="failed", error=error, tokens=tokens)

    def _write(self) -> None:
        self._tell(state="loading")
        model = self.cache.get(self.column.model)
        written = self.request.written[self.place]
        check_in_vocabulary(model, [token.id for token in written])
        self.model = model
        self._tell(
            state="running",
            seconds=0.0,
            prompt=prompt_tokens(model, self.request.prompt),
            tokens=with_texts(model, written),
            memory_mib=weights_mib(model),
            num_parameters=model.num_parameters,
        )
        with _turn(model, self.cache) as turn:
            reason = self._draw(turn, [token.id for token in written])
        self._tell(state="stopped" if self.stop.is_set() and reason in ("", "stopped") else "finished")

    def _draw(self, turn: Turn, written: list[int]) -> str:
        """Write in one's turns; why the text ended."""
        from aigc_demo.generators.decoding import generate

        asked, reason = self.request, ""
        tokens = generate(self.model, asked.prompt, asked.settings, self.stop.is_set, written=written)
        for drawn, token in enumerate(tokens, start=1):
            self._took(Token(token.id, token.text, surprise(token.prob)), drawn, turn.seconds)
            reason = token.reason
            turn.pass_on()
        return reason

    def _took(self, token: Token, drawn: int, seconds: float) -> None:
        self._tell(
            tokens=(*self.column.tokens, token),
            seconds=seconds,
            first_token_ms=seconds * 1000 if drawn == 1 else self.column.first_token_ms,
            tokens_per_second=drawn / seconds if seconds > 0 else None,
        )


def _turn(model: Any, cache: ModelCache) -> AbstractContextManager[Turn]:
    """A part in the turns for a small model, on one core; half of the cores for a large one."""
    from aigc_demo.core.device import cpu_quota, set_threads

    small = model.num_parameters < SMALL_PARAMETERS
    set_threads(processes=cpu_quota() if small else 2)
    return cache.turns.joined() if small else nullcontext(Turn())


def prompt_tokens(model: Any, prompt: str) -> tuple[Token, ...]:
    """The prompt as the model cuts it; parts of one character stand with the first of them."""
    tokens, shown = [], 0
    for index, first, past in model.spans(prompt):
        tokens.append(Token(index, prompt[max(first, shown) : past], 0.0))
        shown = max(shown, past)
    return tuple(tokens)


def with_texts(model: Any, tokens: Sequence[Token]) -> tuple[Token, ...]:
    """The same tokens with the text that each adds, as it would have come while writing."""
    from aigc_demo.generators.detokenizer import Detokenizer

    growing = Detokenizer(model.decode)
    return tuple(replace(token, text=growing.push(token.id)) for token in tokens)


def surprise(prob: float) -> float:
    """Bits: -log2 of a probability; what has none costs as much as the smallest float."""
    return -math.log2(max(prob, 1e-38))
