"""Figures of encoders on held-out text: which rows, which masks, and right figures."""

import random
import re

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.data.tiny_world.texts import may_follow, stories
from aigc_demo.generators.text.masked_words import load_masked_words
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.studio.evaluate import masked_words
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.evaluate.masked_words import PairRow, PairRows, evaluate_masked_words, pair_rows
from tests.generators.conftest import save_encoder, save_library_encoder
from tests.generators.foreign_folders import save_bert

LETTERS = "床前明月光疑是地上霜"


def poem(number):
    """Four lines of five characters, in another order for each poem."""
    one, two, three, four = (
        "".join(random.Random(10 * number + line).sample(LETTERS, 5)) for line in range(4)
    )
    return f"《诗 {number}》某人\n{one}，{two}。\n{three}，{four}。\n\n"


POEMS = "".join(poem(number) for number in range(40))
BODY = "".join(line for line in POEMS.split("\n") if not line.startswith("《"))
STORY = "the cat sat. the mat sat on the cat. the cat. on the mat the cat sat.\n\n" * 30


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("encoders")
    save_encoder(root / "ours", context_length=64)
    save_library_encoder(root / "library", context_length=64)
    save_bert(root / "masks")
    (root / "poems.txt").write_text(POEMS, "utf-8")
    (root / "story.txt").write_text(STORY, "utf-8")
    return root


def loaded(folders, name):
    return load_masked_words(folder_entry(folders / name, name))


def texts(model, row):
    """Both texts of a row."""
    ids = list(row.ids[1:-1])
    cut = ids.index(model.vocabulary.separator_id)
    return [model.vocabulary.decode(part) for part in (ids[:cut], ids[cut + 1 :])]


def test_rows_are_lines_with_the_next_one_or_a_wrong_one_of_its_length(folders):
    model = loaded(folders, "ours")
    rows = pair_rows(model, POEMS, "poems.txt", 300, seed=2).rows
    for one in rows:
        first, second = texts(model, one.row)
        assert first in BODY
        assert (first + second in BODY) == one.follows
        assert len(second) == 6
        assert second[-1] in "，。"
    assert 100 < sum(one.follows for one in rows) < 200
    assert {len(texts(model, one.row)[0]) for one in rows} == {6, 12, 18}
    again = pair_rows(model, POEMS, "poems.txt", 300, seed=2).rows
    assert again == rows
    assert pair_rows(model, POEMS, "poems.txt", 300, seed=3).rows != rows
    assert pair_rows(loaded(folders, "library"), POEMS, "poems.txt", 300, seed=2).rows == rows


def test_wrong_sentences_of_the_tiny_world_cannot_follow_by_its_grammar(folders, monkeypatch):
    model = loaded(folders, "masks")
    monkeypatch.setattr(model, "context_length", 400)
    written = stories(3, "en")
    text = "\n\n".join(next(written) for _ in range(20))
    kept = []
    monkeypatch.setattr(model, "row", lambda *both: kept.append(both) or type(model).row(model, *both))
    found = pair_rows(model, text, "tiny-world", 60, seed=1)
    rows = found.rows
    assert 15 < sum(one.follows for one in rows) < 45
    for (first, second), one in zip(kept, rows, strict=True):
        last = first[first[:-1].rfind(".") + 1 :].strip()
        assert may_follow(last, second) == one.follows
        assert one.same_document
    # Whoever knows the grammar is always right, as no wrong pair is left that has it.
    assert found.grammar_figures() == {
        "next_sentence_ceiling": 1,
        "pairs_looked_at": found.num_looked_at,
        "lawful_pairs_left_out": found.num_left_out,
    }
    assert 0 < found.num_left_out < found.num_looked_at


def test_the_ceiling_is_the_share_of_rows_where_the_grammar_is_right(folders):
    row = pair_rows(loaded(folders, "ours"), POEMS, "poems.txt", 1, seed=2).rows[0].row
    truths = [(True, True), (False, False), (False, True), (True, True)]
    rows = PairRows([PairRow(row, follows, True, lawful) for follows, lawful in truths], 9, 2)
    assert rows.grammar_figures() == {
        "next_sentence_ceiling": 0.75,
        "pairs_looked_at": 9,
        "lawful_pairs_left_out": 2,
    }


