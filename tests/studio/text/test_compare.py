import math
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice, pairwise

import pytest
import torch

from aigc_demo.core import device
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.generators import catalog
from aigc_demo.studio.models import side_by_side
from aigc_demo.studio.models.cancellation import Cancellation, CancelToken, new_ticket
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import SMALL_PARAMETERS
from aigc_demo.studio.text.compare import Token, check_request, compare_text, new_seed
from tests.studio.fakes import AlphabetModel

ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")
GREEDY = {"temperature": 0, "max_new_tokens": 4}
PER_LETTER = -math.log2(15 / 16)


@pytest.fixture(autouse=True)
def _small_catalog(monkeypatch):
    names = ("alphabet", "slow", "breaks", "missing")
    monkeypatch.setattr(catalog, "CATALOG", {name: replace(ENTRY, name=name) for name in names})


def cache_of(**models):
    def load(name, report):
        if name not in models:
            raise DemoError("not_reachable", name=name)
        return models[name]

    return ModelCache(100, load)


def last(images):
    return list(images)[-1]


def run(models, prompt="a", settings=GREEDY, cache=None, written=None, stop=None):
    cache = cache or cache_of(alphabet=AlphabetModel())
    request = check_request(Catalog(), models, prompt, settings, written)
    return compare_text(request, cache, stop or CancelToken())


def test_both_columns_write_and_know_their_cost():
    left, right = last(run(["alphabet", "alphabet"]))
    assert (left.text, left.state) == ("bcde", "finished")
    assert right.ids == (1, 2, 3, 4)
    assert [token.bits for token in left.tokens] == pytest.approx([PER_LETTER] * 4, rel=1e-4)
    assert [token.text for token in left.prompt] == ["a"]
    assert left.memory_mib == 2
    assert left.num_parameters == 10
    assert 0 < left.first_token_ms <= left.seconds * 1000
    assert left.tokens_per_second == pytest.approx(4 / left.seconds)


def test_an_empty_prompt_starts_from_the_start_token():
    (column,) = last(run(["alphabet"], prompt=""))
    assert column.prompt == ()
    assert column.text == "bcde"


def write_slowly(**models):
    """20 letters of 0.02 s by each of two models; the images and the seconds it took."""
    start = time.perf_counter()
    settings = {"temperature": 0, "max_new_tokens": 20}
    images = list(run(["alphabet", "slow"], settings=settings, cache=cache_of(**models)))
    return images, time.perf_counter() - start


class InStep(AlphabetModel):
    """Writes a letter only while another one of these writes its own."""

    def __init__(self, name, meeting):
        super().__init__(name, seconds=0.02, num_parameters=SMALL_PARAMETERS)
        self.meeting = meeting

    def wait(self):
        self.meeting.wait()
        super().wait()


def test_large_models_write_at_the_same_time_in_threads_of_their_own():
    meeting = threading.Barrier(2, timeout=30)  # one after the other, the first would wait in vain
    models = {name: InStep(name, meeting) for name in ("alphabet", "slow")}
    images, seconds = write_slowly(**models)
    assert [(column.state, len(column.tokens)) for column in images[-1]] == [("finished", 20)] * 2
    assert models["alphabet"].threads.isdisjoint(models["slow"].threads)
    assert len(images) <= 10 * seconds + 5, "at most ten a second, the first, and what begins and ends"


def test_small_models_take_turns_and_count_their_own_time_only():
    models = {name: AlphabetModel(name, seconds=0.02) for name in ("alphabet", "slow")}
    images, seconds = write_slowly(**models)
    spans = sorted((*span, name) for name, model in models.items() for span in model.spans_of_work)
    assert all(one[1] <= other[0] for one, other in pairwise(spans)), "never both at once"
    changes = sum(one[2] != other[2] for one, other in pairwise(spans))
    assert changes >= 4, "both grow side by side"
    own = {name: sum(end - begin for begin, end in model.spans_of_work) for name, model in models.items()}
    assert sum(column.seconds for column in images[-1]) <= seconds, "each without the other's"
    for column in images[-1]:
        begin, end = models[column.model].spans_of_work[0]
        assert column.seconds >= own[column.model] >= 20 * 0.02
        assert 1000 * (end - begin) <= column.first_token_ms <= 1000 * column.seconds
        assert column.tokens_per_second == pytest.approx(20 / column.seconds)


