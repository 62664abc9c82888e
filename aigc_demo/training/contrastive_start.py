"""How a training of a dual encoder is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.pairs import caption_tokenizer, prepare_pairs
from aigc_demo.nets.contrastive import DualEncoder
from aigc_demo.training.contrastive import ContrastiveTraining
from aigc_demo.training.order import Order, refuse_init
from aigc_demo.training.pair_settings import ClipSettings
from aigc_demo.training.settings import Budget

COUNTED_VOCABULARY = 128  # about what the tiny world needs; for counting before there is a text


def prepare(
    order: Order, settings: ClipSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> ContrastiveTraining:
    """Data, network and loop, nothing trained yet.

    Raises:
        InputError: the source has no pairs, or `--init` is given, which this recipe does not take.
    """
    refuse_init(order, "a dual encoder")
    corpus = prepare_pairs(order.source, settings)
    tokenizer = caption_tokenizer(corpus.train_captions)
    torch.manual_seed(order.seed)
    encoder = DualEncoder(settings.encoder_config(tokenizer.vocab_size))
    return ContrastiveTraining(encoder, tokenizer, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: ClipSettings) -> list[nn.Module]:
    """The network, for a vocabulary of the tiny world's size."""
    return [DualEncoder(settings.encoder_config(COUNTED_VOCABULARY))]
