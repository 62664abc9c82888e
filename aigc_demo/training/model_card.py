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

from aigc_demo.core.config import as_word
from aigc_demo.core.device import cpu_quota
from aigc_demo.core.events import RunStarted, StepDone, ValidationDone
from aigc_demo.core.machine import processor
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.recipes import RECIPES

# Whose network a recipe trains, said of weights that this project ships and of those of somebody's own run.
SHIPPED = {
    "dcgan": "A DCGAN, generator and discriminator written from scratch in this project",
    "stylegan": "A style-based generator with a discriminator, written from scratch in this project",
    "classifier": "A small network that measures pictures, written from scratch in this project and frozen "
    "before any generator was trained",
    "clip": "A dual encoder, a Transformer for texts and a convolutional network for pictures, written from "
    "scratch in this project",
    "checker": "A small network that reads what stands where on a picture, written from scratch in this "
    "project; it never trains, guides or ranks what draws",
    "colorize": "A small U-Net that gives grey pictures their colours, written from scratch in this project",
    "inpaint": "A small U-Net that draws what was painted over, written from scratch in this project",
    "ddpm": "The library baseline: diffusers' UNet2DModel and its noise, trained by this project on the same "
    "data for the same time",
    "gpt": "A decoder-only Transformer written from scratch in this project",
    "gpt2": "The library baseline: transformers' GPT2LMHeadModel, trained by this project on the same data",
}
OWN = {
    "dcgan": "A DCGAN, generator and discriminator written from scratch in AIGC Demo and trained with it",
    "stylegan": "A style-based generator with a discriminator, written from scratch in AIGC Demo and trained "
    "with it",
    "classifier": "A small network that measures pictures, written from scratch in AIGC Demo and trained "
    "with it",
    "clip": "A dual encoder, a Transformer for texts and a convolutional network for pictures, written from "
    "scratch in AIGC Demo and trained with it",
    "checker": "A small network that reads what stands where on a picture, written from scratch in AIGC Demo "
    "and trained with it",
    "colorize": "A small U-Net that gives grey pictures their colours, written from scratch in AIGC Demo and "
    "trained with it",
    "inpaint": "A small U-Net that draws what was painted over, written from scratch in AIGC Demo and "
    "trained with it",
    "ddpm": "diffusers' UNet2DModel, trained with AIGC Demo",
    "gpt": "A decoder-only Transformer, written from scratch in AIGC Demo and trained with it",
    "gpt2": "transformers' GPT2LMHeadModel, trained with AIGC Demo",
}
TASKS = {
    "text": "text-generation",
    "pictures": "unconditional-image-generation",
    "features": "image-feature-extraction",
    "matches": "zero-shot-image-classification",
    "readings": "object-detection",
    "repairs": "image-to-image",
}
WORD = re.compile(r"[a-z0-9][a-z0-9-]*")
USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It writes text that looks like its data
and knows nothing else; do not rely on anything it says."""
USE_OF_MEASURES = """## What it is for

To measure pictures of the kind that it was trained on: its features are what distances between real and
generated pictures are measured in. Figures measured with it compare with each other and with no others."""
USE_OF_PICTURES = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It draws pictures like those it was
trained on, and nothing else."""
NO_LICENCE = """No licence is named: it is for whoever trained the model to say, as `license: ...` among the
lines at the very top of this file."""
NO_FIGURE = """## How good it is

The run recorded no figure of it: the loss of either side says how the game stands, not how good the pictures
are."""
PICTURES_LOADED = """## How to load it

```python
from pathlib import Path

import torch
from aigc_demo.generators.gan_pictures import load_generator

generator = load_generator(Path("FOLDER"))
with torch.inference_mode():
    pictures = generator(torch.randn(16, generator.config.latent_size))  # [16, 3, H, W] in -1 to 1
```"""
DIFFUSION_LOADED = """## How to load it

```python
from diffusers import DDIMPipeline

pictures = DDIMPipeline.from_pretrained("FOLDER")(batch_size=16, num_inference_steps=20).images
```"""
ENCODER_LOADED = """## How to load it

```python
from aigc_demo.nets.picture_encoder import PictureEncoder

encoder = PictureEncoder.from_pretrained("FOLDER").float().eval()
features = encoder.features(pictures)  # of [N, 3, H, W] in -1 to 1
```"""
MATCHER_LOADED = """## How to load it

```python
from aigc_demo.generators.matching import load_matcher

matcher = load_matcher("FOLDER")
scores = matcher.scores(["a red ball"], pictures)  # of uint8 [N, 3, H, W]; -1 to 1, higher fits better
```"""
READER_LOADED = """## How to load it

```python
from aigc_demo.generators.matching import load_reader
from aigc_demo.measure.attributes import read_pictures

found = read_pictures(load_reader("FOLDER"), pictures)  # of uint8 [N, 3, H, W]
```"""
USE_OF_MATCHES = """## What it is for

A classroom: to see how texts and pictures come to lie in one space, to rank pictures by a text, and to guide
what draws. It knows the words of its captions and no others."""
USE_OF_READINGS = """## What it is for

To say of pictures of the tiny world whether they show what was asked for. It knows nothing else."""
MENDER_LOADED = """## How to load it

```python
from aigc_demo.generators.mending import load_mender

mender = load_mender("FOLDER")
mended = mender.mended(pictures)  # uint8 [N, 3, H, W]; with a second argument for what is painted over
```"""
USE_OF_REPAIRS = """## What it is for

A classroom: to see what a network makes of what it cannot see. What it adds is likely among the pictures that
it was trained on, and nothing more."""
ONLY_THE_RUN = """## What this file is for

The model is in the last checkpoint; it can be loaded, and gone on from with `--init`. The
state of the optimizer is not in this file, so the run cannot be resumed."""


