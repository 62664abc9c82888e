"""Masked words of a text, predicted by several models side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import MASKED_WORDS
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.inspection import checked_count
from aigc_demo.studio.text.prediction import PredictionColumn, predict_side_by_side

if TYPE_CHECKING:
    from aigc_demo.generators.text.masked_words import FilledText

MAX_CHARACTERS = 5_000
NUM_CANDIDATES = 5
MOST_RANGES = 64


@dataclass(frozen=True)
class MaskRequest:
    """A text with masks, its arguments checked.

    Attributes:
        models: names from the catalog.
        text: cleaned; `<mask>` and `[MASK]` in it are masks.
        hidden: ranges of its characters that are masked too, first and past the last.
        num: how many candidates for each mask.
    """

    models: tuple[str, ...]
    text: str
    hidden: tuple[tuple[int, int], ...] = ()
    num: int = NUM_CANDIDATES


def check_mask_request(
    catalog: Catalog, models: Any, text: Any, hidden: Any = None, num: Any = NUM_CANDIDATES
) -> MaskRequest:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names of models that predict masked words.
        text: with masks in it, or with something hidden.
        hidden: ranges of characters of the cleaned text, as pairs; None for none.
        num: how many candidates for each mask.

    Raises:
        InputError: a model is unknown or does something else, or another argument does not fit.
    """
    names = catalog.checked_all(models, MASKED_WORDS)
    checked = checked_prompt("text", text, MAX_CHARACTERS)
    return MaskRequest(names, checked, _checked_ranges(hidden, len(checked)), checked_count(num))


def compare_masks(
    request: MaskRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[PredictionColumn, ...]]:
    """Predict the masks with all models concurrently.

    Yields:
        Columns whose result is a `generators.text.masked_words.FilledText`. One that fails, such as that of a
        model that finds no mask or too many, carries its error and leaves the others alone.
    """

    def fill(model: Any, stopped: Any) -> Any:
        return model.fill(request.text, request.num, request.hidden)

    yield from predict_side_by_side(request.models, fill, cache, stop)


def hidden_words(filled: "FilledText") -> tuple[str | None, ...]:
    """What stands in the text in the place of each mask; None where it is only a written mask."""
    from aigc_demo.generators.text.rows import MASK

    texts = [filled.masked[place.first : place.past] for place in filled.places]
    return tuple(None if MASK.fullmatch(text.strip()) else text.strip() for text in texts)


def bare_word(token: str) -> str:
    """A token's text without the sign of a word piece and the spaces around it."""
    from aigc_demo.generators.text.masked_words import WORD_PIECE

    return token.removeprefix(WORD_PIECE).strip()


def _checked_ranges(given: Any, length: int) -> tuple[tuple[int, int], ...]:
    if given is None:
        return ()
    expected = f"a list of at most {MOST_RANGES} ranges [first, past] of the {length} characters"
    if not isinstance(given, (list, tuple)) or len(given) > MOST_RANGES:
        raise InputError("setting_type", name="hidden", expected=expected, got=shown(given))
    for one in given:
        pair = isinstance(one, (list, tuple)) and len(one) == 2 and all(type(place) is int for place in one)
        if not pair or not 0 <= one[0] < one[1] <= length:
            raise InputError("setting_type", name="hidden", expected=expected, got=shown(one))
    return tuple((first, past) for first, past in given)
