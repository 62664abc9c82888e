import math
from dataclasses import replace

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.generators import catalog
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text import inspection
from tests.studio.fakes import AlphabetModel

ENTRY = catalog.CatalogEntry("alphabet", "ours", "text", "gpt", "nowhere", architecture="gpt")


@pytest.fixture
def cache(monkeypatch):
    monkeypatch.setattr(
        catalog, "CATALOG", {name: replace(ENTRY, name=name) for name in ("alphabet", "blind", "muted")}
    )
    blind = AlphabetModel("blind")
    blind.attention = lambda ids: None
    muted = AlphabetModel("muted")
    muted.banned_ids = (4, 9)
    models = {"alphabet": AlphabetModel(), "blind": blind, "muted": muted}
    return ModelCache(100, lambda name, report: models[name])


def test_score_of_a_text_that_is_known_by_hand(cache):
    score = inspection.score_text(cache, "alphabet", "bca")
    expected, unlikely = -math.log2(15 / 16), -math.log2(1 / 144)
    assert score.character_bits == pytest.approx((expected, expected, unlikely), rel=1e-4)
    assert score.bits_per_byte == pytest.approx((2 * expected + unlikely) / 3, rel=1e-4)
    assert (score.num_bytes, score.num_tokens) == (3, 3)


def test_next_token_gives_probabilities_before_and_after(cache):
    settings = {"temperature": 1.0, "top_k": 1}
    found = inspection.next_token(cache, "alphabet", "a", [1], settings, also=7, num=1)
    assert [one.text for one in found] == ["c", "h"]
    assert found[0].prob_before == pytest.approx(15 / 16, rel=1e-4)
    assert found[0].prob_after == pytest.approx(1.0)
    assert found[1].prob_before == pytest.approx(1 / 144, rel=1e-4)
    assert found[1].prob_after == 0


def test_attention_holds_every_layer_and_head_of_the_last_tokens(cache):
    maps = inspection.attention(cache, "alphabet", "abc", [3])
    assert (maps.num_layers, maps.num_heads, maps.tokens) == (2, 3, ("a", "b", "c", "d"))
    weights = torch.tensor(list(maps.weights)).reshape(2, 3, 4, 4)
    assert weights[1, 2].tolist() == [[255, 0, 0, 0], [128, 128, 0, 0], [85, 85, 85, 0], [64, 64, 64, 64]]
    assert maps.nested()[0][0][1] == [0.502, 0.502, 0.0, 0.0]


def test_attention_of_a_long_text_shows_as_much_as_the_context(cache):
    maps = inspection.attention(cache, "alphabet", "abcdefghij" * 4, [0])
    assert len(maps.tokens) == AlphabetModel.context_length
    assert maps.tokens[-2:] == ("j", "a")


def test_a_model_without_attention_says_so(cache):
    with pytest.raises(InputError, match="blind does not give its attention"):
        inspection.attention(cache, "blind", "abc", [])


def test_token_ids(cache):
    assert inspection.token_ids(cache, "alphabet", "cab") == ((2, "c"), (0, "a"), (1, "b"))


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda cache: inspection.score_text(cache, "alphabet", ""), "text_empty"),
        (lambda cache: inspection.score_text(cache, "alphabet", "a" * 5001), "text_too_long"),
        (lambda cache: inspection.score_text(cache, "nobody", "a"), "unknown_model"),
        (lambda cache: inspection.next_token(cache, "alphabet", "a", [10], {}), "token_not_in_vocabulary"),
        (lambda cache: inspection.next_token(cache, "alphabet", "a", [], {"top_p": 2}), "setting_range"),
        (lambda cache: inspection.attention(cache, "alphabet", None, {"a": 1}), "setting_type"),
        (lambda cache: inspection.token_ids(cache, "alphabet", 3), "setting_type"),
        (lambda cache: inspection.checked_count(0), "setting_type"),
        (lambda cache: inspection.checked_count(True), "setting_type"),
    ],
)
def test_what_does_not_fit_is_refused(cache, call, key):
    with pytest.raises(InputError) as refused:
        call(cache)
    assert refused.value.key == key


READERS = {
    "next_token": lambda cache, ids: inspection.next_token(cache, "muted", "a", ids, {}),
    "attention": lambda cache, ids: inspection.attention(cache, "muted", "a", ids),
}


@pytest.mark.parametrize("ids", [[10], [1, 10], [2**31 - 1], [9], [4, 1], [1, 2, 4]])
@pytest.mark.parametrize("call", READERS)
def test_ids_that_the_model_never_writes_are_refused(cache, call, ids):
    """Ten letters, of which two are banned."""
    wrong = next(index for index in ids if index in (4, 9) or index >= 10)
    with pytest.raises(InputError) as refused:
        READERS[call](cache, ids)
    assert refused.value.key == "token_not_in_vocabulary"
    assert refused.value.values == {"got": wrong, "model": "muted", "count": 10}


@pytest.mark.parametrize("call", READERS)
def test_all_other_ids_are_read(cache, call):
    READERS[call](cache, [0, 1, 2, 3, 5, 6, 7, 8])


def test_a_text_is_shown_as_it_was_measured(cache):
    """The places of its characters are those of the cleaned text."""
    plain = inspection.score_text(cache, "alphabet", "bca")
    messy = inspection.score_text(cache, "alphabet", "\ufeffbc\x00a")
    assert messy == plain
    assert messy.text == "bca"
    assert inspection.token_ids(cache, "alphabet", "\ufeffcab") == inspection.token_ids(
        cache, "alphabet", "cab"
    )
    with pytest.raises(InputError, match="There is no text to measure"):
        inspection.score_text(cache, "alphabet", "\ufeff\x00")
