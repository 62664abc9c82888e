"""Examples of the views that fill in, judge and answer."""

from dataclasses import dataclass

_RAIN = (
    "It was a rainy day. There was a big red bird. A small pink heart was to the left of it. "
    "The big red bird got wet in the rain, so it ran home because the small pink heart was too small. "
    "In the end the bird was warm and dry."
)
_FROG = (
    "那里有一只棕色的大青蛙。青蛙的右边有一个紫色的大球。棕色的大青蛙推了紫色的大球一下，但是它太重了。"
    "后来，青蛙觉得很累，所以它睡了一个小时。最后青蛙很有精神。"
)
TANG, TINY_WORLD = ("bert-tang", "bert-library-tang"), ("bert-tiny-world", "bert-library-tiny-world")
PRETRAINED = ("bert-base-uncased", "bert-base-uncased@ours")
COUPLETS, QUESTIONS = (
    ("couplet-tang", "couplet-tang-from-nothing"),
    ("qa-tiny-world", "qa-tiny-world-from-nothing"),
)


@dataclass(frozen=True)
class Example:
    """An example of a view.

    Attributes:
        language: en or zh: of the readers that begin with it.
        models: the pair that knows such texts.
        texts: what goes into the view's fields.
        masked: words of the first text that are masked.
    """

    language: str
    models: tuple[str, str]
    texts: tuple[str, ...]
    masked: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name on the page; a story is too long for one."""
        first, *rest = self.texts
        return " → ".join((first, *(text for text in rest if text not in ("", _RAIN, _FROG))))

    @property
    def of_verse(self) -> bool:
        """Whether it is of the Tang poems."""
        return self.models in (TANG, COUPLETS)

    @property
    def hidden(self) -> tuple[tuple[int, int], ...]:
        """The masked words' characters, first and past the last."""
        places = ((self.texts[0].index(word), len(word)) for word in self.masked)
        return tuple((first, first + length) for first, length in places)


FILL_IN = (
    Example("zh", TANG, ("白日依山尽，黄河入海流。",), ("河", "流")),
    Example("zh", TANG, ("床前明月光，疑是地上霜。",), ("月",)),
    Example("en", TINY_WORLD, (_RAIN,), ("wet", "warm")),
    Example("zh", TINY_WORLD, (_FROG,), ("重", "睡")),
    Example("en", PRETRAINED, ("The capital of France is Paris.",), ("Paris",)),
)
FOLLOW = (
    Example("zh", TANG, ("白日依山尽，", "黄河入海流。")),
    Example("zh", TANG, ("白日依山尽，", "更上一层楼。")),
    Example("en", TINY_WORLD, ("There was a big red bird.", "A small pink heart was to the left of it.")),
    Example("en", TINY_WORLD, ("There was a big red bird.", "In the end the bird was warm and dry.")),
    Example("zh", TINY_WORLD, ("那里有一只棕色的大青蛙。", "青蛙的右边有一个紫色的大球。")),
    Example("en", PRETRAINED, ("He wanted some milk for his tea.", "But there was none left in the fridge.")),
    Example("en", PRETRAINED, ("He wanted some milk for his tea.", "Penguins are birds that cannot fly.")),
)
ANSWER = (
    Example("zh", COUPLETS, ("白日依山尽，", "")),
    Example("zh", COUPLETS, ("两个黄鹂鸣翠柳，", "")),
    Example("en", QUESTIONS, ("Who got wet in the rain?", _RAIN)),
    Example("en", QUESTIONS, ("Why did the bird run home?", _RAIN)),
    Example("zh", QUESTIONS, ("球为什么留在原来的地方？", _FROG)),
)
