"""Stories of scenes, in English and Chinese: one writer for the grammars of all languages."""

import random
from collections.abc import Iterator

from aigc_demo.data.tiny_world.scene import Happening, Scene, relations, sample_scene
from aigc_demo.data.tiny_world.stories.chinese import CHINESE
from aigc_demo.data.tiny_world.stories.english import ENGLISH
from aigc_demo.data.tiny_world.stories.grammar import Grammar, fill

GRAMMARS: dict[str, Grammar] = {"en": ENGLISH, "zh": CHINESE}


def stories(seed: int, language: str = "en") -> Iterator[str]:
    """An infinite sequence of stories of random scenes, determined by seed and language.

    The same seed gives other scenes in another language, so that one story is never the other's translation.
    """
    rng = random.Random(seed if language == "en" else f"{language} {seed}")
    while True:
        yield story(sample_scene(rng), rng, language)


def story(scene: Scene, rng: random.Random, language: str = "en") -> str:
    """The story of a scene: three to six sentences, on one line.

    Args:
        scene: the things and happenings.
        rng: chooses among the templates.
        language: "en" or "zh".
    """
    writer = _Writer(scene, rng, GRAMMARS[language])
    return writer.grammar.line([*writer.introduction(), *writer.happenings(), writer.closing()])


class _Writer:
    """Chooses templates, and remembers which things have been named."""

    def __init__(self, scene: Scene, rng: random.Random, grammar: Grammar):
        self.scene = scene
        self.rng = rng
        self.grammar = grammar
        self.named: set[int] = set()

    def introduction(self) -> Iterator[str]:
        things, choice, grammar = self.scene.things, self.rng.choice, self.grammar
        if self.scene.weather:
            weather = grammar.weathers[self.scene.weather]
            yield choice(grammar.weather_sentences).format(weather=weather)
        order = list(range(len(things)))
        # A chain of three is described in order: each thing relative to the one before, one per sentence.
        chain = [happening.cause for happening in self.scene.happenings] == ["push", "hit"]
        if not chain:
            self.rng.shuffle(order)
        num_introduced = 1
        crowded = len(things) == 3 and self.scene.weather != ""
        if len(things) > 1 and not chain and (crowded or self.rng.random() < 0.4):
            num_introduced = 2
            words = self._relation(order[0], order[1])
            new, newer = grammar.described(things[order[0]]), grammar.described(things[order[1]])
            yield choice(grammar.pair_sentences).format(new=new, relation=words, newer=newer)
        else:
            yield choice(grammar.first_sentences).format(new=grammar.described(things[order[0]]))
        for place in range(num_introduced, len(things)):
            known = order[place - 1] if chain else choice(order[:place])
            words = self._relation(order[place], known)
            named = place > 1 or self.rng.random() < 0.5
            yield choice(grammar.next_sentences).format(
                new=grammar.described(things[order[place]]),
                relation=words,
                known=self.reference(known, full=False) if named else grammar.pronoun,
            )

    def happenings(self) -> Iterator[str]:
        grammar = self.grammar
        for position, happening in enumerate(self.scene.happenings):
            opener = self.rng.choice(grammar.openers[position])
            named = happening.target is not None
            cause = self.rng.choice(grammar.causes[happening.cause])
            effect = self.rng.choice(grammar.effects[happening.cause, happening.effect, named])
            link = grammar.link(happening.effect)
            first = opener + self._fill(cause, happening)
            if len(self.scene.happenings) == 2 or self.rng.random() < 0.6:
                yield first + grammar.comma + link + self._fill(effect, happening, pronouns=True)
            else:
                yield first
                yield link + self._fill(effect, happening)

    def closing(self) -> str:
        last = self.scene.happenings[-1]
        return self._fill(self.rng.choice(self.grammar.closings[last.cause, last.effect]), last)

    def reference(self, index: int, *, full: bool = True) -> str:
        """A reference to a thing.

        At the first mention in a happening the whole name, since the size decides the effect; later the kind,
        with the colour where the kind is ambiguous.
        """
        thing = self.scene.things[index]
        if full and index not in self.named:
            self.named.add(index)
            return self.grammar.whole(thing)
        alone = sum(other.kind == thing.kind for other in self.scene.things) == 1
        return self.grammar.short(thing, coloured=not alone)

    def _relation(self, first: int, second: int) -> str:
        things = self.scene.things
        return self.grammar.relations[self.rng.choice(relations(things[first], things[second]))]

    def _fill(self, template: str, happening: Happening, *, pronouns: bool = False) -> str:
        return fill(template, happening, self.scene.things, self.reference, self.grammar, pronouns=pronouns)
