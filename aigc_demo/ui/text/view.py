"""From what the studio says to what the widgets draw: a column's head, strip, alternatives and foot."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.models.catalog import Choice
from aigc_demo.studio.text.compare import Column
from aigc_demo.ui.model_facts import card_of, fact, facts_of, loading_words
from aigc_demo.ui.words.wording import everywhere, sentence_everywhere


@dataclass(frozen=True)
class Shown:
    """What one column of one visitor shows, so that the next click can go on from it.

    Attributes:
        column: the text as it was shown last.
        prompt: what it began with.
        settings: by which it was written: pairs of a place and the settings that hold from that token on,
            for the next part of a text may be written by others.
        offered: the alternatives on the page: the place of the token, and what could stand there.
        bits_per_byte: on the pasted text, and of which model.
        text_id: names the text, so that the page knows when to begin a new one.
    """

    column: Column | None = None
    prompt: str = ""
    settings: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    offered: tuple[int, tuple[Any, ...]] | None = None
    bits_per_byte: tuple[str, float] | None = None
    text_id: str = ""

    def written_by(self, settings: Mapping[str, Any], place: int) -> "Shown":
        """The same, whose tokens from `place` on are written by these settings."""
        before = tuple(part for part in self.settings if part[0] < place)
        return replace(self, settings=(*before, (place, settings)))

    def settings_at(self, place: int) -> Mapping[str, Any]:
        """Those that the token at this place was written by.

        Raises:
            LookupError: nothing was written.
        """
        return [settings for begin, settings in self.settings if begin <= place][-1]


def model_card(choice: Choice, shown: Shown) -> Json:
    """The head of a column: what kind of model it is, what it is doing, why it failed."""
    column = _own_column(choice, shown)
    return card_of(choice, column, _state_words(column))


def model_facts(choice: Choice, shown: Shown) -> Json:
    """The foot of a column: what its text cost, and what the model is made of."""
    column = _own_column(choice, shown)
    return {"figures": _figures(choice.value, column, shown), "facts": facts_of(choice.entry, column)}


def _own_column(choice: Choice, shown: Shown) -> Column | None:
    """The column's text, unless another model wrote it."""
    return shown.column if shown.column is not None and shown.column.model == choice.value else None


def _state_words(column: Column | None) -> dict[str, str]:
    if column is None:
        return everywhere("state_ready")
    if column.state == "loading":
        return loading_words(column)
    return everywhere(f"state_{column.state}", seconds=column.seconds, count=len(column.tokens))


def _figures(model: str, column: Column | None, shown: Shown) -> list[Json]:
    figures = []
    if column is not None and column.memory_mib is not None:
        rate, first = column.tokens_per_second, column.first_token_ms
        figures = [
            fact(
                "fact_speed",
                everywhere("not_yet") if rate is None else f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}",
            ),
            fact("fact_first", everywhere("not_yet") if first is None else f"{first:,.0f} ms"),
            fact(
                "fact_memory",
                f"{column.memory_mib:,.0f} MiB"
                if column.memory_mib >= 10
                else f"{column.memory_mib:.1f} MiB",
            ),
        ]
    if shown.bits_per_byte is not None and shown.bits_per_byte[0] == model:
        figures.append(fact("fact_bits", f"{shown.bits_per_byte[1]:.3f}"))
    return figures


def strip(shown: Shown, chosen: int = -1) -> Json:
    """The tokens of a column for its strip."""
    column = shown.column
    tokens = column.tokens if column else ()
    return {
        "reset": shown.text_id,
        "prompt": [[token.text, token.id] for token in column.prompt] if column else [],
        "t": [token.text for token in tokens],
        "i": [token.id for token in tokens],
        "s": [None if math.isnan(token.bits) else round(token.bits, 2) for token in tokens],
        "chosen": chosen,
        "name": everywhere("strip"),
        "newline": everywhere("newline"),
        "empty": everywhere("strip_empty"),
    }


def score(model: str | None, result: Any) -> Json:
    """A measured text: the figure, and each character with its share of its token's bits."""
    value: Json = {
        "model": model or "",
        "figure": "",
        "error": "",
        "strip": None,
        "empty": everywhere("score_empty"),
    }
    if isinstance(result, DemoError):
        value["error"] = sentence_everywhere(result.key, result.values)
    elif result is not None:
        value["figure"] = everywhere(
            "score_bits", bits=result.bits_per_byte, num_bytes=result.num_bytes, num_tokens=result.num_tokens
        )
        value["t"] = list(result.text)
        value["s"] = [round(bits, 2) for bits in result.character_bits]
        value["name"] = everywhere("score_strip")
    return value


def attention(model: str | None, found: Any) -> Json:
    """Attention weights for their image, or why there are none."""
    words = {name: everywhere(f"attention_{name}") for name in ("layer", "head", "map", "hover", "empty")}
    if isinstance(found, DemoError):
        words["empty"] = sentence_everywhere(found.key, found.values)
    if found is None or isinstance(found, DemoError):
        return {"model": model or "", "words": words}
    data = base64.b64encode(found.weights).decode("ascii")
    sizes = {"L": found.num_layers, "H": found.num_heads, "T": len(found.tokens)}
    return {"model": model or "", "words": words, "tok": list(found.tokens), "data": data, **sizes}


def choices(alternatives: Sequence[Any], written_id: int) -> Json:
    """The alternatives to a token, for their table."""
    words = {
        name: everywhere(f"alternatives_{name}")
        for name in ("hint", "before", "after", "token", "written", "close")
    }
    rows = [
        {
            "text": a.text,
            "id": a.id,
            "before": a.prob_before,
            "after": a.prob_after,
            "written": a.id == written_id,
        }
        for a in alternatives
    ]
    return {"title": everywhere("alternatives"), **words, "newline": everywhere("newline"), "rows": rows}
