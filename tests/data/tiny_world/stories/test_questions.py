"""Questions about stories: answers that a plain reading of the text confirms, one wording for each."""

import functools
import itertools
import random
import re
from collections import Counter, defaultdict

import pytest

from aigc_demo.data.tiny_world.scene import ANIMALS, SHAPES
from aigc_demo.data.tiny_world.stories import questions as questions_module
from aigc_demo.data.tiny_world.stories.answers import FORMS
from aigc_demo.data.tiny_world.stories.question_words import WORDS
from aigc_demo.data.tiny_world.stories.questions import VALUES, answer_of, questions
from aigc_demo.data.tiny_world.stories.story import GRAMMARS
from aigc_demo.data.tiny_world.texts import questions_text, stories
from tests.data.tiny_world.stories.key_words import KeyWordReading

LANGUAGES = ("en", "zh")
NOT_STATED = {"en": "the story does not say", "zh": "故事里没有说"}
STORY = (
    "The day was windy. There was a big red ball. A small green box was to the left of it. "
    "One day the wind blew at the big red ball, but it was too big to move. "
    "Then the strong wind came to the small green box, so it flew up into the sky. Nobody saw the box again."
)
PUSHED = (
    "There was a big orange dog. To the right of it was a blue ring. "
    "A big pink star was to the right of the ring. One day the big orange dog gave the blue ring a push, "
    "so it rolled away. Later the ring rolled into the big pink star, but the star did not move. "
    "The ring stopped next to the star."
)
RAIN = (
    "那天是下雨天。那里有一只棕色的小猫，在一个红色的方块的上面。有一天，雨落在棕色的小猫身上，"
    "所以它因为红色的方块太小就跑回家了。最后猫又暖和又干爽。"
)


@pytest.mark.parametrize(
    ("story", "question", "answer"),
    [
        (STORY, "What colour was the ball?", "red"),
        (STORY, "What colour was the star?", NOT_STATED["en"]),
        (STORY, "Was the box big or small?", "small"),
        (STORY, "Where was the box, seen from the ball?", "to the left"),
        (STORY, "Where was the ball, seen from the box?", "to the right"),
        (STORY, "Where was the ball, seen from the ball?", NOT_STATED["en"]),
        (STORY, "Where was the ball, seen from the cat?", NOT_STATED["en"]),
        (STORY, "What was to the left of the ball?", "the box"),
        (STORY, "What was above the ball?", NOT_STATED["en"]),
        (STORY, "How many things were there, animals included?", "two"),
        (STORY, "How many animals were there?", "none"),
        (STORY, "What did the wind blow at?", "the ball and the box"),
        (STORY, "What happened to the ball?", "stayed in its place"),
        (STORY, "What happened to the box?", "flew away"),
        (STORY, "Why did the ball stay in its place?", "because it was big"),
        (STORY, "Why did the box fall over?", NOT_STATED["en"]),
        (STORY, "What was the weather like?", "windy"),
        (PUSHED, "What was the weather like?", NOT_STATED["en"]),
        (PUSHED, "Was the ring big or small?", NOT_STATED["en"]),
        (PUSHED, "Where was the star, seen from the dog?", "to the right"),  # it follows from two sentences
        (PUSHED, "What was to the right of the dog?", "the ring and the star"),
        (PUSHED, "How many things were there, not counting the animals?", "two"),
        (PUSHED, "How many animals were there?", "one"),
        (PUSHED, "Who pushed the ring?", "the dog"),
        (PUSHED, "Who pushed the star?", NOT_STATED["en"]),
        (PUSHED, "What did the dog push?", "the ring"),
        (PUSHED, "What did the ring hit?", "the star"),
        (PUSHED, "What hit the star?", "the ring"),
        (PUSHED, "What happened to the ring?", "rolled away"),
        (PUSHED, "What happened to the dog?", NOT_STATED["en"]),
        (PUSHED, "Why did the ring move away?", "because the dog pushed it"),
        (PUSHED, "Who heard the bang?", NOT_STATED["en"]),
        # Capitals, spaces and the question mark do not matter.
        (PUSHED, "  who  pushed the RING", "the dog"),
        (RAIN, "猫是什么颜色的？", "棕色"),
        (RAIN, "猫是大的还是小的？", "小的"),
        (RAIN, "方块是大的还是小的", NOT_STATED["zh"]),
        (RAIN, "方块在猫的哪一边？", "下面"),
        (RAIN, "猫的下面有什么？", "方块"),
        (RAIN, "谁被雨淋湿了?", "猫"),
        (RAIN, "猫后来怎么样了？", "跑回家了"),
        (RAIN, "猫为什么跑回家？", "因为方块太小"),
        (RAIN, "猫躲在什么后面？", NOT_STATED["zh"]),
        (RAIN, "有几只动物？", "一只"),
        (RAIN, "天气怎么样？", "下雨天"),
        # Outside of the grammar.
        (STORY, "What colour was the elephant?", None),
        (STORY, "Who pushed the cat?", None),  # an animal is not pushed in this world
        (STORY, "What colour was the ball? Why?", None),
        (STORY, "", None),
        (STORY, "球是什么颜色的？", None),
        (RAIN, "What colour was the cat?", None),
        ("", "What colour was the ball?", None),
        ("There was a big red ball.", "What colour was the ball?", None),
    ],
)
def test_answers_that_were_worked_out_by_hand(story, question, answer):
    assert answer_of(story, question) == answer


