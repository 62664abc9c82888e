import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.models import model_cache
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache, Progress, weights_mib
from aigc_demo.studio.models.side_by_side import _with_loading_time
from aigc_demo.studio.text.compare import Column


def model_of(mib):
    return SimpleNamespace(memory_mib=mib, num_parameters=1)


def cache_of(sizes, limit):
    loads = []

    def load(name, report):
        loads.append(name)
        return model_of(sizes[name])

    return ModelCache(limit, load), loads


def test_a_model_is_loaded_once():
    cache, loads = cache_of({"a": 1}, limit=10)
    assert cache.get("a") is cache.get("a")
    assert loads == ["a"]
    assert cache.holds("a")
    assert not cache.holds("b")


def test_the_one_used_longest_ago_leaves():
    cache, loads = cache_of({"a": 4, "b": 4, "c": 4}, limit=10)
    cache.get("a")
    cache.get("b")
    cache.get("a")  # now b is the older one
    cache.get("c")
    assert cache.names() == ["a", "c"]
    assert cache.memory_mib() == 8
    cache.get("b")
    assert loads == ["a", "b", "c", "b"]


def test_a_model_larger_than_the_limit_stays_alone():
    cache, _ = cache_of({"a": 4, "huge": 40}, limit=10)
    cache.get("a")
    cache.get("huge")
    assert cache.names() == ["huge"]


def test_two_who_ask_at_once_share_one_loading():
    started, go_on, loads = threading.Event(), threading.Event(), []

    def load(name, report):
        loads.append(name)
        started.set()
        assert go_on.wait(10)
        return model_of(1)

    cache, got = ModelCache(10, load), []
    threads = [threading.Thread(target=lambda: got.append(cache.get("a"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    assert list(cache.loading()) == ["a"]
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert loads == ["a"]
    assert len(got) == 3
    assert got[0] is got[1] is got[2]
    assert cache.loading() == {}


def test_a_failure_reaches_everyone_and_the_next_call_tries_again():
    outcomes = [DemoError("not_reachable", name="a"), model_of(1)]

    def load(name, report):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    cache = ModelCache(10, load)
    with pytest.raises(DemoError, match="fetch a"):
        cache.get("a")
    assert not cache.holds("a")
    assert cache.get("a").memory_mib == 1


def test_loading_tells_how_much_has_come():
    progress = []

    def load(name, report):
        report(25, 100)
        progress.append(cache.loading()[name])
        return model_of(1)

    cache = ModelCache(10, load)
    cache.get("a")
    assert isinstance(progress[0], Progress)
    assert (progress[0].fetched_bytes, progress[0].total_bytes) == (25, 100)
    assert progress[0].seconds >= 0


def test_what_a_model_does_not_say_is_counted_as_float32():
    assert weights_mib(SimpleNamespace(num_parameters=2**20)) == 4


def test_the_limit_can_be_set_from_outside(monkeypatch):
    monkeypatch.setenv("AIGC_DEMO_MODELS_MIB", "123")
    assert ModelCache().limit_mib == 123
    monkeypatch.setenv("AIGC_DEMO_MODELS_MIB", "much")
    assert ModelCache().limit_mib == 4096


RACE = """
import sys, threading
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
names = ("gpt2-tiny-world", "gpt-tiny-world", "gpt2-shakespeare", "ddpm-tiny-world", "gpt2-tang",
         "text2image-diffusion-tiny-world", "clip-tiny-world", "checker-tiny-world")
cache, failed, begin = ModelCache(), [], threading.Barrier(len(names) + 2)
def load(name):
    begin.wait()
    try:
        cache.get(name)
    except BaseException as error:
        failed.append((name, repr(error)))
def size(recipe):
    from aigc_demo.studio.visitors.admission import expected
    begin.wait()
    try:
        expected(recipe, [])
    except BaseException as error:
        failed.append((recipe, repr(error)))
threads = [threading.Thread(target=load, args=(name,)) for name in names]
threads += [threading.Thread(target=size, args=(recipe,)) for recipe in ("ddpm", "text2image-diffusion")]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(str(failed) if failed else 0)
"""


def test_many_who_are_the_first_to_use_the_libraries_all_get_their_models():
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_whoever_imports_a_large_library_does_so_alone(monkeypatch):
    inside, most = [], []

    class Counting:
        def __enter__(self):
            inside.append(1)

        def __exit__(self, *error):
            most.append(len(inside))
            inside.pop()

    monkeypatch.setattr(model_cache, "importing", Counting)
    loaded = model_cache.load_model(Catalog().choice("gpt-tiny-world"), lambda fetched, total: None)
    assert loaded.num_parameters > 0 and most == [1]


def test_a_loaded_model_is_entered_while_nobody_else_looks():
    started, go_on = threading.Event(), threading.Event()

    def load(name, report):
        started.set()
        assert go_on.wait(30)
        return model_of(1)

    cache = ModelCache(10, load)
    thread = threading.Thread(target=cache.get, args=("a",))
    thread.start()
    assert started.wait(30)
    with cache._lock:  # somebody looks
        go_on.set()
        thread.join(0.3)  # time enough for one that does not wait
        assert (list(cache._models), list(cache._loading)) == ([], ["a"])
    thread.join(30)
    assert (cache.names(), cache.loading()) == (["a"], {})


def test_a_column_whose_model_is_being_loaded_says_for_how_long_and_how_far():
    progress = {"a": Progress(2.5, 30, 120), "b": Progress(4.0)}
    cache = SimpleNamespace(loading=lambda: progress)

    def seen(model, state):
        shown = _with_loading_time(Column(model, state, seed=1), cache)
        return shown.seconds, shown.fetched

    assert seen("a", "loading") == (2.5, 0.25)
    assert seen("b", "loading") == (4.0, None)
    assert seen("a", "writing") == seen("c", "loading") == (0.0, None)
