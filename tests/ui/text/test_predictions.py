"""The views that fill in, judge and answer, without a page: what a click leads to."""

import base64
from types import SimpleNamespace

import gradio as gr
import pytest

from aigc_demo.data.tiny_world.stories.questions import answer_of
from aigc_demo.generators import catalog
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS
from aigc_demo.generators.shipped import TANG_POEMS
from aigc_demo.generators.text.masked_words import FilledText, Guess, MaskedPlace
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answer import Answer, CrossAttention
from aigc_demo.studio.text.answerable import checked_line
from aigc_demo.ui.text import prediction_examples, prediction_view
from aigc_demo.ui.text.prediction_examples import TANG, TINY_WORLD
from aigc_demo.ui.text.prediction_handlers import AnswerHandlers, FillInHandlers, FollowHandlers
from aigc_demo.ui.text.prediction_tab import _example_for

CARD, RESULT, FACTS = range(3)
CHINESE = SimpleNamespace(cookies={"lang": "zh-TW"}, headers={})


class Guesser:
    """An encoder that guesses one word everywhere, and holds that what is longer follows."""

    family, num_parameters, memory_mib = "ours", 10, 1.0

    def __init__(self, word):
        self.word = word

    def fill(self, text, count, hidden):
        guesses = (Guess(1, self.word, 0.75), Guess(2, "else", 0.125))
        return FilledText(text, tuple(MaskedPlace(first, past, guesses) for first, past in hidden))

    def follows(self, first, second):
        return 0.9 if len(second) > len(first) else 0.1


MODELS = {"sure": Guesser("cat"), "wrong": Guesser("dog")}
BOTH = tuple(MODELS)


@pytest.fixture
def cache(monkeypatch):
    entries = {name: CatalogEntry(name, "ours", MASKED_WORDS, "", "nowhere") for name in MODELS}
    entries["answers"] = CatalogEntry("answers", "ours", ANSWERS, "", "nowhere")
    monkeypatch.setattr(catalog, "CATALOG", entries)
    return ModelCache(100, lambda name, report: MODELS[name])


@pytest.fixture
def fill(cache):
    return FillInHandlers(cache, Cancellation())


def last(updates):
    """Both columns of the last update."""
    *_, final = updates
    return final[:3], final[3:]


def masked(handlers, text, ranges):
    return {**handlers.words(text, None), "hidden": ranges}


def test_each_column_has_its_own_guesses_with_the_right_word_marked(fill):
    text = "the cat sat"
    left, right = last(fill.predict(None, new_ticket(), text, masked(fill, text, [[4, 7]]), *BOTH))
    assert [left[CARD]["state"], right[CARD]["state"]] == ["finished", "finished"]
    (group,) = left[RESULT]["groups"]
    assert [(row["text"], row["prob"], row["right"]) for row in group["rows"]] == [
        ("cat", 0.75, True),
        ("else", 0.125, False),
    ]
    assert left[RESULT]["head"]["en"] == "1 of 1 right"
    assert left[RESULT]["parts"] == [{"text": "the "}, {"text": "cat", "kind": "right"}, {"text": " sat"}]
    (group,) = right[RESULT]["groups"]
    assert not any(row["right"] for row in group["rows"])
    assert group["note"]["en"] == "“cat” is not among the first 2."
    assert right[RESULT]["head"]["en"] == "0 of 1 right"
    assert right[RESULT]["parts"][1] == {"text": "dog", "kind": "wrong"}


def test_what_was_masked_of_another_text_masks_nothing(fill):
    """The text was typed on after the click, and the widget shows the one before."""
    stale = masked(fill, "the cat", [[4, 7]])
    left, _ = last(fill.predict(None, new_ticket(), "a dog sat here", stale, *BOTH))
    assert left[RESULT]["groups"] == []
    again = masked(fill, "the\r\ncat", [[4, 7]])
    assert again["text"] == "the\ncat"
    assert fill.words("the\rcat", again) == gr.skip(), "the same text keeps its masks"
    left, _ = last(fill.predict(None, new_ticket(), "the\r\ncat", again, *BOTH))
    assert left[RESULT]["groups"][0]["title"]["en"] == "Mask 1, where “cat” stands"


@pytest.mark.parametrize("ranges", [[[0, 99]], "0,1", [[1]], 7])
def test_ranges_that_the_widget_cannot_have_sent_are_refused(fill, ranges):
    with pytest.raises(gr.Error, match="hidden must be"):
        next(fill.predict(None, new_ticket(), "the cat", masked(fill, "the cat", ranges), *BOTH))


def test_another_model_in_a_column_empties_it(fill):
    column = fill.choose_model(None, new_ticket(), 0, "wrong")
    assert column[CARD]["state"] == "ready"
    assert column[RESULT]["groups"] == []
    assert column[FACTS]["facts"][0]["name"]["en"] == "Parameters"
    with pytest.raises(gr.Error, match="answers a text"):
        fill.choose_model(None, new_ticket(), 0, "answers")


