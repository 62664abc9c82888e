"""The handlers of the tab Text, without a page: what a click leads to."""

import json
import subprocess
import sys
from types import SimpleNamespace

import gradio as gr
import pytest

from aigc_demo.generators import catalog
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.stop_book import StopBook, new_ticket
from aigc_demo.ui.columns import Shown
from aigc_demo.ui.text_handlers import TextHandlers
from tests.studio.fakes import AlphabetModel

ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")
LEFT, RIGHT = 5, 10  # where the state of a column stands in a picture of the page
STRICT = (1.0, 1, 1.0, 1, 1.0, 3, "")  # the sliders and the stop text: top-k 1, 3 tokens
LOOSE = (1.0, 0, 1.0, 1, 1.0, 3, "")


@pytest.fixture
def handlers(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {"alphabet": ENTRY})
    cache = ModelCache(100, lambda name, report: AlphabetModel())
    return TextHandlers(cache, StopBook())


def last(pictures):
    return list(pictures)[-1]


def asked(sliders, left=None, right=None, seed=7, prompt="a"):
    return (prompt, seed, False, *sliders, "alphabet", "alphabet", left or Shown(), right or Shown())


def clicked(index):
    return SimpleNamespace(_data={"index": index})


def prob_after(handlers, shown, place):
    """With what probability the token at this place was drawn, by the alternatives on the page."""
    _, table, new = handlers.show_alternatives(clicked(place), None, shown)
    (row,) = [row for row in table["rows"] if row["written"]]
    assert new.offered[0] == place
    return row["after"]


def test_alternatives_follow_the_settings_that_each_token_was_written_by(handlers):
    ticket = new_ticket()
    picture = last(handlers.generate(None, ticket, *asked(STRICT)))
    picture = last(handlers.go_on(None, ticket, *asked(LOOSE, picture[LEFT], picture[RIGHT])))
    shown = picture[LEFT]
    assert [place for place, _ in shown.settings] == [0, 3]
    assert prob_after(handlers, shown, 2) == pytest.approx(1), "top-k 1 leaves one token"
    assert prob_after(handlers, shown, 3) < 0.99, "top-k 0 leaves all"
    again = last(handlers.generate(None, ticket, *asked(LOOSE, shown, shown)))[LEFT]
    assert prob_after(handlers, again, 0) < 0.99


def test_a_chosen_alternative_keeps_the_settings_before_it_and_takes_the_new_ones_after_it(handlers):
    ticket = new_ticket()
    shown = last(handlers.generate(None, ticket, *asked(LOOSE)))[LEFT]
    *_, shown = handlers.show_alternatives(clicked(1), None, shown)
    shown = last(handlers.take_alternative(clicked(0), None, ticket, 1, shown, *STRICT))[-1]
    assert prob_after(handlers, shown, 1) < 0.99
    assert prob_after(handlers, shown, 2) == pytest.approx(1)


def test_stop_needs_the_ticket_of_the_page(handlers):
    ticket = new_ticket()
    long = (*LOOSE[:5], 1000, "")
    pictures = handlers.generate(None, ticket, *asked(long))
    next(pictures)
    handlers.stop(new_ticket())
    assert next(pictures)[LEFT].column.state != "stopped"
    with pytest.raises(gr.Error, match="press Stop"):
        next(handlers.generate(None, ticket, *asked(LOOSE)))
    handlers.stop(ticket)
    assert last(pictures)[LEFT].column.state == "stopped"


SESSIONS = """
import gradio.state_holder, json
from aigc_demo.studio.stop_book import new_ticket
from aigc_demo.ui.app import build_app
page = build_app()
tickets = [block for block in page.blocks.values() if getattr(block, "value", None) is new_ticket]
one, two = (gradio.state_holder.SessionState(page) for _ in range(2))
print(json.dumps({
    "tickets": [[page[ticket._id] for ticket in tickets] for page in (one, one, two)],
    "sent": [ticket._id for ticket in tickets if "value" in ticket.get_config()],
    "endpoints": list(page.get_api_info()["named_endpoints"]),
}))
"""


def test_each_opened_page_has_a_ticket_that_only_the_server_knows():
    # In a process of its own: a page that is built leaves an event loop behind.
    done = subprocess.run([sys.executable, "-c", SESSIONS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    found = json.loads(done.stdout)
    one, again, two = found["tickets"]
    assert one == again
    kinds = "the text's, the pictures', the game's, the captions' and the slider's, of two pages"
    assert len({*one, *two}) == 2 * 5, kinds
    assert all(len(ticket) >= 32 for ticket in one + two)
    assert found["sent"] == []
    assert "/stop_text" in found["endpoints"]
    assert [name for name in found["endpoints"] if "ticket" in name] == []
