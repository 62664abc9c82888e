"""The handlers of the tab Train, without a page."""

import asyncio
import json
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunFinished, StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs import patient_reads
from aigc_demo.studio.runs.job import Job, hashed
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import answer_to
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui.app import build_app, new_studio
from aigc_demo.ui.train import handlers as train_handlers
from aigc_demo.ui.train import order_form, view
from aigc_demo.ui.train.comparison import differences
from aigc_demo.ui.train.handlers import TrainHandlers
from aigc_demo.ui.train.order_form import OFFERED, checked_order, offered
from tests.studio.models.test_catalog import DATA, add_checkpoint
from tests.studio.slow_disk import hanging
from tests.ui.serving.test_slots import built

ANNA, BELA = "anna" * 10, "bela" * 10


@pytest.fixture
def handlers(tmp_path):
    run = RunDirectory(tmp_path / "annas")
    run.create({"recipe": "gpt", "settings": {}})
    Job(hashed(ANNA), ("train",), "ended", 0.0).save(run.path)
    queue = RunQueue(tmp_path)
    made = TrainHandlers(RunWatches(queue), Catalog(queue))
    yield made
    made._exports.cleanup()


@pytest.mark.parametrize("secret", [BELA, "", None, 3])
def test_nobody_pushes_the_run_of_another(handlers, monkeypatch, secret):
    pushed = []
    monkeypatch.setattr(
        train_handlers, "push_model", lambda run, name: pushed.append(name) or "https://hub/x"
    )
    with pytest.raises(gr.Error, match="started by somebody else"):
        handlers.push(None, "annas", "anna/model", secret)
    assert pushed == []
    notice = handlers.push(None, "annas", "anna/model", ANNA)
    assert (pushed, notice["words"]["en"]) == (["anna/model"], "Pushed: https://hub/x")


