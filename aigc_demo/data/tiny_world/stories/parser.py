"""Parses a story of the tiny world into its scene, or reports the first error.

Sentences are matched with the tables of the language's grammar. Their content is checked against the rules of
`scene`: only introduced things, one colour for each, effects that follow from their causes, consistent places
on the grid, a closing sentence.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aigc_demo.data.tiny_world import scene
from aigc_demo.data.tiny_world.caption import language_of
from aigc_demo.data.tiny_world.scene import Happening, Place, Scene, Thing
from aigc_demo.data.tiny_world.stories.grammar import SURPRISING, Grammar
from aigc_demo.data.tiny_world.stories.patterns import new_things, pattern
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

MAX_THINGS, MAX_HAPPENINGS = 3, 2


@dataclass(frozen=True)
class StatedRelation:
    """The position of the first thing relative to the second, as a story states it.

    Args:
        first: index of the thing.
        name: left, right, above or below.
        second: index of the other thing.
    """

    first: int
    name: str
    second: int


@dataclass(frozen=True)
class ParseResult:
    """The result of parsing a story.

    Args:
        scene: with things in the order of their introduction, in consistent places; None for an invalid
            story.
        problem: the error, or "".
        relations: those that the story states, in order.
        effects: the template of each happening's effect.
    """

    scene: Scene | None
    problem: str = ""
    relations: tuple[StatedRelation, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the story is well formed and consistent."""
        return self.scene is not None


def parse_story(text: str) -> ParseResult:
    """Parse a story in the form of `story.story`, in either language; the text may be arbitrary."""
    parser = _Parser(text, GRAMMARS[language_of(text)])
    try:
        return ParseResult(parser.parse(), "", tuple(parser.relations), tuple(parser.effects))
    except _ParseError as error:
        return ParseResult(None, str(error))


class _ParseError(Exception):
    """The story is invalid; the argument is the reason."""


