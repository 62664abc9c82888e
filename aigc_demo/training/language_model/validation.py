"""The validation loss of a language model, over some windows of the held-out text or all."""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

import math
from collections.abc import Callable

from torch import Tensor

from aigc_demo.data.text.corpus import TextCorpus
from aigc_demo.measure.text import surprise, windows


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
