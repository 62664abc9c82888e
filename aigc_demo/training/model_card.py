"""The model card of trained weights: how they were trained, and how good they are.

Shipped weights are measured. For a run that somebody takes home the card repeats what the run recorded; that
record may come from outside, so what it lacks or garbles is left out, and what it says stays on one line.
"""

import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.config import as_argument
from aigc_demo.core.device import cpu_quota
from aigc_demo.core.events import RunFinished, RunStarted, StepDone, ValidationDone
from aigc_demo.core.machine import processor
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.kinds import KINDS
from aigc_demo.training.card import UNKNOWN_RECIPE, CardTexts, one_line, plain_text, without_folders
from aigc_demo.training.recipes import RECIPES, Recipe

NO_LICENCE = """No licence is named: it is for whoever trained the model to say, as `license: ...` among the
lines at the very top of this file."""
ONLY_THE_RUN = """## What this file is for

The model is in the last checkpoint; it can be loaded, and gone on from with `--init`. The
state of the optimizer is not in this file, so the run cannot be resumed."""

WORD = re.compile(r"[a-z0-9][a-z0-9-]*")
WHOLE = ("finished", "time")  # how a run ends of which nothing more was to come


@dataclass(frozen=True)
class DataFacts:
    """What a card says of the data.

    Attributes:
        title: what it is, in a few words.
        origin: where it is from.
        licence: on which terms.
        language: code for the front matter, such as en or zh; several with commas between them.
    """

    title: str
    origin: str
    licence: str
    language: str


