"""What can be trained, and how a training is put together from its name, a source and settings."""

import contextlib
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor, nn

from aigc_demo import __version__
from aigc_demo.core.config import Settings
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunFinished, TrainEvent
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.core.weights_file import read_json
from aigc_demo.data.sources import load_text
from aigc_demo.data.text import TextSettings, Tokenizer, prepare_text
from aigc_demo.generators.catalog import find, folder_entry
from aigc_demo.generators.decoding import generate
from aigc_demo.generators.sampling import SamplingSettings
from aigc_demo.generators.text import load_text_model
from aigc_demo.nets.gpt2_weights import SHAPE as GPT2_SHAPE
from aigc_demo.nets.transformer import Decoder, TransformerConfig
from aigc_demo.training.language_model import Budget, LanguageModelSettings, LanguageModelTraining


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is trained.

    Attributes:
        settings: the class of its settings.
        build: makes the network from the settings and the size of the vocabulary.
        defaults: settings that differ from those of its class.
        ours: whether the network is written here.
        shape: for each setting that gives the network its shape, its name in the model's config.json.
    """

    settings: type[LanguageModelSettings]
    build: Callable[[LanguageModelSettings, int], nn.Module]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = True
    shape: Mapping[str, str] = field(default_factory=dict)


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


RECIPES: dict[str, Recipe] = {
    "gpt": Recipe(LanguageModelSettings, build_gpt, shape={name: name for name in GPT2_SHAPE}),
    "gpt2": Recipe(
        LanguageModelSettings,
        build_gpt2,
        # As the library's users train it: AdamW with a cosine, tied embeddings.
        defaults={
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "schedule": "cosine",
            "tie_embeddings": True,
        },
        ours=False,
        shape=GPT2_SHAPE,
    ),
}


@dataclass(frozen=True)
class Order:
    """What a user asks to be trained, before anything is checked against data or disk."""

    recipe: str
    source: str
    run_dir: Path
    steps: int | None = None
    minutes: float | None = None
    stop_after: int | None = None
    seed: int = 0
    resume: bool = False
    init: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def train(order: Order, should_stop: Callable[[], bool] = lambda: False) -> Iterator[TrainEvent]:
    """Check the order, then train and say what happens; every event is on disk before it is given out.

    Args:
        order: what to train; with `resume`, what was ordered first (or less) at the same place.
        should_stop: asked before each step.

    Raises:
        InputError: something asked for cannot be done; nothing was written.
    """
    run = RunDirectory(order.run_dir)
    if order.resume:
        order = _first_order(run, order)
    recipe = recipe_named(order.recipe)
    settings = recipe.settings.from_mapping({**recipe.defaults, **order.settings})
    budget = Budget(steps=order.steps, minutes=order.minutes, stop_after=order.stop_after)
    training = _prepare(order, recipe, settings, budget, run)
    settings = training.settings
    main = training.accelerator.is_main_process
    if main and not order.resume:
        run.create(_config(order, settings, training))
    training.accelerator.wait_for_everyone()
    step = 0
    try:
        for event in training.events(should_stop, resume=order.resume):
            step = event.step
            if main:
                run.append(event)
            yield event
    except Exception:
        if main:  # whoever follows the run learns that nothing more will come
            with contextlib.suppress(DemoError):
                run.append(RunFinished(step=step, reason="failed"))
        raise


def speaks() -> bool:
    """Whether this process, of several that train together, is the one that reports."""
    return PartialState().is_main_process


def recipe_named(name: str) -> Recipe:
    """The recipe.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError("unknown_recipe", name=name, known=", ".join(RECIPES))
    return RECIPES[name]


def _prepare(
    order: Order, recipe: Recipe, settings: LanguageModelSettings, budget: Budget, run: RunDirectory
) -> LanguageModelTraining:
    """Data, network and loop, nothing trained yet."""
    if not order.resume and run.exists():
        raise InputError("run_exists", path=str(run.path))
    loaded = load_text(order.source)
    begun = None if order.init is None else _begun(order, recipe)
    if begun is not None:
        settings = _with_shape_of(begun, order, settings)
    text_settings = TextSettings(tokenizer=settings.tokenizer, vocab_size=settings.vocab_size)
    corpus = prepare_text(loaded, text_settings, begun.tokenizer if begun else None)
    _check_sample(settings, corpus.tokenizer)
    if order.resume and corpus.sha256 != run.config()["data"]["sha256"]:
        raise InputError("data_changed", path=str(run.path), source=order.source)
    torch.manual_seed(order.seed)
    model = recipe.build(settings, corpus.tokenizer.vocab_size)
    if begun is not None and not order.resume:
        model.load_state_dict(begun.weights)
    return LanguageModelTraining(
        model, corpus, settings, budget, run, seed=order.seed, sample=partial(_sample, settings)
    )


