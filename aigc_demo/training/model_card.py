"""The receipt that goes with trained weights: what made them, and how good they are.

Shipped weights are measured. For a run that somebody takes home the card repeats what the run recorded; that
record may come from outside, so what it lacks or garbles is left out, and what it says stays on one line.
"""

import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

from aigc_demo.core.config import as_argument
from aigc_demo.core.device import cpu_quota
from aigc_demo.core.events import RunFinished, RunStarted, StepDone, ValidationDone
from aigc_demo.core.machine import processor
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.kinds import KINDS
from aigc_demo.training.card_texts import (
    DIFFUSION_LOADED,
    DREW_RIGHT,
    LOADED,
    LOOKED,
    MENDED,
    NO_FIGURE,
    NO_LICENCE,
    ONLY_THE_RUN,
    OWN,
    SHIPPED,
    USE,
    USES,
)
from aigc_demo.training.recipes import RECIPES

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
                case StepDone(measures=measures):
                    self.seconds = max(self.seconds, _number(measures.get("seconds")))
                case RunFinished(reason=reason) if event.step == step:
                    self.broken_off = reason not in WHOLE
                case ValidationDone(loss=loss) if math.isfinite(loss):
                    self.validation = (event.step, loss)
                    self.best = min(self.best or self.validation, self.validation, key=lambda pair: pair[1])

    @property
    def recipe(self) -> str:
        """What was trained."""
        return str(self.config.get("recipe", ""))

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the recipe."""
        return _mapping(self.config.get("settings"))

    @property
    def draws(self) -> bool:
        """Whether the model makes pictures, of captions or of nothing."""
        return KINDS[self.kind].makes_images

    @property
    def kind(self) -> str:
        """Of the model, a row of `generators.kinds`."""
        return RECIPES[self.recipe].kind if self.recipe in RECIPES else "text"

    @property
    def use(self) -> str:
        """What it is for."""
        return USES.get(self.kind, USE)


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
        _introduction(name, record, SHIPPED),
        _how_it_was_made(record, what),
        _as_measured(record, figures),
        record.use,
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
        _introduction(name, record, OWN),
        NO_LICENCE,
        _how_to_load_it(record),
        _how_it_was_made(record),
        _as_recorded(record),
        record.use,
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
        _introduction(name, record, OWN), _how_it_was_made(record), _as_recorded(record), ONLY_THE_RUN
    )


def command(config: Mapping[str, Any], stop_after: int | None = None) -> str:
    """The command line that repeats a run; data and models of this machine by their names alone.

    Args:
        config: what it was started with.
        stop_after: the step after which it was broken off.
    """
    words = ["python", "-m", "aigc_demo", "train", str(config.get("recipe", ""))]
    words += ["--data", _without_folders(str(config.get("source", "")))]
    words += ["--run-dir", "RUN", "--seed", str(config.get("seed", 0))]
    words += ["--init", _without_folders(str(config["init"]))] if config.get("init") else []
    for budget in ("steps", "minutes"):
        words += [f"--{budget}", str(config[budget])] if config.get(budget) else []
    words += ["--stop-after", str(stop_after)] if stop_after is not None else []
    for name, value in _mapping(config.get("settings")).items():
        shown = _without_folders(value) if isinstance(value, str) else as_argument(value)
        words += ["--set", f"{name}={shown}"] if value not in ("", [], ()) else []
    return _line(shlex.join(words))


def _document(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def _front_matter(record: Record, terms: Mapping[str, str]) -> str:
    """What the Hub reads of a card."""
    tags = ("aigc-demo", record.recipe, record.settings.get("tokenizer"))
    facts = {
        **terms,
        "library_name": {"gpt2": "transformers", "ddpm": "diffusers"}.get(record.recipe, "aigc-demo"),
        "pipeline_tag": KINDS[record.kind].task,
        "tags": f"[{', '.join(tag for tag in tags if isinstance(tag, str) and WORD.fullmatch(tag))}]",
    }
    return "\n".join(["---", *(f"{name}: {value}" for name, value in facts.items()), "---"])


def _introduction(name: str, record: Record, networks: Mapping[str, str]) -> str:
    count = record.starts[0].get("num_parameters") if record.starts else None
    size = f" {count:,} parameters, weights in half precision." if isinstance(count, int) else ""
    return f"# {_text(name)}\n\n{networks.get(record.recipe, 'A model')}.{size}"


def _how_to_load_it(record: Record) -> str:
    if record.recipe == "ddpm":
        return DIFFUSION_LOADED
    if record.kind in LOADED:
        return LOADED[record.kind]
    lines = ["## How to load it", "", "```", 'python -m aigc_demo generate FOLDER --prompt "..."', "```"]
    if record.recipe == "gpt2":
        lines += ["", "Or with transformers' `AutoModelForCausalLM` and `AutoTokenizer`."]
    return "\n".join(lines)


def _how_it_was_made(record: Record, data: str = "") -> str:
    config = record.config
    facts = _mapping(config.get("data"))
    sha256 = str(facts.get("sha256", ""))
    source = _without_folders(str(facts.get("name") or config.get("source", "")))
    rows = [
        ("data", data or source),
        ("SHA-256 of the data", f"`{sha256}`" if re.fullmatch("[0-9a-f]{64}", sha256) else ""),
        ("seed", config.get("seed", "")),
        ("steps", f"{record.step:,}{_tokens(record)}"),
        ("minutes of training", f"{record.seconds / 60:.1f}" if record.seconds else ""),
        ("machine", _machines(record.starts)),
        ("versions", ", ".join(f"{part} {v}" for part, v in _mapping(config.get("versions")).items())),
    ]
    line = command(config, record.step if record.broken_off else None)
    return f"## How it was made\n\n```\n{line}\n```\n\n{_table(rows)}"


def _as_measured(record: Record, figures: Mapping[str, Any]) -> str:
    if record.kind == "pictures":
        return _pictures_as_measured(figures)
    if record.kind == "text-to-image":
        return _drawing_as_measured(figures)
    if KINDS[record.kind].looks_at_images:
        return _looking_as_measured(figures)
    rows = [
        ("bits per character", f"{figures['bits_per_character']:.4f}"),
        ("bits per byte", f"{figures['bits_per_byte']:.4f}"),
        ("characters outside the vocabulary", f"{figures['num_unknown']:,}"),
    ]
    written = figures.get("num_generated")
    if "accepted" in figures:
        rows += [
            (
                "stories that the parser of the tiny world accepts",
                f"{figures['accepted']:.1%} of {written:,}",
            ),
            ("different stories among them", f"{figures['distinct']:.1%}"),
            (
                "longest run of characters that stands in the training part",
                f"{figures['longest_copied_run']:,}",
            ),
        ]
    return f"""## How good it is

