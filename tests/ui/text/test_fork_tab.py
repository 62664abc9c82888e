"""What happens on a click in the view "Decoders"."""

from dataclasses import replace

import gradio as gr
import pytest

from aigc_demo.generators import catalog
from aigc_demo.generators.text.sampling import SamplingSettings
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.fork import DEFAULTS, OWN_SETTINGS
from aigc_demo.ui.text.fork_tab import SLIDERS, ForkHandlers
from tests.studio.fakes import AlphabetModel

ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")
STARTS = {name: start for name, (*_, start) in SLIDERS.items()} | {"max_new_tokens": 6, "temperature": 2}


@pytest.fixture
def handlers(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {"alphabet": replace(ENTRY, name="alphabet")})
    return ForkHandlers(ModelCache(100, lambda name, report: AlphabetModel(name)), Cancellation())


def decoded(handlers, prompt="a", model="alphabet", seed=4, fresh=False, **changes):
    return list(handlers.decode(None, new_ticket(), prompt, model, seed, fresh, *(STARTS | changes).values()))


def test_sliders_begin_with_the_defaults_and_stay_within_the_settings_bounds():
    assert {name: start for name, (*_, start) in SLIDERS.items()} == DEFAULTS
    fields = SamplingSettings.__dataclass_fields__
    for name, (low, high, _, _) in SLIDERS.items():
        assert fields[name].metadata["low"] <= low < high <= fields[name].metadata["high"]


def test_texts_come_first_and_at_the_end_where_they_part(handlers):
    *begun, (seed, value) = decoded(handlers)
    assert seed == 4
    assert all(drawn["forks"] is None for _, drawn in begun)
    assert len(value["texts"]) == len(OWN_SETTINGS)
    assert "".join(value["texts"][0]["tokens"]) == "bcdefg"
    assert value["forks"], "at temperature 2 some letter is another one"
    assert value["forks"][0]["decisions"][1]["why"]["en"].startswith("keeps 10 of 10 tokens")


def test_texts_that_are_all_the_same_have_no_fork(handlers):
    *_, (_, value) = decoded(handlers, temperature=0)
    assert value["forks"] == []


def test_a_new_seed_is_taken_where_that_is_asked_for(handlers):
    seeds = {decoded(handlers, fresh=True, max_new_tokens=1)[-1][0] for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "nobody"}, "There is no model named nobody"),
        ({"num_beams": 1}, "num_beams must be at least 2"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"prompt": 7}, "prompt"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(handlers, given, message):
    with pytest.raises(gr.Error, match=message):
        decoded(handlers, **given)


def test_a_model_that_breaks_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {"alphabet": replace(ENTRY, name="alphabet")})
    broken = AlphabetModel("alphabet", breaks_after=0)
    handlers = ForkHandlers(ModelCache(100, lambda name, report: broken), Cancellation())
    with pytest.raises(gr.Error, match="alphabet"):
        decoded(handlers)
