"""One form for each text: whichever way it is written, the same characters are left."""

import random
import unicodedata

import pytest

from aigc_demo.data.captions.metadata import plain
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.corpus import PreparationSettings, clean

# Letters that have two forms, those whose marks change places, Hangul, and what only looks like a line end.
ALPHABET = "ab é\u0301ñÅ\u212bệḍ̇각\u1100\u1161\u11a8春。\t\n\n\r\ufeff\x00\x07\x85\u2028\u2029\u200d😀"


def random_text(rng: random.Random) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(40)))


def forms(text: str) -> list[str]:
    """The same text as other editors and systems write it."""
    lines = clean_text(text)
    composed, apart = (unicodedata.normalize(form, lines) for form in ("NFC", "NFD"))
    ends = [one.replace("\n", end) for one in (composed, apart) for end in ("\n", "\r\n", "\r")]
    return [mark + one for one in ends for mark in ("", "\ufeff")]


@pytest.mark.parametrize("seed", range(300))
def test_every_form_of_a_text_is_one_text(seed: int) -> None:
    text = random_text(random.Random(seed))
    cleaned = clean_text(text)
    assert {clean_text(form) for form in forms(text)} == {cleaned}
    assert clean_text(cleaned) == cleaned
    assert not any(unicodedata.category(one) == "Cc" and one not in "\t\n" for one in cleaned)


@pytest.mark.parametrize("seed", range(100))
def test_it_is_the_cleaning_of_training_texts(seed: int) -> None:
    text = random_text(random.Random(seed))
    assert clean(text, PreparationSettings())[0] == clean_text(text)


def test_what_it_does_by_hand() -> None:
    messy = "\ufeffe\u0301te\u0301\r\nun\rdeux\x00\x07\u2028trois\x85quatre\ufeff"
    assert clean_text(messy) == "\u00e9t\u00e9\nun\ndeux\u2028troisquatre"


def test_captions_go_through_it() -> None:
    assert plain("\ufeffe\u0301toile\r\nrouge\x07 ") == "\u00e9toile rouge"
