"""What the page says of a model in the head and the foot of a column."""

from collections.abc import Sequence
from typing import Any

from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.models.catalog import Choice
from aigc_demo.ui.figures import short_count
from aigc_demo.ui.words.wording import WORDS, everywhere, sentence_everywhere


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
    if entry.started_from is not None:
        facts.append(fact("fact_started_from", entry.started_from or everywhere("random_weights")))
    if entry.languages:  # not known of a run's model
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
