"""What others see of a path: the run's name or the last part, never the folders of the machine."""

import pytest

from aigc_demo.core.files.public_paths import public_path, public_values, without_paths


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/srv/app/runs/gpt-1", "gpt-1"),
        ("/srv/app/runs/gpt-1/checkpoints/step-000500", "gpt-1/checkpoints/step-000500"),
        ("/srv/app/runs/gpt-1/samples/step-000500.png", "gpt-1/samples/step-000500.png"),
        ("/srv/app/runs/gpt-1/source.txt", "source.txt"),
        ("/home/Ann Lee/my runs/a b", "a b"),
        (r"C:\Users\ann\runs\gpt-1", "gpt-1"),
        ("/", ""),
        ("/checkpoints/x", "x"),
        ("runs/gpt-1", "runs/gpt-1"),
        ("its checkpoint/generator", "its checkpoint/generator"),
        ("hf:owner/name@main", "hf:owner/name@main"),
        ("", ""),
    ],
)
def test_a_path_is_seen_by_its_name(path, seen):
    assert public_path(path) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("it is left away, got /srv/runs/gpt-1.", "it is left away, got gpt-1."),
        (
            "see /srv/runs/gpt-1/checkpoints/step-000002 (cut off)",
            "see gpt-1/checkpoints/step-000002 (cut off)",
        ),
        (r"no file 'C:\Users\ann\x.txt'", "no file 'x.txt'"),
        ("/a/b and /c/d", "b and d"),
        ("https://hub.example.edu/a/b, hf:owner/name, and/or, 1/2/3, </s>, a / b", None),
        ("runs/gpt-1/source.txt", None),
    ],
)
def test_paths_in_a_text_are_shortened_and_nothing_else(text, seen):
    assert without_paths(text) == (seen or text)


def test_numbers_of_a_sentence_stay_numbers():
    values = {"path": "/srv/my runs/a", "detail": "/srv/x/y is empty", "got": 3, "share": 0.5, "known": None}
    seen = {"path": "a", "detail": "y is empty", "got": 3, "share": 0.5, "known": None}
    assert public_values(values) == seen
