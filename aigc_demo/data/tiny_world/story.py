"""Stories of scenes in English: the grammar as tables, and the generator.

Every sentence comes from these tables, which the parser (`story_parser`) uses too. In a template {A} and {B}
are the actor and the target ("the big red ball" at first, "the ball" later); {a} and {b} become "it" where
cause and effect share a sentence; {moved_A} is rolled or slid.
"""

import random
import re
from collections.abc import Callable, Iterator

from aigc_demo.data.tiny_world.scene import (
    ROLLING,
    Happening,
    Scene,
    Thing,
    relations,
    sample_scene,
)

WEATHER_SENTENCES = ("it was a {weather} day", "the day was {weather}")
FIRST_SENTENCES = ("there was {new}", "once there was {new}")
PAIR_SENTENCES = ("there was {new} {relation} {newer}",)
NEXT_SENTENCES = ("{new} was {relation} {known}", "{relation} {known} was {new}")
RELATION_WORDS = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
SOUNDS = {
    "cat": "meowed",
    "dog": "barked",
    "bird": "sang",
    "frog": "croaked",
    "duck": "quacked",
    "mouse": "squeaked",
}

CAUSES: dict[str, tuple[str, ...]] = {
    "hit": ("{A} {moved_A} into {B}", "{A} {moved_A} fast and hit {B}", "{A} {moved_A} and hit {B}"),
    "push": ("{A} pushed {B}", "{A} gave {B} a push", "{A} gave {B} a strong push"),
    "call": ("{A} {sound} at {B}", "{A} saw {B} and {sound}"),
    "bang": ("the bang scared {A}", "{A} heard the bang"),
    "wind": ("the wind blew at {A}", "the strong wind came to {A}"),
    "rain": ("the rain fell on {A}", "{A} got wet in the rain"),
    "hungry": ("{A} was hungry", "{A} felt hungry"),
    "thirsty": ("{A} was thirsty", "{A} felt thirsty"),
    "tired": ("{A} was tired", "{A} felt tired"),
    "bored": ("{A} was bored", "{A} felt bored"),
}

# Templates by (cause, effect, whether there is a target).
EFFECTS: dict[tuple[str, str, bool], tuple[str, ...]] = {
    ("hit", "fall", True): ("{B} fell over", "{B} fell down"),
    ("hit", "stand", True): ("{B} was too big to fall", "{B} did not move", "{B} was big and stood still"),
    ("push", "move", True): ("{b} {moved_B} away", "{b} {moved_B} far away"),
    ("push", "stick", True): ("{b} was too heavy", "{b} was too big", "{b} did not move"),
    ("call", "flee", True): ("{B} ran away", "{B} was scared and ran away"),
    ("call", "befriend", True): ("{B} was too big to be scared", "{B} did not run away"),
    ("bang", "flee", True): ("{a} ran away", "{a} ran far away from {B}"),
    ("wind", "fly", False): ("{a} flew away", "{a} flew up into the sky"),
    ("wind", "fall", False): ("{a} fell over", "{a} fell down"),
    ("wind", "stand", False): ("{a} stood still", "{a} was too big to move"),
    ("rain", "hide", True): ("{a} hid behind {B}", "{a} ran behind {B}"),
    ("rain", "find_no_room", True): ("{a} ran home because {B} was too small",),
    ("rain", "go_home", False): ("{a} ran home", "{a} went home"),
    ("hungry", "eat", False): ("{a} ate an apple", "{a} ate some bread"),
    ("thirsty", "drink", False): ("{a} drank some water", "{a} drank some milk"),
    ("tired", "sleep", False): ("{a} went to sleep", "{a} slept for an hour"),
    ("tired", "sleep", True): ("{a} slept next to {B}", "{a} went to sleep beside {B}"),
    ("bored", "play", False): ("{a} sang a song", "{a} danced"),
    ("bored", "play", True): ("{a} played with {B}", "{a} danced around {B}"),
}
SURPRISING = ("stand", "stick", "befriend")  # introduced by "but" instead of "so"

# Last sentences: they distinguish a complete story from a truncated one.
CLOSINGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("hit", "fall"): ("now {B} lay next to {A}", "in the end {B} lay on the ground"),
    ("hit", "stand"): ("{A} stopped next to {B}", "in the end {A} had to stop"),
    ("push", "move"): ("{A} was proud", "in the end {A} was happy"),
    ("push", "stick"): ("{A} gave up", "in the end {A} was sad"),
    ("call", "flee"): ("{B} did not come back", "in the end {A} was alone"),
    ("call", "befriend"): ("{A} and {B} became friends", "in the end they played all day"),
    ("bang", "flee"): ("{A} did not come back", "in the end {A} was safe"),
    ("wind", "fly"): ("nobody saw {A} again", "in the end {A} was gone"),
    ("wind", "fall"): ("now {A} lay on the ground", "in the end {A} was on its side"),
    ("wind", "stand"): ("the wind had to give up", "in the end {A} was still there"),
    ("rain", "hide"): ("there {A} stayed dry", "in the end {A} was dry again"),
    ("rain", "find_no_room"): ("at home {A} was dry again", "in the end {A} was warm and dry"),
    ("rain", "go_home"): ("at home {A} was dry again", "in the end {A} was warm and dry"),
    ("hungry", "eat"): ("then {A} was not hungry any more", "in the end {A} was full"),
    ("thirsty", "drink"): ("then {A} was not thirsty any more", "in the end {A} was happy"),
    ("tired", "sleep"): ("then {A} was not tired any more", "in the end {A} felt strong"),
    ("bored", "play"): ("then {A} was not bored any more", "in the end {A} had fun"),
}
OPENERS = (("", "one day "), ("then ", "later "))  # of the first and the second happening


