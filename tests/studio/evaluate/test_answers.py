"""Figures of answers to held-out couplets and questions."""

import math

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data import sources
from aigc_demo.data.text.answer_pairs import answer_pairs, encode_pair
from aigc_demo.data.tiny_world.texts import documents_text
from aigc_demo.generators.answers.model import load_answers
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.scoring import continuation_bits
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.studio.evaluate.answers import answers_of, couplet_bits, evaluate_answers
from aigc_demo.studio.evaluate.dispatcher import evaluate
from tests.generators.conftest import save_answers, save_library_answers, save_ours
from tests.studio.evaluate.test_masked_words import poem

POEMS, NUM_PAIRS = "".join(map(poem, range(10))), 20
LOADER = "aigc_demo.generators.answers.model.load_answers"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("answers")
    save_answers(root / "ours", seed=1)
    save_library_answers(root / "library", seed=1)
    save_ours(root / "gpt")
    (root / "poems.txt").write_text(POEMS, "utf-8")
    return root


def loaded(folders, name):
    return load_answers(folder_entry(folders / name, name))


def couplets():
    _, pairs, _ = answer_pairs(POEMS, "poems.txt")
    return list(pairs)


def test_rows_are_those_of_the_training(folders):
    model = loaded(folders, "ours")
    for pair in couplets()[:5]:
        row, encoded = model.row(pair.first, pair.second), encode_pair(pair, model.vocabulary.tokenizer)
        assert row.ids == tuple(encoded.source.tolist())
        assert row.segments == tuple(encoded.segments.tolist())


@pytest.mark.parametrize("name", ["ours", "library"])
def test_figures_of_couplets_are_those_of_each_counted_by_itself(folders, name):
    model, pairs = loaded(folders, name), couplets()
    figures = evaluate(str(folders / name), str(folders / "poems.txt"), "all")
    assert (figures["task"], figures["num_samples"], figures["num_too_long"]) == ("couplets", NUM_PAIRS, 0)
    answers = [model.vocabulary.decode(list(model.likeliest([model.row(one.first)], 8)[0])) for one in pairs]
    assert figures["length_kept"] == sum(len(one) == 6 for one in answers) / NUM_PAIRS
    assert (
        figures["exact_match"] == sum(a == b.target for a, b in zip(answers, pairs, strict=True)) / NUM_PAIRS
    )
    bits = 0.0
    for pair in pairs:
        ids = model.vocabulary.encode(pair.target)
        probs = model.writer(model.row(pair.first)).token_logits([1, *ids]).softmax(-1)
        bits -= sum(math.log2(probs[place, index]) for place, index in enumerate(ids))
    assert figures["bits_per_character"] == pytest.approx(bits / (6 * NUM_PAIRS), rel=1e-4)
    assert figures["commonest_answer_share"] == 1 / NUM_PAIRS
    assert "kinds" not in figures


def test_right_answers_of_right_length_are_counted(folders, monkeypatch):
    """One that gives the true second line of every other first line, and half of it else."""
    model = loaded(folders, "ours")
    known = {pair.first: pair.target for pair in couplets()}
    shown = []

    def likeliest(rows, longest):
        found = []
        for row in rows:
            first = "".join(map(model.vocabulary.token_text, row.ids[1:-1]))
            shown.append(first)
            right = sorted(known).index(first) % 2 == 0
            found.append(tuple(model.vocabulary.encode(known[first] if right else known[first][:3])))
        return found

    monkeypatch.setattr(model, "likeliest", likeliest)
    monkeypatch.setattr(LOADER, lambda entry: model)
    entry = folder_entry(folders / "ours", "ours")
    figures = evaluate_answers(entry, str(folders / "poems.txt"), "all")
    assert (figures["exact_match"], figures["length_kept"]) == (0.5, 0.5)
    shown.clear()
    some = evaluate_answers(entry, str(folders / "poems.txt"), "all", samples=7, seed=5)
    first = sorted(shown)
    assert (some["num_samples"], len(set(first))) == (7, 7)
    shown.clear()
    evaluate_answers(entry, str(folders / "poems.txt"), "all", samples=7, seed=6)
    assert sorted(shown) != first


