"""The endpoints, called as a program calls them, on a page in a process of its own."""

import json
import math
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.ui.text.api import TextApi

ENDPOINTS = {
    "/generate_text",
    "/next_token",
    "/score_text",
    "/attention",
    "/token_ids",
    "/fill_mask",
    "/next_sentence",
    "/fork",
    "/answer",
    "/models",
    "/stop_text",
    "/generate_images",
    "/interpolate",
    "/discriminate",
    "/text_to_image",
    "/rank",
    "/check_attributes",
    "/retrieve",
    "/start_run",
    "/try_run",
    "/stop_run",
    "/resume_run",
    "/runs",
    "/run_curves",
}
BOTH = ["gpt-shakespeare", "gpt2-shakespeare"]


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


def test_every_action_is_a_named_endpoint_with_a_docstring(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == ENDPOINTS
    assert [name for name, facts in endpoints.items() if len(facts.get("description", "")) < 40] == []


def test_two_models_stream_one_prompt(client):
    job = client.submit(
        prompt="ROMEO:", models=BOTH, seed=3, max_new_tokens=40, temperature=1.0, api_name="/generate_text"
    )
    answers = list(job)
    final = answers[-1]
    assert len(answers) >= 2
    assert final["seed"] == 3
    assert [column["model"] for column in final["columns"]] == BOTH
    for column in final["columns"]:
        assert column["state"] == "finished"
        assert column["error"] is None
        assert len(column["token_ids"]) == len(column["bits"]) == len(column["text"]) == 40
        assert column["tokens_per_second"] > 0
        assert column["first_token_ms"] > 0
        assert column["memory_mib"] > 0


def test_a_seed_repeats_its_text_and_a_missing_one_is_drawn_and_told(client):
    ask = {"prompt": "ROMEO:", "models": BOTH[:1], "max_new_tokens": 12, "temperature": 2.0, "top_k": 0}
    first = client.predict(**ask, api_name="/generate_text")
    again = client.predict(**ask, seed=first["seed"], api_name="/generate_text")
    other = client.predict(**ask, api_name="/generate_text")
    assert again["columns"][0]["text"] == first["columns"][0]["text"]
    assert other["seed"] != first["seed"]


def test_going_on_by_ids_gives_the_uninterrupted_text(client):
    ask = {"prompt": "ROMEO:", "models": BOTH[:1], "seed": 9, "temperature": 1.0}
    whole = client.predict(**ask, max_new_tokens=20, api_name="/generate_text")["columns"][0]
    half = client.predict(**ask, max_new_tokens=10, api_name="/generate_text")["columns"][0]
    rest = client.predict(**ask, max_new_tokens=10, token_ids=[half["token_ids"]], api_name="/generate_text")[
        "columns"
    ][0]
    assert rest["text"] == whole["text"]


def test_gpt2_runs_on_our_network_with_the_same_text(client):
    models = ["gpt2-shakespeare", "gpt2-shakespeare@ours"]
    answer = client.predict(
        prompt="ROMEO:", models=models, temperature=0, max_new_tokens=20, api_name="/generate_text"
    )
    theirs, ours = answer["columns"]
    assert ours["text"] == theirs["text"]


def test_one_column_fails_and_the_other_goes_on(client):
    answer = client.predict(
        models=["broken", "gpt-shakespeare"], max_new_tokens=3, seed=1, api_name="/generate_text"
    )
    bad, good = answer["columns"]
    assert bad["state"] == "failed"
    assert "no model that can be loaded" in bad["error"]
    assert (good["state"], len(good["token_ids"])) == ("finished", 3)


def test_a_pretrained_model_out_of_reach_names_the_command(client):
    sentence = refusal(client, "/generate_text", models=["distilgpt2"], max_new_tokens=3)
    assert "python -m aigc_demo fetch distilgpt2" in sentence


def test_next_token_is_a_distribution(client):
    found = client.predict(
        model="gpt-shakespeare", prompt="ROMEO", top_k=3, temperature=1.0, num=200, api_name="/next_token"
    )
    assert math.isclose(sum(one["prob_before"] for one in found), 1, abs_tol=1e-3)
    assert math.isclose(sum(one["prob_after"] for one in found), 1, abs_tol=1e-3)
    assert sum(one["prob_after"] > 0 for one in found) == 3


def test_score_of_each_character(client):
    left, right = client.predict(text="ROMEO: see", models=BOTH, api_name="/score_text")
    assert left["num_bytes"] == left["num_tokens"] == len(left["character_bits"]) == 10
    assert math.isclose(left["bits_per_byte"], sum(left["character_bits"]) / 10, rel_tol=1e-6)
    assert left["bits_per_byte"] != right["bits_per_byte"]


def test_attention_rows_sum_to_one(client):
    maps = client.predict(model="gpt-shakespeare", prompt="ROMEO:", api_name="/attention")
    last_row = maps["weights"][1][1][-1]
    assert maps["tokens"][-2:] == ["O", ":"]
    assert math.isclose(sum(last_row), 1, abs_tol=0.02)


def test_token_ids_of_a_text(client):
    found = client.predict(model="gpt-shakespeare", text="春R", api_name="/token_ids")
    assert [one["text"] for one in found] == ["春", "R"]
    assert len({one["id"] for one in found}) == 2


def test_models_are_listed_with_licence_and_languages(client):
    listed = {one["name"]: one for one in client.predict(api_name="/models")}
    assert listed["gpt-shakespeare"]["family"] == "ours"
    assert listed["gpt2@ours"]["on_our_network"]
    assert listed["Qwen2.5-0.5B"]["licence"] == "Apache-2.0"
    assert "Chinese" in listed["Qwen2.5-0.5B"]["languages"]
    assert listed["gpt-shakespeare"]["kind"] == "text"
    assert listed["ddpm-tiny-world"]["kind"] == "pictures"
    assert listed["text2image-tiny-world"]["kind"] == "text-to-image"
    assert listed["clip-tiny-world"]["kind"] == "matches"


def test_the_list_names_why_a_model_cannot_be_used(tmp_path):
    run = RunDirectory(tmp_path / "spoiled")
    run.create({"recipe": "gpt", "settings": {}})
    beside = run.begin_checkpoint(2)
    (beside / "config.json").write_text('{"recipe": "gpt"}')
    (beside / "model.safetensors").write_bytes(b"no weights")
    run.finish_checkpoint(2)
    catalog = Catalog(RunQueue(tmp_path))
    assert catalog.choice("spoiled").entry.problem is not None  # read once, however long the imports take
    api = TextApi(ModelCache(catalog=catalog), Cancellation())
    reader = SimpleNamespace(cookies={"lang": "zh-CN"}, headers={})
    listed = {one["name"]: one["problem"] for one in api.models(reader)}
    assert listed["gpt-shakespeare"] is None
    assert listed["spoiled@2"].startswith("spoiled@2 中没有可载入的模型")


def test_stop_ends_the_text_whose_ticket_it_is_given(client, page_url):
    job = client.submit(models=["slow"], max_new_tokens=1000, seed=1, api_name="/generate_text")
    seen = None
    for seen in job:
        if len(seen["columns"][0]["token_ids"]) >= 2:
            break
    ticket = seen["ticket"]
    assert client.predict(ticket=client.session_hash, api_name="/stop_text") is False
    other = Client(page_url, verbose=False)  # whoever holds the ticket may stop the text, nobody else
    assert other.predict(ticket="", api_name="/stop_text") is False
    assert other.predict(ticket=ticket, api_name="/stop_text") is True
    other.close()
    final = job.result(timeout=20)
    assert final["ticket"] == ticket
    assert final["columns"][0]["state"] == "stopped"
    assert 2 <= len(final["columns"][0]["token_ids"]) < 500
    assert client.predict(ticket=ticket, api_name="/stop_text") is False


def test_each_text_has_a_ticket_of_its_own_and_one_that_is_long(client):
    ask = {"models": BOTH[:1], "max_new_tokens": 1, "api_name": "/generate_text"}
    one, two = (client.predict(**ask)["ticket"] for _ in range(2))
    assert one != two
    assert min(len(one), len(two)) >= 32


@pytest.mark.parametrize(
    ("api_name", "arguments", "words"),
    [
        ("/generate_text", {"models": ["nobody"]}, "no model named nobody"),
        ("/generate_text", {"models": ["hf:someone/thing@0123"]}, "no model named"),
        ("/generate_text", {"models": ["/etc"]}, "no model named"),
        ("/generate_text", {"models": "gpt-shakespeare"}, "models must be a list"),
        ("/generate_text", {"models": [["gpt-shakespeare"]]}, "no model named"),
        ("/generate_text", {"temperature": "NaN"}, "temperature must be a number"),
        ("/generate_text", {"temperature": "inf"}, "temperature must be a number"),
        ("/generate_text", {"temperature": [1]}, "temperature must be a number"),
        ("/generate_text", {"top_p": 1.5}, "top_p must be at most 1"),
        ("/generate_text", {"top_k": 2.5}, "top_k must be a whole number"),
        ("/generate_text", {"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ("/generate_text", {"max_new_tokens": 10**12}, "max_new_tokens must be at most"),
        ("/generate_text", {"seed": -1}, "seed must be at least 0"),
        ("/generate_text", {"prompt": "x" * 30_000}, "prompt has 30000 characters"),
        ("/generate_text", {"prompt": "R" * 100, "models": ["gpt-shakespeare"]}, "reads at most 64"),
        ("/generate_text", {"prompt": {"a": 1}}, "prompt must be text"),
        ("/generate_text", {"token_ids": [[10**6]], "models": BOTH[:1]}, "not in the vocabulary"),
        ("/next_token", {"model": "nobody"}, "no model named nobody"),
        ("/next_token", {"model": "gpt-shakespeare", "num": 0}, "num must be a whole number"),
        ("/next_token", {"model": "gpt-shakespeare", "token_ids": ["<b>"]}, "token_ids must be a list"),
        ("/score_text", {"text": ""}, "paste some"),
        ("/score_text", {"text": "x" * 6_000}, "give at most 5000"),
        ("/score_text", {"text": "a", "models": ["broken" * 30]}, "no model named"),
        ("/stop_text", {"ticket": ["a"]}, "ticket must be text"),
        ("/attention", {"model": None}, "no model named"),
        ("/token_ids", {"model": "gpt-shakespeare", "text": 7}, "text must be text"),
    ],
)
def test_what_does_not_fit_gives_one_plain_sentence(client, api_name, arguments, words):
    arguments = (
        {"seed": 1, "models": BOTH, "max_new_tokens": 3, **arguments} if "gen" in api_name else arguments
    )
    assert words in refusal(client, api_name, **arguments)


def test_a_value_never_comes_back_as_html(client):
    sentence = refusal(client, "/next_token", model="<img src=x onerror=alert(1)>")
    assert "<" not in sentence
    assert ">" not in sentence


def test_sentences_come_in_the_language_that_the_caller_accepts(page_url):
    chinese = Client(page_url, verbose=False, headers={"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.5"})
    assert "沒有名為 nobody 的模型" in refusal(chinese, "/next_token", model="nobody")
    chinese.close()


def test_a_body_larger_than_anything_the_page_sends_is_refused(page_url):
    body = json.dumps({"data": ["x" * 5 * 2**20]}).encode()
    request = urllib.request.Request(
        page_url + "gradio_api/call/score_text", body, {"Content-Type": "application/json"}
    )
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)) as refused:
        urllib.request.urlopen(request, timeout=20)
    if isinstance(refused.value, urllib.error.HTTPError):
        assert refused.value.code == 413


@pytest.mark.parametrize(("mebibytes", "accepted"), [(20, True), (65, False)])
def test_a_file_may_be_larger_than_other_bodies(page_url, mebibytes, accepted):
    edge = "xxxxxxxx"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="run.zip"\r\n\r\n'
    body = head.encode() + b"x" * (mebibytes * 2**20) + f"\r\n--{edge}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    request = urllib.request.Request(page_url + "gradio_api/upload", body, kind)
    if accepted:
        assert urllib.request.urlopen(request, timeout=30).status == 200
        return
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=30)


def test_the_page_stays_usable_after_all_that(client):
    answer = client.predict(prompt="R", models=BOTH, max_new_tokens=2, seed=1, api_name="/generate_text")
    assert [column["state"] for column in answer["columns"]] == ["finished", "finished"]
