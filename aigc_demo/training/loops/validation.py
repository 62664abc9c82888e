"""The validation losses of a run so far: the last, the best, and the one over all held-out data."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Validation:
    """What the held-out part said so far, in nats a token; not finite before it was measured.

    Attributes:
        last: over the same windows each time.
        best: the least of those, first reached at `best_step`.
        full: over all windows; measured where a run pauses or ends, by the model that `last` is of.
    """

    last: float = math.nan
    best: float = math.inf
    best_step: int = 0
    full: float = math.nan

    def then(self, step: int, loss: float, full: float = math.nan) -> "Validation":
        """After one more measurement."""
        best, best_step = (loss, step) if loss < self.best else (self.best, self.best_step)
        return Validation(loss, best, best_step, full)
