"""Encoders behind one protocol: rows, candidates for masks, the next sentence."""

import json
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.text.corpus import PreparationSettings
from aigc_demo.data.text.documents import sentence_spans
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.generators.pretrained.folder import pretrained_entry
from aigc_demo.generators.text.library_encoder import load_library_encoder
from aigc_demo.generators.text.masked_words import MaskedWords, load_masked_words
from aigc_demo.generators.text.our_encoder import EncoderVocabulary, load_our_encoder
from aigc_demo.generators.text.rows import batch_of, row_of
from aigc_demo.nets.text.bert import Bert, EncoderConfig
from tests.generators.conftest import save_encoder, save_library, save_library_encoder
from tests.generators.foreign_folders import BERT_WORDS, CONTEXT, randomize, save_bert

START, PADDING, MASK, SEPARATOR = 1, 2, 3, 4


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("encoders")
    save_encoder(root / "ours")
    save_encoder(root / "words", kind="words")
    save_library_encoder(root / "library")
    save_bert(root / "masked")
    save_whole_bert(root / "whole")
    return root


def save_whole_bert(folder):
    """A BERT with both heads, as the published ones are."""
    save_bert(folder)
    config = transformers.BertConfig.from_pretrained(folder)
    randomize(transformers.BertForPreTraining(config)).save_pretrained(folder)
    return folder


def ours(folders, name="ours"):
    return MaskedWords(name, *load_our_encoder(folders / name), "ours")


def library(folders, name="library", **how):
    family = "library" if name == "library" else "pretrained"
    return MaskedWords(name, *load_library_encoder(folders / name, trained=name == "library", **how), family)


def refused(call, key):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.key == key
    return str(caught.value)


def test_a_row_has_the_special_tokens_segments_and_places_of_its_texts(folders):
    model = ours(folders)
    c, a, t = model.vocabulary.encode("cat")
    one = model.row("c<mask>t")
    assert one.ids == (START, c, MASK, t, SEPARATOR)
    assert one.segments == (0, 0, 0, 0, 0)
    assert one.spans == (None, (0, 1), (1, 7), (7, 8), None)
    two = model.row("ca", "t[MASK]")
    assert two.ids == (START, c, a, SEPARATOR, t, MASK, SEPARATOR)
    assert two.segments == (0, 0, 0, 0, 1, 1, 1)
    assert two.spans == (None, (0, 1), (1, 2), None, (0, 1), (1, 7), None)
    hidden = model.row("cat", hidden=[(1, 3)])
    assert hidden.ids == (START, c, MASK, MASK, SEPARATOR)
    assert hidden.spans[2:4] == ((1, 2), (2, 3))
    assert model.row("cat", hidden=[(1, 2)]).ids == (START, c, MASK, t, SEPARATOR)


def test_texts_are_tokenized_sentence_by_sentence_as_in_training(folders):
    model = ours(folders, "words")
    text = " the cat sat. the mat  \n the cat"
    expected = sentence_spans(text, model.vocabulary.tokenizer)
    row = model.row(text)
    assert row.ids[1:-1] == tuple(expected[0].tolist())
    assert row.spans[1:-1] == tuple(zip(expected[1].tolist(), expected[2].tolist(), strict=True))
    masked = model.row("the cat sat. <mask> mat <mask>. on the mat")
    the, mat, dot = (model.vocabulary.encode(word)[0] for word in ("the", " mat", "."))
    at = masked.places_of(MASK)
    assert [masked.ids[place + 1] for place in at] == [mat, dot]
    assert masked.spans[at[1]] == (23, 30), "with the space before it"
    assert masked.ids[at[1] + 3] == model.vocabulary.encode(" the")[0]
    assert the in masked.ids


def test_a_mask_of_words_takes_the_space_before_it_along(folders):
    model = ours(folders, "words")
    the, _, sat = model.vocabulary.encode("the cat sat")
    row = model.row("the <mask> sat")
    assert row.ids == (START, the, MASK, sat, SEPARATOR)
    assert row.spans[2] == (3, 10)
    assert model.row("the cat sat", hidden=[(5, 6)]).ids == row.ids
    filled = model.fill("the <mask> sat")
    assert filled.text == f"the{filled.places[0].guesses[0].text} sat"
    first = model.fill("<mask> cat sat").text
    assert first == first.lstrip(" ")


