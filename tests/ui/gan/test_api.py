"""The endpoints of the tab GAN, called as a program calls them, on a page in a process of its own."""

import base64
import io
import math
import time

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

GAN, STEPS = "dcgan-tiny-world", "ddpm-tiny-world"


@pytest.fixture(scope="module")
def client(page_url):
    connected = Client(page_url, verbose=False)
    yield connected
    connected.close()


def refusal(client, api_name, **arguments):
    with pytest.raises(AppError) as refused:
        client.predict(api_name=api_name, **arguments)
    sentence = str(refused.value)
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    assert len(sentence) < 300
    return sentence


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def png(size=(32, 32), colour=(9, 9, 9), form="PNG"):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format=form)
    return base64.b64encode(file.getvalue()).decode()


def test_two_models_make_images_of_the_same_seeds(client):
    ask = {"seed": 3, "num_pictures": 2, "num_inference_steps": 8}
    job = client.submit(**ask, api_name="/generate_images")
    answers = list(job)
    final = answers[-1]
    assert final["seed"] == 3
    assert [column["model"] for column in final["columns"]] == [GAN, STEPS]
    gan, steps = final["columns"]
    assert gan["seeds"] == steps["seeds"] == [3, 4]
    assert [opened(image).size for image in gan["images"] + steps["images"]] == [(32, 32)] * 4
    assert len(gan["scores"]) == 2
    assert steps["scores"] is None
    assert (steps["step"], steps["num_steps"], steps["state"]) == (8, 8, "finished")
    assert gan["seconds_per_picture"] > 0
    seen = {answer["columns"][1]["step"] for answer in answers}
    assert len(seen) > 2, "steps are told on the way"
    again = client.predict(**{**ask, "seed": 4, "num_pictures": 1}, models=[GAN], api_name="/generate_images")
    assert again["columns"][0]["images"][0] == gan["images"][1]


def test_one_that_fails_leaves_the_other_alone_and_alone_fails_the_call(client):
    answer = client.predict(models=["broken-gan", GAN], seed=1, num_pictures=1, api_name="/generate_images")
    bad, good = answer["columns"]
    assert (bad["state"], good["state"]) == ("failed", "finished")
    assert "no model that can be loaded" in bad["error"]
    assert bad["images"] == []
    assert "no model that can be loaded" in refusal(client, "/generate_images", models=["broken-gan"])


def test_a_ticket_stops_diffusion_between_two_steps(client, held):
    job = client.submit(models=[STEPS], num_pictures=1, num_inference_steps=100, api_name="/generate_images")
    for _ in range(200):
        so_far = job.outputs()
        if so_far and so_far[-1]["columns"][0]["step"] > 2:
            break
        time.sleep(0.05)
    assert client.predict(ticket=job.outputs()[0]["ticket"], api_name="/stop_text") is True
    column = job.result(timeout=10)["columns"][0]
    assert column["state"] == "stopped"
    assert 2 < column["step"] < 100
    assert opened(column["images"][0]).size == (32, 32)


def test_a_way_between_two_seeds_with_its_film(client):
    ask = {"from_seed": 1, "to_seed": 2, "models": [GAN], "num_frames": 4}
    (column,) = client.predict(**ask, api_name="/interpolate")["columns"]
    assert len(column["images"]) == 4
    film = opened(column["animation"])
    assert (film.format, film.n_frames) == ("WEBP", 6)
    ends = client.predict(models=[GAN], seed=1, num_pictures=2, api_name="/generate_images")["columns"][0]
    assert column["images"][0] == ends["images"][0]
    assert column["images"][-1] == ends["images"][1]


def test_the_discriminator_gives_a_share_for_each_image(client):
    made = client.predict(models=[GAN], seed=1, num_pictures=2, api_name="/generate_images")["columns"][0]
    scores = client.predict(images=[*made["images"], png((640, 480))], api_name="/discriminate")
    assert scores[:2] == pytest.approx(made["scores"], abs=1e-4)
    assert 0 <= scores[2] <= 1


@pytest.mark.parametrize(
    ("api_name", "arguments", "words"),
    [
        ("/generate_images", {"models": ["nobody"]}, "no model named nobody"),
        ("/generate_images", {"models": ["gpt-shakespeare"]}, "it generates text"),
        ("/generate_images", {"models": ["/etc"]}, "no model named"),
        ("/generate_images", {"models": GAN}, "models must be a list"),
        ("/generate_images", {"num_pictures": 65}, "num_pictures must be at most 64"),
        ("/generate_images", {"num_pictures": "NaN"}, "num_pictures must be a number"),
        ("/generate_images", {"seed": 2**31}, "seed must be at most"),
        ("/generate_images", {"seed": 1.5}, "seed must be a whole number"),
        ("/generate_images", {"truncation": [1]}, "truncation must be a number"),
        ("/generate_images", {"num_inference_steps": 10**9}, "num_inference_steps must be at most"),
        ("/generate_text", {"models": [GAN]}, "it generates images"),
        ("/interpolate", {"from_seed": -1, "to_seed": 1}, "from_seed must be at least 0"),
        ("/interpolate", {"from_seed": None, "to_seed": 1}, "from_seed must be a number"),
        ("/interpolate", {"from_seed": 1, "to_seed": 1, "num_frames": 1000}, "num_frames must be at most"),
        ("/discriminate", {"images": []}, "1 to 64 PNG pictures"),
        ("/discriminate", {"images": "x"}, "1 to 64 PNG pictures"),
        ("/discriminate", {"images": [7]}, "A picture cannot be used"),
        ("/discriminate", {"images": ["%%%"]}, "A picture cannot be used"),
        ("/discriminate", {"images": ["bm90IGEgcGljdHVyZQ=="]}, "A picture cannot be used"),
        ("/discriminate", {"images": [png(form="JPEG")]}, "A picture cannot be used"),
        ("/discriminate", {"images": [png((5000, 4000))]}, "too_large"),
        ("/discriminate", {"images": [png()], "model": STEPS}, "is no GAN"),
    ],
)
def test_what_does_not_fit_gives_one_plain_sentence(client, api_name, arguments, words):
    assert words in refusal(client, api_name, **arguments)


def test_sentences_come_in_the_language_that_the_caller_accepts(page_url):
    chinese = Client(page_url, verbose=False, headers={"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.5"})
    assert "不是 GAN" in refusal(chinese, "/discriminate", images=[png()], model=STEPS)
    assert "1 到 64 張 PNG 圖片的列表" in refusal(chinese, "/discriminate", images=[])
    chinese.close()


def test_scores_are_shares(client):
    (score,) = client.predict(images=[png()], api_name="/discriminate")
    assert math.isfinite(score)
