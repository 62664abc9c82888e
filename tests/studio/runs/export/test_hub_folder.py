"""A run's model as a folder of its own: whole, loadable, with a card that says what the record says."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunStarted, StepDone, ValidationDone
from aigc_demo.core.files.manifest import MANIFEST, build_manifest
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.nets.text.transformer import Decoder
from aigc_demo.studio.runs.export.archive import export_run, import_run
from aigc_demo.studio.runs.export.hub_folder import save_model_folder, zip_model_folder
from aigc_demo.training.model_card import command
from aigc_demo.training.start import Order, train
from tests.training.conftest import TINY

TEXT = "the cat sees the red dog. the dog runs.\n\n" * 120
FILES = {
    "README.md",
    "config.json",
    "model.safetensors",
    "preparation.json",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of both recipes on a text, with checkpoints at 10 and 20."""
    home = tmp_path_factory.mktemp("home-of-somebody")
    (home / "words.txt").write_text(TEXT)
    for recipe in ("gpt", "gpt2"):
        settings = {**TINY, "learning_rate": 1e-2, "max_line_length": 100}
        order = Order(recipe, str(home / "words.txt"), home / recipe, steps=20, seed=3, settings=settings)
        list(train(order))
    return home


def copied(home: Path, tmp_path: Path, recipe: str = "gpt") -> RunDirectory:
    """A run that a test may spoil."""
    return RunDirectory(shutil.copytree(home / recipe, tmp_path / "run"))


def rows(card: str) -> dict[str, str]:
    """The tables of a card."""
    return dict(re.findall(r"^\| (\w[^|]*) \| (.*) \|$", card, re.MULTILINE))


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_the_folder_holds_the_model_and_nothing_else_of_the_run(
    home: Path, tmp_path: Path, recipe: str
) -> None:
    run = RunDirectory(home / recipe)
    folder = save_model_folder(run, tmp_path / "new" / "cats")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert names == FILES | ({"generation_config.json"} if recipe == "gpt2" else set())
    for name in names - {"README.md"}:
        assert (folder / name).read_bytes() == (run.checkpoints()[-1] / name).read_bytes()
    assert [path.name for path in folder.parent.iterdir()] == ["cats"]


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_a_saved_model_writes_what_the_run_writes(home: Path, tmp_path: Path, recipe: str) -> None:
    folder = save_model_folder(RunDirectory(home / recipe), tmp_path / "cats")
    entry = find(str(folder))
    assert (entry.family, entry.recipe) == ("ours" if recipe == "gpt" else "library", recipe)
    there, here = load_text_model(str(home / recipe)), load_text_model(str(folder))
    ids = there.prompt_ids("the cat")
    assert here.prompt_ids("the cat") == ids
    scores = here.token_logits(ids)[-1]
    assert torch.equal(scores, there.token_logits(ids)[-1])
    # The library's own way to load it, which knows nothing of this project's.
    if recipe == "gpt":
        network = Decoder.from_pretrained(folder).eval()
        others = network(torch.tensor([ids]))[0, -1]
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert tokenizer.encode("the cat", add_special_tokens=False) == ids[-7:]
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        others = network(torch.tensor([ids])).logits[0, -1]
    likely = others.topk(5).indices
    torch.testing.assert_close(others[likely], scores[likely].float(), atol=2e-3, rtol=0)


def test_the_card_says_what_the_record_says(home: Path, tmp_path: Path) -> None:
    run = RunDirectory(home / "gpt")
    card = (save_model_folder(run, tmp_path / "cats") / "README.md").read_text()
    config, events = run.config(), list(run.events())
    shown, head = rows(card), front_matter(card)
    assert head == {
        "library_name": "aigc-demo",
        "pipeline_tag": "text-generation",
        "tags": ["aigc-demo", "gpt", "characters"],
    }
    assert "No licence is named" in card
    assert "# cats\n" in card
    assert (shown["data"], shown["SHA-256 of the data"]) == ("words.txt", f"`{config['data']['sha256']}`")
    assert shown["seed"] == "3"
    assert shown["steps"] == f"20, {20 * TINY['batch_size'] * TINY['context_length']:,} tokens"
    seconds = max(event.metrics["seconds"] for event in events if isinstance(event, StepDone))
    assert shown["minutes of training"] == f"{seconds / 60:.1f}"
    machine = next(event.facts["machine"] for event in events if isinstance(event, RunStarted))
    assert f"{machine['threads']} threads on {machine['cores']} cores" in shown["machine"]
    losses = {event.step: event.loss for event in events if isinstance(event, ValidationDone)}
    best = min(losses, key=lambda step: losses[step])
    assert shown["last validation loss"] == f"{losses[20]:.4f} nats a token, at step 20"
    assert shown["best validation loss"] == f"{losses[best]:.4f} nats a token, at step {best}"
    assert "train gpt --data words.txt --run-dir RUN --seed 3 --steps 20" in card
    assert "max_line_length=100" in card
    assert "--stop-after" not in card, "it went to its end"
    save_model_folder(run, tmp_path / "kittens", 10)
    assert "--steps 20 --stop-after 10" in (tmp_path / "kittens/README.md").read_text()
    assert command({**config, "settings": {"guide": "/home/me/guides/cats"}}, 7).endswith(
        "--steps 20 --stop-after 7 --set guide=cats"
    )


