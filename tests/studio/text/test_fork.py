"""Several decoders on one prompt: where their texts part, and why."""

import math
from dataclasses import replace

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators import catalog
from aigc_demo.generators.text.decoding import generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.fork import OWN_SETTINGS, check_fork_request, decode_all, find_forks, parting
from tests.generators.conftest import save_ours
from tests.studio.fakes import AlphabetModel

NUM_PROMPTS = 12  # 200 take two minutes where other work is done too
ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")


def cache_of(monkeypatch, model):
    monkeypatch.setattr(catalog, "CATALOG", {model.name: replace(ENTRY, name=model.name)})
    return ModelCache(100, lambda name, report: model)


def forked(cache, model, prompt, settings, decoders=None):
    request = check_fork_request(Catalog(), model, prompt, settings, decoders)
    *_, columns = decode_all(request, cache, CancelToken())
    return request, columns, find_forks(request, columns, cache)


def test_texts_part_where_the_first_of_them_differs_and_again_behind_it():
    written = {
        "greedy": (1, 2, 3, 4),
        "temperature": (1, 2, 9, 4),
        "top_k": (1, 2, 3, 5),
        "beam": (1, 2, 9, 4),
    }
    assert [(place, set(names)) for place, names in parting(written)] == [
        (2, set(written)),
        (3, {"greedy", "top_k"}),
    ]


def test_a_text_that_ends_early_parts_from_none():
    assert parting({"greedy": (1, 2), "top_k": (1, 2, 3)}) == []
    assert parting({"greedy": (), "top_k": (1, 2, 3)}) == []
    assert parting({"greedy": (1,), "top_k": (1, 3), "beam": (1, 4)}) == [(1, ("top_k", "beam"))]
    assert parting({"greedy": (1, 2), "top_k": (1, 2)}) == []


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A network of random weights, large enough that it prefers some tokens."""
    save_ours(tmp_path)
    model = load_text_model(str(tmp_path))
    return model, cache_of(monkeypatch, model)


def test_decoders_share_all_before_the_first_fork_and_write_what_they_write_alone(real):
    model, cache = real
    letters = [model.token_text(index) for index in range(5, model.vocab_size)]
    num_forks = 0
    for number in range(NUM_PROMPTS):
        prompt = "".join(
            letters[(number * 7 + place * number) % len(letters)] for place in range(1 + number % 4)
        )
        settings = {"max_new_tokens": 5, "seed": number, "top_k": 3, "top_p": 0.5, "min_p": 0.3}
        request, columns, forks = forked(cache, model.name, prompt, settings)
        alone = {
            name: [token.id for token in generate(model, prompt, one)]
            for name, one in request.settings.items()
        }
        written = dict(zip(request.settings, (list(column.ids) for column in columns), strict=True))
        assert written == alone
        for fork in forks:
            num_forks += 1
            names = [decision.decoder for decision in fork.decisions]
            assert {tuple(written[name][: fork.position]) for name in names} == {fork.shared_ids}
            assert len({written[name][fork.position] for name in names}) > 1
            assert [written[name][fork.position] for name in names] == [one.id for one in fork.decisions]
        if forks:
            assert set(names := [one.decoder for one in forks[0].decisions]) == set(OWN_SETTINGS), names
    assert num_forks > NUM_PROMPTS, "forks must occur"


def test_why_each_decoder_took_what_it_took(real):
    """Greedy the likeliest; the others, of what their own filter left, the largest with the noise."""
    model, cache = real
    seen = set()
    for seed in range(8):
        _, _, forks = forked(cache, model.name, "a", {"max_new_tokens": 5, "seed": seed, "top_p": 0.5})
        for fork in forks:
            assert sum(one.prob for one in fork.candidates) <= 1 + 1e-5
            for decision in fork.decisions:
                by_id = dict(zip((one.id for one in fork.candidates), decision.probs, strict=False))
                seen.add(decision.decoder)
                if decision.decoder == "beam":
                    assert (decision.probs, decision.num_kept) == ((), None)
                elif decision.decoder == "greedy":
                    assert by_id[decision.id] == decision.num_kept == 1
                    allowed = [one for one in fork.candidates if one.id not in model.banned_ids]
                    assert decision.id == max(allowed, key=lambda one: one.prob).id
                else:
                    scores = {
                        one.id: math.log(by_id[one.id]) + one.noise
                        for one in fork.candidates
                        if by_id[one.id] > 0
                    }
                    assert decision.id == max(scores, key=scores.__getitem__)
                    assert decision.num_kept >= len(scores)
    assert seen == set(OWN_SETTINGS)


def test_each_decoder_has_its_own_settings_alone(monkeypatch):
    cache_of(monkeypatch, AlphabetModel())
    settings = {
        "temperature": 0.7,
        "top_k": 3,
        "top_p": 0.6,
        "min_p": 0.2,
        "num_beams": 2,
        "seed": 4,
        "repetition_penalty": 1.2,
    }
    each = check_fork_request(Catalog(), "alphabet", "a", settings).settings
    rules = {
        name: (one.temperature, one.top_k, one.top_p, one.min_p, one.num_beams) for name, one in each.items()
    }
    assert rules == {
        "greedy": (0, 0, 1, 0, 1),
        "temperature": (0.7, 0, 1, 0, 1),
        "top_k": (0.7, 3, 1, 0, 1),
        "top_p": (0.7, 0, 0.6, 0, 1),
        "min_p": (0.7, 0, 1, 0.2, 1),
        "beam": (0, 0, 1, 0, 2),
    }
    assert {(one.seed, one.repetition_penalty) for one in each.values()} == {(4, 1.2)}


def test_what_a_text_was_worth_to_beam_search(monkeypatch):
    """Each letter after the one before it costs 15/16."""
    cache = cache_of(monkeypatch, AlphabetModel())
    settings = {"max_new_tokens": 4, "temperature": 5, "seed": 1}
    _, columns, forks = forked(cache, "alphabet", "a", settings, ["greedy", "temperature"])
    assert columns[0].text == "bcde"
    greedy, warm = forks[0].decisions
    assert greedy.mean_log_prob == pytest.approx(math.log(15 / 16), rel=1e-3)
    assert warm.mean_log_prob < greedy.mean_log_prob
    assert warm.num_kept == 10


@pytest.mark.parametrize(
    ("settings", "decoders", "key"),
    [
        ({}, ["greedy"], "setting_type"),
        ({}, ["greedy", "greedy"], "setting_type"),
        ({}, ["greedy", "luck"], "setting_type"),
        ({}, "greedy", "setting_type"),
        ({}, [["greedy"], {}], "setting_type"),
        ({"num_beams": 1}, None, "setting_range"),
        ({"num_beams": 1}, ["greedy", "beam"], "setting_range"),
        ({"top_p": 2}, ["greedy", "top_k"], "setting_range"),
        ({"hue": 2}, None, "unknown_setting"),
        ({"top_k": "many"}, None, "setting_type"),
    ],
)
def test_what_does_not_fit_is_said(monkeypatch, settings, decoders, key):
    cache_of(monkeypatch, AlphabetModel())
    with pytest.raises(InputError) as refused:
        check_fork_request(Catalog(), "alphabet", "a", settings, decoders)
    assert refused.value.key == key