class _Parser:
    """Processes the sentences in order and collects their content."""

    def __init__(self, text: str, grammar: Grammar):
        self.grammar = grammar
        self.sentences = grammar.sentences(text)
        self.weather = ""
        self.things: list[Thing] = []
        self.relations: list[StatedRelation] = []
        self.aligned: list[tuple[int, int]] = []  # things in one row: one was hit or pushed by the other
        self.effects: list[str] = []
        self.happenings: list[Happening] = []
        self.named: set[int] = set()

    def parse(self) -> Scene:
        if not self.sentences:
            raise _ParseError("not a line of whole sentences")
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
        found = self._match(self.grammar.weather_sentences, self.sentences[0])
        if found:
            self.weather = _meaning(self.grammar.weathers, found["weather"])
            self._next()

    def _read_introductions(self) -> None:
        sentence = self._next()
        found = self._match(self.grammar.pair_sentences + self.grammar.first_sentences, sentence)
        if not found:
            raise _ParseError(f"no beginning: {sentence}")
        self._add(found["new"])
        if "newer" in found:
            self._add(found["newer"])
            self._relate(0, found["relation"], 1)
        while self.sentences and (found := self._match(self.grammar.next_sentences, self.sentences[0])):
            self._next()
            alone = found["known"] == self.grammar.pronoun
            if alone and len(self.things) > 1:
                raise _ParseError("it could be more than one thing")
            known = 0 if alone else self._resolve(found["known"])
            self._add(found["new"])
            self._relate(len(self.things) - 1, found["relation"], known)

    def _relate(self, first: int, words: str, second: int) -> None:
        self.relations.append(StatedRelation(first, _meaning(self.grammar.relations, words), second))

    def _add(self, words: str) -> None:
        """Add an introduced thing."""
        thing = new_things(self.grammar)[words]
        if self.grammar.described(thing) != words:
            raise _ParseError(f"wrong article: {words}")
        if any((thing.kind, thing.colour) == (other.kind, other.colour) for other in self.things):
            raise _ParseError(f"introduced twice: {words}")
        if len(self.things) == MAX_THINGS:
            raise _ParseError("too many things")
        self.things.append(thing)

    def _resolve(self, words: str) -> int:
        """The index of the thing that "the ball", "the red ball" or "the big red ball" refers to."""
        names = self.grammar
        fits = [
            index
            for index, thing in enumerate(self.things)
            if words in (names.whole(thing), names.short(thing), names.short(thing, coloured=True))
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
        first, link, second = self._halves(sentence)
        pronouns = link != ""
        if not pronouns:
            link, second = self._linked(self._next())
            if not link:
                raise _ParseError(f"nothing follows: {first}")
        cause, bound = self._read_cause(first, position)
        for (name, effect, _), templates in self.grammar.effects.items():
            if name != cause or (effect in SURPRISING) != (link == self.grammar.but):
                continue
            for template in templates:
                found = self._match((template,), second, pronouns=pronouns)
                if found is not None:
                    self.effects.append(template)
                    self._add_happening(cause, effect, bound, found)
                    return
        raise _ParseError(f"does not follow from {cause}: {second}")

    def _halves(self, sentence: str) -> tuple[str, str, str]:
        """Cause, link and effect; the last two are empty if the sentence has only a cause."""
        for link in (self.grammar.so, self.grammar.but):
            first, comma, second = sentence.partition(self.grammar.comma + link)
            if comma:
                return first, link, second
        return sentence, "", ""

    def _linked(self, sentence: str) -> tuple[str, str]:
        """The link that a sentence begins with and the rest; both are empty without a link."""
        for link in (self.grammar.so, self.grammar.but):
            if sentence.startswith(link):
                return link, sentence.removeprefix(link)
        return "", ""

    def _read_cause(self, words: str, position: int) -> tuple[str, dict[str, str]]:
        for opener in sorted(self.grammar.openers[position], key=len, reverse=True):
            for cause, templates in self.grammar.causes.items() if words.startswith(opener) else ():
                found = self._match(templates, words.removeprefix(opener))
                if found is not None:
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
            self.aligned.append((target, actor))
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
            if words and words != self.grammar.pronoun:
                return self._resolve(words)
        # The bang came from the thing that fell, which may not be named again.
        return self.happenings[-1].target if cause == "bang" and self.happenings else None

    def _check_word(self, name: str, words: str, actor: int, target: int | None) -> None:
        """Check that a reference means the right thing, and that a verb fits it."""
        index = actor if name[-1] in "aA" or name == "sound" else target
        if words == self.grammar.pronoun:
            return
        if index is None:
            raise _ParseError(f"too early: {words}")
        thing = self.things[index]
        if name == "sound":
            fits = self.grammar.sounds.get(thing.kind) == words
        elif name.startswith("moved_"):
            fits = self.grammar.movement(thing) == words
        else:
            fits = self._resolve(words) == index
            self._check_name(words, index)
        if not fits:
            raise _ParseError(f"unfitting: {words}")

    def _check_name(self, words: str, index: int) -> None:
        """Check that the happenings name a thing first by its whole name, then by a shorter one."""
        thing = self.things[index]
        whole = words == self.grammar.whole(thing)
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
        found = self._match(self.grammar.closings[last.cause, last.effect], sentence)
        if found is None:
            raise _ParseError(f"no ending: {sentence}")
        for name, words in found.items():
            self._check_word(name, words, last.actor, last.target)

    def _placed(self) -> tuple[Thing, ...]:
        """The things in the first places on the grid that satisfy all relations."""
        cells = [Place(*cell) for cell in itertools.product(range(3), range(3))]
        placed = [[replace(thing, place=cell) for cell in cells] for thing in self.things]
        for chosen in itertools.permutations(range(len(cells)), len(self.things)):
            things = tuple(options[cell] for options, cell in zip(placed, chosen, strict=True))
            if self._fits(things):
                return things
        raise _ParseError("the places contradict each other")

    def _fits(self, things: tuple[Thing, ...]) -> bool:
        for stated in self.relations:
            if stated.name not in scene.relations(things[stated.first], things[stated.second]):
                return False
        for first, second in self.aligned:
            if scene.relations(things[first], things[second]) not in (("left",), ("right",)):
                return False
        ways = [scene.direction(happening, things) for happening in self.happenings]
        # A thing that was pushed into a third one moves on in the same direction.
        chained = [happening.cause for happening in self.happenings] == ["push", "hit"]
        return not chained or ways[0] == ways[1]

    def _match(
        self, templates: tuple[str, ...], sentence: str, *, pronouns: bool = False
    ) -> dict[str, str] | None:
        """The values of the markers in the first template that matches, or None."""
        for template in templates:
            found = pattern(self.grammar, template, pronouns).fullmatch(sentence)
            if found:
                return found.groupdict()
        return None


_WEATHER_CAUSES = (("windy", "wind"), ("rainy", "rain"))


def _meaning(table: Mapping[str, str], words: str) -> str:
    return next(meaning for meaning, found in table.items() if found == words)
