"""Start or resume a training: from an order to its events."""

import contextlib
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from aigc_demo import __version__
from aigc_demo.core.bounds import check_disk, limit_memory
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import CheckpointSaved, RunFinished, TrainEvent
from aigc_demo.core.files.manifest import step_of
from aigc_demo.core.files.paths import check_new_folder
from aigc_demo.core.process.stop_signals import StopAskedError, at_once
from aigc_demo.core.process.worker import check_no_worker, worker_lock
from aigc_demo.core.run_directory import LOGGER, RunDirectory
from aigc_demo.training.checkpoint import last_state
from aigc_demo.training.family import family_of
from aigc_demo.training.initial_weights import unknown_share
from aigc_demo.training.loops.loop import TrainingLoop
from aigc_demo.training.order import Order
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget, spread_over_the_run

__all__ = ["Order", "is_main_process", "order_in_full", "train"]


def train(order: Order, should_stop: Callable[[], bool] = lambda: False) -> Iterator[TrainEvent]:
    """Check the order, then train and yield events; every event is on disk before it is yielded.

    Args:
        order: what to train; with `resume`, the first order of that run directory, or a part of it.
        should_stop: asked before each step, and before the preparation, which a signal ends at once
            (`core.stop_signals`). A run that is stopped before its first step ends with `RunFinished` alone;
            a new one leaves nothing on the disk.

    Raises:
        InputError: the order cannot be carried out; nothing was written.
    """
    run, step = RunDirectory(order.run_dir), 0
    if not torch.cuda.is_available():  # CUDA reserves far more address space than it uses
        limit_memory()
    with contextlib.ExitStack() as work:
        try:
            training, checkpoint = _begin(order, run, work, should_stop)
            step = 0 if checkpoint is None else step_of(checkpoint)
        except StopAskedError:
            finished = RunFinished(step=step_of(last_state(run)) if order.resume else 0, reason="stopped")
            if order.resume and is_main_process():
                run.append(finished)
            yield finished
            return
        try:
            with _memory_errors():
                for event in training.events(should_stop, resume_from=checkpoint):
                    step = event.step
                    if is_main_process():
                        run.append(event)
                    yield event
                    if isinstance(event, CheckpointSaved) and is_main_process():
                        check_disk(run.path)
        except Exception:
            if is_main_process():  # so that a page that follows the run does not wait for more
                if LOGGER.hasHandlers():  # without a log, Python would put the stack trace before the user
                    LOGGER.exception("failed after step %d", step)
                with contextlib.suppress(DemoError):
                    run.append(RunFinished(step=step, reason="failed"))
            raise


def _begin(
    order: Order, run: RunDirectory, work: contextlib.ExitStack, should_stop: Callable[[], bool]
) -> tuple[TrainingLoop, Path | None]:
    """Everything before the first step: the training, and the checkpoint that it is resumed from.

    Raises:
        StopAskedError: before anything was written.
    """
    checkpoint, first = None, _is_first()
    if first:  # of several that train together, the others find this one at work
        check_no_worker(run.path)
    asked, order = order, order_in_full(order)
    if order.resume:
        # Locked before the run is read: the process that trained it until now may have taken it further.
        if first:
            work.enter_context(worker_lock(run.path))
        order = order_in_full(asked)
        checkpoint = last_state(run)
    with _memory_errors(), at_once():
        if should_stop():
            raise StopAskedError
        training = _prepare(order, run, checkpoint)
    training.accelerator.wait_for_everyone()  # all have looked whether there is a run before one makes it
    if order.resume and last_state(run) != checkpoint:  # one that looked before the first had the lock
        raise InputError("run_busy", path=str(run.path))
    if is_main_process():
        if checkpoint is None:
            run.create(_config(order, training))
            work.enter_context(worker_lock(run.path))
        else:
            _record_changes(order, run)
    training.accelerator.wait_for_everyone()
    return training, checkpoint


