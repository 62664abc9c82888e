"""The network: what is taken away and given back, and that it learns."""

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.nets.images.restoration import (
    TASKS,
    RestorationConfig,
    RestorationNetwork,
    composite,
    grey,
    masked_input,
    random_masks,
    restoration_loss,
)


def images(count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=seeded(1)) * 2 - 1


def test_grey_is_the_luma() -> None:
    x = torch.tensor([1.0, -1.0, 0.5]).view(1, 3, 1, 1)
    assert grey(x).item() == pytest.approx(0.299 - 0.587 + 0.114 * 0.5)


def test_nothing_of_what_is_painted_over_is_seen_and_all_else_stays() -> None:
    x, hole = images(2), random_masks(2, 32, seeded(0))
    seen = masked_input(x, hole)
    assert seen.shape == (2, 4, 32, 32)
    assert (seen[:, :3] * hole == 0).all()
    other = x + 3 * hole
    assert torch.equal(masked_input(other, hole), seen)
    drawn = torch.zeros_like(x)
    whole = composite(x, hole, drawn)
    assert torch.equal(whole * (1 - hole), x * (1 - hole))
    assert (whole * hole == 0).all()


def test_holes_are_of_some_size_and_differ() -> None:
    holes = random_masks(200, 64, seeded(0))
    assert holes.shape == (200, 1, 64, 64)
    assert set(holes.unique().tolist()) == {0.0, 1.0}
    shares = holes.mean((1, 2, 3))
    assert shares.min() > 0.005 and shares.max() < 0.7
    assert 0.1 < shares.mean() < 0.4
    assert torch.equal(holes, random_masks(200, 64, seeded(0)))
    assert not torch.equal(holes[0], holes[1])


def test_loss_by_hand() -> None:
    x = torch.zeros(1, 3, 2, 2)
    drawn = torch.tensor([[1.0, 0.5], [0.0, 0.0]]).expand(1, 3, 2, 2)
    hole = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    assert restoration_loss(drawn, x).item() == pytest.approx(1.5 / 4)
    assert restoration_loss(drawn, x, hole).item() == pytest.approx(0.5)
    assert restoration_loss(drawn, x, torch.zeros(1, 1, 2, 2)).item() == 0


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("recipe", ["colorize", "inpaint"])
def test_it_draws_images(recipe: str, size: int) -> None:
    network = RestorationNetwork(RestorationConfig(image_size=size, width=4, recipe=recipe)).eval()
    x = images(2, size)
    drawn = network(grey(x) if recipe == "colorize" else masked_input(x, random_masks(2, size, seeded(0))))
    assert drawn.shape == x.shape
    assert drawn.dtype == torch.float32
    known = grey(x) if recipe == "colorize" else masked_input(x, random_masks(2, size, seeded(0)))[:, :3]
    with torch.no_grad():
        network.picture.weight.zero_()
        network.picture.bias.fill_(0.25)
    assert torch.allclose(
        network(known if recipe == "colorize" else masked_input(x, random_masks(2, size, seeded(0)))),
        (known + 0.25).expand_as(x),
    )


@torch.no_grad()
def test_every_level_on_the_way_up_is_given_what_the_way_down_saw_at_its_size() -> None:
    network = RestorationNetwork(RestorationConfig(image_size=32, width=4, recipe="inpaint")).eval()
    down: list[Tensor] = []
    up: list[tuple[Tensor, Tensor]] = []
    for level in network.down:
        level.register_forward_hook(lambda _, __, found: down.append(found))
    for level in network.up:
        level.register_forward_hook(lambda _, inputs, found: up.append((inputs[0], found)))
    network(masked_input(images(2), random_masks(2, 32, seeded(0))))
    assert [x.shape[2] for x in down] == [32, 16, 8, 4]
    deeper = down[3]
    for (given, found), seen in zip(up, down[2::-1], strict=True):
        larger = deeper.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        assert torch.equal(given, torch.cat([larger, seen], dim=1))
        deeper = found


def test_it_learns_colours_by_their_brightness() -> None:
    torch.manual_seed(0)
    network = RestorationNetwork(RestorationConfig(image_size=32, width=4, recipe="colorize"))
    colours = torch.tensor([[0.9, -0.8, -0.7], [-0.8, 0.6, -0.3], [-0.5, 0.3, 0.9], [0.9, 0.8, -0.9]])
    x = colours[torch.randint(4, (16, 8, 8), generator=seeded(0))].permute(0, 3, 1, 2)
    x = x.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    plain = restoration_loss(grey(x).expand_as(x), x).item()
    for _ in range(60):
        loss = restoration_loss(network(grey(x)), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.4 * plain


def test_the_plain_guess_of_inpainting_is_the_mean_of_what_is_left():
    x = torch.tensor([[[0.0, 1.0], [0.5, -1.0]]]).expand(1, 3, 2, 2).clone()
    x[:, 1] *= 2
    mask = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])
    guess = TASKS["inpaint"].plain_guess(x, mask)
    assert guess.shape == x.shape
    means = [-0.5 / 3, -1.0 / 3, -0.5 / 3]  # of the three pixels that the mask leaves
    assert guess[0, :, 0, 1].tolist() == pytest.approx(means)
    assert guess[0, :, 1, 0].tolist() == pytest.approx(means)


def test_the_plain_guess_of_colorization_is_grey():
    x = images(2)
    guess = TASKS["colorize"].plain_guess(x, torch.ones(2, 1, *x.shape[2:]))
    assert torch.equal(guess, grey(x).expand(-1, 3, -1, -1))


def test_a_mask_is_what_lies_near_two_strokes():
    count, size = 3, 16
    rng, wanted = seeded(5), np.zeros((count, size, size), bool)
    for _ in range(2):
        ends = torch.rand(2, count, 2, generator=rng).double().numpy()  # start and end of each, (y, x)
        radius = 0.06 + 0.12 * torch.rand(count, generator=rng).double().numpy()
        for which, (start, end) in enumerate(zip(*ends, strict=True)):
            # A stroke ends after 0.7 of the way: many points on it, and the pixels near any of them.
            points = start + np.linspace(0, 0.7, 4001)[:, None] * (end - start)
            for y, x in np.ndindex(size, size):
                middle = (np.array([y, x]) + 0.5) / size
                nearest = np.hypot(*(points - middle).T).min()
                wanted[which, y, x] |= nearest < radius[which]
    found = random_masks(count, size, seeded(5))[:, 0].numpy() == 1
    assert (found != wanted).sum() <= 1  # a pixel at the very edge
