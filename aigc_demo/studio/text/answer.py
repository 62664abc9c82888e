"""The answer to a text, by several models side by side: a line of a couplet, or a question about a story."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import ANSWERS
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answerable import answers_lines, check_question, checked_line, true_answer
from aigc_demo.studio.text.compare import Token, surprise
from aigc_demo.studio.text.prediction import PredictionColumn, predict_side_by_side

if TYPE_CHECKING:
    from aigc_demo.generators.answers.model import AnswerModel
    from aigc_demo.generators.catalog_entry import CatalogEntry

MAX_TEXT_CHARACTERS, MAX_STORY_CHARACTERS = 1_000, 5_000
MOST_ATTENTION_BYTES = 400_000


@dataclass(frozen=True)
class CrossAttention:
    """What a model looked at in the source for each token of its answer.

    Attributes:
        source: the texts of the source's tokens, S of them, special ones by their names.
        answer: those of the answer's tokens, T of them.
        num_layers: L.
        num_heads: H.
        weights: L * H * T * S bytes, 255 for a weight of 1; row t is what was looked at for token t.
    """

    source: tuple[str, ...]
    answer: tuple[str, ...]
    num_layers: int
    num_heads: int
    weights: bytes

    def mean(self) -> list[list[float]]:
        """The mean of all layers and heads, [T][S], between 0 and 1."""
        num_maps, size = self.num_layers * self.num_heads, len(self.answer) * len(self.source)
        sums = [sum(self.weights[place::size]) / (255 * num_maps) for place in range(size)]
        return [sums[begin : begin + len(self.source)] for begin in range(0, size, len(self.source))]


@dataclass(frozen=True)
class Answer:
    """What a model answers.

    Attributes:
        text: the answer.
        tokens: of it, its end token included.
        attention: what was looked at for each.
    """

    text: str
    tokens: tuple[Token, ...]
    attention: CrossAttention


@dataclass(frozen=True)
class AnswerRequest:
    """A text to answer, the arguments checked.

    Attributes:
        models: names from the catalog.
        text: a line or a question, cleaned; a line of a Tang poem with a mark at its end.
        story: that the question is about; None for none.
        settings: of the decoding (`SamplingSettings`).
        expected: the right answer; None where it is not known.
    """

    models: tuple[str, ...]
    text: str
    story: str | None
    settings: Any
    expected: str | None = None


def check_answer_request(
    catalog: Catalog, models: Any, text: Any, story: Any = None, settings: Mapping[str, Any] | None = None
) -> AnswerRequest:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names of models that answer a text.
        text: a line or a question.
        story: that the question is about; None for none.
        settings: of the decoding, loose; the likeliest token each time where nothing else is asked for.

    Raises:
        InputError: a model is unknown or does something else, a text is empty or too long, a line has another
            length than those of the poems, the tiny world knows no such question, or a setting does not fit.
    """
    names = catalog.checked_all(models, ANSWERS)
    entries = [catalog.choice(name).entry for name in names]
    return replace(checked_request(entries, text, story, settings or {}), models=names)


def checked_request(
    entries: Sequence["CatalogEntry"], text: Any, story: Any, settings: Mapping[str, Any]
) -> AnswerRequest:
    """The same for models that are known by their entries.

    Raises:
        InputError: as `check_answer_request`.
    """
    from aigc_demo.generators.text.decoding import SamplingSettings

    checked = checked_prompt("text", text, MAX_TEXT_CHARACTERS)
    if not checked.strip():
        raise InputError("nothing_to_answer")
    about = None if story is None else checked_prompt("story", story, MAX_STORY_CHARACTERS)
    line_model = next((entry.name for entry in entries if answers_lines(entry)), None)
    if line_model is None:
        check_question(checked, about)
    elif about is not None:
        raise InputError("reads_no_story", model=line_model)
    else:
        checked = checked_line(checked)
    asked = SamplingSettings.from_mapping({"temperature": 0, **settings})
    names = tuple(entry.name for entry in entries)
    return AnswerRequest(names, checked, about, asked, true_answer(checked, about))


def compare_answers(
    request: AnswerRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[PredictionColumn, ...]]:
    """Answer with all models concurrently, from the same uniform numbers.

    Yields:
        Columns whose result is an `Answer`. One that fails carries its error and leaves the others alone.
    """

    def answer(model: Any, stopped: Callable[[], bool]) -> Answer:
        return answer_of(model, request, stopped)

    yield from predict_side_by_side(request.models, answer, cache, stop)


def answer_of(
    model: "AnswerModel", request: AnswerRequest, stopped: Callable[[], bool] = lambda: False
) -> Answer:
    """The answer of one model.

    Raises:
        DemoError: the source is too long for it or in a script that it does not know, or its weights are
            damaged.
    """
    model.check_known(request.text, *([] if request.story is None else [request.story]))
    row = model.row(request.text, request.story)
    tokens = tuple(
        Token(token.id, token.text, surprise(token.prob))
        for token in model.answer(row, request.settings, stopped)
    )
    attention = _attention(model, row, [token.id for token in tokens])
    return Answer("".join(token.text for token in tokens), tokens, attention)


def _attention(model: "AnswerModel", row: Any, ids: list[int]) -> CrossAttention:
    """Cross-attention of as many tokens of the answer as a page can take."""
    weights = model.cross_attention(row, ids)
    num_layers, num_heads, _, source_length = weights.shape
    shown = ids[: max(1, MOST_ATTENTION_BYTES // (num_layers * num_heads * source_length))]
    text = model.vocabulary.token_text
    return CrossAttention(
        source=tuple(map(text, row.ids)),
        answer=tuple(map(text, shown)),
        num_layers=num_layers,
        num_heads=num_heads,
        weights=(weights[:, :, : len(shown)].clamp(0, 1) * 255).round().byte().numpy().tobytes(),
    )
