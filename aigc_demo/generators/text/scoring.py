"""Scores a text: bits per byte, by the protocol of all figures of this project."""

import math

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators.text.model import TextModel
from aigc_demo.measure.text import TextScore, surprise, text_score, windows


def score_text(model: TextModel, text: str) -> TextScore:
    """Surprisal of a text, character by character.

    The text is cleaned as training texts are (`data.text.cleaning`); its characters and bytes are those of
    the cleaned text: the same text costs the same with other line ends, a byte-order mark, or in NFD.

    It is read in consecutive windows of the model's context, the first one after its start token;
    every token is predicted once.

    Args:
        model: any text model.
        text: at least one character.

    Returns:
        The cost of every character, in bits, and the counts.

    Raises:
        InputError: the text is empty, or was nothing but control characters.
    """
    text = clean_text(text)
    tokens = model.spans(text)
    if not tokens:
        raise InputError("text_empty")

    def predict(ids_BT: Tensor) -> Tensor:
        return torch.stack([model.token_logits(ids_T.tolist()) for ids_T in ids_BT])

    ids_N = torch.tensor([index for index, _, _ in tokens])
    cut = windows(ids_N, model.context_length, model.start_ids[-1])
    bits_N = surprise(predict, cut, model.vocab_size)
    return text_score(bits_N.tolist(), tokens, text, model.unknown_id)


def continuation_bits(model: TextModel, first: str, second: str) -> float:
    """What the second of two texts that stand side by side costs a model that has read the first, in bits.

    Counted as in `score_text`; a token that stands in both texts is shared by their characters.

    Args:
        model: any text model.
        first: read and not counted.
        second: both together fit the model's context.
    """
    first, whole = clean_text(first), clean_text(first + second)
    tokens = model.spans(whole)
    ids = [model.start_ids[-1], *(index for index, _, _ in tokens)]
    log_probs_TV = model.token_logits(ids[:-1]).log_softmax(-1)
    nats_T = -log_probs_TV.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    score = text_score((nats_T / math.log(2)).tolist(), tokens, whole, model.unknown_id)
    return math.fsum(score.bits[len(first) :])
