"""A run that is not shared is nobody else's: in lists, pickers, endpoints and images alike."""

import threading
from types import SimpleNamespace

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.job import Job, hashed
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches, image_key
from aigc_demo.studio.visitors import visitor
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import Sessions, answer_to, current_visitor
from tests.studio.models.test_catalog import DATA, RunDirectory, add_checkpoint

ANNA, BELA = "anna" * 10, "bela" * 10


@pytest.fixture
def queue(tmp_path):
    for name, shared in (("private", False), ("shared", True), ("of-the-terminal", None)):
        run = RunDirectory(tmp_path / name)
        run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}})
        add_checkpoint(run, 20)
        if shared is not None:
            Job(hashed(ANNA), ("train", "gpt"), "ended", 0.0, shared=shared).save(run.path)
    return RunQueue(tmp_path)


def names_of(catalog):
    return {choice.value.partition("@")[0] for choice in catalog.choices("text") if choice.of_a_run}


def test_the_owner_and_nobody_in_particular_see_all(queue):
    for owner in (None, ANNA):
        answer_to(owner)
        assert set(queue.names()) == {"private", "shared", "of-the-terminal"}
        assert names_of(Catalog(queue)) == {"private", "shared", "of-the-terminal"}
        assert queue.state("private").name == RunWatches(queue).view("private").state.name == "private"


@pytest.mark.parametrize("other", [BELA, ""])
def test_for_others_it_is_not_there(queue, other):
    catalog, watches = Catalog(queue), RunWatches(queue)
    cache = ModelCache(load=lambda name, progress: SimpleNamespace(memory_mib=1), catalog=catalog)
    answer_to(ANNA)
    assert cache.get("private@20") is cache.get("private@20")
    assert watches.view("private").checkpoints == (20,)
    answer_to(other)
    assert set(queue.names()) == {"shared", "of-the-terminal"}
    assert names_of(catalog) == {"shared", "of-the-terminal"}
    assert "private@20" not in {choice.value for choice in catalog.starting_points("gpt")}
    asked = [
        lambda: queue.run("private"),
        lambda: queue.state("private"),
        lambda: watches.view("private"),
        lambda: watches.view("private", fresh=True),
        lambda: catalog.choice("private@20"),
        lambda: catalog.choice("private"),
        lambda: catalog.checked("private@20@ours"),
        lambda: catalog.starting_point("gpt", "private@20"),
        lambda: catalog.trained_by("private@20"),
        lambda: cache.get("private@20"),
        lambda: queue.stop("private", BELA),
        lambda: queue.delete("private", BELA),
    ]
    for ask in asked:
        with pytest.raises(InputError) as caught:
            ask()
        assert caught.value.key in ("unknown_run", "unknown_model")
    assert cache.get("shared@20") is cache.get("shared@20")
    queue.close()


def test_a_shared_run_is_watched_by_others_and_its_files_are_its_owners(queue):
    answer_to(BELA)
    assert RunWatches(queue).view("shared").checkpoints == (20,)
    assert not queue.may_be_taken_by("shared", BELA) and queue.may_be_taken_by("shared", ANNA)
    with pytest.raises(InputError, match="somebody else"):
        queue.check_taken_by("shared", BELA)
    queue.check_taken_by("shared", ANNA)


def test_a_run_of_nobody_goes_home_with_anybody_only_where_runs_are_shared(queue):
    queue.check_taken_by("of-the-terminal", BELA)
    queue.limits = Limits(share_runs=False)
    with pytest.raises(InputError):
        queue.check_taken_by("of-the-terminal", BELA)


def test_a_image_is_shown_to_who_was_shown_the_run(queue):
    watches, key = RunWatches(queue), image_key("private")
    (queue.folder / "private" / "samples" / "step-000020.png").write_bytes(b"\x89PNG\r\n\x1a\npicture")
    answer_to(BELA)
    assert len(key) == 32 and key != image_key("shared")
    for wrong in ("", key[:-1], image_key("shared"), "ü" * 32):
        assert watches.sample_image("private", 20, wrong) is None


def test_a_session_belongs_to_who_showed_a_secret_in_it():
    sessions = Sessions()
    sessions.meet("one", ANNA)
    sessions.meet("", BELA)
    sessions.meet(None, BELA)
    assert [sessions.secret_of(name) for name in ("one", "two", "", None)] == [ANNA, "", "", ""]


def test_a_session_is_whose_secret_was_shown_last_and_the_longest_unseen_is_forgotten(monkeypatch):
    monkeypatch.setattr(visitor, "MOST_SESSIONS", 3)
    sessions = Sessions()
    for name in ("one", "two", "three"):
        sessions.meet(name, ANNA)
    sessions.meet("one", BELA)
    assert sessions.secret_of("one") == BELA
    sessions.meet("four", ANNA)
    assert [sessions.secret_of(name) for name in ("one", "two", "three", "four")] == [BELA, "", ANNA, ANNA]


def test_who_is_answered_holds_for_one_call_alone():
    answer_to(ANNA)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(current_visitor()))
    thread.start()
    thread.join()
    assert (current_visitor(), seen) == (ANNA, [None])
