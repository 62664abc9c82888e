"""What a run's held-out part says: the loss over some windows or all, and the best of them so far."""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from aigc_demo.data.text.corpus import TextCorpus
from aigc_demo.measure.text import surprise, windows


@dataclass(frozen=True)
class Validation:
    """What the held-out part said so far, in nats a token; not finite before it was measured.

    Attributes:
        last: over the same windows each time.
        best: the least of those, first reached at `best_step`.
        full: over all windows; measured where a run pauses or ends, by the model that `last` is of.
    """

    last: float = math.nan
    best: float = math.inf
    best_step: int = 0
    full: float = math.nan

    def then(self, step: int, loss: float, full: float = math.nan) -> "Validation":
        """After one more measurement."""
        best, best_step = (loss, step) if loss < self.best else (self.best, self.best_step)
        return Validation(loss, best, best_step, full)


def validation_loss(
    predict: Callable[[Tensor], Tensor], corpus: TextCorpus, context_length: int, most: int | None
) -> float:
    """Mean surprise on the held-out part, in nats a token.

    Args:
        predict: token ids [B, T] to logits [B, T, V].
        corpus: with its held-out part.
        context_length: T.
        most: windows looked at, spread evenly; None for all.
    """
    cut = windows(corpus.validation, context_length, corpus.tokenizer.start_id)
    if most is not None and most < len(cut):
        cut = [cut[i * len(cut) // most] for i in range(most)]
    bits_N = surprise(predict, cut, corpus.tokenizer.vocab_size)
    return bits_N.mean().item() * math.log(2)
