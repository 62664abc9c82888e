"""Masked words, next sentences and answers, called as a program calls them."""

import math
import random

import pytest
from gradio_client import Client

from aigc_demo.data.tiny_world.stories.questions import questions
from aigc_demo.data.tiny_world.stories.story import stories
from tests.ui.test_api import refusal

ENCODERS = ["bert-tiny-world", "bert-library-tiny-world"]
STORY = "One day a small red ball was to the left of a big blue box."


@pytest.fixture(scope="module")
def client(page_url):
    connected = Client(page_url, verbose=False)
    yield connected
    connected.close()


def test_masked_words_of_both_encoders_come_likeliest_first(client):
    *_, final = client.submit(text="a r<mask>d ball", hidden=[[11, 12]], num=4, api_name="/fill_mask")
    assert [column["model"] for column in final["columns"]] == ENCODERS, "ours and its baseline"
    for column in final["columns"]:
        assert (column["state"], column["error"]) == ("finished", None)
        masks = column["result"]["masks"]
        assert [(mask["first"], mask["past"]) for mask in masks] == [(3, 9), (11, 12)]
        for mask in masks:
            probs = [guess["prob"] for guess in mask["guesses"]]
            assert len(probs) == 4 and probs == sorted(probs, reverse=True) and 0 < sum(probs) <= 1
        first, second = (mask["guesses"][0]["text"] for mask in masks)
        assert column["result"]["text"] == f"a r{first}d {second}all"
    one, two = (column["result"]["masks"] for column in final["columns"])
    assert one != two


def test_a_mask_written_and_a_range_of_characters_ask_the_same(client):
    written = client.predict(text="a r<mask>d", models=ENCODERS[:1], api_name="/fill_mask")
    ranged = client.predict(text="a rod", hidden=[[3, 4]], models=ENCODERS[:1], api_name="/fill_mask")
    guesses = [answer["columns"][0]["result"]["masks"][0]["guesses"] for answer in (written, ranged)]
    assert [guess["id"] for guess in guesses[0]] == [guess["id"] for guess in guesses[1]]
    for one, two in zip(*guesses, strict=True):
        assert math.isclose(one["prob"], two["prob"], rel_tol=1e-3)


def test_the_next_sentence_has_a_probability_that_depends_on_the_order(client):
    there = client.predict(first="a red ball", second="the box is blue", api_name="/next_sentence")
    back = client.predict(first="the box is blue", second="a red ball", api_name="/next_sentence")
    probs = [[column["result"]["prob"] for column in answer["columns"]] for answer in (there, back)]
    assert [column["model"] for column in there["columns"]] == ENCODERS
    assert all(0 < prob < 1 for pair in probs for prob in pair)
    assert probs[0] != probs[1]


def test_an_answer_comes_with_the_source_that_each_token_looked_at(client):
    answer = client.predict(
        text="What colour was the ball?", story=STORY, models=["qa-tiny-world"], api_name="/answer"
    )
    (column,) = answer["columns"]
    result = column["result"]
    assert column["state"] == "finished"
    assert len(result["tokens"]) == len(result["token_ids"]) == len(result["cross_attention"]) > 0
    for row in result["cross_attention"]:
        assert len(row) == len(result["source"])
        assert math.isclose(sum(row), 1, abs_tol=0.05)
    assert "".join(result["source"]).count("<sep>") == 2
    assert answer["expected"] is None, "not a story of the tiny world"


def test_the_right_answer_is_told_where_the_tiny_world_knows_it(client):
    story = next(stories(0, "en"))
    asked = questions(story, random.Random(0), 1)[0]
    answer = client.predict(text=asked.text, story=story, models=["qa-tiny-world"], api_name="/answer")
    assert answer["expected"] == asked.answer


@pytest.mark.parametrize(
    ("api_name", "arguments", "words"),
    [
        ("/fill_mask", {"text": "a red ball"}, "There is no ‹mask›"),
        ("/fill_mask", {"text": "<mask>" * 9 + "a"}, "9 masks"),
        ("/fill_mask", {"text": "<mask> <mask>"}, "nothing but masks"),
        ("/fill_mask", {"text": "a" * 5_001}, "give at most 5000"),
        ("/fill_mask", {"text": "a<mask>", "models": ["gpt-shakespeare"]}, "generates text"),
        ("/fill_mask", {"text": "a<mask>", "hidden": [[2, 9]]}, "hidden must be"),
        ("/fill_mask", {"text": "a<mask>", "num": 0}, "num must be"),
        ("/next_sentence", {"first": "a", "second": " "}, "Two texts"),
        ("/next_sentence", {"first": 7, "second": "a"}, "first must be text"),
        ("/answer", {"text": ""}, "line"),
        ("/answer", {"text": "What colour was the ball?"}, "story"),
        ("/answer", {"text": "Why?", "story": STORY}, "question"),
        ("/answer", {"text": "a", "models": ["bert-tiny-world"]}, "masked words"),
        ("/answer", {"text": "a", "temperature": -1}, "temperature must be"),
        ("/answer", {"text": "a", "seed": -1}, "seed must be"),
    ],
)
def test_what_does_not_fit_gives_one_plain_sentence(client, api_name, arguments, words):
    assert words in refusal(client, api_name, **arguments)
