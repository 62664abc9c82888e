"""What happens on a click where the tab Text fills in, judges and answers."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from aigc_demo.core.files.strict_json import Json
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS
from aigc_demo.studio.models.arguments import checked_prompt
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Choice, is_at_hand
from aigc_demo.studio.text.answer import AnswerRequest, check_answer_request, compare_answers
from aigc_demo.studio.text.answerable import new_story
from aigc_demo.studio.text.fill_mask import MAX_CHARACTERS, MaskRequest, check_mask_request, compare_masks
from aigc_demo.studio.text.next_sentence import (
    NextSentenceRequest,
    check_next_sentence_request,
    compare_next_sentence,
)
from aigc_demo.studio.text.prediction import PredictionColumn
from aigc_demo.ui.column_handlers import ColumnHandlers, Values
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.text import prediction_view as view
from aigc_demo.ui.widgets import errors_as_toasts

PARTS = ("card", "result", "facts")  # of a column, in this order
Columns = Iterator[tuple[PredictionColumn, ...]]


class PredictionHandlers(ColumnHandlers):
    """The handlers of a view: both columns predict at a press of its button.

    Attributes:
        kind: of its models.
    """

    num_outputs = len(PARTS)
    kind: str

    def predict(self, request: gr.Request, ticket: str, *values: Any) -> Iterator[Values]:
        """Both columns, again and again; the models' names are the last two values."""
        *given, left, right = values
        with errors_as_toasts(request):
            asked = self._check([left, right], *given)
            with self._cancellation.joined(ticket, dict(enumerate(asked.models)), may_wait=False) as stop:
                for columns in self._compare(asked, stop):
                    yield self._sides(
                        stop,
                        lambda number, now=columns: self._side(now[number], asked),  # type: ignore[misc]
                    )

    def known_pair(self, models: tuple[str, str]) -> tuple[str, str] | None:
        """The models of an example, where both can be used without a network."""
        offered = {choice.value: choice.entry for choice in self._catalog.choices(self.kind)}
        return models if all(name in offered and is_at_hand(offered[name]) for name in models) else None

    @abstractmethod
    def _check(self, models: Sequence[Any], *given: Any) -> Any:
        """What is asked of both models.

        Raises:
            InputError: something does not fit.
        """

    @abstractmethod
    def _compare(self, asked: Any, stop: CancelToken) -> Columns:
        """The columns as they go on."""

    @abstractmethod
    def result(self, found: Any, asked: Any) -> Json:
        """What the widget draws of a model's result; None for none yet, with nothing asked."""

    def _side(self, column: PredictionColumn, asked: Any) -> Values:
        choice = self._catalog.choice(column.model)
        return self._shown(choice, column, self.result(column.result, asked))

    def _empty_side(self, model: Any) -> Values:
        choice = self._catalog.choice(self._catalog.checked(model, self.kind))
        return self._shown(choice, None, self.result(None, None))

    def _shown(self, choice: Choice, column: PredictionColumn | None, result: Json) -> Values:
        """What one column shows, in the order of PARTS."""
        return view.prediction_card(choice, column), result, view.prediction_facts(choice, column)


class FillInHandlers(PredictionHandlers):
    """The handlers of "Fill in"."""

    kind = MASKED_WORDS

    def words(self, text: Any, masking: Any) -> Json:
        """The words of a text as it is typed, none of them masked; what is too long is not looked at."""
        cleaned = clean_text(text[:MAX_CHARACTERS]) if isinstance(text, str) else ""
        same = isinstance(masking, dict) and masking.get("text") == cleaned
        return gr.skip() if same else view.masking(cleaned)

    def _check(self, models: Sequence[Any], *given: Any) -> MaskRequest:
        text, masking = given
        # What is masked are words of the text that the widget shows: of another text they are none.
        shown = masking if isinstance(masking, dict) else {}
        same = shown.get("text") == checked_prompt("text", text)
        return check_mask_request(self._catalog, models, text, shown.get("hidden") if same else None)

    def _compare(self, asked: MaskRequest, stop: CancelToken) -> Columns:
        return compare_masks(asked, self._cache, stop)

    def result(self, found: Any, asked: MaskRequest | None) -> Json:
        """As in the base class."""
        return view.filled(found)


class FollowHandlers(PredictionHandlers):
    """The handlers of "Does it follow?"."""

    kind = MASKED_WORDS

    def _check(self, models: Sequence[Any], *given: Any) -> NextSentenceRequest:
        return check_next_sentence_request(self._catalog, models, *given)

    def _compare(self, asked: NextSentenceRequest, stop: CancelToken) -> Columns:
        return compare_next_sentence(asked, self._cache, stop)

    def result(self, found: Any, asked: NextSentenceRequest | None) -> Json:
        """As in the base class."""
        return view.verdict(found)


class AnswerHandlers(PredictionHandlers):
    """The handlers of "Answer"."""

    kind = ANSWERS

    def _check(self, models: Sequence[Any], *given: Any) -> AnswerRequest:
        text, story = given
        no_story = isinstance(story, str) and not story.strip()
        return check_answer_request(self._catalog, models, text, None if no_story else story)

    def _compare(self, asked: AnswerRequest, stop: CancelToken) -> Columns:
        return compare_answers(asked, self._cache, stop)

    def result(self, found: Any, asked: AnswerRequest | None) -> Json:
        """As in the base class."""
        return view.answer(found, None if asked is None else asked.expected)

    def new_story(self, request: gr.Request) -> Values:
        """A question about a new story, and the story; both columns are empty again."""
        with errors_as_toasts(request):
            story, question = new_story("zh" if chosen_language(request).startswith("zh") else "en")
            empty = self.result(None, None)
            return question, story, empty, empty
