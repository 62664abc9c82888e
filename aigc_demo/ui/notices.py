"""Lines that say what happened, or why something was not done; for `static/notice.js`."""

import time
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.ui.widgets import harmless
from aigc_demo.ui.words.wording import everywhere, sentence_everywhere


def notice(key: str | None = None, *, run: str = "", **values: Any) -> Json:
    """A line that says what has just happened, for `static/notice.js`.

    Args:
        key: of the words; None for an empty line.
        run: the line is about this run while it is under way, and goes when the run has ended.
        values: of the words.
    """
    return {"bad": False, "words": everywhere(key, **values) if key else None, "run": run, "at": time.time()}


def refusal(error: DemoError) -> Json:
    """A line that says why something was not done."""
    return {"bad": True, "words": problem_words(error), "at": time.time()}


def problem_words(problem: DemoError | None) -> dict[str, str] | None:
    """The sentence of what went wrong."""
    return None if problem is None else problem_words_of(problem.key, problem.values)


def problem_words_of(key: str, values: dict[str, Any]) -> dict[str, str] | None:
    """A sentence from its key; None where the record of a foreign run names one that does not exist."""
    try:
        found = sentence_everywhere(key, values)
    except (KeyError, IndexError, ValueError):
        return None
    return {language: harmless(words) for language, words in found.items()}
