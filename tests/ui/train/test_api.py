"""Trainings ordered, followed and stopped by a program, on a page in a process of its own."""

import time

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError


@pytest.fixture(scope="module")
def client(page_url):
    connected = Client(page_url, verbose=False)
    yield connected
    connected.close()


def curves(client, name, **options):
    return client.predict(name=name, api_name="/run_curves", **options)


def until(client, name, good, seconds=30):
    end = time.monotonic() + seconds
    while not good(found := curves(client, name)):
        assert time.monotonic() < end, found["run"]
        time.sleep(0.1)
    return found


def refusal(client, api_name, **arguments):
    with pytest.raises(AppError) as refused:
        client.predict(api_name=api_name, **arguments)
    return str(refused.value)


def test_a_run_is_started_followed_stopped_and_resumed(client):
    mine = client.predict(recipe="gpt", steps=400, api_name="/start_run")
    assert len(mine["secret"]) >= 40
    assert mine["command"].startswith("python -m aigc_demo train gpt --data tiny-world --run-dir ")
    assert "--steps 400" in mine["command"]
    assert "--set tokenizer=words" in mine["command"]
    seen = until(client, mine["name"], lambda found: found["run"]["step"] >= 30)
    assert seen["run"]["stands"] == "running"
    assert seen["samples"][0] == {"step": 25, "text": "Once <b>upon</b> ${step} 25."}
    sentence = refusal(client, "/stop_run", name=mine["name"], secret="somebody else's secret")
    assert "started by somebody else" in sentence
    client.predict(name=mine["name"], secret=mine["secret"], api_name="/stop_run")
    stopped = until(client, mine["name"], lambda found: found["run"]["stands"] == "stopped")
    assert stopped["run"]["resumable"]
    assert stopped["run"]["step"] < 400
    client.predict(name=mine["name"], secret=mine["secret"], api_name="/resume_run")
    ended = until(client, mine["name"], lambda found: found["run"]["stands"] == "finished")
    train = ended["curves"]["loss"]["train"]
    steps = [step for step, _ in train]
    assert steps[:40] == list(range(1, 41)), (
        "after its first 40 steps a fast run is told as often as it is seen"
    )
    assert steps == sorted(set(steps)) and stopped["run"]["step"] < steps[-1] <= 400
    assert train[0][1] == 5
    assert ended["run"]["best_validation_loss"] == pytest.approx(5.2 / 400**0.3)
    logs = curves(client, mine["name"], logarithmic=True)["curves"]["loss"]["train"]
    assert logs[0][1] == pytest.approx(0.69897)
    listed = client.predict(api_name="/runs")
    assert mine["name"] in [run["name"] for run in listed]


def test_a_text_is_taken_as_a_source(client):
    mine = client.predict(recipe="gpt2", text="A story. " * 50, steps=3, api_name="/start_run")
    assert "/source.txt" in mine["command"]
    until(client, mine["name"], lambda found: found["run"]["stands"] == "finished")


def test_each_checkpoint_of_a_run_is_a_model_that_writes(client):
    names = curves(client, "an-old-run")["models"]
    assert names == ["an-old-run@10", "an-old-run@20", "an-old-run@30"]
    answer = client.predict(prompt="RO", models=names, seed=1, max_new_tokens=40, api_name="/generate_text")
    texts = [column["text"] for column in answer["columns"]]
    assert len(set(texts)) == 3
    alone = client.predict(
        models=names[1:2], prompt="RO", seed=1, max_new_tokens=40, api_name="/generate_text"
    )
    assert alone["columns"][0]["text"] == texts[1], "the same noise, the same text"


def test_a_run_goes_on_from_a_checkpoint(client):
    mine = client.predict(recipe="gpt", steps=3, init="an-old-run@20", api_name="/start_run")
    assert "/an-old-run/checkpoints/step-000020" in mine["command"].partition("--init ")[2]
    assert "num_layers" not in mine["command"]
    until(client, mine["name"], lambda found: found["run"]["stands"] == "finished")


def test_a_trial_leaves_no_run(client):
    before = [run["name"] for run in client.predict(api_name="/runs")]
    settings = {"num_layers": 1, "hidden_size": 32, "context_length": 16, "sample_tokens": 0}
    found = client.predict(
        recipe="gpt", steps=9, settings=settings, text="One two. " * 99, api_name="/try_run"
    )
    assert (found["fits"], found["steps"]) == (True, 9)
    assert found["num_parameters"] > 0
    assert [run["name"] for run in client.predict(api_name="/runs")] == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"recipe": "../x"}, "no recipe named ../x"),
        ({"steps": 10, "minutes": 1}, "not both"),
        ({"minutes": 1e9}, "minutes must be at most 1440"),
        ({"minutes": 61}, "60 minutes here at the most"),
        ({"steps": 10, "settings": {"hidden_size": 100_000}}, "hidden_size must be at most"),
        ({"steps": 10, "settings": ["a=b"]}, "settings must be"),
        ({"steps": 10, "text": " "}, "holds no text"),
        ({"steps": 10, "init": "an-old-run@11"}, "no model named an-old-run@11"),
        ({"steps": 10, "init": "gpt2-shakespeare"}, "was made by the recipe gpt"),
        ({"steps": 10, "init": "../an-old-run"}, "no model named"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(client, arguments, sentence):
    before = client.predict(api_name="/runs")
    assert sentence in refusal(client, "/start_run", **arguments)
    assert len(client.predict(api_name="/runs")) == len(before)


@pytest.mark.parametrize("name", ["../../etc", "", ".desk.lock", "no-such-run"])
def test_names_that_are_no_runs_are_refused(client, name):
    assert "no run named" in refusal(client, "/run_curves", name=name)


def test_a_run_that_is_not_shared_is_there_for_its_owner_alone(page_url, client):
    other = Client(page_url, verbose=False)
    mine = client.predict(recipe="gpt", steps=3, shared=False, api_name="/start_run")
    name = mine["name"]
    until(client, name, lambda found: found["run"]["stands"] == "finished")
    assert name in [run["name"] for run in client.predict(api_name="/runs")]
    assert name not in [run["name"] for run in other.predict(api_name="/runs")]
    assert "no run named" in refusal(other, "/run_curves", name=name)
    assert "no run named" in refusal(other, "/stop_run", name=name, secret="somebody else's secret")
    text = refusal(other, "/generate_text", prompt="a", models=[f"{name}@3"])
    assert text == refusal(other, "/generate_text", prompt="a", models=["nobody@3"]).replace("nobody", name)
    shown = Client(page_url, verbose=False, headers={"x-aigc-demo-secret": mine["secret"]})
    assert name in [run["name"] for run in shown.predict(api_name="/runs")]
    other.close()
    shown.close()


def test_whether_a_run_is_shared_is_yes_or_no(client):
    assert "true or false" in refusal(client, "/start_run", steps=3, shared="perhaps")
