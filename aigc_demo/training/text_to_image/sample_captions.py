"""The captions of a run's samples: the same each time, a row of the sheet for each."""

# Shapes: N images, P captions of an image, T tokens of a caption.

import math

import torch
from torch import Tensor

from aigc_demo.data.captions.pairs import PairCorpus


def captions_of_sample(
    corpus: PairCorpus, captions_NPT: Tensor, held_NPT: Tensor, num: int
) -> tuple[tuple[str, ...], Tensor]:
    """Held-out captions where there are such, in turn of the first and the second half of an image's.

    Of the tiny world the first half is English, the second Chinese.

    Args:
        corpus: images with captions.
        captions_NPT: tokens of the captions for training.
        held_NPT: tokens of the held-out ones.
        num: images of the sample.

    Returns:
        One caption for each row of the sheet, and the tokens of every image's [num, T].
    """
    if not num:
        return (), captions_NPT[:0, 0]
    held = bool(corpus.validation_captions)
    captions = corpus.validation_captions if held else corpus.train_captions
    table_NPT = held_NPT if held else captions_NPT
    num_columns = math.isqrt(num)
    num_rows = -(-num // num_columns)
    row_N = torch.arange(num_rows) % len(captions)
    phrasing_N = torch.arange(num_rows) * max(1, table_NPT.shape[1] // 2) % table_NPT.shape[1]
    texts = tuple(
        captions[row][phrasing] for row, phrasing in zip(row_N.tolist(), phrasing_N.tolist(), strict=True)
    )
    ids_NT = table_NPT[row_N, phrasing_N].repeat_interleave(num_columns, dim=0)[:num]
    return texts, ids_NT
