"""Which network a recipe trains, made from its settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from aigc_demo.nets.gpt2_weights import SHAPE as GPT2_SHAPE
from aigc_demo.nets.transformer import Decoder, TransformerConfig
from aigc_demo.training.settings import LanguageModelSettings


@dataclass(frozen=True)
class Network:
    """How a recipe's network is made.

    Attributes:
        build: from the settings and the size of the vocabulary.
        shape: for each setting that gives the network its shape, its name in the model's config.json.
    """

    build: Callable[[LanguageModelSettings, int], nn.Module]
    shape: Mapping[str, str]


def build_gpt(settings: LanguageModelSettings, vocab_size: int) -> nn.Module:
    """Our decoder."""
    shape = {name: getattr(settings, name) for name in GPT2_SHAPE}
    return Decoder(TransformerConfig(vocab_size=vocab_size, dropout=settings.dropout, **shape))


def build_gpt2(settings: LanguageModelSettings, vocab_size: int) -> nn.Module:
    """transformers' GPT-2 in the same shape: the library baseline.

    Two things are not its defaults, neither of which changes what it can learn: gelu is one kernel of torch
    instead of seven small ones (the same formula), and attention weights are not dropped, as in ours,
    because that takes the fused kernel away.
    """
    from transformers import GPT2Config, GPT2LMHeadModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar for every checkpoint would tear the lines of events apart
    shape = {theirs: getattr(settings, ours) for ours, theirs in GPT2_SHAPE.items()}
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocab_size,
            **shape,
            resid_pdrop=settings.dropout,
            embd_pdrop=settings.dropout,
            attn_pdrop=0.0,
            activation_function="gelu_pytorch_tanh",
            bos_token_id=1,
            eos_token_id=1,
            recipe="gpt2",
        )
    )


NETWORKS: dict[str, Network] = {
    "gpt": Network(build_gpt, {name: name for name in GPT2_SHAPE}),
    "gpt2": Network(build_gpt2, GPT2_SHAPE),
}
