"""Initial weights of an encoder-decoder: from another one, or from a pretrained encoder."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.generators.answers.model import load_answers
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.text.library_encoder import load_library_encoder
from aigc_demo.generators.text.our_encoder import load_our_encoder
from aigc_demo.nets.text.bert_weights import TRAINED_SHAPE
from aigc_demo.training.initial_weights import InitialText, init_model, initial_text
from aigc_demo.training.order import Order
from aigc_demo.training.text_settings import SHAPE


def load_initial(order: Order) -> InitialText:
    """What a run takes from the model that `--init` names: shape, tokenizer, and weights by the new names.

    Raises:
        InputError: there is no such model, it is broken, or another recipe made it.
    """
    entry = init_model(order)
    names = {name: name for name in SHAPE}
    if entry.recipe == order.recipe:
        network: Any = load_answers(entry).network
        return initial_text(entry, network.network, names)
    if entry.recipe == "bert":
        return _renamed(entry, load_our_encoder(Path(entry.location))[0], names, OUR_NAMES)
    encoder, _ = load_library_encoder(Path(entry.location), trained=True)
    return _renamed(entry, encoder, TRAINED_SHAPE, LIBRARY_NAMES)


# For the beginning of a name in the encoder, the beginnings of the names that take its weights.
OUR_NAMES = {
    r"encoder\.(?=blocks|norm|position|embedding_norm)": ("encoder.", "decoder."),
    r"encoder\.": ("encoder.",),
    r"masked_token_head\.(?=bias)": ("",),
    r"masked_token_head\.(?=weight)": ("head.",),
}
LIBRARY_NAMES = {
    r"bert\.(?=pooler)": ("encoder.",),
    r"bert\.": ("encoder.", "decoder.bert."),
    r"cls\.(?=predictions)": ("decoder.cls.",),
}


def _renamed(
    entry: CatalogEntry, encoder: Any, shape: Mapping[str, str], names: Mapping[str, tuple[str, ...]]
) -> InitialText:
    initial = initial_text(entry, encoder.network, shape)
    weights = {}
    for name, tensor in initial.weights.items():
        for new_name in new_names(name, names):
            weights[new_name] = tensor
    return InitialText(initial.shape, initial.tokenizer, weights)


def new_names(name: str, names: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Where an encoder's weight goes in an encoder-decoder; nowhere with the next-sentence head.

    Args:
        name: in the encoder.
        names: `OUR_NAMES` or `LIBRARY_NAMES`; the first that fits holds.
    """
    for beginning, new in names.items():
        if match := re.match(beginning, name):
            return [f"{start}{name[match.end() :]}" for start in new]
    return []


def fill(model: nn.Module, weights: Mapping[str, Tensor], order: Order) -> None:
    """Put initial weights into a network; cross-attention, which an encoder has not, stays as it is.

    Raises:
        InputError: one has another shape, or the network has no such weight.
    """
    state = model.state_dict()
    for name, tensor in weights.items():
        old, new = list(tensor.shape), list(state[name].shape) if name in state else None
        if old != new:
            raise InputError("init_differs", path=str(order.init), name=name, old=old, new=new)
    model.load_state_dict({**state, **weights})