def test_the_card_of_the_library_baseline_says_how_transformers_loads_it(home: Path, tmp_path: Path) -> None:
    card = (save_model_folder(RunDirectory(home / "gpt2"), tmp_path / "cats") / "README.md").read_text()
    assert front_matter(card)["library_name"] == "transformers"
    assert "`AutoModelForCausalLM`" in card


def test_an_earlier_checkpoint_has_a_card_of_its_own(home: Path, tmp_path: Path) -> None:
    run = RunDirectory(home / "gpt")
    folder = save_model_folder(run, tmp_path / "young", step=10)
    weights = (folder / "model.safetensors").read_bytes()
    assert weights == (run.path / "checkpoints/step-000010/model.safetensors").read_bytes()
    shown = rows((folder / "README.md").read_text())
    losses = {event.step: event.loss for event in run.events() if isinstance(event, ValidationDone)}
    assert shown["steps"].startswith("10, ")
    assert shown["last validation loss"] == f"{losses[10]:.4f} nats a token, at step 10"


def test_no_path_of_this_machine_goes_along(home: Path, tmp_path: Path) -> None:
    run = copied(home, tmp_path)
    config = run.config() | {"init": str(home / "gpt2"), "source": str(home / "uploads" / "source.txt")}
    config["data"]["name"] = str(home / "uploads" / "source.txt")
    (run.path / "config.json").write_text(json.dumps(config))
    folder = save_model_folder(run, tmp_path / "cats")
    for path in folder.iterdir():
        assert home.name.encode() not in path.read_bytes(), path.name
    card = (folder / "README.md").read_text()
    assert "--data source.txt" in card and "--init gpt2 " in card
    assert rows(card)["data"] == "source.txt"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("tiny-world", "tiny-world"),
        ("hf:owner/name@abc:part", "hf:owner/name@abc:part"),
        ("C:\\Users\\somebody\\words.txt", "words.txt"),
        ("texts/folder/", "folder"),
    ],
)
def test_a_source_is_named_as_others_may_know_it(home: Path, tmp_path: Path, source: str, shown: str) -> None:
    run = copied(home, tmp_path)
    config = run.config() | {"source": source, "data": {"name": source}}
    (run.path / "config.json").write_text(json.dumps(config))
    card = (save_model_folder(run, tmp_path / "cats") / "README.md").read_text()
    assert rows(card)["data"] == shown
    assert f"--data {shown} --run-dir" in card


def test_a_record_from_outside_cannot_write_the_card(home: Path, tmp_path: Path) -> None:
    evil = "x\n---\nlicense: mit\n\n# Another card | <script>"
    run = copied(home, tmp_path)
    config = run.config() | {
        "seed": evil,
        "versions": {evil: evil},
        "steps": [evil],
        "data": {"sha256": evil},
    }
    config["settings"] |= {"tokenizer": evil, "batch_size": evil, "sample_prompt": "```\n" + evil}
    (run.path / "config.json").write_text(json.dumps(config))
    lines = [{"event": "start", "step": 0, "facts": {"num_parameters": evil, "machine": evil}}]
    lines += [{"event": "step", "step": 1, "loss": 1.0, "seconds": evil}]
    run.events_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match="is not what a run says"):  # it is not taken; if it were there:
        import_run(export_run(run, "", tmp_path / "run.zip"), tmp_path / "there", "s")
    folder = save_model_folder(run, tmp_path / "cats")
    card = (folder / "README.md").read_text()
    assert front_matter(card)["tags"] == ["aigc-demo", "gpt"]
    assert "license" not in front_matter(card)
    assert [line for line in card.splitlines() if line.startswith(("# ", "license", "```"))] == [
        "# cats",
        *["```"] * 4,
    ]
    assert [line[:6] for line in card.splitlines() if "<script>" in line] == ["python"]  # as code
    assert "The run recorded no validation." in card
    assert not {"SHA-256 of the data", "minutes of training", "machine"} & set(rows(card))


