"""Rows of an encoder: their tokens, segments, word numbers and labels, against rows written by hand."""

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import LoadedText
from aigc_demo.data.text.corpus import TextSettings
from aigc_demo.data.text.documents import DocumentCorpus, prepare_documents
from aigc_demo.data.text.sentence_pairs import SentencePair
from aigc_demo.training.masked_language_model.batches import (
    NO_PAIR,
    PairBatches,
    collate,
    pair_texts,
    text_of,
)

POEMS = "".join(f"《题{n}》某人\n甲{n}丙，乙{n}丁。丙{n}甲，丁{n}乙。\n\n" for n in "一二三四五六七八九十")


@pytest.fixture(scope="module")
def corpus() -> DocumentCorpus:
    return prepare_documents(LoadedText("poems", POEMS, "0" * 64), TextSettings(validation_fraction=0.2))


def shown(corpus: DocumentCorpus, ids: torch.Tensor) -> str:
    return "".join(corpus.tokenizer.token_text(index) for index in ids.tolist())


def test_by_hand(corpus: DocumentCorpus) -> None:
    documents = corpus.train
    pair = pair_texts(documents, SentencePair(2, 5, False, False), num_sentences=2)
    single = (text_of(documents, 0, 1),)
    rows = collate([pair[0], single], [pair[1], NO_PAIR], corpus.tokenizer, 64)
    assert shown(corpus, rows.ids_BT[0]) == "<start>乙一丁。丙一甲，<sep>乙二丁。<sep>"
    assert shown(corpus, rows.ids_BT[1]) == "<start>甲一丙，<sep>" + "<pad>" * 9
    assert rows.segments_BT.tolist() == [[0] * 10 + [1] * 5, [0] * 15]
    assert rows.words_BT.tolist() == [
        [-1, 0, 1, 2, 3, 4, 5, 6, 7, -1, 8, 9, 10, 11, -1],
        [-1, 0, 1, 2, 3, *[-1] * 10],
    ]
    assert rows.labels_B.tolist() == [1, -100]
    # The first sentence of a document has none before it.
    right, label = pair_texts(documents, SentencePair(4, 5, True, True), num_sentences=3)
    assert shown(corpus, torch.tensor(right[0].ids)) == "甲二丙，"
    assert label == 0


@pytest.mark.parametrize("context_length", [8, 9, 12, 14])
def test_what_is_too_long_keeps_what_stands_next_to_the_other_text(
    corpus: DocumentCorpus, context_length: int
) -> None:
    first, second = text_of(corpus.train, 0, 2), text_of(corpus.train, 2, 3)  # eight tokens, four tokens
    rows = collate([(first, second), (first,)], [0, NO_PAIR], corpus.tokenizer, context_length)
    assert rows.ids_BT.shape[1] <= context_length
    read = shown(corpus, rows.ids_BT[0])
    before, after = read.removeprefix("<start>").split("<sep>")[:2]
    assert "甲一丙，乙一丁。".endswith(before)
    assert "丙一甲，".startswith(after)
    numbers = [number for number in rows.words_BT[0].tolist() if number >= 0]
    assert numbers == list(range(len(numbers))), "as each character is a word"
    assert len(before) + len(after) == context_length - 3
    assert len(after) >= min(4, (context_length - 3) // 2)
    assert shown(corpus, rows.ids_BT[1]).startswith(
        "<start>" + "甲一丙，乙一丁。"[: context_length - 2] + "<sep>"
    )


def batches(corpus: DocumentCorpus, seed: int = 0, **changes: float) -> PairBatches:
    given = {"max_sentences": 2, "single_text_prob": 0.25, **changes}
    return PairBatches(corpus, 64, 400, seed, **given)


def test_rows_are_a_function_of_seed_and_step(corpus: DocumentCorpus) -> None:
    assert torch.equal(batches(corpus).rows(3).ids_BT, batches(corpus).rows(3).ids_BT)
    assert not torch.equal(batches(corpus).rows(3).ids_BT, batches(corpus).rows(5).ids_BT)
    assert not torch.equal(batches(corpus).rows(3).ids_BT, batches(corpus, 1).rows(3).ids_BT)


def test_a_quarter_of_the_rows_is_one_text_and_half_of_the_others_is_right(corpus: DocumentCorpus) -> None:
    rows = batches(corpus).rows(0)
    shares = [(rows.labels_B == label).float().mean().item() for label in (0, 1, NO_PAIR)]
    assert shares == pytest.approx([0.375, 0.375, 0.25], abs=0.08)
    seen = {shown(corpus, ids).replace("<pad>", "") for ids in rows.ids_BT}
    poems = [f"甲{number}丙，乙{number}丁。丙{number}甲，丁{number}乙。" for number in "一二三四五六七八九"]
    for row, label in zip(rows.ids_BT, rows.labels_B.tolist(), strict=True):
        before, after, *rest = shown(corpus, row).replace("<pad>", "").removeprefix("<start>").split("<sep>")
        if label == NO_PAIR:
            assert not after
            assert not rest
            assert any(before in poem for poem in poems)
        else:
            assert any(before + after in poem for poem in poems) == (label == 0)
    assert len(seen) > 50
    alone = batches(corpus, single_text_prob=0.0).rows(0)
    assert (alone.labels_B >= 0).all()


def test_the_number_of_sentences_is_drawn_for_a_batch_and_bounded(corpus: DocumentCorpus) -> None:
    longest = {batches(corpus, max_sentences=3).rows(step).ids_BT.shape[1] for step in range(20)}
    # One, two or three sentences of four tokens before the second text: 1 + 4n + 1 + 4 + 1.
    assert longest == {11, 15, 19}


def test_a_text_without_pairs_is_refused() -> None:
    lonely = prepare_documents(LoadedText("lonely", "Just one.\n\n" * 9, "0" * 64), TextSettings())
    with pytest.raises(InputError, match="In lonely no sentence has another one after it"):
        batches(lonely)
