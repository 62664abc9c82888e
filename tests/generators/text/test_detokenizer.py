"""Text that is safe to append, whatever the tokens are."""

import random

import pytest

from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.generators.text.detokenizer import Detokenizer


def decode_bytes(ids):
    """Each token is one byte; 256 is a special token."""
    return bytes(index for index in ids if index < 256).decode("utf-8", "replace")


def pieces(ids, decode=decode_bytes, stop=()):
    text = Detokenizer(decode, stop)
    found = []
    for index in ids:
        found.append(text.push(index))
        if text.stopped:
            break
    return [*found, text.finish()]


def test_a_character_comes_with_its_last_byte():
    assert pieces("a中é".encode()) == ["a", "", "", "中", "", "é", ""]


def test_half_a_character_at_the_end_is_left_out():
    assert pieces("a中".encode()[:-1]) == ["a", "", "", ""]


def test_bytes_that_are_no_character_come_as_marks():
    assert "".join(pieces(b"a\xff\xfeb")) == "a\ufffd\ufffdb"


def test_endless_broken_bytes_are_not_kept():
    calls = []

    def decode(ids):
        calls.append(len(ids))
        return decode_bytes(ids)

    assert "".join(pieces(b"\xff" * 1000, decode)).count("\ufffd") > 900
    assert max(calls) == 16  # so many are kept at most: four make a character


def test_a_special_token_adds_nothing_and_breaks_nothing():
    assert pieces([*"中".encode()[:2], 256, *"中".encode()[2:], 256, 97]) == ["", "", "", "中", "", "a", ""]


@pytest.mark.parametrize("kind", ["characters", "words", "bpe"])
def test_the_pieces_make_up_the_whole_text(kind):
    text = "To be, or not to be: that is the question. 床前明月光，疑是地上霜。 naïve 🙂\n  two  spaces\n"
    tokenizer = train_tokenizer(text * 3, kind)
    ids = tokenizer.encode(text)
    assert "".join(pieces(ids, tokenizer.decode)) == tokenizer.decode(ids)
    rng = random.Random(0)
    for _ in range(50):  # in any order: neighbours that no text has
        shuffled = rng.sample(ids, len(ids))
        whole = tokenizer.decode(shuffled)
        assert "".join(pieces(shuffled, tokenizer.decode)).rstrip("\ufffd") == whole.rstrip("\ufffd")


def test_decoding_one_more_token_takes_no_longer_as_the_text_grows():
    longest = 0

    def decode(ids):
        nonlocal longest
        longest = max(longest, len(ids))
        return decode_bytes(ids)

    pieces("中a".encode() * 200, decode)
    assert longest <= 5


class TestStopStrings:
    def test_it_is_cut_off_although_it_comes_in_pieces(self):
        assert pieces(b"one\n\nEND of", stop=("\n\nEND",)) == ["o", "n", "e", "", "", "", "", "", ""]

    def test_what_only_began_like_it_comes_later(self):
        assert pieces(b"xENDx", stop=("ENDE",)) == ["x", "", "", "", "ENDx", ""]

    def test_what_only_began_like_it_comes_at_the_end(self):
        assert pieces(b"xEN", stop=("END",)) == ["x", "", "", "EN"]

    def test_a_false_start_inside_the_stop_string(self):
        assert "".join(pieces(b"aaab.", stop=("aab",))) == "a"

    def test_the_first_of_several_counts(self):
        assert "".join(pieces(b"alpha beta gamma", stop=("gamma", "beta"))) == "alpha "

    def test_a_token_may_hold_it_and_more(self):
        words = ["one ", "two END", " three"]
        text = Detokenizer(lambda ids: "".join(words[index] for index in ids), ("END",))
        assert [text.push(0), text.push(1)] == ["one ", "two "]
        assert text.stopped
        assert text.finish() == ""

    def test_in_chinese(self):
        assert "".join(pieces("月光。地".encode(), stop=("。",))) == "月光"
