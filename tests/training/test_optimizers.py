"""Muon's direction and the learning-rate curve against numbers worked out by hand."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from aigc_demo.nets.text.word_lm import WordLM, WordLMConfig
from aigc_demo.nets.text_to_image.contrastive import DualEncoder, DualEncoderConfig
from aigc_demo.training.language_model.networks import build_gpt2
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.optimizers import (
    Muon,
    optimizers_for,
    optimizers_of_network,
    orthogonalize,
    rate_factor,
    set_rates,
)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 16, 5), (2, 5, 16)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 100
    found = orthogonalize(matrices).float()
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    # The polynomial aims at a band around 1; the smallest of a square random matrix may stay below it.
    assert values.max() < 1.3
    assert values.median() > 0.6


def test_orthogonalized_keeps_the_directions() -> None:
    left = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))[0]
    right = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))[0]
    matrix = left @ torch.diag(torch.tensor([8.0, 7, 6, 5, 4, 3])) @ right
    found = orthogonalize(matrix[None])[0].float()
    middle = left.T @ found @ right.T
    assert (middle - middle.diag().diag()).abs().max() < 0.05
    assert middle.diag().min() > 0.6


@pytest.mark.parametrize("weakest", [1.0, 1e-3])
def test_wide_and_tall_matrices_take_a_shorter_way_to_the_same_place(weakest: float) -> None:
    rng = torch.Generator().manual_seed(0)
    left = torch.linalg.qr(torch.randn(2, 8, 8, generator=rng))[0]
    right = torch.linalg.qr(torch.randn(2, 96, 8, generator=rng))[0]
    values = torch.logspace(0, math.log10(weakest), 8)
    matrices = left * values @ right.mT
    # The long way, by padding with rows that stay zero: they make the matrix narrower and change no product.
    padded = torch.cat([matrices, torch.zeros(2, 40, 96)], dim=1)
    long_way = orthogonalize(padded.double(), dtype=torch.float64)[:, :8].float()
    for found in (
        orthogonalize(matrices, dtype=torch.float32),
        orthogonalize(matrices.mT, dtype=torch.float32).mT,
    ):
        torch.testing.assert_close(found, long_way, atol=1e-3, rtol=1e-3)


def test_stacked_steps_equal_single_ones() -> None:
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(6, 4)) for _ in range(3)]
    copies = [nn.Parameter(weight.detach().clone()) for weight in weights]
    together, alone = Muon(weights), [Muon([copy]) for copy in copies]
    for _ in range(3):
        for weight, copy in zip(weights, copies, strict=True):
            weight.grad = torch.randn(6, 4)
            copy.grad = weight.grad.clone()
        together.step()
        for optimizer in alone:
            optimizer.step()
    for weight, copy in zip(weights, copies, strict=True):
        torch.testing.assert_close(weight, copy, atol=1e-3, rtol=1e-2)


def test_parts_on_top_of_each_other_are_worked_on_apart() -> None:
    torch.manual_seed(0)
    gradient = torch.randn(3, 4, 4)
    whole, apart = nn.Parameter(torch.zeros(12, 4)), [nn.Parameter(torch.zeros(4, 4)) for _ in range(3)]
    whole.grad = gradient.flatten(0, 1).clone()
    for weight, part in zip(apart, gradient, strict=True):
        weight.grad = part.clone()
    Muon([{"params": [whole], "parts": 3}]).step()
    Muon(apart).step()
    torch.testing.assert_close(whole.detach(), torch.cat([weight.detach() for weight in apart]))


@pytest.mark.parametrize(("parts", "rows", "columns"), [(1, 6, 4), (1, 4, 6), (3, 4, 4)])
def test_a_transposed_weight_takes_the_transposed_step(parts: int, rows: int, columns: int) -> None:
    """As transformers' Conv1D stores it: [in, out], queries, keys and values side by side."""
    gradients = [torch.randn(parts * rows, columns) for _ in range(2)]
    linear, conv = (
        nn.Parameter(torch.ones(parts * rows, columns)),
        nn.Parameter(torch.ones(columns, parts * rows)),
    )
    one = Muon([{"params": [linear], "parts": parts}], weight_decay=0.1)
    other = Muon([{"params": [conv], "parts": parts, "transposed": True}], weight_decay=0.1)
    for gradient in gradients:
        linear.grad, conv.grad = gradient.clone(), gradient.T.contiguous()
        one.step()
        other.step()
    assert torch.equal(conv.T, linear)
    assert not torch.equal(linear, torch.ones_like(linear))


