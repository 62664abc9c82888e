"""Text to image: where the words go in, and that the discriminator judges image and text together."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.nets.text_to_image.conditional_gan import (
    CaptionEncoder,
    ConditionalConfig,
    ConditionalDiscriminator,
    ConditionalGenerator,
)

SHAPE = {"latent_size": 6, "token_size": 16, "text_size": 12, "hidden_size": 32, "num_layers": 2}
SHAPE |= {"num_heads": 2, "num_features": 8}


def generator(**changes) -> ConditionalGenerator:
    torch.manual_seed(0)
    network = ConditionalGenerator(ConditionalConfig(**{**SHAPE, **changes}))
    with torch.no_grad():  # as after some steps: what blocks add starts at zero
        for name, weight in network.named_parameters():
            if "blocks" in name and name.endswith("output.weight"):
                weight.normal_(std=0.2)
    return network.eval()


def discriminator(**changes) -> ConditionalDiscriminator:
    torch.manual_seed(0)
    config = ConditionalConfig(**{**SHAPE, "part": "discriminator", **changes})
    return ConditionalDiscriminator(config).eval()


def inputs_of(count: int, tokens: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Noise, tokens, where there are such, and embeddings."""
    rng = seeded(3)
    return (
        torch.randn(count, 6, generator=rng),
        torch.randn(count, tokens, 16, generator=rng),
        torch.ones(count, tokens, dtype=torch.bool),
        torch.randn(count, 12, generator=rng),
    )


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 64])
def test_images_have_their_size_and_range(size: int) -> None:
    x = generator(image_size=size)(*inputs_of(3))
    assert x.shape == (3, 3, size, size)
    assert x.dtype == torch.float32
    assert -1 <= x.min() < x.max() <= 1
    score = discriminator(image_size=size)(x, inputs_of(3)[3])
    assert score.shape == (3,)


