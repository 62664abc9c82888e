"""What the cards of encoders say."""

from aigc_demo.training.recipes import RECIPES

FIGURES = {
    "masked_accuracy": 0.5,
    "masked_top5_accuracy": 0.75,
    "num_samples": 2000,
    "preparation": {"validation_fraction": 0.1},
}


def test_a_card_has_the_ceiling_beside_the_accuracy_where_the_grammar_is_known() -> None:
    judged = {**FIGURES, "next_sentence_accuracy": 0.625}
    grammar = {"next_sentence_ceiling": 1.0, "pairs_looked_at": 12_345, "lawful_pairs_left_out": 678}
    measured = RECIPES["bert"].card.measured
    assert [value for _, value in measured(FIGURES, {}).rows] == ["50.00%", "75.00%"]
    assert [value for _, value in measured(judged, {}).rows] == ["50.00%", "75.00%", "62.50%"]
    assert [value for _, value in measured({**judged, **grammar}, {}).rows] == [
        *("50.00%", "75.00%", "62.50%"),
        "100.00%; 678 of 12,345 wrong pairs were left out, as they are lawful too",
    ]
