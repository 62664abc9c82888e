"""Prompts, measured texts and stop strings: one text costs and says the same in whichever form it comes."""

import unicodedata

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators.text.decoding import SamplingSettings, generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.scoring import score_text
from tests.generators.conftest import save_library, save_ours
from tests.generators.foreign_folders import save_gpt2, save_qwen2

TEXT = "the caf\u00e9\nsat on\nl'\u00e9t\u00e9.\n"
FORMS = {
    f"{form} {name}": mark + unicodedata.normalize(form, TEXT).replace("\n", end)
    for form in ("NFC", "NFD")
    for name, end in (("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r"))
    for mark in ("", "\ufeff")
}


@pytest.fixture(params=["ours characters", "ours bpe", "library", "gpt2", "qwen2"])
def model(request, tmp_path):
    if request.param.startswith("ours"):
        return load_text_model(str(save_ours(tmp_path / "ours", kind=request.param.split()[1])))
    if request.param == "library":
        return load_text_model(str(save_library(tmp_path / "library")))
    save = {"gpt2": save_gpt2, "qwen2": save_qwen2}[request.param]
    return load_text_model(str(save(tmp_path / request.param)))


def test_every_form_costs_the_same(model) -> None:
    scores = {name: score_text(model, text) for name, text in FORMS.items()}
    assert len(set(scores.values())) == 1
    one = scores["NFC LF"]
    assert (one.num_bytes, one.num_characters) == (len(TEXT.encode()), len(TEXT))


def test_every_form_is_one_prompt(model) -> None:
    prompts = {tuple(model.prompt_ids(text)) for text in FORMS.values()}
    assert len(prompts) == 1
    assert prompts.pop()[-len(model.encode(TEXT)) :] == tuple(model.encode(TEXT))


def test_what_is_left_empty_is_no_text(model) -> None:
    with pytest.raises(InputError) as refused:
        score_text(model, "\ufeff\x00")
    assert refused.value.key == "text_empty"


@pytest.mark.parametrize("num_beams", [1, 2])
def test_stop_strings_are_cleaned_too(model, num_beams) -> None:
    def written(stop):
        settings = SamplingSettings(temperature=1, max_new_tokens=12, seed=3, stop=stop, num_beams=num_beams)
        return "".join(token.text for token in generate(model, "the ", settings))

    whole = written(())
    place = next(place for place in range(1, len(whole)) if whole[place] not in whole[:place])
    sign = whole[place]
    assert written(("\ufeff" + sign,)) == written((sign,)) == whole[:place]
    assert written(("\ufeff",)) == whole  # nothing is left of it
