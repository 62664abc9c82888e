"""Pretrained models of captions, as tiny networks of random weights in the very layout of the Hub."""

import json
import shutil

import pytest
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.pretrained.folder import pretrained_entry
from aigc_demo.generators.pretrained.models import PRETRAINED, SMALL_DECODER
from aigc_demo.generators.text_to_image.clip_scores import ClipMatcher
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.generators.text_to_image.ours import load_text_to_image
from aigc_demo.generators.text_to_image.stable_diffusion import StableDiffusion
from tests.generators.foreign_folders import (
    SIDE,
    conditional_unet,
    save_clip,
    save_letters,
    save_pipeline,
    text_shape,
)

STEPS = TextSampling(num_inference_steps=3, guidance_scale=2.0)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd")
    torch.manual_seed(0)
    size = save_letters(folder / "tokenizer")
    StableDiffusionPipeline(
        vae=AutoencoderTiny(),
        text_encoder=CLIPTextModel(CLIPTextConfig(**text_shape(size))),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        unet=conditional_unet(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taesd")
    torch.manual_seed(1)
    AutoencoderTiny().save_pretrained(folder)
    return folder


def entry(architecture="stable-diffusion"):
    return CatalogEntry(
        "tiny", "pretrained", "text-to-image", "", "x/y", "0" * 40, architecture=architecture, image_size=SIDE
    )


def test_a_pipeline_draws_captions_each_of_its_own_seed(snapshot, decoder):
    model = StableDiffusion(entry(), snapshot, decoder)
    seen = []

    def progress(step, total, guess):
        seen.append((step, total, tuple(guess.shape)))
        return False

    made = model.make(["a cat", "a dog", "a cat"], [1, 2, 3], STEPS, progress)
    assert made.shape == (3, 3, SIDE, SIDE)
    assert made.dtype == torch.uint8
    assert [step for step, _, _ in seen] == [1, 2, 3, 1, 2, 3]  # two images at once, then the third
    alone = model.make(["a dog"], [2], STEPS)[0]
    assert (alone.int() - made[1].int()).abs().max() <= 2
    assert not torch.equal(made[0], made[2])


def test_one_that_needs_one_step_takes_one_and_prints_nothing(snapshot, decoder, capsys):
    seen = []

    def progress(step, total, guess):
        seen.append((step, total))
        return False

    StableDiffusion(entry("sd-turbo"), snapshot, decoder).make(["a cat"], [1], STEPS, progress)
    assert seen == [(1, 1)]
    assert capsys.readouterr() == ("", "")


def test_stop_is_obeyed_between_two_steps(snapshot, decoder):
    seen = []

    def progress(step, total, guess):
        seen.append(step)
        return step == 2

    model = StableDiffusion(entry(), snapshot, decoder)
    made = model.make(["a"] * 4, range(4), TextSampling(num_inference_steps=9), progress)
    assert seen == [1, 2]
    assert len(made) == 2


def test_a_broken_snapshot_is_said_in_one_sentence(tmp_path, snapshot, decoder):
    (tmp_path / "model_index.json").write_text((snapshot / "model_index.json").read_text())
    with pytest.raises(InputError, match=r"text_encoder .*\(config\.json\)"):
        StableDiffusion(entry(), tmp_path, decoder)


def test_clip_scores_texts_and_images(tmp_path):
    save_clip(tmp_path)
    matcher = ClipMatcher(tmp_path)
    assert matcher.image_size == 32
    images = torch.randint(0, 256, (3, 3, 50, 50), dtype=torch.uint8)
    scores = matcher.scores(["a cat", "a much longer text"], images)
    assert scores.shape == (2, 3)
    assert scores.abs().max() <= 1
    assert matcher.of_texts(["a cat"]).norm(dim=1) == pytest.approx(1.0)
    assert torch.allclose(
        scores[:, :1], matcher.scores(["a cat", "a much longer text"], images[:1]), atol=1e-5
    )
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match="clip"):
        ClipMatcher(tmp_path)


def test_clip_without_the_size_of_its_pixels_is_no_model(tmp_path):
    save_clip(tmp_path)
    assert pretrained_entry(tmp_path, "mine").kind == "matches"
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"preprocessor_config\.json"):
        pretrained_entry(tmp_path, "mine")