class Record:
    """What a run recorded up to one of its steps.

    Args:
        run: its directory.
        step: after how many of its steps.

    Attributes:
        config: what it was started with.
        starts: what each of its starts said.
        step: after how many steps.
        seconds: of training.
        validation: step and loss of the last validation, nats a token.
        best: likewise, of the best one.
        broken_off: whether more was to come.

    Raises:
        InputError: there is no run.
    """

    def __init__(self, run: RunDirectory, step: int):
        self.config: Mapping[str, Any] = run.config()
        self.starts: list[Mapping[str, Any]] = []
        self.step, self.seconds, self.broken_off = step, 0.0, True
        self.validation: tuple[int, float] | None = None
        self.best: tuple[int, float] | None = None
        for event in run.events():
            if event.step > step:
                continue
            match event:
                case RunStarted(facts=facts) if event.step < step or not self.starts:
                    self.starts.append(facts)
                case StepDone(metrics=metrics):
                    self.seconds = max(self.seconds, _number(metrics.get("seconds")))
                case RunFinished(reason=reason) if event.step == step:
                    self.broken_off = reason not in WHOLE
                case ValidationDone(loss=loss) if math.isfinite(loss):
                    self.validation = (event.step, loss)
                    self.best = min(self.best or self.validation, self.validation, key=lambda pair: pair[1])

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return str(self.config.get("recipe", ""))

    @property
    def row(self) -> Recipe | None:
        """The recipe; None where the run names none."""
        return RECIPES.get(self.recipe)

    @property
    def texts(self) -> CardTexts:
        """What cards say of the recipe."""
        return self.row.card if self.row else UNKNOWN_RECIPE

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the recipe."""
        return _mapping(self.config.get("settings"))


def model_card(name: str, run: RunDirectory, step: int, data: DataFacts, figures: Mapping[str, Any]) -> str:
    """The text of README.md for a model that was measured.

    Args:
        name: in the catalog.
        run: what trained it.
        step: after how many of its steps.
        data: what it was trained on.
        figures: what `evaluate` measured on the shipped file.

    Returns:
        Markdown with the Hub's front matter.
    """
    record = Record(run, step)
    language = f"[{data.language}]" if "," in data.language else data.language
    terms = {"license": "mit", "language": language}
    what = f"{data.title}; {data.origin}; {data.licence}"
    return _document(
        _front_matter(record, terms),
        _introduction(name, record, record.texts.shipped),
        _how_it_was_trained(record, what),
        _as_measured(record, figures),
        record.texts.use,
    )


def recorded_card(name: str, run: RunDirectory, step: int) -> str:
    """The text of README.md for a model that its owner takes along or pushes; nothing is measured for it.

    Args:
        name: to be its title.
        run: what trained it.
        step: after how many of its steps.

    Returns:
        Markdown with the Hub's front matter, without a path of this machine.
    """
    record = Record(run, step)
    return _document(
        _front_matter(record, {}),
        _introduction(name, record, record.texts.own),
        NO_LICENCE,
        record.texts.loading,
        _how_it_was_trained(record),
        _as_recorded(record),
        record.texts.use,
    )


def run_card(name: str, run: RunDirectory, step: int) -> str:
    """The text of README.md for a run as a file.

    Args:
        name: of the run.
        run: its directory.
        step: of the checkpoint that goes along.

    Returns:
        Markdown, without a path of this machine.
    """
    record = Record(run, step)
    return _document(
        _introduction(name, record, record.texts.own),
        _how_it_was_trained(record),
        _as_recorded(record),
        ONLY_THE_RUN,
    )


def command(config: Mapping[str, Any], stop_after: int | None = None) -> str:
    """The command line that repeats a run; data and models of this machine by their names alone.

    Args:
        config: what it was started with.
        stop_after: the step after which it was broken off.
    """
    words = ["python", "-m", "aigc_demo", "train", str(config.get("recipe", ""))]
    words += ["--data", without_folders(str(config.get("source", "")))]
    words += ["--run-dir", "RUN", "--seed", str(config.get("seed", 0))]
    words += ["--init", without_folders(str(config["init"]))] if config.get("init") else []
    for budget in ("steps", "minutes"):
        words += [f"--{budget}", str(config[budget])] if config.get(budget) else []
    words += ["--stop-after", str(stop_after)] if stop_after is not None else []
    for name, value in _mapping(config.get("settings")).items():
        shown = without_folders(value) if isinstance(value, str) else as_argument(value)
        words += ["--set", f"{name}={shown}"] if value not in ("", [], ()) else []
    return one_line(shlex.join(words))


def _document(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(record: Record, terms: Mapping[str, str]) -> str:
    """What the Hub reads of a card."""
    tags = ("aigc-demo", record.recipe, record.settings.get("tokenizer"))
    facts = {
        **terms,
        "library_name": record.texts.library,
        **({"pipeline_tag": KINDS[record.row.kind].task} if record.row else {}),
        "tags": f"[{', '.join(tag for tag in tags if isinstance(tag, str) and WORD.fullmatch(tag))}]",
    }
    return "\n".join(["---", *(f"{name}: {value}" for name, value in facts.items()), "---"])


def _introduction(name: str, record: Record, network: str) -> str:
    count = record.starts[0].get("num_parameters") if record.starts else None
    size = f" {count:,} parameters, weights in half precision." if isinstance(count, int) else ""
    return f"# {plain_text(name)}\n\n{network}.{size}"


def _how_it_was_trained(record: Record, data: str = "") -> str:
    config = record.config
    facts = _mapping(config.get("data"))
    sha256 = str(facts.get("sha256", ""))
    source = without_folders(str(facts.get("name") or config.get("source", "")))
    rows = [
        ("data", data or source),
        ("SHA-256 of the data", f"`{sha256}`" if re.fullmatch("[0-9a-f]{64}", sha256) else ""),
        ("seed", config.get("seed", "")),
        ("steps", f"{record.step:,}{_units(record)}"),
        ("minutes of training", f"{record.seconds / 60:.1f}" if record.seconds else ""),
        ("machine", _machines(record.starts)),
        ("versions", ", ".join(f"{part} {v}" for part, v in _mapping(config.get("versions")).items())),
    ]
    line = command(config, record.step if record.broken_off else None)
    return f"## How it was made\n\n```\n{line}\n```\n\n{_table(rows)}"


def _as_measured(record: Record, figures: Mapping[str, Any]) -> str:
    introduction, rows, closing = record.texts.measured(figures, record.settings)
    return "\n\n".join(part for part in ("## How good it is", introduction, _table(rows), closing) if part)


def _as_recorded(record: Record) -> str:
    texts = record.texts
    if record.validation is None or record.best is None:
        return texts.not_recorded
    named = {"last validation loss": record.validation, "best validation loss": record.best}
    rows = [(name, f"{loss:.4f}{texts.unit}, at step {step:,}") for name, (step, loss) in named.items()]
    return f"""## How good it is

As the run recorded it, on the same {texts.recorded_on} each time:

{_table(rows)}"""


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    """Name and value side by side; what has no value is left out."""
    shown = [(name, plain_text(value).replace("|", "\\|")) for name, value in rows]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in shown if value)])


def _units(record: Record) -> str:
    """How many tokens or images all steps together saw, as it follows their number."""
    sizes = [record.settings.get(name) for name in record.texts.num_units]
    if not sizes or not all(isinstance(size, int) for size in sizes):
        return ""
    return f", {record.step * math.prod(map(int, sizes)):,} {record.texts.unit_name}"  # type: ignore[arg-type]


def _machines(starts: Sequence[Mapping[str, Any]]) -> str:
    """The machine of every start of the run: it may have been resumed on another one."""
    try:
        machines = dict.fromkeys(_machine(facts["machine"], facts) for facts in starts if "machine" in facts)
        unknown = [] if all("machine" in facts for facts in starts) else [_not_recorded(starts[0])]
    except (KeyError, TypeError, ValueError):
        return ""
    return "; then ".join([*unknown, *machines])


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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float:
    good = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if good else 0.0
