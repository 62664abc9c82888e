"""What the things of the tiny world are called: in the languages of the page, and from Chinese to English."""

from collections.abc import Mapping

from aigc_demo.core.languages import Row

TINY_WORLD_WORDS: dict[str, Row] = {
    **{
        f"thing_{meaning}": row
        for meaning, row in {
            "ball": ("ball", "球", "球"),
            "box": ("box", "方块", "方塊"),
            "cone": ("cone", "圆锥", "圓錐"),
            "star": ("star", "星星", "星星"),
            "heart": ("heart", "爱心", "愛心"),
            "ring": ("ring", "圆环", "圓環"),
            "red": ("red", "红", "紅"),
            "orange": ("orange", "橙", "橙"),
            "yellow": ("yellow", "黄", "黃"),
            "green": ("green", "绿", "綠"),
            "blue": ("blue", "蓝", "藍"),
            "purple": ("purple", "紫", "紫"),
            "pink": ("pink", "粉", "粉"),
            "brown": ("brown", "棕", "棕"),
            "small": ("small", "小", "小"),
            "medium": ("medium", "中", "中"),
            "big": ("big", "大", "大"),
        }.items()
    },
}

# What the tiny world's things are called in Chinese, longest first: what is asked for in words is English.
THINGS_IN_CHINESE: tuple[tuple[str, str], ...] = (
    ("粉红", "pink"), ("粉紅", "pink"), ("红", "red"), ("紅", "red"), ("橙", "orange"), ("黄", "yellow"), ("黃", "yellow"), ("绿", "green"),
    ("綠", "green"), ("蓝", "blue"), ("藍", "blue"), ("紫", "purple"), ("粉", "pink"), ("棕", "brown"),
    ("方块", "box"), ("方塊", "box"), ("盒子", "box"), ("圆锥", "cone"), ("圓錐", "cone"), ("星星", "star"), ("爱心", "heart"), ("愛心", "heart"),
    ("圆环", "ring"), ("圓環", "ring"), ("球", "ball"), ("盒", "box"), ("锥", "cone"), ("錐", "cone"), ("星", "star"), ("心", "heart"),
    ("环", "ring"), ("環", "ring"), ("猫", "cat"), ("貓", "cat"), ("狗", "dog"), ("鸟", "bird"),
    ("鳥", "bird"), ("蛙", "frog"), ("鸭", "duck"), ("鴨", "duck"), ("鼠", "mouse"),
    ("小", "small"), ("中", "medium"), ("大", "big"), ("号", ""), ("號", ""), ("色", ""), ("的", ""),
)  # fmt: skip


def in_english(words: str) -> str:
    """What is asked of the tiny world, with Chinese words in English: 大红球 is "big red ball"."""
    for chinese, english in THINGS_IN_CHINESE:
        words = words.replace(chinese, f" {english} ")
    return " ".join(words.split())


# The same the other way round, for what a classifier reads: simplified and traditional.
CHINESE_OF: dict[str, tuple[str, str]] = {
    "small": ("小", "小"), "medium": ("中号", "中號"), "big": ("大", "大"),
    "red": ("红", "紅"), "orange": ("橙", "橙"), "yellow": ("黄", "黃"), "green": ("绿", "綠"), "blue": ("蓝", "藍"),
    "purple": ("紫", "紫"), "pink": ("粉红", "粉紅"), "brown": ("棕", "棕"),
    "ball": ("球", "球"), "box": ("方块", "方塊"), "cone": ("圆锥", "圓錐"), "star": ("星星", "星星"), "heart": ("爱心", "愛心"),
    "ring": ("圆环", "圓環"), "cat": ("猫", "貓"), "dog": ("狗", "狗"), "bird": ("鸟", "鳥"), "frog": ("蛙", "蛙"),
    "duck": ("鸭", "鴨"), "mouse": ("鼠", "鼠"),
}  # fmt: skip


def named(thing: Mapping[str, str], language: str) -> str:
    """A thing of the tiny world as people call it: "big red ball", 大红球; an unnamed kind is a thing."""
    if language == "en":
        return " ".join((*thing.values(), *([] if "kind" in thing else ["thing"])))
    place = 0 if language == "zh-CN" else 1
    words = "".join(CHINESE_OF[word][place] for word in thing.values())
    return words if "kind" in thing else words + ("色的东西", "色的東西")[place]
