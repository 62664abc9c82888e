"""The built-in texts: stories of random scenes, in English and Chinese.

The scenes are in `scene`; the grammars, the writer, the parser, the order of sentences and the questions in
`stories`.
"""

import itertools
import random
from functools import cache

from aigc_demo.data.tiny_world.scene import (
    Happening,
    Place,
    Scene,
    Thing,
    effect_of,
    relations,
    sample_scene,
    scenes,
)
from aigc_demo.data.tiny_world.stories.parser import ParseResult, StatedRelation, parse_story
from aigc_demo.data.tiny_world.stories.questions import Question, answer_of, questions
from aigc_demo.data.tiny_world.stories.sentence_order import may_follow
from aigc_demo.data.tiny_world.stories.story import stories, story

__all__ = [
    "Happening",
    "ParseResult",
    "Place",
    "Question",
    "Scene",
    "StatedRelation",
    "Thing",
    "answer_of",
    "documents_text",
    "effect_of",
    "may_follow",
    "parse_story",
    "questions",
    "questions_text",
    "relations",
    "sample_scene",
    "scenes",
    "stories",
    "stories_text",
    "story",
]

NUM_STORIES = 20_000
NUM_STORIES_ASKED_ABOUT = 1500


@cache
def stories_text(num_stories: int = NUM_STORIES, seed: int = 0) -> str:
    """The text of the source `tiny-world`: stories with a blank line after each."""
    return "".join(text + "\n\n" for text in itertools.islice(stories(seed), num_stories))


@cache
def documents_text(num_scenes: int = NUM_STORIES, seed: int = 0) -> str:
    """Stories in English and Chinese in turn, with a blank line after each.

    An English story and the Chinese one after it are of different scenes, so that neither can be read off the
    other.

    Args:
        num_scenes: of each language.
        seed: of both languages.
    """
    pairs = zip(stories(seed, "en"), stories(seed, "zh"), strict=True)
    return "".join(f"{english}\n\n{chinese}\n\n" for english, chinese in itertools.islice(pairs, num_scenes))


@cache
def questions_text(num_scenes: int = NUM_STORIES_ASKED_ABOUT, seed: int = 0) -> str:
    """Questions about the first stories of `documents_text` with their answers, each on a line of its own.

    For the vocabulary of a model that reads stories first and answers questions later: the words of questions
    do not stand in stories. All of their words are in this text more than once.

    Args:
        num_scenes: of each language.
        seed: of both languages.
    """
    rng = random.Random(seed)
    lines = [
        line
        for story_text in documents_text(num_scenes, seed).split("\n\n")[:-1]
        for question in questions(story_text, rng)
        for line in (question.text, question.answer)
    ]
    return "\n".join(lines) + "\n"