def test_answers_stand_in_the_order_of_their_questions(folders):
    model = loaded(folders, "ours")
    texts = ["床前", "明月光疑", "地", "霜上是地月"]
    rows = [model.row(text) for text in texts]
    alone = [answers_of(model, [row], ["霜上"])[0] for row in rows]
    assert answers_of(model, rows, ["霜上"] * 4) == alone
    assert len(set(alone)) > 1
    assert all(len(answer) <= 4 for answer in alone)


def test_questions_of_the_tiny_world_are_counted_by_kind(folders, monkeypatch):
    """By a model that reads anything and says nothing."""
    monkeypatch.setattr(sources, "documents_text", lambda: documents_text(40))
    model = loaded(folders, "ours")
    monkeypatch.setattr(model, "context_length", 100_000)
    monkeypatch.setattr(LOADER, lambda entry: model)
    monkeypatch.setattr(model, "surprisal", lambda rows, answers: [[2.0] * len(ids) for ids in answers])
    monkeypatch.setattr(model, "likeliest", lambda rows, longest: [()] * len(rows))
    figures = evaluate_answers(folder_entry(folders / "ours", "ours"), "tiny-world", "all", samples=40)
    assert (figures["task"], figures["num_samples"]) == ("questions", 40)
    assert sum(one["num_samples"] for one in figures["kinds"].values()) == 40
    assert set(figures["kinds"]) <= {
        "colour", "size", "where", "how_many", "who", "what_happened", "why", "weather"
    }  # fmt: skip
    assert figures["bits_per_character"] > 2, "unknown letters cost 8 bits a byte more"
    assert 1 / 40 <= figures["commonest_answer_share"] < 0.5


def test_pairs_that_do_not_fit_are_counted_and_left_out(folders):
    poems = POEMS + "《长》某人\n" + "床前明月光疑" * 6 + "，" + "床前明月光疑" * 6 + "。\n床前，明月。\n\n"
    (folders / "long.txt").write_text(poems, "utf-8")
    figures = evaluate(str(folders / "ours"), str(folders / "long.txt"), "all")
    assert (figures["num_samples"], figures["num_too_long"]) == (NUM_PAIRS + 1, 1)
    # Too long as an answer, and too long as a source.
    (folders / "only.txt").write_text(f"the cat. {'m' * 40}. " * 5, "utf-8")
    with pytest.raises(InputError) as refused:
        evaluate(str(folders / "ours"), str(folders / "only.txt"), "all")
    assert refused.value.key == "answer_pairs_too_long"
    (folders / "one.txt").write_text("one sentence", "utf-8")
    with pytest.raises(InputError) as refused:
        evaluate(str(folders / "ours"), str(folders / "one.txt"), "all")
    assert refused.value.key == "no_answer_pairs"


def test_a_model_that_generates_text_predicts_the_same_second_lines(folders):
    gpt, pairs = load_text_model(str(folders / "gpt")), couplets()
    first, second = pairs[0].first, pairs[0].target
    ids = gpt.encode(first + second)
    probs = gpt.token_logits([1, *ids]).softmax(-1)
    expected = -sum(math.log2(probs[place, ids[place]]) for place in range(len(first), len(ids)))
    assert continuation_bits(gpt, first, second) == pytest.approx(expected, rel=1e-4)
    alone = continuation_bits(gpt, "", second)
    assert alone != pytest.approx(expected, rel=1e-3)
    unknown = continuation_bits(gpt, first, "Q")
    q = gpt.token_logits([1, *gpt.encode(first)]).softmax(-1)[-1, 0]
    assert unknown == pytest.approx(8 - math.log2(q), rel=1e-4)
    name = str(folders / "gpt")
    mean = sum(continuation_bits(gpt, one.first, one.target) for one in pairs) / (6 * NUM_PAIRS)
    assert couplet_bits(name, pairs) == pytest.approx(mean, rel=1e-6)
    asked = {"compare_with": name}
    figures = evaluate(str(folders / "ours"), str(folders / "poems.txt"), "all", settings=asked)
    assert figures["compared_with"] == name
    assert figures["compared_bits_per_character"] == pytest.approx(mean, rel=1e-6)


def test_only_couplets_are_compared_with_a_model_that_generates_text(folders):
    (folders / "prose.txt").write_text("the cat sat. on the mat. the cat. " * 9, "utf-8")
    asked = {"compare_with": str(folders / "gpt")}
    with pytest.raises(InputError, match="compare_with must be couplets as data"):
        evaluate(str(folders / "ours"), str(folders / "prose.txt"), "all", settings=asked)
