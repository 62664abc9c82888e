"""The command that trains, and what it prints meanwhile."""

import contextlib
import dataclasses
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aigc_demo.cli.options import (
    A_PATH,
    AsJson,
    Data,
    Seed,
    Set,
    settings_of,
)
from aigc_demo.cli.output import print_event, print_result
from aigc_demo.core.errors import DemoError
from aigc_demo.core.events import (
    RunFinished,
    RunStarted,
)
from aigc_demo.core.process.console import (
    reader_is_gone,
)
from aigc_demo.core.process.stop_signals import ignore_interrupts, stop_on_signals
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.core.sentences import ENGLISH
from aigc_demo.training.recipes import RECIPES
from aigc_demo.training.tracking import Tracker, check_tracker, tracking

if TYPE_CHECKING:
    from aigc_demo.training.start import Order


def train(
    recipe: Annotated[str, typer.Argument(help=f"What to train: {', '.join(RECIPES)}.")],
    data: Data,
    run_dir: Annotated[Path, typer.Option(**A_PATH, help="Where the run is recorded.")],
    steps: Annotated[int | None, typer.Option(help="The run's last step, also on resume.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Train for so long instead.")] = None,
    stop_after: Annotated[int | None, typer.Option(help="Pause at this step.")] = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --run-dir.")] = False,
    init: Annotated[str | None, typer.Option(help="Start from this model's weights.")] = None,
    track: Annotated[
        Tracker | None, typer.Option(help="Log the run's numbers to this experiment tracker too.")
    ] = None,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Try a few steps, say what the run will take, keep nothing.")
    ] = False,
    set_: Set = [],  # noqa: B006 (typer wants a plain list)
    json_: AsJson = False,
) -> None:
    """Train a model; Ctrl-C, SIGTERM, a closed terminal or pipe save a checkpoint and stop."""
    from aigc_demo.core.device import set_threads
    from aigc_demo.training import start

    set_threads(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))  # set by torchrun and accelerate launch
    stop = stop_on_signals()
    if track:
        check_tracker(track)
    order = start.Order(
        recipe=recipe,
        source=data,
        run_dir=run_dir,
        steps=steps,
        minutes=minutes,
        stop_after=stop_after,
        seed=seed,
        resume=resume,
        init=init,
        settings=settings_of(set_),
    )
    if preflight:
        _preflight(order, json_)
        return
    finished = _follow(order, stop, json_, track)
    ignore_interrupts(stop)
    result = {"run_dir": str(run_dir), **dataclasses.asdict(finished)}
    if start.is_main_process():
        print_result(result, json_)
    if finished.reason == "non-finite":
        if start.is_main_process():
            raise DemoError("loss_not_finite", step=finished.step)
        raise typer.Exit(1)


def _preflight(order: "Order", json_: bool) -> None:
    """Print what a training would take; that it does not fit is an answer, not a failure."""
    from aigc_demo.training import start
    from aigc_demo.training.preflight import preflight

    found = preflight(order)
    if not start.is_main_process():
        return
    problem = found.get("problem")
    if problem and not json_:
        found["problem"] = ENGLISH[problem["key"]].format(**problem["values"])
    print_result(found, json_)


def _follow(order: "Order", stop: threading.Event, json_: bool, track: Tracker | None) -> RunFinished:
    """Train, print what happens, and keep the log of the process that speaks in the run."""
    from aigc_demo.training import start

    finished, tracker, run = None, None, RunDirectory(order.run_dir)
    with contextlib.ExitStack() as beside:
        for event in start.train(order, lambda: stop.is_set() or reader_is_gone()):
            if start.is_main_process():
                if isinstance(event, RunStarted):  # an order that was refused leaves nothing behind
                    beside.enter_context(run.keep_log())
                    if track:
                        tracker = beside.enter_context(tracking(track, run, resumed=order.resume))
                print_event(event, json_)
                warned = tracker.take(event) if tracker else None
                if warned:
                    print_event(warned, json_)
            finished = event if isinstance(event, RunFinished) else None
    assert finished is not None
    return finished
