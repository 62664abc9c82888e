"""Folders of pretrained models, as people have them: described without loading, or refused in a sentence."""

import json
import os
import shutil
import struct
from pathlib import Path

import pytest

from aigc_demo.core import memory
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import weights_files
from aigc_demo.generators import catalog
from aigc_demo.generators.pretrained import folder as pretrained_folder
from aigc_demo.generators.pretrained.folder import offered, pretrained_entry
from tests.generators.conftest import edit_config
from tests.generators.foreign_folders import SAVERS, SIDE, save_clip, save_gpt2, save_llama


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One good folder of each kind."""
    root = tmp_path_factory.mktemp("models")
    return {name: save(root / name) for name, save in SAVERS.items()}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The folder that AIGC_DEMO_MODELS names."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv(pretrained_folder.MODELS_VARIABLE, str(folder))
    return folder


def count(folder):
    """Numbers in a folder's weights, by the library that wrote them."""
    from safetensors import safe_open

    total = 0
    for path in folder.rglob("*.safetensors"):
        with safe_open(path, "pt") as file:
            total += sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118
    return total


@pytest.mark.parametrize("name", SAVERS)
def test_each_kind_is_known_by_its_files(folders, name):
    entry = pretrained_entry(folders[name], name)
    assert entry.family == "pretrained"
    assert entry.kind == name.partition("-")[0] or entry.kind == name
    assert entry.num_parameters == count(folders[name])
    assert not entry.on_hub
    assert entry.problem is None
    assert catalog.find(str(folders[name])).kind == entry.kind


def test_what_a_folder_says_of_its_images(folders):
    assert pretrained_entry(folders["text-to-image"], "x").image_size == SIDE
    assert pretrained_entry(folders["text-to-image"], "x").architecture == "stable-diffusion"
    assert pretrained_entry(folders["text-to-image"], "SD-Turbo-2").architecture == "sd-turbo"
    assert pretrained_entry(folders["pictures"], "x").image_size == 16
    assert pretrained_entry(folders["matches"], "x").image_size == 32


def test_the_card_names_the_licence(tmp_path):
    folder = save_gpt2(tmp_path / "m")
    assert pretrained_entry(folder, "m").licence == ""
    (folder / "README.md").write_text("---\ntags: [a]\nlicense: apache-2.0\n---\n# A model\n")
    assert pretrained_entry(folder, "m").licence == "apache-2.0"
    (folder / "README.md").write_text("---\nlicense: <b>mine</b>\n---\n")
    assert pretrained_entry(folder, "m").licence == ""


def broken(folder, how):
    """A good folder of a GPT-2, spoiled in one way."""
    save_gpt2(folder)
    how(folder)
    return folder


def _empty(folder):
    for path in folder.iterdir():
        path.unlink()


