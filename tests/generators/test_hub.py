"""Pretrained models by the Hub's own client, from a server on this machine that speaks its API."""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

from aigc_demo.core.errors import InputError
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.text.library import load_transformers_text
from tests import forked_commands
from tests.generators.conftest import TEXT, randomize, save_encoder
from tests.generators.hub_server import HubServer

ROOT = Path(__file__).resolve().parents[2]
REPO, COMMIT = "tiny/gpt2", "0123456789abcdef0123456789abcdef01234567"
PICKLED = "tiny/pickled"
NEEDED = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}
PROMPT = "the cat 床前"


def save_pretrained_gpt2(folder):
    """A GPT-2 as one finds it on the Hub: byte-level BPE, one special token, scores for three more."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=280,
        special_tokens=["<|endoftext|>", "<|im_start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator([TEXT], trainer)
    end = "<|endoftext|>"
    GPT2TokenizerFast(
        tokenizer_object=inner,
        bos_token=end,
        eos_token=end,
        unk_token=end,
        extra_special_tokens=["<|im_start|>"],
    ).save_pretrained(folder)
    config = GPT2Config(
        vocab_size=283, n_positions=32, n_embd=24, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=0
    )
    randomize(GPT2LMHeadModel(config)).save_pretrained(folder)
    return folder


def add_what_nobody_needs(folder):
    for name in ("README.md", "tf_model.h5", "pytorch_model.bin", "modeling.py", "onnx/model.safetensors"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = save_pretrained_gpt2(tmp_path_factory.mktemp("hub") / "gpt2")
    add_what_nobody_needs(folder)
    return folder


@pytest.fixture
def server(repository, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(repository, pickled, ignore=shutil.ignore_patterns("*.safetensors"))
    with HubServer({(REPO, COMMIT): repository, (PICKLED, COMMIT): pickled}) as running:
        yield running


def ask(orders, endpoint, home, **environment):
    """Let a child process carry out the orders; its answers."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    variables = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    done = forked_commands.run(
        [sys.executable, "-m", "tests.generators.hub_client", json.dumps(orders)],
        text=True,
        env={**kept, **variables, **environment},
        timeout=120,
        imported=forked_commands.LIBRARIES,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def order(what, location=REPO, revision=COMMIT, **more):
    return {"do": what, "name": "tiny", "location": location, "revision": revision, "prompt": PROMPT, **more}


