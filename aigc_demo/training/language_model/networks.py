"""The network of a language model's recipe, made from its settings."""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aigc_demo.data.text.word_level import SPECIAL_TOKENS
from aigc_demo.nets.text.gpt2_weights import SHAPE as GPT2_SHAPE
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from aigc_demo.nets.text.word_lm import WordLM, WordLMConfig
from aigc_demo.training.family import ForwardPasses
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.text_settings import LOGIT_COPIES, expected_vocab_size


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


def build_word_lm(settings: LanguageModelSettings, vocab_size: int) -> nn.Module:
    """torch's own Transformer layers: the library baseline of the time before GPT-2."""
    shape = {name: getattr(settings, name) for name in GPT2_SHAPE}
    return WordLM(WordLMConfig(vocab_size=vocab_size, dropout=settings.dropout, **shape))


NETWORKS: dict[str, Network] = {
    "gpt": Network(build_gpt, {name: name for name in GPT2_SHAPE}),
    "gpt2": Network(build_gpt2, GPT2_SHAPE),
    "word-lm": Network(build_word_lm, {name: name for name in GPT2_SHAPE}),
}


def networks(recipe: str, settings: LanguageModelSettings) -> list[nn.Module]:
    """The network with a vocabulary of 2, whose size is not known before there is a text."""
    return [NETWORKS[recipe].build(settings, 2)]


def forward_passes(parts: list[nn.Module], settings: LanguageModelSettings) -> ForwardPasses:
    """One batch, without what depends on the size of the vocabulary."""
    ids_BT = torch.zeros(settings.batch_size, settings.context_length, dtype=torch.long)

    def forward() -> Tensor:
        output = parts[0](ids_BT)
        logits_BTV = getattr(output, "logits", output)
        return nn.functional.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BT.flatten())

    return [(1, forward)]


def vocabulary(settings: LanguageModelSettings, text: str | None) -> tuple[int, int]:
    """Parameters of embeddings and output layer, and bytes of the logits of one batch."""
    tokens = expected_vocab_size(settings, text, len(SPECIAL_TOKENS))
    num_parameters = tokens * settings.hidden_size * (1 if settings.tie_embeddings else 2)
    return num_parameters, LOGIT_COPIES * 4 * settings.units_per_step * tokens