def _record_changes(order: Order, run: RunDirectory) -> None:
    """Record a new place of the data, or a longer budget."""
    config = run.config()
    now = {"source": order.source, "steps": order.steps, "minutes": order.minutes}
    if any(config[name] != value for name, value in now.items()):
        run.change_config(**now)


@contextlib.contextmanager
def _memory_errors() -> Iterator[None]:
    """An error in one sentence where memory ran out, for which torch raises a RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        raise DemoError("out_of_memory") from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def _is_first() -> bool:
    """The same as `is_main_process`, before the processes know of each other."""
    return os.environ.get("RANK", "0") == "0"


def is_main_process() -> bool:
    """Whether this process, of several that train together, records the run and reports."""
    return PartialState().is_main_process


def _prepare(order: Order, run: RunDirectory, checkpoint: Path | None) -> TrainingLoop:
    """The loop with its data and networks, untrained."""
    recipe = recipe_named(order.recipe)
    settings = recipe.complete(order.settings, order.source)
    budget = Budget(steps=order.steps, minutes=order.minutes, stop_after=order.stop_after)
    if checkpoint is None:
        check_new_run(run)
    training = family_of(recipe).prepare(order, settings, budget, run, checkpoint)
    if order.init is not None and checkpoint is None:
        training.unknown_share = unknown_share(training)
        training.init_name = order.init
    if checkpoint and training.corpus.sha256 != run.config()["data"]["sha256"]:
        raise InputError("data_changed", path=str(run.path), source=order.source)
    return training


def check_new_run(run: RunDirectory) -> None:
    """Refuse, before anything is loaded, a folder where no run can be started.

    Raises:
        InputError: there is a run already, or the folder cannot be made or written to.
    """
    if run.exists():
        raise InputError("run_exists", path=str(run.path))
    check_new_folder(run.path)


def order_in_full(order: Order) -> Order:
    """The order itself; to resume, the one that the run was started with.

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
    # The source is not compared: data may be moved, and are known by their content.
    asked = {name: getattr(order, name) for name in ("recipe", "steps", "minutes", "init")}
    asked["seed"] = order.seed or None  # 0 is what a command without --seed asks for
    given = {name: new for name, new in asked.items() if new is not None}
    # Through the settings' own types: 1e-3 and 0.001 ask for the same.
    settings = recipe_named(config["recipe"]).settings
    was = settings.from_mapping(config["settings"]).to_dict()
    whole = settings.from_mapping({**config["settings"], **order.settings})
    now = whole.to_dict()
    longer = {name for name in ("steps", "minutes") if _is_longer(config[name], given.get(name))}
    for name, new in {**given, **now}.items():
        old = {**config, **was}[name]
        if old != new and name not in longer:
            raise InputError("resume_differs", path=str(run.path), name=name, old=old, new=new)
    spread = spread_over_the_run(whole)
    for unit in longer if spread else ():
        old, new = config[unit], given[unit]
        raise InputError("more_steps", path=str(run.path), spread=spread, unit=unit, old=old, new=new)
    return Order(
        recipe=config["recipe"],
        source=order.source,
        run_dir=run.path,
        steps=given["steps"] if "steps" in longer else config["steps"],
        minutes=given["minutes"] if "minutes" in longer else config["minutes"],
        stop_after=order.stop_after,
        seed=config["seed"],
        resume=True,
        init=config["init"],
        settings=config["settings"],
    )


def _is_longer(old: Any, new: Any) -> bool:
    return old is not None and new is not None and new > old


def _config(order: Order, training: TrainingLoop) -> dict[str, Any]:
    """The run's config.json."""
    corpus = training.corpus
    return {
        "recipe": order.recipe,
        "source": order.source,
        "steps": order.steps,
        "minutes": order.minutes,
        "seed": order.seed,
        "init": order.init,
        "settings": training.loop_settings.to_dict(),
        "data": {"name": corpus.name, "sha256": corpus.sha256},
        "num_processes": training.accelerator.num_processes,
        "versions": {
            "aigc_demo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }
