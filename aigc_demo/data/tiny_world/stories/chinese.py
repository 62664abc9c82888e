"""The grammar of stories in Chinese, as tables; what each template says stands in the English one."""

import re

from aigc_demo.data.tiny_world.scene import ANIMALS
from aigc_demo.data.tiny_world.stories.grammar import Grammar

MEASURED = ("star", "heart")  # kinds with the measure word 颗


def _article(kind: str, name: str) -> str:
    if kind in ANIMALS:
        return "一只"
    return "一颗" if kind in MEASURED else "一个"


CHINESE = Grammar(
    kinds={
        "ball": "球",
        "box": "方块",
        "cone": "圆锥",
        "star": "星星",
        "heart": "爱心",
        "ring": "圆环",
        "cat": "猫",
        "dog": "狗",
        "bird": "鸟",
        "frog": "青蛙",
        "duck": "鸭子",
        "mouse": "老鼠",
    },
    colours={
        "red": "红色",
        "orange": "橙色",
        "yellow": "黄色",
        "green": "绿色",
        "blue": "蓝色",
        "purple": "紫色",
        "pink": "粉色",
        "brown": "棕色",
    },
    sizes={"small": "小", "medium": "", "big": "大"},
    weathers={"sunny": "晴天", "windy": "大风天", "rainy": "下雨天"},
    relations={"left": "左边", "right": "右边", "above": "上面", "below": "下面"},
    whole_name="{colour}的{size}{kind}",
    definite="",
    articles=("一个", "一只", "一颗"),
    article=_article,
    pronoun="它",
    so="所以",
    but="但是",
    comma="，",
    stop="。",
    space="",
    weather_sentences=("这是一个{weather}", "那天是{weather}"),
    first_sentences=("那里有{new}", "从前有{new}"),
    pair_sentences=("那里有{new}，在{newer}的{relation}",),
    next_sentences=("有{new}在{known}的{relation}", "{known}的{relation}有{new}"),
    sounds={
        "cat": "喵喵叫",
        "dog": "汪汪叫",
        "bird": "啾啾叫",
        "frog": "呱呱叫",
        "duck": "嘎嘎叫",
        "mouse": "吱吱叫",
    },
    movements=("滚", "滑"),
    causes={
        "hit": ("{A}{moved_A}过去碰到了{B}", "{A}飞快地{moved_A}过去撞到了{B}", "{A}{moved_A}过去撞到了{B}"),
        "push": ("{A}推了{B}", "{A}推了{B}一下", "{A}用力推了{B}一下"),
        "call": ("{A}对着{B}{sound}", "{A}看见{B}就{sound}"),
        "bang": ("砰的一声吓到了{A}", "{A}听见了砰的一声"),
        "wind": ("风吹着{A}", "一阵大风吹向{A}"),
        "rain": ("雨落在{A}身上", "{A}被雨淋湿了"),
        "hungry": ("{A}饿了", "{A}觉得很饿"),
        "thirsty": ("{A}渴了", "{A}觉得很渴"),
        "tired": ("{A}累了", "{A}觉得很累"),
        "bored": ("{A}觉得无聊", "{A}觉得没意思"),
    },
    effects={
        ("hit", "fall", True): ("{B}倒了", "{B}倒在了地上"),
        ("hit", "stand", True): ("{B}太大了没有倒", "{B}一动也没动", "{B}又大又稳没有倒"),
        ("push", "move", True): ("{b}{moved_B}走了", "{b}{moved_B}到了远处"),
        ("push", "stick", True): ("{b}太重了", "{b}太大了", "{b}一动也没动"),
        ("call", "flee", True): ("{B}跑开了", "{B}吓得跑开了"),
        ("call", "befriend", True): ("{B}太大了不害怕", "{B}没有跑开"),
        ("bang", "flee", True): ("{a}跑开了", "{a}跑到了离{B}很远的地方"),
        ("wind", "fly", False): ("{a}飞走了", "{a}飞到天上去了"),
        ("wind", "fall", False): ("{a}倒了", "{a}被吹倒了"),
        ("wind", "stand", False): ("{a}一动也没动", "{a}太大了吹不动"),
        ("rain", "hide", True): ("{a}躲到了{B}后面", "{a}跑到了{B}后面"),
        ("rain", "find_no_room", True): ("{a}因为{B}太小就跑回家了",),
        ("rain", "go_home", False): ("{a}跑回家了", "{a}回家了"),
        ("hungry", "eat", False): ("{a}吃了一个苹果", "{a}吃了一些面包"),
        ("thirsty", "drink", False): ("{a}喝了一些水", "{a}喝了一些牛奶"),
        ("tired", "sleep", False): ("{a}睡着了", "{a}睡了一个小时"),
        ("tired", "sleep", True): ("{a}在{B}旁边睡着了", "{a}靠着{B}睡了一觉"),
        ("bored", "play", False): ("{a}唱了一首歌", "{a}跳起了舞"),
        ("bored", "play", True): ("{a}和{B}一起玩", "{a}围着{B}跳舞"),
    },
    closings={
        ("hit", "fall"): ("现在{B}躺在{A}旁边", "最后{B}躺在了地上"),
        ("hit", "stand"): ("{A}停在了{B}旁边", "最后{A}只好停下来"),
        ("push", "move"): ("{A}很得意", "最后{A}很高兴"),
        ("push", "stick"): ("{A}只好放弃了", "最后{A}很难过"),
        ("call", "flee"): ("{B}没有再回来", "最后只剩下{A}了"),
        ("call", "befriend"): ("{A}和{B}成了朋友", "最后它们玩了一整天"),
        ("bang", "flee"): ("{A}没有再回来", "最后{A}安全了"),
        ("wind", "fly"): ("再也没有人看见{A}", "最后{A}不见了"),
        ("wind", "fall"): ("现在{A}躺在地上", "最后{A}倒在了一边"),
        ("wind", "stand"): ("风只好停了下来", "最后{A}还在那里"),
        ("rain", "hide"): ("{A}在那里淋不到雨", "最后{A}身上又干了"),
        ("rain", "find_no_room"): ("回到家里{A}身上就干了", "最后{A}又暖和又干爽"),
        ("rain", "go_home"): ("回到家里{A}身上就干了", "最后{A}又暖和又干爽"),
        ("hungry", "eat"): ("这样{A}就不饿了", "最后{A}吃饱了"),
        ("thirsty", "drink"): ("这样{A}就不渴了", "最后{A}很高兴"),
        ("tired", "sleep"): ("这样{A}就不累了", "最后{A}很有精神"),
        ("bored", "play"): ("这样{A}就不无聊了", "最后{A}玩得很开心"),
    },
    openers=(("", "有一天，"), ("然后", "后来，")),
    text_pattern=re.compile("(?:[\u4e00-\u9fff，]+。)+"),
)
