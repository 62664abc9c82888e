import random

import numpy as np
import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import LoadedText
from aigc_demo.data.text.corpus import TextSettings
from aigc_demo.data.text.documents import (
    documents_of,
    encode_documents,
    prepare_documents,
    sentence_spans,
    word_numbers,
)
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS

POEMS = "".join(
    f"《第{i}首》某人\n白日依山{i}，黄河入海流。\n欲穷千里目？更上一层楼！\n\n" for i in range(20)
)


def loaded(text: str) -> LoadedText:
    return LoadedText("a text", text, "0" * 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two!  Three?", [["One.", "Two!", "Three?"]]),
        ("One.\n\nTwo.\n\n\n \nThree", [["One."], ["Two."], ["Three"]]),
        ('He said: "Go." She went... Then 3 came', [['He said: "Go."', "She went...", "Then 3 came"]]),
        ("他说：“走吧。”她走了！然后，没有了", [["他说：“走吧。”", "她走了！", "然后，没有了"]]),
        ("...\n\n - - \n\n", []),
        ("", []),
    ],
)
def test_a_text_is_documents_of_sentences(text, expected):
    assert documents_of(text) == expected


def test_the_sentences_of_poems_are_lines_of_verse_without_titles():
    assert documents_of(POEMS)[3] == ["白日依山3，", "黄河入海流。", "欲穷千里目？", "更上一层楼！"]
    assert len(documents_of(POEMS)) == 20
    # The same poem alone is no collection: a text whose sentences end at full stops.
    assert documents_of("白日依山尽，黄河入海流。") == [["白日依山尽，黄河入海流。"]]


def test_no_sentence_has_what_others_have_and_none_is_lost():
    rng = random.Random(0)
    for _ in range(200):
        text = "".join(rng.choices("ab c.!?\n。，春", k=40))
        kept = "".join(sentence for document in documents_of(text) for sentence in document)
        wanted = [char for char in text if char.isalnum()]
        assert [char for char in kept if char.isalnum()] == wanted


@pytest.mark.parametrize("kind", ["characters", "words", "bpe"])
def test_letters_that_stand_together_are_one_word(kind):
    text = "Don't eat 春天 apples, 7 of them."
    tokenizer = train_tokenizer(text * 3, kind, special=ENCODER_TOKENS)
    _, starts, _ = tokenizer.encode_spans(text)
    numbers = word_numbers(text, starts)
    assert (np.diff(numbers) >= 0).all()
    assert numbers[0] == 0
    if kind == "characters":
        # Every letter of "apples" has one number; each Chinese character, space and mark its own.
        place = text.index("apples")
        assert len(set(numbers[place : place + 6])) == 1
        assert (
            len(set(numbers))
            == len(["Don", "'", "t", "eat", "春", "天", "apples", ",", "7", "of", "them", "."]) + 6
        )
        assert numbers[text.index("春")] != numbers[text.index("天")]
    if kind == "words":
        assert numbers.tolist() == list(range(len(starts)))


def test_documents_know_where_they_begin_and_end():
    tokenizer = train_tokenizer("abc.", special=ENCODER_TOKENS)
    found = encode_documents([["a.", "b."], ["c."], ["a.", "b.", "c."]], tokenizer)
    assert found.document.tolist() == [0, 0, 1, 2, 2, 2]
    assert found.first.tolist() == [0, 0, 2, 3, 3, 3]
    assert found.past.tolist() == [2, 2, 3, 6, 6, 6]
    assert found.num_documents == 3
    assert found.num_tokens == 12
    assert [tokenizer.decode(ids.tolist()) for ids in found.tokens] == list(found.sentences)
    assert encode_documents([], tokenizer).num_tokens == 0


def test_a_corpus_is_split_between_poems_and_its_vocabulary_is_of_the_training_part():
    corpus = prepare_documents(loaded(POEMS), TextSettings(validation_fraction=0.25))
    assert corpus.train.num_documents == 16
    assert corpus.validation.num_documents == 4
    assert corpus.tokenizer.masks
    assert "《" not in corpus.tokenizer._tokens  # titles are not read
    facts = {step.name: step for step in corpus.report}
    assert facts["encode"].facts["train_sentences"] == 64
    # Every digit of 16 to 19 stands in 0 to 15 too.
    assert facts["encode"].dropped == 0
    assert facts["encode"].kept == corpus.train.num_tokens + corpus.validation.num_tokens

    again = prepare_documents(loaded("猫，" * 50), TextSettings(), corpus.tokenizer)
    assert again.tokenizer is corpus.tokenizer
    assert {step.name: step for step in again.report}["encode"].dropped == 50


def test_the_first_word_of_a_sentence_is_known_though_a_space_stands_before_it_in_the_text():
    text = "The cat sat. The dog ran. A cat ran. " * 40
    corpus = prepare_documents(loaded(text), TextSettings(tokenizer="words"))
    assert all((ids != corpus.tokenizer.unknown_id).all() for ids in corpus.train.tokens)
    ids, starts, ends = sentence_spans(" The cat ran.  A dog sat", corpus.tokenizer)
    assert "".join(corpus.tokenizer.token_text(index) for index in ids) == "The cat ran.A dog sat"
    assert [" The cat ran.  A dog sat"[a:b] for a, b in zip(starts, ends, strict=True)][-3:] == [
        "A",
        " dog",
        " sat",
    ]
    assert all(len(array) == 0 for array in sentence_spans(" ", corpus.tokenizer))


def test_a_text_of_which_nothing_is_left_is_refused():
    with pytest.raises(InputError, match="dropped all 6"):
        prepare_documents(loaded("short\n"), TextSettings(min_line_length=9))


def test_words_of_later_tasks_are_known_though_no_sentence_has_them():
    text = "The cat sat. " * 20
    plain = prepare_documents(loaded(text), TextSettings(tokenizer="words"))
    asked = prepare_documents(loaded(text), TextSettings(tokenizer="words"), also_known="Who sat?\n" * 3)
    assert plain.tokenizer.unknown_id in plain.tokenizer.encode("Who sat?")
    assert plain.tokenizer.unknown_id not in asked.tokenizer.encode("Who sat?")
    assert asked.train.sentences == plain.train.sentences
