"""Real images beside made ones: where they come from, the nearest, what a discriminator says of them."""

import io
import threading
import zipfile
from dataclasses import replace

import pytest
import torch
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus
from aigc_demo.generators import catalog
from aigc_demo.studio.images.formats import single_pngs
from aigc_demo.studio.images.measure import Measured, measure_images
from aigc_demo.studio.images.real_images import (
    TrainingImages,
    discriminate,
    measuring_network,
    nearest_training,
    png_images,
    some_real,
)
from aigc_demo.studio.images.seeds_by_label import Found, SeedBook, Working, modes_named
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.run_queue import RunQueue
from tests.studio.painters import GreyGan, GreySteps, Knower, WorldGan, entry, make_gan, plain, world

CLASSIFIER = entry("eye-tiny-world", "classifier", "measures")


@pytest.fixture(autouse=True)
def _small_catalog(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    entries = [entry(name) for name in ("grey", "emoji", "world-tiny-world", "one-tiny-world")]
    entries += [entry("steps", "ddpm", family="library"), CLASSIFIER]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in entries})


@pytest.fixture
def models():
    return {
        "grey": GreyGan(),
        "steps": GreySteps(),
        "world-tiny-world": WorldGan("world-tiny-world"),
        "one-tiny-world": WorldGan("one-tiny-world", num_modes=1),
        "eye-tiny-world": Knower(),
    }


@pytest.fixture
def cache(models):
    return ModelCache(100, lambda name, report: models[name])


def corpus(train, validation=None, name="tiny-world"):
    held = train[:0] if validation is None else validation
    return ImageCorpus(name, "5" * 64, train, held, None, None, (), None, None, ())


# ---- the images a model learned from


def test_a_image_learnt_by_heart_is_found():
    real = world(list(range(20)))
    found, distance = nearest_training(torch.cat([real[7:8], plain([0])]), corpus(real))
    assert found[0].equal(real[7])
    assert distance[0] == 0
    assert distance[1] > 50
    with pytest.raises(InputError, match="32 pixels, these have 64"):
        nearest_training(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), corpus(real))


def test_the_tiny_world_is_drawn_as_its_run_says_and_kept(tmp_path):
    run = RunDirectory(tmp_path / "mine")
    settings = {"image_size": 32, "num_pictures": 60, "pictures": "shapes", "batch_size": 4}
    run.create({"recipe": "dcgan", "data": {"name": "tiny-world"}, "settings": settings})
    make_gan(run.begin_checkpoint(1))
    run.finish_checkpoint(1)
    images = TrainingImages(Catalog(RunQueue(tmp_path)))
    found = images.of("mine")
    assert len(found.train) + len(found.validation) == 60
    assert images.of("mine@1") is found
    assert images.at_hand("mine@1")


def test_an_uploaded_run_that_says_nonsense_has_no_images(tmp_path):
    run = RunDirectory(tmp_path / "mine")
    run.create({"recipe": "dcgan", "data": {"name": "tiny-world"}, "settings": {"num_pictures": 10**9}})
    make_gan(run.begin_checkpoint(1))
    run.finish_checkpoint(1)
    with pytest.raises(InputError, match="upload them as a zip"):
        TrainingImages(Catalog(RunQueue(tmp_path))).of("mine")


def test_other_images_come_from_a_zip_or_not_at_all(tmp_path):
    images = TrainingImages(Catalog())
    assert not images.at_hand("emoji")
    with pytest.raises(InputError, match="not at hand; upload"):
        images.of("emoji")
    given = tmp_path / "given.zip"
    with zipfile.ZipFile(given, "w") as file:
        for number, content in enumerate(single_pngs(plain([10, 20, 30]))):
            file.writestr(f"{number}.png", content)
    found = images.of("emoji", str(given))
    assert sorted(found.train[:, 0, 0, 0].tolist()) == [10, 20, 30]
    assert len(found.validation) == 0
    given.write_bytes(b"no zip")
    assert images.of("emoji", str(given)) is found, "the same upload is not unpacked twice"
    other = tmp_path / "other.zip"
    other.write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a zip of pictures"):
        images.of("emoji", str(other))


def test_some_real_ones_are_those_that_were_held_out():
    whole = corpus(plain([0] * 50), plain(list(range(100, 120))))
    few = some_real(whole, 5, seed=1)
    assert (few >= 100).all()
    assert len(set(few[:, 0, 0, 0].tolist())) == 5
    assert some_real(whole, 5, seed=1).equal(few)
    assert (some_real(whole, 30, seed=1) == 0).all(), "too few are held out"


# ---- a visitor's images, and the discriminator


def test_a_visitors_png_is_read_as_it_is():
    images = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    assert png_images(single_pngs(images), 32).equal(images)


def encoded(form, size=(32, 32)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, format=form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (
            [encoded("PNG"), encoded("JPEG"), encoded("GIF")],
            r"A picture cannot be used \(2 of 3: no_picture 2\)",
        ),
        ([b"not a picture"], "A picture cannot be used"),
        ([encoded("JPEG")], "A picture cannot be used"),
        ([encoded("PNG"), encoded("PNG", (4, 4))], "too_small"),
        ([encoded("PNG", (5000, 4000))], "too_large"),
        ([], "1 to 64 PNG pictures"),
        ([encoded("PNG")] * 65, "1 to 64 PNG pictures"),
        (["text"], "1 to 64 PNG pictures"),
        (None, "1 to 64 PNG pictures"),
    ],
)
def test_what_is_no_small_png_is_refused(contents, words):
    with pytest.raises(InputError, match=words):
        png_images(contents, 32)


