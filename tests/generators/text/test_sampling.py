"""Each rule against numbers worked out by hand and against transformers; the shared stream."""

import math

import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from aigc_demo.core.errors import InputError
from aigc_demo.generators.text.fast_sampler import Sampler
from aigc_demo.generators.text.sampling import (
    SamplingSettings,
    UniformStream,
    next_token_probs,
    with_banned,
    with_min_p,
    with_repetition_penalty,
    with_temperature,
    with_top_k,
    with_top_p,
)

# Probabilities 1/2, 1/4, 1/8, 1/8 out of order.
LOGITS = torch.tensor([0.25, 0.5, 0.125, 0.125]).log()
INF = math.inf


def settings(**changes):
    """Settings that change nothing, but for the given ones."""
    return SamplingSettings(**{"temperature": 1, "top_k": 0, "top_p": 1, **changes})


class TestByHand:
    def test_temperature_one_half_squares_the_probabilities(self):
        # 1/16, 1/4, 1/64, 1/64 sum to 22/64.
        probs = with_temperature(LOGITS, 0.5).softmax(-1)
        torch.testing.assert_close(probs, torch.tensor([4, 16, 1, 1]) / 22)

    def test_temperature_zero_leaves_the_first_of_the_likeliest(self):
        assert with_temperature(torch.tensor([1.0, 7.0, 7.0]), 0).softmax(-1).tolist() == [0, 1, 0]

    def test_top_k_two_keeps_the_halves_in_their_proportion(self):
        torch.testing.assert_close(with_top_k(LOGITS, 2).softmax(-1), torch.tensor([1 / 3, 2 / 3, 0, 0]))

    @pytest.mark.parametrize("k", [0, 4, 99])
    def test_top_k_of_all_or_none_keeps_all(self, k):
        assert torch.equal(with_top_k(LOGITS, k), LOGITS)

    @pytest.mark.parametrize(
        ("p", "kept"),
        [(0.0, [1]), (0.4, [1]), (0.5, [1]), (0.6, [0, 1]), (0.76, [0, 1, 2]), (0.99, [0, 1, 2, 3])],
    )
    def test_top_p_keeps_the_fewest_that_reach_it(self, p, kept):
        assert with_top_p(LOGITS, p).isfinite().nonzero().flatten().tolist() == kept

    def test_top_p_one_keeps_even_what_is_impossible(self):
        logits = torch.tensor([0.0, -1e30])
        assert torch.equal(with_top_p(logits, 1.0), logits)

    @pytest.mark.parametrize(
        ("share", "kept"),
        [(0, [0, 1, 2, 3]), (0.24, [0, 1, 2, 3]), (0.26, [0, 1]), (0.49, [0, 1]), (0.51, [1]), (1, [1])],
    )
    def test_min_p_keeps_those_likely_enough_beside_the_likeliest(self, share, kept):
        assert with_min_p(LOGITS, share).isfinite().nonzero().flatten().tolist() == kept  # of 2 : 4 : 1 : 1

    def test_min_p_keeps_all_that_are_as_likely_as_the_likeliest(self):
        assert with_min_p(torch.tensor([1.0, 3.0, 3.0]), 1).tolist() == [-math.inf, 3.0, 3.0]

    def test_repetition_penalty_lowers_positive_and_negative_scores(self):
        logits = torch.tensor([3.0, -3.0, 5.0])
        assert with_repetition_penalty(logits, [0, 1, 1, 0], 1.5).tolist() == [2.0, -4.5, 5.0]
        assert logits.tolist() == [3.0, -3.0, 5.0]

    def test_banned_tokens_have_no_probability(self):
        torch.testing.assert_close(with_banned(LOGITS, [1]).softmax(-1), torch.tensor([0.5, 0, 0.25, 0.25]))

    def test_all_rules_in_order(self):
        # Penalty 2 on id 1 with l = 2 ln 3: ln 3. Ban id 0. T = 1/2: 2 ln 3, 0, 2 ln 2, i.e. 9 : 1 : 4.
        # Top-k 2: 9 : 4. Top-p 0.5: the 9 alone reaches it; top-p 0.7: both stay.
        logits = torch.tensor([9.0, 2 * math.log(3), 0.0, math.log(2)])
        rules = {"temperature": 0.5, "top_k": 2, "repetition_penalty": 2}
        both = next_token_probs(logits, settings(**rules, top_p=0.7), seen=[1], banned=[0])
        torch.testing.assert_close(both, torch.tensor([0, 9, 0, 4]) / 13)
        one = next_token_probs(logits, settings(**rules, top_p=0.5), seen=[1], banned=[0])
        assert one.tolist() == [0, 1, 0, 0]
        # Min-p after all of them: 4 is less than half of 9, and not less than 0.4 of it.
        assert next_token_probs(logits, settings(**rules, min_p=0.5), seen=[1], banned=[0])[3] == 0
        assert next_token_probs(logits, settings(**rules, min_p=0.4), seen=[1], banned=[0])[3] == both[3]


