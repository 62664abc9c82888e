"""Parses a story of the tiny world into its scene, or reports the first error.

Sentences are matched with the tables of `story`. Their content is checked against the rules of `scene`: only
introduced things, one colour for each, effects that follow from their causes, consistent places on the grid,
a closing sentence.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from aigc_demo.data.tiny_world import scene, story
from aigc_demo.data.tiny_world.scene import Happening, Place, Scene, Thing

MAX_THINGS, MAX_HAPPENINGS = 3, 2
NOWHERE = Place(0, 0)


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(words) + ")"


KIND = _any_of(scene.SHAPES + scene.ANIMALS)
COLOUR = _any_of(scene.COLOURS)
WHOLE_NAME = f"(?:(?:small|big) )?{COLOUR} {KIND}"
DESCRIBED = f"an? {WHOLE_NAME}"
SHORT = f"the (?:{COLOUR} )?{KIND}"
REFERENCE = f"the {WHOLE_NAME}|{SHORT}"
MARKERS = {
    "A": REFERENCE,
    "B": REFERENCE,
    "a": REFERENCE,
    "b": REFERENCE,
    "known": f"{SHORT}|it",
    "new": DESCRIBED,
    "newer": DESCRIBED,
    "relation": _any_of(story.RELATION_WORDS.values()),
    "weather": _any_of(weather for weather in scene.WEATHERS if weather),
    "moved_A": "rolled|slid",
    "moved_B": "rolled|slid",
    "sound": _any_of(story.SOUNDS.values()),
}
RELATION_NAMES = {words: name for name, words in story.RELATION_WORDS.items()}


@dataclass(frozen=True)
class ParseResult:
    """The result of parsing a story.

    Args:
        scene: with things in the order of their introduction, in consistent places; None for an invalid
            story.
        problem: the error, or "".
    """

    scene: Scene | None
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the story is well formed and consistent."""
        return self.scene is not None


def parse_story(text: str) -> ParseResult:
    """Parse a story in the form of `story.story`; the text may be arbitrary."""
    try:
        return ParseResult(_Parser(_sentences(text)).parse())
    except _ParseError as error:
        return ParseResult(None, str(error))


class _ParseError(Exception):
    """The story is invalid; the argument is the reason."""


@dataclass(frozen=True)
class _Relation:
    """The position of the first thing relative to the second; `aligned`: in the same row."""

    first: int
    name: str
    second: int
    aligned: bool = False


