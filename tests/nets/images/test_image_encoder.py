"""The encoder of images: its losses by hand, what moves and what does not, and that it learns."""

import math

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.nets.images.image_encoder import (
    ImageEncoder,
    ImageEncoderConfig,
    contrastive_pair_loss,
    label_loss,
)


def small(**changes) -> ImageEncoder:
    torch.manual_seed(0)
    return ImageEncoder(ImageEncoderConfig(**{"num_classes": 7, "width": 8, "feature_size": 24, **changes}))


def images(count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=seeded(1)) * 2 - 1


def test_label_loss_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    expected = -(math.log(0.25) + math.log(0.8)) / 2
    assert label_loss(logits, torch.tensor([1, 2])).item() == pytest.approx(expected)


def test_pair_loss_of_two_images_by_hand() -> None:
    # Each view has similarity 1 with its other view and 0 with the two others.
    views = torch.eye(2)
    loss = contrastive_pair_loss(views, views, temperature=0.5)
    assert loss.item() == pytest.approx(-math.log(math.exp(2) / (math.exp(2) + 2)))


def test_pair_loss_of_views_that_look_alike_is_that_of_a_guess() -> None:
    alike = torch.tensor([[0.6, 0.8]]).expand(5, 2)
    assert contrastive_pair_loss(alike, alike).item() == pytest.approx(math.log(9))


def test_pair_loss_knows_which_views_belong_together() -> None:
    views = torch.eye(3)
    together = contrastive_pair_loss(views, views, 0.1)
    assert together < 0.001 < 5 < contrastive_pair_loss(views, views.roll(1, dims=0), 0.1)
    with pytest.raises(ValueError, match="views of"):
        contrastive_pair_loss(views, views[:2])


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 64])
def test_an_image_is_seen_alike_alone_and_among_others(size: int) -> None:
    model = small(image_size=size).eval()
    x = images(5, size)
    features = model.features(x)
    assert features.shape == (5, 24) and features.min() >= 0
    torch.testing.assert_close(features[3:4], model.features(x[3:4]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model(x), model.project(features))
    assert model(x).shape == (5, 7)
    # Two images differ by more than rounding.
    assert (features[0] - features[1]).norm() > 0.01


@torch.no_grad()
def test_projections_have_length_one() -> None:
    projections = small(num_classes=0).eval()(images(3))
    torch.testing.assert_close(projections.norm(dim=-1), torch.ones(3))


@torch.no_grad()
def test_half_precision_changes_little() -> None:
    model = small().eval()
    whole = model.features(images(4))
    half = model.to(torch.bfloat16).features(images(4))
    assert half.dtype == torch.float32
    assert ((half - whole).norm() / whole.norm()).item() < 0.03


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="images of"):
        small()(images(1, 64))
    with pytest.raises(InputError, match="one of 32, 64, got 48"):
        small(image_size=48)


def test_as_built_for_the_tiny_world_it_has_less_than_a_million_parameters() -> None:
    model = ImageEncoder(ImageEncoderConfig(num_classes=144))
    # 3 x 3 kernels of each stage, two numbers of each norm, the head with its bias.
    kernels = 9 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 128)
    assert model.num_parameters() == kernels + 2 * (32 + 64 + 128 + 128) + 129 * 144 < 1_000_000


def bright_square(labels: Tensor) -> Tensor:
    """Noise with a bright square in one of four sizes, anywhere."""
    rng = seeded(5)
    x = torch.rand(len(labels), 3, 32, 32, generator=rng) * 0.4 - 1
    for i, label in enumerate(labels.tolist()):
        side = 4 + 5 * label
        top, left = torch.randint(33 - side, (2,), generator=rng).tolist()
        x[i, :, top : top + side, left : left + side] = 1
    return x


def test_it_learns_sizes_wherever_they_lie() -> None:
    labels = torch.randint(4, (96,), generator=seeded(3))
    x, model = bright_square(labels), small(num_classes=4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(40):
        rows = slice(step % 2 * 32, step % 2 * 32 + 32)
        loss = label_loss(model(x[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found = model.eval()(x[64:]).argmax(dim=-1)
    assert (found == labels[64:]).float().mean() > 0.8


def test_saved_and_loaded_as_the_hub_has_it(tmp_path) -> None:
    model = small()
    model(images(6))  # moves the norms' running figures away from where they start
    model.save_pretrained(tmp_path)
    again = ImageEncoder.from_pretrained(tmp_path).eval()
    assert again.config == model.config and again.config.recipe == "classifier"
    assert torch.equal(again(images(3)), model.eval()(images(3)))
