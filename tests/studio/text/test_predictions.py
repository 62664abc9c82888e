"""Masked words, next sentences and answers by several models side by side."""

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.generators import catalog
from aigc_demo.generators.answers.library import load_library_answers
from aigc_demo.generators.answers.model import AnswerModel
from aigc_demo.generators.answers.ours import load_our_answers
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS
from aigc_demo.generators.text.library_encoder import load_library_encoder
from aigc_demo.generators.text.masked_words import MaskedWords
from aigc_demo.generators.text.our_encoder import load_our_encoder
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answer import check_answer_request, compare_answers
from aigc_demo.studio.text.fill_mask import check_mask_request, compare_masks
from aigc_demo.studio.text.next_sentence import check_next_sentence_request, compare_next_sentence
from tests.generators.conftest import (
    save_answers,
    save_encoder,
    save_library_answers,
    save_library_encoder,
)

QUESTION, STORY = "what colour was the cat?", "the cat sat on the mat."
ENCODERS, ANSWERERS = ("bert", "bert-library"), ("couplet", "couplet-library")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    encoder, library = save_encoder(root / "bert"), save_library_encoder(root / "bert-library")
    ours = save_answers(root / "couplet", context_length=64)
    theirs = save_library_answers(root / "couplet-library", context_length=64)
    return {
        "bert": MaskedWords("bert", *load_our_encoder(encoder), "ours"),
        "bert-library": MaskedWords("bert-library", *load_library_encoder(library, trained=True), "library"),
        "couplet": AnswerModel("couplet", *load_our_answers(ours), "ours"),
        "couplet-library": AnswerModel("couplet-library", *load_library_answers(theirs), "library"),
    }


@pytest.fixture
def cache(models, monkeypatch):
    kinds = {**dict.fromkeys(ENCODERS, MASKED_WORDS), **dict.fromkeys(ANSWERERS, ANSWERS), "gpt": "text"}
    entries = {name: CatalogEntry(name, "ours", kind, "", "nowhere") for name, kind in kinds.items()}
    monkeypatch.setattr(catalog, "CATALOG", entries)
    return ModelCache(100, lambda name, report: models[name])


def last(columns):
    *_, found = columns
    return found


def refused(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.key


def probs(filled):
    """Of each candidate, by its token."""
    return {guess.id: guess.prob for place in filled.places for guess in place.guesses}


def test_masks_are_filled_by_all_models_beside_each_other(cache, models):
    request = check_mask_request(cache.catalog, ENCODERS, "the c<mask>t", num=3)
    columns = last(compare_masks(request, cache, CancelToken()))
    assert [(column.model, column.state) for column in columns] == [(name, "finished") for name in ENCODERS]
    for column in columns:
        expected = models[column.model].fill("the c<mask>t", 3)
        assert (column.result.masked, column.result.text) == (expected.masked, expected.text)
        assert probs(column.result) == pytest.approx(probs(expected), rel=1e-4)
        assert column.num_parameters == models[column.model].num_parameters
        assert 0 < column.seconds < 10
    assert columns[0].result.places[0].guesses != columns[1].result.places[0].guesses


def test_hidden_characters_are_masked_without_writing_masks(cache, models):
    request = check_mask_request(cache.catalog, ["bert"], "the\r\ncat", hidden=[[5, 6]])
    (column,) = last(compare_masks(request, cache, CancelToken()))
    assert column.result.masked == "the\ncat"
    assert probs(column.result) == pytest.approx(probs(models["bert"].fill("the\nc<mask>t")), rel=1e-4)
    assert (column.result.places[0].first, column.result.places[0].past) == (5, 6)


def test_a_column_that_cannot_fill_carries_its_error_alone(cache):
    request = check_mask_request(cache.catalog, ENCODERS, "no mask at all")
    columns = last(compare_masks(request, cache, CancelToken()))
    assert [(column.state, column.error.key) for column in columns] == [("failed", "no_mask")] * 2


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ((["gpt"], "a<mask>"), "foreign_model"),
        ((["couplet"], "a<mask>"), "foreign_model"),
        ((["nobody"], "a<mask>"), "unknown_model"),
        (([], "a<mask>"), "setting_type"),
        ((["bert"], 7), "setting_type"),
        ((["bert"], "a" * 5001), "text_too_long"),
        ((["bert"], "cat", [[0, 4]]), "setting_type"),
        ((["bert"], "cat", [[2, 2]]), "setting_type"),
        ((["bert"], "cat", [[-1, 2]]), "setting_type"),
        ((["bert"], "cat", [[0, True]]), "setting_type"),
        ((["bert"], "cat", [[0, 1, 2]]), "setting_type"),
        ((["bert"], "cat", "0,1"), "setting_type"),
        ((["bert"], "cat", [[0, 1]] * 65), "setting_type"),
        ((["bert"], "cat", [[0, 1]], 0), "setting_type"),
    ],
)
def test_what_a_visitor_sends_for_masks_is_checked(cache, arguments, key):
    assert refused(lambda: check_mask_request(cache.catalog, *arguments)) == key


