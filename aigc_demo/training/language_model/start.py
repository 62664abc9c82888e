"""How a training of a language model is put together from an order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.corpus import Tokenizer, prepare_text
from aigc_demo.generators.text.decoding import generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.sampling import SamplingSettings
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.training.initial_weights import model_to_go_on_from
from aigc_demo.training.language_model.networks import NETWORKS
from aigc_demo.training.language_model.training import LanguageModelTraining
from aigc_demo.training.order import Order
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget, LanguageModelSettings


def prepare(
    order: Order, settings: LanguageModelSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> LanguageModelTraining:
    """Data, network and loop, nothing trained yet.

    A run that is resumed from a checkpoint has its tokenizer there; what it once began from is not asked for.
    """
    loaded = load_text(order.source)
    begun = None if order.init is None or checkpoint else _begun(order)
    if begun is not None:
        settings = _with_shape_of(begun, order, settings)
    tokenizer = begun.tokenizer if begun else Tokenizer.load(checkpoint) if checkpoint else None
    corpus = prepare_text(loaded, settings, tokenizer)
    _check_sample(settings, corpus.tokenizer)
    torch.manual_seed(order.seed)
    model = NETWORKS[order.recipe].build(settings, corpus.tokenizer.vocab_size)
    if begun is not None:
        model.load_state_dict(begun.weights)
    return LanguageModelTraining(
        model, corpus, settings, budget, run, seed=order.seed, sample=partial(write_sample, settings)
    )


@dataclass(frozen=True)
class _Begun:
    """A model that a run goes on from (`--init`)."""

    shape: dict[str, Any]
    tokenizer: Tokenizer
    weights: dict[str, Tensor]


def _begun(order: Order) -> _Begun:
    """Load what `--init` names.

    Raises:
        InputError: there is no such model, or another recipe made it.
    """
    entry = model_to_go_on_from(order)
    loaded = load_text_model(entry)
    ours = recipe_named(order.recipe).ours
    network: nn.Module = loaded.decoder if ours else loaded.network  # type: ignore[attr-defined]
    config = read_json(Path(entry.location) / "config.json")
    tokenizer = Tokenizer.load(entry.location)
    shape = {name: config[theirs] for name, theirs in NETWORKS[order.recipe].shape.items()} | {
        "tokenizer": tokenizer.kind
    }
    return _Begun(shape, tokenizer, network.state_dict())


def _with_shape_of(begun: _Begun, order: Order, settings: LanguageModelSettings) -> LanguageModelSettings:
    """The settings with the shape of the model that the run goes on from.

    Raises:
        InputError: another shape was asked for.
    """
    for name, old in begun.shape.items():
        new = getattr(settings, name)
        if name in order.settings and new != old:
            raise InputError("init_differs", path=str(order.init), name=name, old=old, new=new)
    return replace(settings, **begun.shape)


def _check_sample(settings: LanguageModelSettings, tokenizer: Tokenizer) -> None:
    """Refuse before the first step a sample that no checkpoint could write."""
    length = len(tokenizer.encode(clean_text(settings.sample_prompt)))
    if length >= settings.context_length:
        expected = f"at most {settings.context_length - 1} tokens long"
        raise InputError("setting_range", name="sample_prompt", expected=expected, got=length)


def write_sample(
    settings: LanguageModelSettings, checkpoint: Path, should_stop: Callable[[], bool] = lambda: False
) -> str:
    """What the model in a checkpoint writes, from the same prompt and random numbers each time."""
    if not settings.sample_tokens:
        return ""
    sampling = SamplingSettings(max_new_tokens=settings.sample_tokens, seed=0)
    with torch.random.fork_rng(devices=[]):  # loading draws random weights, and dropout shall not notice
        writer = load_text_model(folder_entry(checkpoint, checkpoint.name))
        tokens = generate(writer, settings.sample_prompt, sampling, should_stop)
        return clean_text(settings.sample_prompt) + "".join(token.text for token in tokens)


def networks(recipe: str, settings: LanguageModelSettings) -> list[nn.Module]:
    """The network in its smallest vocabulary: what a first look at its size needs."""
    return [NETWORKS[recipe].build(settings, 2)]
