"""Which tokens are masked, and what stands in their place."""

import pytest
import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.tokenizer import Tokenizer, train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.training.masked_language_model.masking import (
    choose_words,
    fresh_draws,
    mask_tokens,
    same_draws,
)
from aigc_demo.training.masked_language_model.recipe import EncoderSettings, MaskingSettings


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer("abcdefghij", special=ENCODER_TOKENS)  # ids 5 to 14


def test_by_hand_the_words_of_the_lowest_ranks_are_taken_while_half_of_the_next_fits() -> None:
    # Words 0 (three tokens), 1 (one) and 2 (two); the start token, a separator and padding are none.
    words = torch.tensor([[-1, 0, 0, 0, 1, 2, 2, -1, -1]])
    ranks = torch.tensor([[0.9, 0.1, 0.5, 0, 0, 0, 0, 0, 0]])  # word 0: 0.9, word 1: 0.1, word 2: 0.5

    def taken(share: float) -> list[int]:
        return choose_words(words, ranks, share)[0].nonzero().flatten().tolist()

    assert taken(0.01) == [4]  # at least one word
    assert taken(0.33) == [4]  # 1.98 tokens wanted: of word 2 half would end at 1 + 1 = 2
    assert taken(0.34) == [4, 5, 6]  # 2.04 wanted
    assert taken(0.74) == [4, 5, 6]  # 4.44 wanted: half of word 0 would end at 3 + 1.5 = 4.5
    assert taken(0.76) == [1, 2, 3, 4, 5, 6]  # 4.56 wanted


def rows(tokenizer: Tokenizer, count: int = 400) -> tuple[Tensor, Tensor]:
    """Rows of ten words of two tokens each, between a start token and a separator, then padding."""
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 15, (count, 20), generator=rng)
    edge = torch.ones(count, 1, dtype=torch.long)
    words = torch.arange(10).repeat_interleave(2).expand(count, 20)
    return (
        torch.cat([edge, ids, 4 * edge, 2 * edge], 1),
        torch.cat([-edge, words, -edge, -edge], 1),
    )


def test_the_shares_are_those_of_the_settings_and_special_tokens_are_never_chosen(
    tokenizer: Tokenizer,
) -> None:
    ids, words = rows(tokenizer)
    masked = mask_tokens(ids, words, fresh_draws(ids, 3), MaskingSettings(), tokenizer)
    chosen = masked.chosen_BT
    assert not chosen[words < 0].any()
    assert torch.equal(masked.targets_N, ids[chosen])
    assert torch.equal(masked.ids_BT[~chosen], ids[~chosen])
    # 15 % of 20 tokens are 3: one word of two, or two words, each taken whole.
    assert set(chosen.sum(1).tolist()) <= {2, 4}
    assert torch.equal(chosen[:, 1:21:2], chosen[:, 2:21:2])
    assert 0.14 < chosen.sum() / (words >= 0).sum() < 0.21
    read = masked.ids_BT[chosen]
    assert 0.76 < (read == tokenizer.mask_id).float().mean() < 0.84
    kept = (read == masked.targets_N).float().mean()
    other = ((read != masked.targets_N) & (read != tokenizer.mask_id)).float().mean()
    assert 0.08 < kept < 0.14  # 10 %, and a tenth of the random ones
    assert 0.06 < other < 0.12
    assert set(read.tolist()) == {3, *range(5, 15)}  # no other special token


def test_each_token_alone_where_words_are_not_kept_whole(tokenizer: Tokenizer) -> None:
    ids, words = rows(tokenizer)
    settings = MaskingSettings(whole_words=False, mask_prob=0.5, mask_token_share=1, random_token_share=0)
    masked = mask_tokens(ids, words, fresh_draws(ids, 3), settings, tokenizer)
    assert (masked.chosen_BT.sum(1) == 10).all()
    assert (masked.ids_BT[masked.chosen_BT] == tokenizer.mask_id).all()
    assert not torch.equal(masked.chosen_BT[:, 1:21:2], masked.chosen_BT[:, 2:21:2])
    nothing = MaskingSettings(mask_token_share=0, random_token_share=0)
    assert torch.equal(mask_tokens(ids, words, fresh_draws(ids, 3), nothing, tokenizer).ids_BT, ids)


def test_every_word_is_chosen_as_often_as_every_other(tokenizer: Tokenizer) -> None:
    ids, words = rows(tokenizer, 4000)
    chosen = mask_tokens(ids, words, fresh_draws(ids, 1), MaskingSettings(), tokenizer).chosen_BT
    shares = chosen[:, 1:21:2].float().mean(0)
    assert shares.min() > 0.12
    assert shares.max() < 0.23
    assert shares.max() - shares.min() < 0.04


def test_static_masks_are_of_the_row_and_dynamic_ones_of_the_step(tokenizer: Tokenizer) -> None:
    ids, words = rows(tokenizer, 6)
    settings = MaskingSettings(mask_prob=0.5)

    def masked(ids: Tensor, words: Tensor, draws: Tensor) -> Tensor:
        return mask_tokens(ids, words, draws, settings, tokenizer).ids_BT

    assert torch.equal(masked(ids, words, fresh_draws(ids, 7)), masked(ids, words, fresh_draws(ids, 7)))
    assert not torch.equal(masked(ids, words, fresh_draws(ids, 7)), masked(ids, words, fresh_draws(ids, 8)))
    first = masked(ids, words, same_draws(ids, 2))
    # The same row at another place of another batch, with more padding.
    order = torch.tensor([5, 2])
    wider = torch.nn.functional.pad(ids[order], (0, 4), value=2)
    again = masked(wider, torch.nn.functional.pad(words[order], (0, 4), value=-1), same_draws(wider, 2))
    assert torch.equal(again[:, : ids.shape[1]], first[order])
    assert len({tuple(row) for row in (first != ids).tolist()}) == 6  # other rows, other masks


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(InputError, match=r"random_token_share must be at most 0\.2"):
        EncoderSettings(random_token_share=0.3)
