"""What the commands print: results and events, for a person or as JSON."""

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer

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
from aigc_demo.core.process.console import (
    printable_json,
    readable,
    reader_is_behind,
)
from aigc_demo.core.run_directory import LOGGER
from aigc_demo.core.sentences import ENGLISH

TEXT = "\n\t"  # control characters that a text may have


def print_result(result: dict[str, Any], as_json: bool) -> None:
    """The last line of every command."""
    if as_json:
        print(printable_json(json.dumps(result, ensure_ascii=False)), flush=True)
        return
    for name, value in result.items():
        print(f"{name}: {readable(value, keep=TEXT if name == 'text' else '')}")


def print_text(text: str) -> None:
    """Print lines in which nothing but letters, line feeds and tabs reaches a terminal."""
    print(readable(text, keep=TEXT), flush=True)


def print_line(text: str) -> None:
    """Print one line, without control characters."""
    print(readable(text))


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Rows with as many cells each, every column as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_help(context: typer.Context) -> None:
    """Print what a command is for."""
    print(context.get_help())


def print_event(event: TrainEvent, json_: bool) -> None:
    """Print an event, and keep it in the log unless it is one of very many: those wait for no reader."""
    if not isinstance(event, StepDone):
        LOGGER.info("%s", event_line(event))
    elif reader_is_behind():
        return
    if json_:
        print(printable_json(to_json(event)), flush=True)
    else:
        print_text(event_line(event))


def print_error_and_exit(sentence: str, status: int) -> NoReturn:
    print(readable(" ".join(sentence.split())), file=sys.stderr)
    sys.exit(status)


def event_line(event: TrainEvent) -> str:
    """An event as a line for a person."""
    match event:
        case RunStarted(step=step, facts=facts):
            return f"from step {step}: {_facts(facts)}" + "".join(
                f"\n{_prepared(part)}" for part in facts.get("preparation", [])
            )
        case StepDone(step=step, loss=loss, metrics=metrics):
            return f"step {step}  loss {loss:.4f}  {_rate(metrics)}"
        case ValidationDone(step=step, loss=loss, metrics=metrics):
            full = metrics.get("full_loss")
            return f"step {step}  validation loss {loss:.4f}" + (
                "" if full is None else f", over all windows {full:.4f}"
            )
        case SampleReady(file=file, text="") if file.endswith(".png"):
            return f"drew {file}"
        case SampleReady(text=text):
            return f"--- sample\n{text}\n---"
        case CheckpointSaved(path=path):
            return f"saved {readable(path)}"
        case Warned(key=key, values=values):
            return readable(f"warning: {ENGLISH[key].format(**values)}")
        case RunFinished(step=step, reason=reason):
            return f"{reason} at step {step}"


def _rate(metrics: dict[str, int | float]) -> str:
    """How fast a step went, in what its recipe learns from."""
    rates = {"tokens": "tokens_per_second", "pictures": "pictures_per_second"}
    return ", ".join(f"{metrics[name]:,.0f} {unit}/s" for unit, name in rates.items() if name in metrics)


def _facts(facts: dict[str, Any]) -> str:
    """Names and values on one line; what is not known and what is longer than a line left out."""
    plain = {name: value for name, value in facts.items() if not isinstance(value, (dict, list))}
    plain |= facts.get("machine", {})
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:,}' if isinstance(value, int) else readable(value)}"
        for name, value in plain.items()
        if value is not None
    )


def _prepared(step: dict[str, Any]) -> str:
    """A line of the preparation report."""
    unit = "tokens" if step["name"] == "encode" else step.get("unit", "characters")
    lost = "unknown" if step["name"] == "encode" else "dropped"
    counted = {name: value for name, value in step["facts"].items() if value != 0}
    counts = f"{step['name'].replace('_', ' ')}: {step['kept']:,} {unit}, {step['dropped']:,} {lost}"
    return f"  {counts}; {_facts(counted)}" if counted else f"  {counts}"