def test_rows_of_a_batch_are_padded_at_the_right(folders):
    model = ours(folders)
    batch = batch_of([model.row("cat", "c"), model.row("t")], PADDING)
    assert batch.ids_BT[1].tolist() == [START, *model.vocabulary.encode("t"), SEPARATOR, *[PADDING] * 4]
    assert batch.mask_BT.sum(1).tolist() == [7, 3]
    assert batch.segments_BT.tolist() == [[0, 0, 0, 0, 0, 1, 1], [0] * 7]


def test_candidates_are_those_of_the_network_computed_directly(folders):
    model = ours(folders)
    network = Bert(EncoderConfig.from_mapping(json.loads((folders / "ours" / "config.json").read_text())))
    network.load_state_dict(load_file(folders / "ours" / "model.safetensors"))
    ids = torch.tensor(
        [[START, *model.vocabulary.encode("the c"), MASK, *model.vocabulary.encode("t"), SEPARATOR]]
    )
    with torch.no_grad():
        output = network.eval().encoder(ids, None, torch.zeros_like(ids))
        probs = network.predict_tokens(output[0, 6:7]).softmax(-1)[0]
    (place,) = model.fill("the c<mask>t", 4).places
    assert (place.first, place.past) == (5, 11)
    text_probs = probs[5:]  # special tokens are no candidates
    assert [guess.id for guess in place.guesses] == (text_probs.topk(4).indices + 5).tolist()
    assert [guess.prob for guess in place.guesses] == pytest.approx(
        text_probs.topk(4).values.tolist(), rel=1e-4
    )


def test_candidates_of_the_library_are_transformers_own(folders):
    theirs = transformers.BertForPreTraining.from_pretrained(folders / "library").eval()
    model = library(folders)
    ids = torch.tensor([[START, *model.vocabulary.encode("the c"), MASK, SEPARATOR]])
    with torch.no_grad():
        output = theirs(input_ids=ids)
    (place,) = model.fill("the c<mask>", 100).places
    probs = output.prediction_logits[0, 6].softmax(-1)
    assert len(place.guesses) == model.vocab_size - 5
    for guess in place.guesses:
        assert guess.prob == pytest.approx(probs[guess.id].item(), rel=1e-4)
        assert guess.text == model.vocabulary.token_text(guess.id)
    row = torch.tensor(
        [[START, *model.vocabulary.encode("the"), SEPARATOR, *model.vocabulary.encode("cat"), SEPARATOR]]
    )
    segments = torch.tensor([[0] * 5 + [1] * 4])
    with torch.no_grad():
        expected = theirs(input_ids=row, token_type_ids=segments).seq_relationship_logits.softmax(-1)[0, 0]
    assert model.follows("the", "cat") == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["ours", "library", "whole"])
def test_rows_beside_each_other_give_what_each_gives_alone(folders, name):
    model = ours(folders) if name == "ours" else library(folders, name)
    pairs = [("the cat sat", "on the mat"), ("the", "mat"), ("cat", "sat on the mat")]
    rows = [model.row(*pair) for pair in pairs]
    assert model.follow_probs(rows) == pytest.approx([model.follows(*pair) for pair in pairs], rel=1e-3)
    together, _ = model.predict(rows, [(1, 2), (), (3,)])
    alone = [model.predict([rows[0]], [(1, 2)])[0], model.predict([rows[2]], [(3,)])[0]]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-3, rtol=1e-3)


def test_a_whole_bert_runs_on_our_own_network_with_its_probabilities(folders):
    theirs, on_ours = library(folders, "whole"), library(folders, "whole", on_ours=True)
    assert type(on_ours.network).__name__ == "OurEncoder"
    expected, found = (model.fill("the [MASK] sat", 6).places[0].guesses for model in (theirs, on_ours))
    assert [guess.id for guess in found] == [guess.id for guess in expected]
    assert [guess.prob for guess in found] == pytest.approx([guess.prob for guess in expected], rel=1e-3)
    assert on_ours.follows("the cat", "sat") == pytest.approx(theirs.follows("the cat", "sat"), rel=1e-3)
    assert on_ours.num_parameters == theirs.num_parameters


def test_a_bert_without_the_head_says_so_and_does_not_run_on_our_network(folders):
    model = library(folders, "masked")
    assert not model.has_next_sentence_head
    sentence = refused(lambda: model.follows("the cat", "sat"), "no_next_sentence_head")
    assert sentence.startswith("masked never learned whether one text follows another")
    assert "no bert.pooler" in refused(lambda: library(folders, "masked", on_ours=True), "foreign_model")


