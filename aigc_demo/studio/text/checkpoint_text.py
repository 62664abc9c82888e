"""What models make of one prompt, whatever they do with a text: continue it, fill in its masks, answer it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS, TEXT_GENERATOR
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answer import check_answer_request, compare_answers
from aigc_demo.studio.text.compare import check_request, compare_text
from aigc_demo.studio.text.fill_mask import bare_word, check_mask_request, compare_masks

NUM_CANDIDATES = 3


@dataclass(frozen=True)
class CheckpointText:
    """The column of one model.

    Attributes:
        model: its name.
        state: how it stands, as in `Progressing`.
        given: what stands before its text: the prompt of a text that goes on, else nothing.
        text: what it has written so far.
        error: why it failed.
    """

    model: str
    state: str
    given: str = ""
    text: str = ""
    error: DemoError | None = None


Columns = Iterator[tuple[CheckpointText, ...]]


def texts_of(
    kind: str,
    models: Sequence[Any],
    prompt: Any,
    settings: Mapping[str, Any],
    cache: ModelCache,
    stop: CancelToken,
) -> Columns:
    """Let models of one kind make something of a prompt, concurrently.

    Args:
        kind: one of `runs.samples.KINDS_OF_TEXT`.
        models: one to four names of them.
        prompt: the beginning of a text; a text with masks; or a line to answer, or a question with the story
            that it is about in the lines below it.
        settings: `seed`, and of a text that goes on also those of its sampling.
        cache: where the models are, or are loaded to.
        stop: set by Stop.

    Yields:
        The columns as they go on, in the order of the models.

    Raises:
        InputError: an argument does not fit (at the first column).
    """
    columns = {TEXT_GENERATOR: _continued, MASKED_WORDS: _filled, ANSWERS: _answered}
    yield from columns[kind](models, prompt, settings, cache, stop)


def _continued(
    models: Sequence[Any], prompt: Any, settings: Mapping[str, Any], cache: ModelCache, stop: CancelToken
) -> Columns:
    asked = check_request(cache.catalog, models, prompt, settings)
    for columns in compare_text(asked, cache, stop):
        yield tuple(
            CheckpointText(one.model, one.state, asked.prompt, one.text, one.error) for one in columns
        )


def _filled(
    models: Sequence[Any], prompt: Any, settings: Mapping[str, Any], cache: ModelCache, stop: CancelToken
) -> Columns:
    asked = check_mask_request(cache.catalog, models, prompt, num=NUM_CANDIDATES)
    yield from _predicted(compare_masks(asked, cache, stop), _with_candidates)


def _answered(
    models: Sequence[Any], prompt: Any, settings: Mapping[str, Any], cache: ModelCache, stop: CancelToken
) -> Columns:
    question, story = prompt, None
    if isinstance(prompt, str):
        question, _, below = prompt.strip().partition("\n")
        story = below.strip() or None
    asked = check_answer_request(cache.catalog, models, question, story, {"seed": settings["seed"]})
    yield from _predicted(compare_answers(asked, cache, stop), lambda found: found.text)


def _predicted(compared: Iterator[tuple[Any, ...]], text: Callable[[Any], str]) -> Columns:
    for columns in compared:
        yield tuple(
            CheckpointText(
                one.model,
                one.state,
                text="" if one.result is None else text(one.result),
                error=one.error,
            )
            for one in columns
        )


def _with_candidates(filled: Any) -> str:
    """The text with its likeliest words, and below it the candidates for each mask."""
    lines = (
        " · ".join(f"{bare_word(guess.text)} {guess.prob:.0%}" for guess in place.guesses)
        for place in filled.places
    )
    return "\n".join((filled.text, *(f"{number}. {line}" for number, line in enumerate(lines, 1))))
