"""BERT's weights for our own encoder: the same tensors under other names."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.bert import Bert, EncoderConfig

# The sizes of a network: our setting, and its name in transformers' BertConfig.
SHAPE = {
    "vocab_size": "vocab_size",
    "context_length": "max_position_embeddings",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_size": "hidden_size",
    "mlp_size": "intermediate_size",
    "num_segments": "type_vocab_size",
}
# Of a network that is trained here: its vocabulary is that of its text, and it has two segments.
TRAINED_SHAPE = {
    name: theirs for name, theirs in SHAPE.items() if name not in ("vocab_size", "num_segments")
} | {"tie_embeddings": "tie_word_embeddings"}
# Ours on the left, theirs on the right; {} is the layer.
WEIGHT_NAMES = {
    "encoder.embedding_norm": "bert.embeddings.LayerNorm",
    "encoder.blocks.{}.attention.output": "bert.encoder.layer.{}.attention.output.dense",
    "encoder.blocks.{}.attention_norm": "bert.encoder.layer.{}.attention.output.LayerNorm",
    "encoder.blocks.{}.feed_forward.inner": "bert.encoder.layer.{}.intermediate.dense",
    "encoder.blocks.{}.feed_forward.output": "bert.encoder.layer.{}.output.dense",
    "encoder.blocks.{}.feed_forward_norm": "bert.encoder.layer.{}.output.LayerNorm",
    "masked_token_head.transform": "cls.predictions.transform.dense",
    "masked_token_head.norm": "cls.predictions.transform.LayerNorm",
    "next_sentence_head.pooler": "bert.pooler.dense",
    "next_sentence_head.classifier": "cls.seq_relationship",
}
SINGLE_NAMES = {
    "encoder.embedding.weight": "bert.embeddings.word_embeddings.weight",
    "encoder.position.weight": "bert.embeddings.position_embeddings.weight",
    "encoder.segment.weight": "bert.embeddings.token_type_embeddings.weight",
    "masked_token_head.bias": "cls.predictions.bias",
}
# What else a file may hold: copies of the above, and the numbers 0, 1, 2, ...
COPIES = {
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
    "bert.embeddings.position_ids",
}


def load_bert_weights(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> Bert:
    """Our encoder with the weights of a BERT for pretraining; it gives the same logits.

    Args:
        weights: by transformers' names; norms may have the original code's, gamma and beta.
        config: of transformers' BertConfig.

    Returns:
        The model in evaluation mode, float32.

    Raises:
        InputError: it computes something else than the original BERT, or a tensor is missing, unknown or of
            another shape.

    Source:
        Devlin et al. 2018, arXiv:1810.04805; names of weights are those of transformers'
        BertForPreTraining.
    """
    for name, original in (
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
        ("is_decoder", False),
        ("layer_norm_eps", 1e-12),
        ("tie_word_embeddings", True),
    ):
        if config.get(name, original) != original:
            raise _unlike(f"{name} is {config[name]}")
    with torch.device("meta"):
        ours = Bert(EncoderConfig(**{name: config[their] for name, their in SHAPE.items()}, style="bert"))
    found = _renamed({_new_name(name): tensor for name, tensor in weights.items()}, ours)
    ours.load_state_dict(found, assign=True)
    return ours.float().eval()


def _new_name(name: str) -> str:
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _renamed(theirs: dict[str, Tensor], ours: Bert) -> dict[str, Tensor]:
    left = {name: tensor for name, tensor in theirs.items() if name not in COPIES}

    def take(name: str) -> Tensor:
        if name not in left:
            raise _unlike(f"it has no {name}")
        return left.pop(name)

    found = {our_name: take(their_name) for our_name, their_name in SINGLE_NAMES.items()}
    for kind in ("weight", "bias"):
        for our_name, their_name in WEIGHT_NAMES.items():
            for layer in range(ours.config.num_layers if "{}" in our_name else 1):
                found[f"{our_name.format(layer)}.{kind}"] = take(f"{their_name.format(layer)}.{kind}")
        for layer in range(ours.config.num_layers):
            parts = [
                take(f"bert.encoder.layer.{layer}.attention.self.{part}.{kind}")
                for part in ("query", "key", "value")
            ]
            found[f"encoder.blocks.{layer}.attention.qkv.{kind}"] = torch.cat(parts)
    if left:
        raise _unlike(f"it also has {min(left)}")
    for name, parameter in ours.state_dict().items():
        if found[name].shape != parameter.shape:
            raise _unlike(f"{name} is {list(found[name].shape)}, not {list(parameter.shape)}")
    return found


def _unlike(detail: str) -> InputError:
    return InputError(
        "foreign_model", path="the BERT", detail=detail, expected="computes as the original BERT"
    )