def test_without_a_token_it_says_so(handlers, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(gr.Error, match="HF_TOKEN"):
        handlers.push(None, "annas", "anna/model", ANNA)


def test_a_run_without_a_checkpoint_gives_no_model(handlers):
    with pytest.raises(gr.Error, match="checkpoint"):
        handlers.save_model(None, "annas", ANNA)


def filled(recipe, **changes):
    """The form as it stands when a recipe was chosen, with some of it changed."""
    starts = order_form._starts(recipe)
    first = {"recipe": recipe, "source": "tiny-world", "text": None, "zip": None, "init": "", "kind": "steps"}
    rest = {"amount": 5, "seed": 1, "shared": True, **{name: starts.get(name) for name in OFFERED}}
    return list({**first, **rest, **changes}.values())


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_form_as_it_opens_orders_what_the_recipe_starts_with(recipe):
    words = checked_order(Catalog(), filled(recipe))[0].words()
    given = dict(pair.split("=", 1) for pair in words["settings"])
    assert set(offered(recipe)) <= set(given)
    assert RECIPES[recipe].complete(given) == RECIPES[recipe].complete(RECIPES[recipe].small)


def test_the_form_takes_what_training_images_are_varied_by():
    changes = {"diff_augment": ["colour", "cutout"], "flip": True, "dropout": 0.3}
    settings = checked_order(Catalog(), filled("dcgan", **changes))[0].words()["settings"]
    assert {"diff_augment=colour,cutout", "flip=true"} <= set(settings)
    assert not [setting for setting in settings if setting.startswith("dropout")]


def test_each_recipe_takes_an_upload_of_its_kind(tmp_path):
    (tmp_path / "a.txt").write_text("A story.")
    (tmp_path / "a.zip").write_bytes(b"PK")
    both = {"source": "own", "text": str(tmp_path / "a.txt"), "zip": str(tmp_path / "a.zip")}
    writes, draws = (checked_order(Catalog(), filled(recipe, **both))[0] for recipe in ("gpt", "dcgan"))
    assert (writes.text, writes.images) == (b"A story.", None)
    assert (draws.text, draws.images) == (None, tmp_path / "a.zip")
    with pytest.raises(InputError, match="no file yet"):
        checked_order(Catalog(), filled("dcgan", **{**both, "zip": None}))
    assert [part["visible"] for part in order_form.seen_uploads("dcgan", "own")] == [False, True]
    assert [part["visible"] for part in order_form.seen_uploads("gpt", "own")] == [True, False]


def test_another_recipe_shows_its_own_settings_and_leaves_those_that_start_alike():
    shown = dict(zip(OFFERED, order_form.starts_of("stylegan", "dcgan")[1:], strict=True))
    assert {name for name, part in shown.items() if part["visible"]} == set(offered("stylegan"))
    assert "value" not in shown["image_size"]
    assert shown["learning_rate"]["value"] == 2e-3
    again = dict(zip(OFFERED, order_form.starts_of("gpt2", "gpt")[1:], strict=True))
    assert "value" not in again["batch_size"] and again["learning_rate"]["value"] == 3e-3


def test_a_trial_shows_the_rate_of_its_recipe():
    found = {"seconds": 3.0, "steps": 5, "peak_memory_mib": 1.0, "disk_mib": 1.0, "num_parameters": 7}
    shown = view.trial_figures({**found, "pictures_per_second": 1234.0})["facts"][1]
    assert (shown["name"]["en"], shown["value"]["en"]) == ("Pictures per second", "1,234")


def test_runs_without_validation_are_compared_by_their_training(tmp_path):
    run = RunDirectory(tmp_path / "game")
    run.create({"recipe": "dcgan", "settings": {}})
    for step in (1, 2):
        run.append(StepDone(step, 1.0 / step, {"discriminator_loss": 9.0}))
    queue = RunQueue(tmp_path)
    plot, table = differences(
        queue, [RunWatches(queue).view("game")], "en", validation=True, logarithmic=True
    )
    drawn = [(step, value) for step, value, _ in plot["value"]["data"] if value is not None]
    assert [step for step, _ in drawn] == [1, 2]
    assert drawn[0][1] == 1.0, "of the generator, and no logarithm"
    assert table["rows"][1]["cells"][0]["en"] == "–"


def test_watching_asks_the_disk_in_other_threads_than_the_one_that_serves_everybody(handlers, monkeypatch):
    monkeypatch.setattr(patient_reads, "PATIENCE_SECONDS", 0.3)
    request, found = SimpleNamespace(session_hash="a page", cookies={}, headers={}), []

    look, looking = handlers._look, []
    monkeypatch.setattr(
        handlers,
        "_look",
        lambda *asked, **how: looking.append(threading.current_thread()) or look(*asked, **how),
    )

    async def watched():
        return [update async for update in handlers.watch(request, "annas", False, ANNA)]

    def work():
        found.append(asyncio.run(watched()))
        with hanging(monkeypatch, handlers._queue.folder):
            found.append(asyncio.run(watched()))

    thread = threading.Thread(target=work)  # the browser tests' driver keeps a loop running in this one
    thread.start()
    thread.join()
    assert [len(updates) for updates in found] == [1, 1]
    assert len(looking) == 2
    assert thread not in looking
    assert found[0][0][0]["name"] == found[1][0][0]["name"] == "annas"
    assert found[0][0][0]["owner"] == found[1][0][0]["owner"] == view.everywhere("run_mine")


@pytest.mark.parametrize("lost", [True, False])
def test_a_run_that_has_ended_says_whether_a_restart_takes_it(tmp_path, lost):
    run = RunDirectory(tmp_path / "annas")
    run.create({"recipe": "gpt", "settings": {}})
    beside = run.begin_checkpoint(1)
    (beside / "config.json").write_text("{}")
    run.finish_checkpoint(1)
    card = view.run_card(RunWatches(RunQueue(tmp_path)).view("annas"), lost=lost)
    assert card["lost"] == (view.everywhere("space_disk_run") if lost else None)
    assert set(view.everywhere("space_disk_run")) == {"en", "zh-CN", "zh-TW"}


def test_the_page_that_everybody_gets_names_no_run_that_is_not_shared(tmp_path):
    for name, shared in (("private", False), ("open-to-all", True)):
        run = RunDirectory(tmp_path / name)
        run.create({"recipe": "gpt", "source": f"{name}.txt", "data": DATA, "settings": {}})
        add_checkpoint(run, 20)
        Job(hashed(ANNA), ("train", "gpt"), "ended", 0.0, shared=shared).save(run.path)
    page = built(lambda: build_app(new_studio(tmp_path)))
    everything = json.dumps(page.get_config_file(), default=str)
    assert "open-to-all@20" in everything and "private.txt" not in everything and "private@" not in everything


@pytest.mark.parametrize(("given", "shared"), [(True, True), (False, False), (None, False), ("yes", False)])
def test_a_run_that_is_brought_is_shared_where_its_owner_says_so(handlers, monkeypatch, given, shared):
    brought = []
    monkeypatch.setattr(
        handlers._queue, "bring", lambda path, secret, address, kept: brought.append(kept) or "annas"
    )
    handlers.upload(None, "run.zip", ANNA, given)
    assert brought == [shared]


@pytest.fixture
def kept(tmp_path):
    """Runs that have ended, each with a checkpoint: Anna's own, one that she shares, one of a terminal."""
    for name, shared in (("private", False), ("shared", True), ("of-a-terminal", None)):
        run = RunDirectory(tmp_path / name)
        run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}, "steps": 20})
        run.append(StepDone(20, 1.5))
        add_checkpoint(run, 20)
        if shared is not None:
            Job(hashed(ANNA), ("train", "gpt"), "ended", 0.0, shared=shared).save(run.path)
    queue = RunQueue(tmp_path, limits=Limits(share_runs=True))
    made = TrainHandlers(RunWatches(queue), Catalog(queue))
    yield made
    answer_to(None)
    made._exports.cleanup()
    queue.close()


