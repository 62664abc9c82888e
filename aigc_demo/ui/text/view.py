"""From what the studio says to what the widgets draw: a column's head, strip, alternatives and foot."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.models.catalog import ON_OURS, Choice
from aigc_demo.studio.text.compare import Column
from aigc_demo.ui.language import word
from aigc_demo.ui.words.wording import WORDS, everywhere, sentence_everywhere

Json = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """What one column of one visitor shows, so that the next click can go on from it.

    Attributes:
        column: the last picture of the text.
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


def card_of(choice: Choice, column: Any, words: dict[str, str]) -> Json:
    """The head of any column, for `static/card.js`.

    Args:
        choice: its model.
        column: what the model has done; None before it has done anything.
        words: how it stands.
    """
    entry = choice.entry
    error = column.error if column is not None else entry.problem
    unusable = column is None and entry.problem is not None
    return {
        "badge": everywhere(f"family_{entry.family}"),
        "kind": entry.family,
        "about": everywhere(f"family_{_whose(choice)}_long"),
        "state": column.state if column is not None else "failed" if unusable else "ready",
        "words": everywhere("state_unusable") if unusable else words,
        "error": sentence_everywhere(error.key, error.values) if error else "",
    }


def _whose(choice: Choice) -> str:
    if choice.on_ours:
        return "on_ours"
    return "folder" if choice.of_a_folder else choice.entry.family


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


def loading_words(column: Any) -> dict[str, str]:
    """How far a column is whose model is being loaded, or fetched before."""
    if column.fetched is not None:
        return everywhere("state_fetching", percent=100 * column.fetched)
    return everywhere("state_loading", seconds=column.seconds)


def facts_of(entry: Any, column: Any = None) -> list[Json]:
    """What a model is made of: its size, its data, its licence."""
    count = (column.num_parameters if column else None) or entry.num_parameters
    facts = [fact("fact_parameters", everywhere("not_yet") if not count else short_count(count))]
    if entry.training_data or f"data_{entry.name}" in WORDS:  # a folder of somebody's does not say it
        facts.append(fact("fact_trained_on", _training_data(entry)))
    if entry.languages:  # nobody has said them of a run's model
        facts.append(fact("fact_languages", _languages(entry.languages)))
    if entry.licence:
        facts.append(fact("fact_licence", entry.licence))
    if entry.seconds_per_step:
        facts.append(fact("fact_step_seconds", everywhere("about_seconds", seconds=entry.seconds_per_step)))
    seconds = getattr(column, "gpu_seconds", None)
    if seconds is not None:
        facts.append(fact("fact_gpu", everywhere("gpu_asked" if seconds else "gpu_none", seconds=seconds)))
    if entry.on_hub and entry.size_mib:
        facts.append(fact("fact_download", f"{entry.size_mib:,.0f} MiB"))
    return facts


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


def fact(key: str, value: Any) -> Json:
    """A name and a value for `static/facts.js`."""
    return {"name": everywhere(key), "value": value}


def _languages(names: Sequence[str]) -> dict[str, str]:
    known = [everywhere(f"language_{name}") for name in names if f"language_{name}" in WORDS]
    return {
        language: (", " if language == "en" else "、").join(words[language] for words in known)
        for language in everywhere("language_English")
    }


def _training_data(entry: Any) -> Any:
    """In the reader's language for the models of the catalog; as the entry says it for others."""
    key = f"data_{entry.name}"
    return everywhere(key) if key in WORDS else entry.training_data


def choice_label(choice: Choice) -> tuple[str, str, str]:
    """A model's name in the pickers, in all languages."""
    entry = choice.entry
    sizes = (
        {lang: f" · {size}" for lang, size in short_count(entry.num_parameters).items()}
        if entry.num_parameters
        else {}
    )
    family = everywhere(f"family_{entry.family}")
    note = {lang: f" · {words}" for lang, words in everywhere("on_ours").items()} if choice.on_ours else {}
    english, simplified, traditional = (
        f"{entry.name}{sizes.get(lang, '')} · {family[lang]}{note.get(lang, '')}" for lang in LANGUAGES
    )
    return english, simplified, traditional


def picker_choices(choices: tuple[Choice, ...]) -> list[tuple[Any, str]]:
    """What a picker offers; the name of a run's model is the same in every language."""
    return [(_label(choice), choice.value) for choice in choices]


def _label(choice: Choice) -> Any:
    if choice.of_a_run:
        return run_label(choice)
    return folder_label(choice) if choice.of_a_folder else word(f"model_{choice.value}")


def folder_label(choice: Choice) -> str:
    """The name of a model of a folder, the same in every language; ⚠ where it cannot be used."""
    sign = "⌂" if choice.entry.problem is None else "⚠"
    return f"{sign} {choice.value.replace(ON_OURS, ' → ours')}"


def run_label(choice: Choice) -> str:
    """The name of a run's model in the pickers; ⚠ where it cannot be read."""
    if choice.entry.problem is not None:
        return f"⚠ {choice.value} · unreadable"
    parts = ("▸ " + choice.value, choice.entry.training_data)
    return " · ".join(filter(None, parts))


def short_count(count: int) -> dict[str, str]:
    """A number of parameters as people say it: 4.8 M in English, 480 万 in Chinese."""
    english = _scaled(count, ((1e9, "B"), (1e6, "M"), (1e3, "K")))
    simplified = _scaled(count, ((1e8, "亿"), (1e4, "万")))
    return dict(
        zip(LANGUAGES, (english, simplified, simplified.replace("亿", "億").replace("万", "萬")), strict=True)
    )


def _scaled(count: int, units: tuple[tuple[float, str], ...]) -> str:
    for size, letter in units:
        if count >= size:
            return f"{count / size:.1f} {letter}" if count < 100 * size else f"{count / size:.0f} {letter}"
    return str(count)


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
    """Attention weights for their picture, or why there are none."""
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
    names = ("title", "hint", "before", "after", "token", "written", "close")
    keys = ("", "_hint", "_before", "_after", "_token", "_chosen", "_close")
    words = {name: everywhere(f"alternatives{key}") for name, key in zip(names, keys, strict=True)}
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
    return {**words, "newline": everywhere("newline"), "rows": rows}
