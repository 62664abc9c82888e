import random
from collections import Counter

from aigc_demo.data.text.documents import encode_documents
from aigc_demo.data.text.sentence_pairs import SentencePair, SentencePairs
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS

# Poems of four lines; a comma after the first and the third, a full stop after the others.
POEMS = [[f"甲{n}丙，", f"乙{n}丁。", f"丙{n}甲，", f"丁{n}乙。"] for n in "一二三四五六七八"]
LONGER = [["甲一丙戊己，", "乙一丁戊己。"], ["甲二丙戊己，", "乙二丁戊己。"]]


def pairs_of(documents, may_follow=None) -> SentencePairs:
    text = "".join(sentence for document in documents for sentence in document)
    tokenizer = train_tokenizer(text, special=ENCODER_TOKENS)
    return SentencePairs(encode_documents(documents, tokenizer), may_follow)


def drawn(pairs: SentencePairs, count: int = 2000) -> list[SentencePair]:
    rng = random.Random(0)
    found = [pairs.draw(rng) for _ in range(count)]
    assert None not in found
    return found


def test_half_of_the_pairs_are_wrong_and_half_of_those_of_the_same_document():
    pairs = pairs_of(POEMS + LONGER)
    found = drawn(pairs)
    texts, document = pairs.documents.sentences, pairs.documents.document
    right = [pair for pair in found if pair.follows]
    wrong = [pair for pair in found if not pair.follows]
    assert 0.46 < len(right) / len(found) < 0.54
    assert all(pair.second == pair.first + 1 for pair in right)
    assert all(document[pair.first] == document[pair.second] for pair in right)
    for pair in wrong:
        # As long as the right one, with the same mark, and another text.
        assert len(texts[pair.second]) == len(texts[pair.first + 1])
        assert texts[pair.second][-1] == texts[pair.first + 1][-1]
        assert texts[pair.second] != texts[pair.first + 1]
        assert pair.second != pair.first
        assert pair.same_document == (document[pair.first] == document[pair.second])
    short = [pair for pair in wrong if len(texts[pair.first]) == 4]
    assert 0.44 < sum(pair.same_document for pair in short) / len(short) < 0.56
    # In the long poems there is no other line of that length with that mark.
    assert not any(pair.same_document for pair in wrong if len(texts[pair.first]) == 6)


def test_every_line_but_the_last_comes_first_and_draws_are_a_function_of_the_seed():
    pairs = pairs_of(POEMS)
    counts = Counter(pair.first for pair in drawn(pairs))
    assert set(counts) == {4 * poem + line for poem in range(8) for line in range(3)}
    assert drawn(pairs, 50) == drawn(pairs, 50)
    rng = random.Random(1)
    assert [pairs.draw(rng) for _ in range(50)] != drawn(pairs, 50)


def test_where_no_sentence_is_as_long_one_of_nearly_that_length_is_taken():
    # Documents of prose: no two sentences have one length.
    documents = [["a" * (10 * d + s) + "b." for s in range(1, 5)] for d in range(6)]
    pairs = pairs_of(documents)
    texts = pairs.documents.sentences
    for pair in drawn(pairs, 300):
        if not pair.follows:
            assert abs(len(texts[pair.second]) - len(texts[pair.first + 1])) <= 40


def test_a_single_document_has_wrong_pairs_of_its_own():
    found = drawn(pairs_of([["one a.", "two b.", "six c."]]), 200)
    assert {(pair.first, pair.second) for pair in found} == {(0, 1), (1, 2), (0, 2), (1, 0)}
    assert all(pair.same_document for pair in found)


def test_without_two_sentences_there_is_no_pair():
    assert pairs_of([["one."], ["two."]]).draw(random.Random(0)) is None
    assert pairs_of([]).draw(random.Random(0)) is None
    # The right one and its copy are all there is.
    assert pairs_of([["a.", "b."], ["b."]]).wrong(0, random.Random(0)) is None


def test_by_a_grammar_wrong_sentences_are_those_that_cannot_follow_and_lawful_ones_are_counted():
    # Numbers may follow smaller ones. In 1 2 3: after 1 come 2 (right) and 3 (lawful too, so there is no
    # wrong one and 1 is left out); after 2 comes 3, and 1 is wrong. In 5 4 nothing but the right one is left.
    def grows(first: str, second: str) -> bool:
        return int(first[0]) < int(second[0])

    pairs = pairs_of([["1.", "2.", "3."], ["5.", "4."]], grows)
    found = drawn(pairs, 200)
    assert {(pair.first, pair.second, pair.follows) for pair in found} == {(1, 2, True), (1, 0, False)}
    # Looked at: after 1 the 3; after 2 the 1; after 5 nothing. Lawful: the 3.
    assert pairs.num_left_out(100) == (2, 1)
    assert pairs.is_lawful(SentencePair(0, 2, False, True))
    assert pairs.is_lawful(SentencePair(1, 0, False, True)) is False
    assert pairs_of([["1.", "2."]]).is_lawful(SentencePair(0, 1, True, True)) is None
    assert pairs_of([["1.", "2.", "3."]], lambda first, second: True).draw(random.Random(0)) is None
