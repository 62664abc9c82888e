"""Which lines and questions can be answered, and what is right."""

import random
from dataclasses import replace

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data.tiny_world.stories.questions import questions
from aigc_demo.data.tiny_world.stories.story import stories
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS
from aigc_demo.generators.shipped import TANG_POEMS
from aigc_demo.studio.text.answer import checked_request
from aigc_demo.studio.text.answerable import check_question, checked_line, is_question, true_answer

OTHER = CatalogEntry("other", "ours", ANSWERS, "seq2seq", "nowhere")
TANG = replace(OTHER, name="couplet-tang", data_sha256=TANG_POEMS.sha256)
LINE = "白日依山尽，"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LINE, LINE),
        ("白日依山尽", LINE),
        (" 白日依山尽。\n", "白日依山尽。"),
        ("两个黄鹂鸣翠柳", "两个黄鹂鸣翠柳，"),
    ],
)
def test_a_line_of_verse_gets_its_mark_for_models_of_the_poems(text, line):
    assert checked_line(text) == line
    assert checked_request([OTHER, TANG], text, None, {}).text == line
    assert checked_request([OTHER], text, None, {}).text == text


@pytest.mark.parametrize("length", [1, 4, 6, 8, 40])
def test_a_line_of_another_length_is_refused(length):
    with pytest.raises(InputError, match=f"A line of {length} characters"):
        checked_request([TANG], "山" * length + "，", None, {})
    assert checked_request([OTHER], "山" * length, None, {}).text == "山" * length


def test_a_model_of_lines_reads_no_story():
    with pytest.raises(InputError, match="couplet-tang answers lines of verse and reads no story"):
        checked_request([OTHER, TANG], LINE, "山", {})
    with pytest.raises(InputError, match="A line of 8 characters"):
        checked_request([TANG], "球是什么颜色的吗？", None, {})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_of_the_world_needs_a_story_and_has_one_answer(language):
    story = next(stories(5, language))
    for question in questions(story, random.Random(1)):
        assert is_question(question.text)
        check_question(question.text, story)
        assert true_answer(question.text, story) == question.answer
        for empty in (None, "", " \n"):
            with pytest.raises(InputError, match="There is no story"):
                check_question(question.text, empty)
        assert true_answer(question.text, None) is None
        assert true_answer(question.text, "Once upon a time.") is None


def test_a_question_that_the_world_cannot_answer_is_refused_only_beside_a_story():
    with pytest.raises(InputError, match="The tiny world knows no such question"):
        check_question("Who is the king of France?", "The ball fell.")
    check_question("白日依山尽，", None)
