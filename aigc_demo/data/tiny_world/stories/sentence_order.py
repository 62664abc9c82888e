"""Which sentence of a story may follow which, decided from the grammar and the rules of the scenes.

`outlines` lists every story up to its wording and to the choice of kinds and colours; the pairs of
sentences that stand side by side in one of them are the lawful ones. Two sentences are compared with these
in a canonical form, in which things are numbered in the order of their mention. What the sentences do not say
is free: a pair is lawful if any story has it. Where wrong pairs that are lawful are left out of a data set,
the label of each pair is a function of its sentences, so the best possible accuracy is 1.
"""

from functools import cache

from aigc_demo.data.tiny_world.caption import language_of
from aigc_demo.data.tiny_world.scene import ANIMALS
from aigc_demo.data.tiny_world.stories.outlines import neighbours
from aigc_demo.data.tiny_world.stories.sentences import Sentence, readings


def may_follow(first: str, second: str) -> bool:
    """Whether some story has the second sentence directly after the first.

    Args:
        first: a sentence of a story, with its full stop or without.
        second: another one; in another language it never follows.
    """
    language = language_of(first)
    if language != language_of(second):
        return False
    lawful = _lawful_pairs(language)
    return any(_canonical(one, other) in lawful for one in readings(first) for other in readings(second))


def _canonical(first: Sentence, second: Sentence) -> tuple | None:
    """A pair of sentences without the choice of kinds and colours; None where they contradict each other.

    In one story things differ in kind and in colour, so references with the same kind mean the same thing.
    """
    numbers: dict[str, int] = {}
    looks: dict[str, tuple[str, str]] = {}
    references = first.references + second.references
    for reference in references:
        numbers.setdefault(reference.kind, len(numbers))
        if reference.colour:
            look = (reference.colour, reference.size)
            if looks.setdefault(reference.kind, look) != look:
                return None
    if len({colour for colour, _ in looks.values()}) < len(looks):
        return None
    return (
        first.form,
        second.form,
        tuple((numbers[one.kind], one.style) for one in references),
        tuple((kind in ANIMALS, looks[kind][1] if kind in looks else "") for kind in numbers),
    )


@cache
def _lawful_pairs(language: str) -> frozenset[tuple | None]:
    return frozenset(_canonical(first, second) for first, second in neighbours(language))
