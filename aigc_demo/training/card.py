"""What model cards say of a recipe, and the parts that several families share: plain data without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """The section "How good it is" of a model that was measured.

    Attributes:
        introduction: what was measured on what, in Markdown.
        rows: names and values of the table.
        closing: a paragraph after the table, if any.
    """

    introduction: str
    rows: list[tuple[str, Any]]
    closing: str = ""


# From what `evaluate` measured and the run's settings.
MeasuredSection = Callable[[Mapping[str, Any], Mapping[str, Any]], Measured]


@dataclass(frozen=True)
class CardTexts:
    """What a card says of a recipe's models, in Markdown.

    Attributes:
        shipped: whose network it is, said of weights that this project ships.
        own: the same, said of weights from a user's own run.
        use: section on the intended use.
        loading: section on how to load the weights.
        measured: section on the figures that `evaluate` measured.
        library: the Hub's `library_name`.
        recorded_on: what the run's validation loss was measured on.
        unit: of that loss, with a space before it.
        not_recorded: section in its place where the run has no validation loss.
        num_units: names of integer settings whose product is the number of units in one step.
        unit_name: what a step counts.
    """

    shipped: str
    own: str
    use: str
    loading: str
    measured: MeasuredSection
    library: str = "aigc-demo"
    recorded_on: str = "pictures"
    unit: str = ""
    not_recorded: str = "## How good it is\n\nThe run recorded no validation."
    num_units: tuple[str, ...] = ("batch_size",)
    unit_name: str = "images seen"


UNKNOWN_RECIPE = CardTexts(
    "A model",
    "A model",
    use="",
    loading="",
    measured=lambda figures, settings: Measured("", []),
    recorded_on="data",
    num_units=(),
)
"""What a card says where a run names no recipe, or none that is known here."""


def written_here(network: str, remark: str = "") -> tuple[str, str]:
    """`shipped` and `own` of a network that is written in this project.

    Args:
        network: what it is, with its article, as "written from scratch" follows it.
        remark: what else to say of shipped weights.
    """
    return (
        f"{network} written from scratch in this project{remark}",
        f"{network} written from scratch in AIGC Demo and trained with it",
    )


IMAGES_USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It draws images like those it was
trained on, and nothing else."""

CAPTIONS_USE = """## What it is for

A classroom: to see how words get into an image. It knows the words of its captions and no others, and draws
images like those it was trained on."""

CAPTIONS_LOADING = """## How to load it

```python
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.generators.text_to_image.ours import load_text_to_image

model = load_text_to_image("FOLDER")
images = model.make(["a red ball"] * 4, [0, 1, 2, 3], TextSampling())  # uint8 [4, 3, H, W]
```"""

TWO_LOSSES = """## How good it is

The run recorded no figure of it: the losses of the two networks say how they stand against each other, not
how good the images are."""


def generated_images(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
    """Generated images against real ones: distances and, with labels, modes."""
    rows = [
        ("Frechet distance", f"{figures['frechet_distance']:.3f}"),
        ("precision", f"{figures['precision']:.3f}"),
        ("recall", f"{figures['recall']:.3f}"),
        ("distance to the nearest real image, median, grey levels", figures["median_nearest_distance"]),
    ]
    if "mode_coverage" in figures:
        covered = f"{figures['modes_covered']} of {figures['num_modes']}"
        rows += [
            ("kinds of image covered", f"{covered} ({figures['mode_coverage']:.1%})"),
            ("the same of real images", f"{figures['real_mode_coverage']:.1%}"),
            ("evenness over the kinds", f"{figures['evenness']:.3f}"),
            ("images whose kind the classifier is sure of", f"{figures['sure_share']:.1%}"),
        ]
    introduction = (
        f"Measured with the files as shipped: {figures['num_samples']:,} generated images against\n"
        f"{figures['num_real']:,} real ones, in the features of {plain_text(figures['encoder'])}."
    )
    return Measured(introduction, rows)


# How the names of figures end that were measured on captions of a language.
FIGURE_ENDINGS = {"en": "", "zh": "_zh"}
_LANGUAGE_NAMES = {"en": "English", "zh": "Chinese"}
_COUNTS = {"one_object": "one thing", "two_objects": "two things", "three_objects": "three things"}
_CAPTION_FIGURES = {
    f"{name}_{which}{FIGURE_ENDINGS[language]}": f"{count}, {language_name}: everything right, {chosen}"
    for name, count in _COUNTS.items()
    for language, language_name in _LANGUAGE_NAMES.items()
    for which, chosen in (("first", "first image"), ("best_of_8", "best of 8 by its dual encoder"))
} | {
    "found_of_100_first": "images drawn that are found by their caption among 100, first image",
    "found_of_100_best_of_8": "the same, best of 8 by its dual encoder",
}


def images_of_captions(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
    """How many generated images show what their captions say."""
    rows = [(label, f"{figures[name]:.1%}") for name, label in _CAPTION_FIGURES.items() if name in figures]
    captions = "captions of each row, each of a combination that training never shows"
    if "found_of_100_first" in figures:
        judge = plain_text(without_folders(figures["settings"]["judge"]))
        captions = f"captions, judged by {judge}, which guided nothing"
    return Measured(f"Measured with the files as shipped on {figures['num_samples']:,} {captions}.", rows)


def held_out_images(
    shares: Mapping[str, str] | None = None, numbers: Mapping[str, str] | None = None
) -> MeasuredSection:
    """The section of a model that looks at images and generates none.

    Args:
        shares: names of figures from 0 to 1, and what to call each.
        numbers: the same of other figures.
    """

    def measured(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Measured:
        rows = [(label, f"{figures[name]:.2%}") for name, label in (shares or {}).items() if name in figures]
        rows += [
            (label, f"{figures[name]:.2f}") for name, label in (numbers or {}).items() if name in figures
        ]
        which = "held-out images"
        if figures.get("split") == "all":
            which = "images, those that it learned from among them"
        return Measured(f"Measured with the file as shipped on {figures['num_samples']:,} {which}.", rows)

    return measured


def without_folders(source: str) -> str:
    """A source or a model as others may know it: of a path, whatever system it is from, the last name."""
    return source if source.startswith("hf:") else PureWindowsPath(source).name


def one_line(value: Any) -> str:
    """On one line, whatever it was."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def plain_text(value: Any) -> str:
    """On one line, and no tag of HTML."""
    return one_line(value).replace("<", "&lt;")
