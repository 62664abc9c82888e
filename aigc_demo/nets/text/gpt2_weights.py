"""OpenAI's GPT-2 weights for our own Transformer: the same tensors under other names."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel


# The sizes of a network: our setting, and its name in transformers' GPT2Config.
SHAPE = {
    "context_length": "n_positions",
    "num_layers": "n_layer",
    "num_heads": "n_head",
    "hidden_size": "n_embd",
    "mlp_size": "n_inner",
    "tie_embeddings": "tie_word_embeddings",
}


def load_gpt2_weights(model: "GPT2LMHeadModel") -> Decoder:
    """Our decoder with the weights of a GPT-2; it gives the same logits.

    transformers stores its matrices as inputs by outputs (from the original TensorFlow code); they are
    transposed.

    Args:
        model: transformers' GPT-2 of any size.

    Returns:
        A decoder in evaluation mode, float32.

    Raises:
        InputError: it computes something else than the original GPT-2 (another activation or scaling).

    Source:
        Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3; names of
        weights are those of transformers' GPT2LMHeadModel.
    """
    theirs = model.config
    unlike = [
        name
        for name, original in (
            ("activation_function", ("gelu_new", "gelu_pytorch_tanh")),  # one formula, two kernels
            ("scale_attn_weights", (True,)),
            ("scale_attn_by_inverse_layer_idx", (False,)),
            ("layer_norm_epsilon", (1e-5,)),
        )
        if getattr(theirs, name) not in original
    ]
    if unlike:
        raise InputError(
            "foreign_model",
            path="the GPT-2",
            detail=", ".join(unlike),
            expected="computes as the original GPT-2",
        )
    config = TransformerConfig(
        vocab_size=theirs.vocab_size,
        **{ours: getattr(theirs, their) for ours, their in SHAPE.items()},
        style="gpt2",
        recipe="gpt2",
    )
    with torch.device("meta"):
        ours = Decoder(config)
    ours.load_state_dict(_renamed(model.state_dict(), config), assign=True)
    return ours.float().eval()


# Ours on the left, theirs on the right; {} is the layer.
WEIGHT_NAMES = {
    "blocks.{}.attention_norm": "transformer.h.{}.ln_1",
    "blocks.{}.attention.qkv": "transformer.h.{}.attn.c_attn",
    "blocks.{}.attention.output": "transformer.h.{}.attn.c_proj",
    "blocks.{}.feed_forward_norm": "transformer.h.{}.ln_2",
    "blocks.{}.feed_forward.inner": "transformer.h.{}.mlp.c_fc",
    "blocks.{}.feed_forward.output": "transformer.h.{}.mlp.c_proj",
}


def _renamed(theirs: dict[str, Tensor], config: TransformerConfig) -> dict[str, Tensor]:
    found = {
        "embedding.weight": theirs["transformer.wte.weight"],
        "position.weight": theirs["transformer.wpe.weight"],
        "norm.weight": theirs["transformer.ln_f.weight"],
        "norm.bias": theirs["transformer.ln_f.bias"],
    }
    if not config.tie_embeddings:
        found["head.weight"] = theirs["lm_head.weight"]
    for layer in range(config.num_layers):
        for our_name, their_name in WEIGHT_NAMES.items():
            weight = theirs[f"{their_name.format(layer)}.weight"]
            # Matrices are transposed; the weights of normalization layers are vectors.
            found[f"{our_name.format(layer)}.weight"] = weight.T.contiguous() if weight.dim() == 2 else weight
            found[f"{our_name.format(layer)}.bias"] = theirs[f"{their_name.format(layer)}.bias"]
    return found
