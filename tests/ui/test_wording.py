"""Every text of the page in every language, with the same markers."""

import re
from pathlib import Path
from string import Formatter

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.core.sentences import SENTENCES
from aigc_demo.generators import catalog
from aigc_demo.studio.models.arguments import checked_ids
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.ui.words import wording
from aigc_demo.ui.words.wording import WORDS, everywhere, sentence, text

WORDS_FOLDER = Path(wording.__file__).parent
UI = WORDS_FOLDER.parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# The same word in every language.
SHARED = {"top_k", "top_p", "min_p", "not_yet", "decoder_top_k", "decoder_top_p", "decoder_min_p"}
# Simplified characters that traditional text never has, and the other way round, among those used here.
SIMPLIFIED_ONLY = set("这个们说请选无载关词没发见长写")
TRADITIONAL_ONLY = set("這個們說請選無載關詞沒發見長寫")


def markers(template):
    return sorted({name for _, name, _, _ in Formatter().parse(template) if name})


@pytest.mark.parametrize("key", WORDS)
def test_word_stands_in_every_language_with_the_same_markers(key):
    row = WORDS[key]
    assert len(row) == len(LANGUAGES)
    assert all(words.strip() for words in row)
    assert markers(row[0]) == markers(row[1]) == markers(row[2])
    if key not in SHARED:
        assert not CHINESE.search(row[0])
        assert CHINESE.search(row[1])
        assert CHINESE.search(row[2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_the_page_names_no_folder_of_the_server(language):
    error = InputError(
        "broken_model", path="/srv/my runs/gpt-1/checkpoints/step-000002", detail="/opt/x/y is cut off"
    )
    shown = sentence(error.key, error.values, language)
    assert "/srv" not in shown and "/opt" not in shown
    assert "gpt-1/checkpoints/step-000002" in shown and "y is cut off" in shown
    assert "/srv/my runs" in str(error), "a terminal shows the whole path"


def test_simplified_and_traditional_are_not_mixed():
    pairs = [row[1:] for row in (*WORDS.values(), *SENTENCES.values())]
    assert [words for words, _ in pairs if set(words) & TRADITIONAL_ONLY] == []
    assert [words for _, words in pairs if set(words) & SIMPLIFIED_ONLY] == []


def test_no_word_stands_in_two_places_of_which_one_would_win():
    keys = [
        key
        for path in WORDS_FOLDER.glob("*.py")
        for key in re.findall(r'^    "([^"]+)": \(', path.read_text("utf8"), re.MULTILINE)
        if key in WORDS
    ]
    assert {key for key in keys if keys.count(key) > 1} == set()


def test_word_that_the_page_asks_for_exists():
    asked = set()
    for path in UI.rglob("*.py"):
        asked |= set(
            re.findall(r'\b(?:word|everywhere|spans|labelled|text|fact)\(\s*"(\w+)"', path.read_text("utf8"))
        )
    assert len(asked) > 40
    assert sorted(asked - set(WORDS)) == []


def test_data_and_languages_of_the_catalog_stand_in_chinese():
    assert [entry.name for entry in catalog.PRETRAINED if f"data_{entry.name}" not in WORDS] == []
    named = {language for entry in catalog.PRETRAINED for language in entry.languages}
    assert {f"language_{language}" for language in named} <= set(WORDS)


def test_text_fills_its_markers():
    assert text("state_finished", "en", seconds=1.0, count=3) == "finished, 3 tokens"
    assert everywhere("state_finished", seconds=1.0, count=3)["zh-CN"] == "已完成，3 个词元"


def refused(call, *arguments):
    with pytest.raises(InputError) as error:
        call(*arguments)
    return error.value


@pytest.mark.parametrize(
    ("error", "english", "simplified"),
    [
        (
            refused(Catalog().checked_all, []),
            "models must be a list of 1 to 4 models, got [].",
            "models 必须是含 1 到 4 个模型的列表，得到的是 []。",
        ),
        (
            refused(checked_ids, "token_ids", "a"),
            "token_ids must be a list of token ids, got a.",
            "token_ids 必须是词元编号的列表，得到的是 a。",
        ),
        (
            InputError("setting_range", name="top_p", expected="at most 1", got="2"),
            "top_p must be at most 1, got 2.",
            "top_p 必须不大于 1，得到的是 2。",
        ),
        (
            InputError("setting_range", name="x", expected="odd", got="2"),
            "x must be odd, got 2.",
            "x 必须odd，得到的是 2。",
        ),
    ],
)
def test_sentence_in_two_languages(error, english, simplified):
    assert sentence(error.key, error.values, "en") == english == str(error)
    assert sentence(error.key, error.values, "zh-CN") == simplified