def test_the_discriminator_judges_any_image_of_its_size(cache):
    assert discriminate(cache, "grey", plain([0, 51, 255])) == pytest.approx((0, 0.2, 1))
    with pytest.raises(InputError, match="32 pixels, these have 64"):
        discriminate(cache, "grey", torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    with pytest.raises(InputError, match="steps is no GAN"):
        discriminate(cache, "steps", plain([0]))
    with pytest.raises(InputError, match="no model named"):
        discriminate(cache, ["grey"], plain([0]))


# ---- seeds by words


def test_words_name_modes():
    assert len(modes_named("a red Ball", 144)) == 3
    assert len(modes_named("small blue box", 144)) == 1
    assert len(modes_named("big", 144)) == 8 * 6


@pytest.mark.parametrize("words", ["", "a the", "red green ball", "flying saucer", "cat", None, 7, "x" * 61])
def test_words_that_name_nothing_are_refused(words):
    with pytest.raises(InputError):
        modes_named(words, 144)


def asked(book, words, name="world-tiny-world", stop=None):
    return list(book.find(name, words, stop or threading.Event()))


def test_seeds_are_found_by_words_and_the_images_looked_at_once(cache, models):
    book = SeedBook(cache, num_seeds=300)
    *way, (ball, box) = asked(book, ["red ball", "small blue box"])
    assert way == [Working(100, 300), Working(200, 300), Working(300, 300)]
    assert isinstance(ball, Found)
    wanted = set(modes_named("red ball", 144))
    assert ball.seeds
    assert {seed % 144 for seed in ball.seeds} <= wanted
    assert {seed % 144 for seed in box.seeds} == set(modes_named("small blue box", 144))
    assert min(ball.probs) > 0.5
    assert list(ball.probs) == sorted(ball.probs, reverse=True)
    num_asked = len(models["world-tiny-world"].asked)
    (found,) = asked(book, ["yellow star"])
    assert found[0].seeds
    assert len(models["world-tiny-world"].asked) == num_asked


def test_seeds_that_nobody_can_find(cache, monkeypatch):
    book = SeedBook(cache, num_seeds=100)
    with pytest.raises(InputError, match="first 100 pictures of one-tiny-world clearly shows blue"):
        asked(book, ["blue box"], "one-tiny-world")
    with pytest.raises(InputError, match="No classifier here labels what grey draws"):
        asked(book, ["blue box"], "grey")
    with pytest.raises(InputError, match="names nothing in the tiny world"):
        asked(book, ["unicorn"])
    monkeypatch.delitem(catalog.CATALOG, "eye-tiny-world")
    with pytest.raises(InputError, match="No classifier here"):
        asked(book, ["blue box"])


def test_stop_ends_the_search_and_nothing_half_is_kept(cache):
    book, stop = SeedBook(cache, num_seeds=300), threading.Event()
    stop.set()
    assert asked(book, ["red ball"], stop=stop) == [Working(100, 300)]
    assert len(asked(book, ["red ball"])) == 4


# ---- measuring


def measured(cache, name, stop=None, samples=288):
    real = corpus(world(list(range(144)) * 2))
    return list(measure_images(cache, name, real, stop or threading.Event(), samples=samples))


def test_a_model_that_draws_everything_is_measured_as_such(cache):
    *way, found = measured(cache, "world-tiny-world")
    assert way[0] == Working(0, 288)
    assert way[-1] == Working(288, 288)
    assert isinstance(found, Measured)
    assert (found.model, found.encoder) == ("world-tiny-world", "eye-tiny-world")
    figures = found.figures
    assert (figures.num_real, figures.num_generated) == (288, 288)
    assert figures.frechet_distance == pytest.approx(0, abs=1e-3)
    assert (figures.precision, figures.recall) == (1, 1)
    assert figures.modes.num_covered == found.of_real.num_covered
    assert figures.modes.num_covered > 120
    assert not figures.modes.collapsed


def test_a_model_that_draws_one_thing_raises_the_alarm(cache):
    found = measured(cache, "one-tiny-world")[-1]
    assert found.figures.modes.collapsed
    assert found.figures.modes.num_covered <= 1
    assert found.figures.frechet_distance > 0.1


def test_measuring_is_stopped_between_two_batches(cache):
    stop = threading.Event()
    making = measure_images(cache, "world-tiny-world", corpus(world(list(range(144)) * 2)), stop, samples=288)
    assert next(making) == Working(0, 288)
    stop.set()
    assert list(making) == []
    assert measured(cache, "world-tiny-world", stop) == [], "stopped before a model is loaded"


@pytest.mark.parametrize("samples", [199, 5001])
def test_too_few_or_too_many_images_are_not_measured(cache, samples):
    with pytest.raises(InputError, match="from 200 to 5000"):
        measured(cache, "world-tiny-world", samples=samples)


def test_the_network_that_looks_knows_such_images(monkeypatch):
    world_of, other = corpus(plain([0])), corpus(plain([0]), name="photos")
    names = Catalog()
    assert measuring_network(names, world_of, 32) == "eye-tiny-world"
    with pytest.raises(InputError, match="No image encoder here takes pictures of 64"):
        measuring_network(names, world_of, 64)
    with pytest.raises(InputError, match="No image encoder here takes"):
        measuring_network(names, other, 32)
    general = entry("general", "classifier", "measures")
    exact = replace(entry("exact", "classifier", "measures"), data_sha256="5" * 64)
    monkeypatch.setitem(catalog.CATALOG, "general", general)
    assert measuring_network(names, other, 32) == "general"
    monkeypatch.setitem(catalog.CATALOG, "exact", exact)
    assert measuring_network(names, world_of, 32) == "exact"
