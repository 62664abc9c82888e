"""Masking for a masked language model: which tokens are predicted, and what stands in their place."""

# Shapes: B rows, T tokens of a row, N tokens that are predicted.

import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.training.masked_language_model.recipe import MaskingSettings

NUM_DRAWS = 3
"""Uniform numbers that a token takes: the rank of its word, what becomes of it, its random replacement."""


@dataclass(frozen=True)
class Masked:
    """A batch of masked rows.

    Attributes:
        ids_BT: what the model reads.
        chosen_BT: True where it has to predict the original token.
        targets_N: the original tokens there, by row and position.
    """

    ids_BT: Tensor
    chosen_BT: Tensor
    targets_N: Tensor


def fresh_draws(ids_BT: Tensor, seed: int) -> Tensor:
    """Uniform numbers [3, B, T] for new masks: dynamic masking."""
    return torch.rand((NUM_DRAWS, *ids_BT.shape), generator=seeded(seed % 2**63))


def same_draws(ids_BT: Tensor, padding_id: int) -> Tensor:
    """Uniform numbers [3, B, T] that depend on a row's tokens alone: static masking.

    Source:
        Liu et al. 2019, arXiv:1907.11692, section 4.1, compares both.
    """
    draws_3BT = torch.ones((NUM_DRAWS, *ids_BT.shape))
    for row, ids_T in enumerate(ids_BT):
        ids_T = ids_T[ids_T != padding_id]
        rng = seeded(zlib.crc32(ids_T.numpy().tobytes()))
        draws_3BT[:, row, : len(ids_T)] = torch.rand((NUM_DRAWS, len(ids_T)), generator=rng)
    return draws_3BT


def mask_tokens(
    ids_BT: Tensor, words_BT: Tensor, draws_3BT: Tensor, settings: MaskingSettings, tokenizer: Tokenizer
) -> Masked:
    """Choose tokens to be predicted; of these, 80 % become the mask, 10 % a random token, 10 % stay.

    Tokens that are seen as they are have to be predicted too, so that the model cannot rely on what is not
    masked. In each row at least one word is chosen, and as many tokens as are nearest to the wanted share.

    Args:
        ids_BT: token ids.
        words_BT: the number of each token's word in its row, from 0; negative for special tokens, which are
            never chosen.
        draws_3BT: uniform numbers.
        settings: shares.
        tokenizer: of the ids, with the special tokens of an encoder.

    Source:
        Devlin et al. 2018, arXiv:1810.04805, section 3.1; whole words: their code of 2019.
    """
    rank_BT, fate_BT, replacement_BT = draws_3BT
    if not settings.whole_words:
        each_BT = torch.arange(ids_BT.shape[1]).expand_as(ids_BT)
        words_BT = torch.where(words_BT < 0, words_BT, each_BT)
    chosen_BT = choose_words(words_BT, rank_BT, settings.mask_prob)
    first = len(tokenizer.special_ids)
    random_BT = first + (replacement_BT * (tokenizer.vocab_size - first)).long()
    masked_BT = chosen_BT & (fate_BT < settings.mask_token_share)
    changed_BT = chosen_BT & (fate_BT >= settings.mask_token_share)
    changed_BT &= fate_BT < settings.mask_token_share + settings.random_token_share
    read_BT = torch.where(masked_BT, tokenizer.mask_id, torch.where(changed_BT, random_BT, ids_BT))
    return Masked(read_BT, chosen_BT, ids_BT[chosen_BT])


def choose_words(words_BT: Tensor, rank_BT: Tensor, share: float) -> Tensor:
    """True at the tokens of the chosen words [B, T].

    The words of a row in a random order are taken as long as half of the next one still fits, so that the
    number of tokens is right on average; at least one word is taken.

    Args:
        words_BT: as in `mask_tokens`.
        rank_BT: uniform numbers, of which a word takes that at the place of its number.
        share: of the tokens that are to be chosen.
    """
    B, T = words_BT.shape
    real_BT = words_BT >= 0
    word_BT = words_BT.clamp(min=0)
    size_BT = torch.zeros(B, T, dtype=torch.long).scatter_add_(1, word_BT, real_BT.long())
    rank_BT = rank_BT.gather(1, word_BT).masked_fill(~real_BT, 2.0)
    sorted_BT, order_BT = rank_BT.sort(dim=1, stable=True)
    begins_BT = torch.ones_like(real_BT)
    begins_BT[:, 1:] = sorted_BT[:, 1:] != sorted_BT[:, :-1]
    # Tokens of the words that come before a token's word in this order.
    before_BT = torch.where(begins_BT, torch.arange(T).expand(B, T), 0).cummax(dim=1).values
    middle_BT = before_BT + size_BT.gather(1, word_BT).gather(1, order_BT) / 2
    wanted_B1 = share * real_BT.sum(1, keepdim=True)
    taken_BT = ((middle_BT <= wanted_B1) | (before_BT == 0)) & (sorted_BT < 1.5)
    return torch.zeros_like(real_BT).scatter_(1, order_BT, taken_BT)
