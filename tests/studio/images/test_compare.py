"""The same seeds for several models: columns, Stop, steps, one cache for them and for texts."""

import math

import pytest
import torch

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.generators import catalog
from aigc_demo.studio.images.compare import check_images, compare_images, timeline_steps
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import MAX_SEED
from tests.studio.painters import GreyGan, GreySteps, entry, make_diffusion, make_gan, plain


@pytest.fixture(autouse=True)
def _small_catalog(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    entries = [entry(name) for name in ("grey", "breaks", "missing")]
    entries += [entry("steps", "ddpm", family="library"), entry("writer", "gpt", "text")]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in entries})


def cache_of(**models):
    def load(name, report):
        if name not in models:
            raise DemoError("not_reachable", name=name)
        return models[name]

    return ModelCache(100, load)


def run(models, cache, stop=None, **settings):
    asked = check_images(Catalog(), models, settings)
    return list(compare_images(asked, cache, stop or CancelToken()))


def test_all_models_are_given_the_same_seeds_and_tell_their_cost():
    grey = GreyGan()
    cache = cache_of(grey=grey, steps=GreySteps())
    settings = {"seed": 5, "num_pictures": 3, "truncation": 0.5, "num_inference_steps": 4}
    left, right = run(["grey", "steps"], cache, **settings)[-1]
    assert left.seeds == right.seeds == (5, 6, 7)
    ((seeds, sampling),) = grey.asked
    assert (seeds, sampling.truncation, sampling.num_inference_steps) == ((5, 6, 7), 0.5, 4)
    assert left.images.equal(plain([5, 6, 7]))
    assert right.images.equal(plain([40, 40, 40]))
    assert left.scores == pytest.approx([5 / 255, 6 / 255, 7 / 255])
    assert right.scores is None
    assert (left.state, right.state) == ("finished", "finished")
    assert right.seconds_per_image == pytest.approx(right.seconds / 3)
    assert (left.memory_mib, right.num_parameters) == (3, 20)


def test_after_the_last_seed_comes_the_first():
    (column,) = run(["grey"], cache_of(grey=GreyGan()), seed=MAX_SEED, num_pictures=2)[-1]
    assert column.seeds == (MAX_SEED, 0)


def test_one_model_that_fails_leaves_the_others_alone():
    cache = cache_of(grey=GreyGan(), breaks=GreyGan("breaks", breaks=True))
    good, bad, missing = run(["grey", "breaks", "missing"], cache, num_pictures=1)[-1]
    assert good.state == "finished"
    assert (bad.state, bad.error.key) == ("failed", "column_failed")
    assert (missing.state, missing.error.key) == ("failed", "not_reachable")
    assert bad.seconds_per_image is None


def test_stop_is_obeyed_between_two_steps_and_shows_the_last_guess():
    steps = GreySteps(stop_at=3)
    (column,) = run(["steps"], cache_of(steps=steps), steps.event, num_pictures=2, num_inference_steps=9)[-1]
    assert (column.state, column.step, column.num_steps) == ("stopped", 3, 9)
    assert column.images.equal(plain([30, 30]))


def test_stop_while_a_model_loads_ends_its_column_before_the_first_image():
    stop, grey = CancelToken(), GreyGan()

    def load(name, report):
        stop.set()
        return grey

    (column,) = run(["grey"], ModelCache(100, load), stop, num_pictures=1)[-1]
    assert (column.state, column.images, grey.asked) == ("stopped", None, [])


def test_stop_at_the_last_step_changes_nothing():
    steps = GreySteps(stop_at=4)
    (column,) = run(["steps"], cache_of(steps=steps), steps.event, num_pictures=1, num_inference_steps=4)[-1]
    assert column.state == "finished"


def test_a_consumer_that_goes_away_stops_the_work():
    stop = CancelToken()
    asked = check_images(Catalog(), ["grey"], {"num_pictures": 1})
    work = compare_images(asked, cache_of(grey=GreyGan()), stop)
    next(work)
    work.close()
    assert stop.is_set()


def test_some_steps_are_kept_of_the_first_images():
    (column,) = run(["steps"], cache_of(steps=GreySteps()), num_pictures=6, num_inference_steps=20)[-1]
    assert [step for step, _ in column.timeline] == [1, 4, 6, 9, 12, 15, 17, 20]
    assert column.timeline[1][1].equal(plain([40] * 4))


