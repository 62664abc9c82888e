"""What one step of a training does, worked out by hand: that it is right, not only that it is repeatable."""

# Shapes: B images of a batch, C channels, H rows, W columns, Z latent features.

import math
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_demo.core.device import seeded
from aigc_demo.core.events import StepDone
from aigc_demo.data.text.corpus import TextCorpus
from aigc_demo.data.text.tokenizer import train_tokenizer
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from aigc_demo.training.gan import training as gan
from aigc_demo.training.gan.training import NUM_RECALIBRATION_BATCHES, SAMPLE_SEED, _update_average
from aigc_demo.training.language_model.validation import validation_loss
from aigc_demo.training.loops.loop import TrainingLoop
from aigc_demo.training.start import Order, train
from aigc_demo.training.text_to_image.training import TextToImageTraining, _low_resolution
from tests.training import image_orders, pair_orders
from tests.training.conftest import TINY
from tests.training.gan import test_training as test_gan

# ---- the loops: gradient clipping

LOOPS = {
    **dict.fromkeys(("gpt", "gpt2", "word-lm"), TINY),
    **{
        recipe: {**orders.SMALL, **orders.OF_RECIPE[recipe]}
        for orders, recipes in (
            (image_orders, ("classifier", "ddpm")),
            (pair_orders, ("clip", "checker", "colorize")),
        )
        for recipe in recipes
    },
}


@pytest.mark.parametrize("recipe", LOOPS)
@pytest.mark.parametrize("limit", [1e-3, 1e6])
def test_gradients_are_clipped_to_the_limit_and_reported_as_they_were(
    tmp_path: Path, text_file: Path, monkeypatch, recipe: str, limit: float
) -> None:
    norms = []
    step_optimizers = TrainingLoop.step_optimizers

    def recorded(loop, optimizers, *, finite):
        gradients = [
            weight.grad
            for optimizer in optimizers
            for group in optimizer.param_groups
            for weight in group["params"]
            if weight.grad is not None
        ]
        norms.append(math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients)))
        step_optimizers(loop, optimizers, finite=finite)

    monkeypatch.setattr(TrainingLoop, "step_optimizers", recorded)
    asked = {**LOOPS[recipe], "max_grad_norm": limit}
    source = str(text_file) if LOOPS[recipe] is TINY else "tiny-world"
    order = Order(recipe, source, tmp_path / "run", steps=2, settings=asked)
    done = [event for event in train(order) if isinstance(event, StepDone)]
    reported = [event.metrics["gradient_norm"] for event in done]
    assert min(reported) > 10 * 1e-3, "as they were before"
    for norm, before in zip(norms, reported, strict=True):
        assert norm == pytest.approx(min(limit, before), rel=1e-3)


# ---- a GAN, with networks of one weight


class Fill(nn.Module):
    """A generator: every pixel is its weight times the first number of the noise."""

    def __init__(self, weight: float):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, noise_BZ: Tensor) -> Tensor:
        return (self.weight * noise_BZ[:, 0])[:, None, None, None].expand(-1, 3, 32, 32)


class Slope(nn.Module):
    """A discriminator: its weight times the mean of the pixels; keeps what it was shown."""

    def __init__(self, weight: float):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.shown: list[Tensor] = []

    def forward(self, x_BCHW: Tensor) -> Tensor:
        self.shown.append(x_BCHW.detach())
        return self.weight * x_BCHW.mean(dim=(1, 2, 3))


