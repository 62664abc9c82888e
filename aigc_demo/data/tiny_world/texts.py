"""The built-in data: an endless supply of little scenes, and texts made of their stories.

The scenes are in `tiny_scene`, their stories in `tiny_story`, the reader of stories in `story_parser`.
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
    """Stories with a blank line after each: the text that the source `tiny-world` stands for."""
    return "".join(told + "\n\n" for told in itertools.islice(stories(seed), num_stories))