def filled(text, word, first, past):
    place = MaskedPlace(first, past, (Guess(1, word, 0.5),))
    return prediction_view.filled(FilledText(text, (place,)))


def test_word_pieces_spaces_and_capitals_do_not_make_a_word_wrong():
    piece = filled("walking", "##ing", 4, 7)
    assert piece["parts"] == [{"text": "walk"}, {"text": "ing", "kind": "right"}, {"text": ""}]
    spaced = filled("a Cat sat", " cat", 1, 5)
    assert spaced["parts"] == [{"text": "a "}, {"text": "cat", "kind": "right"}, {"text": " sat"}]
    written = filled("a <mask> sat", "cat", 2, 8)
    assert written["parts"][1]["kind"] == "guess"
    assert written["head"] is None
    assert written["groups"][0]["title"]["en"] == "Mask 1"


def test_the_verdict_of_each_column_goes_by_its_probability(cache):
    handlers = FollowHandlers(cache, Cancellation())
    left, _ = last(handlers.predict(None, new_ticket(), "short", "much longer", *BOTH))
    assert left[RESULT]["head"]["en"] == "It follows"
    assert [row["prob"] for row in left[RESULT]["groups"][0]["rows"]] == pytest.approx([0.9, 0.1])
    left, _ = last(handlers.predict(None, new_ticket(), "much longer", "short", *BOTH))
    assert left[RESULT]["head"]["en"] == "It does not follow"
    with pytest.raises(gr.Error, match="Two texts are needed"):
        next(handlers.predict(None, new_ticket(), "a", " ", *BOTH))


@pytest.mark.parametrize(
    ("prob", "says"), [(0.6, "It follows"), (0.59, "Undecided"), (0.41, "Undecided"), (0.4, "It does not")]
)
def test_close_to_one_half_there_is_no_verdict(prob, says):
    assert prediction_view.verdict(prob)["head"]["en"].startswith(says)


@pytest.mark.parametrize(("expected", "right"), [("the cat", True), ("the dog", False), (None, None)])
def test_an_answer_is_right_or_names_the_right_one(expected, right):
    looked = CrossAttention(("<start>", "cat", "<sep>"), (" the", " cat"), 1, 1, bytes(range(6)))
    found = prediction_view.answer(Answer(" the cat", (), looked), expected)
    assert (found["text"], found["right"]) == ("the cat", right)
    assert (
        found["verdict"] is None
        if right is None
        else found["verdict"]["en"].endswith("Right" if right else "The right answer: the dog")
    )
    assert base64.b64decode(found["data"]) == bytes(range(6))
    assert (found["L"], found["H"], len(found["tokens"]), len(found["source"])) == (1, 1, 2, 3)


@pytest.mark.parametrize(("request_", "language"), [(None, "en"), (CHINESE, "zh")])
def test_a_new_story_comes_with_a_question_that_it_is_asked_in_its_language(cache, request_, language):
    handlers = AnswerHandlers(cache, Cancellation())
    question, story, *results = handlers.new_story(request_)
    assert answer_of(story, question) is not None
    assert ("一" <= question[0] <= "鿿") == (language == "zh")
    assert results == [handlers.result(None, None)] * 2
    assert handlers.new_story(request_)[1] != story


def test_a_question_needs_its_story_and_spaces_are_none(cache):
    handlers = AnswerHandlers(cache, Cancellation())
    with pytest.raises(gr.Error, match="There is no story"):
        next(handlers.predict(None, new_ticket(), "Who got wet in the rain?", " \n", "answers", "answers"))


# ---- examples


@pytest.mark.parametrize(("sha256", "begins"), [(TANG_POEMS.sha256, "白日依山尽"), ("", "那里有一只")])
def test_a_view_begins_with_an_example_of_what_the_models_of_runs_were_trained_on(sha256, begins):
    entry = CatalogEntry("run@5", "ours", MASKED_WORDS, "bert", "nowhere", data_sha256=sha256)
    chinese = [example for example in prediction_examples.FILL_IN if example.language == "zh"]
    assert _example_for(chinese, entry).texts[0].startswith(begins)


def test_the_words_masked_in_examples_are_whole_words():
    for example in prediction_examples.FILL_IN:
        (text,) = example.texts
        for (first, past), word in zip(example.hidden, example.masked, strict=True):
            assert text[first:past] == word
            if example.language == "en":
                assert not (text[first - 1] + text[past]).strip(" .,"), "its neighbours are no letters"


def test_the_questions_of_examples_have_answers_and_their_lines_a_couplets_length():
    for example in prediction_examples.ANSWER:
        question, story = example.texts
        if story:
            assert answer_of(story, question) is not None
            assert answer_of(story, question) not in ("the story does not say", "故事里没有说")
        else:
            assert checked_line(question) == question
    assert {example.models for example in prediction_examples.FILL_IN} >= {TANG, TINY_WORLD}
