"""What a user asks to be trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.catalog import CatalogEntry, find


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


def refuse_init(order: Order, what: str) -> None:
    """Refuse `--init` for a recipe that does not take it.

    Args:
        order: of that recipe.
        what: it trains, with its article.

    Raises:
        InputError: a model is named to start from.
    """
    if order.init is not None:
        expected = f"left away: {what} always starts from random weights"
        raise InputError("setting_range", name="--init", expected=expected, got=order.init)


def model_to_go_on_from(order: Order) -> CatalogEntry:
    """The model that `--init` names.

    Raises:
        InputError: there is no such model, or another recipe made it.
    """
    entry = find(str(order.init), allow_hub=True)
    if entry.recipe != order.recipe or entry.on_hub:
        detail = f"it was made by {entry.recipe or 'others'}"
        expected = f"was made by the recipe {order.recipe}"
        raise InputError("foreign_model", path=entry.name, detail=detail, expected=expected)
    return entry
