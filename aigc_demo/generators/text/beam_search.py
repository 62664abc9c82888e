"""Beam search: an approximation of the likeliest text."""

# Shapes: B beams, V vocabulary.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from aigc_demo.generators.text.sampling import SamplingSettings, with_banned, with_repetition_penalty


class BeamReader(Protocol):
    """The interface that beam search needs (generators/text/sessions.Session)."""

    @property
    def logits_BV(self) -> Tensor:
        """Scores of the next token of each beam; one row at first."""

    def branch(self, parents: Sequence[int], ids: Sequence[int]) -> None:
        """Extend beam `parents[b]` by the token `ids[b]`, for each new beam b."""


@dataclass(frozen=True)
class Beam:
    """A partial hypothesis.

    Attributes:
        ids: what was added to the prompt.
        probs: of each, as the model gave them.
        total: the sum of their log-probabilities, in nats, after the repetition penalty.
    """

    ids: tuple[int, ...] = ()
    probs: tuple[float, ...] = ()
    total: float = 0.0

    @property
    def score(self) -> float:
        """The score, log p(text) / length: long texts, whose probability must be small, may win too."""
        return self.total / len(self.ids)


def beam_search(
    session: BeamReader,
    prompt_ids: Sequence[int],
    settings: SamplingSettings,
    *,
    banned: Sequence[int] = (),
    end_ids: Sequence[int] = (),
    stop: Callable[[], bool] = lambda: False,
) -> Beam:
    """Keep the `num_beams` likeliest texts of each length; return the best by log p(text) / length.

    A text that ends (by an end token, or at max_new_tokens) leaves the search. It is over when
    `num_beams` texts have ended and none that is open scores higher than the last of them. These are the
    rules of transformers' generate(num_beams=B, do_sample=False) with length_penalty 1; temperature, top-k
    and top-p have no say. The penalty is applied to log-probabilities, as there.

    Args:
        session: stands after the prompt.
        prompt_ids: for the repetition penalty.
        settings: num_beams, max_new_tokens and repetition_penalty are used.
        banned: ids that are never taken.
        end_ids: ids that end a text.
        stop: asked before each length; True ends the search with the best text so far.

    Source:
        Lowerre 1976, "The Harpy speech recognition system"; score by length: Wu et al. 2016,
        arXiv:1609.08144, eq. 14, in the simpler form with exponent 1.
    """
    width = settings.num_beams
    open_beams, ended = [Beam()], list[Beam]()
    # Enough candidates that `width` go on even if every end token is among the best.
    num_candidates = max(2, 1 + len(end_ids)) * width
    for length in range(1, settings.max_new_tokens + 1):
        if stop():
            break
        log_probs_BV = session.logits_BV.log_softmax(-1)
        scores_BV = torch.stack(
            [
                _allowed(log_probs, [*prompt_ids, *beam.ids], settings, banned) + beam.total
                for log_probs, beam in zip(log_probs_BV, open_beams, strict=True)
            ]
        )
        candidates = _best(scores_BV, log_probs_BV, open_beams, num_candidates)
        last = length == settings.max_new_tokens
        ended += [beam for _, beam in candidates[:width] if last or beam.ids[-1] in end_ids]
        ended = sorted(ended, key=lambda beam: beam.score, reverse=True)[:width]
        going_on = [pair for pair in candidates if pair[1].ids[-1] not in end_ids][:width]
        if last or not going_on or (len(ended) == width and going_on[0][1].score <= ended[-1].score):
            break
        open_beams = [beam for _, beam in going_on]
        session.branch([parent for parent, _ in going_on], [beam.ids[-1] for beam in open_beams])
    found = ended or [beam for beam in open_beams if beam.ids]
    return max(found, key=lambda beam: beam.score, default=Beam())


def _allowed(
    log_probs: Tensor, previous_ids: Sequence[int], settings: SamplingSettings, banned: Sequence[int]
) -> Tensor:
    """Log-probabilities of one beam's next token, [V], after penalty and ban."""
    if settings.repetition_penalty != 1:
        log_probs = with_repetition_penalty(log_probs, previous_ids, settings.repetition_penalty)
    return with_banned(log_probs, banned)


def _best(scores_BV: Tensor, log_probs_BV: Tensor, beams: list[Beam], count: int) -> list[tuple[int, Beam]]:
    """The best continuations of all beams, best first, each with the beam that it continues."""
    V = scores_BV.shape[-1]
    totals, places = scores_BV.flatten().topk(min(count, scores_BV.numel()))
    found = []
    for total, place in zip(totals.tolist(), places.tolist(), strict=True):
        parent, index = divmod(place, V)
        if total != -torch.inf:  # banned; what is not a number goes on, and is found by who asked
            old = beams[parent]
            prob = float(log_probs_BV[parent, index].exp())
            found.append((parent, Beam((*old.ids, index), (*old.probs, prob), total)))
    return found