class _Parser:
    """Processes the sentences in order and collects their content."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences
        self.weather = ""
        self.things: list[Thing] = []
        self.relations: list[_Relation] = []
        self.happenings: list[Happening] = []
        self.named: set[int] = set()

    def parse(self) -> Scene:
        self._read_weather()
        self._read_introductions()
        while len(self.sentences) > 1:
            self._read_happening()
        self._check_sequence()
        self._read_closing()
        return Scene(self._placed(), self.weather, tuple(self.happenings))

    def _next(self) -> str:
        if not self.sentences:
            raise _ParseError("it breaks off")
        return self.sentences.pop(0)

    def _read_weather(self) -> None:
        found = _first_match(story.WEATHER_SENTENCES, self.sentences[0])
        if found:
            self.weather = found["weather"]
            self._next()

    def _read_introductions(self) -> None:
        sentence = self._next()
        found = _first_match(story.PAIR_SENTENCES + story.FIRST_SENTENCES, sentence)
        if not found:
            raise _ParseError(f"no beginning: {sentence}")
        self._add(found["new"])
        if "newer" in found:
            self._add(found["newer"])
            self.relations.append(_Relation(0, RELATION_NAMES[found["relation"]], 1))
        while self.sentences and (found := _first_match(story.NEXT_SENTENCES, self.sentences[0])):
            self._next()
            if found["known"] == "it" and len(self.things) > 1:
                raise _ParseError("it could be more than one thing")
            known = 0 if found["known"] == "it" else self._resolve(found["known"])
            self._add(found["new"])
            self.relations.append(_Relation(len(self.things) - 1, RELATION_NAMES[found["relation"]], known))

    def _add(self, words: str) -> None:
        """Add an introduced thing."""
        parts = words.split()[1:]
        size = parts[0] if parts[0] in scene.SIZES else "medium"
        thing = Thing(parts[-1], parts[-2], size, NOWHERE)
        if story.described(thing) != words:
            raise _ParseError(f"wrong article: {words}")
        if any((thing.kind, thing.colour) == (other.kind, other.colour) for other in self.things):
            raise _ParseError(f"introduced twice: {words}")
        if len(self.things) == MAX_THINGS:
            raise _ParseError("too many things")
        self.things.append(thing)

    def _resolve(self, words: str) -> int:
        """The index of the thing that "the ball", "the red ball" or "the big red ball" refers to."""
        fits = [
            index
            for index, thing in enumerate(self.things)
            if words[4:] in (story.whole_name(thing), f"{thing.colour} {thing.kind}", thing.kind)
        ]
        if len(fits) != 1:
            raise _ParseError(
                f"{words} is {'nothing that was introduced' if not fits else 'more than one thing'}"
            )
        return fits[0]

    def _read_happening(self) -> None:
        position = len(self.happenings)
        if position == MAX_HAPPENINGS:
            raise _ParseError("too much happens")
        sentence = self._next()
        first, link, second = _halves(sentence)
        pronouns = link != ""
        if not pronouns:
            link, _, second = self._next().partition(" ")
            if link not in ("so", "but"):
                raise _ParseError(f"nothing follows: {first}")
        cause, bound = self._read_cause(first, position)
        for (name, effect, _), templates in story.EFFECTS.items():
            found = _first_match(templates, second, pronouns) if name == cause else None
            if found is not None and (effect in story.SURPRISING) == (link == "but"):
                self._add_happening(cause, effect, bound, found)
                return
        raise _ParseError(f"does not follow from {cause}: {second}")

    def _read_cause(self, words: str, position: int) -> tuple[str, dict[str, str]]:
        for opener in sorted(story.OPENERS[position], key=len, reverse=True):
            for cause, templates in story.CAUSES.items():
                found = _first_match(templates, words.removeprefix(opener))
                if found is not None and words.startswith(opener):
                    return cause, found
        raise _ParseError(f"nothing that happens here: {words}")

    def _add_happening(
        self, cause: str, effect: str, cause_words: dict[str, str], effect_words: dict[str, str]
    ) -> None:
        actor = self._resolve(cause_words["A"])
        target = self._target(cause, cause_words, effect_words)
        for name, words in (*cause_words.items(), *effect_words.items()):
            self._check_word(name, words, actor, target)
        if cause in ("hit", "push") and target is not None:
            self.relations.append(_Relation(target, "", actor, aligned=True))
        other = None if target is None else self.things[target]
        try:
            lawful = scene.effect_of(cause, self.things[actor], other)
        except ValueError as error:
            raise _ParseError(f"{cause} cannot happen to these") from error
        if lawful != effect:
            raise _ParseError(f"{lawful} follows, not {effect}")
        self.happenings.append(Happening(cause, actor, target, effect))

    def _target(self, cause: str, cause_words: dict[str, str], effect_words: dict[str, str]) -> int | None:
        for found in (cause_words, effect_words):
            words = found.get("B") or found.get("b")
            if words and words != "it":
                return self._resolve(words)
        # The bang came from the thing that fell, which may not be named again.
        return self.happenings[-1].target if cause == "bang" and self.happenings else None

    def _check_word(self, name: str, words: str, actor: int, target: int | None) -> None:
        """Check that a reference means the right thing, and that a verb fits it."""
        index = actor if name[-1] in "aA" or name == "sound" else target
        if words == "it":
            return
        if index is None:
            raise _ParseError(f"too early: {words}")
        thing = self.things[index]
        if name == "sound":
            fits = story.SOUNDS.get(thing.kind) == words
        elif name.startswith("moved_"):
            fits = story.movement(thing) == words
        else:
            fits = self._resolve(words) == index
            self._check_name(words, index)
        if not fits:
            raise _ParseError(f"unfitting: {words}")

    def _check_name(self, words: str, index: int) -> None:
        """Check that the happenings name a thing first by its whole name, then by a shorter one."""
        thing = self.things[index]
        whole = words[4:] == story.whole_name(thing)
        if index not in self.named and not whole:
            raise _ParseError(f"not its whole name: {words}")
        if index in self.named and whole and thing.size != "medium":
            raise _ParseError(f"its size again: {words}")
        self.named.add(index)

    def _check_sequence(self) -> None:
        if not self.happenings:
            raise _ParseError("it breaks off")
        causes = {happening.cause for happening in self.happenings}
        if not scene.follows(tuple(self.happenings)):
            raise _ParseError("one thing does not lead to the other")
        if any((weather == self.weather) != (cause in causes) for weather, cause in _WEATHER_CAUSES):
            raise _ParseError("the weather does not fit")
        part = {index for happening in self.happenings for index in (happening.actor, happening.target)}
        if not part.issuperset(range(len(self.things))):
            raise _ParseError("something takes no part")

    def _read_closing(self) -> None:
        last, sentence = self.happenings[-1], self._next()
        found = _first_match(story.CLOSINGS[last.cause, last.effect], sentence)
        if found is None:
            raise _ParseError(f"no ending: {sentence}")
        for name, words in found.items():
            self._check_word(name, words, last.actor, last.target)

    def _placed(self) -> tuple[Thing, ...]:
        """The things in the first places on the grid that satisfy all relations."""
        cells = [Place(*cell) for cell in itertools.product(range(3), range(3))]
        for places in itertools.permutations(cells, len(self.things)):
            things = tuple(
                replace(thing, place=place) for thing, place in zip(self.things, places, strict=True)
            )
            if self._fits(things):
                return things
        raise _ParseError("the places contradict each other")

    def _fits(self, things: tuple[Thing, ...]) -> bool:
        for stated in self.relations:
            found = scene.relations(things[stated.first], things[stated.second])
            if stated.name and stated.name not in found:
                return False
            if stated.aligned and found not in (("left",), ("right",)):
                return False
        ways = [scene.direction(happening, things) for happening in self.happenings]
        # A thing that was pushed into a third one moves on in the same direction.
        chained = [happening.cause for happening in self.happenings] == ["push", "hit"]
        return not chained or ways[0] == ways[1]


_WEATHER_CAUSES = (("windy", "wind"), ("rainy", "rain"))


def _sentences(text: str) -> list[str]:
    """The sentences without initial capital and full stop."""
    if not re.fullmatch(r"[A-Z][a-z, ]*\.(?: [A-Z][a-z, ]*\.)*", text):
        raise _ParseError("not a line of whole sentences")
    return [part[0].lower() + part[1:] for part in text[:-1].split(". ")]


def _halves(sentence: str) -> tuple[str, str, str]:
    """Cause, "so" or "but", effect; the last two are empty if the sentence has only a cause."""
    for link in ("so", "but"):
        first, comma, second = sentence.partition(f", {link} ")
        if comma:
            return first, link, second
    return sentence, "", ""


def _first_match(templates: tuple[str, ...], sentence: str, pronouns: bool = False) -> dict[str, str] | None:
    """The values of the markers in the first template that matches, or None."""
    for template in templates:
        found = _pattern(template, pronouns).fullmatch(sentence)
        if found:
            return found.groupdict()
    return None


@cache
def _pattern(template: str, pronouns: bool) -> re.Pattern[str]:
    def marker(match: re.Match[str]) -> str:
        name = match[1]
        words = "it" if pronouns and name in ("a", "b") else MARKERS[name]
        return f"(?P<{name}>{words})"

    return re.compile(re.sub(r"\{(\w+)\}", marker, template))
