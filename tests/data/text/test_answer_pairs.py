"""Pairs of a text and its answer: which lines are paired, how they are tokenized, what is left out."""

import hashlib
from dataclasses import replace

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import TINY_WORLD, LoadedText
from aigc_demo.data.text.answer_pairs import (
    COUPLETS,
    NEXT_SENTENCES,
    QUESTIONS,
    AnswerPair,
    QuestionPairs,
    _asked,
    answer_pairs,
    encode_pair,
    prepare_answer_pairs,
    spread,
)
from aigc_demo.data.text.corpus import TextSettings
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.data.tiny_world.stories.questions import NUM_QUESTIONS, answer_of
from aigc_demo.data.tiny_world.texts import documents_text

LENGTHS = (32, 16)


def loaded(text: str) -> LoadedText:
    return LoadedText("x.txt", text, hashlib.sha256(text.encode()).hexdigest())


def poems(count: int) -> str:
    """Each line is answered by its mirror image, in poems of two couplets."""
    digits = "零一二三四五六七八九"
    found = []
    for number in range(count):
        lines = ["".join(digits[int(digit)] for digit in f"{number:03}{place}7") for place in (1, 2)]
        body = "\n".join(f"{line}，{line[::-1]}。" for line in lines)
        found.append(f"《其{number}》无名\n{body}\n")
    return "\n".join(found)


def test_of_titled_poems_the_lines_of_each_couplet_are_paired() -> None:
    first = "《甲》无名\n白日依山尽，黄河入海流。\n欲穷千里目？更上一层楼！\n"
    second = "《乙》无名\n春眠不觉晓，处处闻啼鸟。\n夜来，花。\n知多少。\n"
    task, pairs, dropped = answer_pairs(f"{first}\n{second}", "poems.txt")
    assert task == COUPLETS
    assert pairs == [
        AnswerPair("白日依山尽，", None, "黄河入海流。"),
        AnswerPair("欲穷千里目？", None, "更上一层楼！"),
        AnswerPair("春眠不觉晓，", None, "处处闻啼鸟。"),
    ]
    assert dropped == {"lines_left_over": 1, "couplets_of_two_lengths": 1}


def test_of_other_texts_each_sentence_is_paired_with_the_next_one_of_its_document() -> None:
    task, pairs, dropped = answer_pairs("One is here. Two came! Three?\n\nFour, alone.\n", "x")
    assert task == NEXT_SENTENCES
    assert pairs == [AnswerPair("One is here.", None, "Two came!"), AnswerPair("Two came!", None, "Three?")]
    assert dropped == {}


