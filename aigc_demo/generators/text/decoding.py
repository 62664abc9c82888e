"""Generates a text token by token, and lists the alternatives of a token."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators.text.beam_search import beam_search
from aigc_demo.generators.text.detokenizer import Detokenizer
from aigc_demo.generators.text.fast_sampler import Sampler
from aigc_demo.generators.text.model import TextModel
from aigc_demo.generators.text.sampling import SamplingSettings, UniformStream, next_token_probs

__all__ = ["Alternative", "SamplingSettings", "TokenSampled", "UniformStream", "alternatives", "generate"]

MAX_CHARACTERS_PER_TOKEN = 100
"""A prompt longer than this many characters for each token of the context is refused unread."""


@dataclass(frozen=True)
class TokenSampled:
    """A sampled token.

    Attributes:
        index: its number in the text, from 0; also its row in the stream of uniform numbers.
        id: the token.
        text: what may now be appended to the text; often empty or several characters (detokenizer.py).
        prob: that the model gave it, before temperature and the other settings; its surprise is `bits`.
        seconds: of work for this token; the first one's include reading the prompt. What the consumer
            does between two tokens does not count.
        reason: why the text ends here: length, end (the model's end token), stop (a stop string) or
            stopped (the caller asked); "" while it goes on.
    """

    index: int
    id: int
    text: str
    prob: float
    seconds: float
    reason: str = ""

    @property
    def bits(self) -> float:
        """Surprise: -log2 of the probability."""
        return -math.log2(self.prob) if self.prob > 0 else math.inf


@dataclass(frozen=True)
class Alternative:
    """A candidate for a token.

    Attributes:
        id: the token.
        text: to show.
        prob_before: softmax of the model's scores.
        prob_after: what it was drawn with, after penalty, temperature, top-k and top-p; 0 if they drop it.
    """

    id: int
    text: str
    prob_before: float
    prob_after: float


def generate(
    model: TextModel,
    prompt: str,
    settings: SamplingSettings,
    stop: Callable[[], bool] = lambda: False,
    *,
    written: Sequence[int] = (),
) -> Iterator[TokenSampled]:
    """Continue a text, token by token.

    The texts of all tokens make up the continuation, less a stop string and half a character at the end.
    Text that may yet become a stop string is held back until that is known, or until the text ends. Prompt
    and stop strings are cleaned as training texts are (`data.text.cleaning`).

    Args:
        model: what writes.
        prompt: how the text begins; empty for the model's own beginning.
        settings: how tokens are drawn. With num_beams above 1 the text is searched (beam_search) and all
            tokens come at the end.
        stop: asked before the first token and after each; True ends the text with that token, whose text
            then brings everything that was held back.
        written: what was written after the prompt before, to go on from there: the same tokens come as if
            it had never been interrupted.

    Raises:
        InputError: the prompt is longer than the model's context, or `written` holds unknown tokens.
        DemoError: the model's scores are not finite (while the text is being written).
    """
    ids = _checked_prompt(model, prompt)
    if any(not 0 <= index < model.vocab_size for index in written):
        raise InputError("setting_range", name="written", expected="token ids of the model", got="another")
    write = _search if settings.num_beams > 1 else _draw
    return write(model, ids, settings, stop, tuple(written))


def alternatives(
    model: TextModel,
    ids: Sequence[int],
    position: int,
    settings: SamplingSettings,
    num: int = 10,
    also: int | None = None,
) -> list[Alternative]:
    """The candidates for `ids[position]`, likeliest first.

    Args:
        model: what wrote.
        ids: prompt and text, as tokens (`model.prompt_ids(prompt)` and the tokens drawn).
        position: which of them; at least 1, at most len(ids) for the one that comes next.
        settings: what the text was drawn with.
        num: how many.
        also: a token that is to be among them, at the end, however unlikely; such as the one that was drawn.

    Raises:
        InputError: there is no such place or token.
    """
    if not 1 <= position <= len(ids):
        raise InputError("setting_range", name="position", expected=f"from 1 to {len(ids)}", got=position)
    if also is not None and not 0 <= also < model.vocab_size:
        expected = f"from 0 to {model.vocab_size - 1}"
        raise InputError("setting_range", name="also", expected=expected, got=also)
    before = list(ids[:position])
    logits = model.begin(before).logits
    raw = logits.softmax(-1)
    filtered = next_token_probs(logits, settings, before, model.banned_ids)
    likeliest = raw.topk(min(num, len(raw))).indices.tolist()
    if also is not None and also not in likeliest:
        likeliest.append(also)
    return [
        Alternative(index, model.token_text(index), float(raw[index]), float(filtered[index]))
        for index in likeliest
    ]


@torch.inference_mode()
def _draw(
    model: TextModel,
    ids: list[int],
    settings: SamplingSettings,
    stop: Callable[[], bool],
    written: tuple[int, ...],
) -> Iterator[TokenSampled]:
    """Sample token by token."""
    if stop():
        return
    started = time.perf_counter()
    session = model.begin([*ids, *written])
    sampler = Sampler(settings, model.vocab_size, model.banned_ids)
    sampler.see((*ids, *written))
    text = _detokenizer(model, settings, written)
    end_ids, last = frozenset(model.end_ids), len(written) + settings.max_new_tokens - 1
    for number in range(len(written), last + 1):
        logits = session.logits
        index = sampler.choose(logits, number)
        prob = _prob(model, logits, index)
        new, reason = text.push(index), ""
        if text.stopped or index in end_ids or number == last:
            reason = "stop" if text.stopped else "end" if index in end_ids else "length"
        elif stop():
            reason = "stopped"
        if reason:
            new += text.finish()
        yield TokenSampled(number, index, new, prob, time.perf_counter() - started, reason)
        if reason:
            return
        started = time.perf_counter()
        session.push(index)
        sampler.see((index,))


@torch.inference_mode()
def _search(
    model: TextModel,
    ids: list[int],
    settings: SamplingSettings,
    stop: Callable[[], bool],
    written: tuple[int, ...],
) -> Iterator[TokenSampled]:
    """Beam search, then yield the tokens of the best text."""
    started = time.perf_counter()
    prompt = [*ids, *written]
    session = model.begin(prompt)
    found = beam_search(session, prompt, settings, banned=model.banned_ids, end_ids=model.end_ids, stop=stop)
    text = _detokenizer(model, settings, written)
    seconds = (time.perf_counter() - started) / max(1, len(found.ids))
    for place, (index, prob) in enumerate(zip(found.ids, found.probs, strict=True)):
        _check_finite(model, prob)
        new, reason = text.push(index), ""
        if text.stopped or place + 1 == len(found.ids):
            reason = "stop" if text.stopped else "end" if index in model.end_ids else "length"
            new += text.finish()
        yield TokenSampled(len(written) + place, index, new, prob, seconds, reason)
        if text.stopped:
            return


def _detokenizer(model: TextModel, settings: SamplingSettings, written: Sequence[int]) -> Detokenizer:
    """A detokenizer primed with the existing text; a stop string counts only after it."""
    text = Detokenizer(model.decode)
    for index in written:
        text.push(index)
    text.stop = tuple(filter(None, map(clean_text, settings.stop)))
    return text


def _prob(model: TextModel, logits: Tensor, index: int) -> float:
    prob = float(logits.softmax(-1)[index])
    _check_finite(model, prob)
    return prob


def _check_finite(model: TextModel, prob: float) -> None:
    if not math.isfinite(prob):
        raise DemoError("not_finite", model=model.name)


def _checked_prompt(model: TextModel, prompt: str) -> list[int]:
    limit = model.context_length
    if len(prompt) > limit * MAX_CHARACTERS_PER_TOKEN:
        most = limit * MAX_CHARACTERS_PER_TOKEN
        raise InputError("prompt_far_too_long", model=model.name, got=len(prompt), limit=most)
    ids = model.prompt_ids(prompt)
    if len(ids) > limit:
        raise InputError("prompt_too_long", model=model.name, got=len(ids), limit=limit)
    return ids
