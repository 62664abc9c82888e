"""All stories of the tiny world up to their wording and to the choice of kinds and colours."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from aigc_demo.data.tiny_world.scene import (
    ANIMALS,
    COLOURS,
    NEEDS,
    PLOTS,
    SHAPES,
    SHARED_NEEDS,
    SIZES,
    Happening,
    Place,
    Scene,
    Thing,
    effect_of,
    follows,
    relations,
)
from aigc_demo.data.tiny_world.stories.grammar import Grammar
from aigc_demo.data.tiny_world.stories.sentences import Form, Reference, Sentence, orders
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

RELATIONS = ("left", "right", "above", "below")
IN_ROW = ("hit", "push")  # happenings that put all things of the scene into one row


def neighbours(language: str) -> set[tuple[Sentence, Sentence]]:
    """All pairs of sentences that stand side by side in a story."""
    grammar = GRAMMARS[language]
    pairs: set[tuple[Sentence, Sentence]] = set()
    for scene in _scenes():
        causes = [happening.cause for happening in scene.happenings]
        in_row, chain = causes[0] in IN_ROW, causes == ["push", "hit"]
        inner_pairs, last = _introductions(scene.things, scene.weather, in_row, chain, grammar)
        courses = set(_courses(scene, grammar))
        pairs |= inner_pairs
        pairs.update(itertools.product(last, {course[0] for course in courses}))
        for course in courses:
            pairs.update(itertools.pairwise(course))
    return pairs


# Scenes.


def _scenes() -> Iterator[Scene]:
    """Every scene up to the choice of kinds, colours and, where they do not matter, places."""
    for roles, steps, needed_weather in dict.fromkeys(PLOTS):
        alone = len(roles) == 1
        weathers = ("", "sunny") if alone and not needed_weather else (needed_weather,)
        for sizes in itertools.product(SIZES, repeat=len(roles)):
            for columns in _columns(len(roles), steps[0][0]):
                things = tuple(_things(roles, sizes, columns))
                for happenings, weather in itertools.product(_happenings(steps, things), weathers):
                    if follows(happenings):
                        yield Scene(things, weather, happenings)


def _columns(count: int, cause: str) -> list[tuple[int, ...]]:
    """Where things stand in their row, if they are in one: three always from left to right."""
    order = tuple(range(count))
    return [order, order[::-1]] if count == 2 and cause in IN_ROW else [order]


def _things(roles: str, sizes: tuple[str, ...], columns: tuple[int, ...]) -> Iterator[Thing]:
    """Things of any different kinds and colours."""
    kinds = {"a": iter(ANIMALS), "s": iter(SHAPES)}
    for role, colour, size, column in zip(roles, COLOURS, sizes, columns, strict=False):
        yield Thing(next(kinds[role]), colour, size, Place(0, column))


def _happenings(
    steps: tuple[tuple[str, int, int | None], ...], things: tuple[Thing, ...]
) -> Iterator[tuple[Happening, ...]]:
    """What can happen in a plot."""
    choices = {"need": tuple(NEEDS), "shared": SHARED_NEEDS}
    causes = [choices.get(cause, (cause,)) for cause, _, _ in steps]
    for chosen in itertools.product(*causes):
        yield tuple(
            Happening(cause, actor, target, effect_of(cause, things[actor], _thing(things, target)))
            for cause, (_, actor, target) in zip(chosen, steps, strict=True)
        )


def _thing(things: tuple[Thing, ...], index: int | None) -> Thing | None:
    return None if index is None else things[index]


# Introductions.


@cache
def _introductions(
    things: tuple[Thing, ...], weather: str, in_row: bool, chain: bool, grammar: Grammar
) -> tuple[set[tuple[Sentence, Sentence]], set[Sentence]]:
    """The pairs of all introductions of things, and their last sentences.

    Args:
        things: in the order of the scene.
        weather: of the scene.
        in_row: whether their places are as given; else they may stand anywhere.
        chain: whether each thing is introduced by the one before it.
        grammar: of the language.
    """
    pairs: set[tuple[Sentence, Sentence]] = set()
    last: set[Sentence] = set()
    introducer = _Introducer(in_row, chain, grammar)
    before = (Sentence(Form("weather", (weather,), ()), ()),) if weather else ()
    for order in [things] if chain else itertools.permutations(things):
        # Three things after a weather begin with a pair.
        starts = introducer.first(order) if len(things) < 3 or not weather else []
        if len(things) > 1 and not chain:
            starts += introducer.pair(order)
        for start in starts:
            for introduction in introducer.continued((*before, start), order):
                pairs.update(itertools.pairwise(introduction))
                last.add(introduction[-1])
    return pairs, last


class _Introducer:
    """Lists the sentences that introduce things."""

    def __init__(self, in_row: bool, chain: bool, grammar: Grammar):
        self.in_row, self.chain, self.grammar = in_row, chain, grammar

    def first(self, order: tuple[Thing, ...]) -> list[Sentence]:
        """Sentences with the first thing."""
        return _sentences("first", (), orders(self.grammar.first_sentences), {"new": _whole(order[0], "new")})

    def pair(self, order: tuple[Thing, ...]) -> list[Sentence]:
        """Sentences with the first two things."""
        marked = {"new": _whole(order[0], "new"), "newer": _whole(order[1], "new")}
        found = []
        for relation in self._relations(order[0], order[1]):
            found += _sentences("pair", (relation,), orders(self.grammar.pair_sentences), marked)
        return found

    def continued(
        self, introduction: tuple[Sentence, ...], order: tuple[Thing, ...]
    ) -> Iterator[tuple[Sentence, ...]]:
        """Introductions that begin with this one and name all things."""
        count = sum(one.style == "new" for sentence in introduction for one in sentence.references)
        if count == len(order):
            yield introduction
            return
        for known in order[count - 1 : count] if self.chain else order[:count]:
            for sentence in self._next(order[count], known, alone=count == 1):
                yield from self.continued((*introduction, sentence), order)

    def _next(self, thing: Thing, known: Thing, *, alone: bool) -> Iterator[Sentence]:
        templates = self.grammar.next_sentences
        if alone:
            templates += tuple(text.replace("{known}", self.grammar.pronoun) for text in templates)
        marked = {"new": _whole(thing, "new"), "known": _short(known)}
        for relation in self._relations(thing, known):
            yield from _sentences("next", (relation,), orders(templates), marked)

    def _relations(self, first: Thing, second: Thing) -> tuple[str, ...]:
        return relations(first, second) if self.in_row else RELATIONS


def _sentences(
    role: str,
    content: tuple[str | int | bool, ...],
    markers: Iterable[tuple[str, ...]],
    marked: Mapping[str, Reference],
) -> list[Sentence]:
    """A sentence for each order of its references."""
    return [
        Sentence(form, tuple(marked[name] for name in form.markers))
        for form in _forms(role, content, markers)
    ]


# What happens.


def _courses(scene: Scene, grammar: Grammar) -> Iterator[tuple[Sentence, ...]]:
    """The sentences of a scene's happenings with the closing, in all orders of their references."""
    steps = [_joined(position, happening, grammar) for position, happening in enumerate(scene.happenings)]
    last = scene.happenings[-1]
    key = (last.cause, last.effect)
    closing = _forms("closing", key, orders(grammar.closings[key]))
    for forms in itertools.product(*steps, closing):
        yield _named(forms, (*scene.happenings, last), scene.things)
    if len(scene.happenings) == 1:
        whole_key = (*key, last.target is not None)
        cause = _forms("cause", key[:1], orders(grammar.causes[last.cause]))
        effect = _forms("effect", whole_key, orders(grammar.effects[whole_key]))
        for forms in itertools.product(cause, effect, closing):
            yield _named(forms, (last, last, last), scene.things)


