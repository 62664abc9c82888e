"""From the studio's decoders and forks to what `static/fork.js` draws."""

from collections.abc import Sequence
from typing import Any

from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.text.compare import Column
from aigc_demo.studio.text.fork import OWN_SETTINGS, Decision, Fork, ForkRequest
from aigc_demo.ui.model_facts import loading_words
from aigc_demo.ui.words.wording import everywhere, sentence_everywhere

WORDS = ("choose", "token", "prob", "noise", "taken", "dropped", "hint", "none")


def empty_forks() -> Json:
    """Before anything was decoded."""
    return {"empty": everywhere("fork_empty"), "texts": [], "forks": None}


def forks_of(
    request: ForkRequest, columns: Sequence[Column], forks: Sequence[Fork] | None, vocab_size: int = 0
) -> Json:
    """The texts of all decoders, and where they part.

    Args:
        request: what was asked.
        columns: of each decoder.
        forks: None while they are not known.
        vocab_size: of the model.
    """
    texts = [
        {
            "name": _name(decoder, settings),
            "state": column.state,
            "words": _state_words(column),
            "tokens": [token.text for token in column.tokens],
        }
        for (decoder, settings), column in zip(request.settings.items(), columns, strict=True)
    ]
    places = {decoder: place for place, decoder in enumerate(request.settings)}
    return {
        **empty_forks(),
        "prompt": request.prompt,
        "texts": texts,
        "forks": None
        if forks is None
        else [_fork(number, fork, places, vocab_size) for number, fork in enumerate(forks, start=1)],
        "words": {name: everywhere(f"fork_{name}") for name in WORDS},
    }


def _name(decoder: Any, settings: Any) -> dict[str, str]:
    own = OWN_SETTINGS[decoder]
    return everywhere(f"decoder_{decoder}", value=getattr(settings, own[-1]) if own else 0)


def _state_words(column: Column) -> dict[str, str] | None:
    """What stands in the place of a text; None where the text stands for itself."""
    if column.error is not None:
        return sentence_everywhere(column.error.key, column.error.values)
    if column.state == "loading":
        return loading_words(column)
    return everywhere("prediction_waiting") if column.state == "waiting" else None


def _fork(number: int, fork: Fork, places: dict[Any, int], vocab_size: int) -> Json:
    rows = {candidate.id: row for row, candidate in enumerate(fork.candidates)}
    return {
        "title": everywhere("fork_title", number=number, position=fork.position),
        "position": fork.position,
        "candidates": [
            {"text": one.text, "prob": one.prob, "noise": round(one.noise, 2)} for one in fork.candidates
        ],
        "decisions": [
            {
                "place": places[decision.decoder],
                "taken": rows[decision.id],
                "probs": list(decision.probs),
                "why": _why(fork, decision, rows, vocab_size),
            }
            for decision in fork.decisions
        ],
    }


def _why(fork: Fork, decision: Decision, rows: dict[int, int], vocab_size: int) -> dict[str, str]:
    """Why a decoder took its token, in one sentence."""
    token = _visible(fork.candidates[rows[decision.id]].text)
    by_decoder = {other.decoder: other for other in fork.decisions}
    if decision.decoder == "greedy":
        return everywhere("why_greedy", token=token)
    if decision.decoder == "beam":
        greedy = by_decoder.get("greedy")
        mean = _number(decision.mean_log_prob)
        if greedy is None:
            return everywhere("why_beam", token=token, mean=mean)
        return everywhere("why_beam_greedy", token=token, mean=mean, greedy=_number(greedy.mean_log_prob))
    known = {"token": token, "kept": decision.num_kept, "size": vocab_size}
    free = by_decoder.get("temperature")
    if free is None or decision.probs[rows[free.id]] > 0:
        return everywhere("why_drawn", **known)
    return everywhere("why_other", **known, other=_visible(fork.candidates[rows[free.id]].text))


def _number(value: float) -> str:
    """With a minus sign that is as wide as a plus."""
    return f"{value:.2f}".replace("-", "−")


def _visible(text: str) -> str:
    """A token as it stands in a sentence: white space by a sign."""
    return text.replace("\n", "↵").replace(" ", "␣")
