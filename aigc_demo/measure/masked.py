"""How well a model predicts masked words of a text."""

# Shapes: B windows side by side, T tokens, V vocabulary.

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError


class Guesser(Protocol):
    """A model that predicts masked words.

    Attributes:
        mask: the token that stands for one.
        context_length: the most tokens that it looks at.
    """

    mask: int
    context_length: int

    def ids(self, text: str) -> list[int]:
        """The tokens of a text."""

    def logits(self, ids_BT: Tensor) -> Tensor:
        """Scores of the word at each place, [B, T, V]."""


HIDDEN_SHARE = 0.15
"""Of the tokens, as in Devlin et al. 2018, arXiv:1810.04805, section 3.1; here each hidden one is [MASK]."""
WINDOW, BATCH = 128, 8


def masked_figures(model: Guesser, text: str, seed: int = 0) -> dict[str, Any]:
    """Shares of hidden tokens that a model guesses.

    The text is cut into windows; in each the same share of tokens is hidden, at least one.

    Args:
        model: that guesses.
        text: at least one token long.
        seed: which tokens are hidden.

    Returns:
        `masked_accuracy` and `masked_top5_accuracy` between 0 and 1, `masked_loss` (nats a hidden token),
        `num_hidden`, `num_tokens` and `num_samples` (windows).

    Raises:
        InputError: there is no token in the text.
    """
    ids = model.ids(text)
    if not ids:
        raise InputError("text_empty")
    rng = seeded(seed)
    length = min(WINDOW, model.context_length)
    windows = [ids[start : start + length] for start in range(0, len(ids), length)]
    loss, right, near, hidden = 0.0, 0, 0, 0
    for batch in _same_length(windows):
        ids_BT = torch.tensor(batch)
        count = max(1, round(HIDDEN_SHARE * ids_BT.shape[1]))
        place_BK = torch.rand(ids_BT.shape, generator=rng).argsort(dim=1)[:, :count]
        truth_BK = ids_BT.gather(1, place_BK)
        logits_BTV = model.logits(ids_BT.scatter(1, place_BK, model.mask))
        logits_BKV = logits_BTV.gather(1, place_BK[:, :, None].expand(-1, -1, logits_BTV.shape[-1]))
        loss += F.cross_entropy(logits_BKV.flatten(0, 1), truth_BK.flatten(), reduction="sum").item()
        top_BK5 = logits_BKV.topk(min(5, logits_BKV.shape[-1])).indices
        right += int((top_BK5[:, :, 0] == truth_BK).sum())
        near += int((top_BK5 == truth_BK[:, :, None]).any(-1).sum())
        hidden += truth_BK.numel()
    return {
        "masked_accuracy": right / hidden,
        "masked_top5_accuracy": near / hidden,
        "masked_loss": loss / hidden,
        "num_hidden": hidden,
        "num_tokens": len(ids),
        "num_samples": len(windows),
    }


def _same_length(windows: list[list[int]]) -> list[list[list[int]]]:
    """Batches of windows; the last window, which may be shorter, by itself."""
    whole = [window for window in windows if len(window) == len(windows[0])]
    batches = [whole[start : start + BATCH] for start in range(0, len(whole), BATCH)]
    return batches + [[window] for window in windows if len(window) != len(windows[0])]