class TestAgainstTransformers:
    """Random scores, 5 rows of 211 tokens."""

    @pytest.fixture
    def logits(self):
        return torch.randn(5, 211, generator=torch.Generator().manual_seed(7)) * 3

    @pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7])
    def test_temperature(self, logits, temperature):
        assert torch.equal(
            with_temperature(logits, temperature), TemperatureLogitsWarper(temperature)(None, logits)
        )

    @pytest.mark.parametrize("k", [1, 2, 50, 211])
    def test_top_k(self, logits, k):
        assert torch.equal(with_top_k(logits, k), TopKLogitsWarper(k)(None, logits))

    @pytest.mark.parametrize("p", [0.01, 0.3, 0.9, 0.999])
    def test_top_p(self, logits, p):
        assert torch.equal(with_top_p(logits, p), TopPLogitsWarper(p)(None, logits))

    @pytest.mark.parametrize("share", [0.001, 0.1, 0.7, 0.999])
    def test_min_p(self, logits, share):
        assert torch.equal(with_min_p(logits, share), MinPLogitsWarper(share)(None, logits))

    @pytest.mark.parametrize("penalty", [0.7, 1.0, 1.3])
    def test_repetition_penalty(self, logits, penalty):
        seen = torch.tensor([3, 5, 5, 210])
        theirs = RepetitionPenaltyLogitsProcessor(penalty)(seen[None], logits[:1])
        assert torch.equal(with_repetition_penalty(logits[0], seen.tolist(), penalty), theirs[0])


class TestUniformStream:
    def test_a_row_depends_on_seed_and_number_alone(self):
        stream, other = UniformStream(3), UniformStream(3)
        first = stream.row(0, 13)
        stream.row(1, 13)
        assert torch.equal(other.row(0, 13), first)
        assert not torch.equal(stream.row(1, 13), first)
        assert not torch.equal(UniformStream(4).row(0, 13), first)

    def test_a_smaller_vocabulary_sees_the_beginning_of_the_row(self):
        assert torch.equal(UniformStream(0).row(5, 13), UniformStream(0).row(5, 20011)[:13])

    def test_seeds_that_differ_in_high_bits_differ(self):
        assert not torch.equal(UniformStream(1).row(0, 7), UniformStream(1 + 2**40).row(0, 7))

    def test_the_numbers_are_uniform(self):
        # 200 rows of 100: mean 1/2 with standard error 0.002; each tenth holds 2,000 of 20,000.
        stream = UniformStream(11)
        numbers = torch.stack([stream.row(index, 100) for index in range(200)]).flatten()
        assert abs(float(numbers.mean()) - 0.5) < 0.008
        counts = torch.histc(numbers.float(), bins=10, min=0, max=1)
        chi_square = float(((counts - 2000) ** 2 / 2000).sum())
        assert chi_square < 27.9  # 9 degrees of freedom, exceeded once in 1,000


def picks(logits, count=400, **changes):
    sampler = Sampler(settings(seed=5, **changes), len(logits))
    return [sampler.choose(logits, index) for index in range(count)]