@torch.no_grad()
@pytest.mark.parametrize("reading_layers", [0, 2])
def test_every_input_changes_the_image_and_padding_does_not(reading_layers: int) -> None:
    network = generator(reading_layers=reading_layers)
    z, tokens, seen, text = inputs_of(1)
    x = network(z, tokens, seen, text)
    other_tokens = tokens.clone()
    other_tokens[:, 2] += 1
    assert not torch.allclose(network(z + 1, tokens, seen, text), x, atol=1e-4)
    assert not torch.allclose(network(z, other_tokens, seen, text), x, atol=1e-4)
    assert not torch.allclose(network(z, tokens, seen, text + 1), x, atol=1e-4)
    padded = torch.cat([tokens, torch.full((1, 3, 16), 9.0)], dim=1)
    longer = torch.cat([seen, torch.zeros(1, 3, dtype=torch.bool)], dim=1)
    assert torch.allclose(network(z, padded, longer, text), x, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("reading_layers", [0, 2])
def test_only_words_that_look_at_each_other_have_an_order(reading_layers: int) -> None:
    network = generator(reading_layers=reading_layers)
    z, tokens, seen, text = inputs_of(1)
    x, other = (network(z, part, seen, text) for part in (tokens, tokens.flip(1)))
    assert torch.allclose(x, other, atol=1e-4) == (reading_layers == 0)


@torch.no_grad()
def test_what_each_place_took_from_each_word_is_reported() -> None:
    network = generator()
    attention: list[Tensor] = []
    z, tokens, seen, text = inputs_of(2)
    seen[1, 3:] = False
    x = network(z, tokens, seen, text, attention)
    assert len(attention) == 2
    for weights in attention:
        assert weights.shape == (2, 2, 64, 6)
        assert torch.allclose(weights.sum(-1), torch.ones(2, 2, 64), atol=1e-5)
        assert (weights[1, :, :, 4:] == 0).all()
    assert torch.allclose(network(z, tokens, seen, text), x, atol=1e-4)


@torch.no_grad()
def test_the_discriminator_sees_once_and_judges_by_the_text() -> None:
    network = discriminator()
    x = torch.rand(2, 3, 64, 64, generator=seeded(1)) * 2 - 1
    text = inputs_of(2)[3]
    seen = network.features(x)
    assert torch.allclose(network.logits(seen, text), network(x, text))
    assert not torch.allclose(network.logits(seen, text.flip(0)), network(x, text))


def test_gradients_reach_the_text() -> None:
    z, tokens, seen, text = inputs_of(2)
    tokens.requires_grad_()
    text.requires_grad_()
    discriminator()(generator()(z, tokens, seen, text), text).sum().backward()
    for given_part in (tokens, text):
        assert given_part.grad is not None and given_part.grad.abs().sum() > 0


@torch.no_grad()
def test_a_folder_gives_the_same_image(tmp_path) -> None:
    network = generator()
    network.save_pretrained(tmp_path)
    again = ConditionalGenerator.from_pretrained(tmp_path).eval()
    assert torch.equal(again(*inputs_of(2)), network(*inputs_of(2)))


def normed(x: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """Divided by the root of the mean square of its last dimension, times the weight."""
    return x / x.square().mean(dim=-1, keepdim=True).sqrt() * weight


def looked(layer: nn.Module, x_BTC: Tensor, memory_BSC: Tensor, mask: Tensor, angles=None) -> Tensor:
    """What attention of two heads finds: queries and keys normalised and turned, values as they are."""
    q, k, v = (
        F.linear(source, weight).unflatten(-1, (2, 16)).transpose(1, 2)
        for source, weight in zip((x_BTC, memory_BSC, memory_BSC), layer.qkv.weight.chunk(3), strict=True)
    )
    q, k = normed(q), normed(k)
    if angles:
        cos, sin = angles
        q, k = (part * cos + part.roll(8, dims=-1) * sin for part in (q, k))
    scores = (q @ k.transpose(-2, -1) / 4).masked_fill(~mask, -math.inf)  # the root of 16 features is 4
    return layer.output((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


def thought(layer: nn.Module, x_BTC: Tensor) -> Tensor:
    return layer.output(layer.inner(x_BTC).relu().square())


def stirred(network: nn.Module) -> nn.Module:
    """With all weights far from where they start, norms too."""
    rng = seeded(5)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=rng) * 0.3 + (weight.dim() == 1))
    return network


@torch.no_grad()
def test_a_block_is_three_parts_each_of_which_is_added() -> None:
    """Places among themselves, places that ask the words, what each thinks. What goes into a part is
    normalised, what is asked is as it came, what is added to is not."""
    block = stirred(generator().blocks[0])
    rng = seeded(6)
    x, words = torch.randn(2, 64, 32, generator=rng), 3 * torch.randn(2, 5, 32, generator=rng)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], dtype=torch.bool)[:, None, None]
    here = normed(x, block.place_norm.weight)
    between = x + looked(block.places, here, here, torch.ones(1, dtype=torch.bool))
    after = between + looked(block.words, normed(between, block.word_norm.weight), words, mask)
    expected = after + thought(block.thought, normed(after, block.thought_norm.weight))
    torch.testing.assert_close(block(x, words, mask), expected, atol=1e-3, rtol=1e-3)
    taken: list[Tensor] = []
    torch.testing.assert_close(block(x, words, mask, taken), expected, atol=1e-3, rtol=1e-3)
    assert (taken[0][1, :, :, 2:] == 0).all() and (taken[0][0] > 0).all()


