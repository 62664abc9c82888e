"""The slider over a run's checkpoints, without a page."""

import gradio as gr
import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.catalog import Catalog
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.run_desk import RunDesk
from aigc_demo.studio.run_watch import RunWatches
from aigc_demo.studio.stop_book import StopBook
from aigc_demo.ui.scrubber import NO_BASELINE, ScrubHandlers, chosen_step
from tests.studio.test_catalog import DATA, add_checkpoint


@pytest.fixture
def handlers(tmp_path):
    for name in ("mine", "yours"):
        run = RunDirectory(tmp_path / name)
        run.create({"recipe": "gpt", "source": "mine.txt", "data": DATA, "settings": {}})
        for step in (20, 30):
            add_checkpoint(run, step)
    desk = RunDesk(tmp_path)
    return ScrubHandlers(ModelCache(catalog=Catalog(desk)), StopBook(), RunWatches(desk))


@pytest.mark.parametrize(
    ("value", "step"),
    [
        ({"run": "mine", "steps": [20, 30], "step": 20}, 20),
        ({"run": "mine", "steps": [20, 30], "step": None}, 30),
        ({"run": "mine"}, 30),
        ({"run": "yours", "step": 20}, 30),  # the page has not drawn this run's slider yet
        (None, 30),
        ("20", 30),
    ],
)
def test_the_step_is_the_one_where_the_slider_stands(value, step):
    assert chosen_step(value, "mine", (20, 30)) == step


@pytest.mark.parametrize("step", [True, 20.0, "20", [20], 25, -1, 10**30])
def test_a_forged_step_is_refused(step):
    with pytest.raises(InputError):
        chosen_step({"run": "mine", "step": step}, "mine", (20, 30))


def offered(update):
    return [value for _, value in update["choices"]]


def test_beside_a_run_stands_every_model_but_its_own(handlers):
    assert {"yours@30", "distilgpt2"} <= set(offered(handlers.offer("mine", NO_BASELINE)))
    assert not [value for value in offered(handlers.offer("mine", NO_BASELINE)) if value.startswith("mine")]
    assert "mine@30" in offered(handlers.offer("yours", NO_BASELINE))


@pytest.mark.parametrize(("chosen", "kept"), [("mine@30", ""), ("yours@30", "yours@30"), ("nobody's", "")])
def test_what_is_chosen_beside_stays_unless_it_is_the_run(handlers, chosen, kept):
    assert handlers.offer("mine", chosen)["value"] == kept


def last(handlers, *asked):
    *_, value = handlers.write(None, "a ticket", *asked)
    return [column["title"]["en"] for column in value["columns"]]


def test_the_checkpoint_where_the_slider_stands_writes(handlers):
    slider = {"run": "mine", "step": 20}
    assert last(handlers, "mine", slider, "ab", "yours@30", 1) == ["mine, step 20", "yours, step 30"]
    assert last(handlers, "mine", {}, "ab", NO_BASELINE, 1) == ["mine, step 30"]
    assert last(handlers, "mine", slider, "ab", "mine@30", 1) == ["mine, step 20"], "it is not beside itself"


def test_a_step_that_is_not_there_is_one_sentence(handlers):
    with pytest.raises(gr.Error, match="no whole checkpoint at step 25"):
        next(handlers.write(None, "a ticket", "mine", {"run": "mine", "step": 25}, "ab", NO_BASELINE, 1))
