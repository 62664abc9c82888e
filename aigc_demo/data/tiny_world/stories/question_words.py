"""How questions about stories and their answers are worded, in English and Chinese.

In a template {thing}, {shape} and {animal} are kinds, {relation} is a position and {need} what an animal
feels; {other} is a second thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class QuestionWords:
    """Tables of one language.

    Args:
        templates: of the questions, by form.
        not_stated: the answer where the story does not say.
        sizes, sides, needs: words for values of a scene.
        counts: of things, shapes and animals, from none on.
        both: between two things.
        outcomes: by effect; {moved} is the verb for the thing's movement.
        reasons: by cause, by the effect "find_no_room", and "big" for what stays; {A} and {B} are the actor
            and the target, {sound} is the voice of the actor.
        eaten, drunk: what stands before the food in the template of an effect.
    """

    templates: Mapping[str, str]
    not_stated: str
    sizes: Mapping[str, str]
    sides: Mapping[str, str]
    needs: Mapping[str, str]
    counts: Mapping[str, tuple[str, ...]]
    both: str
    outcomes: Mapping[str, str]
    reasons: Mapping[str, str]
    eaten: str
    drunk: str


ENGLISH = QuestionWords(
    templates={
        "colour": "what colour was the {thing}?",
        "size": "was the {thing} big or small?",
        "where": "where was the {thing}, seen from the {other}?",
        "neighbour": "what was {relation} the {thing}?",
        "num_things": "how many things were there, animals included?",
        "num_shapes": "how many things were there, not counting the animals?",
        "num_animals": "how many animals were there?",
        "pusher": "who pushed the {shape}?",
        "pushed": "what did the {animal} push?",
        "hitter": "what hit the {shape}?",
        "struck": "what did the {shape} hit?",
        "caller": "who made a noise at the {animal}?",
        "called": "who did the {animal} make a noise at?",
        "needy": "who was {need}?",
        "wet": "who got wet in the rain?",
        "blown": "what did the wind blow at?",
        "startled": "who heard the bang?",
        "shelter": "what did the {animal} hide behind?",
        "eaten": "what did the {animal} eat?",
        "drunk": "what did the {animal} drink?",
        "outcome": "what happened to the {thing}?",
        "why_fallen": "why did the {shape} fall over?",
        "why_moved": "why did the {shape} move away?",
        "why_fled": "why did the {animal} run away?",
        "why_home": "why did the {animal} run home?",
        "why_stayed": "why did the {thing} stay in its place?",
        "weather": "what was the weather like?",
    },
    not_stated="the story does not say",
    sizes={"small": "small", "big": "big"},
    sides={"left": "to the left", "right": "to the right", "above": "above", "below": "below"},
    needs={"hungry": "hungry", "thirsty": "thirsty", "tired": "tired", "bored": "bored"},
    counts={
        "things": ("none", "one", "two", "three"),
        "shapes": ("none", "one", "two", "three"),
        "animals": ("none", "one", "two", "three"),
    },
    both=" and ",
    outcomes={
        "fall": "fell over",
        "stand": "stayed in its place",
        "stick": "stayed in its place",
        "befriend": "stayed in its place",
        "move": "{moved} away",
        "fly": "flew away",
        "flee": "ran away",
        "hide": "hid",
        "find_no_room": "ran home",
        "go_home": "ran home",
    },
    reasons={
        "hit": "because {A} hit it",
        "push": "because {A} pushed it",
        "call": "because {A} {sound} at it",
        "bang": "because of the bang",
        "wind": "because of the wind",
        "rain": "because of the rain",
        "find_no_room": "because {B} was too small",
        "big": "because it was big",
    },
    eaten="{a} ate ",
    drunk="{a} drank ",
)

CHINESE = QuestionWords(
    templates={
        "colour": "{thing}是什么颜色的？",
        "size": "{thing}是大的还是小的？",
        "where": "{thing}在{other}的哪一边？",
        "neighbour": "{thing}的{relation}有什么？",
        "num_things": "连动物一共有几样东西？",
        "num_shapes": "除了动物还有几样东西？",
        "num_animals": "有几只动物？",
        "pusher": "谁推了{shape}？",
        "pushed": "{animal}推了什么？",
        "hitter": "什么撞到了{shape}？",
        "struck": "{shape}撞到了什么？",
        "caller": "谁对着{animal}叫？",
        "called": "{animal}对着谁叫？",
        "needy": "谁{need}？",
        "wet": "谁被雨淋湿了？",
        "blown": "风吹到了什么？",
        "startled": "谁听见了砰的一声？",
        "shelter": "{animal}躲在什么后面？",
        "eaten": "{animal}吃了什么？",
        "drunk": "{animal}喝了什么？",
        "outcome": "{thing}后来怎么样了？",
        "why_fallen": "{shape}为什么倒了？",
        "why_moved": "{shape}为什么离开了原来的地方？",
        "why_fled": "{animal}为什么跑开了？",
        "why_home": "{animal}为什么跑回家？",
        "why_stayed": "{thing}为什么留在原来的地方？",
        "weather": "天气怎么样？",
    },
    not_stated="故事里没有说",
    sizes={"small": "小的", "big": "大的"},
    sides={"left": "左边", "right": "右边", "above": "上面", "below": "下面"},
    needs={"hungry": "饿了", "thirsty": "渴了", "tired": "累了", "bored": "觉得无聊"},
    counts={
        "things": ("没有", "一样", "两样", "三样"),
        "shapes": ("没有", "一样", "两样", "三样"),
        "animals": ("没有", "一只", "两只", "三只"),
    },
    both="和",
    outcomes={
        "fall": "倒了",
        "stand": "留在了原来的地方",
        "stick": "留在了原来的地方",
        "befriend": "留在了原来的地方",
        "move": "{moved}走了",
        "fly": "飞走了",
        "flee": "跑开了",
        "hide": "躲起来了",
        "find_no_room": "跑回家了",
        "go_home": "跑回家了",
    },
    reasons={
        "hit": "因为{A}撞到了它",
        "push": "因为{A}推了它",
        "call": "因为{A}对着它{sound}",
        "bang": "因为砰的一声",
        "wind": "因为刮了大风",
        "rain": "因为下雨了",
        "find_no_room": "因为{B}太小",
        "big": "因为它很大",
    },
    eaten="{a}吃了",
    drunk="{a}喝了",
)

WORDS = {"en": ENGLISH, "zh": CHINESE}