@torch.no_grad()
def test_words_that_look_at_each_other_are_rotated_by_their_positions_and_padding_is_not_seen() -> None:
    config = ConditionalConfig(**{**SHAPE, "reading_layers": 2, "context_length": 9}).reading
    reader = stirred(CaptionEncoder(config))
    x = torch.randn(2, 5, 32, generator=seeded(7))
    seen = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)
    angle = torch.arange(5.0)[:, None] * 10_000 ** (-torch.arange(8.0) / 8)
    angles = (
        torch.cat([angle.cos(), angle.cos()], dim=1),
        torch.cat([-angle.sin(), angle.sin()], dim=1),
    )
    expected = x
    for block in reader.blocks:
        here = normed(expected, block.attention_norm.weight)
        expected = expected + looked(block.attention, here, here, seen[:, None, None], angles)
        expected = expected + thought(block.feed_forward, normed(expected, block.feed_forward_norm.weight))
    found = reader(x, seen)
    torch.testing.assert_close(found[0], expected[0], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found[1, :3], expected[1, :3], atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_the_sentence_stands_before_the_words_and_is_always_seen() -> None:
    network, given = generator(), []
    for block in network.blocks:
        block.register_forward_pre_hook(lambda _, inputs: given.append(inputs))
    z, tokens, seen, text = inputs_of(2)
    seen[0, 2:] = False
    network(z, tokens, seen, text)
    x_BPC, words_BTC, mask, _ = given[0]
    torch.testing.assert_close(words_BTC[:, 0], network.sentence(text))
    torch.testing.assert_close(words_BTC[:, 1:], network.word(tokens))
    assert mask.tolist() == [[[[True, True, True, False, False, False]]], [[[True] * 6]]]
    torch.testing.assert_close(x_BPC, network.place[None] + network.noise(z)[:, None])


@torch.no_grad()
def test_places_are_normalised_and_stand_in_a_grid_before_the_image_is_made() -> None:
    network = stirred(generator(reading_layers=1))
    before, given = [], []
    network.blocks[-1].register_forward_hook(lambda _, __, found: before.append(found))
    network.layers.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network(*inputs_of(2))
    expected = normed(before[0], network.norm.weight).view(2, 8, 8, 32).permute(0, 3, 1, 2)
    torch.testing.assert_close(given[0], expected, atol=1e-4, rtol=1e-3)
    assert network.reader.blocks[0].feed_forward.inner.weight.shape == (64, 32), "twice as wide"


@torch.no_grad()
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_a_score_is_that_of_places_with_the_text_and_the_likeness_of_embeddings(norm: str) -> None:
    network = discriminator(norm=norm)
    seen, text = torch.randn(3, network.score.in_channels, 4, 4, generator=seeded(8)), inputs_of(3)[3]
    words = F.linear(text, network.text.weight, network.text.bias)
    words = torch.where(words > 0, words, 0.2 * words)[:, :, None, None].expand(-1, -1, 4, 4)
    joined = network.joined(torch.cat([seen, words], dim=1))
    embedding = network.embedding(seen.flatten(1))
    embedding = embedding / embedding.square().sum(dim=1, keepdim=True).sqrt()
    likeness = (embedding * text).sum(dim=1)
    expected = (joined * network.score.weight).sum(dim=(1, 2, 3)) + 10 * likeness
    torch.testing.assert_close(network.logits(seen, text), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network.embed(seen), embedding)
    network.log_scale.fill_(50.0)
    assert network.scale.item() == 100
    x = torch.randn(3, 3, 64, 64, generator=seeded(9))
    assert torch.equal(network(x, text), network.logits(network.features(x), text))


@torch.no_grad()
def test_weights_begin_small_and_blocks_add_nothing() -> None:
    """Convolutions 0.02, as DCGAN; places 1; the words' blocks as those of the language model."""
    torch.manual_seed(0)
    network = ConditionalGenerator(ConditionalConfig(reading_layers=2))
    assert network.place.std().item() == pytest.approx(1, rel=0.05)
    for name, weight in [*network.blocks.named_parameters(), *network.reader.named_parameters()]:
        if name.endswith("output.weight"):
            assert (weight == 0).all(), name
        elif weight.dim() == 1:
            assert (weight == 1).all(), name
    for name, weight in network.reader.named_parameters():
        if name.endswith(("qkv.weight", "inner.weight")):
            assert weight.std().item() == pytest.approx(0.5 / math.sqrt(128), rel=0.02), name
    judge = ConditionalDiscriminator(ConditionalConfig(part="discriminator"))
    convolutions = [
        part
        for part in (*network.modules(), *judge.modules())
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)
    ]
    assert len(convolutions) == 3 + 6
    for part in convolutions:
        assert part.weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert part.bias is None or (part.bias == 0).all()
    assert judge.embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert judge.scale.item() == pytest.approx(10)
