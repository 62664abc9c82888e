"""The word language model as a text model: token by token as at once, in lower case where trained so."""

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.scoring import score_text
from tests.generators.conftest import edit_config, save_word_lm


def test_a_session_gives_the_logits_of_the_whole_text(tmp_path) -> None:
    model = load_text_model(str(save_word_lm(tmp_path / "model")))
    ids = model.prompt_ids("the cat sat on")
    assert ids[0] == model.start_ids[0]
    session = model.begin(ids[:4])
    for index in ids[4:]:
        session.push(index)
    torch.testing.assert_close(session.logits, model.token_logits(ids)[-1])
    session.branch([0, 0], [5, 6])
    for row, last in enumerate((5, 6)):
        torch.testing.assert_close(session.logits_BV[row], model.token_logits([*ids, last])[-1])
    assert model.attention(ids) is None


def test_a_model_of_a_text_in_lower_case_reads_every_text_so(tmp_path) -> None:
    lower = load_text_model(str(save_word_lm(tmp_path / "lower", lowercase=True)))
    cased = load_text_model(str(save_word_lm(tmp_path / "cased")))
    assert lower.prompt_ids("The CAT") == lower.prompt_ids("the cat") == cased.prompt_ids("the cat")
    assert cased.unknown_id in cased.prompt_ids("The CAT")
    assert score_text(lower, "The CAT").bits == score_text(cased, "the cat").bits
    assert [past - first for _, first, past in lower.spans("The CAT")] == [1] * 7


def test_broken_folders_and_int8_are_refused(tmp_path) -> None:
    folder = save_word_lm(tmp_path / "model")
    with pytest.raises(InputError, match="dtype must be float32 or bfloat16 here"):
        load_text_model(str(folder), dtype="int8")
    edit_config(folder, num_layers=3)
    with pytest.raises(InputError, match=r"encoder\.layers\.2"):
        load_text_model(str(folder))
