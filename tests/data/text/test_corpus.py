import json
import unicodedata

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import LoadedText
from aigc_demo.data.text.corpus import (
    PreparationSettings,
    TextSettings,
    clean,
    is_collection,
    prepare_text,
    split,
)
from aigc_demo.data.text.tokenizer import train_tokenizer

PLAIN = TextSettings()
POEMS = "".join(f"《第{i}首》某人\n白日依山尽，\n黄河入海流。\n\n" for i in range(20))


def loaded(text: str) -> LoadedText:
    return LoadedText("a text", text, "0" * 64)


def facts(steps, name: str) -> dict:
    return next(step for step in steps if step.name == name).facts


def test_clean_keeps_what_is_fine():
    text = "  Two spaces,\ta tab\n\n\n\nthree blank lines 春眠 é 😀 a\u200db \n"
    assert clean(text, PLAIN)[0] == text


def test_clean_makes_newlines_controls_and_accents_uniform():
    messy = "\ufeffone\r\ntwo\rthree\x00\x07 e\u0301 \x85\x7f end"
    cleaned, steps = clean(messy, PLAIN)
    assert cleaned == "one\ntwo\nthree \u00e9  end"
    assert facts(steps, "clean") == {"carriage_returns": 2, "control_characters": 5, "lines_normalised": 1}
    assert (steps[0].kept, steps[0].dropped) == (len(cleaned), len(messy) - len(cleaned))


def test_cleaning_twice_is_cleaning_once():
    # A control character between a letter and its accent must not hide the pair from the first cleaning.
    once, _ = clean("e\x01\u0301 \r\r\n\x0c", PLAIN)
    assert clean(once, PLAIN)[0] == once
    assert unicodedata.is_normalized("NFC", once)


def test_nothing_is_dropped_unless_asked_for():
    text = "a\na\nab\n" + "x" * 5000 + "\n"
    assert clean(text, PLAIN)[0] == text


def test_the_switches_drop_lines_and_count_them():
    settings = TextSettings(drop_repeated_lines=True, min_line_length=2, max_line_length=5)
    cleaned, steps = clean("abc\n\na\nabc\nlonger\n\nabcde\n", settings)
    assert cleaned == "abc\n\n\nabcde\n"
    assert facts(steps, "drop_lines") == {"lines": 8, "short_lines": 1, "long_lines": 1, "repeated_lines": 1}
    assert steps[1].dropped == len("a\nabc\nlonger\n")


def test_in_lower_case_every_character_is_kept():
    cleaned, steps = clean("The CAT\nİst ÉN\n", TextSettings(lowercase=True))
    assert cleaned == "the cat\nİst én\n"  # of İ the lower case is two characters
    assert (steps[0].kept, steps[0].dropped) == (15, 0)
    assert clean("The CAT", PLAIN)[0] == "The CAT"


@pytest.mark.parametrize("length", [1, 7, 10, 999, 1001])
def test_split_by_position_is_exact(length):
    text = ("ab\n\n" * length)[:length]
    train, validation = split(text, 0.1)
    assert len(train) == int(0.9 * length)
    assert train + validation == text


def test_speeches_with_names_are_no_titled_documents():
    text = "First Citizen:\nSpeak, speak.\n\nAll:\nResolved.\n\n" * 10
    assert not is_collection(text)
    assert len(split(text, 0.1)[0]) == int(0.9 * len(text))


@pytest.mark.parametrize("fraction", [0.06, 0.1, 0.11, 0.25, 0.5, 0.77])
def test_no_poem_is_cut_in_two(fraction):
    train, validation = split(POEMS, fraction)
    poem = len(POEMS) // 20 + 1  # titles differ by one digit
    assert train + validation == POEMS
    assert train.endswith("\n\n")
    assert validation.startswith("《")
    assert 0 <= len(train) - int((1 - fraction) * len(POEMS)) < poem


def test_a_cut_in_the_last_poem_moves_before_it():
    assert split(POEMS, 0.01)[1] == "《第19首》某人\n白日依山尽，\n黄河入海流。\n\n"


def test_a_cut_that_falls_between_poems_stays_there():
    halves = split("《甲》子\n天。\n\n" * 2, 0.5)
    assert halves == ("《甲》子\n天。\n\n", "《甲》子\n天。\n\n")


def test_no_validation_part_when_none_is_asked_for():
    assert split("abc", 0.0) == ("abc", "")
    assert split(POEMS, 0.0) == (POEMS, "")


def test_prepared_text_decodes_to_the_text():
    corpus = prepare_text(loaded(POEMS), PLAIN)
    assert corpus.train.dtype == corpus.validation.dtype == torch.int64
    assert corpus.tokenizer.decode(corpus.train.tolist()) == corpus.train_text
    # The vocabulary knows the digits of the titles it has seen: all of them.
    assert corpus.tokenizer.decode(corpus.validation.tolist()) == corpus.validation_text
    assert corpus.train_text + corpus.validation_text == POEMS


