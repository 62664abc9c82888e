"""Beam search against looking at every text there is, and against transformers' own."""

import itertools
import math

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from aigc_demo.generators.text.beam_search import beam_search
from aigc_demo.generators.text.library import TransformersReader
from aigc_demo.generators.text.sampling import SamplingSettings
from aigc_demo.generators.text.sessions import Session

WORDS = 3


def scores(text):
    """Scores of the three words after a text: made up, and different after every text."""
    numbers = torch.Generator().manual_seed(
        2_000_006 + sum((word + 1) * 7**place for place, word in enumerate(text))
    )
    return torch.randn(WORDS, generator=numbers) * 2


class HandMade:
    """A model that knows a score for each text."""

    def __init__(self):
        self.texts = [()]

    @property
    def logits_BV(self):
        return torch.stack([scores(text) for text in self.texts])

    def branch(self, parents, ids):
        self.texts = [(*self.texts[parent], index) for parent, index in zip(parents, ids, strict=True)]


def log_prob(text):
    return sum(float(scores(text[:place]).log_softmax(-1)[word]) for place, word in enumerate(text))


def settings(num_beams, length, **more):
    # More beams than the page offers, to keep every text open: set past the check.
    made = SamplingSettings(max_new_tokens=length, **more)
    object.__setattr__(made, "num_beams", num_beams)
    return made


def test_with_enough_beams_it_finds_the_likeliest_text_of_all():
    best = max(itertools.product(range(WORDS), repeat=5), key=log_prob)
    greedy = ()
    for _ in range(5):
        greedy += (int(scores(greedy).argmax()),)
    assert greedy != best, "otherwise one beam would do"
    found = beam_search(HandMade(), [], settings(WORDS**4, 5))
    assert found.ids == best
    assert found.total == pytest.approx(log_prob(best), abs=1e-5)
    assert math.prod(found.probs) == pytest.approx(math.exp(log_prob(best)), rel=1e-4)


def test_one_beam_is_greedy():
    greedy = ()
    for _ in range(6):
        greedy += (int(scores(greedy).argmax()),)
    assert beam_search(HandMade(), [], settings(1, 6)).ids == greedy


def test_with_an_end_token_it_finds_the_best_mean_of_all_lengths():
    """Word 2 ends a text; each text of up to 5 words competes by log p / length."""
    complete = [
        text
        for length in range(1, 6)
        for text in itertools.product(range(WORDS), repeat=length)
        if 2 not in text[:-1] and (text[-1] == 2 or length == 5)
    ]
    best = max(complete, key=lambda text: log_prob(text) / len(text))
    found = beam_search(HandMade(), [], settings(200, 5), end_ids=[2])
    assert found.ids == best


def test_as_many_texts_go_on_as_there_are_beams_where_others_end():
    """Word 2 ends a text and is the likeliest at first; the third likeliest beginning is the best in the end:
    log(0.28 * 0.98) / 2 = -0.65, the end at once has log 0.4 = -0.92, what goes on from word 0 less."""

    class Table(HandMade):
        @property
        def logits_BV(self):
            after = {(): (0.32, 0.28, 0.4), (1,): (0.01, 0.01, 0.98)}
            return torch.tensor([after.get(text, (0.3, 0.3, 0.4)) for text in self.texts]).log()

    found = beam_search(Table(), [], settings(2, 4), end_ids=[2])
    assert found.ids == (1, 2)
    assert found.probs == pytest.approx((0.28, 0.98), rel=1e-4)
    assert found.score == pytest.approx(math.log(0.28 * 0.98) / 2, rel=1e-4)


def test_an_end_counts_among_the_likeliest_alone():
    """Two beams: the end is third at first, so it is no text, although all that go on are worse in the mean:
    log 0.2 = -1.6, log(0.5 / 20) / 2 = -1.8."""

    class Table(HandMade):
        @property
        def logits_BV(self):
            first = torch.tensor([0.5, 0.3, 0.2, *[1e-9] * 17])
            return torch.stack([first if text == () else torch.ones(20) for text in self.texts]).log()

    found = beam_search(Table(), [], settings(2, 2), end_ids=[2])
    assert (found.ids[0], len(found.ids)) == (0, 2)
    assert beam_search(Table(), [], settings(3, 2), end_ids=[2]).ids == (2,)


def test_banned_words_never_come():
    best = max(itertools.product((0, 2), repeat=4), key=log_prob)
    assert beam_search(HandMade(), [], settings(8, 4), banned=[1]).ids == best


def test_stop_gives_the_best_so_far():
    asked = iter([False, False, True])
    assert len(beam_search(HandMade(), [], settings(4, 9), stop=lambda: next(asked)).ids) == 2


def test_stop_at_once_gives_nothing():
    assert beam_search(HandMade(), [], settings(4, 9), stop=lambda: True).ids == ()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=31,
        n_positions=64,
        n_embd=24,
        n_layer=2,
        n_head=3,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.6,
    )
    return GPT2LMHeadModel(config).eval()


class TestAgainstTransformers:
    @pytest.mark.parametrize("prompt", [[5], [7, 11, 13, 2], [30, 1, 30, 1, 30]], ids=str)
    @pytest.mark.parametrize("num_beams", [2, 4])
    @pytest.mark.parametrize("end_ids", [[], [0], [0, 4, 9]], ids=str)
    @pytest.mark.parametrize("penalty", [1.0, 1.4])
    def test_the_same_text(self, network, prompt, num_beams, end_ids, penalty):
        theirs = network.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            num_beams=num_beams,
            do_sample=False,
            max_new_tokens=12,
            repetition_penalty=penalty,
            eos_token_id=end_ids or None,
            pad_token_id=0,
        )[0, len(prompt) :].tolist()
        asked = SamplingSettings(num_beams=num_beams, max_new_tokens=12, repetition_penalty=penalty)
        with torch.inference_mode():
            session = Session(TransformersReader(network), prompt, 64)
            ours = beam_search(session, prompt, asked, end_ids=end_ids).ids
        assert list(ours) == theirs[: len(ours)]
        assert set(theirs[len(ours) :]) <= {0}  # transformers pads what is shorter
