"""Work for a GPU: in which cases, through which function, and what happens where none is given."""

import multiprocessing
import os
import pickle
from contextvars import ContextVar
from dataclasses import replace

import pytest
import torch

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text.decoding import SamplingSettings, generate
from aigc_demo.generators.text.library import TransformersText
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.generators.text_to_image.ours import load_text_to_image
from aigc_demo.studio.models import gpu
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import check_request, compare_text
from aigc_demo.studio.text_to_image.compare import check_text_to_image, compare_text_to_image
from tests.generators.foreign_folders import save_gpt2, save_pipeline

# ZeroGPU forks a process with threads, of which newer Pythons warn; so does this stand-in.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

LONG = {"max_new_tokens": gpu.LONG_TEXT + 1, "seed": 3}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    save_gpt2(root / "writer")
    save_pipeline(root / "drawer")
    return root


@pytest.fixture(autouse=True)
def a_gpu(models, monkeypatch):
    """A GPU that is this processor under another name."""
    from aigc_demo.generators.text_to_image.stable_diffusion import StableDiffusion

    monkeypatch.setenv("AIGC_DEMO_MODELS", str(models))
    monkeypatch.setattr(gpu, "is_there", lambda: True)
    for kind in (TransformersText, StableDiffusion):
        moved = kind.on_device
        monkeypatch.setattr(kind, "on_device", lambda self, device, moved=moved: moved(self, "cpu"))
    monkeypatch.setattr(gpu, "_work", gpu.work)
    monkeypatch.setattr(gpu, "_on_gpu", {})
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def text_task(**settings):
    return gpu.TextTask(find("writer"), "the cat", SamplingSettings(**{**LONG, **settings}), ())


def image_task(num=3, steps=4):
    sampling = TextSampling(num_inference_steps=steps, guidance_scale=2.0)
    return gpu.ImageTask(find("drawer"), ("a cat",) * num, tuple(range(num)), sampling)


def lend(refuse=None, calls=None):
    """A decorator as ZeroGPU's: each call in a process forked here; tasks and results are pickled."""

    def decorate(work):
        def lent(task):
            if refuse is not None:
                raise refuse
            fork = multiprocessing.get_context("fork")
            results, given = fork.SimpleQueue(), pickle.dumps(task)

            def run():
                for result in work(pickle.loads(given)):
                    results.put((os.getpid(), result))
                results.put(None)

            process = fork.Process(target=run, daemon=True)
            process.start()
            try:
                while (result := results.get()) is not None:
                    if calls is not None:
                        calls.append(result[0])
                    yield result[1]
            finally:
                process.kill()  # a handler of signals, which a fork inherits, may ignore a gentler word
                process.join()

        return lent

    return decorate


def compared(cache, **settings):
    request = check_request(cache.catalog, ["writer"], "the cat", {**LONG, **settings})
    return list(compare_text(request, cache, CancelToken()))[-1][0]


def test_what_goes_to_a_gpu():
    assert gpu.wants(text_task())
    assert not gpu.wants(text_task(max_new_tokens=gpu.LONG_TEXT))
    assert gpu.wants(image_task(num=1, steps=1))
    ours = replace(text_task(), entry=find("gpt-tang"))
    assert not gpu.wants(ours)


def test_nothing_does_where_there_is_none(monkeypatch):
    monkeypatch.setattr(gpu, "is_there", lambda: False)
    assert not gpu.wants(text_task())
    assert not gpu.wants(image_task())


@pytest.mark.parametrize(("tokens", "seconds"), [(100, 20), (1000, 65), (20_000, 120)])
def test_the_time_that_is_asked_for_grows_with_a_text(tokens, seconds):
    """15 seconds, and one for 20 tokens; two minutes at most."""
    assert gpu.seconds_needed(text_task(max_new_tokens=min(tokens, 1000))) == min(seconds, 65)


@pytest.mark.parametrize(("num", "steps", "seconds"), [(1, 10, 16), (8, 20, 31), (16, 100, 120)])
def test_and_with_images_and_steps(num, steps, seconds):
    """15 seconds, and one for ten steps of one image."""
    assert gpu.seconds_needed(image_task(num, steps)) == seconds


@pytest.mark.parametrize("lent", [False, True])
def test_a_text_is_the_one_that_the_cpu_writes(lent, monkeypatch):
    calls = []
    if lent:
        gpu.register(lend(calls=calls))
    model, task = load_text_model("writer"), text_task()
    expected = [token.id for token in generate(model, task.prompt, task.settings)]
    assert [token.id for token in gpu.results(task, model)] == expected
    assert (os.getpid() not in calls) is True
    assert len(calls) == (len(expected) if lent else 0)


