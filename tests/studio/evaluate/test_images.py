"""Models of images measured and used from the command line, on tiny networks and a handful of drawings."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from aigc_demo.cli import app
from aigc_demo.core.errors import InputError
from aigc_demo.measure.inception import INCEPTION
from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.images.image_encoder import ImageEncoder, ImageEncoderConfig
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.evaluate.images import encoder_for, real_images

FEW = {"num_pictures": 300}


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("gan")
    shape = {"image_size": 32, "latent_size": 7, "num_features": 4}
    Generator(DcganConfig(**shape)).save_pretrained(folder / "generator")
    Discriminator(DcganConfig(**shape, part="discriminator")).save_pretrained(folder / "discriminator")
    return str(folder)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    ImageEncoder(ImageEncoderConfig(num_classes=144, width=8, feature_size=8)).save_pretrained(folder)
    return str(folder)


class Means(torch.nn.Module):
    """In the place of Inception: from images to the mean of each channel."""

    def forward(self, img: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        return img.float().mean(dim=(2, 3))


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_all_figures_with_both_counts(
    gan: str, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "inception_frechet_distance" not in evaluate(
        gan, "tiny-world", "all", settings={**FEW, "encoder": encoder}, samples=200
    )
    torch.jit.script(Means()).save(str(tmp_path / "network.pt"))
    monkeypatch.setenv(INCEPTION, str(tmp_path / "network.pt"))
    found = evaluate(gan, "tiny-world", "all", settings={**FEW, "encoder": encoder}, samples=200)
    assert (found["num_samples"], found["num_real"]) == (200, 300)
    assert found["frechet_distance"] > 0
    assert found["inception_frechet_distance"] > found["frechet_distance"]
    assert 0 <= found["precision"] <= 1
    assert 0 <= found["recall"] <= 1
    assert found["num_modes"] == 144
    assert found["modes_covered"] == round(144 * found["mode_coverage"])
    assert found["median_nearest_distance"] > 0
    assert found["peak_memory_mib"] > 0


@pytest.mark.parametrize("what", ["gan", "encoder"])
def test_measuring_takes_its_share_of_the_cores(
    what: str, gan: str, encoder: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aigc_demo.core.device.cpu_quota", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if what == "gan":
            evaluate(gan, "tiny-world", "all", settings={**FEW, "encoder": encoder}, samples=200)
        else:
            evaluate(encoder, "tiny-world", settings=FEW)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_encoder_is_measured_on_two_images_at_least(encoder: str):
    assert evaluate(encoder, "tiny-world", settings={"num_pictures": 20})["num_samples"] == 2
    with pytest.raises(InputError, match="at least 2"):
        evaluate(encoder, "tiny-world", settings={"num_pictures": 10})


def test_an_encoder_is_measured_by_what_it_was_trained_for(encoder: str, tmp_path: Path):
    named = evaluate(encoder, "tiny-world", settings=FEW)
    assert named["num_samples"] == 30
    assert 0 <= named["accuracy"] < 0.2  # random weights name 1 of 144 rightly
    ImageEncoder(ImageEncoderConfig(width=8, feature_size=8)).save_pretrained(tmp_path)
    again = evaluate(str(tmp_path), "tiny-world", settings=FEW)
    assert 1 / 30 < again["top1"] <= 1


def test_too_few_samples_or_images_are_refused(gan: str, encoder: str):
    with pytest.raises(InputError, match="at least 200"):
        evaluate(gan, "tiny-world", settings={**FEW, "encoder": encoder}, samples=10)
    with pytest.raises(InputError, match="too few to measure"):
        evaluate(gan, "tiny-world", settings={"num_pictures": 50, "encoder": encoder}, samples=200)
    with pytest.raises(InputError, match="validation or all"):
        evaluate(gan, "tiny-world", "train", samples=200)


def test_the_encoder_that_knows_these_images_is_taken(monkeypatch: pytest.MonkeyPatch, encoder: str):
    from dataclasses import replace

    from aigc_demo.data.images.corpus import ImageSettings, prepare_images
    from aigc_demo.generators import catalog

    corpus = prepare_images("tiny-world", ImageSettings(**FEW))
    entry = catalog.find(encoder)
    shapes = replace(entry, name="classifier-tiny-world", data_sha256=corpus.sha256)
    general = replace(entry, name="classifier-emoji", data_sha256="another")
    monkeypatch.setattr(catalog, "listed", lambda: {one.name: one for one in (general, shapes)})
    assert encoder_for(corpus, 32) == "classifier-tiny-world"
    monkeypatch.setattr(catalog, "listed", lambda: {"classifier-emoji": general})
    assert encoder_for(corpus, 32) == "classifier-emoji"
    with pytest.raises(InputError, match="64 pixels"):
        encoder_for(corpus, 64)
    assert len(real_images(corpus, "all")) == 300


def test_images_from_the_command_line(gan: str, tmp_path: Path):
    asked = ["generate", gan, "--num", "2", "--seed", "5", "--out", str(tmp_path / "it.png"), "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    result = json.loads(done.output.splitlines()[-1])
    assert result["files"] == [str(tmp_path / "it-5.png"), str(tmp_path / "it-6.png")]
    with Image.open(result["files"][0]) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (32, 32), "RGB")
    one = CliRunner().invoke(app, ["generate", gan, "--seed", "6", "--out", str(tmp_path / "one.png")])
    assert one.exit_code == 0, one.output
    alone, beside = (np.asarray(Image.open(tmp_path / name), int) for name in ("one.png", "it-6.png"))
    assert abs(alone - beside).max() <= 1  # sums of a batch are rounded differently


def test_images_side_by_side(gan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["compare", gan, gan, "--seed", "3", "--json"])
    assert done.exit_code == 0, done.output
    columns = json.loads(done.output.splitlines()[-1])["columns"]
    assert [column["seed"] for column in columns] == [3, 3]
    assert all(Path(column["files"][0]).is_file() for column in columns)
