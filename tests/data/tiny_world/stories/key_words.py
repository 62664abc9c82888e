"""Stories read by key words, without their grammar: answers to compare with those of the package."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from aigc_demo.data.tiny_world.scene import ANIMALS, SHAPES
from aigc_demo.data.tiny_world.stories.question_words import WORDS
from aigc_demo.data.tiny_world.stories.story import GRAMMARS

INTRODUCED = {"en": r"^(once )?there was|was an? (?!\w+ day)|^an? .* was", "zh": "有一[个只颗]"}
CAUSES = {
    "en": {
        "push": "pushed|gave",
        "hit": " hit | into the (?!sky)",
        "call": "(?:meowed|barked|sang|croaked|quacked|squeaked) at|saw ",
        "bang": "bang",
        "wind": "wind (?:blew|came)",
        "rain": "rain fell|got wet",
        "hungry": "(?:was|felt) hungry",
        "thirsty": "(?:was|felt) thirsty",
        "tired": "(?:was|felt) tired",
        "bored": "(?:was|felt) bored",
    },
    "zh": {
        "push": "推",
        "hit": "碰到|撞到",
        "call": "对着|看见",
        "bang": "砰",
        "wind": "风吹",
        "rain": "雨落|雨淋",
        "hungry": "饿",
        "thirsty": "渴",
        "tired": "累",
        "bored": "觉得(?:无聊|没意思)",
    },
}
# Key words of an outcome; what the answer is then; the question why.
OUTCOMES = {
    "en": {
        "fell (?:over|down)": ("fell over", "why_fallen"),
        "flew": ("flew away", ""),
        "behind": ("hid", ""),
        "(?:ran|went) home": ("ran home", "why_home"),
        "rolled (?:far )?away": ("rolled away", "why_moved"),
        "slid (?:far )?away": ("slid away", "why_moved"),
        "ran (?:far )?away": ("ran away", "why_fled"),
        "but ": ("stayed in its place", "why_stayed"),
    },
    "zh": {
        "倒(?:了|在)": ("倒了", "why_fallen"),
        "飞(?:走|到)": ("飞走了", ""),
        "后面": ("躲起来了", ""),
        "回家": ("跑回家了", "why_home"),
        "滚(?:走|到)": ("滚走了", "why_moved"),
        "滑(?:走|到)": ("滑走了", "why_moved"),
        "跑(?:开了|到了离)": ("跑开了", "why_fled"),
        "但是": ("留在了原来的地方", "why_stayed"),
    },
}
REASONS = {
    "en": {
        "hit": "because {0} hit it",
        "push": "because {0} pushed it",
        "call": "because {0} {1} at it",
        "bang": "because of the bang",
        "wind": "because of the wind",
        "rain": "because of the rain",
        "big": "because it was big",
        "room": "because {2} was too small",
    },
    "zh": {
        "hit": "因为{0}撞到了它",
        "push": "因为{0}推了它",
        "call": "因为{0}对着它{1}",
        "bang": "因为砰的一声",
        "wind": "因为刮了大风",
        "rain": "因为下雨了",
        "big": "因为它很大",
        "room": "因为{2}太小",
    },
}
FOODS = {"en": "(?:ate|drank) (.+)", "zh": "[吃喝]了(.+)"}
CELLS = list(itertools.product(range(3), range(3)))


@dataclass
class Event:
    """What happens in a sentence, or in one and the next.

    Args:
        cause: the first key word found.
        kinds: of things, in the order of their mention.
        text: both sentences.
    """

    cause: str
    kinds: list[str]
    text: str


def sides(place: tuple[int, int], other: tuple[int, int]) -> set[str]:
    """Where a row and column are, seen from others."""
    (row, column), (other_row, other_column) = place, other
    found = {"left"} if column < other_column else {"right"} if column > other_column else set()
    return found | ({"above"} if row < other_row else {"below"} if row > other_row else set())


class KeyWordReading:
    """What key words find in a story."""

    def __init__(self, language: str, text: str):
        self.language, self.text, self.grammar = language, text, GRAMMARS[language]
        self.name_of = {words: kind for kind, words in self.grammar.kinds.items()}
        self.kinds: list[str] = []
        self.relations: list[tuple[str, str, str]] = []
        self.events: list[Event] = []
        for sentence in self.grammar.sentences(text)[:-1]:
            if re.search(INTRODUCED[language], sentence) and not self.events:
                self._introduce(sentence)
            elif sentence.startswith(("so ", "but ", "所以", "但是")):
                event = self.events[-1]
                event.text += sentence
                event.kinds = self._kinds(event.text)
            else:
                causes = (name for name, words in CAUSES[language].items() if re.search(words, sentence))
                cause = next(causes, None)
                if cause:
                    self.events.append(Event(cause, self._kinds(sentence), sentence))
        self.side = self._sides()

    def _kinds(self, sentence: str) -> list[str]:
        names = re.findall("|".join(self.name_of), sentence)
        return list(dict.fromkeys(self.name_of[name] for name in names))

    def _introduce(self, sentence: str) -> None:
        mentioned = self._kinds(sentence)
        new = [kind for kind in mentioned if kind not in self.kinds]
        known = [kind for kind in mentioned if kind in self.kinds] or self.kinds[:1]
        names = {words: name for name, words in self.grammar.relations.items()}
        stated = re.findall("|".join(names), sentence)
        if stated:
            self.relations.append((new[0], names[stated[0]], (*new[1:], *known)[0]))
        self.kinds += new

    def _sides(self) -> dict[tuple[str, str], set[str]]:
        """For each two things the positions that hold in every arrangement with the stated relations."""
        found: dict[tuple[str, str], set[str]] = {}
        for chosen in itertools.permutations(CELLS, len(self.kinds)):
            places = dict(zip(self.kinds, chosen, strict=True))
            if all(name in sides(places[one], places[two]) for one, name, two in self.relations):
                for pair in itertools.permutations(self.kinds, 2):
                    here = sides(places[pair[0]], places[pair[1]])
                    found[pair] = found.get(pair, here) & here
        return found

    def answer(self, form: str, values: tuple[str, ...]) -> str | None:
        """The answer to a question; None where the story does not say."""
        kind = values[-1] if values else ""
        actor_of = {"pusher": "push", "hitter": "hit", "caller": "call"}
        target_of = {"pushed": "push", "struck": "hit", "called": "call"}
        concerned = {"wet": "rain", "blown": "wind", "startled": "bang", "needy": kind}
        if form in actor_of:
            return self._things(e.kinds[0] for e in self._events(actor_of[form]) if e.kinds[1] == kind)
        if form in target_of:
            return self._things(e.kinds[1] for e in self._events(target_of[form]) if e.kinds[0] == kind)
        if form in concerned:
            return self._things(event.kinds[0] for event in self._events(concerned[form]))
        if form.startswith("num_"):
            return self._number({"num_shapes": SHAPES, "num_animals": ANIMALS}.get(form, SHAPES + ANIMALS))
        if form == "outcome" or form.startswith("why_"):
            return self._what_happened(form, kind)
        return self._forms()[form](*values)

    def _forms(self) -> dict[str, Callable[..., str | None]]:
        return {
            "colour": self._colour,
            "size": self._size,
            "where": self._where,
            "neighbour": self._neighbour,
            "shelter": self._shelter,
            "eaten": lambda kind: self._food("hungry", kind),
            "drunk": lambda kind: self._food("thirsty", kind),
            "weather": lambda: self._search("(sunny|windy|rainy|晴天|大风天|下雨天)"),
        }

    def _search(self, pattern: str) -> str | None:
        found = re.search(pattern, self.text)
        return found[1] if found else None

    def _things(self, kinds) -> str | None:
        wanted = list(kinds)
        names = [self.grammar.kinds[kind] for kind in self.kinds if kind in wanted]
        english = self.language == "en"
        return (" and " if english else "和").join("the " * english + name for name in names) or None

    def _events(self, cause: str) -> list[Event]:
        return [event for event in self.events if event.cause == cause]

    def _number(self, kinds: tuple[str, ...]) -> str:
        number = sum(kind in kinds for kind in self.kinds)
        if self.language == "en":
            return ("none", "one", "two", "three")[number]
        return "没有" if not number else " 一两三"[number] + ("只" if kinds == ANIMALS else "样")

    def _colour(self, kind: str) -> str | None:
        of = " " if self.language == "en" else "的[大小]?"
        return self._search(f"({'|'.join(self.grammar.colours.values())}){of}{self.grammar.kinds[kind]}")

    def _size(self, kind: str) -> str | None:
        name = self.grammar.kinds[kind]
        if self.language == "en":
            return self._search(f"(big|small) [a-z]+ {name}")
        size = self._search(f"([大小]){name}")
        return size and f"{size}的"

    def _where(self, kind: str, other: str) -> str | None:
        found = self.side.get((kind, other))
        return WORDS[self.language].sides[next(iter(found))] if found else None

    def _neighbour(self, relation: str, kind: str) -> str | None:
        return self._things(other for other in self.kinds if relation in self.side.get((other, kind), ()))

    def _shelter(self, kind: str) -> str | None:
        behind = "behind" if self.language == "en" else "后面"
        return self._things(
            event.kinds[1]
            for event in self._events("rain")
            if event.kinds[0] == kind and behind in event.text
        )

    def _food(self, cause: str, kind: str) -> str | None:
        found = [event for event in self._events(cause) if event.kinds[0] == kind]
        return re.search(FOODS[self.language], found[0].text)[1] if found else None

    def _what_happened(self, form: str, kind: str) -> str | None:
        for event in self.events:
            target = event.cause in ("push", "hit", "call")
            if event.cause in REASONS["en"] and event.kinds[target] == kind:
                break
        else:
            return None
        outcomes = OUTCOMES[self.language]
        outcome, why = next(outcomes[words] for words in outcomes if re.search(words, event.text))
        if form == "outcome":
            return outcome
        if form != why:
            return None
        others = [other for other in event.kinds if other != event.kinds[0]]
        no_room = why == "why_home" and others
        reason = "big" if why == "why_stayed" else "room" if no_room else event.cause
        sound = self.grammar.sounds.get(event.kinds[0])
        names = (self._things(event.kinds[:1]), sound, self._things(others))
        return REASONS[self.language][reason].format(*names)