def test_a_cut_where_a_document_begins_stays_there():
    text = "《甲》子\n天。\n\n" * 4
    assert [len(part) for part in split(text, 0.5)] == [18, 18]
    assert [len(part) for part in split(text, 0.51)] == [18, 18], "one that falls before it moves there"
    assert [len(part) for part in split(text, 0.45)] == [27, 9]


def test_paragraphs_and_bodies_begin_where_they_do():
    text = "《甲》子\n天。\n\n《乙》丑\n地。\n\n"
    corpus = prepare_text(loaded(text), TextSettings(validation_fraction=0.0))
    assert corpus.paragraph_starts.tolist() == [0, 5, 9, 14]
    # Without titles, only the paragraphs; more blank lines than one begin no paragraph of their own.
    corpus = prepare_text(loaded("ab\ncd\n\n\n\nef\n"), TextSettings(validation_fraction=0.0))
    assert corpus.paragraph_starts.tolist() == [0, 9]


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_paragraph_starts_count_tokens_not_characters(kind):
    text = "the cat sat\n\nthe dog sat\n\nthe cat ran\n" * 3
    settings = TextSettings(tokenizer=kind, validation_fraction=0.0, vocab_size=300)
    corpus = prepare_text(loaded(text), settings)
    tokens = corpus.train.tolist()
    before = [corpus.tokenizer.decode(tokens[:start]) for start in corpus.paragraph_starts]
    paragraphs = [
        "the cat sat\n\n",
        "the dog sat\n\n",
        *["the cat ran\nthe cat sat\n\n", "the dog sat\n\n"] * 2,
    ]
    assert before == ["".join(paragraphs[:count]) for count in range(7)]


def test_the_vocabulary_comes_from_the_training_part_and_the_rest_is_counted():
    corpus = prepare_text(loaded("ab" * 9 + "zc"), PLAIN)
    report = {step.name: step for step in corpus.report}
    assert [step.name for step in corpus.report] == [
        "read",
        "clean",
        "drop_lines",
        "split",
        "tokenise",
        "encode",
    ]
    assert corpus.tokenizer.vocab_size == 4
    assert report["encode"].dropped == 2
    assert report["encode"].facts["unknown_characters_train"] == 0
    assert report["encode"].facts["unknown_characters_validation"] == 2
    assert (report["split"].facts["train_characters"], report["split"].facts["validation_characters"]) == (
        18,
        2,
    )


def test_unknown_words_count_all_their_characters():
    corpus = prepare_text(
        loaded("yes no yes no extraordinary"), TextSettings(tokenizer="words", validation_fraction=0.0)
    )
    # Twice: " no"; once, and so unknown: "yes", " yes", " extraordinary".
    assert corpus.tokenizer.decode(corpus.train.tolist()) == " no no"
    assert corpus.report[-1].dropped == len("yes" + " yes" + " extraordinary")


def test_a_given_tokenizer_is_used_as_it_is():
    given = train_tokenizer("abc")
    corpus = prepare_text(loaded("abcd" * 10), PLAIN, given)
    assert corpus.tokenizer is given
    assert corpus.report[-1].facts["unknown_characters_train"] == 9


def test_cleaning_that_leaves_nothing_is_an_error():
    with pytest.raises(InputError, match="dropped all 9 characters of a text"):
        prepare_text(loaded("ab\nab\nab\n"), TextSettings(min_line_length=3))


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"validation_fraction must be at most 0\.9, got 1"):
        TextSettings(validation_fraction=1.0)
    with pytest.raises(InputError, match="tokenizer must be one of characters, words, bpe"):
        TextSettings(tokenizer="syllables")


def test_the_preparation_goes_with_a_model_and_the_tokenizer_does_not(tmp_path):
    settings = TextSettings(tokenizer="words", validation_fraction=0.3, min_line_length=4)
    settings.save(tmp_path)
    assert json.loads((tmp_path / "preparation.json").read_text()) == {
        "validation_fraction": 0.3,
        "drop_repeated_lines": False,
        "min_line_length": 4,
        "max_line_length": None,
        "lowercase": False,
    }
    assert PreparationSettings.load(tmp_path) == PreparationSettings(
        validation_fraction=0.3, min_line_length=4
    )


def test_a_model_without_a_preparation_had_the_usual_one(tmp_path):
    assert PreparationSettings.load(tmp_path) == PreparationSettings()


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"3", b"\xff", b'{"validation_fraction": 7}', b'{"colour": 1}', b"[" * 50_000]
)
def test_a_broken_preparation_is_said(tmp_path, content):
    (tmp_path / "preparation.json").write_bytes(content)
    with pytest.raises(InputError, match=r"preparation\.json"):
        PreparationSettings.load(tmp_path)


def test_the_report_is_plain_json():
    report = [step.to_dict() for step in prepare_text(loaded(POEMS), PLAIN).report]
    assert json.loads(json.dumps(report)) == report
    assert report[0] == {
        "name": "read",
        "kept": len(POEMS),
        "dropped": 0,
        "facts": {"bytes": len(POEMS.encode()), "encoding": "UTF-8", "sha256": "0" * 64},
        "unit": "characters",
    }
