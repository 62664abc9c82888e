"""One prompt and models of each kind that make something of a text."""

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators import catalog
from aigc_demo.generators.answers.model import AnswerModel
from aigc_demo.generators.answers.ours import load_our_answers
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS, TEXT_GENERATOR
from aigc_demo.generators.text.decoding import SamplingSettings, generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.masked_words import MaskedWords
from aigc_demo.generators.text.our_encoder import load_our_encoder
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.answer import answer_of, checked_request
from aigc_demo.studio.text.checkpoint_text import texts_of
from tests.generators.conftest import save_answers, save_encoder, save_ours

SETTINGS = {"temperature": 0.8, "max_new_tokens": 5, "seed": 3}
QUESTION, STORY = "Who got wet in the rain?", "It was a rainy day. There was a big red bird."


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "gpt": load_text_model(str(save_ours(root / "gpt"))),
        "bert": MaskedWords("bert", *load_our_encoder(save_encoder(root / "bert")), "ours"),
        "qa": AnswerModel(
            "qa",
            *load_our_answers(save_answers(root / "qa", context_length=80, text=(QUESTION + STORY) * 9)),
            "ours",
        ),
    }


@pytest.fixture
def cache(models, monkeypatch):
    kinds = {"gpt": TEXT_GENERATOR, "bert": MASKED_WORDS, "qa": ANSWERS}
    entries = {name: CatalogEntry(name, "ours", kind, "", "nowhere") for name, kind in kinds.items()}
    monkeypatch.setattr(catalog, "CATALOG", entries)
    return ModelCache(100, lambda name, report: models[name])


def last(kind, model, prompt, cache):
    *_, (column,) = texts_of(kind, [model], prompt, SETTINGS, cache, CancelToken())
    return column


def test_a_text_generator_goes_on_from_the_prompt(cache, models):
    column = last(TEXT_GENERATOR, "gpt", "the cat", cache)
    settings = SamplingSettings.from_mapping(SETTINGS)
    expected = "".join(token.text for token in generate(models["gpt"], "the cat", settings))
    assert (column.state, column.given, column.text) == ("finished", "the cat", expected)


def test_an_encoder_fills_in_and_names_its_candidates(cache, models):
    column = last(MASKED_WORDS, "bert", "the c<mask>t s<mask>t", cache)
    filled = models["bert"].fill("the c<mask>t s<mask>t", 3)
    text, *lines = column.text.splitlines()
    assert (column.state, column.given, text) == ("finished", "", filled.text)
    assert len(lines) == 2
    for number, (line, place) in enumerate(zip(lines, filled.places, strict=True), 1):
        candidates = [f"{guess.text.strip()} {round(100 * guess.prob)}%" for guess in place.guesses]
        assert line == f"{number}. {' · '.join(candidates)}"


def test_an_encoder_without_a_mask_says_so_in_its_column(cache):
    column = last(MASKED_WORDS, "bert", "the cat", cache)
    assert (column.state, column.text, column.error.key) == ("failed", "", "no_mask")


@pytest.mark.parametrize("prompt", [f"{QUESTION}\n{STORY}", f"\n{QUESTION} \n\n{STORY}\n"])
def test_below_a_question_stands_its_story(cache, models, prompt):
    column = last(ANSWERS, "qa", prompt, cache)
    entry = CatalogEntry("qa", "ours", ANSWERS, "", "nowhere")
    asked = checked_request([entry], QUESTION, STORY, {})
    assert (column.state, column.given) == ("finished", "")
    assert column.text == answer_of(models["qa"], asked).text != ""


@pytest.mark.parametrize(
    ("kind", "model", "prompt", "key"),
    [
        (ANSWERS, "qa", QUESTION, "story_empty"),
        (ANSWERS, "qa", " \n ", "nothing_to_answer"),
        (ANSWERS, "qa", f"What is love?\n{STORY}", "unknown_question"),
        (ANSWERS, "qa", 7, "setting_type"),
        (ANSWERS, "bert", "a", "foreign_model"),
        (MASKED_WORDS, "qa", "a<mask>", "foreign_model"),
        (MASKED_WORDS, "bert", 7, "setting_type"),
        (TEXT_GENERATOR, "bert", "a", "foreign_model"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_first_column(cache, kind, model, prompt, key):
    with pytest.raises(InputError) as caught:
        last(kind, model, prompt, cache)
    assert caught.value.key == key
