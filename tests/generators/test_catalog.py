"""Names of models: the catalog, run directories, folders, the Hub."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, BertConfig, BertForPreTraining

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import num_parameters
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators import catalog
from aigc_demo.generators.catalog import CATALOG, find, listed, shipped
from aigc_demo.generators.pretrained.models import PRETRAINED
from tests.generators.conftest import save_library, save_ours

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_importing_it_imports_nothing_heavy():
    heavy = "('torch', 'transformers', 'huggingface_hub')"
    code = f"import sys, aigc_demo.generators.catalog; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pretrained_models_are_pinned_and_say_what_a_user_should_know():
    for entry in PRETRAINED:
        assert find(entry.name) is entry
        assert len(entry.revision) == 40
        assert int(entry.revision, 16)
        assert entry.licence
        assert bool(entry.languages) == (entry.kind in ("text", "masks", "text-to-image", "matches"))
        assert bool(entry.image_size) == (entry.kind not in ("text", "masks"))
        assert entry.training_data
        assert entry.size_mib > 0
    on_ours = [entry.name for entry in PRETRAINED if entry.runs_on_ours]
    assert on_ours == ["distilgpt2", "gpt2", "bert-base-uncased"]


@pytest.mark.parametrize(("name", "layers"), [("gpt2", 12), ("distilgpt2", 6)])
def test_the_number_of_parameters_is_that_of_the_architecture(name, layers):
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", n_layer=layers))
    assert CATALOG[name].num_parameters == network.num_parameters()
    assert CATALOG[name].size_mib == pytest.approx(network.num_parameters() * 4 / 2**20, rel=0.12)


def test_the_number_of_parameters_of_bert_is_that_of_its_whole_pretraining():
    with torch.device("meta"):
        network = BertForPreTraining(BertConfig())
    assert CATALOG["bert-base-uncased"].num_parameters == network.num_parameters()
    assert CATALOG["bert-base-uncased"].size_mib == pytest.approx(
        network.num_parameters() * 4 / 2**20, rel=0.01
    )


def test_shipped_models_are_those_whose_folders_are_there(tmp_path):
    assert shipped(tmp_path) == []
    save_ours(tmp_path / "gpt-tang")
    save_library(tmp_path / "gpt2-tang")
    (tmp_path / "gpt-shakespeare").mkdir()  # not finished
    ours, library = shipped(tmp_path)
    assert (ours.name, ours.family, ours.recipe, ours.languages) == ("gpt-tang", "ours", "gpt", ("Chinese",))
    assert (library.name, library.family, library.recipe) == ("gpt2-tang", "library", "gpt2")
    assert ours.num_parameters == num_parameters(tmp_path / "gpt-tang" / "model.safetensors")
    assert ours.size_mib == (tmp_path / "gpt-tang" / "model.safetensors").stat().st_size / 2**20


def test_of_shipped_models_only_the_known_ones_are_left_out(tmp_path):
    names = ["gpt-shakespeare", "gpt-tang", "gpt-tiny-world"]
    for name in names:
        save_ours(tmp_path / name)
    for known in names:
        others = [name for name in names if name != known]
        assert sorted(entry.name for entry in shipped(tmp_path, known=[known])) == others


def test_a_model_that_is_published_later_is_found_and_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "ASSETS", tmp_path)
    monkeypatch.setattr(catalog, "CATALOG", {entry.name: entry for entry in PRETRAINED})
    before = list(listed())
    with pytest.raises(InputError):
        find("gpt-tang")
    save_ours(tmp_path / "gpt-tang")
    assert find("gpt-tang").location == str(tmp_path / "gpt-tang")
    assert list(listed()) == ["gpt-tang", *before], "ours before those of the Hub"


def test_a_folder_is_found_by_its_path(ours, library):
    assert find(str(ours)).family == "ours"
    assert find(str(library)).family == "library"
    assert find(str(ours)).location == str(ours)


def test_a_run_is_found_by_its_last_whole_checkpoint(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create({"recipe": "gpt"})
    with pytest.raises(InputError, match="no whole checkpoint"):
        find(str(run.path))
    for step in (100, 200, 300):
        run.begin_checkpoint(step)
        save_ours(run.unfinished_checkpoint(step))
        run.finish_checkpoint(step)
    weights = run.path / "checkpoints/step-000300/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert find(str(run.path)).location.endswith("step-000200")
    assert find(str(run.path)).name == str(run.path)


@pytest.mark.parametrize(
    ("data", "sha256"), [({"name": "a.txt", "sha256": "ab" * 32}, "ab" * 32), ({"sha256": 7}, ""), ("x", "")]
)
def test_a_run_says_what_its_model_was_trained_on(tmp_path, data, sha256):
    run = RunDirectory(tmp_path / "run")
    run.create({"recipe": "gpt", "data": data})
    run.begin_checkpoint(100)
    save_ours(run.unfinished_checkpoint(100))
    run.finish_checkpoint(100)
    assert find(str(run.path)).data_sha256 == sha256


@pytest.mark.parametrize(
    "name", ["gpt-5", "", "../../etc/passwd", "x\0y", "a" * 5000, "gpt2\n", "hf:a/b@" + COMMIT]
)
def test_what_is_not_there_is_said(name):
    with pytest.raises(InputError) as caught:
        find(name)
    assert caught.value.key == "unknown_model"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_an_empty_folder_holds_no_model(tmp_path):
    with pytest.raises(InputError) as caught:
        find(str(tmp_path))
    assert caught.value.key == "broken_model"


def test_a_folder_of_another_kind(ours):
    config = ours / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "recipe": "stylegan"}))
    with pytest.raises(InputError, match="its recipe is stylegan") as caught:
        find(str(ours))
    assert caught.value.key == "foreign_model"


class TestHubNames:
    def test_with_the_full_commit_where_it_is_allowed(self, monkeypatch):
        monkeypatch.setattr("aigc_demo.generators.hub_kind.kind_on_hub", lambda *asked: ("masks", ""))
        entry = find(f"hf:some-one/a.model_1@{COMMIT}", allow_hub=True)
        assert (entry.location, entry.revision, entry.family) == ("some-one/a.model_1", COMMIT, "pretrained")
        assert entry.kind == "masks"

    @pytest.mark.parametrize(
        "name",
        [
            "hf:a/b",
            "hf:a/b@main",
            f"hf:a/b@{COMMIT[:-1]}",
            f"hf:a@{COMMIT}",
            f"hf:a/b/c@{COMMIT}",
            f"hf:../b@{COMMIT} ",
        ],
    )
    def test_anything_less_is_refused(self, name):
        with pytest.raises(InputError) as caught:
            find(name, allow_hub=True)
        assert caught.value.key == "hub_name"