def test_of_the_tiny_world_each_story_is_asked_about() -> None:
    whole = documents_text(4)
    task, pairs, dropped = answer_pairs(whole[20:-20], TINY_WORLD)
    assert (task, dropped) == (QUESTIONS, {"stories_cut_in_two": 2})
    stories = whole.split("\n\n")[1:7]
    assert len(pairs) == NUM_QUESTIONS * 6
    for place, pair in enumerate(pairs):
        assert pair.second == stories[place // NUM_QUESTIONS]
        assert answer_of(pair.second, pair.first) == pair.target
        assert pair.kind
    assert len({(pair.first, pair.second) for pair in pairs}) == len(pairs)
    again, _ = QuestionPairs(stories), _asked.cache_clear()
    assert again[5:9] == pairs[5:9]
    assert (again[-1], len(again)) == (pairs[len(pairs) - 1], len(pairs))
    with pytest.raises(IndexError):
        again[len(again)]


def test_questions_and_answers_are_in_the_vocabulary() -> None:
    text = documents_text(100)
    corpus = prepare_answer_pairs(
        replace(loaded(text), name=TINY_WORLD), TextSettings(tokenizer="words"), (160, 24)
    )
    assert (corpus.task, len(corpus.train) + len(corpus.validation)) == (QUESTIONS, NUM_QUESTIONS * 199)
    assert corpus.report[-1].facts["stories_cut_in_two"] <= 2
    assert corpus.unknown_share < 0.01
    languages = {len(corpus.tokenizer.encode(word)) for word in ("Where", "哪")}
    assert languages == {1}
    assert corpus.tokenizer.unknown_id not in corpus.tokenizer.encode("the story does not say")


def test_a_source_of_two_texts_is_tokenized_sentence_by_sentence_in_two_segments() -> None:
    tokenizer = train_tokenizer("It sat.\nwhere?\nhere\n" * 2, "words", special=ENCODER_TOKENS)
    known = {name: tokenizer.encode(name)[0] for name in ("It", " sat", ".", "where", "?", "here") if name}
    pair = encode_pair(AnswerPair("where?", "It sat. It sat.", "here"), tokenizer)
    story = [known["It"], known[" sat"], known["."]]  # never " It", which stands at no beginning
    assert tokenizer.unknown_id not in story
    assert pair.source.tolist() == [1, known["where"], known["?"], 4, *story, *story, 4]
    assert pair.segments.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert pair.target.tolist() == [1, known["here"], 4]
    assert pair.fits(11, 3)
    assert not pair.fits(10, 3)
    assert not pair.fits(11, 2)


def test_pairs_are_split_between_poems_and_reported() -> None:
    corpus = prepare_answer_pairs(loaded(poems(20)), TextSettings(validation_fraction=0.25), LENGTHS)
    assert (len(corpus.train), len(corpus.validation)) == (32, 8)
    assert {pair.target[:-1] for pair in corpus.validation} == {
        pair.first[-2::-1] for pair in corpus.validation
    }
    assert not {pair.first for pair in corpus.train} & {pair.first for pair in corpus.validation}
    assert corpus.tokenizer.masks
    assert "《" not in corpus.tokenizer._tokens
    step = corpus.report[-1]
    assert (step.name, step.kept, step.dropped, step.unit) == ("pairs", 40, 0, "pairs")
    assert step.facts["task"] == COUPLETS
    assert (step.facts["measured_pairs"], step.facts["too_long_among_them"]) == (40, 0)
    again = prepare_answer_pairs(loaded(poems(20)), TextSettings(), LENGTHS, corpus.tokenizer)
    assert again.tokenizer is corpus.tokenizer
    assert corpus.unknown_share == 0


def test_what_an_older_vocabulary_does_not_know_is_measured() -> None:
    tokenizer = train_tokenizer("零一二，。", special=ENCODER_TOKENS)
    text = "《甲》无名\n零一二，三三三。\n\n" * 4
    corpus = prepare_answer_pairs(loaded(text), TextSettings(validation_fraction=0.5), LENGTHS, tokenizer)
    assert corpus.unknown_share == pytest.approx(3 / 12)  # of 4 + 2 and 4 + 2 tokens, special ones included


def test_spread_evenly() -> None:
    pairs = [AnswerPair(str(number), None, "") for number in range(7)]
    assert [pair.first for pair in spread(pairs, 3)] == ["0", "2", "4"]
    assert spread(pairs, 9) == pairs


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("One sentence alone.", "no_answer_pairs"),
        ("One sentence. And two.\n\n" + "no pair here\n\n" * 2, "no_answer_pairs"),
        (poems(3), "no_answer_pairs"),  # one poem held out is no collection
        ("Much too long a sentence. " * 50, "answer_pairs_too_long"),
    ],
)
def test_texts_without_pairs_are_refused(text: str, key: str) -> None:
    with pytest.raises(InputError) as refused:
        prepare_answer_pairs(loaded(text), TextSettings(validation_fraction=0.4), LENGTHS)
    assert refused.value.key == key


def test_stories_stay_as_their_grammar_has_them() -> None:
    stories = replace(loaded(documents_text(4)), name=TINY_WORLD)
    with pytest.raises(InputError, match="lowercase must be false for the tiny world"):
        prepare_answer_pairs(stories, TextSettings(lowercase=True), (160, 24))
