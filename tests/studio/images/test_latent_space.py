"""Ways, sums and mixtures of noise, on tiny networks of random weights, where both ends are known."""

import io

import pytest
import torch
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.generators import catalog
from aigc_demo.generators.images.latents import latents
from aigc_demo.generators.images.model import ImageSampling
from aigc_demo.studio.images.formats import loop_webp, sheet_png, single_pngs
from aigc_demo.studio.images.latent_space import check_way, checked_seeds, interpolate, latent_sum, mix_styles
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from tests.studio.painters import make_diffusion, make_gan, plain


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    made = [
        make_gan(folder / "a-gan"),
        make_gan(folder / "styles", styles=True),
        make_diffusion(folder / "noise"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "ASSETS", folder / "assets")
        patch.setattr(catalog, "CATALOG", {one.name: one for one in made})
        yield ModelCache(1000)


def way(cache, models, **settings):
    names, checked = check_way(cache.catalog, models, settings)
    return list(interpolate(names, checked, cache, CancelToken()))[-1]


def test_a_way_begins_and_ends_with_the_images_of_its_seeds(cache):
    settings = {"from_seed": 3, "to_seed": 9, "num_frames": 5, "num_inference_steps": 2}
    columns = way(cache, ["a-gan", "styles", "noise"], **settings)
    for column in columns:
        ends = cache.get(column.model).make([3, 9], ImageSampling(num_inference_steps=2))
        assert column.state == "finished"
        assert column.images.shape == (5, 3, 32, 32)
        assert (column.images[[0, -1]].int() - ends.int()).abs().max() <= 1
        steps = (column.images[1:].float() - column.images[:-1].float()).abs().mean((1, 2, 3))
        assert (steps > 0).all(), "no frame stands still"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"from_seed": -1}, "from_seed must be at least 0"),
        ({"to_seed": 2**31}, "to_seed must be at most"),
        ({"num_frames": 1}, "at least 2"),
        ({"num_frames": 49}, "at most 48"),
        ({"truncation": float("inf")}, "a number"),
    ],
)
def test_a_way_that_does_not_fit_is_refused(cache, settings, words):
    with pytest.raises(InputError, match=words):
        check_way(cache.catalog, ["a-gan"], settings)


def test_what_is_added_and_taken_away_leaves_the_third(cache):
    found = latent_sum(cache, "a-gan", "4", [4], "7, 8")
    assert found.images.shape == (4, 3, 32, 32)
    a, b, c, result = found.images
    assert a.equal(b)
    assert (result.int() - c.int()).abs().max() <= 1
    assert not result.equal(a)
    model = cache.get("a-gan")
    assert found.scores == pytest.approx(model.discriminate(found.images).tolist())


def test_a_style_based_generator_calculates_with_its_styles(cache):
    model = cache.get("styles")
    own = model.make([4, 5, 6], ImageSampling())
    found = latent_sum(cache, "styles", [4], [5], [6])
    assert found.images[:3].equal(own), "the mean of one is its own image"
    found = latent_sum(cache, "styles", [4, 5], [4, 5], [6])
    assert (found.images[3].int() - own[2].int()).abs().max() <= 1
    with torch.inference_mode():
        w_3S = model.generator.styles(latents([4, 5, 6], model.latent_size))[:, 0]
        result = w_3S[0] - w_3S[1] + w_3S[2]
        psi = model.generator.mean_style + 0.5 * (result - model.generator.mean_style)
        wanted = to_uint8(model.generator.synthesize(psi.expand(1, model.generator.config.num_styles, -1)))
    found = latent_sum(cache, "styles", [4], [5], [6], 0.5)
    assert (found.images[3].int() - wanted[0].int()).abs().max() <= 1
    none = latent_sum(cache, "styles", [4], [5], [6], 0.0).images
    assert all(image.equal(none[0]) for image in none), "the mean image, whatever is asked for"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "a list of 1 to 16 seeds"),
        ([], "a list of 1 to 16 seeds"),
        (list(range(17)), "a list of 1 to 16 seeds"),
        ("1, x", "A must be a number"),
        ([2.5], "A must be a whole number"),
        ([-1], "A must be at least 0"),
        ([2**31], "A must be at most"),
        ([True], "A must be a number"),
        (7, "a list of 1 to 16 seeds"),
        ("1 " * 200, "a list of 1 to 16 seeds"),
    ],
)
def test_seeds_that_are_none_are_refused(cache, value, words):
    with pytest.raises(InputError, match=words):
        latent_sum(cache, "a-gan", value, [1], [2])


def test_seeds_may_be_text_with_any_comma():
    assert checked_seeds("A", "3, 17，20、4  5") == (3, 17, 20, 4, 5)
    assert checked_seeds("A", " , ".join([str(MAX_SEED)] * 16)) == (MAX_SEED,) * 16


def test_only_a_gan_calculates(cache):
    with pytest.raises(InputError, match="noise is no GAN"):
        latent_sum(cache, "noise", [1], [2], [3])


def test_styles_change_over_from_one_to_the_other(cache):
    mixed = mix_styles(cache, "styles", 5, 6)
    model = cache.get("styles")
    coarse, fine = model.make([5, 6], ImageSampling())
    assert mixed[0].equal(fine)
    assert mixed[-1].equal(coarse)
    assert len(mixed) > 4


@pytest.mark.parametrize("model", ["a-gan", "noise"])
def test_what_has_no_styles_says_so(cache, model):
    with pytest.raises(InputError, match=f"{model} has no styles to mix"):
        mix_styles(cache, model, 5, 6)


def test_a_film_runs_there_and_back_and_loses_nothing():
    film = Image.open(io.BytesIO(loop_webp(plain([0, 100, 200]))))
    assert (film.format, film.n_frames, film.size, film.info["loop"]) == ("WEBP", 4, (256, 256), 0)
    greys = []
    for frame in range(4):
        film.seek(frame)
        greys.append(film.convert("RGB").getpixel((255, 0)))
    assert greys == [(grey,) * 3 for grey in (0, 100, 200, 100)]


def test_images_as_files_keep_every_pixel():
    images = torch.randint(0, 256, (3, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    for image, content in zip(images, single_pngs(images), strict=True):
        file = Image.open(io.BytesIO(content))
        assert torch.tensor(bytearray(file.tobytes())).equal(image.permute(1, 2, 0).flatten())
    assert Image.open(io.BytesIO(sheet_png(images, 2))).size == (65, 65)


def test_a_seed_of_the_api_is_named_in_its_error(cache):
    with pytest.raises(InputError, match="fine_seed must be at most"):
        mix_styles(cache, "styles", 1, 2**40)
    assert Catalog().checked("styles", "pictures") == "styles"
