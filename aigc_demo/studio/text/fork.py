"""One prompt, continued by one model with several decoders, and the places where their texts part.

All decoders draw from the same uniform numbers. So one that keeps fewer tokens takes another one only where
its filter dropped what the freer one drew, and every fork has a reason that can be shown.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import Work, side_by_side
from aigc_demo.studio.text.compare import Column, Passage, Writer

Decoder = Literal["greedy", "temperature", "top_k", "top_p", "min_p", "beam"]

# For each decoder the settings that are its own; those of the others are off.
OWN_SETTINGS: dict[Decoder, tuple[str, ...]] = {
    "greedy": (),
    "temperature": ("temperature",),
    "top_k": ("temperature", "top_k"),
    "top_p": ("temperature", "top_p"),
    "min_p": ("temperature", "min_p"),
    "beam": ("num_beams",),
}
OFF = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "num_beams": 1}
DEFAULTS = {
    "temperature": 1.0,
    "top_k": 5,
    "top_p": 0.8,
    "min_p": 0.1,
    "num_beams": 4,
    "max_new_tokens": 60,
}
NUM_CANDIDATES = 8


@dataclass(frozen=True)
class ForkRequest:
    """Decoders to compare, their arguments checked.

    Attributes:
        model: its name.
        prompt: what the texts begin with.
        settings: of each decoder (`SamplingSettings`), in order.
    """

    model: str
    prompt: str
    settings: dict[Decoder, Any]


@dataclass(frozen=True)
class Candidate:
    """A token that could stand at a fork.

    Attributes:
        id: the token.
        text: to show.
        prob: softmax of the model's scores.
        noise: its Gumbel noise in the stream, the same for all decoders: the token drawn is the one with the
            largest log-probability plus noise.
    """

    id: int
    text: str
    prob: float
    noise: float


@dataclass(frozen=True)
class Decision:
    """What a decoder did at a fork.

    Attributes:
        decoder: which.
        id: the token that it took.
        probs: of each candidate, after its rules; 0 where they dropped it. Empty for beam search, which
            weighs whole texts.
        num_kept: how many tokens of the vocabulary its rules left; None for beam search.
        mean_log_prob: of the whole text that it wrote, in nats a token: what beam search compares.
    """

    decoder: Decoder
    id: int
    probs: tuple[float, ...]
    num_kept: int | None
    mean_log_prob: float


@dataclass(frozen=True)
class Fork:
    """A place where texts part that were the same so far.

    Attributes:
        position: how many tokens they share.
        shared_ids: these tokens.
        candidates: the likeliest tokens, and all that were taken.
        decisions: of the decoders that came here.
    """

    position: int
    shared_ids: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]


def check_fork_request(
    catalog: Catalog, model: Any, prompt: Any, settings: Mapping[str, Any], decoders: Any = None
) -> ForkRequest:
    """Check everything that can be checked before the model is loaded.

    Args:
        catalog: what the name stands for.
        model: its name.
        prompt: what the texts begin with.
        settings: values of `DEFAULTS` that are to be others, and of the settings that all decoders share:
            repetition_penalty, stop, seed.
        decoders: at least two of `OWN_SETTINGS`; None for all.

    Raises:
        InputError: the model is unknown, the prompt is too long or not text, a setting does not fit, or a
            decoder is unknown.
    """
    from aigc_demo.generators.text.decoding import SamplingSettings

    names = _checked_decoders(decoders)
    given = {**DEFAULTS, **settings}
    SamplingSettings.from_mapping(given)  # says what does not fit, also of a decoder that is not asked for
    if "beam" in names and given["num_beams"] < 2:
        raise InputError("setting_range", name="num_beams", expected="at least 2", got=given["num_beams"])
    shared = {name: value for name, value in given.items() if name not in OFF}
    each = {
        name: SamplingSettings.from_mapping(
            {**OFF, **shared, **{setting: given[setting] for setting in OWN_SETTINGS[name]}}
        )
        for name in names
    }
    return ForkRequest(catalog.checked(model), checked_prompt("prompt", prompt), each)


def _checked_decoders(given: Any) -> tuple[Decoder, ...]:
    if given is None:
        return tuple(OWN_SETTINGS)
    known = isinstance(given, (list, tuple)) and all(
        isinstance(name, str) and name in OWN_SETTINGS for name in given
    )
    if not known or len(set(given)) < 2:
        expected = f"a list of at least two of {', '.join(OWN_SETTINGS)}"
        raise InputError("setting_type", name="decoders", expected=expected, got=shown(given))
    return tuple(name for name in OWN_SETTINGS if name in given)


def decode_all(request: ForkRequest, cache: ModelCache, stop: CancelToken) -> Iterator[tuple[Column, ...]]:
    """Continue the prompt with all decoders concurrently, each as if it were alone.

    Args:
        request: from `check_fork_request`.
        cache: where the model is, or is loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        A column for each decoder, in the order of the request, as `compare_text` does.
    """
    passages = [Passage(request.prompt, settings) for settings in request.settings.values()]
    columns = [Column(request.model, "waiting", passage.settings.seed) for passage in passages]

    def writer(place: int, column: Column, report: Callable[[Column], None]) -> Work:
        return Writer(passages[place], column, cache, stop, report)

    yield from side_by_side(columns, writer, cache, stop)


def decode_and_find(
    request: ForkRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[tuple[Column, ...], tuple[Fork, ...] | None]]:
    """As `decode_all`; and at the end, with the last columns, where their texts part.

    Yields:
        The columns, and None until all have ended, then the forks.

    Raises:
        DemoError: all columns failed; the first one's.
    """
    for columns in decode_all(request, cache, stop):
        yield columns, None
    if all(column.error for column in columns):
        raise columns[0].error  # type: ignore[misc]
    yield columns, find_forks(request, columns, cache)


def find_forks(request: ForkRequest, columns: Sequence[Column], cache: ModelCache) -> tuple[Fork, ...]:
    """The places where the decoders' texts part, in the order of the texts.

    Args:
        request: what was decoded.
        columns: the last ones of `decode_all`.
        cache: where the model is.
    """
    texts = dict(zip(request.settings, columns, strict=True))
    found = parting({decoder: column.ids for decoder, column in texts.items()})
    model = cache.get(request.model)
    return tuple(
        _fork(model, request, {decoder: texts[decoder] for decoder in decoders}, position)
        for position, decoders in sorted(found, key=lambda fork: fork[0])
    )


def parting(written: Mapping[Decoder, Sequence[int]]) -> list[tuple[int, tuple[Decoder, ...]]]:
    """Where texts part: how many tokens some of them share, and which these are.

    A text that ends where the others go on is no fork: it was cut off there.

    Args:
        written: the tokens of each decoder.
    """
    position = 0
    while True:
        groups: dict[int, list[Decoder]] = {}
        for decoder, ids in written.items():
            if position < len(ids):
                groups.setdefault(ids[position], []).append(decoder)
        written = {decoder: ids for decoder, ids in written.items() if position < len(ids)}
        if len(groups) > 1:
            deeper = (parting({one: written[one] for one in group}) for group in groups.values())
            return [(position, tuple(written)), *(fork for forks in deeper for fork in forks)]
        if len(written) < 2:
            return []
        position += 1


def _fork(model: Any, request: ForkRequest, texts: Mapping[Decoder, Column], position: int) -> Fork:
    """What each decoder saw and did after so many tokens that all of them share."""
    import torch

    from aigc_demo.generators.text.decoding import UniformStream

    shared_ids = next(iter(texts.values())).ids[:position]
    before = [*model.prompt_ids(request.prompt), *shared_ids]
    with torch.inference_mode():
        logits = model.begin(before).logits
    probs, taken = logits.softmax(-1), [column.ids[position] for column in texts.values()]
    likeliest = probs.topk(min(NUM_CANDIDATES, len(probs))).indices.tolist()
    ids = list(dict.fromkeys((*likeliest, *taken)))
    noise = UniformStream(next(iter(texts.values())).seed).gumbels(position, len(logits))
    return Fork(
        position,
        shared_ids,
        tuple(Candidate(one, model.token_text(one), float(probs[one]), float(noise[one])) for one in ids),
        tuple(
            _decision(decoder, column, position, ids, _probs_after(model, request, decoder, logits, before))
            for decoder, column in texts.items()
        ),
    )


def _probs_after(
    model: Any, request: ForkRequest, decoder: Decoder, logits: Any, before: Sequence[int]
) -> Any:
    """The probabilities that a decoder draws from, [V]; None for beam search, which does not draw."""
    from aigc_demo.generators.text.decoding import next_token_probs

    if decoder == "beam":
        return None
    return next_token_probs(logits, request.settings[decoder], before, model.banned_ids)


def _decision(decoder: Decoder, column: Column, position: int, ids: Sequence[int], probs: Any) -> Decision:
    nats = -sum(token.bits for token in column.tokens) * math.log(2)
    return Decision(
        decoder,
        column.ids[position],
        () if probs is None else tuple(float(probs[one]) for one in ids),
        None if probs is None else int((probs > 0).sum()),
        nats / len(column.tokens),
    )
