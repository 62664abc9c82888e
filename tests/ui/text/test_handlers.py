"""The handlers of the tab Text, without a page: what a click leads to."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from aigc_demo.generators import catalog
from aigc_demo.generators.text.sampling import UniformStream
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.ui.text.handlers import SLIDERS, TextHandlers
from aigc_demo.ui.text.view import Shown
from aigc_demo.ui.widgets import unchanged
from tests.studio.fakes import LETTERS, AlphabetModel

ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")
STEPS = {"alphabet": 1, "backwards": -1}
LEFT, RIGHT = 5, 10  # where the state of a column stands in the outputs of a handler


def sliders(**changes):
    """The values of the sliders where they start, but for these, and the stop text."""
    values = {name: start for name, (*_, start) in SLIDERS.items()} | {"temperature": 1.0, **changes}
    return (*values.values(), "")


STRICT, LOOSE = sliders(top_k=1, max_new_tokens=3), sliders(top_k=0, max_new_tokens=3)


@pytest.fixture
def handlers(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {name: replace(ENTRY, name=name) for name in STEPS})
    cache = ModelCache(100, lambda name, report: AlphabetModel(name, step=STEPS[name]))
    return TextHandlers(cache, Cancellation())


def last(updates):
    return list(updates)[-1]


def asked(sliders, left=None, right=None, seed=7, prompt="a", models=("alphabet", "alphabet")):
    return (prompt, seed, False, *sliders, *models, left or Shown(), right or Shown())


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
    outputs = last(handlers.generate(None, ticket, *asked(STRICT)))
    outputs = last(handlers.go_on(None, ticket, *asked(LOOSE, outputs[LEFT], outputs[RIGHT])))
    shown = outputs[LEFT]
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


def by_hand(model, seed, last_id, first, count, temperature=3.0):
    """The ids that a model writes from place `first` on: the largest log p / T - log(-log u) of each row."""
    ids = []
    for place in range(first, first + count):
        row, likely = UniformStream(seed).row(place, 10).tolist(), (last_id + STEPS[model]) % 10
        scores = [
            math.log(15 / 16 if index == likely else 1 / 144) / temperature - math.log(-math.log(u))
            for index, u in enumerate(row)
        ]
        last_id = scores.index(max(scores))
        ids.append(last_id)
    return ids


WARM = sliders(temperature=3.0, top_k=0, max_new_tokens=4)
BOTH = ("alphabet", "backwards")


def two_texts(handlers, ticket):
    """Two models' texts of 4 tokens; then the left one goes on with the third alternative at place 1."""
    outputs = last(handlers.generate(None, ticket, *asked(WARM, seed=11, models=BOTH)))
    left, right = outputs[LEFT], outputs[RIGHT]
    *_, left = handlers.show_alternatives(clicked(1), None, left)
    chosen = left.offered[1][2].id
    left = last(handlers.take_alternative(clicked(2), None, ticket, 0, left, *WARM))[-1]
    return left, right, chosen


def test_each_column_is_what_its_own_model_draws_from_the_same_numbers(handlers):
    left, right, chosen = two_texts(handlers, new_ticket())
    first = by_hand("alphabet", 11, 0, 0, 1)
    assert list(left.column.ids) == [*first, chosen, *by_hand("alphabet", 11, chosen, 2, 4)]
    assert list(right.column.ids) == by_hand("backwards", 11, 0, 0, 4)


def test_continue_goes_on_in_each_column_after_its_own_tokens_by_its_own_model(handlers):
    """Whatever the fields of the page say by then: another prompt, another seed, the models swapped."""
    ticket = new_ticket()
    left, right, _ = two_texts(handlers, ticket)
    before = list(left.column.ids), list(right.column.ids)
    assert len(before[0]) == 6 and len(before[1]) == 4 and before[0][:4] != before[1]
    fields = {"seed": 99, "prompt": "j", "models": BOTH[::-1]}
    seed, *outputs = last(handlers.go_on(None, ticket, *asked(WARM, left, right, **fields)))
    left, right = outputs[LEFT - 1], outputs[RIGHT - 1]
    assert seed == 11 and (left.prompt, right.prompt) == ("a", "a")
    assert (left.column.model, right.column.model) == BOTH
    assert list(left.column.ids) == before[0] + by_hand("alphabet", 11, before[0][-1], 6, 4)
    assert list(right.column.ids) == before[1] + by_hand("backwards", 11, before[1][-1], 4, 4)
    assert left.column.text == "".join(LETTERS[index] for index in left.column.ids)
    assert [place for place, _ in left.settings][-1] == 6 and [place for place, _ in right.settings][-1] == 4


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_continue_needs_a_text_in_both_columns(handlers, empty):
    ticket = new_ticket()
    outputs = last(handlers.generate(None, ticket, *asked(STRICT)))
    shown = [outputs[LEFT], outputs[RIGHT]]
    for place in [0, 1] if empty == 2 else [empty]:
        shown[place] = Shown()
    with pytest.raises(gr.Error, match="There is no text yet"):
        next(handlers.go_on(None, ticket, *asked(STRICT, *shown)))