def _pickle_only(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_off(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _link(folder):
    outside = folder.parent / "elsewhere.json"
    (folder / "generation_config.json").rename(outside)
    (folder / "generation_config.json").symlink_to(outside)


def test_heads_that_cannot_share_keys_are_refused(tmp_path):
    folder = save_llama(tmp_path / "m")
    edit_config(folder, num_key_value_heads=4)
    with pytest.raises(InputError, match="6 heads cannot share 4 keys"):
        pretrained_entry(folder, "m")


@pytest.mark.parametrize("part", ["text", "vision"])
def test_sizes_of_both_halves_of_clip_are_checked(tmp_path, part):
    folder = save_clip(tmp_path / "m")
    whole = json.loads((folder / "config.json").read_text())[f"{part}_config"]
    edit_config(folder, **{f"{part}_config": {**whole, "num_hidden_layers": 10**6}})
    with pytest.raises(InputError, match="num_hidden_layers is 1000000"):
        pretrained_entry(folder, "m")


@pytest.mark.parametrize(("save", "files", "good"), [
    (save_gpt2, ("vocab.txt",), True),
    (save_gpt2, ("vocab.json", "merges.txt"), True),
    (save_gpt2, ("vocab.json",), False),
    (save_llama, ("vocab.json", "merges.txt"), False),
])  # fmt: skip
def test_tokenizers_of_older_folders(tmp_path, save, files, good):
    folder = save(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    for name in files:
        (folder / name).write_text("x")
    if good:
        assert pretrained_entry(folder, "m").problem is None
    else:
        with pytest.raises(InputError, match=r"tokenizer\.json"):
            pretrained_entry(folder, "m")


def _huge(folder):
    """20 GB of float32 by its header, of which the disk holds nothing."""
    rows, width = 312_500, 16_000
    shapes = {"transformer.wte.weight": [rows, width]}
    header = {
        name: {"dtype": "F32", "shape": shape, "data_offsets": [0, rows * width * 4]}
        for name, shape in shapes.items()
    }
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + rows * width * 4)


SPOILED = {
    "empty": (_empty, "it is empty"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
    "no tokenizer": (
        lambda folder: (folder / "tokenizer.json").unlink(),
        "neither tokenizer.json nor vocab.json",
    ),
    "a pickle alone": (_pickle_only, "only a pickle"),
    "unknown architecture": (lambda folder: edit_config(folder, model_type="mamba"), "its kind is mamba"),
    "unnamed architecture": (lambda folder: edit_config(folder, model_type=None), "its kind is not named"),
    "weights cut off": (_cut_off, "its header or its length is wrong"),
    "code of its own": (lambda folder: edit_config(folder, auto_map={"AutoModel": "x.Y"}), "auto_map"),
    "quantized": (lambda folder: edit_config(folder, quantization_config={"bits": 4}), "quantization_config"),
    "a size as text": (lambda folder: edit_config(folder, n_embd="24"), "n_embd is 24"),
    "a size below nought": (lambda folder: edit_config(folder, n_layer=-1), "n_layer is -1"),
    "a size beyond all": (
        lambda folder: edit_config(folder, n_positions=10**12),
        "n_positions is 1000000000000",
    ),
    "no number": (
        lambda folder: edit_config(folder, layer_norm_epsilon=float("nan")),
        "layer_norm_epsilon is nan",
    ),
    "an activation of its own": (
        lambda folder: edit_config(folder, activation_function="os.system"),
        "os.system",
    ),
    "no object": (lambda folder: (folder / "config.json").write_text("[1]"), "config.json"),
    "deep": (lambda folder: (folder / "config.json").write_text("[" * 200_000), "config.json"),
    "a link out": (_link, "a link that leads out of it"),
    "20 GB": (_huge, "MiB of memory"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.setattr(memory, "memory_gib", lambda root: 23.5)
    how, words = SPOILED[name]
    folder = broken(tmp_path / "m", how)
    with pytest.raises(InputError) as refused:
        pretrained_entry(folder, "m")
    assert words in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_the_others_go_on(models, folders):
    for name in ("text-gpt2", "masks"):
        (models / name).symlink_to(folders[name])
    for name, (how, _) in SPOILED.items():
        broken(models / name, how)
    found = {entry.name: entry for entry in offered()}
    assert set(found) == {"text-gpt2", "masks", *SPOILED}
    assert {name for name, entry in found.items() if entry.problem is None} == {"text-gpt2", "masks"}
    problems = [str(entry.problem) for entry in found.values() if entry.problem]
    assert not [sentence for sentence in problems if str(models) in sentence]  # nobody learns where it lies
    listed = catalog.listed()
    assert set(found) <= set(listed)
    with pytest.raises(InputError, match="only a pickle"):
        catalog.find("a pickle alone")


def test_a_folder_is_looked_at_again_when_it_changes(models):
    folder = broken(models / "m", lambda folder: (folder / "model.safetensors").rename(folder / "later"))
    assert offered()[0].problem is not None
    (folder / "later").rename(folder / "model.safetensors")
    assert offered()[0].problem is None
    edit_config(folder, n_head="three")
    assert offered()[0].problem is not None


@pytest.mark.parametrize("named", ["", "   ", "/no/such/folder", "\0", "x" * 5000])
def test_no_such_folder_is_no_fault(monkeypatch, named):
    if "\0" in named:  # no environment can hold it
        monkeypatch.setattr(pretrained_folder, "models_folder", lambda: Path(named))
    else:
        monkeypatch.setenv(pretrained_folder.MODELS_VARIABLE, named)
    assert offered() == []


def test_a_name_that_is_no_text_breaks_no_list(models, folders):
    """A disk may hold one, of an archive in another encoding; no browser can be sent it as it is."""
    shutil.copytree(folders["pictures"], models / os.fsdecode(b"good-\xff"))
    (models / os.fsdecode(b"bad-\xff")).mkdir()
    bad, good = offered()
    assert (bad.name, good.name) == ("bad-?", "good-?")
    assert (good.problem, bad.problem.values["path"]) == (None, "bad-?")
    assert catalog.find("good-?").kind == "pictures"


def test_hidden_folders_and_files_are_no_models(models):
    (models / ".cache").mkdir()
    (models / "notes.txt").write_text("x")
    assert offered() == []


def test_a_sign_that_means_a_checkpoint_is_not_in_a_name(models):
    save_gpt2(models / "mine@5")
    assert [entry.name for entry in offered()] == ["mine-5"]


def test_a_model_of_the_catalog_is_taken_from_the_folder_if_it_is_the_same(models, monkeypatch):
    save_gpt2(models / "distilgpt2")
    assert catalog.listed()["distilgpt2"].on_hub  # another model of that name
    assert not catalog.listed()["distilgpt2-folder"].on_hub
    small = count(models / "distilgpt2")
    known = [
        catalog.replace(one, num_parameters=small) for one in catalog.PRETRAINED if one.name == "distilgpt2"
    ]
    monkeypatch.setattr(catalog, "PRETRAINED", tuple(known))
    entry = catalog.listed()["distilgpt2"]
    assert (entry.location, entry.on_hub) == (str(models / "distilgpt2"), False)
    assert (entry.licence, entry.training_data) == ("Apache-2.0", "OpenWebText, taught by GPT-2")
    assert "distilgpt2-folder" not in catalog.listed()


def write_shards(folder, weight_map):
    folder.mkdir()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def test_weights_in_parts(tmp_path):
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    write_shards(tmp_path / "m", {"a": names[0], "b": names[1], "c": names[0]})
    with pytest.raises(InputError, match=names[0]):
        weights_files(tmp_path / "m")
    for name in names:
        (tmp_path / "m" / name).write_bytes(b"")
    assert [path.name for path in weights_files(tmp_path / "m")] == names


@pytest.mark.parametrize(
    "weight_map",
    [{"a": "../model-00001-of-00001.safetensors"}, {"a": "/etc/passwd"}, {"a": 5}, {}, "x", None],
)
def test_an_index_names_parts_of_its_own_folder_alone(tmp_path, weight_map):
    write_shards(tmp_path / "m", weight_map)
    with pytest.raises(InputError, match="index"):
        weights_files(tmp_path / "m")


def test_half_precision_alone_is_enough(tmp_path):
    folder = save_gpt2(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    assert [path.name for path in weights_files(folder)] == ["model.fp16.safetensors"]
    assert pretrained_entry(folder, "m").problem is None


@pytest.mark.parametrize("gib", [0.1, 1000.0, None])
def test_the_share_of_the_memory_that_one_model_may_take(monkeypatch, gib):
    monkeypatch.setattr(memory, "memory_gib", lambda root: gib)
    most = None if gib is None else int(gib * 2**30 * 0.6 / 4)
    memory.check_fits("m", most or 10**15)
    if most is not None:
        with pytest.raises(InputError, match=f"{round(gib * 1024 * 0.6)} MiB"):
            memory.check_fits("m", int(most * 1.01))
