"""The style-based generator: its arithmetic against the source's, its rows of styles, its noise."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.nets.images.style_generator import (
    EqualizedLinear,
    StyleConfig,
    StyledLayer,
    StyleGenerator,
    ToRGB,
    demodulation,
    modulated_convolution,
)


def small(**changes) -> StyleGenerator:
    torch.manual_seed(0)
    config = {"latent_size": 5, "style_size": 7, "num_mapping_layers": 3, "width": 4, **changes}
    model = StyleGenerator(StyleConfig(**config)).eval()
    for name, weight in model.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.constant_(weight, 0.5)  # it starts at zero, where a mistake would hide
    return model


def latents(count: int) -> Tensor:
    return torch.randn(count, 5, generator=seeded(1))


@torch.no_grad()
def test_scaled_inputs_give_what_scaled_weights_give() -> None:
    rng = seeded(2)
    x, weight = torch.randn(3, 5, 8, 8, generator=rng), torch.randn(7, 5, 3, 3, generator=rng)
    style = torch.randn(3, 5, generator=rng)
    ours = modulated_convolution(x, weight, style) * demodulation(weight, style)[:, :, None, None]
    # As the source has it: each image's own weights, in one grouped convolution.
    own = weight[None] * style[:, None, :, None, None]
    own = own * (own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    theirs = F.conv2d(x.reshape(1, 15, 8, 8), own.reshape(21, 5, 3, 3), padding=1, groups=3)
    torch.testing.assert_close(ours, theirs.reshape(3, 7, 8, 8), atol=1e-5, rtol=1e-5)


def test_demodulation_by_hand() -> None:
    weight = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    # (1 * 3)^2 + (3 * 4)^2 = 153; twice the style is half the factor.
    factors = demodulation(weight, torch.tensor([[1.0, 3.0], [2.0, 6.0]]))
    assert factors.flatten().tolist() == pytest.approx([1 / math.sqrt(153), 1 / math.sqrt(612)])


@torch.no_grad()
def test_a_layer_is_its_formula() -> None:
    torch.manual_seed(3)
    layer = StyledLayer(7, 5, 6, upsample=True)
    layer.bias.normal_()
    layer.noise_strength.fill_(0.3)
    x, w, noise = torch.randn(2, 5, 4, 4), torch.randn(2, 7), torch.randn(2, 8, 8)
    style = layer.style(w)
    y = modulated_convolution(x, layer.weight, style) * demodulation(layer.weight, style)[:, :, None, None]
    y = F.interpolate(y, scale_factor=2, mode="bilinear") + 0.3 * noise[:, None] + layer.bias[:, None, None]
    torch.testing.assert_close(layer(x, w, noise), F.leaky_relu(y, 0.2) * math.sqrt(2), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_colours_are_a_convolution_of_one_place() -> None:
    torch.manual_seed(4)
    layer = ToRGB(7, 5)
    layer.bias.normal_()
    x, w = torch.randn(2, 5, 4, 6), torch.randn(2, 7)
    scaled = x * layer.style(w)[:, :, None, None]
    expected = F.conv2d(scaled, layer.weight[:, :, None, None] / math.sqrt(5), layer.bias)
    torch.testing.assert_close(layer(x, w), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_equalized_weights_make_outputs_of_size_one_at_any_rate() -> None:
    torch.manual_seed(5)
    x = torch.randn(500, 211)
    for rate in (1.0, 0.01):
        layer = EqualizedLinear(211, 101, lr_multiplier=rate, bias=1.0)
        y = layer(x)
        assert y.std().item() == pytest.approx(1, abs=0.03)
        assert y.mean().item() == pytest.approx(1, abs=0.03)
        # The same step of the weights moves the output by `rate` as much.
        layer.weight += 1
        moved = (layer(x) - y)[:, 0]
        torch.testing.assert_close(moved, x.sum(dim=1) / math.sqrt(211) * rate, atol=1e-4, rtol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize(("size", "num_styles"), [(32, 8), (64, 10)])
def test_images_have_their_size_and_range(size: int, num_styles: int) -> None:
    model = small(image_size=size)
    styles = model.styles(latents(2))
    images = model.synthesize(styles)
    assert styles.shape == (2, num_styles, 7)
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
    assert (images[0] - images[1]).abs().mean() > 0.01
    torch.testing.assert_close(model(latents(2)), images)


@torch.no_grad()
def test_only_the_direction_of_a_latent_counts() -> None:
    model = small()
    torch.testing.assert_close(model.styles(latents(3)), model.styles(7 * latents(3)))


@torch.no_grad()
def test_every_row_of_styles_moves_the_image_and_all_of_them_make_it() -> None:
    model = small()
    ours, theirs = model.styles(latents(2))
    before = model.synthesize(ours[None])
    moved = []
    for row in range(8):
        mixed = ours.clone()
        mixed[row] = theirs[row]
        moved.append((model.synthesize(mixed[None]) - before).abs().mean().item())
    assert min(moved) > 1e-4
    assert torch.equal(model.synthesize(theirs[None]), model.synthesize(model.styles(latents(2))[1:]))


@torch.no_grad()
def test_noise_comes_from_the_stream_that_is_given() -> None:
    model, styles = small(), small().styles(latents(2))
    quiet = model.synthesize(styles)
    assert torch.equal(quiet, model.synthesize(styles))
    first = model.synthesize(styles, seeded(1))
    assert torch.equal(first, model.synthesize(styles, seeded(1)))
    assert (first - quiet).abs().mean() > 0.01
    assert (first - model.synthesize(styles, seeded(2))).abs().mean() > 0.01
    for layer in model.layers:
        layer.noise_strength.zero_()
    torch.testing.assert_close(model.synthesize(styles, seeded(1)), model.synthesize(styles))


@torch.no_grad()
def test_truncation_draws_styles_towards_their_mean() -> None:
    model = small()
    model.mean_style.copy_(torch.arange(7.0))
    whole = model.styles(latents(3))
    torch.testing.assert_close(model.styles(latents(3), 0.5), (whole + torch.arange(7.0)) / 2)
    torch.testing.assert_close(model.styles(latents(3), 0.0), torch.arange(7.0).expand(3, 8, 7))


def test_training_follows_the_mean_of_styles_and_use_does_not() -> None:
    model = small()
    model.styles(latents(64))
    assert model.mean_style.abs().max() == 0
    model.train()
    for _ in range(1200):  # each step leaves 99.5 % of the way: 0.2 % after these
        model.styles(latents(64))
    expected = model.styles(latents(64))[:, 0].mean(dim=0)
    torch.testing.assert_close(model.mean_style, expected, atol=0.01, rtol=0.01)
    assert not model.mean_style.requires_grad


def test_the_mean_of_styles_moves_by_half_a_hundredth_a_step() -> None:
    model = small().train()
    means = [model.styles(latents(count))[:, 0].mean(dim=0).detach() for count in (3, 8)]
    torch.testing.assert_close(model.mean_style, 0.995 * 0.005 * means[0] + 0.005 * means[1])


@torch.no_grad()
def test_weights_begin_with_a_spread_of_one_which_their_use_scales() -> None:
    """But those of the mapping, which learns slower: 1 / rate. Noise has no strength yet, styles are 1."""
    torch.manual_seed(0)
    model = StyleGenerator(StyleConfig())
    for name, weight in model.named_parameters():
        if name.endswith("noise_strength"):
            assert weight == 0
        elif name.endswith("bias"):
            assert (weight == (1 if ".style." in name else 0)).all(), name
        else:
            expected = 100 if name.startswith("mapping") else 1
            assert weight.std().item() == pytest.approx(expected, rel=0.2), name
    assert (model.mean_style == 0).all()
    styles = model.styles(torch.randn(500, 64, generator=seeded(4)))
    # An output is normal, of size 1 as the input is; the rectifier leaves (1 + 0.2^2) / 2 of its square.
    assert styles[:, 0].square().mean().item() == pytest.approx(1.04**4, rel=0.25)


def test_every_weight_learns() -> None:
    model = small().train()
    model(latents(4), seeded(0)).square().mean().backward()
    silent = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


@torch.no_grad()
def test_half_precision_changes_little() -> None:
    model = small(width=16)
    whole = model(latents(3), seeded(0))
    half = model.to(torch.bfloat16)(latents(3), seeded(0)).float()
    assert (half - whole).abs().mean() < 0.03


def test_as_configured_at_first_it_has_about_a_million_parameters() -> None:
    assert 0.9e6 < StyleGenerator(StyleConfig()).num_parameters() < 1.4e6
    assert [StyleConfig().channels(size) for size in (4, 8, 16, 32)] == [256, 128, 64, 32]
    assert StyleConfig(image_size=64).channels(4) == 256


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="styles of"):
        small().synthesize(torch.zeros(2, 3, 7))
    with pytest.raises(InputError, match="one of 32, 64"):
        StyleConfig(image_size=48)


@torch.no_grad()
def test_saved_and_loaded_as_the_hub_has_it(tmp_path) -> None:
    model = small()
    model.mean_style.normal_()
    model.save_pretrained(tmp_path)
    again = StyleGenerator.from_pretrained(tmp_path).eval()
    assert (again.config, again.config.recipe, again.config.part) == (model.config, "stylegan", "generator")
    assert torch.equal(again(latents(2), truncation=0.7), model(latents(2), truncation=0.7))