def test_the_catalog_offers_our_network_for_a_whole_bert_alone(folders):
    assert pretrained_entry(folders / "whole", "whole").runs_on_ours
    masked = pretrained_entry(folders / "masked", "masked")
    assert not masked.runs_on_ours
    refused(lambda: load_masked_words(masked, on_ours=True), "not_on_ours")
    ours = load_masked_words(pretrained_entry(folders / "whole", "whole"), on_ours=True)
    assert (ours.name, ours.family, ours.context_length) == ("whole", "pretrained", CONTEXT)


def test_a_bert_with_half_of_its_head_counts_as_one_without(folders, tmp_path):
    folder = shutil.copytree(folders / "masked", tmp_path / "half")
    weights = load_file(folder / "model.safetensors")
    pooler = {"bert.pooler.dense.weight": torch.ones(24, 24), "bert.pooler.dense.bias": torch.ones(24)}
    save_file({**weights, **pooler}, folder / "model.safetensors")
    entry = pretrained_entry(folder, "half")
    assert not entry.runs_on_ours
    model = load_masked_words(entry)
    assert not model.has_next_sentence_head
    assert model.fill("the [MASK] sat").places


def test_pieces_of_words_are_joined_in_the_filled_text(folders, monkeypatch):
    model = library(folders, "masked")
    piece = next(index for index, word in enumerate(BERT_WORDS) if word.startswith("##"))
    scores = torch.zeros(1, model.vocab_size)
    scores[0, piece] = 9.0
    monkeypatch.setattr(model.network, "predict", lambda batch, chosen: (scores, None))
    assert model.fill("the cat[MASK] sat").text == f"the cat{BERT_WORDS[piece][2:]} sat"


def test_texts_that_cannot_be_filled_are_refused_each_by_its_sentence(folders):
    model = ours(folders)
    assert "write <mask> where" in refused(lambda: model.fill("the cat"), "no_mask")
    assert "10 masks" in refused(lambda: model.fill("cat" + "<mask>" * 10), "too_many_masks")
    refused(lambda: model.fill("<mask> <mask>"), "only_masks")
    refused(lambda: model.fill("cat", hidden=[(0, 3)]), "only_masks")
    long = refused(lambda: model.fill("cat" * 11 + "<mask>"), "prompt_too_long")
    assert "34 tokens and ours reads at most 30" in long
    unknown = refused(lambda: model.fill("QUXY<mask> cat"), "unknown_letters")
    assert "does not know 4 of the 7 characters of this text (QUXY)" in unknown
    assert model.fill("QUX<mask> cat").places
    refused(lambda: model.follows("the cat", " "), "two_texts_needed")
    refused(lambda: model.follows("the cat", "QUXYZ"), "unknown_letters")


def test_weights_that_are_not_finite_are_said_to_be_damaged(folders, monkeypatch):
    model = ours(folders)
    nothing = torch.full((1, model.vocab_size), torch.nan)
    monkeypatch.setattr(model.network, "predict", lambda batch, chosen: (nothing, nothing[:, :2]))
    with pytest.raises(DemoError, match="not finite"):
        model.fill("the c<mask>t")
    with pytest.raises(DemoError, match="not finite"):
        model.follows("the", "cat")


def test_folders_that_hold_something_else_are_refused(tmp_path):
    refused(lambda: load_our_encoder(save_library(tmp_path / "gpt2")), "broken_model")
    folder = save_encoder(tmp_path / "cut")
    weights = load_file(folder / "model.safetensors")
    save_file({name: weights[name] for name in sorted(weights)[1:]}, folder / "model.safetensors")
    assert "is missing" in refused(lambda: load_our_encoder(folder), "foreign_model")
    folder = save_encoder(tmp_path / "other tokens")
    save_library(tmp_path / "gpt2").joinpath("tokenizer.json").rename(folder / "tokenizer.json")
    assert "tokens" in refused(lambda: load_our_encoder(folder), "broken_model")


def test_a_tokenizer_without_a_mask_is_refused(folders, tmp_path):
    with pytest.raises(InputError, match="its tokenizer has no <mask>"):
        EncoderVocabulary(train_tokenizer("the cat"), tmp_path)
    assert row_of(ours(folders).vocabulary, "").ids == (START, SEPARATOR)


def test_an_encoder_of_a_text_in_lower_case_reads_every_text_so(tmp_path):
    PreparationSettings(lowercase=True).save(tmp_path)
    vocabulary = EncoderVocabulary(train_tokenizer("the cat sat.", special=ENCODER_TOKENS), tmp_path)
    assert row_of(vocabulary, "The CAT sat.") == row_of(vocabulary, "the cat sat.")
    assert vocabulary.unknown_id not in vocabulary.encode("The CAT")
