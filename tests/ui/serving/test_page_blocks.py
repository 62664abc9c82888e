"""A call that does not fit is answered with one sentence, and a fault of ours with another."""

import json
import subprocess
import sys

import pytest

from aigc_demo.ui.words.wording import WORDS
from tests.ui.conftest import ROOT

DOES_NOT_FIT, UNEXPECTED = WORDS["call_does_not_fit"], WORDS["unexpected"]


@pytest.fixture(scope="module")
def called():
    """What each call of `misfit_calls` was answered, and the log."""
    command = [sys.executable, "-m", "tests.ui.serving.misfit_calls"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(
            (name, DOES_NOT_FIT[0])
            for name in ("path", "file", "number", "nothing", "surrogate", "echo", "many digits")
        ),
        ("zh-CN", DOES_NOT_FIT[1]),
        ("zh-TW", DOES_NOT_FIT[2]),
        ("refused", "There is no model named ‹b›; `python -m aigc_demo models` lists them."),
        ("ours", UNEXPECTED[0]),
        ("output", UNEXPECTED[0]),
    ],
)
def test_every_call_that_fails_has_one_sentence_and_no_stack_trace(called, name, words):
    assert called[0][name] == ["Error", words, False]


def test_what_is_not_sent_back_is_left_to_the_function(called):
    assert called[0]["unused"] is None


def test_gradios_own_words_are_kept_short_and_without_html(called):
    kind, words, prints = called[0]["choice"]
    assert (kind, prints, len(words)) == ("Error", False, 300)
    assert words.startswith("Value: ‹b›‹b›")


def test_a_cancelled_call_stays_cancelled(called):
    assert called[0]["cancelled"][0] == "CancelledError"


def test_the_log_has_the_stack_traces_of_our_own_faults_alone(called):
    log = called[1]
    assert log.count("The call of 'lambda' failed") == 2
    assert "KeyError: 'no such key'" in log
    assert "PostprocessError: the output of 'lambda'" in log
    assert log.count("failed\nTraceback") == 2
    assert "The call of 'len': ValidationError" in log