def test_the_next_sentence_is_judged_by_all_models(cache, models):
    request = check_next_sentence_request(cache.catalog, ENCODERS, "the cat", "sat on the mat")
    columns = last(compare_next_sentence(request, cache, CancelToken()))
    for column in columns:
        assert column.result == pytest.approx(models[column.model].follows("the cat", "sat on the mat"))
        assert 0 < column.result < 1
    for texts in (("", "the cat"), ("the cat", " \n")):
        key = refused(lambda texts=texts: check_next_sentence_request(cache.catalog, ["bert"], *texts))
        assert key == "two_texts_needed"


def test_answers_come_with_their_tokens_and_what_was_looked_at(cache, models):
    request = check_answer_request(cache.catalog, ANSWERERS, QUESTION, STORY)
    columns = last(compare_answers(request, cache, CancelToken()))
    for column in columns:
        model, answer = models[column.model], column.result
        row = model.row(QUESTION, STORY)
        ids = [token.id for token in answer.tokens]
        assert answer.text == model.vocabulary.decode(ids)
        expected = list(model.likeliest([row], 200)[0])
        assert [index for index in ids if index != 4] == expected
        probs = model.writer(row).token_logits([1, *ids[:-1]]).softmax(-1)
        assert answer.tokens[0].bits == pytest.approx(-probs[0, ids[0]].log2().item(), rel=1e-2, abs=1e-3)
        maps = answer.attention
        assert maps.source[:4] == ("<start>", "<unk>", "h", "a")
        assert (maps.num_layers, maps.num_heads) == (2, 3)
        assert len(maps.source) == len(row.ids)
        assert maps.answer == tuple(map(model.vocabulary.token_text, ids))
        weights = model.cross_attention(row, ids)
        assert len(maps.weights) == weights.numel()
        torch.testing.assert_close(torch.tensor(maps.mean()), weights.mean((0, 1)), atol=0.003, rtol=0)


def test_answers_of_one_seed_are_drawn_from_the_same_numbers(cache):
    drawn = []
    for seed in (3, 3, 4):
        asked = {"temperature": 1.5, "top_k": 0, "seed": seed, "max_new_tokens": 8}
        request = check_answer_request(cache.catalog, ["couplet"], "the cat", None, asked)
        drawn.append(last(compare_answers(request, cache, CancelToken()))[0].result.text)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ((["bert"], "the cat"), "foreign_model"),
        ((["couplet"], " "), "nothing_to_answer"),
        ((["couplet"], QUESTION, ""), "story_empty"),
        ((["couplet"], QUESTION), "story_empty"),
        ((["couplet"], "where is the moon?", STORY), "unknown_question"),
        ((["couplet"], QUESTION, 3), "setting_type"),
        ((["couplet"], "a" * 1001), "text_too_long"),
        ((["couplet"], "the cat", None, {"temperature": -1}), "setting_range"),
        ((["couplet"], "the cat", None, {"story": "x"}), "unknown_setting"),
    ],
)
def test_what_a_visitor_sends_for_an_answer_is_checked(cache, arguments, key):
    assert refused(lambda: check_answer_request(cache.catalog, *arguments)) == key


@pytest.mark.parametrize(
    ("text", "story", "key"),
    [
        (QUESTION, STORY * 3, "prompt_too_long"),
        ("QUXYZ", None, "unknown_letters"),
        (QUESTION, "QUXYZ", "unknown_letters"),
    ],
)
def test_what_a_model_cannot_read_is_an_error_of_its_column(cache, text, story, key):
    request = check_answer_request(cache.catalog, ANSWERERS, text, story)
    columns = last(compare_answers(request, cache, CancelToken()))
    assert [column.error.key for column in columns] == [key, key]


def test_a_cancelled_column_has_no_result(cache):
    stop = CancelToken()
    stop.set()
    request = check_mask_request(cache.catalog, ENCODERS, "the c<mask>t")
    columns = last(compare_masks(request, cache, stop))
    assert [(column.state, column.result) for column in columns] == [("stopped", None)] * 2
