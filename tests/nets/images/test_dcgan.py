"""DCGAN's networks: the paper's sizes, and the arithmetic of its first layer."""

import pytest
import torch
from torch import nn

from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator


def pair(size: int, **changes: int | str) -> tuple[Generator, Discriminator]:
    config = {"image_size": size, **changes}
    return Generator(DcganConfig(**config)), Discriminator(DcganConfig(**config, part="discriminator"))


def test_the_pair_of_64_pixels_has_as_many_parameters_as_the_papers():
    sizes = [sum(weight.numel() for weight in network.parameters()) for network in pair(64)]
    # 100 -> 512 -> 256 -> 128 -> 64 -> 3 and back, kernels of 4 by 4, two numbers a channel for each norm.
    generator = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (512 + 256 + 128 + 64)
    discriminator = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 2 * (128 + 256 + 512)
    assert sizes == [generator, discriminator] == [3_576_704, 2_765_568]


@pytest.mark.parametrize("size", [32, 64])
def test_shapes_and_range(size: int):
    generator, discriminator = pair(size, latent_size=7, num_features=4)
    made_BCHW = generator(torch.randn(5, 7))
    assert made_BCHW.shape == (5, 3, size, size)
    assert made_BCHW.abs().max() <= 1
    assert discriminator(made_BCHW).shape == (5,)


def test_the_first_layer_is_a_transposed_convolution():
    generator, _ = pair(32, latent_size=7, num_features=4)
    z_BZ = torch.randn(3, 7)
    seen = []
    generator.first_norm.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    generator(z_BZ)
    torch.testing.assert_close(seen[0], generator.first(z_BZ[:, :, None, None]))


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_weights_begin_as_the_paper_says(norm: str):
    torch.manual_seed(0)
    generator, discriminator = pair(32, norm=norm)
    for network in (generator, discriminator):
        normalized = norm == "batch" or network is generator
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
                assert abs(module.weight.mean().item()) < 0.002
                if normalized or module is discriminator.score:
                    assert module.bias is None
                else:
                    assert module.bias.abs().max() == 0
            elif isinstance(module, nn.BatchNorm2d):
                assert module.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.4)
                assert module.bias.abs().max() == 0
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        # Generator: after all layers but the last. Discriminator: after all but the first and the last.
        assert len(norms) == (3 if network is generator else 2 if normalized else 0)


@torch.no_grad()
def test_an_image_is_the_hyperbolic_tangent_of_a_transposed_convolution():
    generator, _ = pair(32, latent_size=7, num_features=4)
    generator.picture.weight.normal_(std=0.3)  # so that some numbers would leave the range
    given = []
    generator.picture.register_forward_hook(lambda _, inputs, found: given.append((inputs[0], found)))
    made_BCHW = generator(torch.randn(3, 7))
    (last_BCHW, found_BCHW) = given[0]
    expected = nn.functional.conv_transpose2d(last_BCHW, generator.picture.weight, stride=2, padding=1)
    torch.testing.assert_close(found_BCHW, expected)
    assert expected.abs().max() > 1 and last_BCHW.min() == 0
    torch.testing.assert_close(
        made_BCHW, (expected.exp() - (-expected).exp()) / (expected.exp() + (-expected).exp())
    )


def test_a_score_is_convolutions_with_leaky_rectifiers_of_a_fifth():
    torch.manual_seed(0)
    _, discriminator = pair(32, num_features=4, norm="none")
    x_BCHW = y_BCHW = torch.randn(3, 3, 32, 32)
    for layer in discriminator.layers:
        if isinstance(layer, nn.Conv2d):
            layer.bias.data.normal_()
            y_BCHW = torch.nn.functional.conv2d(y_BCHW, layer.weight, layer.bias, stride=2, padding=1)
            y_BCHW = torch.where(y_BCHW > 0, y_BCHW, 0.2 * y_BCHW)
    expected = (y_BCHW * discriminator.score.weight).sum(dim=(1, 2, 3))
    torch.testing.assert_close(discriminator(x_BCHW), expected)


def test_the_hubs_layout_and_back(tmp_path):
    for network in pair(32, latent_size=7, num_features=4):
        network.eval().save_pretrained(tmp_path / "it")
        again = type(network).from_pretrained(tmp_path / "it")
        assert again.config == network.config
        given = torch.randn(2, 7) if isinstance(network, Generator) else torch.randn(2, 3, 32, 32)
        torch.testing.assert_close(again.eval()(given), network(given))
