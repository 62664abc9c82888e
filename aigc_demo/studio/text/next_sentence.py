"""Whether one text can follow another, by several models side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import MASKED_WORDS
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.prediction import PredictionColumn, predict_side_by_side

MAX_CHARACTERS = 2_000


@dataclass(frozen=True)
class NextSentenceRequest:
    """Two texts, the arguments checked.

    Attributes:
        models: names from the catalog.
        first: cleaned.
        second: the text that may follow it, cleaned.
    """

    models: tuple[str, ...]
    first: str
    second: str


def check_next_sentence_request(
    catalog: Catalog, models: Any, first: Any, second: Any
) -> NextSentenceRequest:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names of models that predict masked words.
        first: a text.
        second: the text that may follow it.

    Raises:
        InputError: a model is unknown or does something else, or a text is empty, too long or no text.
    """
    names = catalog.checked_all(models, MASKED_WORDS)
    texts = [
        checked_prompt(name, text, MAX_CHARACTERS) for name, text in (("first", first), ("second", second))
    ]
    if not all(text.strip() for text in texts):
        raise InputError("two_texts_needed")
    return NextSentenceRequest(names, *texts)


def compare_next_sentence(
    request: NextSentenceRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[PredictionColumn, ...]]:
    """Ask all models concurrently.

    Yields:
        Columns whose result is the probability that the second text follows the first.
    """

    def follows(model: Any, stopped: Any) -> float:
        prob: float = model.follows(request.first, request.second)
        return prob

    yield from predict_side_by_side(request.models, follows, cache, stop)
