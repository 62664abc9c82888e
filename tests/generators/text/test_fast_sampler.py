"""The fast sampler against the plain rules."""

import math
import random
from dataclasses import fields

import pytest
import torch

from aigc_demo.generators.text.fast_sampler import Sampler
from aigc_demo.generators.text.sampling import SamplingSettings, UniformStream, next_token_probs


def settings(**changes):
    """Settings that change nothing, but for the given ones."""
    return SamplingSettings(**{"temperature": 1, "top_k": 0, "top_p": 1, **changes})


def picks(logits, count=400, **changes):
    sampler = Sampler(settings(seed=5, **changes), len(logits))
    return [sampler.choose(logits, index) for index in range(count)]


@pytest.fixture
def flat():
    """Logits of 1,009 tokens without a clear favourite."""
    return torch.randn(1009, generator=torch.Generator().manual_seed(2)) * 2


CHANGES = (
    {},
    {"top_k": 7},
    {"top_p": 0.9},
    {"top_p": 0.9995},
    {"top_k": 30, "top_p": 0.6},
    {"temperature": 0.4, "repetition_penalty": 1.7, "top_p": 0.8},
    {"temperature": 0},
    {"temperature": 0, "repetition_penalty": 3},
    {"top_k": 1},
    {"top_p": 0},
    {"min_p": 0.05},
    {"min_p": 1},
    {"min_p": 0.2, "top_k": 30},
    {"min_p": 0.02, "top_p": 0.9, "temperature": 1.4},
    {"min_p": 0.1, "repetition_penalty": 1.7},
)
# Of a text, not of a token's distribution.
NO_RULES = {"num_beams", "max_new_tokens", "stop", "seed"}


def test_every_rule_is_among_the_changes():
    """A rule that the sampler forgot would otherwise be a setting without effect."""
    changed = {name for changes in CHANGES for name in changes}
    assert changed | NO_RULES == {item.name for item in fields(SamplingSettings)}


class TestSampler:
    @pytest.mark.parametrize("changes", CHANGES, ids=str)
    def test_it_draws_what_the_plain_formulas_say(self, flat, changes):
        chosen, seen, banned = settings(seed=9, **changes), [4, 4, 700], [0, int(flat.argmax())]
        sampler, stream = Sampler(chosen, len(flat), banned), UniformStream(9)
        sampler.see(seen)
        for index in range(50):
            probs = next_token_probs(flat, chosen, seen, banned)
            plain = int((probs.double().log() + stream.gumbels(index, len(flat))).argmax())
            assert sampler.choose(flat, index) == plain
            seen.append(plain)
            sampler.see([plain])

    @pytest.mark.parametrize("rounded", ["as they are", "to bfloat16", "to whole numbers"])
    def test_it_draws_what_the_formulas_say_under_any_settings(self, rounded):
        """Also where many scores are equal, as those of a network that computes in bfloat16 are."""
        rng = random.Random(3)
        for case in range(150):
            size = rng.choice((2, 3, 7, 40, 130, 400))
            numbers = torch.Generator().manual_seed(case)
            logits = torch.randn(size, generator=numbers) * rng.choice((0.5, 2, 6)) + rng.choice((-9, 0, 3))
            if rounded != "as they are":
                logits = logits.bfloat16().float() if rounded == "to bfloat16" else logits.round()
            chosen = settings(
                temperature=rng.choice((0, 0.31, 1, 1.7, 5)),
                top_k=rng.choice((0, 0, 1, 2, 5, 50)),
                top_p=rng.choice((0, 0.0313, 0.3317, 0.8713, 0.9913, 1, 1)),
                min_p=rng.choice((0, 0, 0, 0.0113, 0.2117, 1)),
                repetition_penalty=rng.choice((0.5, 1, 1.3, 3)),
                seed=case,
            )
            seen = [rng.randrange(size) for _ in range(rng.choice((0, 1, 9)))]
            banned = rng.sample(range(size), rng.randrange(min(size, 4)))
            sampler, stream = Sampler(chosen, size, banned), UniformStream(case)
            sampler.see(seen)
            for index in (0, 5):
                probs = next_token_probs(logits, chosen, seen, banned)
                plain = int((probs.double().log() + stream.gumbels(index, size)).argmax())
                assert sampler.choose(logits, index) == plain, chosen
                assert plain not in banned

    def test_a_penalty_lowers_a_negative_score_too(self):
        # Unpenalised, the first is the likeliest; a third of -1 would keep it there, three times -1 does not.
        logits = torch.tensor([-1.0, -2.0, -4.0])
        for seen, penalty, drawn in (((), 3, 0), ((0,), 3, 1), ((0, 0, 1), 3, 0), ((2,), 0.2, 2)):
            sampler = Sampler(settings(temperature=0, repetition_penalty=penalty), 3)
            sampler.see(seen)
            assert sampler.choose(logits, 0) == drawn

    def test_equally_likely_ones_at_the_edge_all_stay_with_top_k_and_the_first_with_top_p(self):
        logits = torch.tensor([0.0, 1.0, 0.0, 2.0, 0.0])
        assert set(picks(logits, top_k=3)) == {0, 1, 2, 3, 4}
        assert set(picks(logits, top_k=2)) == {1, 3}
        assert set(picks(torch.tensor([1.0, 4.0, 4.0]), top_k=1)) == {1, 2}
        many = torch.zeros(1500)  # more than are sorted at first
        assert set(picks(many, 20, top_p=2.5 / 1500)) == {0, 1, 2}
        assert max(picks(many, 20, top_p=0.5)) < 750 < max(picks(many, 20, top_p=0.9))

    def test_a_logit_that_is_no_number_is_drawn_and_so_found(self):
        logits = torch.tensor([1.0, math.nan, 2.0])
        for changes in ({}, {"top_k": 1}, {"top_k": 2, "top_p": 0.5}, {"top_p": 0.5}, {"temperature": 0}):
            assert Sampler(settings(**changes), 3).choose(logits, 0) in range(3)

    def test_the_scores_it_is_given_stay_as_they_were(self, flat):
        before = flat.clone()
        Sampler(settings(repetition_penalty=2, top_p=0.5), 1009, [3]).choose(flat, 0)
        assert torch.equal(flat, before)