def gan_of_two_weights(tmp_path: Path, monkeypatch, generator=0.7, discriminator=1.3, **settings):
    """A training whose networks have a weight each; `slopes` are the gradients that they were moved along."""
    loop = test_gan.training(tmp_path, **settings)
    loop.generator, loop.discriminator = Fill(generator), Slope(discriminator)
    slopes = []
    monkeypatch.setattr(
        loop, "_optimizer_step", lambda network, _: slopes.append(float(network.weight.grad)) or 0.0
    )
    return loop, slopes


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def slope_of_discriminator(weight: float, real_B: list[float], fake_B: list[float]) -> float:
    """Of -mean log sigmoid(w r) - mean log(1 - sigmoid(w f)) by w."""
    real = sum(-sigmoid(-weight * value) * value for value in real_B) / len(real_B)
    return real + sum(sigmoid(weight * value) * value for value in fake_B) / len(fake_B)


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize(("step", "gamma"), [(0, 0.0), (0, 3.0), (1, 3.0), (4, 3.0)])
def test_the_penalty_is_half_of_gamma_times_the_squared_slope_times_its_interval(
    tmp_path: Path, monkeypatch, norm: str, step: int, gamma: float
) -> None:
    settings = {"r1_gamma": gamma, "r1_every": 4, "discriminator_norm": norm}
    loop, slopes = gan_of_two_weights(tmp_path, monkeypatch, **settings)
    loop.step = step
    fake_BCHW, _ = loop._discriminator_step(loop.batches.stream(step), keep_graph=True)
    real_BCHW, _ = loop.batches.rows(loop.batches.stream(step))
    means = [x_BCHW.detach().double().mean(dim=(1, 2, 3)).tolist() for x_BCHW in (real_BCHW, fake_BCHW)]
    expected = slope_of_discriminator(1.3, *means)
    if step % 4 == 0:
        # The score's slope at each of N pixels is w / N: its square sums up to w^2 / N.
        expected += gamma / 2 * 4 * 2 * 1.3 / (3 * 32 * 32)
    assert slopes == [pytest.approx(expected, rel=1e-4)]


@pytest.mark.parametrize("loss", ["non-saturating", "minimax", "hinge"])
def test_the_generator_moves_along_the_slope_of_its_own_loss(tmp_path: Path, monkeypatch, loss: str) -> None:
    loop, slopes = gan_of_two_weights(tmp_path, monkeypatch, loss=loss)
    noise_B1 = torch.randn(8, 1, generator=torch.Generator().manual_seed(0))
    mean_loss, _, _ = loop._generator_step(loop.generator(noise_B1), seeded(0))
    pulls, losses = [], []
    for noise in noise_B1[:, 0].double().tolist():
        score = 1.3 * 0.7 * noise
        by_score = {"non-saturating": -sigmoid(-score), "minimax": -sigmoid(score), "hinge": -1.0}[loss]
        pulls.append(by_score * 1.3 * noise)
        losses.append(
            {
                "non-saturating": -math.log(sigmoid(score)),
                "minimax": math.log(1 - sigmoid(score)),
                "hinge": -score,
            }[loss]
        )
    assert slopes == [pytest.approx(sum(pulls) / 8, rel=1e-4)]
    assert mean_loss == pytest.approx(sum(losses) / 8, abs=1e-4)
    assert loop.discriminator.weight.grad is None


def test_real_and_generated_images_are_augmented_alike_and_the_penalty_is_at_real_ones(
    tmp_path: Path, monkeypatch
) -> None:
    asked = []

    def marked(x_BCHW: Tensor, rng: torch.Generator, policies: tuple[str, ...]) -> Tensor:
        asked.append(policies)
        return x_BCHW + 100

    monkeypatch.setattr(gan, "diff_augment", marked)
    settings = {"diff_augment": ("colour", "cutout"), "r1_gamma": 1.0, "discriminator_norm": "batch"}
    loop, _ = gan_of_two_weights(tmp_path, monkeypatch, **settings)
    rng = loop.batches.stream(0)
    fake_BCHW, _ = loop._discriminator_step(rng, keep_graph=True)
    real, fake, at_real = loop.discriminator.shown
    untouched, _ = loop.batches.rows(loop.batches.stream(0))
    assert torch.equal(real, untouched + 100)
    assert torch.equal(fake, fake_BCHW.detach() + 100)
    assert torch.equal(at_real, untouched), "the slope at images as they are"
    loop._generator_step(fake_BCHW, rng)
    assert torch.equal(loop.discriminator.shown[-1], fake_BCHW.detach() + 100)
    assert asked == [("colour", "cutout")] * 3


