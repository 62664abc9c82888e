"""The receipt that goes with shipped weights: what made them, and how good they are, as measured."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.core.device import cpu_quota
from aigc_demo.core.events import RunStarted, StepDone, TrainEvent
from aigc_demo.core.machine import processor
from aigc_demo.core.run_directory import RunDirectory


@dataclass(frozen=True)
class DataFacts:
    """What a card says of the data.

    Attributes:
        title: what it is, in a few words.
        origin: where it is from.
        licence: on which terms.
        language: code for the front matter, such as en or zh.
    """

    title: str
    origin: str
    licence: str
    language: str


def model_card(name: str, run: RunDirectory, step: int, data: DataFacts, figures: Mapping[str, Any]) -> str:
    """The text of README.md for a trained model.

    Args:
        name: in the catalog.
        run: what trained it.
        step: after how many of its steps.
        data: what it was trained on.
        figures: what `evaluate` measured on the shipped file.

    Returns:
        Markdown with the Hub's front matter.
    """
    config = run.config()
    events = [event for event in run.events() if event.step <= step]
    facts = next(event.facts for event in events if isinstance(event, RunStarted))
    ours = config["recipe"] == "gpt"
    what = (
        "A decoder-only Transformer written from scratch in this project"
        if ours
        else "The library baseline: transformers' GPT2LMHeadModel, trained by this project on the same data"
    )
    return f"""---
license: mit
language: {data.language}
library_name: {"aigc-demo" if ours else "transformers"}
pipeline_tag: text-generation
tags: [aigc-demo, {config["recipe"]}, {config["settings"]["tokenizer"]}]
---

# {name}

{what}. {facts["num_parameters"]:,} parameters, weights in half precision.

## How it was made

```
{command(config)}
```

| | |
| --- | --- |
| data | {data.title}; {data.origin}; {data.licence} |
| SHA-256 of the data | `{config["data"]["sha256"]}` |
| seed | {config["seed"]} |
| steps | {_last_step(events):,}, {_tokens(config, events):,} tokens |
| minutes of training | {_seconds(events) / 60:.1f} |
| machine | {_machines(events)} |
| versions | {", ".join(f"{part} {version}" for part, version in config["versions"].items())} |

## How good it is

Measured with the file as shipped on {figures["num_characters"]:,} held-out characters
({figures["num_bytes"]:,} bytes), the last {figures["preparation"]["validation_fraction"]:.0%} of the data:
every character predicted once, in consecutive windows of {config["settings"]["context_length"]}.

| | |
| --- | --- |
| bits per character | {figures["bits_per_character"]:.4f} |
| bits per byte | {figures["bits_per_byte"]:.4f} |
| characters outside the vocabulary | {figures["num_unknown"]:,} |

A character outside the vocabulary costs its unknown token plus 8 bits for every byte of it.

## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It writes text that looks like its data
and knows nothing else; do not rely on anything it says.
"""


def command(config: Mapping[str, Any]) -> str:
    """The command line that repeats a run; data by its file name."""
    words = ["python", "-m", "aigc_demo", "train", config["recipe"]]
    words += [
        "--data",
        Path(config["source"]).name if config["source"].endswith(".txt") else config["source"],
    ]
    words += ["--run-dir", "RUN", "--seed", str(config["seed"])]
    words += ["--init", config["init"]] if config["init"] else []
    words += ["--steps", str(config["steps"])] if config["steps"] else ["--minutes", str(config["minutes"])]
    for name, value in config["settings"].items():
        words += ["--set", f"{name}={'none' if value is None else value}"] if value != "" else []
    return shlex.join(words)


def _last_step(events: list[TrainEvent]) -> int:
    return max(event.step for event in events)


def _tokens(config: Mapping[str, Any], events: list[TrainEvent]) -> int:
    return _last_step(events) * config["settings"]["batch_size"] * config["settings"]["context_length"]


def _seconds(events: list[TrainEvent]) -> float:
    return max(event.measures.get("seconds", 0.0) for event in events if isinstance(event, StepDone))


def _machines(events: list[TrainEvent]) -> str:
    """What the run was trained on, by every start of it: a run may be resumed on another machine."""
    first, *more = (event for event in events if isinstance(event, RunStarted))
    starts = [first.facts, *(event.facts for event in more if event.step < _last_step(events))]
    told = dict.fromkeys(_machine(facts["machine"], facts) for facts in starts if "machine" in facts)
    unknown = [] if all("machine" in facts for facts in starts) else [_not_recorded(starts[0])]
    return "; then ".join([*unknown, *told])


def _machine(machine: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    parts = [f"{machine['threads']} threads on {machine['cores']} cores of {machine['processor']}"]
    parts += [machine["accelerator"]] if machine["accelerator"] else []
    parts += [f"{machine['memory_gib']:g} GiB of memory"] if machine["memory_gib"] else []
    parts += [f"{facts['num_processes']} processes"] if facts["num_processes"] > 1 else []
    return ", ".join([*parts, f"mixed precision {facts['mixed_precision']}"])


def _not_recorded(facts: Mapping[str, Any]) -> str:
    """For a run of a time when machines were not recorded."""
    return (
        f"not recorded, mixed precision {facts['mixed_precision']} "
        f"(this card was written on {cpu_quota()} cores of {processor()})"
    )
