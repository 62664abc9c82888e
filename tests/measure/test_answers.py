"""Answers beside the right ones, counted by hand."""

from aigc_demo.measure.answers import answer_figures


def test_shares_of_right_answers_and_of_the_commonest_one():
    answers = ["red", "blue", "two", "red", "three"]
    targets = ["red", "red", "two", "green", "seven"]
    figures = answer_figures(answers, targets, ["colour", "colour", "number", "colour", "number"])
    assert figures == {
        "exact_match": 2 / 5,
        "length_kept": 3 / 5,
        "commonest_answer": "red",
        "commonest_answer_share": 2 / 5,
        "kinds": {
            "colour": {"num_samples": 3, "exact_match": 1 / 3, "commonest_answer_share": 2 / 3},
            "number": {"num_samples": 2, "exact_match": 1 / 2, "commonest_answer_share": 1 / 2},
        },
    }


def test_questions_of_one_kind_are_not_listed_by_kind():
    assert set(answer_figures(["a"], ["ab"], [""])) == {
        "exact_match",
        "length_kept",
        "commonest_answer",
        "commonest_answer_share",
    }
