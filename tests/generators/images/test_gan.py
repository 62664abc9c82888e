"""GANs by name: loaded from their folders, and what their two networks make and say."""

import json
from pathlib import Path

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.data.images.pixels import to_float, to_uint8
from aigc_demo.generators.catalog import find
from aigc_demo.generators.images.gan import GanImages
from aigc_demo.generators.images.latents import latents
from aigc_demo.generators.images.loading import load_encoder, load_image_model
from aigc_demo.generators.images.model import ImageSampling
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.images.image_encoder import ImageEncoder, ImageEncoderConfig
from aigc_demo.nets.images.style_generator import StyleConfig, StyleGenerator

PLAIN = ImageSampling()


def save(folder: Path, generator: Generator | StyleGenerator, recipe: str) -> Path:
    generator.half().save_pretrained(folder / "generator")
    shape = DcganConfig(image_size=32, latent_size=7, num_features=4, recipe=recipe, part="discriminator")
    Discriminator(shape).half().save_pretrained(folder / "discriminator")
    return folder


@pytest.fixture(scope="module")
def dcgan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    shape = DcganConfig(image_size=32, latent_size=7, num_features=4)
    generator = Generator(shape)
    with torch.no_grad():
        generator.picture.weight.mul_(100)  # untrained ones are all but grey
    return save(tmp_path_factory.mktemp("dcgan"), generator, "dcgan")


@pytest.fixture(scope="module")
def stylegan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    shape = StyleConfig(image_size=32, latent_size=7, style_size=6, num_mapping_layers=2, width=4)
    return save(tmp_path_factory.mktemp("stylegan"), StyleGenerator(shape), "stylegan")


def loaded(folder: Path) -> GanImages:
    model = load_image_model(str(folder))
    assert isinstance(model, GanImages)
    return model


@pytest.mark.parametrize("recipe", ["dcgan", "stylegan"])
def test_its_entry_and_its_images(recipe: str, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(recipe)
    entry = find(str(folder))
    assert (entry.kind, entry.family, entry.recipe, entry.image_size) == ("pictures", "ours", recipe, 32)
    model = loaded(folder)
    assert entry.num_parameters is not None
    assert entry.num_parameters >= sum(
        weight.numel() for part in (model.generator, model.discriminator) for weight in part.parameters()
    )
    made = model.make([1, 2, 3], PLAIN)
    assert (made.shape, made.dtype) == ((3, 3, 32, 32), torch.uint8)
    assert most_apart(model.make([2], PLAIN)[0], made[1]) <= 1  # sums of a batch are rounded differently
    assert most_apart(made[0], made[1]) > 1


def test_a_plain_generator_is_given_its_noise(dcgan: Path):
    model = loaded(dcgan)
    z_NZ = latents([5], 7)
    with torch.inference_mode():
        expected = to_uint8(model.generator(0.5 * z_NZ))
    assert torch.equal(model.make([5], ImageSampling(truncation=0.5)), expected)


@pytest.mark.parametrize("recipe", ["dcgan", "stylegan"])
def test_without_any_truth_all_images_are_the_mean_one(recipe: str, request: pytest.FixtureRequest):
    made = loaded(request.getfixturevalue(recipe)).make([1, 2], ImageSampling(truncation=0))
    assert torch.equal(made[0], made[1])


def test_styles_are_mixed_layer_by_layer(stylegan: Path):
    model = loaded(stylegan)
    coarse, fine = latents([1, 2], 7)
    mixed = model.mixed(coarse, fine, PLAIN)
    assert len(mixed) == model.generator.config.num_styles + 1
    assert most_apart(mixed[0], model.make([2], PLAIN)[0]) <= 1
    assert most_apart(mixed[-1], model.make([1], PLAIN)[0]) <= 1
    assert most_apart(mixed[3], mixed[0]) > 1


def test_a_plain_generator_has_no_styles(dcgan: Path):
    with pytest.raises(InputError, match="no styles"):
        loaded(dcgan).mixed(*latents([1, 2], 7), PLAIN)


def test_the_discriminator_judges_images_one_by_one(dcgan: Path):
    model = loaded(dcgan)
    made = model.make(range(3), PLAIN)
    scores = model.discriminate(made)
    with torch.inference_mode():
        alone = torch.sigmoid(model.discriminator(to_float(made[1:2])))
    torch.testing.assert_close(scores[1:2], alone)
    assert ((scores > 0) & (scores < 1)).all()


def test_a_model_of_another_kind_is_refused(dcgan: Path, tmp_path: Path):
    with pytest.raises(InputError, match="it generates images"):
        load_text_model(str(dcgan))
    with pytest.raises(InputError, match="it generates images"):
        load_encoder(str(dcgan))
    ImageEncoder(ImageEncoderConfig(width=8, feature_size=8)).save_pretrained(tmp_path / "encoder")
    with pytest.raises(InputError, match="it extracts features of images"):
        load_image_model(str(tmp_path / "encoder"))
    assert load_encoder(str(tmp_path / "encoder")).config.feature_size == 8


def test_a_damaged_network_is_refused(dcgan: Path, tmp_path: Path):
    for place, damage, sentence in (
        ("generator/model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-3]), "header"),
        ("discriminator/model.safetensors", Path.unlink, "no model.safetensors"),
        ("generator/config.json", lambda path: spoil(path, num_features=8), "not"),
        ("generator/config.json", lambda path: spoil(path, num_features=1e30), "num_features"),
        ("generator/config.json", lambda path: spoil(path, recipe="gpt"), "recipe"),
    ):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for part in ("generator", "discriminator"):
            (folder / part).mkdir(parents=True)
            for file in (dcgan / part).iterdir():
                (folder / part / file.name).write_bytes(file.read_bytes())
        damage(folder / place)
        with pytest.raises(InputError, match=sentence):
            load_image_model(str(folder))


def most_apart(one: torch.Tensor, other: torch.Tensor) -> int:
    """The largest difference of two images in grey levels."""
    return (one.int() - other.int()).abs().max().item()


def spoil(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