def test_under_batch_norm_a_real_score_does_not_depend_on_the_generated_images(tmp_path: Path) -> None:
    loop = test_gan.training(tmp_path, discriminator_norm="batch")
    loop.discriminator.train()
    rng = torch.Generator().manual_seed(0)
    real_BCHW, one_BCHW, other_BCHW = torch.randn(3, 8, 3, 32, 32, generator=rng)
    first, _ = loop._scores(real_BCHW, one_BCHW)
    second, scores = loop._scores(real_BCHW, 5 * other_BCHW)
    assert torch.equal(first, second)
    assert torch.equal(scores, loop._scores(one_BCHW, 5 * other_BCHW)[1])


@pytest.mark.parametrize(
    ("num_averaged", "share_of_the_average"), [(0, 0.1), (1, 2 / 11), (8, 0.5), (80, 0.9), (5000, 0.9)]
)
def test_an_average_takes_large_steps_at_first(num_averaged: int, share_of_the_average: float) -> None:
    average, weight = torch.full((2, 3), 4.0), torch.full((2, 3), -6.0)
    _update_average(0.9, [average], [weight], torch.tensor(num_averaged))
    assert average.flatten().tolist() == pytest.approx(
        [4 * share_of_the_average - 6 * (1 - share_of_the_average)] * 6
    )
    assert weight.flatten().tolist() == [-6] * 6


def test_the_kept_generators_norms_are_measured_on_its_own_batches(tmp_path: Path) -> None:
    loop = test_gan.training(tmp_path, ema_decay=0.5)
    for _ in range(3):
        loop.train_step()
    assert loop.average is not None
    seen: list[Tensor] = []
    kept = loop.kept_generator()
    norm = next(part for part in kept.modules() if isinstance(part, nn.BatchNorm2d))
    hook = norm.register_forward_hook(lambda part, given, _: seen.append(given[0].detach()))
    loop._recalibrate_average()
    hook.remove()
    assert len(seen) == NUM_RECALIBRATION_BATCHES
    means = torch.stack([x_BCHW.mean(dim=(0, 2, 3)) for x_BCHW in seen]).mean(dim=0)
    spread = torch.stack([x_BCHW.var(dim=(0, 2, 3)) for x_BCHW in seen]).mean(dim=0)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert torch.allclose(norm.running_mean, means, rtol=1e-3, atol=1e-5)
    assert torch.allclose(norm.running_var, spread, rtol=1e-3, atol=1e-5)
    noise_BZ = torch.randn(8, 16, generator=seeded(SAMPLE_SEED))
    assert torch.equal(seen[0], inputs_of(norm, kept, noise_BZ)), "the first of the fixed batches of noise"


def inputs_of(part: nn.Module, network: nn.Module, noise_BZ: Tensor) -> Tensor:
    """What reaches a part of a network in training."""
    found: list[Tensor] = []
    hook = part.register_forward_hook(lambda _, given, __: found.append(given[0].detach()))
    state = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    with torch.no_grad():
        network(noise_BZ)
    network.load_state_dict(state)
    hook.remove()
    return found[0]


# ---- a GAN that is given captions


def chosen(right_BT: Tensor, wrong_NPT: Tensor, shuffled: float, seed: int) -> tuple[Tensor, Tensor]:
    training = SimpleNamespace(
        captions_NPT=right_BT[:, None], wrong_NPT=wrong_NPT, settings=SimpleNamespace(shuffled=shuffled)
    )
    return TextToImageTraining._captions_of(training, torch.arange(len(right_BT)), seeded(seed))


