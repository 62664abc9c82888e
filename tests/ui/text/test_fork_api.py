"""Decoders side by side, called as a program calls them."""

import math

import pytest
from gradio_client import Client

from tests.ui.test_api import refusal


@pytest.fixture(scope="module")
def client(page_url):
    connected = Client(page_url, verbose=False)
    yield connected
    connected.close()


def test_the_texts_come_first_and_then_where_they_part(client):
    *begun, final = client.submit(prompt="the ", seed=3, max_new_tokens=12, api_name="/fork")
    assert all(answer["forks"] is None for answer in begun)
    assert final["seed"] == 3
    texts = {column["decoder"]: column for column in final["columns"]}
    assert list(texts) == ["greedy", "temperature", "top_k", "top_p", "min_p", "beam"]
    assert {column["state"] for column in texts.values()} == {"finished"}
    first = final["forks"][0]
    for decision in first["decisions"]:
        written = texts[decision["decoder"]]["token_ids"]
        assert written[: first["position"]] == first["shared_ids"]
        assert written[first["position"]] == decision["id"]
    assert len({decision["id"] for decision in first["decisions"]}) > 1


def test_each_text_is_the_one_that_generate_text_gives_with_the_same_settings(client):
    final = client.predict(
        prompt="the ",
        model="gpt-shakespeare",
        decoders=["top_k", "greedy"],
        seed=5,
        top_k=3,
        max_new_tokens=8,
        api_name="/fork",
    )
    assert [column["decoder"] for column in final["columns"]] == ["greedy", "top_k"]
    for column, settings in zip(final["columns"], ({"temperature": 0}, {"temperature": 1}), strict=True):
        alone = client.predict(
            prompt="the ",
            models=["gpt-shakespeare"],
            seed=5,
            top_k=3,
            max_new_tokens=8,
            **settings,
            api_name="/generate_text",
        )
        assert column["token_ids"] == alone["columns"][0]["token_ids"]
        assert column["text"] == alone["columns"][0]["text"]


def test_the_token_drawn_has_the_largest_log_probability_plus_noise_of_those_left(client):
    final = client.predict(prompt="a", seed=8, max_new_tokens=20, temperature=1.5, api_name="/fork")
    drawn = 0
    for fork in final["forks"]:
        for decision in fork["decisions"]:
            scores = {
                candidate["id"]: math.log(prob) + candidate["noise"]
                for candidate, prob in zip(fork["candidates"], decision["probs"], strict=False)
                if prob > 0
            }
            if decision["decoder"] not in ("greedy", "beam"):
                drawn += 1
                assert decision["id"] == max(scores, key=scores.__getitem__)
    assert drawn


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"decoders": ["greedy"]}, "decoders must be a list of at least two of greedy"),
        ({"num_beams": 1}, "num_beams must be at least 2"),
        ({"model": "nobody"}, "There is no model named nobody"),
        ({"model": "clip-tiny-world"}, "clip-tiny-world"),
        ({"min_p": 2}, "min_p must be at most 1"),
        ({"prompt": "a" * 60_000}, "60"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(client, given, message):
    assert message in refusal(client, "/fork", **given)
