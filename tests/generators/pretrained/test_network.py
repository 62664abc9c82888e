"""Networks rebuilt from folders: as the library loads them, or refused before any memory is taken."""

import json

import diffusers
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from aigc_demo.core import memory
from aigc_demo.core.errors import InputError
from aigc_demo.generators.pretrained.network import (
    diffusers_config,
    load_diffusers,
    load_scheduler,
    load_transformers,
    transformers_config,
)
from tests.generators.conftest import edit_config
from tests.generators.foreign_folders import (
    save_bert,
    save_clip,
    save_gpt2,
    save_llama,
    save_pipeline,
    save_qwen2,
    save_unet,
)

IDS = torch.tensor([[5, 3, 8, 1, 9, 2, 7]])
KINDS = {
    "gpt2": ("GPT2LMHeadModel", save_gpt2),
    "llama": ("LlamaForCausalLM", save_llama),
    "qwen2": ("Qwen2ForCausalLM", save_qwen2),
    "bert": ("BertForMaskedLM", save_bert),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("networks")
    return {name: save(root / name) for name, (_, save) in KINDS.items()}


@pytest.fixture
def gpt2(tmp_path):
    return save_gpt2(tmp_path / "m")


def load(folder, architecture="gpt2"):
    return load_transformers(KINDS[architecture][0], folder, architecture)


def rewritten(folder, change, name="model.safetensors"):
    """The folder with its weights as `change` makes them."""
    weights = change(load_file(folder / name))
    save_file({key: value.contiguous() for key, value in weights.items()}, folder / name)
    return folder


@pytest.mark.parametrize("architecture", KINDS)
def test_each_network_computes_what_the_library_computes(folders, architecture):
    theirs = getattr(transformers, KINDS[architecture][0]).from_pretrained(folders[architecture])
    ours = load(folders[architecture], architecture)
    assert not ours.training
    assert ours.dtype == torch.float32
    assert torch.equal(ours(IDS).logits, theirs(IDS).logits)


def test_a_bfloat16_file_is_computed_in_float32(folders, tmp_path):
    transformers.GPT2LMHeadModel.from_pretrained(folders["gpt2"]).bfloat16().save_pretrained(tmp_path)
    assert load(tmp_path).dtype == torch.float32


def test_names_of_older_files(tmp_path):
    """The published GPT-2 names no part of its own, and keeps its masks; BERT says gamma and beta."""
    gpt2 = save_gpt2(tmp_path / "gpt2")
    before = load(gpt2)(IDS).logits
    masks = {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril() for layer in (0, 1)}
    rewritten(gpt2, lambda w: {name.removeprefix("transformer."): value for name, value in w.items()} | masks)
    assert torch.equal(load(gpt2)(IDS).logits, before)

    bert = save_bert(tmp_path / "bert")
    before = load(bert, "bert")(IDS).logits

    def aged(weights):
        old = {
            name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): value
            for name, value in weights.items()
        }
        return {
            **old,
            "cls.seq_relationship.weight": torch.ones(2, 24),
            "bert.pooler.dense.bias": torch.ones(24),
        }

    rewritten(bert, aged)
    assert torch.equal(load(bert, "bert")(IDS).logits, before)