Measured with the file as shipped on {figures["num_characters"]:,} held-out characters
({figures["num_bytes"]:,} bytes), the last {figures["preparation"]["validation_fraction"]:.0%} of the data:
every character predicted once, in consecutive windows of {record.settings["context_length"]}.

{_table(rows)}

A character outside the vocabulary costs its unknown token plus 8 bits for every byte of it."""


def _pictures_as_measured(figures: Mapping[str, Any]) -> str:
    rows = [
        ("Frechet distance", f"{figures['frechet_distance']:.3f}"),
        ("precision", f"{figures['precision']:.3f}"),
        ("recall", f"{figures['recall']:.3f}"),
        ("distance to the nearest real picture, median, grey levels", figures["median_nearest_distance"]),
    ]
    if "mode_coverage" in figures:
        covered = f"{figures['modes_covered']} of {figures['num_modes']}"
        rows += [
            ("kinds of picture covered", f"{covered} ({figures['mode_coverage']:.1%})"),
            ("the same of real pictures", f"{figures['real_mode_coverage']:.1%}"),
            ("evenness over the kinds", f"{figures['evenness']:.3f}"),
            ("pictures whose kind the classifier is sure of", f"{figures['sure_share']:.1%}"),
        ]
    return f"""## How good it is

Measured with the files as shipped: {figures["num_samples"]:,} generated pictures against
{figures["num_real"]:,} real ones, in the features of {_text(figures["encoder"])}.

{_table(rows)}"""


def _drawing_as_measured(figures: Mapping[str, Any]) -> str:
    rows = [(told, f"{figures[name]:.1%}") for name, told in DREW_RIGHT.items() if name in figures]
    what = "captions of each row, each of a combination that training never shows"
    if "found_of_100_first" in figures:
        judge = _text(_without_folders(figures["settings"]["judge"]))
        what = f"captions, judged by {judge}, which guided nothing"
    return f"""## How good it is

Measured with the files as shipped on {figures["num_samples"]:,} {what}.

{_table(rows)}"""


def _looking_as_measured(figures: Mapping[str, Any]) -> str:
    rows = [(told, f"{figures[name]:.2%}") for name, told in LOOKED.items() if name in figures]
    rows += [(told, f"{figures[name]:.2f}") for name, told in MENDED.items() if name in figures]
    which = "pictures, those that it learned from among them"
    if figures.get("split") != "all":
        which = "held-out pictures"
    return f"""## How good it is

Measured with the file as shipped on {figures["num_samples"]:,} {which}.

{_table(rows)}"""


def _as_recorded(record: Record) -> str:
    if record.draws and record.validation is None:
        return NO_FIGURE
    if record.validation is None or record.best is None:
        return "## How good it is\n\nThe run recorded no validation."
    named = {"last validation loss": record.validation, "best validation loss": record.best}
    unit, windows = (
        (" nats a token", "windows of held-out text") if record.kind == "text" else ("", "pictures")
    )
    rows = [(name, f"{loss:.4f}{unit}, at step {step:,}") for name, (step, loss) in named.items()]
    return f"""## How good it is

As the run recorded it, on the same {windows} each time:

{_table(rows)}"""


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    """Name and value side by side; what has no value is left out."""
    told = [(name, _text(value).replace("|", "\\|")) for name, value in rows]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in told if value)])


def _tokens(record: Record) -> str:
    size = record.settings.get("batch_size")
    if record.kind != "text":
        return f", {record.step * size:,} pictures seen" if isinstance(size, int) else ""
    sizes = (record.settings.get("batch_size"), record.settings.get("context_length"))
    known = all(isinstance(size, int) for size in sizes)
    return f", {record.step * math.prod(sizes):,} tokens" if known else ""  # type: ignore[arg-type]


def _machines(starts: Sequence[Mapping[str, Any]]) -> str:
    """What the run was trained on, by every start of it: a run may be resumed on another machine."""
    try:
        told = dict.fromkeys(_machine(facts["machine"], facts) for facts in starts if "machine" in facts)
        unknown = [] if all("machine" in facts for facts in starts) else [_not_recorded(starts[0])]
    except (KeyError, TypeError, ValueError):
        return ""
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


def _without_folders(source: str) -> str:
    """A source or a model as others may know it: of a path, whatever system it is from, the last name."""
    return source if source.startswith("hf:") else PureWindowsPath(source).name


def _line(value: Any) -> str:
    """On one line, whatever it was."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _text(value: Any) -> str:
    """On one line, and no tag of HTML."""
    return _line(value).replace("<", "&lt;")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float:
    good = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if good else 0.0
