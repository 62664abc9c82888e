"""Every error is one English sentence with its cure, and every place that raises one fills its markers."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import aigc_demo
from aigc_demo.core import sentences
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.sentences import ENGLISH, SENTENCES

PACKAGE = Path(aigc_demo.__file__).parent
FOLDER = Path(sentences.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def markers(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def raised_in_package() -> Iterator[tuple[str, str, set[str]]]:
    """Place, key and names of the values, wherever the package makes an error from a written key."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name not in ("DemoError", "InputError") or not node.args:
                continue
            if isinstance(node.args[0], ast.Constant) and all(word.arg for word in node.keywords):
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                yield place, node.args[0].value, {word.arg for word in node.keywords if word.arg}


def test_error_carries_sentence_key_and_values():
    error = InputError("setting_range", name="top_k", expected="at least 1", got="0")
    assert str(error) == "top_k must be at least 1, got 0."
    assert error.key == "setting_range"
    assert error.values == {"name": "top_k", "expected": "at least 1", "got": "0"}


def test_a_value_with_braces_is_shown_as_it_is():
    assert "{name.__class__}" in str(InputError("unknown_model", name="{name.__class__}"))


def test_bad_input_exits_with_2_and_a_failure_on_the_way_with_1():
    assert InputError("steps_or_minutes").exit_code == 2
    assert DemoError("steps_or_minutes").exit_code == 1
    assert issubclass(InputError, DemoError)


def test_an_unknown_key_and_a_missing_value_are_mistakes_of_ours():
    with pytest.raises(KeyError):
        InputError("no_such_sentence")
    with pytest.raises(KeyError):
        InputError("setting_range", name="top_k")


@pytest.mark.parametrize("key", ENGLISH)
def test_sentence_is_one_line_and_ends_like_a_sentence(key):
    sentence = ENGLISH[key]
    assert sentence == sentence.strip()
    assert "\n" not in sentence
    assert sentence[-1] in ".?!"


@pytest.mark.parametrize("key", ENGLISH)
def test_markers_are_plain_names(key):
    assert all(name.isidentifier() for name in markers(ENGLISH[key])), "no {0}, no {a.b}, no {}"


@pytest.mark.parametrize("key", SENTENCES)
def test_sentence_stands_in_every_language_with_the_same_markers(key):
    english, simplified, traditional = SENTENCES[key]
    assert markers(english) == markers(simplified) == markers(traditional)
    assert not CHINESE.search(english)
    assert CHINESE.search(simplified)
    assert CHINESE.search(traditional)


def test_each_key_has_one_row():
    rows = [
        key.value
        for path in FOLDER.glob("*.py")
        for node in ast.parse(path.read_text("utf8")).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant)
    ]
    assert sorted(rows) == sorted(SENTENCES)


def test_every_raised_key_is_known_and_gets_exactly_its_values():
    raised = list(raised_in_package())
    assert len(raised) > 5, "the scan finds the errors that core/config.py raises"
    wrong = [
        (place, key, sorted(names))
        for place, key, names in raised
        if key not in ENGLISH or markers(ENGLISH[key]) != names
    ]
    assert wrong == []


def test_no_sentence_is_left_over():
    """A key that no module but the tables of words names can never be shown."""
    words: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.parent not in (FOLDER, PACKAGE / "ui" / "words"):
            tree = ast.parse(path.read_text("utf8"))
            words |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert sorted(set(ENGLISH) - words) == []