def test_a_record_that_lacks_most_things_still_has_a_card(home: Path, tmp_path: Path) -> None:
    run = copied(home, tmp_path)
    (run.path / "config.json").write_text('{"recipe": "gpt"}')
    run.events_path.unlink()
    card = (save_model_folder(run, tmp_path / "cats") / "README.md").read_text()
    assert rows(card) == {"steps": "20"}
    assert front_matter(card)["tags"] == ["aigc-demo", "gpt"]


def test_the_zip_file_holds_the_same_folder(home: Path, tmp_path: Path) -> None:
    run = RunDirectory(home / "gpt2")
    folder = save_model_folder(run, tmp_path / "gpt2", step=10)
    packed = zip_model_folder(run, tmp_path / "model.zip", step=10)
    packed = zip_model_folder(run, packed, step=10)  # once more, over the first
    with zipfile.ZipFile(packed) as file:
        held = {name: file.read(name) for name in file.namelist()}
    assert held == {f"gpt2/{path.name}": path.read_bytes() for path in folder.iterdir()}
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path / "unpacked")
    assert load_text_model(str(tmp_path / "unpacked" / "gpt2")).encode("cat")
    assert {path.name for path in tmp_path.iterdir()} == {"gpt2", "model.zip", "unpacked"}


def test_a_zip_of_a_model_is_not_taken_for_a_run(home: Path, tmp_path: Path) -> None:
    packed = zip_model_folder(RunDirectory(home / "gpt"), tmp_path / "model.zip")
    with pytest.raises(InputError, match="no exported run has"):
        import_run(packed, tmp_path / "there", "s")


def test_a_folder_that_is_there_is_left_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    with pytest.raises(InputError, match="is there already"):
        save_model_folder(RunDirectory(home / "gpt"), tmp_path / "cats")
    assert list((tmp_path / "cats").iterdir()) == []


@pytest.mark.parametrize("name", ["taken/cats", "x" * 300])
def test_a_folder_that_cannot_be_is_refused_before_the_run_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError) as refused:
        save_model_folder(RunDirectory(tmp_path / "none"), tmp_path / name)
    assert refused.value.key == "cannot_write"


@pytest.mark.parametrize("step", [15, "20", 10.5, [20]])
def test_a_step_without_a_checkpoint_names_those_that_there_are(home: Path, tmp_path: Path, step) -> None:
    with pytest.raises(InputError, match="choose one of 10, 20"):
        save_model_folder(RunDirectory(home / "gpt"), tmp_path / "cats", step)


def test_runs_without_a_model_are_refused(home: Path, tmp_path: Path) -> None:
    for run, key in ((tmp_path / "nowhere", "unknown_run"), (tmp_path, "nothing_to_export")):
        with pytest.raises(InputError) as caught:
            save_model_folder(RunDirectory(run), tmp_path / "cats")
        assert caught.value.key == key
    run = copied(home, tmp_path)
    weights = run.checkpoints()[-1] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    for make in (save_model_folder, zip_model_folder):
        with pytest.raises(InputError, match=r"run/checkpoints/step-000020 is not whole \(model.safetensors"):
            make(run, tmp_path / "cats")
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_a_checkpoint_of_another_kind_is_refused(home: Path, tmp_path: Path) -> None:
    run = copied(home, tmp_path)
    (run.path / "config.json").write_text(json.dumps(run.config() | {"recipe": "gpt2"}))
    with pytest.raises(InputError, match="no gpt"):
        save_model_folder(run, tmp_path / "cats")
    checkpoint = run.checkpoints()[-1]
    (checkpoint / "config.json").write_text('{"recipe": "dance"}')
    (checkpoint / MANIFEST).write_text(json.dumps(build_manifest(checkpoint)))
    with pytest.raises(InputError) as caught:
        save_model_folder(run, tmp_path / "cats")
    assert caught.value.key == "foreign_model"


@pytest.mark.parametrize("make", [save_model_folder, zip_model_folder])
def test_a_full_disk_leaves_nothing_behind(home: Path, tmp_path: Path, monkeypatch, make) -> None:
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(DemoError, match="No space left on device"):
        make(RunDirectory(home / "gpt"), tmp_path / "cats")
    assert list(tmp_path.iterdir()) == []
