"""Which curves tell a recipe's story: plain data, that a page can read without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what the page calls it (`ui/wording`).
        event: the kind of event that it is read from, such as step or validation.
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
        name: what the page calls it.
        lines: what is drawn.
        logarithmic: whether it makes sense to draw logarithms.
    """

    name: str
    lines: tuple[Line, ...]
    logarithmic: bool = False


LANGUAGE_MODEL = (
    Curve(
        "loss",
        (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss")),
        logarithmic=True,
    ),
    Curve("learning_rate", (Line("learning_rate", "step", "learning_rate"),)),
    Curve("gradient_norm", (Line("gradient_norm", "step", "gradient_norm", smooth=True),), logarithmic=True),
    Curve("tokens_per_second", (Line("tokens_per_second", "step", "tokens_per_second", smooth=True),)),
)

GAN = (
    Curve(
        "game",
        (
            Line("generator", "step", "loss", smooth=True),
            Line("discriminator", "step", "discriminator_loss", smooth=True),
        ),
    ),
    Curve(
        "probabilities",
        (
            Line("real_prob", "step", "real_prob", smooth=True),
            Line("fake_prob", "step", "fake_prob", smooth=True),
            Line("held_out_prob", "step", "held_out_prob"),
        ),
    ),
    Curve("gradient_norm", (Line("gradient_norm", "step", "gradient_norm", smooth=True),), logarithmic=True),
    Curve("learning_rate", (Line("learning_rate", "step", "learning_rate"),)),
    Curve("pictures_per_second", (Line("pictures_per_second", "step", "pictures_per_second", smooth=True),)),
)

_RATE_AND_SPEED = (
    Curve("learning_rate", (Line("learning_rate", "step", "learning_rate"),)),
    Curve("gradient_norm", (Line("gradient_norm", "step", "gradient_norm", smooth=True),), logarithmic=True),
    Curve("pictures_per_second", (Line("pictures_per_second", "step", "pictures_per_second", smooth=True),)),
)

CLASSIFIER = (
    Curve(
        "picture_loss",
        (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss")),
        logarithmic=True,
    ),
    Curve("accuracy", (Line("accuracy", "validation", "accuracy"),)),
    *_RATE_AND_SPEED,
)

DIFFUSION = (
    Curve(
        "noise_loss",
        (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss")),
        logarithmic=True,
    ),
    *_RATE_AND_SPEED,
)