def stories(seed: int) -> Iterator[str]:
    """An infinite sequence of stories of random scenes, determined by the seed."""
    rng = random.Random(seed)
    while True:
        yield story(sample_scene(rng), rng)


def story(scene: Scene, rng: random.Random) -> str:
    """The story of a scene: three to six sentences, on one line.

    Args:
        scene: the things and happenings.
        rng: chooses among the templates.
    """
    writer = _Writer(scene, rng)
    sentences = [*writer.introduction(), *writer.happenings(), writer.closing()]
    return " ".join(sentence[0].upper() + sentence[1:] + "." for sentence in sentences)


def described(thing: Thing) -> str:
    """A thing with an indefinite article: "an orange cat", "a big red ball"; medium size is omitted."""
    words = whole_name(thing)
    return ("an " if words[0] in "aeiou" else "a ") + words


def whole_name(thing: Thing) -> str:
    """Size, colour and kind: "orange cat", "big red ball"; medium size is omitted."""
    size = "" if thing.size == "medium" else thing.size + " "
    return f"{size}{thing.colour} {thing.kind}"


def movement(thing: Thing) -> str:
    """The verb for the movement of a thing."""
    return "rolled" if thing.kind in ROLLING else "slid"


class _Writer:
    """Chooses templates, and remembers which things have been named."""

    def __init__(self, scene: Scene, rng: random.Random):
        self.scene = scene
        self.rng = rng
        self.named: set[int] = set()

    def introduction(self) -> Iterator[str]:
        things, choice = self.scene.things, self.rng.choice
        if self.scene.weather:
            yield choice(WEATHER_SENTENCES).format(weather=self.scene.weather)
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
            new, newer = described(things[order[0]]), described(things[order[1]])
            yield choice(PAIR_SENTENCES).format(new=new, relation=words, newer=newer)
        else:
            yield choice(FIRST_SENTENCES).format(new=described(things[order[0]]))
        for place in range(num_introduced, len(things)):
            known = order[place - 1] if chain else choice(order[:place])
            words = self._relation(order[place], known)
            name = self.reference(known, full=False) if place > 1 or self.rng.random() < 0.5 else "it"
            yield choice(NEXT_SENTENCES).format(
                new=described(things[order[place]]), relation=words, known=name
            )

    def happenings(self) -> Iterator[str]:
        for position, happening in enumerate(self.scene.happenings):
            opener = self.rng.choice(OPENERS[position])
            named = happening.target is not None
            cause = self.rng.choice(CAUSES[happening.cause])
            effect = self.rng.choice(EFFECTS[happening.cause, happening.effect, named])
            link = "but" if happening.effect in SURPRISING else "so"
            first = opener + self._fill(cause, happening)
            if len(self.scene.happenings) == 2 or self.rng.random() < 0.6:
                yield f"{first}, {link} {self._fill(effect, happening, pronouns=True)}"
            else:
                yield first
                yield f"{link} {self._fill(effect, happening)}"

    def closing(self) -> str:
        last = self.scene.happenings[-1]
        return self._fill(self.rng.choice(CLOSINGS[last.cause, last.effect]), last)

    def reference(self, index: int, *, full: bool = True) -> str:
        """A reference to a thing.

        At the first mention in a happening the whole name, since the size decides the effect; later the kind,
        with the colour where the kind is ambiguous.
        """
        thing = self.scene.things[index]
        if full and index not in self.named:
            self.named.add(index)
            return f"the {whole_name(thing)}"
        alone = sum(other.kind == thing.kind for other in self.scene.things) == 1
        return f"the {thing.kind}" if alone else f"the {thing.colour} {thing.kind}"

    def _relation(self, first: int, second: int) -> str:
        things = self.scene.things
        return RELATION_WORDS[self.rng.choice(relations(things[first], things[second]))]

    def _fill(self, template: str, happening: Happening, *, pronouns: bool = False) -> str:
        return fill(template, happening, self.scene.things, self.reference, pronouns=pronouns)


def fill(
    template: str,
    happening: Happening,
    things: tuple[Thing, ...],
    reference: Callable[[int], str],
    *,
    pronouns: bool,
) -> str:
    """A template with its markers replaced, from left to right."""

    def marker(match: re.Match[str]) -> str:
        name = match[1]
        if name == "sound":
            return SOUNDS[things[happening.actor].kind]
        if pronouns and name in ("a", "b"):
            return "it"
        index = happening.actor if name[-1] in "aA" else happening.target
        assert index is not None  # templates with {B} belong to happenings with a target
        return movement(things[index]) if name.startswith("moved_") else reference(index)

    return re.sub(r"\{(\w+)\}", marker, template)
