"""The networks that are pretrained: our encoder, and the library's of the same sizes."""

# Shapes: B rows of a batch, T tokens of a row, N chosen tokens, C features of a token, V vocabulary.

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn

from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.generators.network_folder import loaded
from aigc_demo.nets.text.bert import Bert, EncoderConfig
from aigc_demo.nets.text.bert_weights import TRAINED_SHAPE
from aigc_demo.training.family import ForwardPasses
from aigc_demo.training.masked_language_model.recipe import EncoderSettings
from aigc_demo.training.text_settings import LOGIT_COPIES, SHAPE, expected_vocab_size


@dataclass(frozen=True)
class Network:
    """How a recipe's network is made and loaded.

    Attributes:
        build: from the settings and the size of the vocabulary.
        load: from a model's folder, in float32.
        shape: for each setting that gives the network its shape, its name in the model's config.json.
    """

    build: Callable[[EncoderSettings, int], nn.Module]
    load: Callable[[Path], nn.Module]
    shape: Mapping[str, str]


class BertForPreTraining(transformers.BertForPreTraining):
    """transformers' BERT with its two heads, which predicts the chosen tokens alone, as ours does.

    The sums are the library's own; only those whose result nobody reads are left out.
    """

    def __init__(self, config: transformers.BertConfig):
        super().__init__(config)
        # What is sharded as one; not the embeddings, since a shared parameter cannot be in two parts.
        self._no_split_modules = {"BertLayer"}

    def get_input_embeddings(self) -> None:
        """None: accelerate would shard it by itself, and what shares its weight cannot be in another part."""

    def get_output_embeddings(self) -> None:
        """None, likewise: the output layer shares its weight and its bias."""

    def forward(
        self, ids_BT: Tensor, mask_BT: Tensor | None, segments_BT: Tensor, chosen_BT: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of the chosen tokens [N, V] and of the next sentence [B, 2], as `Bert.forward`."""
        found = self.bert(input_ids=ids_BT, attention_mask=mask_BT, token_type_ids=segments_BT)
        token_NV = self.cls.predictions(found.last_hidden_state[chosen_BT])
        return token_NV.float(), self.cls.seq_relationship(found.pooler_output).float()


def build_bert(settings: EncoderSettings, vocab_size: int) -> nn.Module:
    """Our encoder with its two heads."""
    shape = {name: getattr(settings, name) for name in SHAPE}
    return Bert(EncoderConfig(vocab_size=vocab_size, dropout=settings.dropout, recipe="bert", **shape))


def build_library(settings: EncoderSettings, vocab_size: int) -> nn.Module:
    """transformers' BERT of the same sizes.

    Attention weights are not dropped, as in ours, because that takes the fused kernel away.
    """
    transformers.utils.logging.disable_progress_bar()  # a bar would tear the lines of events apart
    sizes = {theirs: getattr(settings, ours) for ours, theirs in TRAINED_SHAPE.items()}
    sizes["intermediate_size"] = settings.mlp_size or 4 * settings.hidden_size
    return BertForPreTraining(
        transformers.BertConfig(
            vocab_size=vocab_size,
            **sizes,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=0.0,
            pad_token_id=2,
            recipe="bert-library",
        )
    )


NETWORKS: dict[str, Network] = {
    "bert": Network(
        build_bert,
        lambda folder: loaded(Bert, EncoderConfig, folder),
        {name: name for name in SHAPE},
    ),
    "bert-library": Network(
        build_library,
        lambda folder: BertForPreTraining.from_pretrained(folder, dtype=torch.float32),
        TRAINED_SHAPE,
    ),
}


def networks(recipe: str, settings: EncoderSettings) -> list[nn.Module]:
    """The network with no word but special tokens: the vocabulary is not known before there is a text."""
    return [NETWORKS[recipe].build(settings, len(ENCODER_TOKENS))]


def forward_passes(parts: list[nn.Module], settings: EncoderSettings) -> ForwardPasses:
    """One batch, without what depends on the size of the vocabulary."""
    ids_BT = torch.zeros(settings.batch_size, settings.context_length, dtype=torch.long)
    num_chosen = num_chosen_tokens(settings)

    def forward() -> Tensor:
        # Which tokens are chosen is data, which the meta device has not.
        hidden_BTC = _hidden(parts[0], ids_BT)
        chosen_NC = hidden_BTC.flatten(0, 1)[:num_chosen]
        return chosen_NC.square().mean()

    return [(1, forward)]


def num_chosen_tokens(settings: EncoderSettings) -> int:
    """N, tokens that are predicted in one step, at most about."""
    return int(settings.units_per_step * settings.mask_prob)


def _hidden(network: nn.Module, ids_BT: Tensor) -> Tensor:
    """The encoder's output [B, T, C]."""
    if isinstance(network, Bert):
        return network.encoder(ids_BT)
    found: Tensor = network.bert(input_ids=ids_BT).last_hidden_state  # type: ignore[operator]
    return found


def vocabulary(settings: EncoderSettings, text: str | None) -> tuple[int, int]:
    """Parameters of embeddings and output layer, and bytes of the logits of one batch."""
    tokens = expected_vocab_size(settings, text, len(ENCODER_TOKENS))
    num_parameters = tokens * (settings.hidden_size * (1 if settings.tie_embeddings else 2) + 1)
    return num_parameters, LOGIT_COPIES * 4 * num_chosen_tokens(settings) * tokens
