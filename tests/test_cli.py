"""The command line: what it prints, and that bad input is one line and exit status 2."""

import json
from pathlib import Path

import pytest

from aigc_demo import cli
from aigc_demo.training.recipes import Order, train
from tests.training.conftest import TINY

TEXT = "the cat sees the red dog. the dog runs.\n\n" * 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, and a small model of each recipe trained on it, under runs/."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "text.txt").write_text(TEXT)
    for recipe in ("gpt", "gpt2"):
        settings = {**TINY, "learning_rate": 1e-2}
        list(
            train(
                Order(recipe, str(folder / "text.txt"), folder / "runs" / recipe, steps=20, settings=settings)
            )
        )
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> tuple[list[dict], str]:
    """The lines of JSON that a command prints, and what it complains."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        cli.main([*map(str, arguments), "--json"] if "--json" not in arguments else [*map(str, arguments)])
    said = capsys.readouterr()
    assert (exit.value.code or 0) == status, said.err
    return [json.loads(line) for line in said.out.splitlines()], said.err


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_generate_is_a_function_of_the_seed(
    capsys: pytest.CaptureFixture[str], folder: Path, recipe: str
) -> None:
    command = ("generate", folder / "runs" / recipe, "--prompt", "the ", "--set", "max_new_tokens=17")
    results = [run(capsys, *command, "--seed", seed)[0][-1] for seed in (3, 3, 4)]
    assert results[0]["text"] == results[1]["text"] != results[2]["text"]
    assert results[0]["seed"] == 3
    assert results[0]["seconds"] > 0
    assert len(results[0]["text"]) == 17


def test_generate_writes_files(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "texts.txt"
    lines, _ = run(
        capsys, "generate", folder / "runs/gpt", "--num", 3, "--out", out, "--set", "max_new_tokens=5"
    )
    assert lines[-1]["files"] == [str(out)]
    assert [line["seed"] for line in lines[:3]] == [0, 1, 2]
    assert out.read_text() == "\n\n".join(line["text"] for line in lines[:3]) + "\n"


@pytest.mark.parametrize(("split", "share"), [("validation", 0.1), ("all", 1.0)])
def test_evaluate(capsys: pytest.CaptureFixture[str], folder: Path, split: str, share: float) -> None:
    command = ("evaluate", folder / "runs/gpt", "--data", folder / "text.txt", "--split", split)
    (result,), _ = run(capsys, *command)
    assert result["num_bytes"] == pytest.approx(len(TEXT) * share, abs=1)
    assert 0 < result["bits_per_byte"] < 5
    assert result["bits_per_character"] == result["bits_per_byte"]  # one byte each
    assert result["num_samples"] == -(-result["num_tokens"] // TINY["context_length"])
    assert result["peak_memory_mib"] > 50


def test_what_evaluate_says_is_what_training_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    from aigc_demo.core.run_directory import RunDirectory

    (result,), _ = run(capsys, "evaluate", folder / "runs/gpt", "--data", folder / "text.txt")
    *_, last = RunDirectory(folder / "runs/gpt").events()
    # Nats a token in single precision there, bits a byte with weights in half precision here.
    assert result["bits_per_byte"] == pytest.approx(last.validation_loss / 0.6931472, abs=0.01)


def test_compare(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    models = (folder / "runs/gpt", folder / "runs/gpt2")
    (result,), _ = run(
        capsys, "compare", *models, "--prompt", "the", "--set", "max_new_tokens=4", "--seed", 5
    )
    assert [column["model"] for column in result["columns"]] == [str(model) for model in models]
    assert all(column["seed"] == 5 and len(column["text"]) == 4 for column in result["columns"])


def test_models_and_runs(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (listed,), _ = run(capsys, "models")
    assert {"distilgpt2", "gpt2", "SmolLM2-135M", "Qwen2.5-0.5B"} <= {row["name"] for row in listed["models"]}
    (found,), _ = run(capsys, "runs", "--folder", folder / "runs")
    assert [(row["recipe"], row["step"], row["reason"]) for row in found["runs"]] == [
        ("gpt", 20, "finished"),
        ("gpt2", 20, "finished"),
    ]


def test_publish_writes_a_model_folder_with_its_receipt(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    about = ("--title", "cats and dogs", "--origin", "made up", "--licence", "MIT")
    (result,), _ = run(capsys, "publish", folder / "runs/gpt", tmp_path / "gpt-cats", *about)
    card = (tmp_path / "gpt-cats/README.md").read_text()
    assert f"{result['bits_per_character']:.4f}" in card
    assert "train gpt --data text.txt" in card
    names = {path.name for path in (tmp_path / "gpt-cats").iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    again, _ = run(capsys, "evaluate", tmp_path / "gpt-cats", "--data", folder / "text.txt")
    assert again[0]["bits_per_byte"] == result["bits_per_byte"]
    run(capsys, "publish", folder / "runs/gpt", tmp_path / "gpt-cats", *about, status=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("generate", "nobody"), "no model named nobody"),
        (("generate", "GPT", "--set", "temperature=nan"), "temperature must be a number"),
        (("generate", "GPT", "--set", "temperature=-1"), "temperature must be at least 0"),
        (("generate", "GPT", "--set", "heat=1"), "no setting named heat"),
        (("generate", "GPT", "--set", "heat"), "--set must be name=value"),
        (("generate", "GPT", "--num", "many"), "--num"),
        (("generate", "GPT", "--loud"), "--loud"),
        (("generate",), "argument"),
        (("paint", "a cat"), "paint"),
        (("evaluate", "GPT", "--data", "nowhere.txt"), "nowhere.txt"),
        (("evaluate", "GPT", "--data", "TEXT", "--split", "test"), "split must be validation or all"),
        (("generate", "hf:gpt2@main"), "40"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    places = {"GPT": str(folder / "runs/gpt"), "TEXT": str(folder / "text.txt")}
    lines, complaint = run(capsys, *(places.get(word, word) for word in arguments), status=2)
    assert lines == []
    assert sentence in complaint
    assert len(complaint.splitlines()) == 1


def test_without_a_command_it_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        cli.main([])
    assert not exit.value.code
    assert "generate" in capsys.readouterr().out
