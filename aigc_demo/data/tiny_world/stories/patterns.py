"""Patterns for the sentences of stories: what may stand for each marker of a template."""

import re
from collections.abc import Iterable
from functools import cache

from aigc_demo.data.tiny_world.scene import Thing
from aigc_demo.data.tiny_world.stories.grammar import Grammar, all_things


@cache
def new_things(grammar: Grammar) -> dict[str, Thing]:
    """Things by their name with any article, right or wrong."""
    return {article + grammar.name(thing): thing for article in grammar.articles for thing in all_things()}


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(words) + ")"


@cache
def markers(grammar: Grammar) -> dict[str, str]:
    """A pattern for what may stand for each marker."""
    kind, colour = _any_of(grammar.kinds.values()), _any_of(grammar.colours.values())
    size = _any_of(words for name, words in grammar.sizes.items() if name != "medium")
    whole = grammar.whole_name.format(size=f"{size}?", colour=colour, kind=kind)
    short = grammar.whole_name.format(size="", colour=colour, kind=kind)
    known = f"{grammar.definite}(?:{whole}|{short}|{kind})"
    new = _any_of(grammar.articles) + whole
    return {
        **dict.fromkeys(("A", "B", "a", "b"), known),
        "known": f"{grammar.definite}(?:{short}|{kind})|{grammar.pronoun}",
        "new": new,
        "newer": new,
        "relation": _any_of(grammar.relations.values()),
        "weather": _any_of(grammar.weathers.values()),
        "moved_A": _any_of(grammar.movements),
        "moved_B": _any_of(grammar.movements),
        "sound": _any_of(grammar.sounds.values()),
    }


@cache
def pattern(grammar: Grammar, template: str, pronouns: bool) -> re.Pattern[str]:
    """A pattern for a template, with a group for each marker.

    Args:
        grammar: of the language.
        template: one of its sentences or clauses.
        pronouns: whether {a} and {b} are pronouns.
    """

    def marker(match: re.Match[str]) -> str:
        name = match[1]
        words = grammar.pronoun if pronouns and name in ("a", "b") else markers(grammar)[name]
        return f"(?P<{name}>{words})"

    return re.compile(re.sub(r"\{(\w+)\}", marker, template))
