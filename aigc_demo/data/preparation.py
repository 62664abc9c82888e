"""The preprocessing report: how much each step kept and dropped, for texts and images."""

from dataclasses import asdict, dataclass, field
from typing import Any

PREPARATION = "preparation.json"
"""Preprocessing settings of a text, saved with every language model trained here."""


@dataclass(frozen=True)
class PreparationStep:
    """One step of preprocessing.

    Args:
        name: read, clean or split; for texts also drop_lines, tokenise or encode.
        kept: number of characters or images passed to the next step (encode: tokens).
        dropped: number of characters or images dropped (encode: characters not in the vocabulary).
        facts: further counts and names, as JSON values.
        unit: of `kept` and `dropped`.
    """

    name: str
    kept: int
    dropped: int
    facts: dict[str, int | float | str] = field(default_factory=dict)
    unit: str = "characters"

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)