def test_weights_in_two_parts(gpt2):
    before = load(gpt2)(IDS).logits
    weights, parts = load_file(gpt2 / "model.safetensors"), {}
    for number, names in enumerate((sorted(weights)[::2], sorted(weights)[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: weights[name] for name in names}, gpt2 / file)
        parts |= dict.fromkeys(names, file)
    (gpt2 / "model.safetensors").unlink()
    (gpt2 / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert torch.equal(load(gpt2)(IDS).logits, before)
    save_file(weights, gpt2 / "model-00002-of-00002.safetensors")
    with pytest.raises(InputError, match="two of its files"):
        load(gpt2)


UNFIT = {
    "one is missing": lambda weights: dict(list(weights.items())[1:]),
    "one more": lambda weights: {**weights, "lora_A": torch.ones(2)},
    "another shape": lambda weights: {**weights, "transformer.wpe.weight": torch.ones(63, 24)},
    "another type": lambda weights: {
        **weights,
        "transformer.wpe.weight": torch.ones(64, 24, dtype=torch.int8),
    },
}


@pytest.mark.parametrize("name", UNFIT)
def test_weights_that_do_not_fit_are_refused(gpt2, name):
    with pytest.raises(InputError, match=r"fits its config\.json"):
        load(rewritten(gpt2, UNFIT[name]))


def test_a_config_that_does_not_fit_the_weights_is_refused(gpt2):
    edit_config(gpt2, n_layer=3)
    with pytest.raises(InputError, match="is missing"):
        load(gpt2)


def test_settings_that_do_not_go_together_are_refused(gpt2):
    edit_config(gpt2, n_head=5)
    with pytest.raises(InputError, match=r"config\.json"):
        load(gpt2)


def test_no_memory_is_taken_for_a_network_that_does_not_fit(gpt2, monkeypatch):
    """A width of 16,384 in 256 layers: three terabytes."""
    monkeypatch.setattr(memory, "memory_gib", lambda root: 23.5)
    edit_config(gpt2, n_embd=16_384, n_layer=256, n_head=128)
    with pytest.raises(InputError) as refused:
        load(gpt2)
    assert refused.value.key == "model_needs_memory"
    weights = 256 * (12 * 16_384**2 + 13 * 16_384) + (320 + 64 + 2) * 16_384
    assert refused.value.values["needed"] == pytest.approx(weights * 4 / 2**20, rel=0.01)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("add_cross_attention", True),
        ("reorder_and_upcast_attn_typo", None),
        ("output_attentions", True),
        ("chunk_size_feed_forward", 7),
        ("is_encoder_decoder", True),
    ],
)
def test_what_would_change_the_network_and_is_not_on_the_list_is_refused(gpt2, setting, value):
    edit_config(gpt2, **{setting: value})
    if value is None:  # unknown to the library too, so it changes nothing
        assert load(gpt2) is not None
        return
    with pytest.raises(InputError, match=f"{setting} is .* not supported here"):
        load(gpt2)


@pytest.mark.parametrize("value", ["eager", "os.system", {"x": 1}])
def test_nobody_chooses_how_the_library_computes(gpt2, value):
    edit_config(gpt2, _attn_implementation=value, attn_implementation=value, _experts_implementation=value)
    assert load(gpt2).config._attn_implementation == "sdpa"


def test_tokens_of_another_vocabulary_are_left_out(gpt2):
    edit_config(gpt2, bos_token_id=50_256, eos_token_id=[0, 50_256])
    config = transformers_config(gpt2, "gpt2")
    assert (config.bos_token_id, config.eos_token_id) == (None, None)


ROPES = {
    "as written now": {"rope_parameters": {"rope_type": "default", "rope_theta": 5_000.0}},
    "as written before": {"rope_theta": 5_000.0, "rope_parameters": None, "rope_scaling": None},
    "stretched": {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 5_000.0}},
    "stretched, before": {"rope_theta": 5_000, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama 3": {
        "rope_theta": 500_000.0,
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    },
}


@pytest.mark.parametrize("name", ROPES)
def test_turned_places_in_old_and_new_words(tmp_path, name):
    folder = save_llama(tmp_path / "m")
    plain = load(folder, "llama")(IDS).logits
    config = json.loads((folder / "config.json").read_text())
    config.pop("rope_parameters", None)
    (folder / "config.json").write_text(json.dumps({**config, **ROPES[name]}))
    ours = load(folder, "llama")(IDS).logits
    assert torch.equal(ours, transformers.LlamaForCausalLM.from_pretrained(folder)(IDS).logits)
    assert not torch.equal(ours, plain)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "yarn"},
        {"rope_type": "linear", "factor": "2"},
        {"rope_type": "default", "x": 1},
        [1],
        "linear",
    ],
)
def test_other_turns_are_refused(tmp_path, rope):
    folder = save_llama(tmp_path / "m")
    edit_config(folder, rope_parameters=rope)
    with pytest.raises(InputError):
        load(folder, "llama")


def test_a_window_shorter_than_a_text_is_refused(tmp_path):
    folder = save_qwen2(tmp_path / "m")
    edit_config(folder, use_sliding_window=False, sliding_window=4096, max_window_layers=1)
    assert load(folder, "qwen2") is not None
    edit_config(folder, use_sliding_window=True, sliding_window=4096)
    with pytest.raises(InputError, match="use_sliding_window"):
        load(folder, "qwen2")