def test_a_kernel_takes_the_step_of_its_rows() -> None:
    gradients = [torch.randn(6, 3, 4, 4) for _ in range(2)]
    kernel = nn.Parameter(torch.ones(6, 3, 4, 4).to(memory_format=torch.channels_last))
    matrix = nn.Parameter(torch.ones(6, 48))
    both = Muon([kernel]), Muon([matrix])
    for gradient in gradients:
        kernel.grad = gradient.to(memory_format=torch.channels_last)
        matrix.grad = gradient.flatten(1)
        for optimizer in both:
            optimizer.step()
    torch.testing.assert_close(kernel.detach().flatten(1), matrix.detach())
    assert kernel.is_contiguous(memory_format=torch.channels_last)


def test_kernels_of_a_player_go_to_muon_and_the_rest_to_adam() -> None:
    network = Discriminator(DcganConfig(32, 8, 4, part="discriminator", norm="none"))

    def sizes(kind: str) -> list[list[tuple[int, ...]]]:
        rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.01}
        found = optimizers_of_network(network, kind=kind, betas=(0.0, 0.99), **rates)
        peaks = [{group["peak_lr"] for group in one.param_groups} for one in found]
        assert peaks == [{1e-3}, {0.01}][: len(found)]
        return [[tuple(w.shape) for group in one.param_groups for w in group["params"]] for one in found]

    adam, muon = sizes("muon")
    assert muon == [(4, 3, 4, 4), (8, 4, 4, 4), (16, 8, 4, 4)]
    assert adam == [(1, 16, 4, 4), (4,), (8,), (16,)], "the last kernel has one row"
    assert sorted(sizes("adam")[0]) == sorted(tuple(weight.shape) for weight in network.parameters())


def test_queries_keys_and_values_are_three_matrices_and_vectors_are_not_decayed() -> None:
    encoder = DualEncoder(DualEncoderConfig(vocab_size=9, num_layers=1, hidden_size=32, width=8))
    names = {id(weight): name for name, weight in encoder.named_parameters()}
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.01, "betas": (0.9, 0.98), "weight_decay": 0.1}
    adamw, muon = optimizers_of_network(encoder, kind="muon", **rates)
    parts = {group["parts"]: [names[id(w)] for w in group["params"]] for group in muon.param_groups}
    assert parts[3] == ["text_encoder.blocks.0.attention.qkv.weight"]
    assert "text_encoder.embedding.weight" in parts[1]
    assert any(name.startswith("picture_tower.stages.0.") for name in parts[1])
    assert {group["weight_decay"] for group in adamw.param_groups} == {0.0}
    (alone,) = optimizers_of_network(encoder, kind="adamw", **rates)
    for group in alone.param_groups:
        assert {weight.dim() > 1 for weight in group["params"]} == {group["weight_decay"] > 0}


def test_gpt2_of_the_library_is_sorted_as_ours_is() -> None:
    settings = LanguageModelSettings(num_layers=2, num_heads=2, hidden_size=8, tie_embeddings=True)
    model = build_gpt2(settings, 11)
    adamw, muon = optimizers_for(
        model, kind="muon", learning_rate=1e-3, muon_learning_rate=0.02, weight_decay=0.1
    )
    names = {id(weight): name for name, weight in model.named_parameters()}
    layouts = {
        names[id(weight)].removeprefix("transformer.h.1."): (group["parts"], group["transposed"])
        for group in muon.param_groups
        for weight in group["params"]
        if "h.1." in names[id(weight)]
    }
    assert layouts == {
        "attn.c_attn.weight": (3, True),
        "attn.c_proj.weight": (1, True),
        "mlp.c_fc.weight": (1, True),
        "mlp.c_proj.weight": (1, True),
    }
    rest = {names[id(weight)] for group in adamw.param_groups for weight in group["params"]}
    assert {"transformer.wte.weight", "transformer.wpe.weight", "transformer.h.0.ln_1.weight"} < rest
    assert len(rest) + sum(len(group["params"]) for group in muon.param_groups) == len(names)


def test_decay_shrinks_by_its_share() -> None:
    weight = nn.Parameter(torch.full((2, 2), 10.0))
    weight.grad = torch.zeros(2, 2)
    Muon([weight], lr=0.1, weight_decay=0.5).step()
    assert weight.flatten().tolist() == pytest.approx([9.5] * 4)


