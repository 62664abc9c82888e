"""Which curves tell a recipe's story: plain data, that a page can read without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what the page calls it (`ui/words/wording`).
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


_LEARNING_RATE = Curve("learning_rate", (Line("learning_rate", "step", "learning_rate"),))
_GRADIENT_NORM = Curve(
    "gradient_norm", (Line("gradient_norm", "step", "gradient_norm", smooth=True),), logarithmic=True
)
_PICTURES_PER_SECOND = Curve(
    "pictures_per_second", (Line("pictures_per_second", "step", "pictures_per_second", smooth=True),)
)

LANGUAGE_MODEL = (
    Curve(
        "loss",
        (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss")),
        logarithmic=True,
    ),
    _LEARNING_RATE,
    _GRADIENT_NORM,
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
    _GRADIENT_NORM,
    _LEARNING_RATE,
    _PICTURES_PER_SECOND,
)

TEXT_TO_IMAGE = (
    Curve(
        "copying",
        (
            Line("copying", "step", "copying_loss", smooth=True),
            Line("likeness", "step", "likeness_term", smooth=True),
        ),
        logarithmic=True,
    ),
    Curve(
        "game",
        (
            Line("generator", "step", "fooling_term", smooth=True),
            Line("discriminator", "step", "discriminator_loss", smooth=True),
        ),
    ),
    Curve(
        "three_terms",
        (
            Line("real_term", "step", "real_term", smooth=True),
            Line("fake_term", "step", "fake_term", smooth=True),
            Line("wrong_term", "step", "wrong_term", smooth=True),
        ),
    ),
    Curve(
        "probabilities",
        (
            Line("real_prob", "step", "real_prob", smooth=True),
            Line("fake_prob", "step", "fake_prob", smooth=True),
            Line("wrong_prob", "step", "wrong_prob", smooth=True),
            Line("held_out_prob", "step", "held_out_prob"),
        ),
    ),
    Curve(
        "told_apart",
        (
            Line("real_told_apart", "step", "real_told_apart"),
            Line("made_told_apart", "step", "made_told_apart"),
            Line("by_chance", "step", "told_apart_by_chance"),
        ),
    ),
    Curve(
        "contrast",
        (
            Line("real_contrast", "step", "real_contrast", smooth=True),
            Line("made_contrast", "step", "made_contrast", smooth=True),
            Line("guide_term", "step", "guide_term", smooth=True),
            Line("pair_loss", "step", "pair_loss", smooth=True),
        ),
        logarithmic=True,
    ),
    _GRADIENT_NORM,
    _LEARNING_RATE,
    _PICTURES_PER_SECOND,
)

_RATE_AND_SPEED = (
    _LEARNING_RATE,
    _GRADIENT_NORM,
    _PICTURES_PER_SECOND,
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

CONTRASTIVE = (
    Curve(
        "pair_loss",
        (
            Line("train", "step", "loss", smooth=True),
            Line("validation", "validation", "loss"),
            Line("by_chance", "step", "loss_by_chance"),
        ),
    ),
    Curve(
        "found",
        (
            Line("found", "step", "found", smooth=True),
            Line("found_by_chance", "step", "found_by_chance"),
            Line("text_of_100", "validation", "text_of_100"),
            Line("picture_of_100", "validation", "picture_of_100"),
        ),
    ),
    *_RATE_AND_SPEED,
)

MENDER = (
    Curve(
        "difference",
        (Line("train", "step", "loss", smooth=True), Line("validation", "validation", "loss")),
        logarithmic=True,
    ),
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
