"""The decoder against transformers' GPT-2, its cache against none, its parts against their formulas."""

import math

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.gpt2_weights import load_gpt2_weights
from aigc_demo.nets.text.transformer import (
    ACTIVATIONS,
    STYLES,
    Decoder,
    Dropout,
    RMSNorm,
    TransformerConfig,
    next_token_loss,
)
from aigc_demo.training.language_model.networks import build_gpt2
from aigc_demo.training.language_model.recipe import LanguageModelSettings


def small(**changes) -> TransformerConfig:
    shape = {"vocab_size": 31, "context_length": 19, "num_layers": 3, "num_heads": 2, "hidden_size": 28}
    return TransformerConfig(**{**shape, **changes})


def untrained(config: TransformerConfig) -> Decoder:
    """A decoder with all of its weights drawn, those that start at zero too."""
    torch.manual_seed(0)
    model = Decoder(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model


@pytest.fixture(scope="module")
def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=97, n_positions=41, n_embd=24, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config).eval()
    for weight in model.parameters():  # far from the small initial weights, where mistakes would hide
        torch.nn.init.normal_(weight, std=0.2)
    return model


@torch.no_grad()
def test_gpt2_weights_give_gpt2_logits(gpt2: GPT2LMHeadModel) -> None:
    ids = torch.randint(97, (2, 37), generator=torch.Generator().manual_seed(1))
    ours, theirs = load_gpt2_weights(gpt2)(ids), gpt2(ids).logits
    assert theirs.abs().max() > 1
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@torch.no_grad()
def test_gpt2_weights_give_gpt2_text(gpt2: GPT2LMHeadModel) -> None:
    ours, prompt = load_gpt2_weights(gpt2), torch.tensor([[5, 17, 29]])
    theirs = gpt2.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=30,
        min_new_tokens=30,
        do_sample=False,
        pad_token_id=0,
    )
    cache, ids, read = ours.new_cache(), prompt, prompt
    # generate() holds back its end token until min_new_tokens are there; so does this loop.
    for _ in range(30):
        logits = ours(read, cache)[:, -1]
        logits[:, 0] = -math.inf
        read = logits.argmax(-1, keepdim=True)
        ids = torch.cat((ids, read), dim=1)
    assert ids.tolist() == theirs.tolist()


@torch.no_grad()
def test_the_recipe_gpt2_runs_on_our_network() -> None:
    settings = LanguageModelSettings(context_length=16, num_layers=2, num_heads=2, hidden_size=12)
    theirs = build_gpt2(settings, vocab_size=17).eval()
    ids = torch.randint(17, (2, 16), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(load_gpt2_weights(theirs)(ids), theirs(ids).logits, atol=1e-4, rtol=0)


def test_another_arithmetic_is_refused(gpt2: GPT2LMHeadModel) -> None:
    config = GPT2Config(
        vocab_size=7,
        n_embd=4,
        n_layer=1,
        n_head=2,
        activation_function="relu",
        bos_token_id=0,
        eos_token_id=0,
    )
    with pytest.raises(InputError, match="activation_function"):
        load_gpt2_weights(GPT2LMHeadModel(config))


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "gpt2"])
@pytest.mark.parametrize("tied", [False, True])
def test_cache_changes_nothing(style: str, tied: bool) -> None:
    model = untrained(small(style=style, tie_embeddings=tied))
    ids = torch.randint(31, (2, 17), generator=torch.Generator().manual_seed(2))
    whole, cache = model(ids), model.new_cache(batch_size=2)
    # A prompt at once, then one by one, then several: every way in which a cache is filled.
    pieces = [model(part, cache) for part in ids.split([5, 1, 1, 4, 1, 5], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=1e-5)
    cache.truncate(6)
    torch.testing.assert_close(model(ids[:, 6:8], cache), whole[:, 6:8], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_future_changes_nothing() -> None:
    model = untrained(small())
    ids = torch.randint(31, (1, 19), generator=torch.Generator().manual_seed(3))
    changed = ids.clone()
    changed[:, 11:] = (changed[:, 11:] + 1) % 31
    torch.testing.assert_close(model(ids)[:, :11], model(changed)[:, :11])
    assert not torch.allclose(model(ids)[:, 11], model(changed)[:, 11])


@torch.no_grad()
def test_attention_can_be_asked_for() -> None:
    model, maps = untrained(small()), []
    ids = torch.arange(13)[None]
    torch.testing.assert_close(model(ids, attention_out=maps), model(ids), atol=1e-5, rtol=1e-5)
    assert [tuple(found.shape) for found in maps] == [(1, 2, 13, 13)] * 3


def test_an_untrained_model_is_as_surprised_as_one_that_guesses() -> None:
    torch.manual_seed(0)
    ids = torch.randint(31, (5, 19))
    loss = next_token_loss(Decoder(small())(ids[:, :-1]), ids[:, 1:])
    assert loss.item() == pytest.approx(math.log(31), abs=0.05)


def test_next_token_loss_by_hand() -> None:
    logits = torch.log(torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]]))
    loss = next_token_loss(logits, torch.tensor([[1, 2]]))
    assert loss.item() == pytest.approx(-(math.log(0.25) + math.log(0.8)) / 2)


def test_squared_relu_and_its_gradient() -> None:
    x = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    y = ACTIVATIONS["relu_squared"](x)
    y.backward(torch.tensor([1.0, 1.0, 5.0]))
    assert y.tolist() == [0, 0, 9] and x.grad is not None and x.grad.tolist() == [0, 0, 30]


