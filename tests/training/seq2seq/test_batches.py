"""Batches of sources and answers: padding, teacher forcing, the same draw for the same step."""

import numpy as np
import torch

from aigc_demo.data.text.answer_pairs import AnswerCorpus, AnswerPair, EncodedPair, encode_pair
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.training.seq2seq.batches import AnswerBatches, collate


def corpus() -> AnswerCorpus:
    """Pairs of one to six letters; of seven letters one, which is too long."""
    letters = "abcdefg"
    pairs = [AnswerPair(letters[:number], None, letters[:number]) for number in range(1, 8)]
    tokenizer = train_tokenizer(letters, special=ENCODER_TOKENS)
    return AnswerCorpus("x", "0" * 64, "couplets", pairs * 3, pairs, tokenizer, ())


def batches(seed: int = 3, lengths: tuple[int, int] = (8, 8)) -> AnswerBatches:
    return AnswerBatches(corpus(), lengths, 16, seed)


def test_a_decoder_reads_the_answer_and_predicts_it_one_token_further() -> None:
    first = EncodedPair(np.array([1, 9, 4, 8, 4]), np.array([0, 0, 0, 1, 1]), np.array([1, 6, 4]))
    second = EncodedPair(np.array([1, 7, 4]), np.array([0, 0, 0]), np.array([1, 5, 6, 7, 4]))
    batch = collate([first, second], padding_id=2)
    assert batch.source_BS.tolist() == [[1, 9, 4, 8, 4], [1, 7, 4, 2, 2]]
    assert batch.source_mask_BS.tolist() == [[True] * 5, [True, True, True, False, False]]
    assert batch.segments_BS.tolist() == [[0, 0, 0, 1, 1], [0] * 5]
    assert batch.target_BT.tolist() == [[1, 6, 2, 2], [1, 5, 6, 7]]
    assert batch.next_BT.tolist() == [[6, 4, -100, -100], [5, 6, 7, 4]]
    assert (batch.num_predicted, batch.num_tokens) == (6, 8 + 6)


def test_the_pairs_of_a_step_depend_on_seed_and_step_alone() -> None:
    one, other = batches(), batches()
    other.batch(1)
    assert all(map(torch.equal, one.batch(5).tensors, other.batch(5).tensors))
    drawn = {tuple(row) for row in one.batch(5).next_BT.tolist()}
    assert drawn != {tuple(row) for row in one.batch(6).next_BT.tolist()}
    assert drawn != {tuple(row) for row in batches(seed=4).batch(5).next_BT.tolist()}
    assert len(drawn) > 2


def test_what_is_too_long_is_left_out() -> None:
    found = {int(mask.sum()) - 2 for step in range(20) for mask in batches().batch(step).source_mask_BS}
    assert found == {1, 2, 3, 4, 5, 6}
    short = batches(lengths=(8, 4))  # two letters between start and end
    assert {int((row != -100).sum()) for step in range(20) for row in short.batch(step).next_BT} == {2, 3}
    assert [pair.target for pair in short.held_out(7)] == ["a", "ab"]


def test_held_out_pairs_come_in_batches_and_are_the_same_each_time() -> None:
    found = AnswerBatches(corpus(), (8, 8), 4, seed=0)
    sizes = [len(batch.next_BT) for batch in found.validation(7)]
    assert sizes == [4, 2]
    tokenizer = found.corpus.tokenizer
    last = [encode_pair(pair, tokenizer).target[1:].tolist() for pair in found.corpus.validation[4:6]]
    *_, batch = found.validation(7)
    assert [[index for index in row if index >= 0] for row in batch.next_BT.tolist()] == last
