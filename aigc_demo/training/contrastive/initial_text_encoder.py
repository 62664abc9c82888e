"""A dual encoder's text encoder that starts from a pretrained encoder (`--init` with a model of `bert`)."""

# Shapes: V vocabulary, C features of a token.

from dataclasses import replace
from pathlib import Path

import torch

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.network_folder import loaded
from aigc_demo.nets.text.bert import Bert, Encoder, EncoderConfig
from aigc_demo.training.contrastive.recipe import ClipSettings
from aigc_demo.training.order import Order

SHAPE = ("num_layers", "num_heads", "hidden_size")


def pretrained_encoder(entry: CatalogEntry) -> Bert:
    """The network of a model of the recipe `bert`."""
    network: Bert = loaded(Bert, EncoderConfig, Path(entry.location))
    return network


def with_shape_of(network: Bert, order: Order, settings: ClipSettings) -> ClipSettings:
    """The settings with the shape of a pretrained encoder.

    Raises:
        InputError: another shape was asked for, or a dual encoder cannot have it.
    """
    found = {name: getattr(network.config, name) for name in SHAPE}
    asked = {name: getattr(settings, name) for name in SHAPE if name in order.settings}
    wide = 4 * network.config.hidden_size
    found |= {"mlp_size": network.config.feed_forward_size, "style": network.config.style}
    asked |= {"mlp_size": wide, "style": "modern"}
    for name, new in asked.items():
        if found[name] != new:
            raise InputError("init_differs", path=str(order.init), name=name, old=found[name], new=new)
    return replace(settings, **{name: found[name] for name in SHAPE})


@torch.no_grad()
def start_from(text_encoder: Encoder, tokenizer: Tokenizer, network: Bert, its_tokenizer: Tokenizer) -> int:
    """Copy blocks and norm, and the embeddings of those words that both vocabularies have.

    A caption is one text, so the pretrained encoder's first segment is added to its words.

    Args:
        text_encoder: of the same shape, with random weights.
        tokenizer: of the captions.
        network: the pretrained encoder.
        its_tokenizer: its tokenizer.

    Returns:
        How many words have a pretrained embedding; the others stay as they are.
    """
    trained = network.encoder
    weights = trained.state_dict()
    kept = {name: tensor for name, tensor in weights.items() if name.startswith(("blocks.", "norm."))}
    text_encoder.load_state_dict(kept, strict=False)
    embedding_VC = trained.embedding.weight
    if trained.segment is not None:
        embedding_VC = embedding_VC + trained.segment.weight[0]
    known = _by_word(its_tokenizer)
    shared = {index: known[word] for word, index in _by_word(tokenizer).items() if word in known}
    new_C = list(shared)
    text_encoder.embedding.weight[new_C] = embedding_VC[[shared[index] for index in new_C]]
    return len(shared)


def _by_word(tokenizer: Tokenizer) -> dict[str, int]:
    """The id of each word without the space before it; of the form with a space, where both are known."""
    special = len(tokenizer.special_ids)
    texts = {index: tokenizer.token_text(index) for index in range(special, tokenizer.vocab_size)}
    found = {text.lstrip(" "): index for index, text in texts.items() if not text.startswith(" ")}
    return found | {text.lstrip(" "): index for index, text in texts.items() if text.startswith(" ")}
