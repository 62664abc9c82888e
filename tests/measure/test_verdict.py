"""What is said of a generator's images: spread, kinds missing, collapsed, or no images yet."""

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.data.images.corpus import ImageSettings, prepare_images
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.generators.images.latents import latents
from aigc_demo.generators.images.loading import load_encoder, load_image_model
from aigc_demo.measure.images import ImageFigures, encode, image_figures
from aigc_demo.nets.images.dcgan import DcganConfig, Generator
from aigc_demo.nets.images.image_encoder import ImageEncoder


@pytest.fixture(scope="module")
def world() -> tuple[Tensor, Tensor, ImageEncoder]:
    """Drawings of the tiny world, the kind of each, and the shipped network that looks at them."""
    corpus = prepare_images("tiny-world", ImageSettings(num_pictures=3000, validation_fraction=0))
    assert corpus.train_labels is not None
    return corpus.train, corpus.train_labels, load_encoder("classifier-tiny-world")


@pytest.fixture(scope="module")
def look(world):
    """The figures of some images against 1,000 drawings that are not among them."""
    images, _, encoder = world
    real, _ = encode(encoder, images[2000:])

    def figures(made: Tensor) -> ImageFigures:
        return image_figures(real, *encode(encoder, made))

    return figures


def some(images: Tensor, count: int = 600) -> Tensor:
    return images[torch.randint(len(images), (count,), generator=seeded(1))]


def test_the_data_themselves_are_spread_and_readable(world, look) -> None:
    figures = look(some(world[0][:2000]))
    assert (figures.verdict, figures.readable_share > 0.98) == ("spread", True)
    assert figures.precision > 0.8


@pytest.mark.parametrize(
    ("kinds", "verdict"),
    [
        (1, "collapsed"),
        (4, "collapsed"),
        (21, "collapsed"),
        (60, "collapsed"),
        (90, "dropped"),
        (110, "dropped"),
        (140, "spread"),
    ],
)
def test_real_images_of_some_kinds(world, look, kinds: int, verdict: str) -> None:
    images, labels, _ = world
    figures = look(some(images[:2000][labels[:2000] < kinds], 1000))
    assert figures.verdict == verdict
    assert figures.readable.num_covered == pytest.approx(kinds, abs=6)


def test_one_real_image_for_every_seed_is_a_collapse(world, look) -> None:
    assert look(world[0][:1].repeat(600, 1, 1, 1)).verdict == "collapsed"


def test_half_the_kinds_are_missing_kinds_and_no_collapse(world, look) -> None:
    images, labels, _ = world
    figures = look(some(images[:2000][labels[:2000] < 72]))
    assert figures.verdict == "dropped"
    assert figures.readable.num_covered == pytest.approx(72, abs=3)


def test_one_kind_in_half_of_all_images_is_a_collapse(world, look) -> None:
    images, labels, _ = world
    made = torch.cat([some(images[:2000], 300), some(images[:2000][labels[:2000] == 5], 300)])
    assert look(made).verdict == "collapsed"


@pytest.mark.parametrize(
    "made",
    [
        torch.randint(0, 256, (600, 3, 32, 32), generator=seeded(0), dtype=torch.uint8),
        torch.full((600, 3, 32, 32), 128, dtype=torch.uint8),
        torch.randint(0, 256, (600, 3, 1, 1), generator=seeded(0), dtype=torch.uint8).repeat(1, 1, 32, 32),
    ],
    ids=["noise", "one grey", "plain colours"],
)
def test_what_shows_nothing_has_not_collapsed(look, made: Tensor) -> None:
    figures = look(made)
    assert figures.verdict == "no_images"
    assert figures.modes.collapsed, "counted without a look at the images, it is few kinds"


def test_blurred_drawings_are_no_images_yet(world, look) -> None:
    blurred = torch.nn.functional.avg_pool2d(some(world[0][:2000]).float(), 9, 1, 4).byte()
    assert look(blurred).verdict == "no_images"


def test_what_a_trained_gan_draws(look) -> None:
    """The shipped DCGAN; the same network near a few seeds; and one that has hardly begun."""
    network = load_image_model("dcgan-tiny-world")
    latent_NZ = latents(range(600), network.latent_size)
    figures = look(network.of_latents(latent_NZ, 1.0))
    assert figures.verdict == "spread"
    near = latents([7, 8, 9], network.latent_size)[torch.arange(600) % 3] + 0.2 * latent_NZ
    figures = look(network.of_latents(near, 1.0))
    assert figures.verdict == "collapsed"
    torch.manual_seed(0)
    untrained = Generator(DcganConfig(image_size=32)).eval()
    with torch.inference_mode():
        assert look(to_uint8(untrained(latent_NZ))).verdict == "no_images"


def test_where_kinds_are_not_known_there_is_no_verdict() -> None:
    features = torch.randn(40, 3, generator=seeded(0))
    assert image_figures(features[:20], features[20:]).verdict is None
