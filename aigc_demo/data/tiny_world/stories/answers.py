"""Answers to questions about a story, from what it states: its things, their places, and what happens.

The answer functions take the facts of a story and the values of the question's slots, and return the answer
in the story's language, or None where the story does not say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aigc_demo.data.tiny_world.caption import language_of
from aigc_demo.data.tiny_world.scene import Happening, Thing
from aigc_demo.data.tiny_world.stories.grammar import SURPRISING, Grammar
from aigc_demo.data.tiny_world.stories.parser import parse_story
from aigc_demo.data.tiny_world.stories.question_words import WORDS, QuestionWords
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

# Whom an effect happens to: the target of these causes, the actor of the others.
DONE_TO_TARGET = ("hit", "push", "call")


@dataclass(frozen=True)
class Facts:
    """What a story states.

    Args:
        language: "en" or "zh".
        things: in the order of their introduction, each of another kind.
        weather: "" where the story has none.
        relations: (first, position, second) for all that is stated or follows from it.
        happenings: in order.
        effects: the template of each happening's effect.
    """

    language: str
    things: tuple[Thing, ...]
    weather: str
    relations: frozenset[tuple[int, str, int]]
    happenings: tuple[Happening, ...]
    effects: tuple[str, ...]

    @property
    def words(self) -> QuestionWords:
        """The wording of questions and answers."""
        return WORDS[self.language]

    @property
    def grammar(self) -> Grammar:
        """The wording of the story."""
        return GRAMMARS[self.language]

    def thing(self, kind: str) -> Thing | None:
        """The thing of a kind."""
        return next((thing for thing in self.things if thing.kind == kind), None)

    def names(self, indices: Iterable[int]) -> str | None:
        """Things by their kind, in the order of their introduction; None for no things."""
        named = [self.grammar.short(self.things[index]) for index in sorted(set(indices))]
        return self.words.both.join(named) or None

    def kind(self, index: int | None) -> str:
        """The kind of a thing; "" for no thing."""
        return "" if index is None else self.things[index].kind

    def outcome(self, kind: str) -> Happening | None:
        """What happened to the thing of a kind; needs and what it did itself do not count."""
        for happening in self.happenings:
            index = happening.target if happening.cause in DONE_TO_TARGET else happening.actor
            if self.kind(index) == kind and happening.effect in self.words.outcomes:
                return happening
        return None


def facts_of(story: str) -> Facts | None:
    """The facts of a story; None for other text, and for stories with two things of one kind."""
    parsed = parse_story(story)
    scene = parsed.scene
    if scene is None or len({thing.kind for thing in scene.things}) < len(scene.things):
        return None
    stated = {(one.first, one.name, one.second) for one in parsed.relations}
    return Facts(
        language_of(story), scene.things, scene.weather, _implied(stated), scene.happenings, parsed.effects
    )


OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


def _implied(stated: set[tuple[int, str, int]]) -> frozenset[tuple[int, str, int]]:
    """Relations with their opposites, and with those that two of one direction imply."""
    known = stated | {(second, OPPOSITE[name], first) for first, name, second in stated}
    further = {
        (first, name, last)
        for first, name, middle in known
        for other, same, last in known
        if other == middle and same == name
    }
    return frozenset(known | further)


Answer = Callable[..., str | None]


def _colour(facts: Facts, kind: str) -> str | None:
    thing = facts.thing(kind)
    return facts.grammar.colours[thing.colour] if thing else None


def _size(facts: Facts, kind: str) -> str | None:
    thing = facts.thing(kind)
    return facts.words.sizes.get(thing.size) if thing else None


def _where(facts: Facts, kind: str, other: str) -> str | None:
    for first, name, second in facts.relations:
        if (facts.kind(first), facts.kind(second)) == (kind, other):
            return facts.words.sides[name]
    return None


def _neighbour(facts: Facts, relation: str, kind: str) -> str | None:
    return facts.names(
        first for first, name, second in facts.relations if name == relation and facts.kind(second) == kind
    )


def _count(what: str) -> Answer:
    def answer(facts: Facts) -> str:
        animals = sum(thing.is_animal for thing in facts.things)
        counts = {"things": len(facts.things), "shapes": len(facts.things) - animals, "animals": animals}
        return facts.words.counts[what][counts[what]]

    return answer


def _actors(cause: str) -> Answer:
    """Who did something, to a thing of a kind where one is given."""

    def answer(facts: Facts, target: str = "") -> str | None:
        return facts.names(
            one.actor
            for one in facts.happenings
            if one.cause == cause and (not target or facts.kind(one.target) == target)
        )

    return answer


def _targets(cause: str, *effects: str) -> Answer:
    """What something was done to by a thing of a kind, with one of these effects where some are given."""

    def answer(facts: Facts, actor: str) -> str | None:
        return facts.names(
            one.target
            for one in facts.happenings
            if one.cause == cause and facts.kind(one.actor) == actor and one.target is not None
            if not effects or one.effect in effects
        )

    return answer


def _needy(facts: Facts, need: str) -> str | None:
    return facts.names(one.actor for one in facts.happenings if one.cause == need)


def _food(effect: str) -> Answer:
    def answer(facts: Facts, kind: str) -> str | None:
        before = facts.words.eaten if effect == "eat" else facts.words.drunk
        for happening, template in zip(facts.happenings, facts.effects, strict=True):
            if happening.effect == effect and facts.kind(happening.actor) == kind:
                return template.removeprefix(before)
        return None

    return answer


def _outcome(facts: Facts, kind: str) -> str | None:
    happening, thing = facts.outcome(kind), facts.thing(kind)
    if happening is None or thing is None:
        return None
    return facts.words.outcomes[happening.effect].format(moved=facts.grammar.movement(thing))


def _why(*effects: str) -> Answer:
    """Why one of these effects happened to a thing of a kind."""

    def answer(facts: Facts, kind: str) -> str | None:
        happening = facts.outcome(kind)
        if happening is None or happening.effect not in effects:
            return None
        reasons, effect = facts.words.reasons, happening.effect
        reason = "big" if effect in SURPRISING else effect if effect in reasons else happening.cause
        actor = facts.things[happening.actor]
        target = None if happening.target is None else [happening.target]
        names = {"A": facts.grammar.short(actor), "B": facts.names(target or ())}
        return reasons[reason].format(**names, sound=facts.grammar.sounds.get(actor.kind, ""))

    return answer


def _weather(facts: Facts) -> str | None:
    return facts.grammar.weathers.get(facts.weather)


@dataclass(frozen=True)
class Form:
    """A form of question.

    Args:
        kind: of question: colour, size, where, how_many, who, what_happened, why or weather.
        answer: the function that answers it, from the facts and the values of the slots in order.
        slots: of its templates, in the order of the function's arguments.
    """

    kind: str
    answer: Answer
    slots: tuple[str, ...] = ()


FORMS = {
    "colour": Form("colour", _colour, ("thing",)),
    "size": Form("size", _size, ("thing",)),
    "where": Form("where", _where, ("thing", "other")),
    "neighbour": Form("where", _neighbour, ("relation", "thing")),
    "num_things": Form("how_many", _count("things")),
    "num_shapes": Form("how_many", _count("shapes")),
    "num_animals": Form("how_many", _count("animals")),
    "pusher": Form("who", _actors("push"), ("shape",)),
    "pushed": Form("who", _targets("push"), ("animal",)),
    "hitter": Form("who", _actors("hit"), ("shape",)),
    "struck": Form("who", _targets("hit"), ("shape",)),
    "caller": Form("who", _actors("call"), ("animal",)),
    "called": Form("who", _targets("call"), ("animal",)),
    "needy": Form("who", _needy, ("need",)),
    "wet": Form("who", _actors("rain")),
    "blown": Form("who", _actors("wind")),
    "startled": Form("who", _actors("bang")),
    "shelter": Form("who", _targets("rain", "hide"), ("animal",)),
    "eaten": Form("who", _food("eat"), ("animal",)),
    "drunk": Form("who", _food("drink"), ("animal",)),
    "outcome": Form("what_happened", _outcome, ("thing",)),
    "why_fallen": Form("why", _why("fall"), ("shape",)),
    "why_moved": Form("why", _why("move"), ("shape",)),
    "why_fled": Form("why", _why("flee"), ("animal",)),
    "why_home": Form("why", _why("find_no_room", "go_home"), ("animal",)),
    "why_stayed": Form("why", _why(*SURPRISING), ("thing",)),
    "weather": Form("weather", _weather),
}
