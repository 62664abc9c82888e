"""The command line with models that predict masked words or answer a text."""

import json

import pytest

from aigc_demo import cli
from tests.generators.conftest import (
    save_answers,
    save_encoder,
    save_library_answers,
    save_library_encoder,
    save_ours,
)

QUESTION, STORY = "what colour was the cat?", "the cat sat on the mat."


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    save_encoder(root / "bert")
    save_library_encoder(root / "bert-library")
    save_answers(root / "answers", context_length=64)
    save_library_answers(root / "answers-library", context_length=64)
    save_ours(root / "gpt")
    return root


def run(capsys, *arguments, status=0):
    """What a command prints, and its line on standard error."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    printed = capsys.readouterr()
    assert (ended.value.code or 0) == status, printed.err
    return printed.out if status == 0 else printed.err


def result(capsys, *arguments):
    return json.loads(run(capsys, *arguments, "--json").splitlines()[-1])


@pytest.mark.parametrize("name", ["bert", "bert-library"])
def test_generate_fills_masks_in_and_prints_the_candidates(capsys, models, name):
    command = ("generate", models / name, "--prompt", "the c<mask>t")
    found = result(capsys, *command)
    (candidates,) = found["guesses"]
    assert len(candidates) == 5
    assert found["text"] == f"the c{candidates[0]['text']}t"
    assert found["model"] == str(models / name)
    lines = run(capsys, *command, "--num", 7).splitlines()
    assert lines[0] == found["text"]
    assert lines[1].startswith(f"  1: {candidates[0]['text']} {candidates[0]['prob']:.1%}, ")
    assert len(result(capsys, *command, "--num", 7)["guesses"][0]) == 7


def test_generate_says_whether_a_second_text_follows(capsys, models):
    command = ("generate", models / "bert", "--prompt", "the cat", "--set", "second=sat on the mat")
    found = result(capsys, *command)
    assert found["text"] == ("it follows" if found["prob"] > 0.5 else "it does not follow")
    assert run(capsys, *command).strip() == f"{found['text']} ({found['prob']:.1%})"


@pytest.mark.parametrize("name", ["answers", "answers-library"])
def test_generate_answers_a_question_about_a_story(capsys, models, name):
    command = ("generate", models / name, "--prompt", QUESTION, "--set", f"story={STORY}")
    found = result(capsys, *command, "--set", "max_new_tokens=6")
    assert 1 <= found["num_tokens"] <= 6
    drawn = [
        result(capsys, *command, "--set", "temperature=2", "--set", "top_k=0", "--seed", seed)["text"]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_compare_puts_models_of_one_kind_beside_each_other(capsys, models):
    encoders = (models / "bert", models / "bert-library")
    found = result(capsys, "compare", *encoders, "--prompt", "the c<mask>t")
    assert [column["model"] for column in found["columns"]] == [str(model) for model in encoders]
    alone = result(capsys, "generate", encoders[1], "--prompt", "the c<mask>t")
    first, second = (column["guesses"][0][0] for column in (found["columns"][1], alone))
    assert (first["id"], first["prob"]) == (second["id"], pytest.approx(second["prob"], rel=1e-4))
    answerers = (models / "answers", models / "answers-library")
    arguments = ("compare", *answerers, "--prompt", QUESTION, "--set", f"story={STORY}")
    found = result(capsys, *arguments)
    text = run(capsys, *arguments)
    for column in found["columns"]:
        assert f"--- {column['model']}\n{column['text']}\n" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bert", "the cat"), "There is no <mask> in this text"),
        (("bert", "<mask>" * 10), "There are 10 masks in this text"),
        (("bert", "<mask> <mask>"), "This text is nothing but masks"),
        (("bert", "a<mask>" + "a" * 40), "tokens and"),
        (("bert", "QUXYZ<mask>"), "does not know 5 of the 5 characters"),
        (("bert", "a<mask>", "story=x"), "There is no setting named story"),
        (("bert", "the cat", "second="), "Two texts are needed"),
        (("answers", ""), "There is nothing to answer"),
        (("answers", QUESTION), "There is no story that the question could be about"),
        (("answers", QUESTION, "story="), "There is no story that the question could be about"),
        (("answers", "is it?", f"story={STORY}"), "The tiny world knows no such question"),
        (("answers", QUESTION, f"story={STORY * 4}"), "tokens and"),
        (("answers", "QUXYZ"), "does not know 5 of the 5 characters"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(capsys, models, arguments, sentence):
    name, prompt, *settings = arguments
    more = [part for one in settings for part in ("--set", one)]
    printed = run(capsys, "generate", models / name, "--prompt", prompt, *more, status=2)
    assert sentence in printed
    assert printed.count("\n") == 1


def test_models_of_two_kinds_are_not_compared(capsys, models):
    for pair in (("bert", "gpt"), ("gpt", "bert"), ("bert", "answers")):
        names = [models / name for name in pair]
        printed = run(capsys, "compare", *names, "--prompt", "the c<mask>t", status=2)
        assert "holds a model of another kind" in printed
