"""Models pushed to a server on this machine that speaks the Hub's API, by the Hub's own client."""

import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.export.hub_folder import save_model_folder
from aigc_demo.studio.runs.export.hub_push import can_push, push_model
from aigc_demo.studio.text.generate import write_texts
from aigc_demo.training.start import Order, train
from tests import forked_commands
from tests.studio.push_server import TOKEN, PushServer
from tests.training.conftest import TINY

ROOT = Path(__file__).resolve().parents[4]
TEXT = (
    "the cat sees the red dog.\n" * 300 + "a line that is too long for the model to be trained on it\n" * 30
)
SENTENCES = {
    "no_token": "no token of the Hub",
    "push_closed": "is a Space",
    "token_refused": "does not know the token",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each recipe, with checkpoints at 10 and 20."""
    home = tmp_path_factory.mktemp("home-of-somebody")
    (home / "words.txt").write_text(TEXT)
    for recipe in ("gpt", "gpt2"):
        settings = {**TINY, "max_line_length": 30, "learning_rate": 1e-2}
        list(train(Order(recipe, str(home / "words.txt"), home / recipe, steps=20, settings=settings)))
    return home


@pytest.fixture
def server(tmp_path: Path):
    with PushServer(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("HF_TOKEN", "SPACE_ID", "AIGC_DEMO_PUSH"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def in_terminal(endpoint: str, cache: Path, *orders: tuple, **variables: str) -> list[dict]:
    """What a user's process answers to command lines; each with its environment, where that is a mapping."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    here = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "PYTHONPATH": str(ROOT), "HF_TOKEN": TOKEN}
    lines = [
        {
            "environment": next((word for word in order if isinstance(word, dict)), {}),
            "arguments": [str(word) for word in order if not isinstance(word, dict)],
        }
        for order in orders
    ]
    done = forked_commands.run(
        [sys.executable, "-m", "tests.studio.hub_user", json.dumps(lines)],
        text=True,
        env={**kept, **here, "OMP_NUM_THREADS": "1", **variables},
        timeout=200,
        imported=forked_commands.LIBRARIES,
    )
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def result(answer: dict) -> dict:
    assert (answer["status"], answer["err"]) == (0, "")
    return json.loads(answer["out"].splitlines()[-1])


@pytest.mark.parametrize(("recipe", "large"), [("gpt", False), ("gpt2", True)])
def test_what_arrives_is_the_folder_and_it_loads_from_there(
    home: Path, server: PushServer, tmp_path: Path, recipe: str, large: bool
) -> None:
    server.takes_large = large
    repo, run = f"team/{recipe}-cats", home / recipe
    (pushed,) = in_terminal(
        server.url,
        tmp_path / "cache",
        ("push", run, repo, "--step", 10),
        HF_HUB_DISABLE_XET="1" if large else "0",
    )
    assert result(pushed) == {"run_dir": str(run), "step": 10, "url": f"{server.url}/{repo}"}
    ((found, commit),) = server.repositories
    there = server.repositories[found, commit]
    folder = save_model_folder(RunDirectory(run), tmp_path / repo.partition("/")[2], step=10)
    assert found == repo
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert server.visible == {repo: False}, "private unless asked otherwise"
    assert len(server.large) == large
    check_where_the_token_went(server)

    # From there it comes back under its full name, with what its text was prepared by.
    name = f"hf:{repo}@{commit}"
    asked = ("--prompt", "the ", "--seed", 5, "--set", "max_new_tokens=12")
    written, measured, locally = in_terminal(
        server.url,
        tmp_path / "cache",
        ("generate", name, *asked),
        ("evaluate", name, "--data", home / "words.txt"),
        ("evaluate", folder, "--data", home / "words.txt"),
    )
    settings = {"max_new_tokens": 12}
    (expected,) = write_texts(str(folder), "the ", num=1, seed=5, settings=settings)
    assert result(written)["text"] == expected["text"]
    figures = result(measured)
    assert figures["preparation"]["max_line_length"] == 30
    assert figures["bits_per_byte"] == result(locally)["bits_per_byte"]


def check_where_the_token_went(server: PushServer) -> None:
    """It went into the header that is for it, to the Hub itself, and nowhere else."""
    assert len(server.received) >= 5
    for request in server.received:
        headers = dict(request.headers)
        authorization = headers.pop("authorization", None) or headers.pop("Authorization", None)
        assert authorization == (None if request.path.startswith("/lfs/") else f"Bearer {TOKEN}")
        assert TOKEN not in request.path + json.dumps(headers)
        assert TOKEN.encode() not in request.body


def test_public_where_asked_and_a_second_push_to_the_same_place(
    home: Path, server: PushServer, tmp_path: Path
) -> None:
    order = ("push", home / "gpt", "team/open", "--public")
    answers = in_terminal(server.url, tmp_path / "cache", (*order, "--step", 10), order)
    assert [result(answer)["step"] for answer in answers] == [10, 20]
    assert server.visible == {"team/open": True}
    weights = [(there / "model.safetensors").read_bytes() for there in server.repositories.values()]
    assert weights == [
        (path / "model.safetensors").read_bytes() for path in RunDirectory(home / "gpt").checkpoints()
    ]


def test_what_the_hub_has_against_it_is_one_sentence(home: Path, server: PushServer, tmp_path: Path) -> None:
    server.visible["team/seen"] = True
    server.faults = {
        '"name":"foreign"': 403,
        "team/read-only/preupload": 403,
        "team/revoked/commit": 401,
        "team/broken/commit": 500,
        "team/cut/commit": "hang up",
        "team/full/preupload": 402,
        "team/down": 503,
    }
    expected = {
        "foreign": (2, "The token in HF_TOKEN may not write to team/foreign"),
        "read-only": (2, "The token in HF_TOKEN may not write to team/read-only"),
        "revoked": (2, "The Hub does not know the token in HF_TOKEN"),
        "broken": (1, "Pushing to team/broken broke off (HTTP 500)"),
        "cut": (1, "Pushing to team/cut broke off (RemoteProtocolError)"),
        "full": (1, "Pushing to team/full broke off (HTTP 402)"),
        "down": (1, "The Hub cannot be reached"),
        "seen": (2, "team/seen is on the Hub already and everybody can see it"),
        "other": (2, "The Hub does not know the token in HF_TOKEN"),
    }
    orders = [("push", home / "gpt", f"team/{name}") for name in expected]
    orders[-1] = (*orders[-1], {"HF_TOKEN": "hf_0ther"})
    answers = in_terminal(server.url, tmp_path / "cache", *orders)
    for (name, (status, sentence)), answer in zip(expected.items(), answers, strict=True):
        assert (name, answer["status"], answer["out"]) == (name, status, "")
        assert answer["err"].startswith(sentence) and answer["err"].count("\n") == 1
        assert "hf_0ther" not in answer["err"]
    assert server.repositories == {}


def test_a_store_for_large_files_that_is_not_there(home: Path, server: PushServer, tmp_path: Path) -> None:
    server.takes_large = (
        True  # the client's usual way with them goes to a store of its own, which is not here
    )
    (answer,) = in_terminal(server.url, tmp_path / "cache", ("push", home / "gpt", "team/cats"))
    assert (answer["status"], answer["out"]) == (1, "")
    assert re.fullmatch(r"Pushing to team/cats broke off \(\w+\); push it again\.\n", answer["err"])
    assert server.repositories == {}


@pytest.mark.parametrize("trouble", ["nobody listens", "no answer", "told to stay offline"])
def test_a_hub_that_cannot_be_reached_is_said_soon(home: Path, server, tmp_path: Path, trouble: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        endpoint = {"nobody listens": "http://127.0.0.1:9", "no answer": silent_url}.get(trouble, server.url)
        offline = "1" if trouble == "told to stay offline" else "0"
        order = ("push", home / "gpt", "team/cats")
        (answer,) = in_terminal(endpoint, tmp_path / "cache", order, HF_HUB_OFFLINE=offline)
    assert (answer["status"], answer["out"]) == (1, "")
    assert answer["err"].startswith("The Hub cannot be reached, so nothing was pushed")
    assert server.received == []


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({}, "no_token"),
        ({"HF_TOKEN": "  \n"}, "no_token"),
        ({"HUGGING_FACE_HUB_TOKEN": TOKEN}, "no_token"),
        ({"HF_TOKEN": TOKEN}, None),
        ({"HF_TOKEN": TOKEN + "\n"}, None),
        ({"HF_TOKEN": TOKEN, "AIGC_DEMO_PUSH": "1"}, None),
        ({"HF_TOKEN": TOKEN, "SPACE_ID": ""}, None),
        ({"HF_TOKEN": TOKEN, "SPACE_ID": "owner/space"}, "push_closed"),
        ({"HF_TOKEN": TOKEN, "SPACE_ID": "owner/space", "AIGC_DEMO_PUSH": "0"}, "push_closed"),
        ({"HF_TOKEN": TOKEN, "SPACE_ID": "owner/space", "AIGC_DEMO_PUSH": "1"}, None),
        ({"SPACE_ID": "owner/space", "AIGC_DEMO_PUSH": "1"}, "no_token"),
    ],
)
def test_who_may_push_is_asked_by_the_page_and_again_when_it_is_done(
    tmp_path: Path, environment, variables: dict[str, str], refused: str | None
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert can_push() is (refused is None)
    with pytest.raises(InputError) as caught:  # where it may be pushed, what there is to push is looked at
        push_model(RunDirectory(tmp_path / "nowhere"), "team/cats")
    assert caught.value.key == (refused or "unknown_run")


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\nb", "hf_é", "hf_\x01"])
def test_a_token_that_no_header_can_hold_is_refused_without_being_said(
    home: Path, environment, token: str
) -> None:
    environment.setenv("HF_TOKEN", token)
    with pytest.raises(InputError) as caught:
        push_model(RunDirectory(home / "gpt"), "team/cats")
    assert caught.value.key == "token_refused"
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cats",
        "a/b/c",
        "team/",
        "/cats",
        "team/c ats",
        "team/猫",
        "team/..",
        "-a/b",
        "a/b.git",
        None,
        7,
        ["a/b"],
    ],
)
def test_a_name_of_no_repository(home: Path, environment, name) -> None:
    environment.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(InputError) as caught:
        push_model(RunDirectory(home / "gpt"), name)
    assert caught.value.key == "repository_name"


def test_nothing_stays_in_the_folder_for_what_is_temporary(home: Path, server, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    order = ("push", home / "gpt", "team/cats")
    broken = ("push", shutil.copytree(home / "gpt", tmp_path / "run"), "team/dogs")
    weights = tmp_path / "run/checkpoints/step-000020/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    good, bad = in_terminal(server.url, tmp_path / "cache", order, broken, TMPDIR=str(scratch))
    assert (good["status"], bad["status"]) == (0, 2)
    assert re.match(r"The checkpoint run/checkpoints/step-000020 is not whole", bad["err"])
    assert list(scratch.iterdir()) == []