@pytest.mark.parametrize("lent", [False, True])
def test_images_are_those_that_the_cpu_draws(lent):
    if lent:
        gpu.register(lend())
    model, task, seen = load_text_to_image("drawer"), image_task(), []

    def progress(step, total, images):
        seen.append((step, total, len(images)))
        return False

    drawn = gpu.draw(task, model, progress)
    expected = model.make(task.texts, task.seeds, task.sampling)
    assert drawn.shape == expected.shape
    assert (drawn.int() - expected.int()).abs().max() <= 2  # another number of threads rounds otherwise
    assert seen == [(step, 4, 2) for step in (1, 2, 3, 4)] + [(step, 4, 3) for step in (1, 2, 3, 4)]


def test_drawing_stops_when_it_is_to():
    seen = []

    def progress(step, total, images):
        seen.append(step)
        return step == 2

    drawn = gpu.draw(image_task(), load_text_to_image("drawer"), progress)
    assert seen == [1, 2]
    assert len(drawn) == 2


def test_a_column_says_how_long_a_gpu_was_asked_for():
    gpu.register(lend())
    cache = ModelCache(catalog=Catalog())
    column = compared(cache)
    assert (column.state, column.gpu_seconds) == ("finished", gpu.seconds_needed(text_task()))
    assert len(column.tokens) == LONG["max_new_tokens"]
    assert compared(cache, max_new_tokens=5).gpu_seconds is None


def test_without_a_gpu_to_be_had_the_cpu_does_the_work(caplog):
    cache = ModelCache(catalog=Catalog())
    expected = compared(cache, max_new_tokens=60).text
    gpu.register(lend(refuse=RuntimeError("quota exceeded at /secret")))
    column = compared(cache, max_new_tokens=60)
    assert (column.state, column.gpu_seconds, column.text) == ("finished", 0, expected)
    request = check_text_to_image(
        cache.catalog, ["drawer"], "a cat", {"num_candidates": 1, "num_inference_steps": 2}
    )
    drawn = list(compare_text_to_image(request, cache, CancelToken()))[-1][0]
    assert (drawn.state, drawn.gpu_seconds) == ("finished", 0)
    assert drawn.images.shape[0] == 1
    assert "quota exceeded" in caplog.text  # for the owner, in the log


def test_a_failure_on_the_way_is_no_reason_to_begin_again():
    def decorate(work):
        def breaking(task):
            yield next(work(task))
            raise RuntimeError("the process died")

        return breaking

    gpu.register(decorate)
    cache = ModelCache(catalog=Catalog())
    column = compared(cache)
    assert column.state == "failed"
    assert column.error.key == "column_failed"
    assert len(column.tokens) == 1


def test_a_sentence_crosses_between_processes():
    error = pickle.loads(pickle.dumps(InputError("not_on_ours", name="x")))
    assert (type(error), error.key, error.values) == (InputError, "not_on_ours", {"name": "x"})
    assert str(error) == str(InputError("not_on_ours", name="x"))

    def decorate(work):
        return lambda task: iter([DemoError("not_finite", model="writer")])

    gpu.register(decorate)
    column = compared(ModelCache(catalog=Catalog()))
    assert (column.state, column.error.key) == ("failed", "not_finite")


def test_stop_ends_what_the_gpu_writes():
    gpu.register(lend())
    cache, stop = ModelCache(catalog=Catalog()), CancelToken()
    request = check_request(cache.catalog, ["writer"], "the cat", {**LONG, "max_new_tokens": 1000})
    for (column,) in compare_text(request, cache, stop):
        if column.tokens:
            stop.set()
    assert column.state == "stopped"
    assert 0 < len(column.tokens) < 1000


def test_the_request_is_known_where_the_gpu_is_asked_for():
    """Who lends a GPU counts it to the visitor, so the column's thread knows what the page knows of him."""
    visitor, seen = ContextVar("visitor", default="nobody"), []

    def decorate(work):
        def counting(task):
            seen.append(visitor.get())
            yield from work(task)

        return counting

    gpu.register(decorate)
    visitor.set("somebody")
    compared(ModelCache(catalog=Catalog()))
    assert seen == ["somebody"]


def test_a_process_that_has_not_the_model_reads_it_from_its_folder(monkeypatch):
    """One that was forked for an earlier call knows only what was in memory then."""
    monkeypatch.setattr(gpu, "_on_cpu", {})
    task = text_task()
    expected = [token.id for token in generate(load_text_model("writer"), task.prompt, task.settings)]
    assert [token.id for token in gpu.work(task)] == expected


def test_at_most_two_models_stay_on_the_gpu(monkeypatch):
    monkeypatch.setattr(gpu, "_loaded", lambda entry: _Movable())
    for number in range(4):
        gpu._model_on_gpu(replace(find("writer"), name=f"m{number}"))
    assert list(gpu._on_gpu) == ["m2", "m3"]


class _Movable:
    def on_device(self, device):
        assert device == "cuda"
        return self
