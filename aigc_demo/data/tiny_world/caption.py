"""Captions of groups of shapes, in English and Chinese: told and read by the same tables.

A caption says everything: a medium size may go unsaid, and so does a plain ground.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from aigc_demo.data.tiny_world.group import Group, arrange
from aigc_demo.data.tiny_world.scene import Place, Thing, relations

LANGUAGES = ("en", "zh")

# What each meaning is called; the first name is the plainest.
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
# How many of these names captions use; users may say the others too.
SAID = {"kind": 2, "size": 2, "relation": 2, "weather": 2}

# A thing; {one} is "a", "an", 一个 or 一颗, {hue} the colour's shorter name.
THINGS = {
    "en": ("{one} {size}{colour} {kind}",),
    "zh": ("{one}{colour}的{size}{kind}", "{one}{size}{hue}{kind}", "{one}{size}{colour}的{kind}"),
}
MEDIUM_SAID = 0.2  # how often a medium size is said
ALONE = {"en": ("{a}", "there is {a}"), "zh": ("{a}", "有{a}")}
# {ab} is how the first stands to the second.
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
COUNTED = ("star", "heart")  # with 颗


@dataclass(frozen=True)
class Word:
    """A piece of a caption.

    Args:
        first: its first character in the text.
        past: past its last.
        part: what it tells: kind, colour, size, relation, weather, it, at, is; "" for a filler, "unknown" for
            a word that captions do not use.
        meaning: which kind, colour and so on.
    """

    first: int
    past: int
    part: str
    meaning: str


@dataclass(frozen=True)
class Reading:
    """What a caption was understood to say.

    Args:
        words: the whole text in order, white space left out.
        group: what it describes; None where it does not describe one whole.
    """

    words: tuple[Word, ...]
    group: Group | None

    @property
    def num_unknown(self) -> int:
        """How many words captions do not use."""
        return sum(word.part == "unknown" for word in self.words)


def caption(group: Group, language: str = "en", rng: random.Random | None = None) -> str:
    """A group in words.

    Args:
        group: one to three things.
        language: "en" or "zh".
        rng: chooses the order of the things, their names and the sentence; None for the plainest.
    """
    return _Teller(language, rng).tell(group)


def language_of(text: str) -> str:
    """The language of a text: "zh" where there is a Chinese character, else "en"."""
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


def parse_caption(text: str) -> Reading:
    """What a caption says, in either language."""
    language = language_of(text)
    words = tuple(_joined(_words(text, language)) if language == "zh" else _words(text, language))
    group = None
    if not any(word.part == "unknown" for word in words):
        group = _group([word for word in words if word.part])
    return Reading(words, group)


class _Teller:
    """Chooses words."""

    def __init__(self, language: str, rng: random.Random | None):
        self.language, self.rng = language, rng

    def tell(self, group: Group) -> str:
        things = list(group.things)
        if len(things) == 2 and self.rng:
            self.rng.shuffle(things)
        first, *others = things
        steps = {"ab": "", "ac": ""}
        for name, other in zip(steps, others, strict=False):
            steps[name] = self._named("relation", relations(first, other)[0])
        templates = (ALONE, PAIRS, TRIPLES)[len(others)][self.language]
        what = self._one_of(templates).format(
            **steps, **dict(zip("abc", map(self._thing, things), strict=False))
        )
        if not group.weather:
            return what
        weather = self._named("weather", group.weather)
        return self._one_of(WEATHERED[self.language]).format(what=what, weather=weather)

    def _thing(self, thing: Thing) -> str:
        hues = NAMES[self.language]["colour", thing.colour]
        size = ""
        if thing.size != "medium" or (self.rng and self.rng.random() < MEDIUM_SAID):
            size = self._named("size", thing.size)
            size += " " if self.language == "en" else "的" if thing.size == "medium" else ""
        names = {"size": size, "colour": self._one_of(hues[:1]), "kind": self._named("kind", thing.kind)}
        told = self._one_of(THINGS[self.language]).format(one="{one}", hue=hues[-1], **names)
        if self.language == "zh":
            return told.format(one="一颗" if thing.kind in COUNTED else "一个")
        return told.format(one="an" if told.split()[1][0] in "aeiou" else "a")

    def _named(self, part: str, meaning: str) -> str:
        return self._one_of(NAMES[self.language][part, meaning][: SAID[part]])

    def _one_of(self, choices: tuple[str, ...]) -> str:
        return self.rng.choice(choices) if self.rng else choices[0]


def _words(text: str, language: str) -> Iterator[Word]:
    """The text from left to right, at each place the longest name that fits."""
    pattern, meanings = _lexicon(language)
    end = 0
    while end < len(text):
        if text[end].isspace():
            end += 1
            continue
        found = pattern.match(text, end)
        assert found  # an unknown word is one too
        name = " ".join(found[0].lower().split())
        part, meaning = meanings.get(name, ("unknown", ""))
        yield Word(end, found.end(), part, meaning)
        end = found.end()


def _joined(words: Iterator[Word]) -> Iterator[Word]:
    """Unknown characters that stand together as one word: nobody knows better where Chinese words end."""
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
    """A pattern that finds the next name or else the next unknown word, and what the names mean."""
    meanings = {name: key for key, names in NAMES[language].items() for name in names}
    longest_first = sorted(meanings, key=len, reverse=True)
    names = [re.escape(name).replace(r"\ ", r"\s+") for name in longest_first]
    if language == "en":
        names = [rf"{name}(?!\w)" for name in names]
    unknown = r"\w+(?:['-]\w+)*|." if language == "en" else r"[A-Za-z0-9_]+|."
    return re.compile("|".join([*names, unknown]), re.IGNORECASE | re.DOTALL), meanings


def _group(words: list[Word]) -> Group | None:
    """The group that the words with a meaning describe; None where they do not form one."""
    weathers = [word.meaning for word in words if word.part == "weather"]
    items = _items([word for word in words if word.part != "weather"])
    order = "".join("T" if isinstance(item, Thing) else item.part[0] for item in items)
    if len(weathers) > 1 or order not in (*FIRST_FIRST, *LAST_FIRST):
        return None
    things = [item for item in items if isinstance(item, Thing)]
    steps = [item.meaning for item in items if isinstance(item, Word) and item.part == "relation"]
    return arrange(things[::-1] if order in LAST_FIRST else things, steps, *weathers)


def _items(words: list[Word]) -> list[Thing | Word]:
    """The same with a thing for its size, colour and kind; nothing where one of them is astray."""
    items: list[Thing | Word] = []
    looks: dict[str, str] = {}
    for word in words:
        if (
            word.part in looks
            or (looks and word.part not in LOOKS)
            or (word.part == "kind" and "colour" not in looks)
        ):
            return []
        if word.part in LOOKS:
            looks[word.part] = word.meaning
        else:
            items.append(word)
        if word.part == "kind":
            items.append(Thing(looks["kind"], looks["colour"], looks.get("size", "medium"), Place(0, 0)))
            looks = {}
    return [] if looks else items


LOOKS = ("size", "colour", "kind")
# Sentences as the order of their parts: T a thing, r a relation, a "at", i "is" or "it". In the second kind
# it is the thing told last that stands somewhere.
FIRST_FIRST = ("T", "iT", "TrT", "TrTrT", "TaTr", "TaTraTr")
LAST_FIRST = ("TTri", "TriT")
