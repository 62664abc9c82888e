"""What a language gives to the stories of the tiny world: templates of sentences, and names of things.

In a template {A} and {B} are the actor and the target ("the big red ball" at first, "the ball" later); {a}
and {b} become the pronoun where cause and effect share a sentence; {moved_A} is the verb for the actor's
movement, {sound} the one for its voice. Templates are lower-case and have no full stop.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aigc_demo.data.tiny_world.scene import ANIMALS, COLOURS, ROLLING, SHAPES, SIZES, Happening, Place, Thing

KINDS = SHAPES + ANIMALS
SURPRISING = ("stand", "stick", "befriend")  # effects that "but" introduces instead of "so"


@dataclass(frozen=True, eq=False)
class Grammar:
    """Tables of one language, for the writer and the parser of its stories.

    Args:
        kinds, colours, sizes, weathers, relations: the words for each value of a scene.
        whole_name: template of {size}, {colour} and {kind}; the size is empty for a medium thing.
        definite: what stands before a name that is known already.
        articles: what may stand before the name of a new thing.
        article: the one that stands there, from its kind and that name.
        pronoun: for a thing.
        so, but: links between cause and effect, with the space after them.
        comma, stop, space: after a clause (with its space), after a sentence, and between sentences.
        weather_sentences, first_sentences, pair_sentences, next_sentences: templates of the introduction;
            {new} stands {relation} {newer} or {known}.
        sounds: the verb for each animal's voice.
        movements: verbs for a thing that rolls and for one that slides.
        causes: templates by cause.
        effects: templates by cause, effect, and whether there is a target.
        closings: templates of the last sentence, by cause and effect; they distinguish a complete story from
            a truncated one.
        openers: beginnings of the first and of the second happening.
        text_pattern: matches a line of whole sentences.
    """

    kinds: Mapping[str, str]
    colours: Mapping[str, str]
    sizes: Mapping[str, str]
    weathers: Mapping[str, str]
    relations: Mapping[str, str]
    whole_name: str
    definite: str
    articles: tuple[str, ...]
    article: Callable[[str, str], str]
    pronoun: str
    so: str
    but: str
    comma: str
    stop: str
    space: str
    weather_sentences: tuple[str, ...]
    first_sentences: tuple[str, ...]
    pair_sentences: tuple[str, ...]
    next_sentences: tuple[str, ...]
    sounds: Mapping[str, str]
    movements: tuple[str, str]
    causes: Mapping[str, tuple[str, ...]]
    effects: Mapping[tuple[str, str, bool], tuple[str, ...]]
    closings: Mapping[tuple[str, str], tuple[str, ...]]
    openers: tuple[tuple[str, ...], tuple[str, ...]]
    text_pattern: re.Pattern[str]

    def name(self, thing: Thing, *, sized: bool = True) -> str:
        """Size, colour and kind: "orange cat", "big red ball"; medium size is omitted."""
        size = self.sizes[thing.size] if sized and thing.size != "medium" else ""
        return self.whole_name.format(
            size=size, colour=self.colours[thing.colour], kind=self.kinds[thing.kind]
        )

    def described(self, thing: Thing) -> str:
        """A thing that is new: "an orange cat", "a big red ball"; medium size is omitted."""
        name = self.name(thing)
        return self.article(thing.kind, name) + name

    def whole(self, thing: Thing) -> str:
        """A thing that is known, by its whole name: "the big red ball"."""
        return self.definite + self.name(thing)

    def short(self, thing: Thing, *, coloured: bool = False) -> str:
        """A thing that is known, by its kind: "the ball", or with its colour "the red ball"."""
        return self.definite + (self.name(thing, sized=False) if coloured else self.kinds[thing.kind])

    def movement(self, thing: Thing) -> str:
        """The verb for the movement of a thing."""
        return self.movements[0 if thing.kind in ROLLING else 1]

    def link(self, effect: str) -> str:
        """The link before an effect."""
        return self.but if effect in SURPRISING else self.so

    def line(self, sentences: list[str]) -> str:
        """Sentences as one line, with initial capitals and full stops."""
        return self.space.join(text[0].upper() + text[1:] + self.stop for text in sentences)

    def sentences(self, text: str) -> list[str]:
        """The sentences of a line, without initial capital and full stop; none for other text."""
        if not self.text_pattern.fullmatch(text):
            return []
        parts = text.removesuffix(self.stop).split(self.stop + self.space)
        return [part[0].lower() + part[1:] for part in parts]


def all_things() -> list[Thing]:
    """Every combination of kind, colour and size, at one place."""
    return [Thing(kind, colour, size, Place(0, 0)) for kind in KINDS for colour in COLOURS for size in SIZES]


def fill(
    template: str,
    happening: Happening,
    things: tuple[Thing, ...],
    reference: Callable[[int], str],
    grammar: Grammar,
    *,
    pronouns: bool,
) -> str:
    """A template with its markers replaced, from left to right."""

    def marker(match: re.Match[str]) -> str:
        name = match[1]
        if name == "sound":
            return grammar.sounds[things[happening.actor].kind]
        if pronouns and name in ("a", "b"):
            return grammar.pronoun
        index = happening.actor if name[-1] in "aA" else happening.target
        assert index is not None  # templates with {B} belong to happenings with a target
        return grammar.movement(things[index]) if name.startswith("moved_") else reference(index)

    return re.sub(r"\{(\w+)\}", marker, template)