FORMULAS = {
    "relu_squared": lambda x: torch.where(x > 0, x * x, 0.0),
    "gelu_tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "relu": lambda x: torch.where(x > 0, x, 0.0),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_activations_and_their_gradients_by_formula(name: str) -> None:
    x = torch.linspace(-3, 3, 40, dtype=torch.float64, requires_grad=True)
    expected = FORMULAS[name](x)
    torch.testing.assert_close(ACTIVATIONS[name](x), expected)
    gradient = torch.randn(40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours, theirs = (torch.autograd.grad(y, x, gradient)[0] for y in (ACTIVATIONS[name](x), expected))
    torch.testing.assert_close(ours, theirs)


def test_every_activation_has_its_formula_here() -> None:
    assert set(ACTIVATIONS) == set(FORMULAS) == {style.activation for style in STYLES.values()}


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "gpt2"])
@pytest.mark.parametrize("tied", [False, True])
def test_weights_begin_as_the_style_says(style: str, tied: bool) -> None:
    """Spread of matrices: 0.02; in modern blocks half of 1 / sqrt(inputs), and what is added nothing.
    In GPT-2 what is added has 0.02 / sqrt(2 layers)."""
    torch.manual_seed(0)
    config = small(vocab_size=301, hidden_size=80, mlp_size=150, style=style, tie_embeddings=tied)
    model = Decoder(config)
    usual = {"embedding": 0.02, "position": 0.02, "head": 0.02}
    for name, weight in model.named_parameters():
        part = name.split(".")[-2]
        if weight.dim() < 2:
            if name.endswith("weight"):
                assert (weight == 1).all(), name
        elif style == "modern" and part == "output":
            assert (weight == 0).all(), name
        else:
            expected = usual.get(part)
            if expected is None:
                in_block = 0.02 / math.sqrt(6) if part == "output" else 0.02
                expected = 0.5 / math.sqrt(80) if style == "modern" else in_block
            assert weight.std().item() == pytest.approx(expected, rel=0.05), name
            assert abs(weight.mean().item()) < 5 * expected / math.sqrt(weight.numel()), name
    names = {name for name, _ in model.named_parameters()}
    assert ("head.weight" in names) != tied
    assert ("position.weight" in names) == (style == "gpt2")


@torch.no_grad()
@pytest.mark.parametrize("style", ["modern", "gpt2"])
def test_a_block_adds_attention_and_then_feed_forward(style: str) -> None:
    model = untrained(small(style=style))
    block, x = model.blocks[1], torch.randn(2, 5, 28)
    between = x + block.attention(block.attention_norm(x), causal=True)
    inner = block.feed_forward.inner(block.feed_forward_norm(between))
    expected = between + block.feed_forward.output(FORMULAS[STYLES[style].activation](inner))
    torch.testing.assert_close(block(x, causal=True), expected)


def test_rms_norm_by_hand() -> None:
    layer = RMSNorm(2)
    layer.weight.data = torch.tensor([1.0, 2.0])
    # The mean square of (3, 4) is 12.5.
    expected = [3 / math.sqrt(12.5), 8 / math.sqrt(12.5)]
    assert layer(torch.tensor([3.0, 4.0])).tolist() == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_dropout_is_on_what_comes_in_and_on_both_parts_that_a_block_adds(monkeypatch) -> None:
    model, x = untrained(small(dropout=0.5)), torch.randn(2, 5, 28)
    given: list[torch.Tensor] = []

    def nothing(layer: Dropout, x: torch.Tensor) -> torch.Tensor:
        given.append(x)
        return x * 0

    monkeypatch.setattr(Dropout, "forward", nothing)
    block = model.blocks[0]
    assert torch.equal(block(x, causal=True), x)
    torch.testing.assert_close(given[0], block.attention(block.attention_norm(x), causal=True))
    torch.testing.assert_close(given[1], block.feed_forward(block.feed_forward_norm(x)))
    given.clear()
    ids = torch.tensor([[3, 1, 4]])
    assert (model(ids) == 0).all()
    torch.testing.assert_close(given[0], model.embedding.weight[ids])
    assert len(given) == 1 + 2 * 3


def test_the_feed_forward_part_is_four_times_as_wide_or_as_wide_as_asked() -> None:
    for asked, expected in ((None, 112), (50, 50)):
        block = Decoder(small(mlp_size=asked)).blocks[0]
        assert block.feed_forward.inner.weight.shape == (expected, 28)
        assert block.feed_forward.output.weight.shape == (28, expected)


def test_more_tokens_than_the_context_are_refused() -> None:
    with pytest.raises(ValueError, match="20 tokens do not fit a context of 19"):
        Decoder(small())(torch.zeros(1, 20, dtype=torch.long))


@pytest.mark.parametrize("changes", [{"num_heads": 3}, {"num_heads": 4, "hidden_size": 12}])
def test_heads_that_do_not_divide_are_refused(changes: dict) -> None:
    with pytest.raises(InputError, match="cannot be shared"):
        small(**changes)


def test_saved_and_loaded_as_the_hub_has_it(tmp_path) -> None:
    model = untrained(small(tie_embeddings=True))
    model.save_pretrained(tmp_path)
    again = Decoder.from_pretrained(tmp_path)
    assert again.config == model.config
    ids = torch.arange(7)[None]
    assert torch.equal(again.eval()(ids), model(ids))
    assert {path.name for path in tmp_path.iterdir()} >= {"config.json", "model.safetensors", "README.md"}
