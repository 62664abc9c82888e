"""Captions of groups of shapes, in English and Chinese: generated and parsed with the same tables.

A caption is complete, except that a medium size may be omitted, and a plain background always is.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from aigc_demo.data.tiny_world.group import Group, arrange
from aigc_demo.data.tiny_world.scene import Place, Thing, relations

LANGUAGES = ("en", "zh")

# Names of each meaning; the first is the default.
NAMES: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "en": {
        ("kind", "ball"): ("ball", "circle"),
        ("kind", "box"): ("box", "square"),
        ("kind", "cone"): ("cone", "triangle"),
        ("kind", "star"): ("star",),
        ("kind", "heart"): ("heart",),
        ("kind", "ring"): ("ring", "hoop"),
        **{
            ("colour", name): (name,)
            for name in ("red", "orange", "yellow", "green", "blue", "pink", "brown")
        },
        ("colour", "purple"): ("purple",),
        ("size", "small"): ("small", "little", "tiny"),
        ("size", "medium"): ("medium", "middle-sized"),
        ("size", "big"): ("big", "large", "huge"),
        ("relation", "left"): ("to the left of", "left of"),
        ("relation", "right"): ("to the right of", "right of"),
        ("relation", "above"): ("above", "over"),
        ("relation", "below"): ("below", "under"),
        ("weather", "sunny"): ("on a sunny day", "in the sun"),
        ("weather", "windy"): ("on a windy day", "in the wind"),
        ("weather", "rainy"): ("on a rainy day", "in the rain"),
        ("it", ""): ("it",),
        ("", ""): ("a", "an", "the", "there is", "is", "and", "with", ",", "."),
    },
    "zh": {
        ("kind", "ball"): ("球", "圆球", "圆", "圆形"),
        ("kind", "box"): ("方块", "正方形", "盒子"),
        ("kind", "cone"): ("圆锥", "三角形", "三角"),
        ("kind", "star"): ("星星", "五角星", "星"),
        ("kind", "heart"): ("爱心", "心形", "心"),
        ("kind", "ring"): ("圆环", "环", "圈"),
        ("colour", "red"): ("红色", "红"),
        ("colour", "orange"): ("橙色", "橙", "橘色"),
        ("colour", "yellow"): ("黄色", "黄"),
        ("colour", "green"): ("绿色", "绿"),
        ("colour", "blue"): ("蓝色", "蓝"),
        ("colour", "purple"): ("紫色", "紫"),
        ("colour", "pink"): ("粉色", "粉", "粉红色"),
        ("colour", "brown"): ("棕色", "棕", "褐色"),
        ("size", "small"): ("小",),
        ("size", "medium"): ("中等大小", "中等", "中"),
        ("size", "big"): ("大",),
        ("relation", "left"): ("左边", "左侧", "左面"),
        ("relation", "right"): ("右边", "右侧", "右面"),
        ("relation", "above"): ("上面", "上方", "上边"),
        ("relation", "below"): ("下面", "下方", "下边"),
        ("weather", "sunny"): ("晴天", "阳光下"),
        ("weather", "windy"): ("刮风天", "大风中", "风中"),
        ("weather", "rainy"): ("下雨天", "雨天", "雨中"),
        ("at", ""): ("在",),
        ("is", ""): ("是", "有"),
        ("", ""): ("一个", "一颗", "个", "颗", "的", "也", "里", "，", "、", "。", ",", "."),
    },
}
# How many of these names generated captions use; the parser accepts all.
NUM_NAMES = {"kind": 2, "size": 2, "relation": 2, "weather": 2}

# Templates of a thing; {one} is "a", "an", 一个 or 一颗, {hue} the colour's short name.
THINGS = {
    "en": ("{one} {size}{colour} {kind}",),
    "zh": ("{one}{colour}的{size}{kind}", "{one}{size}{hue}{kind}", "{one}{size}{colour}的{kind}"),
}
MEDIUM_PROB = 0.2  # probability that a medium size is named
ALONE = {"en": ("{a}", "there is {a}"), "zh": ("{a}", "有{a}")}
# {ab} is the relation of the first to the second.
PAIRS = {
    "en": ("{a} {ab} {b}", "there is {a} {ab} {b}", "{b} with {a} {ab} it"),
    "zh": ("{a}在{b}的{ab}", "{a}在{b}{ab}", "{b}的{ab}是{a}", "{b}的{ab}有{a}"),
}
TRIPLES = {
    "en": ("{a} {ab} {b} and {ac} {c}", "there is {a} {ab} {b} and {ac} {c}"),
    "zh": ("{a}在{b}的{ab}，在{c}的{ac}", "{a}在{b}{ab}，也在{c}{ac}"),
}
WEATHERED = {
    "en": ("{what} {weather}", "{weather}, {what}"),
    "zh": ("{weather}，{what}",),
}
COUNTED = ("star", "heart")  # kinds with the measure word 颗


@dataclass(frozen=True)
class Word:
    """A word or phrase of a caption.

    Args:
        first: index of its first character in the text.
        past: end index, exclusive.
        part: kind, colour, size, relation, weather, it, at, is; "" for a filler, "unknown" for a word that is
            not in the tables.
        meaning: the value, such as "ball" or "red".
    """

    first: int
    past: int
    part: str
    meaning: str


@dataclass(frozen=True)
class ParsedCaption:
    """A parsed caption.

    Args:
        words: all words in order.
        group: the described group; None where the caption is unknown, ambiguous or incomplete.
    """

    words: tuple[Word, ...]
    group: Group | None

    @property
    def num_unknown(self) -> int:
        """The number of unknown words."""
        return sum(word.part == "unknown" for word in self.words)


def caption(group: Group, language: str = "en", rng: random.Random | None = None) -> str:
    """A caption of a group.

    Args:
        group: one to three things.
        language: "en" or "zh".
        rng: chooses the order of the things, their names and the template; None for the default.
    """
    return _Writer(language, rng).describe(group)


def language_of(text: str) -> str:
    """The language of a text: "zh" where there is a Chinese character, else "en"."""
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


def parse_caption(text: str) -> ParsedCaption:
    """Parse a caption in either language."""
    language = language_of(text)
    words = tuple(_joined(_words(text, language)) if language == "zh" else _words(text, language))
    group = None
    if not any(word.part == "unknown" for word in words):
        group = _group([word for word in words if word.part])
    return ParsedCaption(words, group)


class _Writer:
    """Chooses names and templates."""

    def __init__(self, language: str, rng: random.Random | None):
        self.language, self.rng = language, rng

    def describe(self, group: Group) -> str:
        things = list(group.things)
        if len(things) == 2 and self.rng:
            self.rng.shuffle(things)
        first, *others = things
        steps = {"ab": "", "ac": ""}
        for name, other in zip(steps, others, strict=False):
            steps[name] = self._name("relation", relations(first, other)[0])
        templates = (ALONE, PAIRS, TRIPLES)[len(others)][self.language]
        text = self._one_of(templates).format(
            **steps, **dict(zip("abc", map(self._thing, things), strict=False))
        )
        if not group.weather:
            return text
        weather = self._name("weather", group.weather)
        return self._one_of(WEATHERED[self.language]).format(what=text, weather=weather)

    def _thing(self, thing: Thing) -> str:
        hues = NAMES[self.language]["colour", thing.colour]
        size = ""
        if thing.size != "medium" or (self.rng and self.rng.random() < MEDIUM_PROB):
            size = self._name("size", thing.size)
            size += " " if self.language == "en" else "的" if thing.size == "medium" else ""
        names = {"size": size, "colour": self._one_of(hues[:1]), "kind": self._name("kind", thing.kind)}
        text = self._one_of(THINGS[self.language]).format(one="{one}", hue=hues[-1], **names)
        if self.language == "zh":
            return text.format(one="一颗" if thing.kind in COUNTED else "一个")
        return text.format(one="an" if text.split()[1][0] in "aeiou" else "a")

    def _name(self, part: str, meaning: str) -> str:
        return self._one_of(NAMES[self.language][part, meaning][: NUM_NAMES[part]])

    def _one_of(self, choices: tuple[str, ...]) -> str:
        return self.rng.choice(choices) if self.rng else choices[0]


def _words(text: str, language: str) -> Iterator[Word]:
    """Split a text into words: from left to right, always the longest name that matches."""
    pattern, meanings = _lexicon(language)
    end = 0
    while end < len(text):
        if text[end].isspace():
            end += 1
            continue
        found = pattern.match(text, end)
        assert found  # the pattern also matches unknown words
        name = " ".join(found[0].lower().split())
        part, meaning = meanings.get(name, ("unknown", ""))
        yield Word(end, found.end(), part, meaning)
        end = found.end()


def _joined(words: Iterator[Word]) -> Iterator[Word]:
    """Join adjacent unknown Chinese characters to one word, since word boundaries are unknown."""
    last: Word | None = None
    for word in words:
        if last and last.part == word.part == "unknown" and last.past == word.first:
            last = replace(last, past=word.past)
            continue
        if last:
            yield last
        last = word
    if last:
        yield last


@cache
def _lexicon(language: str) -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """A pattern for the next name or unknown word, and the meaning of each name."""
    meanings = {name: key for key, names in NAMES[language].items() for name in names}
    longest_first = sorted(meanings, key=len, reverse=True)
    names = [re.escape(name).replace(r"\ ", r"\s+") for name in longest_first]
    if language == "en":
        names = [rf"{name}(?!\w)" for name in names]
    unknown = r"\w+(?:['-]\w+)*|." if language == "en" else r"[A-Za-z0-9_]+|."
    return re.compile("|".join([*names, unknown]), re.IGNORECASE | re.DOTALL), meanings


def _group(words: list[Word]) -> Group | None:
    """The group that the words describe; None if they do not describe one."""
    weathers = [word.meaning for word in words if word.part == "weather"]
    items = _items([word for word in words if word.part != "weather"])
    order = "".join("T" if isinstance(item, Thing) else item.part[0] for item in items)
    if len(weathers) > 1 or order not in (*FIRST_FIRST, *LAST_FIRST):
        return None
    things = [item for item in items if isinstance(item, Thing)]
    steps = [item.meaning for item in items if isinstance(item, Word) and item.part == "relation"]
    return arrange(things[::-1] if order in LAST_FIRST else things, steps, *weathers)


def _items(words: list[Word]) -> list[Thing | Word]:
    """Replace size, colour and kind by a thing; empty where one of them is missing or repeated."""
    items: list[Thing | Word] = []
    found: dict[str, str] = {}
    for word in words:
        if (
            word.part in found
            or (found and word.part not in ATTRIBUTES)
            or (word.part == "kind" and "colour" not in found)
        ):
            return []
        if word.part in ATTRIBUTES:
            found[word.part] = word.meaning
        else:
            items.append(word)
        if word.part == "kind":
            items.append(Thing(found["kind"], found["colour"], found.get("size", "medium"), Place(0, 0)))
            found = {}
    return [] if found else items


ATTRIBUTES = ("size", "colour", "kind")
# Sentence forms as sequences of parts: T a thing, r a relation, a "at", i "is" or "it". In LAST_FIRST the
# relations are those of the last thing.
FIRST_FIRST = ("T", "iT", "TrT", "TrTrT", "TaTr", "TaTraTr")
LAST_FIRST = ("TTri", "TriT")