def test_rows_that_are_too_long_have_fewer_sentences_or_are_left_out(folders):
    short = loaded(folders, "ours")
    short.context_length = 16  # two lines of 6 and three special tokens
    rows = pair_rows(short, POEMS, "poems.txt", 50, seed=2).rows
    assert {len(one.row.ids) for one in rows} == {15}
    short.context_length = 14
    with pytest.raises(InputError) as refused:
        pair_rows(short, POEMS, "poems.txt", 5, seed=2)
    assert refused.value.key == "no_sentence_pairs"


def knowing(model):
    """The outputs of an encoder that looks its rows up in the poems."""

    def predict(batch, chosen_BT):
        tokens, follows = [], []
        for ids, segments, chosen in zip(
            batch.ids_BT.tolist(), batch.segments_BT.tolist(), chosen_BT, strict=True
        ):
            text = model.vocabulary.token_text
            parts = [
                "".join(text(index) for index, one in zip(ids, segments, strict=True) if one == part)
                for part in (0, 1)
            ]
            patterns = [re.sub("<(start|sep|pad)>", "", part).replace("<mask>", ".") for part in parts]
            found = "".join(re.search(pattern, BODY)[0] for pattern in patterns)
            places = [place for place, index in enumerate(ids) if index not in (1, 2, 4)]
            letters = dict(zip(places, found, strict=True))
            tokens += [
                model.vocabulary.encode(letters[place])[0] for place in chosen.nonzero()[:, 0].tolist()
            ]
            follows.append(re.search("".join(patterns), BODY) is not None)
        logits_NV = (
            torch.nn.functional.one_hot(torch.tensor(tokens, dtype=torch.long), model.vocab_size) * 9.0
        )
        return logits_NV, torch.tensor([[float(one), float(not one)] for one in follows])

    return predict


def test_figures_of_a_model_that_knows_the_text(folders, monkeypatch):
    model = loaded(folders, "ours")
    monkeypatch.setattr("aigc_demo.generators.text.masked_words.load_masked_words", lambda entry: model)
    monkeypatch.setattr(model.network, "predict", knowing(model))
    figures = evaluate(str(folders / "ours"), str(folders / "poems.txt"), "all", samples=120, seed=4)
    assert figures["num_samples"] == 120
    assert figures["masked_accuracy"] > 0.95
    assert figures["masked_loss"] < 0.5
    assert figures["next_sentence_accuracy"] == 1
    assert figures["next_sentence_accuracy_same_document"] == 1
    assert figures["next_sentence_accuracy_other_document"] == 1
    assert 0.5 <= figures["next_sentence_chance"] < 0.65
    assert not {"next_sentence_ceiling", "lawful_pairs_left_out"} & set(figures), "poems have no grammar"


def test_held_out_text_alone_is_measured(folders, monkeypatch):
    asked = []
    monkeypatch.setattr(
        masked_words,
        "pair_rows",
        lambda model, text, *rest: asked.append(text) or pair_rows(model, text, *rest),
    )
    entry = folder_entry(folders / "library", "library")
    figures = evaluate_masked_words(entry, str(folders / "poems.txt"), samples=20)
    assert asked[0] == POEMS[-len(asked[0]) :]
    assert asked[0].startswith("《")
    assert 0.05 < len(asked[0]) / len(POEMS) < 0.15
    assert figures["split"] == "validation"
    assert 0 <= figures["masked_accuracy"] <= figures["masked_top5_accuracy"] <= 1
    assert 0 <= figures["next_sentence_accuracy"] <= 1
    again = evaluate_masked_words(entry, str(folders / "poems.txt"), samples=20)
    assert {**again, "masked_loss": 0} == {**figures, "masked_loss": 0}


def test_a_model_without_the_head_has_masked_figures_alone(folders):
    figures = evaluate(str(folders / "masks"), str(folders / "story.txt"), "all", samples=10)
    assert figures["num_samples"] == 10
    assert "masked_accuracy" in figures
    assert not any(name.startswith("next_sentence") for name in figures)
