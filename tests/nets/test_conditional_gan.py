"""Text to picture: where the words go in, and that the discriminator judges picture and text together."""

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.nets.conditional_gan import ConditionalConfig, TextDiscriminator, TextGenerator

SHAPE = {"latent_size": 6, "token_size": 16, "text_size": 12, "hidden_size": 32, "num_layers": 2}
SHAPE |= {"num_heads": 2, "num_features": 8}


def generator(**changes) -> TextGenerator:
    torch.manual_seed(0)
    network = TextGenerator(ConditionalConfig(**{**SHAPE, **changes}))
    with torch.no_grad():  # as after some steps: what blocks add starts at zero
        for name, weight in network.named_parameters():
            if "blocks" in name and name.endswith("output.weight"):
                weight.normal_(std=0.2)
    return network.eval()


def discriminator(**changes) -> TextDiscriminator:
    torch.manual_seed(0)
    config = ConditionalConfig(**{**SHAPE, "part": "discriminator", **changes})
    return TextDiscriminator(config).eval()


def told(count: int, tokens: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
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
def test_pictures_have_their_size_and_range(size: int) -> None:
    x = generator(image_size=size)(*told(3))
    assert x.shape == (3, 3, size, size)
    assert x.dtype == torch.float32
    assert -1 <= x.min() < x.max() <= 1
    score = discriminator(image_size=size)(x, told(3)[3])
    assert score.shape == (3,)


@torch.no_grad()
@pytest.mark.parametrize("reading_layers", [0, 2])
def test_everything_told_changes_the_picture_and_padding_does_not(reading_layers: int) -> None:
    network = generator(reading_layers=reading_layers)
    z, tokens, seen, text = told(1)
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
    z, tokens, seen, text = told(1)
    x, other = (network(z, part, seen, text) for part in (tokens, tokens.flip(1)))
    assert torch.allclose(x, other, atol=1e-4) == (reading_layers == 0)


@torch.no_grad()
def test_what_each_place_took_from_each_word_is_told() -> None:
    network = generator()
    attention: list[Tensor] = []
    z, tokens, seen, text = told(2)
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
    text = told(2)[3]
    seen = network.seen(x)
    assert torch.allclose(network.judged(seen, text), network(x, text))
    assert not torch.allclose(network.judged(seen, text.flip(0)), network(x, text))


def test_gradients_reach_the_text() -> None:
    z, tokens, seen, text = told(2)
    tokens.requires_grad_()
    text.requires_grad_()
    discriminator()(generator()(z, tokens, seen, text), text).sum().backward()
    for told_part in (tokens, text):
        assert told_part.grad is not None and told_part.grad.abs().sum() > 0


@torch.no_grad()
def test_a_folder_gives_the_same_picture(tmp_path) -> None:
    network = generator()
    network.save_pretrained(tmp_path)
    again = TextGenerator.from_pretrained(tmp_path).eval()
    assert torch.equal(again(*told(2)), network(*told(2)))
