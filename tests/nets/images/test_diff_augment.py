"""Differentiable changes, against the same changes written for one small image at a time."""

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.nets.images.diff_augment import TRANSFORMS, colour, cutout, diff_augment, translation
from aigc_demo.nets.options import AUGMENTATIONS


def images(count: int, rows: int = 16, columns: int = 16) -> Tensor:
    return torch.rand(count, 3, rows, columns, generator=seeded(1)) * 2 - 1


def test_without_a_policy_nothing_changes() -> None:
    x = images(3)
    assert torch.equal(diff_augment(x, seeded(0), ()), x)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_one_stream_gives_one_change_whatever_the_pixels(name: str) -> None:
    x = images(5)
    changed = diff_augment(x, seeded(3), (name,))
    assert changed.shape == x.shape
    assert torch.equal(changed, diff_augment(x, seeded(3), (name,)))
    assert not torch.allclose(changed, diff_augment(x, seeded(4), (name,)))
    # Every change is linear up to brightness: a middle of two images changes into the middle of both.
    other = x.flip(0)
    middle = diff_augment((x + other) / 2, seeded(3), (name,))
    torch.testing.assert_close(middle, (changed + diff_augment(other, seeded(3), (name,))) / 2)


def test_colour_by_hand() -> None:
    # One pixel of three channels, so its middle is its own grey.
    x = torch.tensor([0.9, 0.3, -0.6]).reshape(1, 3, 1, 1)
    brighter, vivid, contrasting = torch.rand(3, 1, generator=seeded(8)).flatten().tolist()
    grey = 0.2 + brighter - 0.5
    expected = [grey + part * 2 * vivid * (contrasting + 0.5) for part in (0.7, 0.1, -0.8)]
    assert colour(x, seeded(8)).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_contrast_spreads_places_around_the_middle_of_the_image() -> None:
    x = torch.tensor([-0.5, 0.5]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
    brighter, _, contrasting = torch.rand(3, 1, generator=seeded(9)).flatten().tolist()
    half = 0.5 * (contrasting + 0.5)
    expected = [brighter - 0.5 - half, brighter - 0.5 + half] * 3
    assert colour(x, seeded(9)).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_colour_of_several_pixels_one_after_the_other() -> None:
    """Saturation is about each pixel's own grey, contrast about the mean of its image."""
    x = images(2, 3, 2)
    changed = colour(x, seeded(11))
    drawn = torch.rand(3, 2, generator=seeded(11)).tolist()
    for image, result, brighter, vivid, contrasting in zip(x, changed, *drawn, strict=True):
        bright = image + brighter - 0.5
        for row in range(3):
            for column in range(2):
                grey = bright[:, row, column].mean()
                bright[:, row, column] = grey + 2 * vivid * (bright[:, row, column] - grey)
        middle = bright.mean()
        torch.testing.assert_close(result, middle + (contrasting + 0.5) * (bright - middle))


def moved(x_CHW: Tensor, down: int, right: int) -> Tensor:
    """An image moved by slices."""
    rows, columns = x_CHW.shape[1:]
    result = torch.zeros_like(x_CHW)
    result[:, max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)] = x_CHW[
        :, max(0, -down) : rows + min(0, -down), max(0, -right) : columns + min(0, -right)
    ]
    return result


def test_translation_moves_each_image_by_its_own_numbers() -> None:
    x, rng = images(40, 16, 24), seeded(5)
    changed = translation(x, seeded(5))
    down = torch.randint(-2, 3, (40,), generator=rng).tolist()
    right = torch.randint(-3, 4, (40,), generator=rng).tolist()
    assert set(down) == {-2, -1, 0, 1, 2} and set(right) == {-3, -2, -1, 0, 1, 2, 3}
    for image, result, by_rows, by_columns in zip(x, changed, down, right, strict=True):
        assert torch.equal(result, moved(image, by_rows, by_columns))


def test_cutout_greys_a_square_of_half_the_side() -> None:
    x, rng = torch.ones(60, 2, 4, 4), seeded(6)
    changed = cutout(x, seeded(6))
    top = torch.randint(-1, 4, (60,), generator=rng).tolist()
    left = torch.randint(-1, 4, (60,), generator=rng).tolist()
    for result, row, column in zip(changed, top, left, strict=True):
        expected = torch.ones(2, 4, 4)
        expected[:, max(0, row) : row + 2, max(0, column) : column + 2] = 0
        assert torch.equal(result, expected)
    # From a corner of one pixel to the whole square.
    assert set((changed == 0).sum(dim=(1, 2, 3)).tolist()) == {2, 4, 8}


def test_gradients_pass() -> None:
    x = images(2, 4, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: diff_augment(x, seeded(2)), x)
    diff_augment(x, seeded(2), ("cutout",)).sum().backward()
    # The gradient of what is cut out is 0, of the rest 1.
    assert x.grad is not None
    assert torch.equal(x.grad, (diff_augment(torch.ones_like(x), seeded(2), ("cutout",))))


def test_the_order_is_that_of_the_policy() -> None:
    x, rng = images(3), seeded(7)
    expected = cutout(translation(colour(x, rng), rng), rng)
    assert torch.equal(diff_augment(x, seeded(7)), expected)
    assert tuple(TRANSFORMS) == AUGMENTATIONS


def test_an_unknown_change_is_refused() -> None:
    with pytest.raises(
        ValueError, match="no augmentation named color; there are colour, translation, cutout"
    ):
        diff_augment(images(1), seeded(0), ("color",))