@pytest.fixture
def flat():
    """Scores of 1,009 tokens without a clear favourite."""
    return torch.randn(1009, generator=torch.Generator().manual_seed(2)) * 2


class TestSharedDraws:
    def test_top_k_takes_the_same_token_whenever_it_may(self, flat):
        """Any two of them: where the freer one's token is among those kept, both take it."""
        ranked = flat.argsort(descending=True).tolist()
        kept = {0: set(ranked), 200: set(ranked[:200]), 50: set(ranked[:50]), 5: set(ranked[:5])}
        drawn = {k: picks(flat, top_k=k) for k in kept}
        for freer, stricter in ((0, 200), (0, 50), (200, 50), (50, 5), (0, 5)):
            agreed = 0
            for one, other in zip(drawn[freer], drawn[stricter], strict=True):
                assert other in kept[stricter]
                if one in kept[stricter]:
                    assert one == other
                    agreed += 1
            assert 0 < agreed < len(drawn[freer]), "the case must occur, and not always"

    def test_top_p_takes_the_same_token_whenever_it_may(self, flat):
        nucleus = set(with_top_p(flat, 0.5).isfinite().nonzero().flatten().tolist())
        both = list(zip(picks(flat), picks(flat, top_p=0.5), strict=True))
        assert all(one == other for one, other in both if one in nucleus)
        assert any(one not in nucleus for one, _ in both)

    def test_two_similar_models_nearly_always_agree(self, flat):
        noise = torch.randn(1009, generator=torch.Generator().manual_seed(3)) * 0.14
        distance = float((flat.softmax(-1) - (flat + noise).softmax(-1)).abs().sum() / 2)
        agreed = sum(one == other for one, other in zip(picks(flat), picks(flat + noise), strict=True)) / 400
        bound = (1 - distance) / (1 + distance)
        assert distance > 0.02
        assert agreed > bound - 3 * math.sqrt(bound * (1 - bound) / 400)

    def test_different_seeds_draw_differently(self, flat):
        one, other = (Sampler(settings(seed=seed), 1009) for seed in (0, 1))
        assert [one.choose(flat, t) for t in range(8)] != [other.choose(flat, t) for t in range(8)]


class TestFrequencies:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"temperature": 0.5},
            {"top_k": 3},
            {"top_p": 0.8},
            {"top_k": 4, "top_p": 0.8, "temperature": 1.5},
            {"min_p": 0.5},
        ],
        ids=str,
    )
    def test_tokens_come_as_often_as_their_probability_says(self, changes):
        probs = torch.tensor([0.05, 0.3, 0.1, 0.35, 0.2])
        expected = next_token_probs(probs.log(), settings(**changes)) * 4000
        counts = torch.bincount(torch.tensor(picks(probs.log(), 4000, **changes)), minlength=5)
        possible = expected > 0
        assert counts[~possible].sum() == 0
        chi_square = float(((counts - expected)[possible] ** 2 / expected[possible]).sum())
        # Exceeded once in 1,000 with 1, 2 and 4 degrees of freedom.
        assert chi_square < {2: 10.83, 3: 13.82, 5: 18.47}.get(int(possible.sum()), 16.27)


class TestSettings:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"temperature": -0.1},
            {"temperature": math.nan},
            {"top_k": 2.5},
            {"top_k": -1},
            {"top_p": 1.01},
            {"min_p": 1.01},
            {"min_p": -0.1},
            {"num_beams": 0},
            {"repetition_penalty": 0},
            {"max_new_tokens": 0},
            {"seed": 2**63},
            {"stop": ("",)},
            {"stop": ("x" * 101,)},
            {"stop": tuple("123456789")},
            {"stop": (3,)},
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_refused_with_its_name(self, wrong):
        with pytest.raises(InputError) as caught:
            SamplingSettings(**wrong)
        assert caught.value.values["name"] == next(iter(wrong))

    def test_one_stop_string_may_stand_alone(self):
        assert SamplingSettings(stop="END").stop == ("END",)