def test_an_alternative_stands_with_the_surprise_that_the_model_had(handlers):
    shown = last(handlers.generate(None, new_ticket(), *asked(STRICT)))[RIGHT]
    _, table, shown = handlers.show_alternatives(clicked(1), None, shown)
    assert [row["written"] for row in table["rows"]] == [True] + [False] * 9, "c after a and b"
    shown = last(handlers.take_alternative(clicked(3), None, new_ticket(), 1, shown, *WARM))[-1]
    assert shown.column.tokens[1].bits == pytest.approx(math.log2(144), rel=1e-4), "top-k 1 gave it none"


def test_the_column_of_an_alternative_is_left_where_another_model_is_chosen_for_it(handlers):
    ticket = new_ticket()
    shown = last(handlers.generate(None, ticket, *asked(STRICT)))[RIGHT]
    *_, shown = handlers.show_alternatives(clicked(1), None, shown)
    handlers._cache.get("alphabet").seconds = 0.005
    updates = handlers.take_alternative(
        clicked(3), None, ticket, 1, shown, *sliders(temperature=3.0, top_k=0, max_new_tokens=4000)
    )
    next(updates)
    handlers.choose_model(None, ticket, 0, "backwards")
    assert next(updates)[-1].column.model == "alphabet", "the other column is not this one"
    chosen = handlers.choose_model(None, ticket, 1, "backwards")
    first, *others = updates
    assert first == chosen, "the answer to the choice may have overtaken an update computed before it"
    assert others == [unchanged(TextHandlers.num_outputs)] * len(others) and len(others) < 10


def test_each_model_reads_the_pasted_text_for_its_own_column(handlers):
    """Each text begins after an a: one model expects b, then c; the other j, and a after b."""
    *_, left, right = handlers.score(None, "ba", *BOTH, Shown(), Shown())
    likely, unlikely = -math.log2(15 / 16), math.log2(144)
    assert left.bits_per_byte == ("alphabet", pytest.approx((likely + unlikely) / 2, rel=1e-4))
    assert right.bits_per_byte == ("backwards", pytest.approx((unlikely + likely) / 2, rel=1e-4))
    *_, left, right = handlers.score(None, "bc", *BOTH, left, right)
    assert left.bits_per_byte == ("alphabet", pytest.approx(likely, rel=1e-4))
    assert right.bits_per_byte == ("backwards", pytest.approx(unlikely, rel=1e-4))


def test_attention_is_that_of_the_prompt_and_of_what_each_column_wrote(handlers):
    asked_for = asked(STRICT, models=BOTH, prompt="ef")
    outputs = last(handlers.generate(None, new_ticket(), *asked_for))
    found = handlers.attention(None, outputs[LEFT], outputs[RIGHT])
    assert [one["tok"] for one in found] == [list("efghi"), list("efedc")]
    with pytest.raises(gr.Error, match="There is no text yet"):
        handlers.attention(None, Shown(), Shown())
    empty, _ = handlers.attention(None, Shown(), outputs[RIGHT])
    assert "tok" not in empty


def test_stop_needs_the_ticket_of_the_page(handlers):
    ticket = new_ticket()
    long = sliders(top_k=0, max_new_tokens=1000)
    updates = handlers.generate(None, ticket, *asked(long))
    next(updates)
    handlers.stop(new_ticket())
    assert next(updates)[LEFT].column.state != "stopped"
    with pytest.raises(gr.Error, match="press Stop"):
        next(handlers.generate(None, ticket, *asked(LOOSE)))
    handlers.stop(ticket)
    assert last(updates)[LEFT].column.state == "stopped"


SESSIONS = """
import gradio.state_holder, json
from aigc_demo.studio.models.cancellation import new_ticket
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
    kinds = "the text's five views', the pictures', the step-by-step GAN's, the captions' and the slider's"
    assert len({*one, *two}) == 2 * 9, kinds
    assert all(len(ticket) >= 32 for ticket in one + two)
    assert found["sent"] == []
    assert "/stop_text" in found["endpoints"]
    assert [name for name in found["endpoints"] if "ticket" in name] == []
