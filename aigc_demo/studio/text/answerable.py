"""Whether a text can be answered at all: lines of couplets, and questions about the tiny world's stories."""

import random
import re
import secrets
from functools import cache
from typing import TYPE_CHECKING

from aigc_demo.core.errors import InputError
from aigc_demo.generators.shipped import TANG_POEMS

if TYPE_CHECKING:
    from aigc_demo.generators.catalog_entry import CatalogEntry

LINE_LENGTHS = (5, 7)
MARKS = "，。！？；、：,.!?;:"
ENDED = re.compile(rf"[{re.escape(MARKS)}]$")


def answers_lines(entry: "CatalogEntry") -> bool:
    """Whether a model answers the first line of a couplet, by what it was trained on."""
    return entry.data_sha256 == TANG_POEMS.sha256


def checked_line(text: str) -> str:
    """The first line of a couplet with its mark.

    Raises:
        InputError: it has no length that lines of the poems have.
    """
    line = text.strip()
    length = len(re.sub(rf"[\s{re.escape(MARKS)}]", "", line))
    if length not in LINE_LENGTHS:
        raise InputError("line_length", got=length)
    return line if ENDED.search(line) else line + "，"


def check_question(question: str, story: str | None) -> None:
    """Refuse a question without a story, and one that nobody could answer about a story.

    Args:
        question: or another text, which needs no story.
        story: None for none.

    Raises:
        InputError: there is no story, or the question is none of the tiny world's.
    """
    known = is_question(question)
    if (story is None and known) or (story is not None and not story.strip()):
        raise InputError("story_empty")
    if story is not None and not known:
        raise InputError("unknown_question")


def is_question(text: str) -> bool:
    """Whether a text is a question that can be asked about a story of the tiny world."""
    from aigc_demo.data.tiny_world.stories.questions import answer_of

    return any(answer_of(story, text) is not None for story in _stories())


def true_answer(question: str, story: str | None) -> str | None:
    """The answer that follows from a story; None where it is no story of the tiny world in that language."""
    from aigc_demo.data.tiny_world.stories.questions import answer_of

    return None if story is None else answer_of(story, question)


def new_story(language: str) -> tuple[str, str]:
    """A new story of the tiny world, and a question about it.

    Args:
        language: en or zh.
    """
    from aigc_demo.data.tiny_world.stories.questions import questions
    from aigc_demo.data.tiny_world.stories.story import stories

    seed = secrets.randbits(32)
    story = next(stories(seed, language))
    return story, questions(story, random.Random(seed), 1)[0].text


@cache
def _stories() -> tuple[str, ...]:
    """One story in each language."""
    from aigc_demo.data.tiny_world.stories.story import GRAMMARS, stories

    return tuple(next(stories(0, language)) for language in GRAMMARS)