NOT_OWNERS = [BELA, "", None, 3, ["a"], hashed(ANNA)]


@pytest.mark.parametrize("name", ["private", "shared"])
@pytest.mark.parametrize("action", ["download", "save_model", "delete", "resume", "stop", "push"])
def test_nobody_else_takes_stops_or_deletes_a_run(kept, monkeypatch, action, name):
    """The hash that lies on the disk opens nothing either."""
    monkeypatch.setattr(train_handlers, "push_model", lambda *what: pytest.fail("it was pushed"))
    before = {path: path.read_bytes() for path in (kept._queue.folder / name).rglob("*") if path.is_file()}
    more = ("anna/model",) if action == "push" else ()
    for secret in NOT_OWNERS:
        if action == "stop":  # says it in a line
            answer = json.dumps(kept.stop(None, name, secret))
            assert "started by somebody else" in answer or "no run named" in answer
            continue
        with pytest.raises(gr.Error, match=r"started by somebody else|no run named"):
            getattr(kept, action)(None, name, *more, secret)
    assert not list(Path(kept._exports.name).rglob("*.zip"))
    assert {path: path.read_bytes() for path in before} == before


def test_the_owner_takes_both_files_and_deletes(kept):
    names = ["download", "save_model"]
    run, model = (Path(getattr(kept, name)(None, "shared", ANNA)["value"]) for name in names)
    assert run != model and run.parent == model.parent
    with zipfile.ZipFile(run) as archive:
        assert "events.jsonl" in archive.namelist()
    with zipfile.ZipFile(model) as archive:
        assert "shared/model.safetensors" in archive.namelist()
    other = Path(kept.download(None, "private", ANNA)["value"])
    assert other.parent != run.parent, "names that a file system takes for one are not one folder"
    kept.delete(None, "private", ANNA)
    assert set(kept._queue.names()) == {"shared", "of-a-terminal"}


@pytest.mark.parametrize("action", ["delete", "resume", "push"])
def test_a_run_of_a_terminal_is_nobodys_on_the_page(kept, monkeypatch, action):
    monkeypatch.setattr(train_handlers, "push_model", lambda *what: pytest.fail("it was pushed"))
    more = ("anna/model",) if action == "push" else ()
    for secret in (ANNA, BELA, ""):
        with pytest.raises(gr.Error, match="started by somebody else"):
            getattr(kept, action)(None, "of-a-terminal", *more, secret)


@pytest.mark.parametrize("action", ["download", "save_model"])
def test_a_run_of_a_terminal_is_taken_by_anybody_only_where_runs_are_shared(kept, action):
    assert Path(getattr(kept, action)(None, "of-a-terminal", BELA)["value"]).is_file()
    kept._queue.limits = Limits(share_runs=False)
    with pytest.raises(gr.Error, match="started by somebody else"):
        getattr(kept, action)(None, "of-a-terminal", BELA)


def new_folder(path):
    path.mkdir()
    return path