@dataclass(frozen=True)
class _Begun:
    """A model that a run goes on from (`--init`)."""

    shape: dict[str, Any]
    tokenizer: Tokenizer
    weights: dict[str, Tensor]


def _begun(order: Order, recipe: Recipe) -> _Begun:
    """Load what `--init` names.

    Raises:
        InputError: there is no such model, or another recipe made it.
    """
    entry = find(str(order.init), allow_hub=True)
    if entry.recipe != order.recipe or entry.on_hub:
        detail = f"it was made by {entry.recipe or 'others'}"
        expected = f"was made by the recipe {order.recipe}"
        raise InputError("foreign_model", path=entry.name, detail=detail, expected=expected)
    loaded = load_text_model(entry)
    network: nn.Module = loaded.decoder if recipe.ours else loaded.network  # type: ignore[attr-defined]
    config = read_json(Path(entry.location) / "config.json")
    tokenizer = Tokenizer.load(entry.location)
    shape = {name: config[theirs] for name, theirs in recipe.shape.items()} | {"tokenizer": tokenizer.kind}
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
    length = len(tokenizer.encode(settings.sample_prompt))
    if length >= settings.context_length:
        expected = f"at most {settings.context_length - 1} tokens long"
        raise InputError("setting_range", name="sample_prompt", expected=expected, got=length)


def _sample(settings: LanguageModelSettings, checkpoint: Path) -> str:
    """What the model in a checkpoint writes, from the same prompt and random numbers each time."""
    sampling = SamplingSettings(max_new_tokens=settings.sample_tokens, seed=0)
    with torch.random.fork_rng(devices=[]):  # loading draws random weights, and dropout shall not notice
        writer = load_text_model(folder_entry(checkpoint, checkpoint.name))
        tokens = generate(writer, settings.sample_prompt, sampling)
        return settings.sample_prompt + "".join(token.text for token in tokens)


def _first_order(run: RunDirectory, order: Order) -> Order:
    """The order that the run was started with.

    Raises:
        InputError: there is no run, or what is asked now differs from what was asked then.
    """
    config = run.config()
    missing = {"recipe", "source", "steps", "minutes", "seed", "init", "settings", "data"} - set(config)
    if missing:
        raise InputError("broken_checkpoint", path=str(run.path), detail="config.json lacks " + min(missing))
    asked = {"recipe": order.recipe, "source": order.source, "steps": order.steps, "minutes": order.minutes}
    # Through the settings' own types: 1e-3 and 0.001 ask for the same.
    typed = recipe_named(config["recipe"]).settings.from_mapping({**config["settings"], **order.settings})
    given = {name: getattr(typed, name) for name in order.settings}
    first = {**config, **config["settings"]}
    for name, new in {**asked, **given}.items():
        if (new is not None or name in given) and first[name] != new:
            raise InputError("resume_differs", path=str(run.path), name=name, old=first[name], new=new)
    return Order(
        recipe=config["recipe"],
        source=config["source"],
        run_dir=run.path,
        steps=config["steps"],
        minutes=config["minutes"],
        stop_after=order.stop_after,
        seed=config["seed"],
        resume=True,
        init=config["init"],
        settings=config["settings"],
    )


def _config(order: Order, settings: Settings, training: LanguageModelTraining) -> dict[str, Any]:
    """What a run directory says of itself."""
    corpus = training.corpus
    return {
        "recipe": order.recipe,
        "source": order.source,
        "steps": order.steps,
        "minutes": order.minutes,
        "seed": order.seed,
        "init": order.init,
        "settings": settings.to_dict(),
        "data": {"name": corpus.name, "sha256": corpus.sha256},
        "num_processes": training.accelerator.num_processes,
        "versions": {
            "aigc_demo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }
