"""The handlers of the tab Train, without a page."""

import gradio as gr
import pytest

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.catalog import Catalog
from aigc_demo.studio.run_desk import RunDesk
from aigc_demo.studio.run_watch import RunWatches
from aigc_demo.studio.ticket import Ticket, hashed
from aigc_demo.ui import train_handlers
from aigc_demo.ui.train_handlers import TrainHandlers

ANNA, BELA = "anna" * 10, "bela" * 10


@pytest.fixture
def handlers(tmp_path):
    run = RunDirectory(tmp_path / "annas")
    run.create({"recipe": "gpt", "settings": {}})
    Ticket(hashed(ANNA), ("train",), "ended", 0.0).save(run.path)
    desk = RunDesk(tmp_path)
    made = TrainHandlers(RunWatches(desk), Catalog(desk))
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
    told = handlers.push(None, "annas", "anna/model", ANNA)
    assert (pushed, told["words"]["en"]) == (["anna/model"], "Pushed: https://hub/x")


def test_without_a_token_it_says_so(handlers, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(gr.Error, match="HF_TOKEN"):
        handlers.push(None, "annas", "anna/model", ANNA)


def test_a_run_without_a_checkpoint_gives_no_model(handlers):
    with pytest.raises(gr.Error, match="checkpoint"):
        handlers.save_model(None, "annas")
