"""Questions about stories of the tiny world, with their answers, in the story's language.

About one in eight asks what the story does not say: about a thing that is not there, a place that is not
stated, or something that did not happen. The same meaning has always the same words, so that an answer can be
compared as it stands.
"""

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from aigc_demo.data.tiny_world.scene import ANIMALS, NEEDS, SHAPES
from aigc_demo.data.tiny_world.stories.answers import FORMS, Facts, facts_of
from aigc_demo.data.tiny_world.stories.grammar import KINDS
from aigc_demo.data.tiny_world.stories.question_words import WORDS
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

NUM_QUESTIONS = 4  # of one story
UNANSWERABLE_PROB = 1 / 8
# Values of the slots of a question.
VALUES = {
    "thing": KINDS,
    "other": KINDS,
    "shape": SHAPES,
    "animal": ANIMALS,
    "relation": ("left", "right", "above", "below"),
    "need": tuple(NEEDS),
}


@dataclass(frozen=True)
class Question:
    """A question and its answer.

    Args:
        text: the question, with its question mark.
        answer: the only right one; `not_stated` of the language where the story does not say.
        kind: colour, size, where, how_many, who, what_happened, why or weather.
    """

    text: str
    answer: str
    kind: str


def questions(story: str, rng: random.Random, count: int = NUM_QUESTIONS) -> list[Question]:
    """Different questions about a story.

    Args:
        story: in English or Chinese.
        rng: chooses.
        count: how many; every story has 4.

    Raises:
        ValueError: it is not a story of the tiny world.
    """
    facts = facts_of(story)
    if facts is None:
        raise ValueError(f"not a story of the tiny world: {story[:60]}")
    answerable = _answerable(facts)
    found: dict[str, Question] = {}
    while len(found) < count:
        if rng.random() < UNANSWERABLE_PROB:
            question = _unanswerable(facts, rng)
        else:
            question = _question(facts, *rng.choice(answerable[rng.choice(sorted(answerable))]))
        found.setdefault(question.text, question)
    return list(found.values())


def answer_of(story: str, question: str) -> str | None:
    """The answer to a question, in the wording of `questions` but for capitals, spaces and the question mark.

    Returns:
        None where it is not such a question, not in the story's language, or the text is not a story.
    """
    facts = facts_of(story)
    if facts is None:
        return None
    asked = " ".join(question.lower().rstrip("?？ ").split())
    for name, pattern in _patterns(facts.language).items():
        match = pattern.fullmatch(asked)
        if match:
            values = [_values(facts.language, slot)[match[slot]] for slot in FORMS[name].slots]
            return _question(facts, name, values).answer
    return None


def _question(facts: Facts, name: str, values: Sequence[str]) -> Question:
    """The question of a form, with its answer."""
    form, words = FORMS[name], facts.words
    named = {
        slot: _slot_words(facts.language, slot)[value] for slot, value in zip(form.slots, values, strict=True)
    }
    text = words.templates[name].format(**named)
    answer = form.answer(facts, *values) or words.not_stated
    return Question(text[0].upper() + text[1:], answer, form.kind)


def _answerable(facts: Facts) -> dict[str, list[tuple[str, Sequence[str]]]]:
    """Form and values of the questions that the story answers, by their kind."""
    found: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for name, form in FORMS.items():
        choices = [_in_story(facts, slot) for slot in form.slots]
        for values in itertools.product(*choices):
            if form.answer(facts, *values) is not None:
                found.setdefault(form.kind, []).append((name, values))
    return found


def _unanswerable(facts: Facts, rng: random.Random) -> Question:
    """A question that the story does not answer, often about its own things."""
    kinds = sorted({form.kind for form in FORMS.values()} - {"how_many"})
    while True:
        kind = rng.choice(kinds)
        name = rng.choice([name for name, form in FORMS.items() if form.kind == kind])
        values = [
            rng.choice((rng.random() < 0.5 and _in_story(facts, slot)) or VALUES[slot])
            for slot in FORMS[name].slots
        ]
        # In some sense something happens to every thing of a story.
        sensible = len(set(values)) == len(values) and not (name == "outcome" and facts.thing(values[0]))
        question = _question(facts, name, values)
        if sensible and question.answer == facts.words.not_stated:
            return question


def _in_story(facts: Facts, slot: str) -> tuple[str, ...]:
    """The values of a slot that the story has: kinds of its things, and all values of other slots."""
    if slot in ("relation", "need"):
        return VALUES[slot]
    return tuple(thing.kind for thing in facts.things if thing.kind in VALUES[slot])


@cache
def _slot_words(language: str, slot: str) -> dict[str, str]:
    """The words for each value of a slot."""
    grammar = GRAMMARS[language]
    tables = {"relation": grammar.relations, "need": WORDS[language].needs}
    table = tables.get(slot, grammar.kinds)
    return {value: table[value] for value in VALUES[slot]}


@cache
def _values(language: str, slot: str) -> dict[str, str]:
    """The value that each of a slot's words stands for."""
    return {words: value for value, words in _slot_words(language, slot).items()}


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    """A pattern for the questions of each form, without the question mark."""
    patterns = {}
    for name, template in WORDS[language].templates.items():
        pattern = re.escape(template.rstrip("?？"))
        for slot in FORMS[name].slots:
            choices = "|".join(_values(language, slot))
            pattern = pattern.replace(re.escape(f"{{{slot}}}"), f"(?P<{slot}>{choices})")
        patterns[name] = re.compile(pattern)
    return patterns