def test_every_weight_has_one_optimizer() -> None:
    model = Decoder(TransformerConfig(vocab_size=7, num_layers=2, num_heads=2, hidden_size=8))
    found = optimizers_for(model, kind="muon", learning_rate=1e-3, muon_learning_rate=0.02, weight_decay=0.1)
    names = {id(weight): name for name, weight in model.named_parameters()}
    seen = [names[id(w)] for optimizer in found for group in optimizer.param_groups for w in group["params"]]
    assert sorted(seen) == sorted(names.values())
    muon = {names[id(w)] for group in found[1].param_groups for w in group["params"]}
    assert "blocks.0.attention.qkv.weight" in muon
    assert "embedding.weight" not in muon
    assert "head.weight" not in muon


def test_rate_rises_stays_and_falls() -> None:
    def linear(done: float) -> float:
        return rate_factor(done, schedule="linear", warmup=0.1, decay=0.5)

    assert [linear(done) for done in (0, 0.05, 0.1, 0.5, 0.75, 1)] == pytest.approx([0, 0.5, 1, 1, 0.5, 0])


def test_cosine_ends_at_a_tenth() -> None:
    def cosine(done: float) -> float:
        return rate_factor(done, schedule="cosine", warmup=0.2)

    assert [cosine(done) for done in (0.1, 0.2, 0.6, 1)] == pytest.approx([0.5, 1, 0.55, 0.1])


def test_muon_looks_ahead_along_a_momentum_that_remembers() -> None:
    """Two different gradients, by the formula: m <- mu m + g; w <- w - lr orthogonalize(g + mu m)."""
    first, second = torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 2.0], [5.0, 0.0]])
    weight = nn.Parameter(torch.zeros(2, 2))
    muon = Muon([weight], lr=0.1, momentum=0.5, dtype=torch.float32)
    weight.grad = first.clone()
    muon.step()
    once = -0.1 * orthogonalize((first + 0.5 * first)[None], dtype=torch.float32)[0]
    assert torch.allclose(weight.detach(), once, atol=1e-6)
    weight.grad = second.clone()
    muon.step()
    momentum = 0.5 * first + second  # of the first step is left one half
    twice = once - 0.1 * orthogonalize((second + 0.5 * momentum)[None], dtype=torch.float32)[0]
    assert torch.allclose(weight.detach(), twice, atol=1e-6)
    plain = once - 0.1 * orthogonalize(second[None], dtype=torch.float32)[0]
    assert not torch.allclose(weight.detach(), plain, atol=1e-3), "these gradients can tell"


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_what_decays_in_a_transformer(kind: str) -> None:
    model = Decoder(TransformerConfig(vocab_size=7, num_layers=1, num_heads=2, hidden_size=8))
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.02, "weight_decay": 0.1}
    names = {id(weight): name for name, weight in model.named_parameters()}
    decay = {
        names[id(weight)]: group["weight_decay"]
        for optimizer in optimizers_for(model, kind=kind, **rates)
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    for name, weight in model.named_parameters():
        outside = weight.dim() > 1 and not name.startswith("blocks.")
        expected = 0.0 if weight.dim() == 1 or (kind == "muon" and outside) else 0.1
        assert decay[name] == expected, name
    assert 0.1 in decay.values()
    assert 0.0 in decay.values()


@pytest.mark.parametrize("build", [optimizers_for, optimizers_of_network])
def test_sgd_steps_straight_down_the_gradient(build: Callable[..., list[Optimizer]]) -> None:
    model = Decoder(TransformerConfig(vocab_size=7, num_layers=1, num_heads=2, hidden_size=8))
    rates = {"learning_rate": 0.5, "muon_learning_rate": 0.02, "weight_decay": 0.25}
    more = {"betas": (0.9, 0.95)} if build is optimizers_of_network else {}
    (sgd,) = build(model, kind="sgd", **rates, **more)
    assert set_rates([sgd], 0.5, schedule="constant") == 1.0
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for _ in range(2):
        for weight in model.parameters():
            weight.grad = torch.full_like(weight, 3.0)
        sgd.step()
    for name, weight in model.named_parameters():
        once = before[name] - 0.5 * (3 + 0.25 * before[name])
        assert torch.allclose(weight, once - 0.5 * (3 + 0.25 * once), atol=1e-6), name


def test_of_torchs_own_layers_queries_keys_and_values_are_three_matrices() -> None:
    model = WordLM(WordLMConfig(vocab_size=7, num_layers=1, num_heads=2, hidden_size=8, mlp_size=12))
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.02, "weight_decay": 0.1}
    _, muon = optimizers_for(model, kind="muon", **rates)
    found = {
        (group["parts"], tuple(weight.shape)) for group in muon.param_groups for weight in group["params"]
    }
    assert found == {(3, (24, 8)), (1, (8, 8)), (1, (12, 8)), (1, (8, 12))}
