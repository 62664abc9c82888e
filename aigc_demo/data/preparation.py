"""What a step of preparing data kept and dropped: one line of the report, for texts and pictures alike."""

from dataclasses import asdict, dataclass, field
from typing import Any

PREPARATION = "preparation.json"
"""How a text was prepared: beside every model of text that was trained here."""


@dataclass(frozen=True)
class PreparationStep:
    """One line of the report.

    Args:
        name: read, clean or split; of texts also drop_lines, tokenise or encode.
        kept: characters or pictures that went on to the next step (of encode: tokens).
        dropped: characters or pictures that did not (of encode: characters the vocabulary does not know).
        facts: what else there is to say, as plain JSON values.
        unit: what was counted.
    """

    name: str
    kept: int
    dropped: int
    facts: dict[str, int | float | str] = field(default_factory=dict)
    unit: str = "characters"

    def to_dict(self) -> dict[str, Any]:
        """The line as plain JSON values."""
        return asdict(self)
