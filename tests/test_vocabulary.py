"""One word for one thing, and the field's word: what is written here is not said in another way.

Names that are public (settings, endpoints, events) or stand in files on a disk keep theirs.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from aigc_demo.generators.kinds import KINDS
from tests.test_house import PACKAGE, PAGES, ROOT

# The words on the left name nothing in the code; the right says what does.
NAMES = {
    "told|said|heard": "what the value is: loss, metrics, output, conditioning",
    "pictures?": "image",
    "drawings?": "image",
    "tickets?": "job, token",
    "desk": "run queue",
    "stopbook": "cancellation, cancel token",
    "turns": "time slices",
    "game": "adversarial training, step by step",
    "mend|mends|mended|mender|mending|treat|treats|treated": "restore, restoration, postprocess",
    "settle|settled|settles": "configure, recalibrate",
    "begun|made": "initial, generated, created",
    "strangers?": "untrusted",
    "bend": "activation",
    "evened": "normalized",
}
SENTENCES = {
    "length of the gradient": "gradient norm",
    "memory of the (direction|size)": "first-moment or second-moment decay",
    "evens? out": "normalization",
    "share of features dropped": "dropout probability",
    "makes? small": "loss",
    "discriminator's word": "score",
    # "mends" alone in quotes is the kind that endpoints and folders name.
    '(mend(ed|ing|ers?)?|mends(?!"))( images| pictures)?': "restore, restoration",
    "stop book|run desk": "cancellation, run queue",
    "strangers?('s)? (folder|zip|file|model)s?": "untrusted",
    "words for seeds|find seeds by words": "seeds by label",
    "gather, then think": "attention, then feed-forward",
    "plays? the game|the game": "adversarial training, step by step",
}
# Settings, fields of configurations and of events, and weights in files: they stay as they are.
PUBLIC = {
    "pictures",
    "num_pictures",
    "sample_pictures",
    "validation_pictures",
    "copying",
    "picture",  # a layer of shipped networks
    "picture_tower",
    "pictures_per_second",
    "ticket",  # an argument of endpoints
    "page_ticket",  # what the page passes for it
    "new_ticket",
    "connection_made",  # asyncio's
}


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def named(*folders: str) -> list[tuple[str, str, list[str]]]:
    """Where a name is given, the name, and its words; of every module below the folders."""
    return [
        (f"{path.relative_to(ROOT)}:{line}", name, words_of(name))
        for path in modules(*folders)
        for name, line in names_in(ast.parse(path.read_text("utf8")))
        if name not in PUBLIC
    ]


def names_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def words_of(name: str) -> list[str]:
    """A name cut at underscores and capitals: RunQueue, run_queue are run and queue."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def test_a_name_is_cut_into_its_words():
    assert words_of("RunDesk") == ["run", "desk"]
    assert words_of("_picture_BCHW") == ["picture", "bchw"]
    assert words_of("GANGame") == ["gan", "game"]


@pytest.mark.parametrize("words", NAMES, ids=lambda words: words.split("|")[0])
def test_code_names_it_by_the_fields_word(words):
    found = [
        f"{place} {name}"
        for place, name, parts in named("aigc_demo", "benchmarks")
        if any(re.fullmatch(words, word) for word in parts)
    ]
    assert found == [], f"instead: {NAMES[words]}"


@pytest.mark.parametrize(
    "words", [row for row in NAMES if row != "begun|made"], ids=lambda words: words.split("|")[0]
)
def test_tests_name_it_by_the_fields_word(words):
    """The name of a test is a sentence, in which something may be said, drawn or made."""
    as_names = {"pictures?", "desk", "game", "strangers?", *(row for row in NAMES if row.startswith("mend"))}
    found = [
        f"{place} {name}"
        for place, name, parts in named("tests")
        if words in as_names or not name.startswith("test_")
        if any(re.fullmatch(words, word) for word in parts)
    ]
    assert found == [], f"instead: {NAMES[words]}"


def test_what_a_kind_of_model_does_is_said_of_images():
    sentences = [row.sentence for row in KINDS.values()]
    assert any("images" in sentence for sentence in sentences)
    assert [sentence for sentence in sentences if re.search("picture|mend", sentence)] == []


@cache
def written() -> list[tuple[Path, str]]:
    """Every module of the package and every document, with its text."""
    pages = [ROOT / page for page in PAGES if not page.endswith(("CHANGELOG.md", "experiments.md"))]
    return [(path, path.read_text("utf8")) for path in [*sorted(PACKAGE.rglob("*.py")), *pages]]


@pytest.mark.parametrize("phrase", SENTENCES)
def test_code_and_documents_say_it_in_the_fields_words(phrase):
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1} {match[0]}"
        for path, text in written()
        for match in re.finditer(rf"\b({phrase})\b", text, re.IGNORECASE)
    ]
    assert found == [], f"instead: {SENTENCES[phrase]}"
