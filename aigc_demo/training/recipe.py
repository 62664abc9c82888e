"""What every recipe says of itself, as plain data that a page reads without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.data.sources import IMAGES, TINY_WORLD
from aigc_demo.generators.trained_folder import TrainedFolder
from aigc_demo.training.card import CardTexts


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: key of its words on the page.
        event: kind of the event that it is read from, such as step or validation.
        measure: the number in that event: loss, or the name of a measure.
        smooth: whether a smoothed line is drawn over the raw one.
    """

    name: str
    event: str
    measure: str
    smooth: bool = False


@dataclass(frozen=True)
class Curve:
    """One chart: lines over the steps of a run.

    Attributes:
        name: key of its words on the page.
        lines: what is drawn.
        logarithmic: whether it makes sense to draw logarithms.
    """

    name: str
    lines: tuple[Line, ...]
    logarithmic: bool = False


def smooth_lines(*measures: str) -> tuple[Line, ...]:
    """Lines of measures of each step, under the measures' own names, with a smoothed line over each."""
    return tuple(Line(name, "step", name, smooth=True) for name in measures)


def loss_curve(name: str) -> Curve:
    """Training and validation loss in one chart."""
    lines = (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss"))
    return Curve(name, lines, logarithmic=True)


def measure_curve(name: str, *more: Line, logarithmic: bool = False) -> Curve:
    """A measure of the steps and of the validations, under the same name.

    Args:
        name: of the curve and of the measure.
        more: further lines.
        logarithmic: whether it makes sense to draw logarithms.
    """
    lines = (Line("train", "step", name, smooth=True), Line("validation", "validation", name))
    return Curve(name, (*lines, *more), logarithmic=logarithmic)


LEARNING_RATE = Curve("learning_rate", (Line("learning_rate", "step", "learning_rate"),))
GRADIENT_NORM = Curve("gradient_norm", smooth_lines("gradient_norm"), logarithmic=True)
TOKENS_PER_SECOND = Curve("tokens_per_second", smooth_lines("tokens_per_second"))
IMAGES_PER_SECOND = Curve("pictures_per_second", smooth_lines("pictures_per_second"))
OPTIMIZATION = (LEARNING_RATE, GRADIENT_NORM, IMAGES_PER_SECOND)


@dataclass(frozen=True)
class Measuring:
    """How a model is measured for its card, where that differs from what is usual for its kind.

    Attributes:
        samples: how much it generates for it; 0 for what is usual.
        tiny_world_samples: the same of a model of the tiny world, whose texts can be read back.
        settings: of the evaluation; a slow model is asked for less.
    """

    samples: int = 0
    tiny_world_samples: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def num_samples(self, source: str) -> int:
        """How much a model of this source generates; 0 for what is usual."""
        return self.tiny_world_samples if source == TINY_WORLD and self.tiny_world_samples else self.samples


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is trained: a row of `training/recipes`.

    Attributes:
        settings: dataclass of its settings.
        curves: the charts of its runs.
        module: the module to import when it is trained; its `FAMILY` is a `training.family.Family`.
        card: what model cards say of it.
        folder: how it leaves its models: a row of `generators.trained_folder`, which has their kind too.
        learns_from: what its source holds: `TEXT` or `IMAGES` of `data.sources`.
        rate: the measure of a step that is its speed.
        defaults: settings that differ from those of its class.
        small: settings that hold for the tiny world where nothing else is given: with them the recipe
            learns it in three minutes of two cores.
        asked: settings that a page offers first.
        shape: settings that give the network its shape; a run with `--init` takes them from that model.
        starts_from: recipes whose models a run can start from, beside its own.
        trial: settings with which a trial of a few steps meets the steps that take longest.
        measuring: how a model is measured for its card.
    """

    settings: type[Any]
    curves: tuple[Curve, ...]
    module: str
    card: CardTexts
    folder: TrainedFolder
    learns_from: str = IMAGES
    rate: str = "pictures_per_second"
    defaults: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    starts_from: tuple[str, ...] = ()
    trial: Mapping[str, Any] = field(default_factory=dict)
    measuring: Measuring = Measuring()

    @property
    def kind(self) -> str:
        """Of its models, a row of `generators.kinds`."""
        return self.folder.kind

    @property
    def ours(self) -> bool:
        """Whether the network is written here."""
        return not self.folder.library

    @property
    def family(self) -> str:
        """Name of the folder that its module is in, such as gan."""
        return self.module.split(".")[-2]

    def complete(self, given: Mapping[str, Any], source: str = "") -> Any:
        """All settings, from those that were given.

        Args:
            given: by name.
            source: what it is to be trained on.

        Raises:
            InputError: a name is unknown, or a value does not fit.
        """
        suited = self.small if source == TINY_WORLD else {}
        return self.settings.from_mapping({**self.defaults, **suited, **given})
