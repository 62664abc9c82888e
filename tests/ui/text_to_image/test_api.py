"""The endpoints of the tab Text to image, called as a program calls them."""

import base64
import io

import pytest
from gradio_client import Client

from aigc_demo.data.tiny_world.caption import parse_caption
from aigc_demo.data.tiny_world.image import render
from tests.ui.gan.test_api import opened, png, refusal

OURS, STEPS = "text2image-tiny-world", "text2image-diffusion-tiny-world"
CAPTION = "a small red ball to the left of a big blue box"


@pytest.fixture(scope="module")
def client(page_url):
    connected = Client(page_url, verbose=False)
    yield connected
    connected.close()


def rendered(caption):
    file = io.BytesIO()
    render(parse_caption(caption).group, 64).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_two_models_draw_a_caption(client):
    ask = {"caption": CAPTION, "seed": 3, "num_candidates": 2, "num_inference_steps": 4}
    answers = list(client.submit(**ask, api_name="/text_to_image"))
    final = answers[-1]
    assert (final["seed"], final["caption"]) == (3, CAPTION)
    assert final["other"] != CAPTION
    ours, steps = final["columns"]
    assert [ours["model"], steps["model"]] == [OURS, STEPS]
    assert [opened(image).size for image in ours["images"] + steps["images"]] == [(32, 32)] * 4
    assert sorted(ours["order"]) == [0, 1]
    first, second = ours["order"]
    assert ours["scores"][first] >= ours["scores"][second]
    assert len(ours["other_scores"]) == 2
    assert (steps["step"], steps["num_steps"]) == (4, 4)
    assert ours["verdicts"] is None  # the checker is for another size
    again = client.predict(
        **{**ask, "seed": 4, "num_candidates": 1}, models=[OURS], api_name="/text_to_image"
    )
    assert again["columns"][0]["images"][0] == ours["images"][1]


def test_images_are_ranked(client):
    answer = client.predict(
        texts=["a red ball", "一个红色的小球"],
        images=[png(), png((640, 480), (200, 30, 30))],
        api_name="/rank",
    )
    assert answer["model"] == "clip-tiny-world"
    assert [len(row) for row in answer["scores"]] == [2, 2]
    for row, order in zip(answer["scores"], answer["order"], strict=True):
        assert row[order[0]] >= row[order[1]]
        assert all(-1 <= score <= 1 for score in row)


def test_the_checker_reads_drawings_and_compares_them_with_a_caption(client):
    images = [rendered(CAPTION), rendered("a green star")]
    right, wrong = client.predict(images=images, caption=CAPTION, api_name="/check_attributes")
    assert right["applicable"]
    assert right["all_right"]
    assert {(thing["size"], thing["colour"], thing["kind"]) for thing in right["things"]} == {
        ("small", "red", "ball"),
        ("big", "blue", "box"),
    }
    assert not wrong["all_right"]
    assert wrong["verdict"]["things"][0]["wanted"] == {"kind": "ball", "colour": "red", "size": "small"}
    (read,) = client.predict(images=[rendered("a green star")], api_name="/check_attributes")
    assert read["things"][0]["kind"] == "star"
    assert read["verdict"] is None


def test_a_hundred_drawings_are_searched_both_ways(client):
    found = client.predict(text="a red ball", num=3, api_name="/retrieve")
    assert found["by"] == "text"
    assert len(found["hits"]) == 3
    assert opened(found["hits"][0]["image"]).size == (32, 32)
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    found = client.predict(image=png(), num=2, api_name="/retrieve")
    assert found["by"] == "image"
    assert all(hit["caption"] for hit in found["hits"])


@pytest.mark.parametrize(
    ("api_name", "arguments", "words"),
    [
        ("/text_to_image", {"caption": ""}, "no word"),
        ("/text_to_image", {"caption": "🙂🙂"}, "no word"),
        ("/text_to_image", {"caption": "x" * 10_000}, "300"),
        ("/text_to_image", {"caption": "quantum chromodynamics", "models": [OURS]}, "none of these words"),
        ("/text_to_image", {"caption": "ein roter Ball"[4:9], "models": [OURS]}, "none of these words"),
        ("/text_to_image", {"caption": CAPTION, "models": ["gpt-shakespeare"]}, "it generates text"),
        ("/text_to_image", {"caption": CAPTION, "seed": -1}, "seed"),
        ("/text_to_image", {"caption": CAPTION, "num_candidates": 10**9}, "num_candidates"),
        ("/text_to_image", {"caption": CAPTION, "guidance_scale": -3}, "guidance_scale"),
        ("/text_to_image", {"caption": CAPTION, "scheduler": "magic"}, "scheduler"),
        ("/rank", {"texts": [], "images": [png()]}, "captions"),
        ("/rank", {"texts": ["a red ball"], "images": ["???"]}, "PNG"),
        (
            "/rank",
            {"texts": ["a red ball"], "images": [png()], "model": OURS},
            "generates images from captions",
        ),
        ("/check_attributes", {"images": [png()], "caption": "a dragon"}, "nothing can be checked"),
        ("/retrieve", {}, "one of them"),
        ("/retrieve", {"text": "a red ball", "num": 0}, "num"),
        ("/retrieve", {"text": "a red ball", "image": png()}, "one of them"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(client, api_name, arguments, words):
    assert words in refusal(client, api_name, **arguments)