def test_large_and_small_models_keep_the_threads_that_suit_them(monkeypatch):
    monkeypatch.setattr(device, "cpu_quota", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    num_threads = []
    monkeypatch.setattr(torch, "set_num_threads", num_threads.append)
    last(run(["alphabet"]))
    last(run(["alphabet"], cache=cache_of(alphabet=AlphabetModel(num_parameters=SMALL_PARAMETERS))))
    assert num_threads == [1, 4]


def test_a_column_that_breaks_leaves_the_other_alone(caplog):
    models = {"alphabet": AlphabetModel(), "breaks": AlphabetModel("breaks", breaks_after=2)}
    good, bad = last(run(["alphabet", "breaks"], cache=cache_of(**models)))
    assert (good.text, good.state) == ("bcde", "finished")
    assert (bad.text, bad.state) == ("bc", "failed")
    assert bad.error.key == "column_failed"
    assert "out of letters" not in str(bad.error)
    assert "out of letters" in caplog.text


def test_a_model_that_cannot_be_loaded_says_how_to_get_it():
    good, bad = last(run(["alphabet", "missing"]))
    assert good.state == "finished"
    assert bad.state == "failed"
    assert "python -m aigc_demo fetch missing" in str(bad.error)


def test_a_prompt_too_long_for_one_model_fails_that_column():
    (column,) = last(run(["alphabet"], prompt="a" * 17))
    assert column.error.key == "prompt_too_long"


def test_stop_ends_all_columns_and_says_so():
    stop = CancelToken()
    models = {name: AlphabetModel(name, seconds=0.02) for name in ("alphabet", "slow")}
    images = run(["alphabet", "slow"], settings={"max_new_tokens": 1000}, cache=cache_of(**models), stop=stop)
    for image in images:
        if all(len(column.tokens) >= 3 for column in image):
            stop.set()
    assert [column.state for column in image] == ["stopped", "stopped"]
    assert all(3 <= len(column.tokens) < 200 for column in image)


def test_text_held_back_for_a_stop_string_is_shown_when_the_user_stops():
    """Continue goes on from exactly what is shown."""
    stop, cache = CancelToken(), cache_of(alphabet=AlphabetModel(seconds=0.05))
    settings = {"temperature": 0, "max_new_tokens": 9, "stop": ("cdefghijx",)}
    for (column,) in run(["alphabet"], settings=settings, cache=cache, stop=stop):
        if len(column.tokens) >= 3:
            stop.set()
    assert column.state == "stopped"
    assert column.text == "bcdefghij"[: len(column.ids)]
    assert len(column.text) >= 3
    rest = {"temperature": 0, "max_new_tokens": 2}
    (more,) = last(run(["alphabet"], settings=rest, cache=cache, written=[column.tokens]))
    assert more.text == "bcdefghija"[: len(column.ids) + 2]


def test_text_held_back_is_shown_when_the_column_fails(caplog):
    broken = AlphabetModel("breaks", breaks_after=4)
    settings = {"temperature": 0, "max_new_tokens": 9, "stop": ("cdefghijx",)}
    (column,) = last(run(["breaks"], settings=settings, cache=cache_of(breaks=broken)))
    assert (column.state, column.text) == ("failed", "bcde")


def test_a_consumer_that_goes_away_stops_the_writers():
    stop, model = CancelToken(), AlphabetModel(seconds=0.02)
    images = run(["alphabet"], settings={"max_new_tokens": 1000}, cache=cache_of(alphabet=model), stop=stop)
    next(images)
    images.close()
    assert stop.is_set()
    for writer in [thread for thread in threading.enumerate() if thread.name.startswith("column-")]:
        writer.join(30)
        assert not writer.is_alive()
    assert model.drawn < 1000


def test_the_same_seed_gives_both_columns_the_same_text():
    settings = {"temperature": 3.0, "top_k": 0, "max_new_tokens": 12, "seed": 5}
    left, right = last(run(["alphabet", "alphabet"], settings=settings))
    (again,) = last(run(["alphabet"], settings=settings))
    (other,) = last(run(["alphabet"], settings={**settings, "seed": 6}))
    assert left.text == right.text == again.text
    assert other.text != left.text


def test_going_on_gives_the_text_that_would_have_come():
    settings = {"temperature": 3.0, "top_k": 0, "max_new_tokens": 10, "seed": 5}
    (whole,) = last(run(["alphabet"], settings=settings))
    (half,) = last(run(["alphabet"], settings={**settings, "max_new_tokens": 5}))
    rest = {**settings, "max_new_tokens": 5}
    (by_tokens,) = last(run(["alphabet"], settings=rest, written=[half.tokens]))
    (by_ids,) = last(run(["alphabet"], settings=rest, written=[list(half.ids)]))
    assert by_tokens.tokens == whole.tokens
    assert by_ids.text == whole.text
    assert math.isnan(by_ids.tokens[0].bits)


@pytest.mark.parametrize(
    ("models", "prompt", "settings", "written", "key"),
    [
        (["nobody"], "a", {}, None, "unknown_model"),
        (["alphabet@ours"], "a", {}, None, "unknown_model"),
        (["../assets"], "a", {}, None, "unknown_model"),
        ([["alphabet"]], "a", {}, None, "unknown_model"),
        ([], "a", {}, None, "setting_type"),
        ("alphabet", "a", {}, None, "setting_type"),
        (["alphabet"] * 5, "a", {}, None, "setting_type"),
        (["alphabet"], 7, {}, None, "setting_type"),
        (["alphabet"], "a" * 20_001, {}, None, "text_too_long"),
        (["alphabet"], "\ud800", {}, None, "text_not_unicode"),
        (["alphabet"], "a", {"temperature": math.nan}, None, "setting_type"),
        (["alphabet"], "a", {"temperature": -1}, None, "setting_range"),
        (["alphabet"], "a", {"top_k": 2.5}, None, "setting_type"),
        (["alphabet"], "a", {"max_new_tokens": 10**9}, None, "setting_range"),
        (["alphabet"], "a", {"seed": None}, None, "setting_type"),
        (["alphabet"], "a", {"warmth": 1}, None, "unknown_setting"),
        (["alphabet"], "a", {}, [[1], [2]], "setting_type"),
        (["alphabet"], "a", {}, [[-1]], "setting_type"),
        (["alphabet"], "a", {}, [[1.5]], "setting_type"),
        (["alphabet"], "a", {}, [["b"]], "setting_type"),
        (["alphabet"], "a", {}, ["bc"], "setting_type"),
        (["alphabet"], "a", {}, [[1] * 20_001], "setting_range"),
        (["alphabet"], "a", {}, [(Token(1, "b", 0.0),) * 20_001], "setting_range"),
        (["alphabet"], "a", {}, [(Token(-1, "b", 0.0),)], "setting_type"),
        (["alphabet"], "a", {}, [(Token(1, "b", math.inf),)], "setting_type"),
        (["alphabet"], "a", {}, [(Token(1, "b", -1.0),)], "setting_type"),
        (["alphabet"], "a", {}, [(Token(1, "b", "many"),)], "setting_type"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_model_is_loaded(models, prompt, settings, written, key):
    with pytest.raises(InputError) as refused:
        check_request(Catalog(), models, prompt, settings, written)
    assert refused.value.key == key


@pytest.mark.parametrize("wrong", [(99,), (10,), (9,), (1, 2, 4), (4, 1)])
def test_an_id_outside_the_vocabulary_or_a_banned_one_fails_its_column_alone(wrong):
    """Ten letters, of which two are banned."""
    muted = AlphabetModel()
    muted.banned_ids = (4, 9)
    cache = cache_of(alphabet=muted, slow=AlphabetModel("slow"))
    written = [[*wrong], tuple(Token(index, "?", 0.0) for index in (4, 9))]
    column, other = last(run(["alphabet", "slow"], cache=cache, written=written))
    assert (column.error.key, column.state) == ("token_not_in_vocabulary", "failed")
    assert column.error.values["got"] == next(index for index in wrong if index in (4, 9, 10, 99))
    assert (other.state, other.ids) == ("finished", (4, 9, 0, 1, 2, 3)), "of this model no id is banned"


def test_each_column_goes_on_after_what_was_written_in_it():
    cache = cache_of(alphabet=AlphabetModel(), slow=AlphabetModel("slow", step=-1))
    columns = last(run(["alphabet", "slow"], cache=cache, written=[[1, 5], [3, 8, 6]]))
    assert [column.ids for column in columns] == [(1, 5, 6, 7, 8, 9), (3, 8, 6, 5, 4, 3, 2)]


def test_as_many_texts_as_models_or_none():
    for written in ([[1]], [[1], [2], [3]], [None], ["", ""]):
        with pytest.raises(InputError) as refused:
            check_request(Catalog(), ["alphabet", "slow"], "a", {}, written)
        assert refused.value.key == "setting_type"
    for nothing in (None, [], (), [None, None], [[], []]):
        assert check_request(Catalog(), ["alphabet", "slow"], "a", {}, nothing).written == ((), ())


def test_one_visitor_writes_one_text_at_a_time_and_stops_only_that():
    cancellation, anna, ben = Cancellation(), new_ticket(), new_ticket()
    assert anna != ben
    with cancellation.joined(anna, may_wait=False) as hers, cancellation.joined(ben, may_wait=False) as his:
        with pytest.raises(InputError, match="press Stop"), cancellation.joined(anna, may_wait=False):
            pass
        assert not cancellation.stop("")
        assert cancellation.stop(anna)
        assert hers.is_set()
        assert not his.is_set()
    assert not cancellation.stop(anna)
    with cancellation.joined(anna, may_wait=False) as again:
        assert not again.is_set()


def test_seeds_are_whole_numbers_that_a_page_can_show():
    seeds = {new_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert all(0 <= seed < 2**31 for seed in seeds)


class Panic(BaseException):
    """What a library of another language raises: no Exception."""


def test_what_is_no_exception_ends_its_column_alone(caplog):
    def load(name, report):
        if name == "breaks":
            raise Panic
        return AlphabetModel()

    left, right = last(run(["breaks", "alphabet"], cache=ModelCache(100, load)))
    assert (left.state, left.error.key) == ("failed", "column_failed")
    assert (right.state, right.text) == ("finished", "bcde")
    assert "Panic" in caplog.text


def test_a_model_whose_tokens_have_no_text_fails_and_its_column_ends(caplog):
    """Telling why asks for the texts again; where that fails too, the tokens stand as they are."""

    def decode(ids):
        raise Panic

    mute = AlphabetModel("breaks")
    mute.decode = decode
    cache = cache_of(breaks=mute, alphabet=AlphabetModel())
    images = list(islice(run(["breaks", "alphabet"], cache=cache, written=[[1], []]), 100))
    assert len(images) < 100, "else it is shown for ever"
    left, right = images[-1]
    assert (left.state, left.error.key, left.ids) == ("failed", "column_failed", (1,))
    assert (right.state, right.text) == ("finished", "bcde")


def test_what_begins_and_what_ends_is_shown_at_once(monkeypatch):
    monkeypatch.setattr(side_by_side, "SNAPSHOT_SECONDS", 30.0)  # what one that waits for its time would take
    began = time.perf_counter()
    images = [(image[0].state, len(image[0].tokens)) for image in run(["alphabet"])]
    assert time.perf_counter() - began < 30
    assert images[0] == ("waiting", 0) and images[-1] == ("finished", 4)


def test_many_who_look_on_are_shown_fewer_images():
    viewers = side_by_side._Viewers()
    for _ in range(side_by_side.MOST_SNAPSHOTS_PER_SECOND):
        viewers.__enter__()
    assert viewers.seconds == pytest.approx(1.0)
    for _ in range(side_by_side.MOST_SNAPSHOTS_PER_SECOND - 1):
        viewers.__exit__()
    assert viewers.seconds == side_by_side.SNAPSHOT_SECONDS


def test_four_large_models_run_at_the_same_time():
    large, cache, asked = AlphabetModel(), cache_of(), []
    large.num_parameters = SMALL_PARAMETERS

    class Impatient:
        """Stopped as soon as it has waited for a slot once."""

        def __init__(self):
            self.times = 0

        def is_set(self):
            self.times += 1
            return self.times > 1

    with ExitStack() as running:
        for _ in range(5):
            asked.append(Impatient())
            running.enter_context(side_by_side.time_slice_for(large, cache, asked[-1]))
    assert [one.times for one in asked] == [1, 1, 1, 1, 2]


def test_large_models_wait_for_a_slot_and_stop_ends_the_wait(monkeypatch):
    monkeypatch.setattr(side_by_side, "_large_slots", threading.BoundedSemaphore(1))
    large, cache = AlphabetModel(), cache_of()
    large.num_parameters = SMALL_PARAMETERS
    inside, stop = [], CancelToken()

    def wait():
        with side_by_side.time_slice_for(large, cache, stop):
            inside.append(stop.is_set())

    with side_by_side.time_slice_for(large, cache):
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(3 * side_by_side.WAIT_SECONDS)  # it looks for a slot several times meanwhile
        assert inside == []
        stop.set()
        waiting.join(30)
        assert inside == [True]
    with side_by_side.time_slice_for(large, cache):
        pass  # whoever waited in vain has given nothing back that it did not have
