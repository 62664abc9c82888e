"""From predictions of the studio to what the widgets draw: guesses for masks, verdicts, answers."""

import base64
from typing import TYPE_CHECKING

from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.models.catalog import Choice
from aigc_demo.studio.text.answer import Answer
from aigc_demo.studio.text.fill_mask import bare_word, hidden_words
from aigc_demo.studio.text.prediction import PredictionColumn
from aigc_demo.ui.model_facts import card_of, facts_of, loading_words
from aigc_demo.ui.words.wording import everywhere

if TYPE_CHECKING:
    from aigc_demo.generators.text.masked_words import FilledText, MaskedPlace

SURE = 0.6
"""From this probability on a verdict is one; between its complement and it, the model does not know."""


def prediction_card(choice: Choice, column: PredictionColumn | None) -> Json:
    """The head of a column."""
    return card_of(choice, column, _state_words(column))


def prediction_facts(choice: Choice, column: PredictionColumn | None) -> Json:
    """The foot of a column: what the model is made of."""
    return {"figures": [], "facts": facts_of(choice.entry, column)}


def _state_words(column: PredictionColumn | None) -> dict[str, str]:
    if column is None:
        return everywhere("state_ready")
    if column.state == "loading":
        return loading_words(column)
    return everywhere(f"prediction_{column.state}", milliseconds=1000 * column.seconds)


def masking(text: str = "", hidden: tuple[tuple[int, int], ...] = ()) -> Json:
    """A text whose words can be masked, for `static/masking.js`.

    Args:
        text: of the field.
        hidden: ranges of its characters that are masked.
    """
    words = {name: everywhere(f"masking_{name}") for name in ("name", "hint", "empty")}
    return {"text": text, "hidden": [list(one) for one in hidden], **words}


def bars(
    empty: str, groups: list[Json], head: dict[str, str] | None = None, parts: list[Json] | None = None
) -> Json:
    """Probabilities for `static/bars.js`.

    Args:
        empty: the key of what stands there before there are any.
        groups: of bars.
        head: the sentence above them.
        parts: a text above them, of which some parts are marked.
    """
    words = {"empty": everywhere(empty), "right": everywhere("guess_right")}
    return {**words, "groups": groups, "head": head, "parts": parts or []}


def filled(result: "FilledText | None") -> Json:
    """A text with its masks filled in, and the candidates for each."""
    if result is None:
        return bars("fill_empty", [])
    hidden = hidden_words(result)
    groups, parts, begin, num_right = [], list[Json](), 0, 0
    for number, (place, word) in enumerate(zip(result.places, hidden, strict=True), start=1):
        right = _is(place.guesses[0].text, word)
        num_right += right
        # A mask may have taken the space before its word along.
        past = place.first + (result.masked[place.first] == " ")
        parts.append({"text": result.masked[begin:past]})
        kind = "guess" if word is None else "right" if right else "wrong"
        parts.append({"text": bare_word(place.guesses[0].text), "kind": kind})
        groups.append(_guesses(number, place, word))
        begin = place.past
    parts.append({"text": result.masked[begin:]})
    known = sum(word is not None for word in hidden)
    head = everywhere("fill_right", right=num_right, count=known) if known else None
    return bars("fill_empty", groups, head, parts)


def _is(token: str, word: str | None) -> bool:
    """Whether a candidate is the hidden word; vocabularies in lower case know no capitals."""
    return word is not None and bare_word(token).casefold() == word.casefold()


def _guesses(number: int, place: "MaskedPlace", word: str | None) -> Json:
    """The candidates for one mask, the right one marked."""
    rows = [
        {"text": bare_word(one.text) or "␣", "prob": one.prob, "right": _is(one.text, word)}
        for one in place.guesses
    ]
    if word is None:
        return {"title": everywhere("guess_title", number=number), "rows": rows}
    missed = not any(row["right"] for row in rows)
    note = everywhere("guess_missed", word=word, count=len(rows)) if missed else None
    title = everywhere("guess_title_hidden", number=number, word=word)
    return {"title": title, "rows": rows, "note": note}


def verdict(prob: float | None) -> Json:
    """The probability that a text follows another, and what that says."""
    if prob is None:
        return bars("follow_empty", [])
    says = "follow_yes" if prob >= SURE else "follow_no" if prob <= 1 - SURE else "follow_unsure"
    rows = [
        {"text": everywhere("follow_bar"), "prob": prob, "right": False},
        {"text": everywhere("follow_not_bar"), "prob": 1 - prob, "right": False},
    ]
    return bars("follow_empty", [{"rows": rows}], everywhere(says))


def answer(result: Answer | None, expected: str | None = None) -> Json:
    """An answer with its cross-attention, for `static/answer.js`.

    Args:
        result: of a model; None for none yet.
        expected: the right answer; None where it is not known.
    """
    if result is None:
        return {"empty": everywhere("answer_empty")}
    looked = result.attention
    names = ("layer", "head", "mean", "answer", "source", "hint")
    right = None if expected is None else result.text.strip() == expected
    verdicts = {True: "answer_right", False: "answer_wrong"}
    return {
        "text": result.text.strip(),
        "right": right,
        "verdict": None if right is None else everywhere(verdicts[right], expected=expected),
        "tokens": list(looked.answer),
        "source": list(looked.source),
        "L": looked.num_layers,
        "H": looked.num_heads,
        "data": base64.b64encode(looked.weights).decode("ascii"),
        "words": {name: everywhere(f"looked_{name}") for name in names},
    }