@pytest.mark.parametrize(
    ("total", "steps"), [(1, (1,)), (2, (1, 2)), (5, (1, 2, 3, 4, 5)), (8, tuple(range(1, 9)))]
)
def test_few_steps_are_kept_all(total, steps):
    assert timeline_steps(total) == steps


@pytest.mark.parametrize(
    ("models", "settings", "words"),
    [
        ([], {}, "1 to 4 models"),
        (["grey"] * 5, {}, "1 to 4 models"),
        ("grey", {}, "1 to 4 models"),
        (["nobody"], {}, "no model named nobody"),
        (["writer"], {}, "it generates text"),
        (["grey"], {"seed": -1}, "seed must be at least 0"),
        (["grey"], {"seed": 2**31}, "seed must be at most"),
        (["grey"], {"seed": None}, "seed must be a number"),
        (["grey"], {"num_pictures": 0}, "num_pictures must be at least 1"),
        (["grey"], {"num_pictures": 65}, "num_pictures must be at most 64"),
        (["grey"], {"num_pictures": 2.5}, "a whole number"),
        (["grey"], {"truncation": math.nan}, "truncation must be a number"),
        (["grey"], {"truncation": 1.6}, "at most 1.5"),
        (["grey"], {"num_inference_steps": 101}, "at most 100"),
        (["grey"], {"num_inference_steps": [3]}, "must be a number"),
        (["grey"], {"prompt": "x"}, "no setting named prompt"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_model_is_loaded(models, settings, words):
    with pytest.raises(InputError, match=words):
        check_images(Catalog(), models, settings)


def test_a_model_of_images_writes_no_text():
    with pytest.raises(InputError, match="it generates images"):
        Catalog().checked_all(["grey"])


def test_models_of_each_kind_are_listed_apart_and_the_pair_has_the_same_data(monkeypatch):
    assert [choice.value for choice in Catalog().choices("text")] == ["writer"]
    same = entry("on-the-same", "ddpm", family="library", data_sha256="5")
    first = entry("first", data_sha256="5")
    others = [entry("other", "ddpm", family="library", data_sha256="6"), same, first]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in others})
    choices = Catalog().choices("pictures")
    assert [choice.value for choice in choices] == ["other", "on-the-same", "first"]
    assert default_pair(choices) == ("first", "on-the-same")


def test_one_cache_holds_networks_of_both_kinds_and_its_limit_holds_for_them(tmp_path, monkeypatch):
    made = [make_gan(tmp_path / "a-gan"), make_diffusion(tmp_path / "a-diffusion")]
    monkeypatch.setattr(catalog, "CATALOG", {one.name: one for one in made})
    cache = ModelCache(1000)
    names = ["a-gan", "a-diffusion"]
    gan, diffusion = run(names, cache, num_pictures=2, num_inference_steps=2)[-1]
    assert gan.images.shape == diffusion.images.shape == (2, 3, 32, 32)
    assert sorted(cache.names()) == sorted(names)
    assert cache.memory_mib() == pytest.approx(4 * (gan.num_parameters + diffusion.num_parameters) / 2**20)
    again = run(["a-diffusion"], cache, seed=1, num_pictures=1, num_inference_steps=2)[-1][0]
    assert (again.images[0].int() - diffusion.images[1].int()).abs().max() <= 1, "a seed is an image"
    small = ModelCache(0.001)
    for name in names:
        small.get(name)
    assert small.names() == ["a-diffusion"]


def test_two_visitors_may_ask_one_diffusion_model_for_different_steps(tmp_path):
    from aigc_demo.generators.images.loading import load_image_model
    from aigc_demo.generators.images.model import ImageSampling

    model = load_image_model(make_diffusion(tmp_path / "a-diffusion"))
    alone = model.make([3], ImageSampling(num_inference_steps=6))

    def between(step, total, guessed):  # another visitor's images, made between two steps of ours
        if step == 2:
            model.make([4], ImageSampling(num_inference_steps=3))
        return False

    assert torch.equal(model.make([3], ImageSampling(num_inference_steps=6), between), alone)