USES = {
    "pictures": USE_OF_PICTURES,
    "features": USE_OF_MEASURES,
    "matches": USE_OF_MATCHES,
    "readings": USE_OF_READINGS,
    "repairs": USE_OF_REPAIRS,
}
LOOKS_AT_PICTURES = ("features", "matches", "readings", "repairs")
LOOKED = {
    "accuracy": "names the kind of picture rightly",
    "top1": "finds a changed picture again among all held out",
    "top1_of_100": "finds the caption of a picture among 100",
    "picture_of_100": "finds the picture of a caption among 100",
    "top1_of_100_zh": "finds the Chinese caption of a picture among 100",
    "picture_of_100_zh": "finds the picture of a Chinese caption among 100",
    "checker_accuracy": "things whose kind, colour, size and place are all read rightly",
    "picture_accuracy": "pictures of which everything is read rightly",
}
MENDED = {
    "grey_levels": "mean difference from the true pixels, grey levels of 255",
    "grey_levels_before": "the same of the plainest guess",
}
LOADED = {
    "pictures": PICTURES_LOADED,
    "features": ENCODER_LOADED,
    "matches": MATCHER_LOADED,
    "readings": READER_LOADED,
    "repairs": MENDER_LOADED,
}


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

    Raises:
        InputError: there is no run.
    """

    def __init__(self, run: RunDirectory, step: int):
        self.config: Mapping[str, Any] = run.config()
        self.starts: list[Mapping[str, Any]] = []
        self.step, self.seconds = step, 0.0
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
        """Whether the model makes pictures."""
        return self.makes == "pictures"

    @property
    def makes(self) -> str:
        """What the model makes, as its recipe says."""
        return RECIPES[self.recipe].makes if self.recipe in RECIPES else "text"

    @property
    def use(self) -> str:
        """What it is for."""
        return USES.get(self.makes, USE)


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
    terms = {"license": "mit", "language": data.language}
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


def command(config: Mapping[str, Any]) -> str:
    """The command line that repeats a run; data and models of this machine by their names alone."""
    words = ["python", "-m", "aigc_demo", "train", str(config.get("recipe", ""))]
    words += ["--data", _without_folders(str(config.get("source", "")))]
    words += ["--run-dir", "RUN", "--seed", str(config.get("seed", 0))]
    words += ["--init", _without_folders(str(config["init"]))] if config.get("init") else []
    for budget in ("steps", "minutes"):
        words += [f"--{budget}", str(config[budget])] if config.get(budget) else []
    for name, value in _mapping(config.get("settings")).items():
        words += ["--set", f"{name}={as_word(value)}"] if value not in ("", [], ()) else []
    return _line(shlex.join(words))


def _document(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def _front_matter(record: Record, terms: Mapping[str, str]) -> str:
    """What the Hub reads of a card."""
    tags = ("aigc-demo", record.recipe, record.settings.get("tokenizer"))
    facts = {
        **terms,
        "library_name": {"gpt2": "transformers", "ddpm": "diffusers"}.get(record.recipe, "aigc-demo"),
        "pipeline_tag": TASKS[record.makes],
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
    if record.makes in LOADED:
        return LOADED[record.makes]
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
    return f"## How it was made\n\n```\n{command(config)}\n```\n\n{_table(rows)}"


def _as_measured(record: Record, figures: Mapping[str, Any]) -> str:
    if record.draws:
        return _pictures_as_measured(figures)
    if record.makes in LOOKS_AT_PICTURES:
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


def _looking_as_measured(figures: Mapping[str, Any]) -> str:
    rows = [(told, f"{figures[name]:.2%}") for name, told in LOOKED.items() if name in figures]
    rows += [(told, f"{figures[name]:.2f}") for name, told in MENDED.items() if name in figures]
    return f"""## How good it is

Measured with the file as shipped on {figures["num_samples"]:,} held-out pictures.

{_table(rows)}"""


def _as_recorded(record: Record) -> str:
    if record.draws and record.validation is None:
        return NO_FIGURE
    if record.validation is None or record.best is None:
        return "## How good it is\n\nThe run recorded no validation."
    named = {"last validation loss": record.validation, "best validation loss": record.best}
    unit, windows = (
        (" nats a token", "windows of held-out text") if record.makes == "text" else ("", "pictures")
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
    if record.makes != "text":
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
