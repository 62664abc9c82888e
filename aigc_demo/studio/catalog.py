"""What the page offers to choose from: the catalog's models, and where they can, the same on our network."""

from dataclasses import dataclass
from typing import Any

from aigc_demo.studio.model_cache import ON_OURS


@dataclass(frozen=True)
class Choice:
    """One model to choose. `value` is the name that `compare_text` and the API take."""

    value: str
    entry: Any
    on_ours: bool


def text_choices() -> tuple[Choice, ...]:
    """All text models that this page may run now, in the catalog's order."""
    from aigc_demo.generators.catalog import listed

    choices = []
    for name, entry in listed().items():
        if entry.kind != "text":
            continue
        choices.append(Choice(name, entry, False))
        if entry.runs_on_ours:
            choices.append(Choice(name + ON_OURS, entry, True))
    return tuple(choices)


def default_pair(choices: tuple[Choice, ...]) -> tuple[str, str]:
    """The models that the page opens with: our first, and the first that is not ours."""
    ours = next((choice.value for choice in choices if choice.entry.family == "ours"), choices[0].value)
    others = [choice.value for choice in choices if choice.entry.family != "ours"]
    return ours, others[0] if others else choices[-1].value
