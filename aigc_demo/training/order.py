"""What a user asks to be trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Order:
    """What a user asks to be trained, before anything is checked against data or disk."""

    recipe: str
    source: str
    run_dir: Path
    steps: int | None = None
    minutes: float | None = None
    stop_after: int | None = None
    seed: int = 0
    resume: bool = False
    init: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
