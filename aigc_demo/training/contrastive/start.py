"""How a training of a dual encoder is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import prepare_pairs
from aigc_demo.generators.text_to_image.matching import matcher_in
from aigc_demo.nets.contrastive import DualEncoder
from aigc_demo.training.contrastive.training import ContrastiveTraining
from aigc_demo.training.initial_weights import take_over, words_to_go_on_with
from aigc_demo.training.order import Order
from aigc_demo.training.pair_settings import ClipSettings
from aigc_demo.training.settings import Budget

COUNTED_VOCABULARY = 128  # about what the tiny world needs; for counting before there is a text


def prepare(
    order: Order, settings: ClipSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> ContrastiveTraining:
    """Data, network and loop, nothing trained yet.

    A run that begins with another model's weights reads with that one's words, and needs it no more once it
    has a checkpoint.

    Raises:
        InputError: the source has no pairs, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pairs(order.source, settings)
    torch.manual_seed(order.seed)
    tokenizer = words_to_go_on_with(order, checkpoint, corpus.train_captions)
    encoder = DualEncoder(settings.encoder_config(tokenizer.vocab_size))
    if order.init is not None and checkpoint is None:
        take_over(order, (encoder,), lambda folder: (matcher_in(folder).encoder,))
    return ContrastiveTraining(encoder, tokenizer, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: ClipSettings) -> list[nn.Module]:
    """The network, for a vocabulary of the tiny world's size."""
    return [DualEncoder(settings.encoder_config(COUNTED_VOCABULARY))]