def test_every_pretrained_model_names_its_commit_its_licence_and_its_size():
    known = (*PRETRAINED, SMALL_DECODER)
    assert {one.kind for one in known} == {"text", "masks", "pictures", "text-to-image", "matches", "decodes"}
    assert all(len(one.revision) == 40 and one.licence and one.size_mib for one in known)


def test_what_is_wrong_is_said_of_the_model_and_not_of_its_place(tmp_path):
    folder = tmp_path / "models" / "mine"
    save_pipeline(folder)
    (folder / "vae" / "config.json").write_text("{}")
    there = pretrained_entry(folder, "mine")
    with pytest.raises(InputError) as refused:
        load_text_to_image(there)
    assert str(refused.value).startswith("mine/vae ")
    assert str(tmp_path) not in str(refused.value)


def test_a_pipeline_in_a_folder_draws_by_its_own_decoder_or_the_small_one(tmp_path, decoder, monkeypatch):
    monkeypatch.setenv("AIGC_DEMO_MODELS", str(tmp_path))
    save_pipeline(tmp_path / "mine")
    model = load_text_to_image(find("mine"))
    assert type(model.pipeline.vae).__name__ == "AutoencoderKL"
    made = model.make(["a cat", "a dog"], [1, 2], STEPS)
    assert made.shape == (2, 3, SIDE, SIDE)
    shutil.copytree(decoder, tmp_path / "taesd")
    assert type(load_text_to_image(find("mine")).pipeline.vae).__name__ == "AutoencoderTiny"


def test_captions_are_read_as_the_library_reads_them(tmp_path):
    """The library's pipeline with its own tokenizer draws the same from the same seeds."""
    folder = save_pipeline(tmp_path / "mine")
    model = StableDiffusion(pretrained_entry(folder, "mine"), folder, None)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", model_max_length=16)
    texts = ["a cat", "a very long caption that is cut somewhere", ""]
    expected = tokenizer(
        texts, padding="max_length", max_length=16, truncation=True, return_tensors="pt"
    ).input_ids
    assert torch.equal(model.captions.padded(texts), expected)
    theirs = StableDiffusionPipeline(
        **{**model.pipeline.components, "tokenizer": tokenizer}, requires_safety_checker=False
    )
    theirs.set_progress_bar_config(disable=True)
    latents = theirs(
        prompt=["a cat"],
        height=SIDE,
        width=SIDE,
        num_inference_steps=3,
        guidance_scale=2.0,
        generator=[seeded(4)],
        output_type="latent",
    ).images
    images = (theirs.vae.decode(latents / theirs.vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    ours = model.make(["a cat"], [4], STEPS).float() / 255
    assert (ours - images.detach()).abs().max() < 0.01


def test_a_copy_on_another_device_draws_the_same_and_shares_no_weight(tmp_path):
    folder = save_pipeline(tmp_path / "mine")
    model = StableDiffusion(pretrained_entry(folder, "mine"), folder, None)
    copied = model.on_device("cpu")
    assert torch.equal(copied.make(["a cat"], [4], STEPS), model.make(["a cat"], [4], STEPS))
    assert copied.pipeline.unet is not model.pipeline.unet
    assert copied.pipeline.scheduler is not model.pipeline.scheduler


def test_clip_sees_images_with_the_mean_and_spread_of_its_folder(tmp_path, monkeypatch):
    save_clip(tmp_path)
    pixels = {"image_mean": [0.5, 0.25, 0.0], "image_std": [0.25, 0.5, 1.0]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(pixels))
    matcher, given = ClipMatcher(tmp_path), []
    encode = matcher.network.get_image_features
    monkeypatch.setattr(
        matcher.network,
        "get_image_features",
        lambda pixel_values: given.append(pixel_values) or encode(pixel_values=pixel_values),
    )
    matcher.of_images(torch.full((1, 3, 32, 32), 51, dtype=torch.uint8))  # 51 / 255 = 0.2
    means = [(0.2 - 0.5) / 0.25, (0.2 - 0.25) / 0.5, 0.2]
    wanted = torch.tensor(means).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    assert torch.allclose(given[0], wanted, atol=1e-5)
