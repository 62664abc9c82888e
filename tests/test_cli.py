"""The command line: what it prints, and that bad input is one line and exit status 2."""

import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aigc_demo import cli
from aigc_demo.cli.output import event_line
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
)
from aigc_demo.core.files.atomic import write_atomically
from aigc_demo.core.files.manifest import MANIFEST, build_manifest
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.export.archive import export_run
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.text.generate import write_texts
from aigc_demo.training.start import Order, train
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
    printed = capsys.readouterr()
    assert (exit.value.code or 0) == status, printed.err
    return [json.loads(line) for line in printed.out.splitlines()], printed.err


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
    started = time.perf_counter()
    (result,), _ = run(capsys, *command)
    assert 0 < result["seconds"] <= time.perf_counter() - started
    assert (result["model"], result["source"]) == (str(folder / "runs/gpt"), str(folder / "text.txt"))
    assert result["num_bytes"] == pytest.approx(len(TEXT) * share, abs=1)
    assert 0 < result["bits_per_byte"] < 5
    assert result["bits_per_character"] == result["bits_per_byte"]  # one byte each
    assert result["num_samples"] == -(-result["num_tokens"] // TINY["context_length"])
    assert result["peak_memory_mib"] > 50


def test_evaluate_measures_what_the_model_writes(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    command = ("evaluate", folder / "runs/gpt", "--data", folder / "text.txt", "--samples", 3, "--seed", 4)
    (result,), _ = run(capsys, *command)
    settings = {"temperature": 1.0, "stop": "\n\n", "max_new_tokens": 512}
    written = write_texts(str(folder / "runs/gpt"), "", num=3, seed=4, settings=settings)
    texts = [text["text"].strip("\n") for text in written]
    assert result["num_generated"] == 3
    assert result["distinct"] == len(set(texts)) / 3
    copied = result["longest_copied_text"]
    assert len(copied) == result["longest_copied_run"] > 0
    assert copied in TEXT and any(copied in text for text in texts)
    assert not {"lines_of_one_length", "accepted"} & set(result)


def test_stories_of_tiny_world_are_read_by_its_parser(folder: Path, monkeypatch) -> None:
    from aigc_demo.studio.evaluate import text as text_evaluation

    generated = [
        "Once there was a red cat. The red cat was hungry, so it ate an apple. In the end the cat was full."
    ]
    generated += ["Once there was a red cat."]
    monkeypatch.setattr(
        text_evaluation, "write_texts", lambda *args, **named: [{"text": text} for text in generated]
    )
    figures = text_evaluation._sampled("gpt", "tiny-world", "no story", 2, 0)
    assert (figures["accepted"], figures["num_generated"]) == (0.5, 2)


def test_what_evaluate_says_is_what_training_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    from aigc_demo.core.run_directory import RunDirectory

    (result,), _ = run(capsys, "evaluate", folder / "runs/gpt", "--data", folder / "text.txt")
    *_, last = RunDirectory(folder / "runs/gpt").events()
    # Nats a token in single precision there, bits a byte with weights in half precision here.
    assert result["bits_per_byte"] == pytest.approx(last.full_validation_loss / 0.6931472, abs=0.01)


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


def test_lists_for_people_stand_in_columns(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    def lines(*command: object) -> list[str]:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            cli.main([*map(str, command)])
        return capsys.readouterr().out.splitlines()

    models = lines("models")
    assert {line.split()[1] for line in models} == {"ours", "library", "pretrained"}
    assert len({line.index(f" {line.split()[1]}") for line in models}) == 1, "also beside the longest name"
    place = folder / "runs"
    assert lines("runs", "--folder", place) == [
        f"{place / 'gpt'}   gpt   step 20  finished",
        f"{place / 'gpt2'}  gpt2  step 20  finished",
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
        "preparation.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    again, _ = run(capsys, "evaluate", tmp_path / "gpt-cats", "--data", folder / "text.txt")
    assert again[0]["bits_per_byte"] == result["bits_per_byte"]
    run(capsys, "publish", folder / "runs/gpt", tmp_path / "gpt-cats", *about, status=2)


def test_publish_takes_measures_and_describes_the_checkpoint_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    about = ("--title", "cats and dogs", "--origin", "made up", "--licence", "MIT")
    found = {}
    for step, asked in ((10, ("--step", 10)), (20, ())):
        place, checkpoint = tmp_path / f"cats-{step}", folder / f"runs/gpt/checkpoints/step-{step:06d}"
        (result,), _ = run(capsys, "publish", folder / "runs/gpt", place, *about, *asked)
        (measured,), _ = run(capsys, "evaluate", checkpoint, "--data", folder / "text.txt")
        card, found[step] = (place / "README.md").read_text(), result["bits_per_byte"]
        assert (place / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()
        assert result["bits_per_byte"] == measured["bits_per_byte"]
        assert f"| steps | {step}, " in card and f"{result['bits_per_character']:.4f}" in card
    assert found[10] != found[20]


@pytest.mark.parametrize("command", ["publish", "save"])
def test_a_step_without_a_checkpoint_is_bad_input_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, command: str
) -> None:
    about = ("--title", "cats", "--origin", "made up", "--licence", "MIT") if command == "publish" else ()
    place = tmp_path / "cats"
    lines, complaint = run(capsys, command, folder / "runs/gpt", place, *about, "--step", 15, status=2)
    assert lines == [] and "no whole checkpoint at step 15; choose one of 10, 20" in complaint
    assert list(tmp_path.iterdir()) == []


def test_push_gives_the_hub_the_checkpoint_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the upload itself, which tests/studio/runs/export/test_hub_push.py has."""
    pushed = []

    def upload(place: Path, repository: str, token: str, *, private: bool) -> str:
        weights, card = (place / "model.safetensors").read_bytes(), (place / "README.md").read_text()
        pushed.append((weights, f"| steps | {step}, " in card, repository, private))
        return "https://hub/cats"

    monkeypatch.setattr("aigc_demo.studio.runs.export.hub_push._upload", upload)
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    monkeypatch.delenv("SPACE_ID", raising=False)
    for step, asked in ((10, ("--step", 10)), (20, ()), (10, ("--step", 10, "--public"))):
        (result,), _ = run(capsys, "push", folder / "runs/gpt", "a/cats", *asked)
        weights = (folder / f"runs/gpt/checkpoints/step-{step:06d}/model.safetensors").read_bytes()
        assert pushed.pop() == (weights, True, "a/cats", "--public" not in asked)
        assert result == {"run_dir": str(folder / "runs/gpt"), "step": step, "url": "https://hub/cats"}


def test_save_makes_a_folder_that_loads(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    for step in (10, 20):
        asked = () if step == 20 else ("--step", step)
        (result,), _ = run(capsys, "save", folder / "runs/gpt", tmp_path / f"cats-{step}", *asked)
        place = tmp_path / f"cats-{step}"
        weights = (folder / f"runs/gpt/checkpoints/step-{step:06d}/model.safetensors").read_bytes()
        assert (place / "model.safetensors").read_bytes() == weights
        assert result == {"run_dir": str(folder / "runs/gpt"), "step": step, "path": str(place)}
        assert f"| steps | {step}, " in (place / "README.md").read_text()
        (written,), _ = run(capsys, "generate", place, "--set", "max_new_tokens=5")
        assert len(written["text"]) == 5


def test_push_without_a_token_or_a_name_is_bad_input(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_TOKEN", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    for token, name, sentence in (("", "a/b", "set HF_TOKEN"), ("hf_x", "a/b/c", "a/b/c is no name")):
        monkeypatch.setenv("HF_TOKEN", token)
        lines, complaint = run(capsys, "push", folder / "runs/gpt", name, status=2)
        assert lines == [] and sentence in complaint and len(complaint.splitlines()) == 1


def published_card(capsys: pytest.CaptureFixture[str], run_dir: Path, place: Path) -> str:
    about = ("--title", "cats and dogs", "--origin", "made up", "--licence", "MIT")
    run(capsys, "publish", run_dir, place, *about)
    return (place / "README.md").read_text()


def changed_run(folder: Path, place: Path, change: Callable[[dict], None]) -> Path:
    """A copy of a run whose first event was something else."""
    shutil.copytree(folder / "runs/gpt", place)
    first, *rest = (place / "events.jsonl").read_text().splitlines()
    record = json.loads(first)
    change(record["facts"])
    (place / "events.jsonl").write_text("\n".join([json.dumps(record), *rest]) + "\n")
    return place


def test_a_card_names_the_machine_of_the_training(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = {"processor": "Abacus 9", "cores": 3, "threads": 2, "memory_gib": 7.5, "accelerator": None}
    there = changed_run(folder, tmp_path / "run", lambda facts: facts.update(machine=machine))
    card = published_card(capsys, there, tmp_path / "model")
    assert "| machine | 2 threads on 3 cores of Abacus 9, 7.5 GiB of memory, mixed precision no |" in card
    # Of a time when machines were not recorded, and models came without their preparation.
    old = changed_run(folder, tmp_path / "old", lambda facts: facts.pop("machine"))
    checkpoint = old / "checkpoints/step-000020"
    (checkpoint / "preparation.json").unlink()
    write_atomically(checkpoint / MANIFEST, json.dumps(build_manifest(checkpoint)))
    monkeypatch.setattr("aigc_demo.training.model_card.processor", lambda: "Slide rule")
    card = published_card(capsys, old, tmp_path / "old-model")
    assert "| machine | not recorded, mixed precision no (this card was written on " in card
    assert "cores of Slide rule) |" in card


def test_evaluate_cuts_as_the_training_of_the_model_did(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    lines = [f"{'short' if number % 3 else 'a much longer line'} {number % 7}" for number in range(900)]
    text = tmp_path / "lines.txt"
    text.write_text("\n".join(lines))
    kept = "\n".join(line for line in lines if len(line) <= 10)
    settings = {**TINY, "max_line_length": 10, "validation_fraction": 0.2}
    list(train(Order("gpt", str(text), tmp_path / "run", steps=2, settings=settings)))
    card = published_card(capsys, tmp_path / "run", tmp_path / "model")
    assert "the last 20% of the data" in card
    for model in (tmp_path / "run", tmp_path / "model"):
        (result,), _ = run(capsys, "evaluate", model, "--data", text)
        assert result["num_characters"] == len(kept) - int(0.8 * len(kept))
        assert result["preparation"]["max_line_length"] == 10
    (other,), _ = run(capsys, "evaluate", model, "--data", text, "--set", "validation_fraction=0.5")
    assert other["num_characters"] == len(kept) - int(0.5 * len(kept))
    # A model that says nothing of its preparation is measured on the usual tenth.
    (model / "preparation.json").unlink()
    (usual,), _ = run(capsys, "evaluate", model, "--data", text)
    assert usual["num_characters"] == len(text.read_text()) - int(0.9 * len(text.read_text()))


def test_train_says_how_the_text_was_prepared_and_keeps_a_log(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    settings = [f"--set={name}={value}" for name, value in {**TINY, "drop_repeated_lines": True}.items()]
    text = tmp_path / "text.txt"
    text.write_text(
        "".join(f"line {number} of the text.\n" for number in range(400)) + "line 7 of the text.\n"
    )
    command = ("train", "gpt", "--data", text, "--steps", 3, *settings)
    lines, _ = run(capsys, *command, "--run-dir", tmp_path / "a")
    report = {step["name"]: step for step in lines[0]["facts"]["preparation"]}
    assert report["drop_lines"]["facts"]["repeated_lines"] == 1
    start, end = [line for line in lines if line.get("event") == "validation"]
    assert end["loss"] < start["loss"]
    assert lines[-1] == {
        "run_dir": str(tmp_path / "a"),
        "step": 3,
        "reason": "finished",
        "validation_loss": end["loss"],
        "best_validation_loss": end["loss"],
        "best_step": 3,
        "full_validation_loss": end["full_loss"],
    }
    with pytest.raises(SystemExit):
        cli.main([*map(str, command), "--run-dir", str(tmp_path / "b")])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("from step 0: num parameters ")
    assert "  drop lines: 8,690 characters, 20 dropped; lines 402, repeated lines 1" in printed
    log = (tmp_path / "b/run.log").read_text()
    assert "aigc_demo: from step 0" in log
    assert "aigc_demo: finished at step 3" in log


def test_a_failed_training_leaves_its_stack_trace_in_the_log(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burns(*rest: object) -> None:
        raise ArithmeticError("smoke")

    monkeypatch.setattr("aigc_demo.training.language_model.training.LanguageModelTraining.train_step", burns)
    settings = [f"--set={name}={value}" for name, value in TINY.items()]
    command = ("train", "gpt", "--data", folder / "text.txt", "--steps", 3, *settings)
    _, complaint = run(capsys, *command, "--run-dir", tmp_path / "run", status=1)
    assert len(complaint.splitlines()) == 1
    log = (tmp_path / "run/run.log").read_text()
    assert "ERROR aigc_demo: failed after step 0" in log
    assert "ArithmeticError: smoke" in log


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
        (("evaluate", "GPT", "--data", "TEXT", "--set", "batch_size=1"), "no setting named batch_size"),
        (("evaluate", "GPT", "--data", "TEXT", "--set", "validation_fraction=0"), "must be more than 0"),
        (("evaluate", "GPT", "--data", "TEXT", "--set", "min_line_length=999"), "dropped all"),
        (("generate", "hf:gpt2@main"), "40"),
        (("save", "nowhere", "somewhere"), "no run named nowhere"),
        (("save", "GPT", "somewhere", "--step", "7"), "choose one of 10, 20"),
        (("save", "GPT", "GPT"), "is there already"),
        (("push", "nowhere", "a/b"), "no run named nowhere"),
        (("push", "GPT", "a/b", "--step", "7"), "choose one of 10, 20"),
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


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    """An exported run."""
    return export_run(RunDirectory(folder / "runs" / "gpt"), "# a card", tmp_path / "mine.zip")


def test_an_archive_of_a_run_comes_back(
    capsys: pytest.CaptureFixture[str], archive: Path, folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "new" / "runs"
    (result,), _ = run(capsys, "import", archive, "--folder", place)
    assert result["run_dir"] == str(place / result["name"])
    listed, _ = run(capsys, "runs", "--folder", place)
    assert [one["run_dir"] for one in listed[-1]["runs"]] == [result["run_dir"]]
    command = ("--prompt", "the ", "--seed", 3, "--set", "max_new_tokens=9")
    texts = [
        run(capsys, "generate", path, *command)[0][-1]["text"]
        for path in (result["run_dir"], folder / "runs" / "gpt")
    ]
    assert texts[0] == texts[1]
    job = Job.load(Path(result["run_dir"]))
    assert job is not None and job.stage == "ended"
    assert not any(job.belongs_to(secret) for secret in ("", "s", result["name"]))
    more = (
        "--steps",
        2,
        "--init",
        result["run_dir"],
        "--run-dir",
        tmp_path / "more",
        "--set",
        "mixed_precision=no",
    )
    lines, _ = run(capsys, "train", "gpt", "--data", folder / "text.txt", *more)
    assert lines[-1]["reason"] == "finished"


def test_the_folder_of_runs_is_that_of_the_page(
    capsys: pytest.CaptureFixture[str], archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGC_DEMO_RUNS", str(tmp_path / "pages"))
    (result,), _ = run(capsys, "import", archive)
    assert Path(result["run_dir"]).parent == tmp_path / "pages"
    listed, _ = run(capsys, "runs")
    assert [one["run_dir"] for one in listed[-1]["runs"]] == [result["run_dir"]]


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "pipe", "text", "empty", "other zip", "cut off", "nul"]
)
def test_an_archive_that_is_none_is_one_line_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], archive: Path, tmp_path: Path, kind: str
) -> None:
    path, place = tmp_path / "x.zip", tmp_path / "deep" / "runs"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # whoever opened it would wait for a writer
    elif kind == "text":
        path.write_text("no zip")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "other zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("notes.txt", "x")
    elif kind == "cut off":
        path.write_bytes(archive.read_bytes()[:-200])
    given = "a\0b.zip" if kind == "nul" else str(path)
    out, sentence = run(capsys, "import", given, "--folder", place, status=2)
    assert out == []
    assert sentence.count("\n") == 1
    assert not place.parent.exists()


@pytest.mark.parametrize("name", ["new/deep/texts.txt", "new/no_ending", "texts.txt"])
def test_out_makes_its_folder(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / name
    run(capsys, "generate", folder / "runs/gpt", "--out", out, "--set", "max_new_tokens=3")
    assert out.read_text()
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("name", ["new/deep/ball.png", "new/ball"])
def test_images_make_theirs_too(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    lines, _ = run(capsys, "generate", "dcgan-tiny-world", "--num", 2, "--out", out)
    assert sorted(lines[-1]["files"]) == sorted(map(str, out.parent.iterdir()))
    assert len(lines[-1]["files"]) == 2


@pytest.mark.parametrize("model", ["text", "pictures"])
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "below a file", "too long"])
def test_a_place_that_takes_no_file_is_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, kind: str, model: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    place = {
        "a folder": "there",
        "a pipe": "pipe",
        "below a file": "file/x/y",
        "too long": f"new/{'x' * 300}",
    }[kind]
    named = folder / "runs/gpt" if model == "text" else "dcgan-tiny-world"
    _, sentence = run(capsys, "generate", named, "--out", tmp_path / place, status=1)
    assert sentence.count("\n") == 1
    assert "cannot be written" in sentence
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "pipe", "there"]
    assert (tmp_path / "pipe").is_fifo(), "it is as it was"


@pytest.mark.parametrize("kind", ["a folder", "too long"])
def test_of_several_images_all_are_there_or_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    """The place of the second one takes no file."""
    name = "ball.png" if kind == "a folder" else f"{'x' * 249}.png"
    if kind == "a folder":
        (tmp_path / "ball-8.png").mkdir()
    before = sorted(tmp_path.iterdir())
    command = ("generate", "dcgan-tiny-world", "--num", 3, "--seed", 7, "--out", tmp_path / name)
    _, sentence = run(capsys, *command, status=1)
    assert "cannot be written" in sentence
    assert sorted(tmp_path.iterdir()) == before


LONG, ABOUT = "x/" * 2500, ("--title", "t", "--origin", "o", "--licence", "l")
ONE = ("--steps", 1, "--set", "mixed_precision=no")
COMMANDS: dict[str, Callable[[str, Path, Path], tuple[object, ...]]] = {
    "train": lambda path, runs, new: (
        "train",
        "gpt",
        "--data",
        "tiny-world",
        "--run-dir",
        path,
        "--steps",
        1,
    ),
    "preflight": lambda path, runs, new: (*COMMANDS["train"](path, runs, new), "--preflight"),
    "resume": lambda path, runs, new: (*COMMANDS["train"](path, runs, new), "--resume"),
    "data": lambda path, runs, new: ("train", "gpt", "--data", path, "--run-dir", new, *ONE),
    "pictures": lambda path, runs, new: ("train", "dcgan", "--data", path, "--run-dir", new, *ONE),
    "init": lambda path, runs, new: (*COMMANDS["train"](str(new), runs, new), "--init", path),
    "generate": lambda path, runs, new: ("generate", path),
    "out": lambda path, runs, new: ("generate", runs / "gpt", "--out", path, "--set", "max_new_tokens=3"),
    "drawn": lambda path, runs, new: ("generate", "dcgan-tiny-world", "--out", path),
    "evaluate": lambda path, runs, new: ("evaluate", runs / "gpt", "--data", path),
    "evaluated": lambda path, runs, new: ("evaluate", path, "--data", "tiny-world"),
    "compare": lambda path, runs, new: ("compare", path, runs / "gpt", "--set", "max_new_tokens=3"),
    "publish": lambda path, runs, new: ("publish", path, new, *ABOUT),
    "published": lambda path, runs, new: ("publish", runs / "gpt", path, *ABOUT),
    "save": lambda path, runs, new: ("save", path, new),
    "saved": lambda path, runs, new: ("save", runs / "gpt", path),
    "push": lambda path, runs, new: ("push", path, "owner/name"),
    "runs": lambda path, runs, new: ("runs", "--folder", path),
    "import": lambda path, runs, new: ("import", path, "--folder", new),
    "imported": lambda path, runs, new: ("import", runs.parent / "text.txt", "--folder", path),
    "fetch": lambda path, runs, new: ("fetch", path),
}


@pytest.mark.parametrize("kind", ["long", "long name", "nul", "below a file", "loop", "unreadable", "a file"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_that_cannot_be_used_is_one_line_and_makes_nothing(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    kind: str,
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = {"long": LONG, "long name": tmp_path / ("n" * 300), "nul": tmp_path / "a\0b"}.get(kind)
    path = path or tmp_path / {"below a file": "file/x", "a file": "file"}.get(kind, kind)
    if kind == "a file" and command in ("out", "drawn", "evaluate"):
        pytest.skip("a file may be read, and written again")
    if kind == "below a file" and command == "runs":
        pytest.skip("where nothing is, no runs are")
    if kind == "unreadable":  # root, who runs some tests, may look everywhere
        (tmp_path / "unreadable").mkdir()

        def looked(where: object, *more: object, plain: Callable = os.stat, **named: object) -> object:
            if str(where).startswith(str(path)):
                raise PermissionError(13, "Permission denied", str(where))
            return plain(where, *more, **named)

        monkeypatch.setattr(os, "stat", looked)
        monkeypatch.setattr(os, "listdir", lambda where: looked(where, plain=os.scandir))
    before = sorted(str(one) for one in (*tmp_path.rglob("*"), *folder.rglob("*")))
    words = COMMANDS[command](str(path), folder / "runs", tmp_path / "new")
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    assert ended.value.code in ((1, 2) if command in ("out", "drawn") else (2,)), printed.err
    assert printed.err.count("\n") == 1 and "Something failed" not in printed.err
    assert len(printed.err) < 500
    assert sorted(str(one) for one in (*tmp_path.rglob("*"), *folder.rglob("*"))) == before


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_the_help_of_data_names_every_form_of_it(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for form in ("tiny-world", ".txt file", "folder or .zip of images", "hf:owner/name"):
        assert form in printed


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            RunStarted(
                step=0,
                facts={
                    "num_parameters": 12345,
                    "data": {"sha256": "0"},
                    "unknown_share": None,
                    "machine": {"processor": "Abacus 9", "cores": 2, "accelerator": None},
                    "preparation": [
                        {"name": "take_out", "kept": 9000, "dropped": 7, "facts": {"lines": 2, "words": 0}},
                        {"name": "encode", "kept": 4000, "dropped": 0, "facts": {}},
                    ],
                },
            ),
            "from step 0: num parameters 12,345, processor Abacus 9, cores 2\n"
            "  take out: 9,000 characters, 7 dropped; lines 2\n"
            "  encode: 4,000 tokens, 0 unknown",
        ),
        (
            StepDone(step=3, loss=0.12345, metrics={"tokens_per_second": 4321.6}),
            "step 3  loss 0.1235  4,322 tokens/s",
        ),
        (
            StepDone(step=3, loss=2.0, metrics={"pictures_per_second": 76.4}),
            "step 3  loss 2.0000  76 pictures/s",
        ),
        (ValidationDone(step=4, loss=1.5, metrics={}), "step 4  validation loss 1.5000"),
        (
            ValidationDone(step=4, loss=1.5, metrics={"full_loss": 1.25}),
            "step 4  validation loss 1.5000, over all windows 1.2500",
        ),
        (SampleReady(step=4, text="to be", file="4.txt"), "--- sample\nto be\n---"),
        (SampleReady(step=4, text="", file="4.png"), "drew 4.png"),
        (CheckpointSaved(step=5, path="runs/a"), "saved runs/a"),
        (RunFinished(step=5, reason="stopped"), "stopped at step 5"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_lines_of_a_training(event: TrainEvent, line: str) -> None:
    assert event_line(event) == line
