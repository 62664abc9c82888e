"""What the loop reads of every recipe's settings, and the budget of a run."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from aigc_demo.core.errors import InputError

NUM_CHECKPOINTS = 15
CONSTANT = "constant"
SCHEDULES = ("linear", "cosine", CONSTANT)
OPTIMIZERS = ("adamw", "muon", "sgd")
GAN_OPTIMIZERS = ("adam", "muon")
PRECISIONS = ("auto", "no", "bf16", "fp16")


class LoopSettings(Protocol):
    """What the loop reads of every recipe's settings."""

    @property
    def validate_every(self) -> int:
        """Steps between validations."""

    @property
    def checkpoint_every(self) -> int | None:
        """Steps between checkpoints; None for 15 in the run."""

    @property
    def schedule(self) -> str:
        """Schedule of the learning rates."""

    @property
    def mixed_precision(self) -> str:
        """Precision of matrix products."""

    @property
    def units_per_step(self) -> int:
        """Tokens or images in one step."""

    def to_dict(self) -> dict[str, Any]:
        """All of them as plain JSON values."""


def spread_over_the_run(settings: LoopSettings) -> str:
    """A setting by which a step depends on the length of the whole run, as name=value; "" if none does.

    Such a run cannot be made longer: its first steps would have been different ones.
    """
    if settings.schedule != CONSTANT:
        return f"schedule={settings.schedule}"
    names = (name for name in getattr(settings, "SPREAD", ()) if getattr(settings, name))
    return next((f"{name}={getattr(settings, name)}" for name in names), "")


@dataclass(frozen=True)
class Budget:
    """How long to train: by steps or by minutes, and where to pause.

    Raises:
        InputError: both or neither of steps and minutes, or a number that is not positive.
    """

    steps: int | None = None
    minutes: float | None = None
    stop_after: int | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise InputError("steps_or_minutes")
        for name in ("steps", "minutes", "stop_after"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError("setting_range", name=name, expected="more than 0", got=str(value))

    def share_done(self, step: float, seconds: float) -> float:
        """How much of the run is done, 0 to 1."""
        share = step / self.steps if self.steps else seconds / (60 * (self.minutes or 1))
        return min(1.0, share)

    def checkpoint_due(self, step: int, seconds: float, seconds_before: float) -> bool:
        """Whether the run has just passed one of its fifteenths.

        Args:
            step: the one just done.
            seconds: of training with it.
            seconds_before: without it.
        """
        passed = int(NUM_CHECKPOINTS * self.share_done(step, seconds))
        return passed > int(NUM_CHECKPOINTS * self.share_done(step - 1, seconds_before))
