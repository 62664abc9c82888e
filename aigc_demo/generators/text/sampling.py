"""From logits to the next token: each sampling rule as a pure function on logits.

The rules are applied in this order, as transformers' `generate` does: repetition penalty, forbidden tokens,
temperature, top-k, top-p, min-p. What is left is drawn by `UniformStream`, one shared stream of uniform
numbers. `fast_sampler.Sampler` draws the same tokens in less time.
"""

# Shapes: V vocabulary, K kept tokens, likeliest first; "..." any leading dimensions.

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError

MAX_STOP_STRINGS = 8
MAX_STOP_LENGTH = 100


@dataclass(frozen=True)
class SamplingSettings(Settings):
    """How a text is drawn from a model's probabilities."""

    temperature: float = setting(
        0.8, "0 takes the likeliest token; larger is more adventurous", low=0, high=5
    )
    top_k: int = setting(50, "draw among this many of the likeliest tokens; 0 for all", low=0, high=1_000_000)
    top_p: float = setting(1.0, "draw among the likeliest that hold this share together", low=0, high=1)
    min_p: float = setting(
        0.0, "draw among those at least this share as likely as the likeliest; 0 for all", low=0, high=1
    )
    num_beams: int = setting(
        1, "more than 1: search for the likeliest text instead of drawing", low=1, high=8
    )
    repetition_penalty: float = setting(1.0, "above 1 avoids what was said", low=0.1, high=5)
    max_new_tokens: int = setting(200, "length of the text in tokens", low=1, high=4096)
    stop: tuple[str, ...] = setting((), "texts that end the text, themselves left out")
    seed: int = setting(0, "the same seed draws the same text", low=0, high=2**63 - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        longest = max((len(text) for text in self.stop), default=1)
        if "" in self.stop or len(self.stop) > MAX_STOP_STRINGS or longest > MAX_STOP_LENGTH:
            expected = f"at most {MAX_STOP_STRINGS} texts of 1 to {MAX_STOP_LENGTH} characters"
            raise InputError("setting_range", name="stop", expected=expected, got=f"{len(self.stop)} texts")


def with_repetition_penalty(logits: Tensor, seen: Sequence[int], penalty: float) -> Tensor:
    """Make tokens that already occurred less likely: l / penalty where l > 0, l * penalty where l < 0.

    Args:
        logits: [V].
        seen: ids of the prompt and of the text so far; how often one occurs does not matter.
        penalty: 1 changes nothing, above 1 avoids repetition, below 1 seeks it.

    Returns:
        [V].

    Source:
        Keskar et al. 2019, arXiv:1909.05858, section 4.1, which divides by the penalty whatever the sign;
        the case l < 0 is transformers' repair, without which the penalty would favour what it should avoid.
    """
    if not seen:
        return logits
    ids = torch.tensor(sorted(set(seen)), device=logits.device)
    scores = logits[ids]
    return logits.index_copy(0, ids, torch.where(scores < 0, scores * penalty, scores / penalty))


def with_banned(logits: Tensor, banned: Sequence[int]) -> Tensor:
    """Give the banned ids probability zero: their logits become -inf. [..., V] to [..., V]."""
    if not banned:
        return logits
    return logits.index_fill(-1, torch.tensor(list(banned), device=logits.device), -math.inf)


def with_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Sharpen or flatten the probabilities: l / T, so that p becomes p^(1/T), normalised.

    Args:
        logits: [..., V].
        temperature: T. As T goes to 0 all probability goes to the likeliest token, and 0 stands for that
            limit; of equally likely ones the first is taken. 1 changes nothing.

    Source:
        Ackley, Hinton and Sejnowski 1985, "A learning algorithm for Boltzmann machines", eq. 5.
    """
    if temperature > 0:
        return logits / temperature
    likeliest = logits.argmax(-1, keepdim=True)
    return torch.full_like(logits, -math.inf).scatter(-1, likeliest, 0.0)


def with_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k likeliest tokens, and those as likely as the k-th; the rest becomes -inf.

    Args:
        logits: [..., V].
        k: at least 1; 0 keeps all.

    Source:
        Fan et al. 2018, arXiv:1805.04833, section 5.4.
    """
    if not 0 < k < logits.shape[-1]:
        return logits
    smallest = logits.topk(k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest, -math.inf)


def with_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the nucleus: the fewest likeliest tokens whose probabilities reach p together.

    A token stays if the likelier ones before it sum to less than p; so the likeliest always stays.

    Args:
        logits: [..., V].
        p: between 0 and 1; 1 keeps all.

    Source:
        Holtzman et al. 2019, arXiv:1904.09751, eq. 2 and 3.
    """
    if p >= 1:
        return logits
    values, ids = logits.sort(dim=-1, descending=True, stable=True)
    probs = values.softmax(-1)
    outside = probs.cumsum(-1) - probs >= p
    outside[..., 0] = False
    return values.masked_fill(outside, -math.inf).gather(-1, ids.argsort(-1))


def with_min_p(logits: Tensor, share: float) -> Tensor:
    """Keep the tokens that are at least `share` times as likely as the likeliest; the rest becomes -inf.

    Where the model is sure few tokens stay, and many where it is not.

    Args:
        logits: [..., V].
        share: between 0 and 1; 0 keeps all, 1 the likeliest and those as likely.

    Source:
        Nguyen et al. 2024, arXiv:2407.01082, section 3.
    """
    if share <= 0:
        return logits
    least = logits.amax(-1, keepdim=True) + math.log(share)
    return logits.masked_fill(logits < least, -math.inf)


def next_token_probs(
    logits: Tensor, settings: SamplingSettings, seen: Sequence[int] = (), banned: Sequence[int] = ()
) -> Tensor:
    """The probabilities that a token is really drawn from: all rules in order, then softmax.

    Args:
        logits: [V], as the model gave them.
        settings: which rules, how strong.
        seen: ids of the prompt and of the text so far.
        banned: ids that are never drawn.

    Returns:
        [V], non-negative with sum 1.
    """
    logits = with_repetition_penalty(logits, seen, settings.repetition_penalty)
    logits = with_temperature(with_banned(logits, banned), settings.temperature)
    kept = with_top_p(with_top_k(logits, settings.top_k), settings.top_p)
    return with_min_p(kept, settings.min_p).softmax(-1)


class UniformStream:
    """A stream of uniform numbers that several decoders share: row t holds one for each token id.

    Token t is drawn as the id with the largest log p + g, where g = -log(-log u) and u is the id's own
    number in row t (Gumbel 1954). Each id is drawn with probability p. It is a draw by inverse cumulative
    distribution, of g instead of the token, and it was chosen for what two decoders with the same seed do:

    - One that keeps fewer tokens (top-k, top-p, forbidden ones) takes the same token whenever the other's
      token is among those it keeps: the largest of all is also the largest of a part. Any two settings.
    - Two models with slightly different probabilities nearly always take the same token: the probability
      of it is at least (1 - d) / (1 + d), where d is half the sum of the differences of p, and no way of
      sharing random numbers does better for all pairs (Bavarian et al. 2016, arXiv:1602.09111). One uniform
      number per token and the inverse cumulative distribution of the ids does much worse, because small
      differences add up along the ids. Measured for 50,257 tokens with logits that differ by noise of
      0.14: the same token in 92 % of draws here, in 23 % with ids in numerical order, in 9 % with the
      likeliest first; 94 % is possible.

    The numbers are drawn on the CPU in float64 (float32 is too coarse for tokens of probability 1e-7).
    Row t depends on the seed and t only, so a text can go on from any place; the row of a smaller
    vocabulary is the beginning of that of a larger one.

    Args:
        seed: names the stream.
    """

    def __init__(self, seed: int):
        self._seed = seed
        self._rng = seeded(0)

    def row(self, index: int, size: int) -> Tensor:
        """The uniform numbers for token `index`: [size], float64, at least 0 and below 1."""
        self._rng.manual_seed(_mixed(self._seed, index))
        return torch.rand(size, dtype=torch.float64, generator=self._rng)

    def gumbels(self, index: int, size: int, ids: Tensor | None = None) -> Tensor:
        """What is added to the log-probabilities of token `index`: -log(-log u), float64.

        [size], or those of the given ids only.
        """
        row = self.row(index, size)
        return -(-(row if ids is None else row[ids]).log()).log()


def _mixed(seed: int, index: int) -> int:
    """32 well-mixed bits from both, since neighbouring seeds start similar streams (Steele et al. 2014)."""
    word = (seed * 0xD1342543DE82EF95 + index * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word >> 32
