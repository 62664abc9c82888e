"""How well an encoder predicts masked tokens, and whether one text follows another."""

# Shapes: N masked tokens of some rows, V vocabulary.

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError

Predict = Callable[[Sequence[int], Sequence[Sequence[int]], Sequence[Sequence[int]]], Tensor]
"""From numbers of rows, their ids with masks, and the masked positions of each, to logits [N, V]."""

MASKED_SHARE = 0.15
"""Of the tokens, as in Devlin et al. 2018, arXiv:1810.04805, section 3.1; here each chosen one is masked."""
BATCH_SIZE = 32


def masked_figures(
    predict: Predict, rows: Sequence[Sequence[int]], mask_id: int, special_ids: Collection[int], seed: int = 0
) -> dict[str, Any]:
    """Shares of masked tokens that a model predicts.

    In each row the same share of tokens is masked, at least one. Which ones depends on the rows and the seed
    alone, so models with the same tokens are asked for the same ones.

    Args:
        predict: the model.
        rows: token ids, special tokens included.
        mask_id: of the mask.
        special_ids: never masked.
        seed: which tokens are masked.

    Returns:
        `masked_accuracy` and `masked_top5_accuracy` between 0 and 1, `masked_loss` (nats a masked token),
        `num_masked`, `num_tokens` without special ones, and `num_samples` (rows).

    Raises:
        InputError: there is no token to mask.
    """
    rng = seeded(seed)
    chosen = [_chosen(ids, special_ids, rng) for ids in rows]
    asked = sorted((number for number, places in enumerate(chosen) if places), key=lambda i: len(rows[i]))
    if not asked:
        raise InputError("text_empty")
    loss, right, near = 0.0, 0, 0
    for begin in range(0, len(asked), BATCH_SIZE):
        numbers = asked[begin : begin + BATCH_SIZE]
        masked = [_masked(rows[number], chosen[number], mask_id) for number in numbers]
        logits_NV = predict(numbers, masked, [chosen[number] for number in numbers])
        truth_N = torch.tensor([rows[number][place] for number in numbers for place in chosen[number]])
        loss += F.cross_entropy(logits_NV, truth_N, reduction="sum").item()
        top_N5 = logits_NV.topk(min(5, logits_NV.shape[-1])).indices
        right += int((top_N5[:, 0] == truth_N).sum())
        near += int((top_N5 == truth_N[:, None]).any(-1).sum())
    num_masked = sum(map(len, chosen))
    return {
        "masked_accuracy": right / num_masked,
        "masked_top5_accuracy": near / num_masked,
        "masked_loss": loss / num_masked,
        "num_masked": num_masked,
        "num_tokens": sum(index not in special_ids for ids in rows for index in ids),
        "num_samples": len(rows),
    }


def next_sentence_figures(
    probs: Sequence[float], follows: Sequence[bool], same_document: Sequence[bool]
) -> dict[str, float]:
    """How often a model is right about whether the second text of a pair follows the first.

    Args:
        probs: that it does, of each pair.
        follows: whether it does.
        same_document: whether both texts are of one document; true pairs always are.

    Returns:
        `next_sentence_accuracy`, and `next_sentence_chance`, the share of the commoner answer; and where
        there are such pairs, `next_sentence_accuracy_same_document` and
        `next_sentence_accuracy_other_document`: the mean of the shares of true pairs and of such wrong
        pairs that are recognized, 0.5 by chance.
    """
    right = [(prob > 0.5) == true for prob, true in zip(probs, follows, strict=True)]
    found = {
        "next_sentence_accuracy": _mean(right),
        "next_sentence_chance": max(_mean(follows), 1 - _mean(follows)),
    }
    of_true = [ok for ok, true in zip(right, follows, strict=True) if true]
    for name, same in (("same", True), ("other", False)):
        wrong = [
            ok
            for ok, true, one in zip(right, follows, same_document, strict=True)
            if not true and one == same
        ]
        if of_true and wrong:
            found[f"next_sentence_accuracy_{name}_document"] = (_mean(of_true) + _mean(wrong)) / 2
    return found


def _chosen(ids: Sequence[int], special_ids: Collection[int], rng: torch.Generator) -> list[int]:
    places = [place for place, index in enumerate(ids) if index not in special_ids]
    if not places:
        return []
    count = max(1, round(MASKED_SHARE * len(places)))
    order = torch.rand(len(places), generator=rng).argsort()[:count].tolist()
    return sorted(places[number] for number in order)


def _masked(ids: Sequence[int], places: Collection[int], mask_id: int) -> list[int]:
    return [mask_id if place in places else index for place, index in enumerate(ids)]


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
