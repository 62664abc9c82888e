"""The built-in text: stories of random scenes.

The scenes are in `scene`, the story grammar in `story`, the parser in `story_parser`.
"""

import itertools
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
from aigc_demo.data.tiny_world.story import stories, story
from aigc_demo.data.tiny_world.story_parser import ParseResult, parse_story

__all__ = [
    "Happening",
    "ParseResult",
    "Place",
    "Scene",
    "Thing",
    "effect_of",
    "parse_story",
    "relations",
    "sample_scene",
    "scenes",
    "stories",
    "stories_text",
    "story",
]

NUM_STORIES = 20_000


@cache
def stories_text(num_stories: int = NUM_STORIES, seed: int = 0) -> str:
    """The text of the source `tiny-world`: stories with a blank line after each."""
    return "".join(text + "\n\n" for text in itertools.islice(stories(seed), num_stories))
