"""Names and the models that they stand for: the catalog's, and those of the runs of a queue."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.manifest import MANIFEST, build_manifest
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.generators import catalog, trained_folder
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from aigc_demo.studio.models.catalog import Catalog, Choice, default_pair, is_at_hand, run_of
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.ui.model_picker import picker_choices

ENTRY = catalog.CatalogEntry("gpt-tang", "ours", "text", "gpt", "nowhere", architecture="gpt")
DATA = {"name": "mine.txt", "sha256": "ab" * 32}


def test_a_model_that_is_published_later_can_be_chosen(monkeypatch) -> None:
    monkeypatch.setattr(catalog, "CATALOG", {entry.name: entry for entry in catalog.PRETRAINED})
    monkeypatch.setattr(catalog, "shipped", lambda assets=None, known=(): [ENTRY])
    assert Catalog().checked("gpt-tang") == "gpt-tang"
    names = [choice.value for choice in Catalog().choices("text")]
    assert names[0] == "gpt-tang"
    assert names[1:3] == ["distilgpt2", "distilgpt2@ours"]


def add_checkpoint(run: RunDirectory, step: int, scale: float = 1.0) -> None:
    """One with a network of random weights; untrained they are small, and all networks write alike."""
    tokenizer = train_tokenizer("abcdefgh" * 9, "characters")
    shape = {"context_length": 11, "num_layers": 1, "num_heads": 1, "hidden_size": 8}
    beside = run.begin_checkpoint(step)
    network = Decoder(TransformerConfig(vocab_size=tokenizer.vocab_size, **shape))
    with torch.no_grad():
        for weight in network.parameters():
            weight *= scale
    network.save_pretrained(beside)
    tokenizer.save(beside)
    run.finish_checkpoint(step)


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    run = RunDirectory(tmp_path / "mine")
    run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}})
    for step in (20, 30):
        add_checkpoint(run, step)
    RunDirectory(tmp_path / "bare").create({"recipe": "gpt", "settings": {}})
    return RunQueue(tmp_path)


def test_a_run_that_has_ended_is_a_model_to_choose(queue: RunQueue) -> None:
    (choice,) = [choice for choice in Catalog(queue).choices("text") if choice.of_a_run]
    assert choice.value == "mine@30"
    assert (choice.entry.family, choice.entry.training_data) == ("ours", "mine.txt")
    assert not any(choice.of_a_run for choice in Catalog().choices("text"))


def spoil(queue: RunQueue, name: str, content: bytes = b"\xff" * 64) -> None:
    """Weights that nobody can read, under a manifest that names them."""
    (checkpoint,) = queue.run(name).checkpoints()[-1:]
    (checkpoint / "model.safetensors").write_bytes(content)
    (checkpoint / MANIFEST).write_text(json.dumps(build_manifest(checkpoint)))


def test_a_run_that_cannot_be_read_is_shown_with_its_reason(queue: RunQueue) -> None:
    spoil(queue, "mine")
    found = Catalog(queue)
    (choice,) = [choice for choice in found.choices("text") if choice.of_a_run]
    assert choice.value == "mine@30"
    assert choice.entry.problem.key == "broken_model"
    assert choice.entry.problem.values["path"] == "mine@30"
    assert picker_choices((choice,)) == [("⚠ mine@30 · unreadable", "mine@30")]
    assert not is_at_hand(choice.entry)
    with pytest.raises(InputError, match="mine@30 holds no model that can be loaded"):
        ModelCache(catalog=found).get("mine@30")
    with pytest.raises(InputError, match="mine@30 holds no model that can be loaded"):
        found.starting_point("gpt", "mine@30")
    assert not any(choice.of_a_run for choice in found.starting_points("gpt"))
    assert default_pair(found.choices("text")) == default_pair(Catalog().choices("text"))


@pytest.mark.parametrize(
    ("recipe", "kind"),
    [("dcgan", "pictures"), ("clip", "matches"), ("text2image", "text-to-image"), (7, "text")],
)
def test_it_stands_in_the_picker_of_what_its_run_makes(queue: RunQueue, recipe: object, kind: str) -> None:
    path = queue.folder / "mine" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "recipe": recipe}))
    spoil(queue, "mine")
    assert [choice.value for choice in Catalog(queue).choices(kind) if choice.of_a_run] == ["mine@30"]


def test_what_fails_in_another_way_breaks_no_list_either(queue: RunQueue, monkeypatch) -> None:
    def fails(folder: Path, name: str) -> None:
        raise RecursionError("a mistake of ours")

    monkeypatch.setattr(trained_folder, "folder_entry", fails)
    (choice,) = [choice for choice in Catalog(queue).choices("text") if choice.of_a_run]
    assert "mine@30 holds no model that can be loaded (it cannot be read)" in str(choice.entry.problem)


def test_a_run_under_way_is_not_offered(queue: RunQueue) -> None:
    Job("", (), "waiting", 0.0).save(queue.folder / "mine")
    assert not any(choice.of_a_run for choice in Catalog(queue).choices("text"))


def test_a_run_is_named_with_and_without_its_step(queue: RunQueue) -> None:
    names = Catalog(queue)
    assert names.checked("mine") == "mine@30"
    assert names.choice("mine@20").entry.location == str(
        queue.folder / "mine" / "checkpoints" / "step-000020"
    )


@pytest.mark.parametrize(
    "name",
    ["mine@25", "mine@-1", "mine@x", "mine@ours", "bare", "../mine", "", None, 7, "mine@" + "9" * 5000],
)
def test_what_is_no_model_is_refused(queue: RunQueue, name: object) -> None:
    with pytest.raises(InputError) as caught:
        Catalog(queue).checked(name)
    assert caught.value.key == "unknown_model"


def test_the_checkpoints_of_a_run_are_models_that_differ(queue: RunQueue) -> None:
    cache = ModelCache(catalog=Catalog(queue))
    early, late = (cache.get(name).token_logits([3, 4]) for name in ("mine@20", "mine@30"))
    assert early.shape == late.shape
    assert not early.equal(late)


def test_the_baseline_is_the_one_with_the_same_data(queue: RunQueue, monkeypatch) -> None:
    run, hashed = queue.run("mine"), DATA["sha256"]
    assert Catalog(queue).baseline_for(run) is None
    shipped = catalog.CatalogEntry("gpt2-mine", "library", "text", "gpt2", "nowhere", data_sha256=hashed)
    ours = catalog.CatalogEntry("gpt-mine", "ours", "text", "gpt", "nowhere", data_sha256=hashed)
    monkeypatch.setattr(catalog, "CATALOG", {"gpt-mine": ours, "gpt2-mine": shipped})
    assert Catalog(queue).baseline_for(run) == "gpt2-mine"
    assert Catalog(queue).baseline_for(queue.run("bare")) is None


def test_the_baseline_does_what_the_run_does(queue: RunQueue, monkeypatch) -> None:
    hashed = DATA["sha256"]
    library = {"gpt2": "text", "bert-library": "masks", "seq2seq-library": "answers", "ddpm": "pictures"}
    entries = {
        recipe: catalog.CatalogEntry(recipe, "library", kind, recipe, "nowhere", data_sha256=hashed)
        for recipe, kind in library.items()
    }
    monkeypatch.setattr(catalog, "CATALOG", entries)
    twins = {"gpt": "gpt2", "bert": "bert-library", "seq2seq": "seq2seq-library", "dcgan": None}
    for recipe, twin in twins.items():
        run = RunDirectory(queue.folder / recipe)
        run.create({"recipe": recipe, "source": "mine.txt", "data": DATA, "settings": {}})
        assert Catalog(queue).baseline_for(run) == twin


def test_a_run_is_never_its_own_baseline(queue: RunQueue, monkeypatch) -> None:
    run = RunDirectory(queue.folder / "library")
    run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}})
    add_checkpoint(run, 10)
    entry = trained_folder.folder_entry

    def of_the_library(path, name):
        found = entry(path, name)
        return replace(found, family="library") if name.startswith("library@") else found

    monkeypatch.setattr(trained_folder, "folder_entry", of_the_library)
    assert Catalog(queue).baseline_for(queue.run("mine")) == "library@10"
    assert Catalog(queue).baseline_for(queue.run("library")) is None


@pytest.mark.parametrize(
    ("model", "run"),
    [("mine@30", "mine"), ("mine@30@ours", "mine"), ("mine", ""), ("gpt2@ours", ""), ("", "")],
)
def test_a_models_name_says_whose_checkpoint_it_is(model: str, run: str) -> None:
    assert run_of(model) == run


@pytest.mark.parametrize(
    ("init", "kind", "shown"),
    [
        (None, "answers", ""),
        (None, "text", None),
        ("bert-tang", "answers", "bert-tang"),
        ("/home/a/runs/my bert/checkpoints/step-000030", "answers", "my bert"),
        (r"C:\runs\mine\checkpoints\step-000030", "text", "mine"),
        ("/models/bert-tang", "text", "bert-tang"),
        ("step-000030", "text", "step-000030"),
        (7, "text", None),
    ],
)
def test_what_a_run_started_from(
    queue: RunQueue, monkeypatch, init: object, kind: str, shown: object
) -> None:
    path = queue.folder / "mine" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "init": init}))
    of_folder = trained_folder.folder_entry
    monkeypatch.setattr(
        trained_folder, "folder_entry", lambda folder, name: replace(of_folder(folder, name), kind=kind)
    )
    assert Catalog(queue).choice("mine@30").entry.started_from == shown


def test_an_encoder_decoder_starts_from_its_own_kind_or_the_encoder_of_its_library(monkeypatch) -> None:
    entries = {
        recipe: replace(ENTRY, name=f"a {recipe}", recipe=recipe)
        for recipe in ("bert", "bert-library", "seq2seq", "seq2seq-library", "clip", "gpt")
    }
    monkeypatch.setattr(catalog, "CATALOG", {entry.name: entry for entry in entries.values()})
    monkeypatch.setattr(catalog, "shipped", lambda assets=None, known=(): [])
    found = Catalog()

    def offered(recipe: object) -> set[str]:
        return {choice.entry.recipe for choice in found.starting_points(recipe)}

    assert offered("seq2seq") == {"seq2seq", "bert"}
    assert offered("seq2seq-library") == {"seq2seq-library", "bert-library"}
    assert offered("clip") == {"clip", "bert"}
    assert offered("bert") == {"bert"}
    assert offered("no recipe") == offered(["bert"]) == set()
    assert found.starting_point("seq2seq", "a bert") == "a bert"
    with pytest.raises(InputError, match="was made by the recipe seq2seq or bert"):
        found.starting_point("seq2seq", "a gpt")


def test_a_model_that_started_from_another_stands_beside_one_that_did_not(monkeypatch) -> None:
    ours = replace(ENTRY, name="mine", kind="answers", recipe="seq2seq", data_sha256="1", started_from="bert")
    library = replace(ours, name="its twin", family="library", recipe="seq2seq-library")
    plain = replace(ours, name="plain", started_from="")
    for entries, pair in (
        ((ours, library, plain), ("mine", "plain")),
        ((ours, library, replace(plain, data_sha256="2")), ("mine", "its twin")),
        ((ours, library, replace(plain, started_from=None)), ("mine", "its twin")),
        ((plain, library, ours), ("plain", "its twin")),
    ):
        assert default_pair(tuple(Choice(entry.name, entry, False) for entry in entries)) == pair
