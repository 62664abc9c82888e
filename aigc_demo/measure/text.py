"""How surprised is a model by a text it has not seen: bits per byte, comparable across tokenizers.

Perplexities of different tokenizers do not compare, because they count different things; the bits that
a whole text costs do, and a text has the same number of bytes for everyone.
"""

# Shapes: N tokens of the text, B windows at once, T tokens of a window, V vocabulary.

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Predict = Callable[[Tensor], Tensor]
Window = tuple[Tensor, Tensor]

# A batch of logits stays below this many numbers (64 MiB in float32), whatever the vocabulary.
MAX_LOGITS = 16 * 2**20


@dataclass(frozen=True)
class TextScore:
    """What a text costs a model.

    Attributes:
        bits: [number of characters], what each character cost; a token of several characters shares its
            bits evenly among them.
        num_bytes: of the text in UTF-8.
        num_tokens: as the model cuts the text.
        num_unknown: characters outside the model's vocabulary; each costs its unknown token plus 8 bits
            for every byte of it.
    """

    bits: tuple[float, ...]
    num_bytes: int
    num_tokens: int
    num_unknown: int

    @property
    def num_characters(self) -> int:
        """Characters of the text."""
        return len(self.bits)

    @property
    def bits_per_byte(self) -> float:
        """Mean cost of a byte; 8 for a model that knows nothing."""
        return math.fsum(self.bits) / self.num_bytes

    @property
    def bits_per_character(self) -> float:
        """Mean cost of a character."""
        return math.fsum(self.bits) / self.num_characters


def windows(ids_N: Tensor, context_length: int, start_id: int) -> list[Window]:
    """Cut a text into consecutive windows in which every token is predicted exactly once.

    Args:
        ids_N: the text.
        context_length: T; the last window may be shorter.
        start_id: what stands before the first token.

    Returns:
        What is read and what is to be predicted, [T] each; a window begins with the last token of the one
        before it.
    """
    read_N = torch.cat((torch.tensor([start_id]), ids_N[:-1]))
    return list(zip(read_N.split(context_length), ids_N.split(context_length), strict=True))


@torch.inference_mode()
def surprise(predict: Predict, cut: Sequence[Window], vocab_size: int) -> Tensor:
    """How surprised the model is by each token, -log2 of the probability that it gave.

    Args:
        predict: from token ids [B, T] to logits [B, T, V].
        cut: windows; all but the last of one length.
        vocab_size: V, which limits how many windows go at once.

    Returns:
        [N] bits, float64, on the CPU.
    """
    found = [torch.empty(0, dtype=torch.float64)]
    for read_BT, target_BT in _stacked(cut, vocab_size):
        log_probs_BTV = predict(read_BT).float().log_softmax(dim=-1)
        nats_BT = -log_probs_BTV.gather(-1, target_BT.to(log_probs_BTV.device)[..., None])
        found.append(nats_BT.flatten().double().cpu() / math.log(2))
    return torch.cat(found)


def _stacked(cut: Sequence[Window], vocab_size: int) -> Iterator[Window]:
    """Windows of one length, as many at once as memory allows."""
    waiting: list[Window] = []
    for window in cut:
        length = len(window[0])
        at_once = max(1, min(32, MAX_LOGITS // (length * vocab_size)))
        if waiting and (len(waiting[0][0]) != length or len(waiting) >= at_once):
            yield _batch(waiting)
            waiting = []
        waiting.append(window)
    if waiting:
        yield _batch(waiting)


def _batch(waiting: list[Window]) -> Window:
    return torch.stack([read for read, _ in waiting]), torch.stack([target for _, target in waiting])


def text_score(
    bits_N: Sequence[float], tokens: Sequence[tuple[int, int, int]], text: str, unknown_id: int | None
) -> TextScore:
    """Spread the tokens' surprise over the characters of the text.

    Args:
        bits_N: surprise of each token.
        tokens: (id, first character, past the last) of each token. Tokens that are parts of one character
            share its place; a character that no token covers costs nothing of its own.
        text: what was cut.
        unknown_id: the token that stands for what is outside the vocabulary; None if there is none.

    Raises:
        ValueError: the numbers of surprises and tokens differ, or the text is empty.
    """
    if len(bits_N) != len(tokens) or not text:
        raise ValueError(f"{len(bits_N)} surprises for {len(tokens)} tokens of {len(text)} characters")
    bits, num_unknown = [0.0] * len(text), 0
    for cost, (index, first, past) in zip(bits_N, tokens, strict=True):
        for place in range(first, past):
            bits[place] += cost / (past - first)
            if index == unknown_id:
                bits[place] += 8 * len(text[place].encode("utf-8", "surrogatepass"))
                num_unknown += 1
    num_bytes = len(text.encode("utf-8", "surrogatepass"))
    return TextScore(tuple(bits), num_bytes, len(tokens), num_unknown)
