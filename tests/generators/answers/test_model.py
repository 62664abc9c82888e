"""Encoder-decoders behind one protocol: answers, beams, scores, cross-attention."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import EncoderDecoderModel

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.generators.answers.library import load_library_answers
from aigc_demo.generators.answers.model import AnswerModel, load_answers
from aigc_demo.generators.answers.ours import load_our_answers
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.kinds import ANSWERS
from aigc_demo.generators.text.decoding import SamplingSettings
from aigc_demo.generators.text.rows import batch_of
from aigc_demo.generators.text.scoring import score_text
from tests.generators.conftest import edit_config, save_answers, save_encoder, save_library_answers

LOAD = {"ours": load_our_answers, "library": load_library_answers}
START, SEPARATOR = 1, 4
QUESTION, STORY = "the cat", "on the mat."


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("answers")
    save_answers(root / "ours", seed=3)
    save_library_answers(root / "library", seed=3)
    return root


@pytest.fixture(scope="module", params=LOAD)
def model(request, folders):
    return AnswerModel(request.param, *LOAD[request.param](folders / request.param), request.param)


def probs_of(model, row, ids):
    """Probabilities of the next token after each of some tokens, without any cache."""
    return model.writer(row).token_logits([START, *ids]).softmax(-1)


def settings(**values):
    return SamplingSettings(**{"temperature": 0, "max_new_tokens": 12, **values})


def test_a_source_is_a_text_or_a_question_with_its_story(model):
    the_cat, story = model.vocabulary.encode(QUESTION), model.vocabulary.encode(STORY)
    assert model.row(QUESTION).ids == (START, *the_cat, SEPARATOR)
    row = model.row(QUESTION, STORY)
    assert row.ids == (START, *the_cat, SEPARATOR, *story, SEPARATOR)
    assert row.segments == (*[0] * (len(the_cat) + 2), *[1] * (len(story) + 1))
    with pytest.raises(InputError, match=r"31 tokens and .* reads at most 30"):
        model.row("t" * 31)
    with pytest.raises(InputError) as refused:
        model.check_known("the cat", "QUXY")
    assert refused.value.key == "unknown_letters"


def test_the_likeliest_answer_is_the_likeliest_token_each_time(model):
    row = model.row(QUESTION, STORY)
    tokens = list(model.answer(row, settings()))
    ids, expected = [token.id for token in tokens], []
    while len(expected) < len(ids):
        probs = probs_of(model, row, expected)[-1]
        probs[list(model.banned_ids)] = -1
        expected.append(int(probs.argmax()))
    assert ids == expected
    for place, token in enumerate(tokens):
        assert token.prob == pytest.approx(probs_of(model, row, ids)[place, token.id].item(), rel=1e-3)
    assert tokens[-1].reason in ("end", "length")
    assert "".join(token.text for token in tokens) == model.vocabulary.decode(ids)


def test_an_answer_ends_with_the_separator_or_with_the_context(model, monkeypatch):
    row = model.row(QUESTION)
    reader = model.network.reader

    class Ending:
        """The network, sure of the separator behind so many tokens, and of no separator before."""

        def __init__(self, sources):
            self.inner, self.read_tokens = reader(sources), 0
            Ending.last_reader = self

        def forget(self):
            self.inner.forget()

        def read(self, ids_BT):
            logits = self.inner.read(ids_BT)
            self.read_tokens += ids_BT.shape[1]
            logits[:, SEPARATOR] = 99.0 if self.read_tokens > self.last else -99.0
            return logits

    monkeypatch.setattr(Ending, "last", 99, raising=False)
    monkeypatch.setattr(model.network, "reader", Ending)
    *_, last = model.answer(row, settings(max_new_tokens=500))
    assert (last.reason, last.index) == ("length", 31)
    assert len(model.likeliest([row], 500)[0]) == 32
    monkeypatch.setattr(Ending, "last", 2)
    tokens = list(model.answer(row, settings()))
    assert (len(tokens), tokens[-1].id, tokens[-1].text, tokens[-1].reason) == (3, SEPARATOR, "", "end")
    assert model.likeliest([row], 12) == [tuple(token.id for token in tokens[:2])]
    assert Ending.last_reader.read_tokens == 3, "nothing is read behind the end"


def test_answers_to_several_sources_are_those_to_each_alone(model):
    sources = [(QUESTION, STORY), ("mat", None), ("床前明月光，", None), ("sat", "the cat sat.")]
    rows = [model.row(*source) for source in sources]
    together = model.likeliest(rows, 9)
    for row, ids in zip(rows, together, strict=True):
        alone = [token.id for token in model.answer(row, settings(max_new_tokens=9))]
        assert list(ids) == [index for index in alone if index != SEPARATOR]
    assert len(set(together)) > 1


@torch.inference_mode()
def test_a_reader_keeps_the_chosen_sources_and_never_looks_at_padding(model):
    rows = [model.row(QUESTION, STORY), model.row("mat")]
    reader = model.network.reader(batch_of(rows, model.vocabulary.padding_id))
    first = reader.read(torch.tensor([[START], [START]]))
    reader.select(torch.tensor([1, 0, 1]))
    second = reader.read(torch.tensor([[7], [8], [9]]))
    for number, (row, index) in enumerate([(rows[1], 7), (rows[0], 8), (rows[1], 9)]):
        alone = model.writer(row).token_logits([START, index])
        torch.testing.assert_close(second[number], alone[1], atol=1e-3, rtol=1e-3)
    for row, logits in zip(rows, first, strict=True):
        torch.testing.assert_close(logits, model.writer(row).token_logits([START])[0], atol=1e-3, rtol=1e-3)


def test_beam_search_finds_an_answer_at_least_as_likely_as_the_greedy_one(model):
    row = model.row(QUESTION, STORY)

    def score(**values):
        ids = [token.id for token in model.answer(row, settings(max_new_tokens=6, **values))]
        probs = probs_of(model, row, ids[:-1])
        return sum(math.log(probs[place, index]) for place, index in enumerate(ids)) / len(ids)

    assert score(num_beams=8) >= score() - 1e-4


def test_two_sources_share_the_stream_of_random_numbers_and_a_seed_repeats(model):
    row = model.row(QUESTION, STORY)
    drawn = [
        [token.id for token in model.answer(row, settings(temperature=1.5, top_k=0, seed=seed))]
        for seed in (5, 5, 6)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert not {index for ids in drawn for index in ids} & {0, 1, 2, 3}


def test_the_score_of_an_answer_is_the_sum_of_its_tokens_surprisal(model):
    row, answer = model.row(QUESTION), "on the mat"
    ids = model.vocabulary.encode(answer)
    probs = probs_of(model, row, ids)
    bits = [-math.log2(probs[place, index]) for place, index in enumerate(ids)]
    score = score_text(model.writer(row), answer)
    assert score.bits == pytest.approx(bits, rel=1e-3)
    assert model.surprisal([row], [ids])[0] == pytest.approx(bits, rel=1e-3)
    together = model.surprisal([model.row(QUESTION, STORY), row], [ids[:3], ids])
    assert together[1] == pytest.approx(bits, rel=1e-3)
    assert together[0] == pytest.approx(model.surprisal([model.row(QUESTION, STORY)], [ids[:3]])[0], rel=1e-3)
    other = score_text(model.writer(model.row("mat")), answer)
    assert other.bits_per_character != pytest.approx(score.bits_per_character, rel=1e-3)


def test_cross_attention_has_a_row_for_each_token_of_the_answer(model):
    row = model.row(QUESTION, STORY)
    weights = model.cross_attention(row, [7, 8, 9, SEPARATOR])
    assert weights.shape == (2, 3, 4, len(row.ids))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 4))
    torch.testing.assert_close(weights[:, :, :3], model.cross_attention(row, [7, 8, 5]))
    assert (weights[0, 0, 0] - weights[0, 0, 1]).abs().max() > 1e-3


@torch.no_grad()
def test_the_librarys_network_computes_what_transformers_computes(folders):
    model = AnswerModel("library", *load_library_answers(folders / "library"), "library")
    theirs = EncoderDecoderModel.from_pretrained(folders / "library", attn_implementation="eager").eval()
    row, ids = model.row(QUESTION, STORY), [7, 8, 9]
    output = theirs(
        input_ids=torch.tensor([row.ids]),
        token_type_ids=torch.tensor([row.segments]),
        decoder_input_ids=torch.tensor([[START, *ids]]),
        output_attentions=True,
    )
    torch.testing.assert_close(
        model.writer(row).token_logits([START, *ids]), output.logits[0], atol=1e-4, rtol=1e-4
    )
    theirs_attention = torch.stack([layer[0] for layer in output.cross_attentions])
    torch.testing.assert_close(model.cross_attention(row, [*ids, 5]), theirs_attention, atol=1e-5, rtol=1e-4)
    assert model.num_parameters == sum(weight.numel() for weight in theirs.parameters())


def test_equal_embeddings_of_the_librarys_halves_count_once(tmp_path):
    folder = save_library_answers(tmp_path / "shared")
    weights = load_file(folder / "model.safetensors")
    names = [f"{half}.embeddings.word_embeddings.weight" for half in ("encoder", "decoder.bert")]
    before, _ = load_library_answers(folder)
    save_file({**weights, names[1]: weights[names[0]].clone()}, folder / "model.safetensors")
    after, vocabulary = load_library_answers(folder)
    assert before.num_parameters - after.num_parameters == weights[names[0]].numel()
    answers = AnswerModel("shared", after, vocabulary, "library")
    assert answers.likeliest([answers.row("the cat")], 3)


def test_weights_that_are_not_finite_are_said_to_be_damaged(model, monkeypatch):
    class Broken:
        def __init__(self, sources):
            pass

        def forget(self):
            pass

        def read(self, ids_BT):
            return torch.full((len(ids_BT), model.vocab_size), torch.nan)

    monkeypatch.setattr(model.network, "reader", Broken)
    with pytest.raises(DemoError, match="not finite"):
        model.likeliest([model.row("the")], 3)
    with pytest.raises(DemoError, match="not finite"):
        list(model.answer(model.row("the"), settings()))


def test_folders_that_hold_something_else_are_refused(folders, tmp_path):
    encoder = save_encoder(tmp_path / "encoder")
    for load in LOAD.values():
        with pytest.raises(InputError):
            load(encoder)
    folder = save_library_answers(tmp_path / "changed")
    edit_config(folder, decoder={})
    with pytest.raises(InputError, match="vocab_size is missing"):
        load_library_answers(folder)
    edit_config(folder, decoder=3)
    with pytest.raises(InputError, match="decoder in config"):
        load_library_answers(folder)
    pretrained = CatalogEntry("somebody", "pretrained", ANSWERS, "", str(folders / "ours"))
    with pytest.raises(InputError, match="choose one that was trained here"):
        load_answers(pretrained)