def test_both_halves_of_a_clip(tmp_path):
    folder = save_clip(tmp_path / "m")
    theirs = transformers.CLIPModel.from_pretrained(folder)
    ours = load_transformers("CLIPModel", folder, "clip")
    given = {"input_ids": IDS, "pixel_values": torch.rand(1, 3, 32, 32)}
    assert torch.equal(ours(**given).logits_per_image, theirs(**given).logits_per_image)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_act"] = "eval"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="hidden_act is eval"):
        load_transformers("CLIPModel", folder, "clip")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    return save_pipeline(tmp_path_factory.mktemp("pipeline"))


def test_the_parts_of_a_pipeline_are_the_librarys(pipeline, tmp_path):
    latent, words = torch.randn(1, 4, 8, 8), torch.randn(1, 16, 16)
    theirs = diffusers.UNet2DConditionModel.from_pretrained(pipeline / "unet")
    ours = load_diffusers("UNet2DConditionModel", pipeline / "unet")
    with torch.no_grad():
        given = (latent, torch.tensor(7), words)
        assert torch.equal(ours(*given).sample, theirs(*given).sample)
        theirs = diffusers.AutoencoderKL.from_pretrained(pipeline / "vae")
        ours = load_diffusers("AutoencoderKL", pipeline / "vae")
        assert torch.equal(ours.decode(latent).sample, theirs.decode(latent).sample)
        folder = save_unet(tmp_path / "unet")
        theirs, ours = diffusers.UNet2DModel.from_pretrained(folder), load_diffusers("UNet2DModel", folder)
        noise = torch.randn(2, 3, 16, 16)
        assert torch.equal(ours(noise, 5).sample, theirs(noise, 5).sample)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"_class_name": "UNet2DModel"}, "its network is UNet2DModel"),
        ({"_class_name": "os.system"}, "its network is another one"),
        ({"block_out_channels": [8] * 9}, "block_out_channels"),
        ({"down_block_types": ["KDownBlock2D", "DownBlock2D"]}, "down_block_types"),
        ({"addition_embed_type": "text"}, "not supported here"),
        ({"norm_num_groups": 3}, r"config\.json"),
        ({"cross_attention_dim": 20}, r"fits its config\.json"),
    ],
)
def test_another_unet_is_refused(pipeline, tmp_path, change, words):
    (tmp_path / "unet").mkdir()
    for path in (pipeline / "unet").iterdir():
        (tmp_path / "unet" / path.name).write_bytes(path.read_bytes())
    edit_config(tmp_path / "unet", **change)
    with pytest.raises(InputError, match=words):
        load_diffusers("UNet2DConditionModel", tmp_path / "unet")


SCHEDULERS = (
    diffusers.DDIMScheduler(
        beta_schedule="scaled_linear", steps_offset=1, clip_sample=False, set_alpha_to_one=False
    ),
    diffusers.PNDMScheduler(skip_prk_steps=True, steps_offset=1, prediction_type="v_prediction"),
    diffusers.EulerDiscreteScheduler(timestep_spacing="trailing", beta_end=0.012),
    diffusers.DPMSolverMultistepScheduler(use_karras_sigmas=True),
)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda one: type(one).__name__)
def test_a_schedule_of_noise_is_the_one_that_was_saved(tmp_path, scheduler):
    scheduler.save_pretrained(tmp_path)
    found = load_scheduler(tmp_path)
    assert type(found) is type(scheduler)
    ours, theirs = ({k: v for k, v in one.config.items() if k[0] != "_"} for one in (found, scheduler))
    assert ours == theirs


@pytest.mark.parametrize(
    "config",
    [
        {"_class_name": "subprocess.Popen"},
        {},
        {"_class_name": ["x"]},
        {"_class_name": "DDIMScheduler", "trained_betas": [0.1] * 1000},
        {"_class_name": "DDIMScheduler", "num_train_timesteps": 10**9},
        {"_class_name": "DDIMScheduler", "beta_start": "0.1"},
        {"_class_name": "DDIMScheduler", "thresholding": True},
    ],
)
def test_another_schedule_is_refused(tmp_path, config):
    (tmp_path / "scheduler_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError):
        load_scheduler(tmp_path)


def test_only_settings_on_the_list_come_through(pipeline):
    config = diffusers_config("UNet2DConditionModel", pipeline / "unet")
    assert {name for name in config if name.startswith("_")} == set()
    assert config["cross_attention_dim"] == 16
