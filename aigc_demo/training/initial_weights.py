"""Initial weights from another model: what `--init` names, and whether its weights fit."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.data.captions.pairs import PairCorpus, caption_tokenizer, token_ids
from aigc_demo.data.text.answer_pairs import AnswerCorpus
from aigc_demo.data.text.corpus import TextCorpus
from aigc_demo.data.text.documents import DocumentCorpus
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.training.order import Order
from aigc_demo.training.recipes import starting_recipes
from aigc_demo.training.text_settings import TextTrainingSettings

Shaped = TypeVar("Shaped", bound=TextTrainingSettings)


def refuse_init(order: Order, what: str) -> None:
    """Refuse `--init` for a recipe that does not take it.

    Args:
        order: of that recipe.
        what: it trains, with its article.

    Raises:
        InputError: a model is named to start from.
    """
    if order.init is not None:
        expected = f"left away: {what} always starts from random weights"
        raise InputError("setting_range", name="--init", expected=expected, got=order.init)


def init_model(order: Order) -> CatalogEntry:
    """The model that `--init` names.

    Args:
        order: of the run.

    Raises:
        InputError: there is no such model, or another recipe made it.
    """
    entry = find(str(order.init), allow_hub=True)
    recipes = starting_recipes(order.recipe)
    if entry.recipe not in recipes or entry.family == "pretrained":
        detail = f"it was made by {entry.recipe or 'others'}"
        expected = f"was made by the recipe {' or '.join(recipes)}"
        raise InputError("foreign_model", path=entry.name, detail=detail, expected=expected)
    return entry


def tokenizer_of_run(order: Order, checkpoint: Path | None, captions: Sequence[Sequence[str]]) -> Tokenizer:
    """The tokenizer of a run on captions: its checkpoint's, that of `--init`, or a new one.

    Args:
        order: of the run.
        checkpoint: from which it is resumed, if it is.
        captions: of each image, for a new tokenizer.

    Raises:
        InputError: `--init` names no model, or one of another kind.
    """
    if checkpoint is not None:
        return Tokenizer.load(checkpoint)
    if order.init is not None:
        return Tokenizer.load(Path(init_model(order).location))
    return caption_tokenizer(captions)


@dataclass(frozen=True)
class InitialText:
    """The model of text that `--init` names.

    Attributes:
        shape: the settings that a run takes from it.
        tokenizer: of its tokens.
        weights: by their names.
    """

    shape: dict[str, Any]
    tokenizer: Tokenizer
    weights: dict[str, Tensor]


def initial_text(entry: CatalogEntry, network: nn.Module, shape: Mapping[str, str]) -> InitialText:
    """What a run takes from a model of text.

    Args:
        entry: of the model, in a folder.
        network: with its weights.
        shape: for each setting that gives the network its shape, its name in the model's config.json.
    """
    config = read_json(Path(entry.location) / "config.json")
    tokenizer = Tokenizer.load(entry.location)
    found = {name: config[theirs] for name, theirs in shape.items()} | {"tokenizer": tokenizer.kind}
    return InitialText(found, tokenizer, network.state_dict())


def with_shape_of(initial: InitialText, order: Order, settings: Shaped) -> Shaped:
    """The settings with the shape of the model that `--init` names.

    Raises:
        InputError: another shape was asked for.
    """
    for name, old in initial.shape.items():
        new = getattr(settings, name)
        if name in order.settings and new != old:
            raise InputError("init_differs", path=str(order.init), name=name, old=old, new=new)
    return replace(settings, **initial.shape)


def unknown_share(training: Any) -> float:
    """The share of tokens of a training's data that its tokenizer does not know, 0 to 1.

    Args:
        training: on text or on captions; 0 for others.
    """
    corpus = training.corpus
    if isinstance(corpus, TextCorpus):
        tokens = torch.cat([corpus.train, corpus.validation])
        return float((tokens == corpus.tokenizer.unknown_id).float().mean())
    if isinstance(corpus, (DocumentCorpus, AnswerCorpus)):
        return corpus.unknown_share
    if not isinstance(corpus, PairCorpus):
        return 0.0
    of_images = (*corpus.train_captions, *corpus.validation_captions)
    captions = Counter(text for texts in of_images for text in texts)
    ids = {text: token_ids(training.tokenizer, text) for text in captions}
    unknown = sum(ids[text].count(training.tokenizer.unknown_id) * often for text, often in captions.items())
    return unknown / max(1, sum(len(ids[text]) * often for text, often in captions.items()))


def load_initial_weights(
    order: Order, new: Sequence[nn.Module], load: Callable[[Path], Sequence[nn.Module]]
) -> None:
    """Load the weights of the model that `--init` names into new networks.

    Args:
        order: of the run.
        new: networks of the recipe.
        load: from that model's folder to its networks, in the same order.

    Raises:
        InputError: there is none, or it has another shape.
    """
    entry = init_model(order)
    for network, old in zip(new, load(Path(entry.location)), strict=True):
        was: dict[str, Any] = old.config.to_dict()  # type: ignore[operator, union-attr]
        check_shape(order, tuple(was), old, network)
        network.load_state_dict(old.state_dict())


def check_shape(order: Order, names: tuple[str, ...], old: Any, new: Any) -> None:
    """Check that the network of `--init` has the shape of the new one.

    Args:
        order: of the run.
        names: of the values in their configs that have to be equal.
        old: the network of `--init`.
        new: the network to be trained.

    Raises:
        InputError: they differ.
    """
    for name in names:
        was, now = getattr(old.config, name), getattr(new.config, name)
        if isinstance(now, tuple):
            now = list(now)  # as a file has it
        if was != now:
            raise InputError("init_differs", path=str(order.init), name=name, old=was, new=now)
