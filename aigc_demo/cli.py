"""The command line: the same use cases as the page, for terminals, scripts and the page's own workers."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
    Warned,
    to_json,
)

app = typer.Typer(
    help="Generative models from scratch, beside their library and pretrained peers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, the last one the result.")]
Set = Annotated[list[str], typer.Option("--set", help="name=value, as often as needed.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.", min=0)]


@app.callback()
def about() -> None:
    """Generative models from scratch, beside their library and pretrained peers."""


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="What to train: gpt, gpt2.")],
    data: Annotated[str, typer.Option(help="tiny-world, a .txt file, or hf:owner/name[:config].")],
    run_dir: Annotated[Path, typer.Option(help="Where the run is recorded.")],
    steps: Annotated[int | None, typer.Option(help="The run's last step, also on resume.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Train for so long instead.")] = None,
    stop_after: Annotated[int | None, typer.Option(help="Pause at this step.")] = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --run-dir.")] = False,
    init: Annotated[str | None, typer.Option(help="Start from this model's weights.")] = None,
    set_: Set = [],  # noqa: B006 (typer wants a plain list)
    json_: Json = False,
) -> None:
    """Train a model; Ctrl-C or SIGTERM saves a checkpoint and stops."""
    from aigc_demo.training import recipes

    stop = _stop_on_signals()
    order = recipes.Order(
        recipe=recipe,
        source=data,
        run_dir=run_dir,
        steps=steps,
        minutes=minutes,
        stop_after=stop_after,
        seed=seed,
        resume=resume,
        init=None if init is None else Path(init),
        settings=_settings(set_),
    )
    finished = None
    for event in recipes.train(order, stop.is_set):
        if recipes.speaks():
            print(to_json(event) if json_ else _sentence(event), flush=True)
        finished = event if isinstance(event, RunFinished) else None
    assert finished is not None
    result = {
        "run_dir": str(run_dir),
        "reason": finished.reason,
        "step": finished.step,
        "validation_loss": finished.validation_loss,
        "best_validation_loss": finished.best_validation_loss,
    }
    if recipes.speaks():
        _result(result, json_)
    if finished.reason == "non-finite":
        raise typer.Exit(1)


def _sentence(event: TrainEvent) -> str:
    """An event as a line for a person."""
    match event:
        case RunStarted(step=step, facts=facts):
            described = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
            return f"from step {step}: {described}"
        case StepDone(step=step, loss=loss, measures=measures):
            rate = measures.get("tokens_per_second", 0)
            return f"step {step}  loss {loss:.4f}  {rate:,.0f} tokens/s"
        case ValidationDone(step=step, loss=loss):
            return f"step {step}  validation loss {loss:.4f}"
        case SampleReady(text=text):
            return f"--- sample\n{text}\n---"
        case CheckpointSaved(path=path):
            return f"saved {path}"
        case Warned(key=key, values=values):
            return f"warning: {key} {values}"
        case RunFinished(step=step, reason=reason):
            return f"{reason} at step {step}"


def _settings(pairs: list[str]) -> dict[str, str]:
    """`name=value` pairs as a mapping.

    Raises:
        InputError: a pair has no equals sign.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise InputError("setting_type", name="--set", expected="name=value", got=pair[:60])
        found[name.strip()] = value
    return found


def _stop_on_signals() -> threading.Event:
    """An event that SIGTERM and the first Ctrl-C set; the second Ctrl-C ends at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _result(result: dict[str, Any], as_json: bool) -> None:
    """The last line of every command."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False), flush=True)
        return
    for name, value in result.items():
        print(f"{name}: {value}")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """One line on standard error instead of a stack trace."""
    try:
        yield
    except DemoError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(error.exit_code)


def main(run: Callable[[], None] = app) -> None:
    """Run the command line."""
    with _plain_errors():
        run()
