"""How a training is put together from a recipe's name, a source and settings, and set going."""

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
from aigc_demo.core.run_directory import LOGGER, RunDirectory
from aigc_demo.core.weights_file import read_json
from aigc_demo.core.worker import at_work
from aigc_demo.data.sources import load_text
from aigc_demo.data.text import Tokenizer, prepare_text
from aigc_demo.generators.catalog import find, folder_entry
from aigc_demo.generators.decoding import generate
from aigc_demo.generators.sampling import SamplingSettings
from aigc_demo.generators.text import load_text_model
from aigc_demo.training.checkpoint import last_state
from aigc_demo.training.language_model import LanguageModelTraining
from aigc_demo.training.networks import NETWORKS
from aigc_demo.training.recipes import Recipe, recipe_named
from aigc_demo.training.settings import Budget, LanguageModelSettings


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
    run, step = RunDirectory(order.run_dir), 0
    with contextlib.ExitStack() as work:
        training, checkpoint = _begin(order, run, work)
        try:
            with _memory_in_words():
                for event in training.events(should_stop, resume_from=checkpoint):
                    step = event.step
                    if speaks():
                        run.append(event)
                    yield event
        except Exception:
            if speaks():  # whoever follows the run learns that nothing more will come
                if LOGGER.hasHandlers():  # without a log, Python would put the stack trace before the user
                    LOGGER.exception("failed after step %d", step)
                with contextlib.suppress(DemoError):
                    run.append(RunFinished(step=step, reason="failed"))
            raise


def _begin(
    order: Order, run: RunDirectory, work: contextlib.ExitStack
) -> tuple[LanguageModelTraining, Path | None]:
    """Everything before the first step: the training, and the checkpoint that it goes on from."""
    checkpoint = None
    order = order_in_full(order)
    if order.resume:
        checkpoint = last_state(run)
    with _memory_in_words():
        training = _prepare(order, run, checkpoint)
    training.accelerator.wait_for_everyone()  # all have looked whether there is a run before one makes it
    if speaks():
        if checkpoint is None:
            run.create(_config(order, training.settings, training))
        work.enter_context(at_work(run.path))
    training.accelerator.wait_for_everyone()
    return training, checkpoint


@contextlib.contextmanager
def _memory_in_words() -> Iterator[None]:
    """One sentence where memory ran out, which torch says as a RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        raise DemoError("out_of_memory") from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def speaks() -> bool:
    """Whether this process, of several that train together, is the one that reports."""
    return PartialState().is_main_process


def _prepare(order: Order, run: RunDirectory, checkpoint: Path | None) -> LanguageModelTraining:
    """Data, network and loop, nothing trained yet.

    A run that is resumed from a checkpoint has its tokenizer there; what it once began from is not asked for.
    """
    recipe = recipe_named(order.recipe)
    settings = recipe.complete(order.settings, order.source)
    budget = Budget(steps=order.steps, minutes=order.minutes, stop_after=order.stop_after)
    if checkpoint is None and run.exists():
        raise InputError("run_exists", path=str(run.path))
    loaded = load_text(order.source)
    begun = None if order.init is None or checkpoint else _begun(order, recipe)
    if begun is not None:
        settings = _with_shape_of(begun, order, settings)
    tokenizer = begun.tokenizer if begun else Tokenizer.load(checkpoint) if checkpoint else None
    corpus = prepare_text(loaded, settings, tokenizer)
    _check_sample(settings, corpus.tokenizer)
    if checkpoint and corpus.sha256 != run.config()["data"]["sha256"]:
        raise InputError("data_changed", path=str(run.path), source=order.source)
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
    length = len(tokenizer.encode(settings.sample_prompt))
    if length >= settings.context_length:
        expected = f"at most {settings.context_length - 1} tokens long"
        raise InputError("setting_range", name="sample_prompt", expected=expected, got=length)


def write_sample(
    settings: LanguageModelSettings, checkpoint: Path, should_stop: Callable[[], bool] = lambda: False
) -> str:
    """What the model in a checkpoint writes, from the same prompt and random numbers each time."""
    sampling = SamplingSettings(max_new_tokens=settings.sample_tokens, seed=0)
    with torch.random.fork_rng(devices=[]):  # loading draws random weights, and dropout shall not notice
        writer = load_text_model(folder_entry(checkpoint, checkpoint.name))
        tokens = generate(writer, settings.sample_prompt, sampling, should_stop)
        return settings.sample_prompt + "".join(token.text for token in tokens)


def order_in_full(order: Order) -> Order:
    """An order as it is; to resume, the one that the run was started with.

    Raises:
        InputError: there is no run, or what is asked now differs from what was asked then.
    """
    return _first_order(RunDirectory(order.run_dir), order) if order.resume else order


def _first_order(run: RunDirectory, order: Order) -> Order:
    """The order that the run was started with.

    Raises:
        InputError: there is no run, or what is asked now differs from what was asked then.
    """
    config = run.config()
    missing = {"recipe", "source", "steps", "minutes", "seed", "init", "settings", "data"} - set(config)
    if missing:
        raise InputError("broken_checkpoint", path=str(run.path), detail="config.json lacks " + min(missing))
    asked = {name: getattr(order, name) for name in ("recipe", "source", "steps", "minutes", "init")}
    asked["seed"] = order.seed or None  # 0 is what a command without --seed asks for
    given = {name: new for name, new in asked.items() if new is not None}
    # Through the settings' own types: 1e-3 and 0.001 ask for the same.
    settings = recipe_named(config["recipe"]).settings
    was = settings.from_mapping(config["settings"]).to_dict()
    now = settings.from_mapping({**config["settings"], **order.settings}).to_dict()
    for name, new in {**given, **now}.items():
        old = {**config, **was}[name]
        if old != new:
            raise InputError("resume_differs", path=str(run.path), name=name, old=old, new=new)
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