def _joined(position: int, happening: Happening, grammar: Grammar) -> list[Form]:
    """The forms of a sentence with cause and effect."""
    key = (happening.cause, happening.effect, happening.target is not None)
    effects = orders(grammar.effects[key], pronouns=True)
    both = itertools.product(orders(grammar.causes[happening.cause]), effects)
    return _forms("happening", (position, *key), {cause + effect for cause, effect in both})


def _forms(
    role: str, content: tuple[str | int | bool, ...], markers: Iterable[tuple[str, ...]]
) -> list[Form]:
    return [Form(role, content, names) for names in markers]


def _named(
    forms: tuple[Form, ...], happenings: tuple[Happening, ...], things: tuple[Thing, ...]
) -> tuple[Sentence, ...]:
    """Sentences whose references name a thing first by its whole name, then by its kind."""
    named: set[Thing] = set()
    sentences = []
    for form, happening in zip(forms, happenings, strict=True):
        references = []
        for marker in form.markers:
            thing = _thing(things, happening.actor if marker == "A" else happening.target)
            assert thing is not None  # templates with {B} belong to happenings with a target
            references.append(_short(thing) if thing in named else _whole(thing, "whole"))
            named.add(thing)
        sentences.append(Sentence(form, tuple(references)))
    return tuple(sentences)


# References.


def _whole(thing: Thing, style: str) -> Reference:
    return Reference(style, thing.kind, thing.colour, thing.size)


def _short(thing: Thing) -> Reference:
    return Reference("short", thing.kind)