@pytest.mark.parametrize("shuffled", [0.0, 0.5, 1.0])
def test_a_wrong_caption_is_never_the_right_one(shuffled: float) -> None:
    right_BT = torch.tensor([[1, 2], [3, 4], [3, 4], [5, 6], [1, 2], [1, 2]])  # some describe several images
    nearly_NPT = right_BT[:, None] + torch.tensor([[10, 0], [0, 10]])[None]
    for seed in range(20):
        for wrong_NPT in (nearly_NPT, nearly_NPT[:0]):
            given_BT, wrong_BT = chosen(right_BT, wrong_NPT, shuffled, seed)
            assert torch.equal(given_BT, right_BT)
            assert not (given_BT == wrong_BT).all(dim=1).any()
            if len(wrong_NPT) and shuffled == 0:
                assert all(int((a != b).sum()) == 1 for a, b in zip(given_BT, wrong_BT, strict=True))
            if shuffled == 1 or not len(wrong_NPT):
                assert {tuple(row) for row in wrong_BT.tolist()} <= {tuple(row) for row in right_BT.tolist()}


class Judge(nn.Module):
    """A discriminator of captions: the mean of the pixels times the caption's number."""

    def features(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.mean(dim=(1, 2, 3))

    def logits(self, seen_B: Tensor, text_BE: Tensor) -> Tensor:
        return seen_B * text_BE[:, 0]

    def forward(self, x_BCHW: Tensor, text_BE: Tensor) -> Tensor:
        return self.logits(self.features(x_BCHW), text_BE)


def test_the_discriminator_of_captions_adds_half_of_the_wrong_caption_to_half_of_the_fake() -> None:
    judge, right_BE, wrong_BE = Judge(), torch.tensor([[2.0], [3.0]]), torch.tensor([[-1.0], [5.0]])
    training = SimpleNamespace(
        discriminator=judge,
        text_NE=torch.cat([right_BE, wrong_BE]),
        score=lambda x_BCHW: judge(x_BCHW, right_BE),
        settings=SimpleNamespace(loss="non-saturating", label_smoothing=0.0, contrast_weight=0.0),
    )
    real_BCHW = torch.tensor([0.5, -0.25])[:, None, None, None].expand(-1, 3, 4, 4)
    fake_BCHW = torch.tensor([0.125, 1.0])[:, None, None, None].expand(-1, 3, 4, 4)
    loss, metrics = TextToImageTraining.discriminator_objective(training, real_BCHW, fake_BCHW)
    real = -(math.log(sigmoid(0.5 * 2)) + math.log(sigmoid(-0.25 * 3))) / 2
    fake = -(math.log(1 - sigmoid(0.125 * 2)) + math.log(1 - sigmoid(1.0 * 3))) / 2
    wrong = -(math.log(1 - sigmoid(0.5 * -1)) + math.log(1 - sigmoid(-0.25 * 5))) / 2
    assert float(metrics["real_term"]) == pytest.approx(real, rel=1e-5)
    assert float(metrics["fake_term"]) == pytest.approx(fake / 2, rel=1e-5)
    assert float(metrics["wrong_term"]) == pytest.approx(wrong / 2, rel=1e-5)
    assert float(loss) == pytest.approx(real + fake / 2 + wrong / 2, rel=1e-5)
    assert float(metrics["wrong_prob"]) == pytest.approx((sigmoid(-0.5) + sigmoid(-1.25)) / 2, rel=1e-5)


def test_the_contrastive_terms_of_both_networks_are_added_by_their_weights() -> None:
    judge, right_BE, wrong_BE = Judge(), torch.tensor([[2.0], [3.0]]), torch.tensor([[-1.0], [5.0]])
    weights = {"contrast_weight": 2.0, "guide_weight": 4.0, "guide_noise": 0.0, "likeness_weight": 0.0}
    training = SimpleNamespace(
        discriminator=judge,
        right=SimpleNamespace(text_BE=right_BE),
        text_NE=torch.cat([right_BE, wrong_BE]),
        score=lambda x_BCHW: judge(x_BCHW, right_BE),
        settings=SimpleNamespace(loss="hinge", label_smoothing=0.0, **weights),
        guide=SimpleNamespace(
            scale=torch.tensor(3.0), image_embeddings=lambda x_BCHW: x_BCHW.mean(dim=(1, 2, 3))[:, None]
        ),
        _augmented=lambda x_BCHW, rng: x_BCHW,
        _discriminator_contrast=lambda features_B: features_B.sum(),
        _contrastive_terms=lambda image_BE, scale: image_BE.sum() * scale,
    )
    real_BCHW = torch.tensor([0.5, -0.25])[:, None, None, None].expand(-1, 3, 4, 4)
    fake_BCHW = torch.tensor([0.125, 1.0])[:, None, None, None].expand(-1, 3, 4, 4)
    loss, metrics = TextToImageTraining.generator_objective(training, fake_BCHW, seeded(0))
    fooling = -(0.125 * 2 + 1.0 * 3) / 2
    assert float(metrics["made_contrast"]) == pytest.approx(1.125)
    assert float(metrics["guide_term"]) == pytest.approx(1.125 * 3)
    assert float(loss) == pytest.approx(fooling + 2 * 1.125 + 4 * 1.125 * 3)
    loss, metrics = TextToImageTraining.discriminator_objective(training, real_BCHW, fake_BCHW)
    assert float(metrics["real_contrast"]) == pytest.approx(0.25)
    terms = sum(float(metrics[f"{name}_term"]) for name in ("real", "fake", "wrong"))
    assert float(loss) == pytest.approx(terms + 2 * 0.25)


def test_likeness_compares_means_of_eight_by_eight_pixels(tmp_path: Path) -> None:
    real_BCHW = torch.zeros(1, 1, 16, 16)
    fake_BCHW = real_BCHW.clone()
    fake_BCHW[0, 0, :8, :8] = (
        torch.arange(64.0).view(8, 8) - 31.5
    )  # its mean is 0: from afar there is nothing
    fake_BCHW[0, 0, 8:, 8:] = 3.0
    assert _low_resolution(fake_BCHW).flatten().tolist() == pytest.approx([0, 0, 0, 3], abs=1e-5)
    judge = Judge()
    settings = SimpleNamespace(loss="hinge", contrast_weight=0.0, guide_weight=0.0, likeness_weight=10.0)
    training = SimpleNamespace(
        discriminator=judge,
        right=SimpleNamespace(text_BE=torch.tensor([[2.0]])),
        real_BCHW=real_BCHW,
        settings=settings,
        _augmented=lambda x_BCHW, rng: x_BCHW,
    )
    loss, metrics = TextToImageTraining.generator_objective(training, fake_BCHW, seeded(0))
    assert set(metrics) == {"fooling_term", "likeness_term"}  # what has no weight is not computed
    assert float(metrics["likeness_term"]) == pytest.approx(9 / 4, rel=1e-5)
    fooling = -2 * float(fake_BCHW.mean())
    assert float(loss) == pytest.approx(fooling + 10 * 9 / 4, rel=1e-5)


def test_held_out_images_are_scored_by_networks_that_do_not_train() -> None:
    trains = []

    class Recorded(Judge):
        def features(self, x_BCHW: Tensor) -> Tensor:
            trains.append(self.training)
            return super().features(x_BCHW)

    def generate(network: nn.Module, noise_NZ: Tensor, texts: SimpleNamespace) -> Tensor:
        trains.append(network.training)
        return torch.ones(len(noise_NZ), 3, 4, 4)

    training = SimpleNamespace(
        pairs=SimpleNamespace(validation=torch.full((2, 3, 4, 4), 255, dtype=torch.uint8)),
        held_NPT=torch.zeros(2, 1, 3, dtype=torch.int64),
        accelerator=SimpleNamespace(device="cpu", autocast=nullcontext),
        settings=SimpleNamespace(latent_size=2),
        discriminator=Recorded(),
        generator=nn.Identity(),
        guide=SimpleNamespace(
            encode=lambda ids_NT: SimpleNamespace(text_BE=torch.tensor([[1.0], [-2.0]])),
            image_embeddings=lambda x_BCHW: torch.ones(2, 1),
        ),
        _generate=generate,
    )
    metrics = TextToImageTraining.held_out_metrics(training)
    assert trains == [False, False]
    assert training.discriminator.training
    assert training.generator.training
    assert metrics["held_out_prob"] == pytest.approx((sigmoid(1) + sigmoid(-2)) / 2, abs=1e-5)
    assert (metrics["real_told_apart"], metrics["made_told_apart"]) == (0.5, 0.5)


def test_gradients_and_running_statistics_are_averaged_over_processes() -> None:
    network = nn.Sequential(nn.Linear(2, 1, bias=False), nn.BatchNorm1d(1))
    norm = network[1]
    norm.running_mean.fill_(5.0)
    norm.num_batches_tracked.fill_(7)
    network[0].weight.grad = torch.tensor([[1.0, -3.0]])
    norm.weight.grad = torch.tensor([4.0])  # and none of its bias
    reduced = []

    def reduce(together: Tensor, reduction: str) -> Tensor:
        reduced.append(reduction)
        return (together + 10) / 2  # the other process holds 10 everywhere

    accelerator = SimpleNamespace(num_processes=2, reduce=reduce)
    TrainingLoop.average_over_processes(SimpleNamespace(accelerator=accelerator), network)
    assert network[0].weight.grad.tolist() == [[5.5, 3.5]]
    assert norm.weight.grad.tolist() == [7.0]
    assert norm.bias.grad is None
    assert (norm.running_mean.item(), norm.running_var.item()) == (7.5, 5.5)
    assert norm.num_batches_tracked.item() == 7, "a count is no number to average"
    assert reduced == ["mean"]


# ---- what is held out


def corpus_of(ids: list[int]) -> TextCorpus:
    tokenizer = train_tokenizer("abcdefgh" * 4, "characters")
    held = torch.tensor(ids)
    return TextCorpus("x", "0" * 64, "", "", held, held, torch.tensor([0]), tokenizer, ())


def test_the_windows_that_are_measured_lie_evenly() -> None:
    corpus, seen = corpus_of([2 + place // 2 for place in range(14)]), []

    def predict(ids_BT: Tensor) -> Tensor:
        seen.extend(ids_BT.tolist())
        return torch.zeros(*ids_BT.shape, corpus.tokenizer.vocab_size)

    loss = validation_loss(predict, corpus, 2, 3)
    assert loss == pytest.approx(math.log(corpus.tokenizer.vocab_size))
    start = corpus.tokenizer.start_id
    assert seen == [[start, 2], [3, 4], [5, 6]], "the first, third and fifth of seven windows of two tokens"
    seen.clear()
    validation_loss(predict, corpus, 2, None)
    assert len(seen) == 7
    seen.clear()
    validation_loss(predict, corpus, 2, 9)
    assert len(seen) == 7


def test_a_text_longer_than_the_context_costs_what_its_windows_cost_one_by_one() -> None:
    corpus = corpus_of([2, 3, 4, 5, 6, 7, 8])
    torch.manual_seed(0)
    shape = {"context_length": 3, "num_layers": 1, "num_heads": 1, "hidden_size": 8}
    model = Decoder(TransformerConfig(vocab_size=corpus.tokenizer.vocab_size, **shape)).eval()
    start = corpus.tokenizer.start_id
    total = 0.0
    for read, wanted in (([start, 2, 3], [2, 3, 4]), ([4, 5, 6], [5, 6, 7]), ([7], [8])):
        with torch.no_grad():
            logits_TV = model(torch.tensor([read]))[0]
        total += float(F.cross_entropy(logits_TV.double(), torch.tensor(wanted), reduction="sum"))
    with torch.no_grad():
        loss = validation_loss(model, corpus, 3, None)
    assert loss == pytest.approx(total / 7, rel=1e-5)
