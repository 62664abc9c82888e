"""Reads a story of the tiny world back into its scene, or says what is wrong with it.

The sentences are those of `tiny_story`'s tables, so the grammar is checked by matching; what they say is
then checked against the laws of `tiny_scene`: only things that were introduced, one colour for each, effects
that fit their causes, places that can be had on the grid, an end.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from aigc_demo.data.tiny_world import scene as tiny_scene
from aigc_demo.data.tiny_world import story as tiny_story
from aigc_demo.data.tiny_world.scene import Happening, Place, Scene, Thing

MAX_THINGS, MAX_HAPPENINGS = 3, 2
NOWHERE = Place(0, 0)


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(words) + ")"


KIND = _any_of(tiny_scene.SHAPES + tiny_scene.ANIMALS)
COLOUR = _any_of(tiny_scene.COLOURS)
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
    "relation": _any_of(tiny_story.RELATION_WORDS.values()),
    "weather": _any_of(weather for weather in tiny_scene.WEATHERS if weather),
    "moved_A": "rolled|slid",
    "moved_B": "rolled|slid",
    "sound": _any_of(tiny_story.SOUNDS.values()),
}
RELATION_NAMES = {words: name for name, words in tiny_story.RELATION_WORDS.items()}


@dataclass(frozen=True)
class ParseResult:
    """What became of reading a story.

    Args:
        scene: what it tells, its things in the order of their introduction and in places that fit; None
            where it is not well formed.
        problem: what is wrong with it, or "".
    """

    scene: Scene | None
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the story is well formed and consistent."""
        return self.scene is not None


def parse_story(text: str) -> ParseResult:
    """Read one story, as `tiny_story.story` tells them; it may be anybody's text."""
    try:
        return ParseResult(_Reader(_sentences(text)).read())
    except _UnfitError as error:
        return ParseResult(None, str(error))


class _UnfitError(Exception):
    """The story is not well formed; says why."""


@dataclass(frozen=True)
class _Relation:
    """The first thing stands so, seen from the second; `aligned`: in the same row."""

    first: int
    name: str
    second: int
    aligned: bool = False


