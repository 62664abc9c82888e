"""What the cards of encoder-decoders say."""

from aigc_demo.training.recipes import RECIPES


def test_a_card_says_how_often_the_answer_is_the_true_one() -> None:
    figures = {
        "exact_match": 0.25,
        "commonest_answer_share": 0.125,
        "length_kept": 0.5,
        "bits_per_character": 3.25,
        "num_samples": 2000,
        "preparation": {"validation_fraction": 0.1},
        "kinds": {"how_many": {"exact_match": 0.75}},
    }
    introduction, rows, _ = RECIPES["seq2seq"].card.measured(figures, {})
    assert "2,000 held-out pairs, from the last\n10% of the data" in introduction
    assert [value for _, value in rows] == ["25.00%", "12.50%", "50.00%", "3.2500", "75.00%"]
    assert rows[-1][0] == "questions of the kind how many"


def test_tokens_of_one_step_are_those_of_sources_and_answers() -> None:
    settings = RECIPES["seq2seq"].complete({"batch_size": 3, "context_length": 10, "target_length": 99})
    assert settings.lengths == (10, 10)
    assert settings.units_per_step == 3 * (10 + 10)
