"""Writing with a model: the same text by cache and without, alternatives, stop strings, limits."""

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.generators.text.beam_search import beam_search
from aigc_demo.generators.text.decoding import SamplingSettings, alternatives, generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.sampling import next_token_probs
from aigc_demo.generators.text.sessions import Session, window_start
from tests.generators.conftest import save_ours


@pytest.fixture
def model(ours):
    return load_text_model(str(ours))


def asked(**changes):
    return SamplingSettings(**{"temperature": 1, "top_k": 0, "max_new_tokens": 12, "seed": 3, **changes})


def text_of(tokens):
    return "".join(token.text for token in tokens)


def ids_of(tokens):
    return [token.id for token in tokens]


def test_greedy_takes_the_likeliest_by_the_network_read_anew_each_time(model):
    ids = model.prompt_ids("the ")
    for token in generate(model, "the ", asked(temperature=0, max_new_tokens=10)):
        logits = model.token_logits(ids)[-1]
        logits[list(model.banned_ids)] = -math.inf
        assert token.id == int(logits.argmax())
        assert token.prob == pytest.approx(float(model.token_logits(ids)[-1].softmax(-1)[token.id]), rel=1e-3)
        assert token.bits == pytest.approx(-math.log2(token.prob))
        ids.append(token.id)


def test_greedy_on_the_library_network_is_transformers_generate(library):
    model = load_text_model(str(library))
    network = AutoModelForCausalLM.from_pretrained(library, dtype=torch.float32)
    ids = torch.tensor([model.prompt_ids("the c")])
    theirs = network.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=10,
        suppress_tokens=[0, 1],
        pad_token_id=0,
    )
    ours = ids_of(generate(model, "the c", asked(temperature=0, max_new_tokens=10)))
    assert ours == theirs[0, ids.shape[1] :].tolist()


def test_the_pieces_are_the_text_of_the_tokens(tmp_path):
    model = load_text_model(str(save_ours(tmp_path / "bpe", kind="bpe", context_length=64)))
    tokens = list(generate(model, "床前", asked(max_new_tokens=60)))
    assert text_of(tokens).rstrip("\ufffd") == model.decode(ids_of(tokens)).rstrip("\ufffd")
    assert "" in [token.text for token in tokens], "some tokens are parts of characters"


def test_the_same_seed_writes_the_same_and_another_another(model):
    one, same, other = (text_of(generate(model, "cat", asked(seed=seed))) for seed in (5, 5, 6))
    assert one == same != other


def test_banned_tokens_are_never_drawn(model):
    tokens = ids_of(generate(model, "", asked(temperature=5, max_new_tokens=300)))
    assert not set(tokens) & {0, 1}


def test_going_on_after_an_interruption_gives_the_same_text(model):
    """Past the place where the window slides, with a penalty that remembers all tokens."""
    rules = {"repetition_penalty": 1.3, "top_k": 9}
    whole = list(generate(model, "the", asked(max_new_tokens=40, **rules)))
    first = ids_of(whole)[:23]
    rest = list(generate(model, "the", asked(max_new_tokens=17, **rules), written=first))
    assert ids_of(rest) == ids_of(whole)[23:]
    assert [token.index for token in rest] == list(range(23, 40))
    assert text_of(rest) == text_of(whole[23:])


def test_text_goes_on_where_it_was_interrupted_within_a_character(tmp_path):
    model = load_text_model(str(save_ours(tmp_path / "bpe", kind="bpe", context_length=64)))
    whole = list(generate(model, "床前", asked(max_new_tokens=60)))
    within = [place for place, token in enumerate(whole[:-1], start=1) if not token.text][:3]
    assert within, "some tokens are parts of characters"
    for place in within:
        rules = asked(max_new_tokens=60 - place)
        rest = list(generate(model, "床前", rules, written=ids_of(whole)[:place]))
        assert [token.text for token in rest] == [token.text for token in whole[place:]]