def test_the_charts_beside_the_first_are_drawn_at_first_and_then_at_every_fourth_look(handlers, monkeypatch):
    monkeypatch.setattr(train_handlers, "REFRESH_SECONDS", 0)
    request, slow_looks, firsts = SimpleNamespace(session_hash="a page", cookies={}, headers={}), [], []

    def look(name, secret, first):
        firsts.append(first)
        return SimpleNamespace(view=None, mine=True, taken=True, used_disk="", ended=len(firsts) == 11)

    monkeypatch.setattr(handlers, "_look", look)
    monkeypatch.setattr(
        train_handlers._Outputs, "of", lambda self, view, mine, *, taken, slow: slow_looks.append(slow) or ()
    )

    async def watched():
        return [update async for update in handlers.watch(request, "annas", False, ANNA)]

    thread = threading.Thread(target=lambda: asyncio.run(watched()))  # as above
    thread.start()
    thread.join()
    assert slow_looks == [True, *[False] * 3, True, *[False] * 3, True, False, True], "the last one too"
    assert firsts == [True] + [False] * 10


def test_who_comes_is_shown_a_run_under_way_then_an_own_one_each_with_the_own_before_the_others(handlers):
    queue = handlers._queue
    for name, owner in (("belas", BELA), ("carls", "carl" * 10)):
        run = RunDirectory(queue.folder / name)
        run.create({"recipe": "gpt", "settings": {}})
        Job(hashed(owner), ("train",), "ended", 0.0).save(run.path)
    assert (handlers._first(ANNA), handlers._first(BELA)) == ("annas", "belas")
    assert handlers._first("dora" * 10) == queue.names()[0]
    Job(hashed(BELA), ("train", "gpt"), "waiting", 1.0).save(new_folder(queue.folder / "belas-next"))
    assert (handlers._first(ANNA), handlers._first(BELA)) == ("belas-next", "belas-next")
    Job(hashed(ANNA), ("train", "gpt"), "waiting", 2.0).save(new_folder(queue.folder / "annas-next"))
    assert (handlers._first(ANNA), handlers._first(BELA)) == ("annas-next", "belas-next")


BUTTONS = ("stop", "resume", "delete", "download", "save")


@pytest.mark.parametrize(
    ("name", "secret", "pressed"),
    [
        ("shared", ANNA, {"delete", "download", "save"}),
        ("shared", BELA, set()),
        ("private", ANNA, {"delete", "download", "save"}),
        ("of-a-terminal", BELA, {"download", "save"}),
        ("next", ANNA, {"stop"}),
        ("next", BELA, set()),
        ("stopped", ANNA, {"resume", "delete", "download", "save"}),
        ("stopped", BELA, set()),
    ],
)
def test_the_buttons_that_can_be_pressed_are_those_of_who_looks(kept, name, secret, pressed):
    Job(hashed(ANNA), ("train", "gpt"), "waiting", 1.0).save(new_folder(kept._queue.folder / "next"))
    run = RunDirectory(kept._queue.folder / "stopped")
    run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}, "steps": 20})
    add_checkpoint(run, 10)
    (run.checkpoint() / "state").mkdir()
    run.append(RunFinished(10, "stopped"))
    Job(hashed(ANNA), ("train", "gpt"), "ended", 0.0).save(run.path)
    answer_to(secret)
    seen = kept._look(name, secret, first=True)
    outputs = train_handlers._Outputs("en", logarithmic=False)
    shown = outputs.of(seen.view, seen.mine, taken=seen.taken, slow=True)
    assert {
        button for button, part in zip(BUTTONS, shown[-5:], strict=True) if part["interactive"]
    } == pressed


@pytest.mark.parametrize(
    ("runs", "disk", "phrases"), [(7, 0, ("7 runs", "∞ MiB")), (0, 450, ("∞ runs", "450 MiB"))]
)
def test_what_a_visitor_is_given_is_said_and_no_limit_is_endless(runs, disk, phrases):
    text = order_form._limits_words(Limits(runs_per_visitor=runs, disk_mib_per_visitor=disk, run_minutes=13))
    assert all(part in text for part in ("at most 13 minutes", *phrases))


def test_a_run_is_resumed_for_whoever_keeps_its_secret(handlers, monkeypatch):
    asked = []
    monkeypatch.setattr(handlers._queue, "resume", lambda *given: asked.append(given))
    notice = handlers.resume(None, "annas", ANNA)
    assert asked == [("annas", ANNA, "")]  # without a request there is no address
    assert notice["words"]["en"] == "It goes on from its last checkpoint."
