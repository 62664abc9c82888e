"""Captions as a condition: encoded, of other images, and those of a run's samples."""

# Shapes: B captions of a batch, N images, P captions of an image, T tokens of a caption, C features of a
# token, E size of an embedding.

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.data.captions.pairs import PairCorpus


@dataclass(frozen=True, eq=False)
class EncodedCaptions:
    """Captions as the networks' condition.

    Attributes:
        tokens_BTC: the text encoder's output for each token.
        mask_BT: True where there is a token.
        text_BE: the captions' embeddings, of norm 1.
    """

    tokens_BTC: Tensor
    mask_BT: Tensor
    text_BE: Tensor

    def repeated(self, times: int) -> "EncodedCaptions":
        """Each row so often, one after the other."""
        parts = (self.tokens_BTC, self.mask_BT, self.text_BE)
        return EncodedCaptions(*(part.repeat_interleave(times, dim=0) for part in parts))

    def rows(self, start: int, end: int) -> "EncodedCaptions":
        """Some of the rows."""
        return EncodedCaptions(self.tokens_BTC[start:end], self.mask_BT[start:end], self.text_BE[start:end])


def captions_of_others(caption_BT: Tensor) -> Tensor:
    """For each caption the nearest one before it in the batch that differs: [B, T].

    Where all are equal, each is left as it is.
    """
    B = len(caption_BT)
    place_BB = (torch.arange(B)[:, None] - torch.arange(B)) % B  # its own index, then those before it
    differs_BB = (caption_BT[:, None] != caption_BT[place_BB]).any(dim=-1)
    return caption_BT[place_BB[torch.arange(B), differs_BB.int().argmax(dim=1)]]


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