def test_a_full_context_slides_and_sees_the_same_as_a_text_read_at_once(model):
    ids = model.prompt_ids("the cat sat on ")
    session = model.begin(ids)
    for index in ids * 4:
        ids = [*ids, index]
        session.push(index)
        window = ids[window_start(len(ids), model.context_length) :]
        assert len(window) <= model.context_length
        torch.testing.assert_close(session.logits, model.begin(ids).logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(session.logits, model.token_logits(window)[-1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("length", "context", "start"),
    [(1, 8, 0), (8, 8, 0), (9, 8, 4), (12, 8, 4), (13, 8, 8), (6, 5, 3), (3, 2, 1)],
)
def test_where_the_window_begins(length, context, start):
    assert window_start(length, context) == start


@pytest.mark.parametrize("beams", [0, 3])
def test_a_full_context_is_read_again_once_for_half_of_it(beams):
    """A context of 8: what is read is one token at a time, and five when there are 9, 13, 17 and 21."""

    class Counting:
        def __init__(self):
            self.lengths, self.forgotten = [], 0

        def read(self, ids_BT):
            self.lengths.append(ids_BT.shape[1])
            return torch.zeros(len(ids_BT), 4)

        def select(self, rows_B):
            assert rows_B.tolist() == [0] * len(rows_B)

        def forget(self):
            self.forgotten += 1

    reader = Counting()
    session = Session(reader, [1], 8)
    for _ in range(20):
        if beams:
            session.branch([0] * beams, [2] * beams)
        else:
            session.push(2)
    assert reader.lengths == [1] * 8 + ([5] + [1] * 3) * 3 + [5]
    assert reader.forgotten == 1 + 4


def test_beam_search_writes_what_is_at_least_as_likely_as_greedy(model):
    def mean_bits(tokens):
        return sum(token.bits for token in tokens) / len(tokens)

    greedy = list(generate(model, "the", asked(temperature=0)))
    searched = list(generate(model, "the", asked(num_beams=8)))
    assert mean_bits(searched) <= mean_bits(greedy)
    assert searched[-1].reason == "length"
    assert len(text_of(searched)) == 12


def test_beam_search_past_the_context_slides(model):
    assert len(list(generate(model, "the cat sat", asked(num_beams=3, max_new_tokens=20)))) == 20


class TestEnds:
    def test_by_length(self, model):
        tokens = list(generate(model, "the", asked(max_new_tokens=7)))
        assert [token.reason for token in tokens] == [""] * 6 + ["length"]

    def test_by_the_callable_before_each_token(self, model):
        calls = []

        def stop():
            calls.append(1)
            return len(calls) > 4

        assert len(list(generate(model, "the", asked(), stop))) == 4
        assert list(generate(model, "the", asked(), lambda: True)) == []

    @pytest.mark.parametrize("num_beams", [1, 3])
    def test_by_a_stop_string_that_is_cut_off(self, model, num_beams):
        whole = text_of(generate(model, "the", asked(num_beams=num_beams)))
        stop = whole[4:7]
        tokens = list(generate(model, "the", asked(stop=(stop,), num_beams=num_beams)))
        assert text_of(tokens) == whole[: whole.index(stop)]
        assert tokens[-1].reason == "stop"
        assert len(tokens) == whole.index(stop) + 3

    def test_text_like_a_stop_string_is_given_out_at_the_end(self, model):
        whole = text_of(generate(model, "the", asked()))
        assert text_of(generate(model, "the", asked(stop=(whole[-2:] + "never",)))) == whole

    def test_text_like_a_stop_string_is_given_out_when_the_caller_ends_the_text(self, model):
        whole = list(generate(model, "the", asked()))
        text, calls = text_of(whole), []

        def stop():
            calls.append(1)
            return len(calls) > 5

        held = (text[2:12] + "never",)
        tokens = list(generate(model, "the", asked(stop=held), stop))
        assert [token.text for token in tokens[2:4]] == ["", ""], (
            "held back while it may become a stop string"
        )
        assert (text_of(tokens), ids_of(tokens)) == (text[:5], ids_of(whole)[:5])
        assert [token.reason for token in tokens] == ["", "", "", "", "stopped"]

    def test_a_stop_string_counts_after_what_was_written(self, model):
        written = ids_of(generate(model, "the", asked()))[:3]
        text = model.decode(written)
        tokens = list(generate(model, "the", asked(stop=(text,), max_new_tokens=3), written=written))
        assert tokens[0].reason == ""

    def test_by_the_models_end_token(self, model):
        third = ids_of(generate(model, "the", asked()))[2]
        model.end_ids = (third,)
        assert [token.reason for token in generate(model, "the", asked())] == ["", "", "end"]


class TestBadInput:
    def test_a_prompt_as_long_as_the_context_is_read(self, model):
        assert len(list(generate(model, "t" * 15, asked(max_new_tokens=2)))) == 2

    def test_a_longer_one_is_refused_before_anything_is_written(self, model):
        with pytest.raises(InputError, match=r"17 tokens.* at most 16") as caught:
            generate(model, "t" * 16, asked())
        assert caught.value.key == "prompt_too_long"

    def test_a_very_long_one_is_refused_unread(self, model):
        with pytest.raises(InputError) as caught:
            generate(model, "t" * 1601, asked())
        assert caught.value.key == "prompt_far_too_long"

    def test_an_empty_one_starts_from_the_start_token(self, model):
        assert model.prompt_ids("") == [1]
        assert len(list(generate(model, "", asked()))) == 12

    def test_half_a_surrogate_pair_is_read_as_unknown(self, model):
        assert len(list(generate(model, "\ud800", asked()))) == 12

    @pytest.mark.parametrize("written", [[-1], [10_000]])
    def test_ids_that_are_not_in_the_vocabulary(self, model, written):
        with pytest.raises(InputError):
            generate(model, "the", asked(), written=written)

    @pytest.mark.parametrize("num_beams", [1, 2])
    def test_damaged_weights_are_told(self, model, num_beams):
        with torch.no_grad():
            model.decoder.norm.weight.fill_(math.nan)
        with pytest.raises(DemoError) as caught:
            list(generate(model, "the", asked(num_beams=num_beams)))
        assert caught.value.key == "not_finite"


class TestAlternatives:
    def test_probabilities_before_and_after(self, model):
        ids = model.prompt_ids("the cat")
        settings = asked(temperature=0.5, top_k=3)
        found = alternatives(model, ids, 4, settings, num=5)
        logits = model.token_logits(ids[:4])[-1]
        before, after = logits.softmax(-1), next_token_probs(logits, settings, ids[:4], model.banned_ids)
        assert [choice.id for choice in found] == before.argsort(descending=True)[:5].tolist()
        for choice in found:
            assert choice.prob_before == pytest.approx(float(before[choice.id]), rel=1e-3)
            assert choice.prob_after == pytest.approx(float(after[choice.id]), rel=1e-3)
            assert choice.text == model.token_text(choice.id)

    def test_what_stands_before_the_place_is_penalised_and_what_comes_after_is_not(self, model):
        ids = model.prompt_ids("the cat")
        found = alternatives(model, ids, 4, asked(repetition_penalty=4), num=model.vocab_size)
        scores = model.token_logits(ids[:4])[-1].double()
        for index in set(ids[:4]):
            scores[index] = scores[index] / 4 if scores[index] > 0 else scores[index] * 4
        scores[list(model.banned_ids)] = -math.inf
        after = scores.softmax(-1)
        for choice in found:
            assert choice.prob_after == pytest.approx(float(after[choice.id]), rel=1e-2, abs=1e-9)

    def test_the_place_after_the_last_token(self, model):
        ids = model.prompt_ids("the")
        drawn = next(generate(model, "the", asked()))
        found = alternatives(model, ids, len(ids), asked(), num=model.vocab_size)
        assert sum(choice.prob_before for choice in found) == pytest.approx(1, abs=1e-4)
        assert next(c for c in found if c.id == drawn.id).prob_before == pytest.approx(drawn.prob, rel=1e-4)

    def test_one_that_is_asked_for_is_among_them(self, model):
        ids = model.prompt_ids("the")
        likeliest = alternatives(model, ids, 2, asked(), num=3)
        assert len(alternatives(model, ids, 2, asked(), num=3, also=likeliest[1].id)) == 3
        assert alternatives(model, ids, 2, asked(), num=3, also=0)[3].id == 0

    @pytest.mark.parametrize("position", [0, 5, -1])
    def test_a_place_that_is_not_there(self, model, position):
        with pytest.raises(InputError):
            alternatives(model, model.prompt_ids("the"), position, asked())


def test_work_for_a_token_does_not_grow_with_the_text(model, monkeypatch):
    """No list of all tokens is made, decoded or scanned once the text is under way."""
    longest = 0
    decode = model.decode

    def watched(ids):
        nonlocal longest
        longest = max(longest, len(ids))
        return decode(ids)

    model.decode = watched
    list(generate(model, "the", asked(max_new_tokens=200, stop=("never there",), repetition_penalty=1.1)))
    assert longest <= 4


class TestSearched:
    """Beam search that goes on from what is written, and the probabilities that it reports."""

    @pytest.mark.parametrize("penalty", [1.0, 1.7])
    @pytest.mark.parametrize("num_written", [0, 1, 9, 25])
    def test_it_goes_on_from_what_is_written_as_from_a_prompt(self, model, num_written, penalty):
        rules = asked(num_beams=3, max_new_tokens=6, repetition_penalty=penalty)
        whole = ids_of(generate(model, "the", asked(max_new_tokens=25)))
        written = whole[:num_written]
        before = [*model.prompt_ids("the"), *written]
        with torch.inference_mode():
            expected = beam_search(model.begin(before), before, rules, banned=model.banned_ids).ids
        tokens = list(generate(model, "the", rules, written=written))
        assert ids_of(tokens) == list(expected)
        assert [token.index for token in tokens] == list(range(num_written, num_written + 6))
        assert text_of(tokens) == model.decode([*written, *expected])[len(model.decode(written)) :]

    @pytest.mark.parametrize("num_beams", [1, 2, 4])
    @pytest.mark.parametrize("written", [(), (9, 4, 17)])
    def test_its_probabilities_are_the_models_own(self, model, num_beams, written):
        """Before penalty and ban, each after the tokens before it; past the place where the window slides."""
        rules = asked(num_beams=num_beams, max_new_tokens=16, repetition_penalty=1.6)
        ids = [*model.prompt_ids("the"), *written]
        tokens = list(generate(model, "the", rules, written=written))
        assert len(tokens) == 16
        for token in tokens:
            window = ids[window_start(len(ids), model.context_length) :]
            probs = model.token_logits(window)[-1].double().softmax(-1)
            assert token.prob == pytest.approx(float(probs[token.id]), rel=1e-3)
            assert token.bits == pytest.approx(-math.log2(float(probs[token.id])), rel=1e-2, abs=1e-3)
            ids.append(token.id)

    def test_what_is_written_counts_for_the_penalty(self, model):
        """A penalty so strong that a search of one place takes nothing that was written while anything else
        is left: log-probabilities are negative, so it makes them smaller."""
        rules = asked(num_beams=2, max_new_tokens=1, repetition_penalty=5)
        (first,) = generate(model, "the", rules)
        (other,) = generate(model, "the", rules, written=[first.id])
        before = [*model.prompt_ids("the"), first.id]
        scores = model.token_logits(before)[-1].log_softmax(-1)
        scores[sorted(set(before))] *= 5
        scores[list(model.banned_ids)] = -math.inf
        assert other.id == int(scores.argmax())


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0},
        {"temperature": 5},
        {"top_k": 1},
        {"top_k": 4},
        {"top_p": 0},
        {"top_p": 0.2},
        {"top_k": 5, "top_p": 0.5},
        {"temperature": 0, "repetition_penalty": 0.1},
        {"temperature": 0.1, "repetition_penalty": 5},
        {"num_beams": 2},
        {"num_beams": 4, "repetition_penalty": 0.1},
    ],
    ids=str,
)
def test_banned_tokens_come_in_no_way_of_drawing(model, changes):
    """Banned are those that would have come; then all but two."""
    rules = asked(max_new_tokens=5, **changes)
    model.banned_ids = tuple({*model.banned_ids, *ids_of(generate(model, "the", rules))})
    assert not set(ids_of(generate(model, "the", rules))) & set(model.banned_ids)
    model.banned_ids = tuple(range(2, model.vocab_size))
    assert set(ids_of(generate(model, "the", rules, written=[7, 8]))) <= {0, 1}
    ids = [*model.prompt_ids("the"), 7, 8]
    for choice in alternatives(model, ids, len(ids), rules, num=model.vocab_size):
        assert choice.prob_before > 0
        assert choice.id in (0, 1) or choice.prob_after == 0
