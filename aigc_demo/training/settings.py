"""What a training is told: its settings and how long it takes."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from aigc_demo.core.config import setting
from aigc_demo.core.errors import InputError
from aigc_demo.data.text.corpus import TextSettings

NUM_CHECKPOINTS = 15
CONSTANT = "constant"


class LoopSettings(Protocol):
    """What every recipe's settings tell the loop."""

    @property
    def validate_every(self) -> int:
        """Steps between measurements."""

    @property
    def checkpoint_every(self) -> int | None:
        """Steps between checkpoints; None for 15 in the run."""

    @property
    def schedule(self) -> str:
        """Of the learning rates."""

    @property
    def mixed_precision(self) -> str:
        """Of the products."""

    @property
    def units_per_step(self) -> int:
        """What a step learns from: tokens or pictures."""

    def to_dict(self) -> dict[str, Any]:
        """All of them as plain JSON values."""


@dataclass(frozen=True)
class LanguageModelSettings(TextSettings):
    """What `--set` changes in the recipes that train a language model; its text's preparation included."""

    validation_fraction: float = setting(0.1, "share of the text kept for validation", low=0.001, high=0.9)
    context_length: int = setting(256, "tokens the model can look at", low=8, high=8192)
    num_layers: int = setting(6, "blocks on top of each other", low=1, high=64)
    num_heads: int = setting(4, "attentions side by side", low=1, high=64)
    hidden_size: int = setting(256, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(None, "features inside the feed-forward part; 4 hidden_size", low=8)
    dropout: float = setting(0.1, "share of features dropped in training", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix both reads and predicts tokens")
    batch_size: int = setting(12, "rows in one step, all processes together", low=1, high=65_536)
    paragraph_start_prob: float = setting(
        0.125, "probability that a row begins where a paragraph begins", low=0, high=1
    )
    gradient_accumulation_steps: int = setting(1, "parts in which a step is worked off", low=1, high=1024)
    optimizer: str = setting("muon", "for the matrices inside", choices=("muon", "adamw"))
    learning_rate: float = setting(3e-3, "AdamW's largest", low=0, high=10)
    muon_learning_rate: float = setting(0.02, "Muon's largest", low=0, high=10)
    weight_decay: float = setting(0.1, "how strongly matrices shrink", low=0, high=10)
    max_grad_norm: float = setting(1.0, "longer gradients are cut to this length", low=0)
    schedule: str = setting("linear", "of the learning rate", choices=("linear", "cosine", "constant"))
    mixed_precision: str = setting("auto", "of the products", choices=("auto", "no", "bf16", "fp16"))
    validate_every: int = setting(100, "steps between validations", low=1)
    validation_windows: int = setting(64, "windows measured each time, the same ones", low=1)
    checkpoint_every: int | None = setting(None, "steps between checkpoints; none for 15 in the run", low=1)
    sample_tokens: int = setting(200, "tokens of the sample at each checkpoint", low=0, high=4096)
    sample_prompt: str = setting("", "what the sample starts with")

    @property
    def units_per_step(self) -> int:
        """Tokens that a step learns from."""
        return self.batch_size * self.context_length


def spread_over_the_run(settings: LoopSettings) -> str:
    """A setting by which a step depends on how long the whole run is, as name=value; "" where none does.

    Such a run cannot be made longer: its first part would have been another one.
    """
    if settings.schedule != CONSTANT:
        return f"schedule={settings.schedule}"
    grows = (name for name in getattr(settings, "SPREAD", ()) if getattr(settings, name))
    return next((f"{name}={getattr(settings, name)}" for name in grows), "")


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