def test_fetch_load_and_write_then_again_without_a_network(server, repository, tmp_path):
    home = tmp_path / "home"
    fetched, wrote, on_ours = ask(
        [
            order("fetch"),
            order("write", name=f"hf:{REPO}@{COMMIT}"),
            order("write", on_ours=True),
        ],
        server.url,
        home,
    )
    # Only what is needed, at the pinned commit, and no pickle.
    assert not fetched["cached_before"]
    assert fetched["cached"]
    assert set(fetched["names"]) == NEEDED
    assert server.files_asked_for() == NEEDED
    assert all(COMMIT in path for _, path in server.requests)
    total = sum((repository / name).stat().st_size for name in NEEDED)
    assert fetched["progress"][-1] == [total, total]

    # It writes what transformers writes.
    network = AutoModelForCausalLM.from_pretrained(repository, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(repository)
    ids = tokenizer(PROMPT, return_tensors="pt")
    theirs = network.generate(
        **ids, do_sample=False, max_new_tokens=12, suppress_tokens=[1, 280, 281, 282], pad_token_id=0
    )[0, ids["input_ids"].shape[1] :].tolist()
    assert wrote["ids"] == theirs
    assert wrote["prompt_ids"] == ids["input_ids"][0].tolist()
    assert wrote["text"].rstrip("\ufffd") == tokenizer.decode(theirs, skip_special_tokens=True).rstrip(
        "\ufffd"
    )
    assert (wrote["family"], wrote["context_length"], wrote["vocab_size"]) == ("pretrained", 32, 283)
    assert (wrote["start_ids"], wrote["end_ids"], wrote["banned_ids"]) == ([0], [0], [1, 280, 281, 282])
    assert 0 not in wrote["special"], "a special token that a user types is text"
    assert wrote["spans"][0][1] == 0
    assert wrote["spans"][-1][2] == len(PROMPT)
    assert all(one[2] >= other[1] for one, other in zip(wrote["spans"], wrote["spans"][1:], strict=False))
    assert on_ours["ids"] == theirs

    # The server is gone, or the user says that there is no network: the cache is enough.
    server.requests.clear()
    fetched, again = ask([order("fetch"), order("write")], "http://127.0.0.1:9", home)
    assert fetched["cached_before"]
    assert again["ids"] == theirs
    (fetched,) = ask([order("fetch")], server.url, home, HF_HUB_OFFLINE="1")
    assert fetched["cached_before"]
    assert server.requests == []


CONFIGURATIONS = {
    "fills-in": {"model_type": "bert", "architectures": ["BertForMaskedLM"]},
    "matches": {"model_type": "clip", "architectures": ["CLIPModel"]},
    "draws": {"_class_name": "UNet2DModel"},
    "translates": {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]},
    "embeds": {"model_type": "bert", "architectures": ["BertModel"]},
    "sorts": {"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]},
    "unnamed": {"architectures": ["GPT2LMHeadModel"]},
    "number": {"model_type": 7, "architectures": 7},
    "made-here": {"recipe": "dcgan"},
}
USABLE = {"fills-in": "masks", "matches": "matches", "draws": "pictures", "pipeline": "text-to-image"}
OTHERS = {
    "translates": "t5",
    "embeds": "BertModel",
    "sorts": "GPT2ForSequenceClassification",
    "unnamed": "not named",
    "number": "7",
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Repositories of models that do various things, by their ids; one of them is whole."""
    root, files = tmp_path_factory.mktemp("kinds"), {}
    for name, config in CONFIGURATIONS.items():
        files[f"{name}/config.json"] = json.dumps(config)
        files[f"{name}/model.safetensors"] = "x" * 1000
    files["pipeline/model_index.json"] = json.dumps({"_class_name": "StableDiffusionPipeline"})
    files["gan/generator/config.json"] = json.dumps({"recipe": "dcgan"})
    files["nothing/README.md"] = "a card"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    save_encoder(root / "trained")
    return {(f"some/{path.name}", COMMIT): path for path in root.iterdir()}


def test_what_a_model_does_is_known_before_it_is_fetched(kinds, tmp_path):
    names = [*(location.partition("/")[2] for location, _ in kinds), "missing"]
    orders = [order("look", name=f"hf:some/{name}@{COMMIT}") for name in names]
    first = names.index("fills-in")
    with HubServer(kinds) as hub:
        found = dict(zip(names, ask(orders, hub.url, tmp_path), strict=True))
        weights = {path for _, path in hub.requests if path.endswith("safetensors")}
        hub.requests.clear()
        (again,) = ask(orders[first : first + 1], hub.url, tmp_path)
        assert again["kind"] == "masks"
        assert hub.requests == [], "the cache knows"
    assert weights == {f"/some/trained/resolve/{COMMIT}/model.safetensors"}
    assert {name: one["kind"] for name, one in found.items() if one.get("on_hub")} == USABLE
    trained = found["trained"]
    assert (trained["kind"], trained["recipe"], trained["family"]) == ("masks", "bert", "ours")
    for name, kind in OTHERS.items():
        sentence = f"hf:some/{name}@{COMMIT} holds a model of another kind (its kind is {kind})"
        assert (found[name]["error"], found[name]["exit_code"]) == ("foreign_model", 2)
        assert sentence in found[name]["sentence"]
    for name in ("made-here", "gan"):
        assert "(its recipe is dcgan); choose one that generates text or predicts" in found[name]["sentence"]
    assert "no config.json" in found["nothing"]["sentence"]
    assert found["missing"]["error"] == "not_on_hub"


def test_a_hub_that_is_out_of_reach_tells_no_kind(tmp_path):
    (answer,) = ask([order("look", name=f"hf:{REPO}@{COMMIT}")], "http://127.0.0.1:9", tmp_path)
    assert (answer["error"], answer["exit_code"]) == ("not_reachable", 1)


def test_what_the_hub_does_not_have_is_said(server, tmp_path):
    unknown, other_commit, pickled = ask(
        [
            order("fetch", location="tiny/nothing"),
            order("fetch", revision="f" * 40),
            order("fetch", location=PICKLED),
        ],
        server.url,
        tmp_path / "home",
    )
    assert (unknown["error"], other_commit["error"]) == ("not_on_hub", "not_on_hub")
    assert "tiny/nothing" in unknown["sentence"]
    assert pickled["error"] == "not_in_safetensors"
    assert {unknown["exit_code"], other_commit["exit_code"], pickled["exit_code"]} == {2}
    assert server.files_asked_for() == set()


@pytest.mark.parametrize("trouble", ["nobody listens", "no answer", "no service", "told to stay offline"])
def test_a_hub_that_cannot_be_reached_is_said_soon_with_the_cure(server, tmp_path, trouble):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        server.failing = trouble == "no service"
        endpoint = {"nobody listens": "http://127.0.0.1:9", "no answer": silent_url}.get(trouble, server.url)
        offline = "1" if trouble == "told to stay offline" else "0"
        (answer,) = ask([order("fetch")], endpoint, tmp_path / "home", HF_HUB_OFFLINE=offline)
    assert answer["error"] == "not_reachable"
    assert "`python -m aigc_demo fetch tiny`" in answer["sentence"]
    assert answer["exit_code"] == 1
    assert answer["seconds"] < 9


def test_loading_what_cannot_be_fetched_says_the_same(tmp_path):
    (answer,) = ask([order("write")], "http://127.0.0.1:9", tmp_path / "home")
    assert answer["error"] == "not_reachable"


def test_half_a_model_in_the_cache_is_fetched_again(server, tmp_path):
    home = tmp_path / "home"
    ask([order("fetch")], server.url, home)
    (weights,) = home.rglob("snapshots/*/model.safetensors")
    blob = weights.resolve()
    weights.unlink()
    blob.unlink()
    (gone,) = ask([order("fetch")], "http://127.0.0.1:9", home)
    assert gone["error"] == "not_reachable"
    (fetched,) = ask([order("fetch")], server.url, home)
    assert not fetched["cached_before"]
    assert fetched["cached"]


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def without_a_tensor(path):
    weights = load_file(path)
    del weights["transformer.h.1.ln_1.weight"]
    save_file(weights, path, {"format": "pt"})


def of_another_shape(path):
    weights = load_file(path)
    weights["transformer.wpe.weight"] = torch.zeros(7, 24)
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize("damage", [cut_off, without_a_tensor, of_another_shape], ids=lambda f: f.__name__)
def test_a_damaged_file_in_the_cache_is_refused(tmp_path, damage):
    folder = save_pretrained_gpt2(tmp_path)
    facts = {"family": "pretrained", "kind": "text", "recipe": "", "location": REPO, "revision": COMMIT}
    entry = CatalogEntry("tiny", **facts)
    assert load_transformers_text(entry, folder, torch.float32).encode("the")
    damage(folder / "model.safetensors")
    with pytest.raises(InputError) as caught:
        load_transformers_text(entry, folder, torch.float32)
    assert caught.value.key == ("broken_model" if damage is cut_off else "foreign_model")


def test_the_bar_of_the_network_is_passed_on_and_the_others_are_not():
    seen = []
    bar = hub._progress_bar(lambda *bytes_: seen.append(bytes_), 100)
    network, files = bar(name="huggingface_hub.transfer", total=100), bar(name="huggingface_hub.files")
    for reported in ((), (30,), (None,), (0,), (200,)):
        network.update(*reported)
        files.update(*reported)
    assert seen == [(1, 100), (31, 100), (100, 100)]