def test_balls_of_two_colours_cannot_be_asked_about():
    story = (
        "There was a red ball. To the right of it was a blue ball. The red ball rolled into the blue ball, "
        "so the blue ball fell over. Now the blue ball lay next to the red ball."
    )
    assert answer_of(story, "What colour was the ball?") is None
    with pytest.raises(ValueError, match="not a story of the tiny world: There was a red ball"):
        questions(story, random.Random(0))


@pytest.mark.parametrize("text", ["", "It was a sunny day.", "春眠不觉晓，处处闻啼鸟。"])
def test_other_texts_have_no_questions(text):
    with pytest.raises(ValueError, match="not a story of the tiny world"):
        questions(text, random.Random(0))


# The same answers by key words.


@pytest.mark.parametrize("language", LANGUAGES)
def test_key_words_of_the_text_give_the_same_answers(language, monkeypatch):
    """Every question about things of the story and about some others, answered a second time."""
    monkeypatch.setattr(questions_module, "facts_of", functools.cache(questions_module.facts_of))
    rng = random.Random(51)
    num_answers = 0
    for text in itertools.islice(stories(51, language), 300):
        reading = KeyWordReading(language, text)
        for name, form in FORMS.items():
            choices = [in_and_out_of(reading, slot, rng) for slot in form.slots]
            for values in itertools.product(*choices):
                question = asked(language, name, values)
                answer = reading.answer(name, values) or NOT_STATED[language]
                assert answer_of(text, question) == answer, (text, question)
                num_answers += answer != NOT_STATED[language]
    assert num_answers > 4000


def in_and_out_of(reading: KeyWordReading, slot: str, rng: random.Random) -> list[str]:
    """The values of a slot that a story has, and another one."""
    if slot in ("relation", "need"):
        return list(VALUES[slot])
    return [kind for kind in reading.kinds if kind in VALUES[slot]] + [rng.choice(VALUES[slot])]


def asked(language: str, form: str, values: tuple[str, ...]) -> str:
    grammar, words = GRAMMARS[language], WORDS[language]
    tables = {"relation": grammar.relations, "need": words.needs}
    slots = {
        slot: tables.get(slot, grammar.kinds)[value]
        for slot, value in zip(FORMS[form].slots, values, strict=True)
    }
    return words.templates[form].format(**slots)


# What is asked.


@pytest.fixture(scope="module")
def asked_questions():
    """Questions about 500 stories in each language."""
    found = {}
    for language in LANGUAGES:
        rng = random.Random(52)
        texts = itertools.islice(stories(52, language), 500)
        found[language] = [(text, question) for text in texts for question in questions(text, rng)]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_carry_the_answer_that_a_visitor_gets(asked_questions, language):
    pairs = asked_questions[language]
    assert len(pairs) == 2000
    for text, question in pairs[:300]:
        assert answer_of(text, question.text) == question.answer
    assert {question.kind for _, question in pairs} == {form.kind for form in FORMS.values()}


def test_unanswerable_questions_make_sense(asked_questions):
    """No thing is seen from itself, and something happens to every thing of a story in some sense."""
    unanswerable = 0
    for text, question in asked_questions["en"]:
        if question.answer != NOT_STATED["en"]:
            continue
        unanswerable += 1
        kinds = re.findall(f"the ({'|'.join(SHAPES + ANIMALS)})", question.text)
        assert len(set(kinds)) == len(kinds)
        if question.kind == "what_happened":
            assert not re.search(rf"\b{kinds[0]}\b", text), (text, question)
    assert unanswerable > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_not_known_from_the_kind_of_question(asked_questions, language):
    counts = defaultdict(Counter)
    for _, question in asked_questions[language]:
        counts[question.kind][question.answer] += 1
        counts[""][question.answer] += 1
    for kind, answers in counts.items():
        (answer, count), total = answers.most_common(1)[0], answers.total()
        print(f"{kind or 'all'}: {answer!r} is {count / total:.3f} of {total}")
        assert count / total < 0.55
    assert 0.11 < counts[""][NOT_STATED[language]] / 2000 < 0.16


def test_questions_of_a_story_are_different_and_follow_the_seed():
    first, again, other = (questions(STORY, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len({question.text for question in first}) == 4
    assert len(questions(STORY, random.Random(1), 12)) == 12


def test_the_text_of_questions_has_all_of_their_words(asked_questions):
    """Each word twice or more, as a tokenizer of words wants it; Chinese words are characters."""
    counts = Counter(words_of(questions_text()))
    asked_of_others = {
        word
        for pairs in asked_questions.values()
        for _, question in pairs
        for word in words_of(f"{question.text}\n{question.answer}")
    }
    assert {word for word in asked_of_others if counts[word] < 2} == set()


def words_of(text: str) -> list[str]:
    """English words with the space before them, every other character by itself."""
    return re.findall(r" ?[A-Za-z]+|\S", text)


def test_both_languages_ask_the_same_forms():
    assert set(WORDS["en"].templates) == set(WORDS["zh"].templates) == set(FORMS)
    for name, form in FORMS.items():
        for words in WORDS.values():
            assert set(re.findall(r"\{(\w+)\}", words.templates[name])) == set(form.slots)
