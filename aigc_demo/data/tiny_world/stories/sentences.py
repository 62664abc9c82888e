"""What a single sentence of a story can be: its role, and the things that it refers to.

A sentence is looked up by its skeleton, the sentence with an empty pair of braces in place of each reference.
The skeletons of all sentences are listed once from the tables of the grammar.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from aigc_demo.data.tiny_world.caption import language_of
from aigc_demo.data.tiny_world.scene import ROLLING
from aigc_demo.data.tiny_world.stories.grammar import KINDS, Grammar, all_things
from aigc_demo.data.tiny_world.stories.patterns import markers
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

GAP = "{}"
REFERENCES = ("new", "newer", "known", "A", "B", "a", "b")  # markers that stand for a reference
MAX_CACHED = 200_000  # sentences; a corpus has more, but most pairs are of sentences of the same story


@dataclass(frozen=True)
class Form:
    """The form of a sentence, without its wording.

    Args:
        role: weather, first, pair, next, cause, happening, effect or closing.
        content: what it says: the weather, the relation, or the happening (its number, where the opener shows
            it, cause, effect, and whether it has a target).
        markers: what each reference stands for, in order: new, newer, known, A or B.
    """

    role: str
    content: tuple[str | int | bool, ...]
    markers: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """How a sentence refers to a thing.

    Args:
        style: new ("a big red ball"), whole ("the big red ball") or short ("the ball").
        kind: of the thing.
        colour: "" where it is not named.
        size: "" where it is not named, which in a new or whole name means medium.
    """

    style: str
    kind: str
    colour: str = ""
    size: str = ""


@dataclass(frozen=True)
class Sentence:
    """One reading of a sentence."""

    form: Form
    references: tuple[Reference, ...]


@lru_cache(maxsize=MAX_CACHED)
def readings(sentence: str) -> tuple[Sentence, ...]:
    """All readings of a sentence of either language, with its full stop or without; none for other text."""
    grammar = GRAMMARS[language_of(sentence)]
    text = sentence.strip().removesuffix(grammar.stop)
    text = text[:1].lower() + text[1:]
    names, pattern = _names(grammar), _reference_pattern(grammar)
    found = pattern.findall(text)
    if GAP in text or any(name not in names for name in found):
        return ()
    references = tuple(names[name] for name in found)
    skeleton = pattern.sub(GAP, text)
    return tuple(
        Sentence(form, references)
        for form, kinds in _skeletons(grammar).get(skeleton, ())
        if all(
            reference.kind in kinds.get(marker, KINDS)
            for marker, reference in zip(form.markers, references, strict=True)
        )
    )


@cache
def _names(grammar: Grammar) -> dict[str, Reference]:
    """What each possible reference means."""
    names = {}
    for thing in all_things():
        look = (thing.kind, thing.colour, thing.size)
        names[grammar.described(thing)] = Reference("new", *look)
        names[grammar.whole(thing)] = Reference("whole", *look)
        names[grammar.short(thing)] = Reference("short", thing.kind)
    return names


@cache
def _reference_pattern(grammar: Grammar) -> re.Pattern[str]:
    patterns = markers(grammar)
    return re.compile(f"{patterns['new']}|{patterns['A']}")


@cache
def _skeletons(grammar: Grammar) -> dict[str, list[tuple[Form, dict[str, tuple[str, ...]]]]]:
    """The forms of each skeleton, with the kinds that the verbs demand of the things."""
    table = defaultdict(list)
    for role, content, template in _templates(grammar):
        for skeleton, kinds, names in _expanded(grammar, template):
            table[skeleton].append((Form(role, content, names), kinds))
    return dict(table)


def _templates(grammar: Grammar) -> Iterator[tuple[str, tuple, str]]:
    """Role, content and template of every sentence; words other than verbs and names are filled in."""
    for weather, words in grammar.weathers.items():
        for template in grammar.weather_sentences:
            yield "weather", (weather,), template.replace("{weather}", words)
    for template in grammar.first_sentences:
        yield "first", (), template
    for relation, words in grammar.relations.items():
        for template in grammar.pair_sentences:
            yield "pair", (relation,), template.replace("{relation}", words)
        for template in grammar.next_sentences:
            for known in ("{known}", grammar.pronoun):
                filled = template.replace("{relation}", words).replace("{known}", known)
                yield "next", (relation,), filled
    for (cause, effect), templates in grammar.closings.items():
        for template in templates:
            yield "closing", (cause, effect), template
    yield from _templates_of_happenings(grammar)


def _templates_of_happenings(grammar: Grammar) -> Iterator[tuple[str, tuple, str]]:
    for opener in grammar.openers[0]:
        for cause, templates in grammar.causes.items():
            for template in templates:
                yield "cause", (cause,), opener + template
    for (cause, effect, targeted), templates in grammar.effects.items():
        link = grammar.link(effect)
        for template in templates:
            yield "effect", (cause, effect, targeted), link + template
            shared = re.sub(r"\{[ab]\}", grammar.pronoun, template)
            for position, openers in enumerate(grammar.openers):
                content = (position, cause, effect, targeted)
                for opener in openers:
                    for first in grammar.causes[cause]:
                        yield "happening", content, opener + first + grammar.comma + link + shared


def _expanded(
    grammar: Grammar, template: str
) -> Iterator[tuple[str, dict[str, tuple[str, ...]], tuple[str, ...]]]:
    """The skeletons of a template with each of its verbs, the kinds that these demand, and its markers."""
    verb = re.search(r"\{(sound|moved_[AB])\}", template)
    if verb:
        moving = verb[1] != "sound"
        for words, kinds in _movers(grammar) if moving else _voices(grammar):
            filled = template.replace(verb[0], words)
            for skeleton, others, names in _expanded(grammar, filled):
                yield skeleton, {**others, (verb[1][-1] if moving else "A"): kinds}, names
        return
    names = tuple(name.upper() if name in "ab" else name for name in re.findall(r"\{(\w+)\}", template))
    yield re.sub(r"\{\w+\}", GAP, template), {}, names


def _movers(grammar: Grammar) -> Iterator[tuple[str, tuple[str, ...]]]:
    rolls, slides = grammar.movements
    yield rolls, ROLLING
    yield slides, tuple(kind for kind in KINDS if kind not in ROLLING)


def _voices(grammar: Grammar) -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind, sound in grammar.sounds.items():
        yield sound, (kind,)


def orders(templates: tuple[str, ...], *, pronouns: bool = False) -> set[tuple[str, ...]]:
    """The things that each of some templates refers to, in order; with pronouns, {a} and {b} are left out."""
    markers_of = re.compile(r"\{(\w+)\}")
    return {
        tuple(
            name.upper() if name in "ab" else name
            for name in markers_of.findall(template)
            if name in REFERENCES and not (pronouns and name in "ab")
        )
        for template in templates
    }