class _Reader:
    """Goes through the sentences once, and remembers what they said."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences
        self.weather = ""
        self.things: list[Thing] = []
        self.relations: list[_Relation] = []
        self.happenings: list[Happening] = []
        self.named: set[int] = set()

    def read(self) -> Scene:
        self._read_weather()
        self._read_introductions()
        while len(self.sentences) > 1:
            self._read_happening()
        self._check_sequence()
        self._read_closing()
        return Scene(self._placed(), self.weather, tuple(self.happenings))

    def _next(self) -> str:
        if not self.sentences:
            raise _UnfitError("it breaks off")
        return self.sentences.pop(0)

    def _read_weather(self) -> None:
        found = _first_match(tiny_story.WEATHER_SENTENCES, self.sentences[0])
        if found:
            self.weather = found["weather"]
            self._next()

    def _read_introductions(self) -> None:
        sentence = self._next()
        found = _first_match(tiny_story.PAIR_SENTENCES + tiny_story.FIRST_SENTENCES, sentence)
        if not found:
            raise _UnfitError(f"no beginning: {sentence}")
        self._add(found["new"])
        if "newer" in found:
            self._add(found["newer"])
            self.relations.append(_Relation(0, RELATION_NAMES[found["relation"]], 1))
        while self.sentences and (found := _first_match(tiny_story.NEXT_SENTENCES, self.sentences[0])):
            self._next()
            if found["known"] == "it" and len(self.things) > 1:
                raise _UnfitError("it could be more than one thing")
            known = 0 if found["known"] == "it" else self._resolve(found["known"])
            self._add(found["new"])
            self.relations.append(_Relation(len(self.things) - 1, RELATION_NAMES[found["relation"]], known))

    def _add(self, words: str) -> None:
        """A thing is introduced."""
        parts = words.split()[1:]
        size = parts[0] if parts[0] in tiny_scene.SIZES else "medium"
        thing = Thing(parts[-1], parts[-2], size, NOWHERE)
        if tiny_story.described(thing) != words:
            raise _UnfitError(f"wrong article: {words}")
        if any((thing.kind, thing.colour) == (other.kind, other.colour) for other in self.things):
            raise _UnfitError(f"introduced twice: {words}")
        if len(self.things) == MAX_THINGS:
            raise _UnfitError("too many things")
        self.things.append(thing)

    def _resolve(self, words: str) -> int:
        """Which thing "the ball", "the red ball" or "the big red ball" is."""
        fits = [
            index
            for index, thing in enumerate(self.things)
            if words[4:] in (tiny_story.whole_name(thing), f"{thing.colour} {thing.kind}", thing.kind)
        ]
        if len(fits) != 1:
            raise _UnfitError(
                f"{words} is {'nothing that was introduced' if not fits else 'more than one thing'}"
            )
        return fits[0]

    def _read_happening(self) -> None:
        position = len(self.happenings)
        if position == MAX_HAPPENINGS:
            raise _UnfitError("too much happens")
        sentence = self._next()
        first, link, second = _halves(sentence)
        pronouns = link != ""
        if not pronouns:
            link, _, second = self._next().partition(" ")
            if link not in ("so", "but"):
                raise _UnfitError(f"nothing follows: {first}")
        cause, bound = self._read_cause(first, position)
        for (name, effect, _), templates in tiny_story.EFFECTS.items():
            found = _first_match(templates, second, pronouns) if name == cause else None
            if found is not None and (effect in tiny_story.SURPRISING) == (link == "but"):
                self._add_happening(cause, effect, bound, found)
                return
        raise _UnfitError(f"does not follow from {cause}: {second}")

    def _read_cause(self, words: str, position: int) -> tuple[str, dict[str, str]]:
        for opener in sorted(tiny_story.OPENERS[position], key=len, reverse=True):
            for cause, templates in tiny_story.CAUSES.items():
                found = _first_match(templates, words.removeprefix(opener))
                if found is not None and words.startswith(opener):
                    return cause, found
        raise _UnfitError(f"nothing that happens here: {words}")

    def _add_happening(self, cause: str, effect: str, said: dict[str, str], then: dict[str, str]) -> None:
        actor = self._resolve(said["A"])
        target = self._target(cause, said, then)
        for name, words in (*said.items(), *then.items()):
            self._check_word(name, words, actor, target)
        if cause in ("hit", "push") and target is not None:
            self.relations.append(_Relation(target, "", actor, aligned=True))
        other = None if target is None else self.things[target]
        try:
            lawful = tiny_scene.effect_of(cause, self.things[actor], other)
        except ValueError as error:
            raise _UnfitError(f"{cause} cannot happen to these") from error
        if lawful != effect:
            raise _UnfitError(f"{lawful} follows, not {effect}")
        self.happenings.append(Happening(cause, actor, target, effect))

    def _target(self, cause: str, said: dict[str, str], then: dict[str, str]) -> int | None:
        for found in (said, then):
            words = found.get("B") or found.get("b")
            if words and words != "it":
                return self._resolve(words)
        # The bang was that of the thing that fell, whether it is named again or not.
        return self.happenings[-1].target if cause == "bang" and self.happenings else None

    def _check_word(self, name: str, words: str, actor: int, target: int | None) -> None:
        """A reference must mean the right thing, a verb must fit it."""
        index = actor if name[-1] in "aA" or name == "sound" else target
        if words == "it":
            return
        if index is None:
            raise _UnfitError(f"too early: {words}")
        thing = self.things[index]
        if name == "sound":
            fits = tiny_story.SOUNDS.get(thing.kind) == words
        elif name.startswith("moved_"):
            fits = tiny_story.movement(thing) == words
        else:
            fits = self._resolve(words) == index
            self._check_name(words, index)
        if not fits:
            raise _UnfitError(f"unfitting: {words}")

    def _check_name(self, words: str, index: int) -> None:
        """What happens is first told of a thing by its whole name, then by a shorter one."""
        thing = self.things[index]
        whole = words[4:] == tiny_story.whole_name(thing)
        if index not in self.named and not whole:
            raise _UnfitError(f"not its whole name: {words}")
        if index in self.named and whole and thing.size != "medium":
            raise _UnfitError(f"its size again: {words}")
        self.named.add(index)

    def _check_sequence(self) -> None:
        if not self.happenings:
            raise _UnfitError("it breaks off")
        causes = {happening.cause for happening in self.happenings}
        if not tiny_scene.follows(tuple(self.happenings)):
            raise _UnfitError("one thing does not lead to the other")
        if any((weather == self.weather) != (cause in causes) for weather, cause in _WEATHER_CAUSES):
            raise _UnfitError("the weather does not fit")
        part = {index for happening in self.happenings for index in (happening.actor, happening.target)}
        if not part.issuperset(range(len(self.things))):
            raise _UnfitError("something takes no part")

    def _read_closing(self) -> None:
        last, sentence = self.happenings[-1], self._next()
        found = _first_match(tiny_story.CLOSINGS[last.cause, last.effect], sentence)
        if found is None:
            raise _UnfitError(f"no ending: {sentence}")
        for name, words in found.items():
            self._check_word(name, words, last.actor, last.target)

    def _placed(self) -> tuple[Thing, ...]:
        """The things in the first places on the grid that fit all that was said."""
        cells = [Place(*cell) for cell in itertools.product(range(3), range(3))]
        for places in itertools.permutations(cells, len(self.things)):
            things = tuple(
                replace(thing, place=place) for thing, place in zip(self.things, places, strict=True)
            )
            if self._fits(things):
                return things
        raise _UnfitError("the places contradict each other")

    def _fits(self, things: tuple[Thing, ...]) -> bool:
        for stated in self.relations:
            found = tiny_scene.relations(things[stated.first], things[stated.second])
            if stated.name and stated.name not in found:
                return False
            if stated.aligned and found not in (("left",), ("right",)):
                return False
        ways = [tiny_scene.direction(happening, things) for happening in self.happenings]
        # Something that was pushed into a third thing goes on the same way.
        chained = [happening.cause for happening in self.happenings] == ["push", "hit"]
        return not chained or ways[0] == ways[1]


_WEATHER_CAUSES = (("windy", "wind"), ("rainy", "rain"))


def _sentences(text: str) -> list[str]:
    """The sentences without their capital and full stop."""
    if not re.fullmatch(r"[A-Z][a-z, ]*\.(?: [A-Z][a-z, ]*\.)*", text):
        raise _UnfitError("not a line of whole sentences")
    return [part[0].lower() + part[1:] for part in text[:-1].split(". ")]


def _halves(sentence: str) -> tuple[str, str, str]:
    """Cause, "so" or "but", effect; the last two empty where the sentence holds a cause alone."""
    for link in ("so", "but"):
        first, comma, second = sentence.partition(f", {link} ")
        if comma:
            return first, link, second
    return sentence, "", ""


def _first_match(templates: tuple[str, ...], sentence: str, pronouns: bool = False) -> dict[str, str] | None:
    """What stands in the markers of the first template that the sentence fits."""
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
