"""The reader of attributes: its loss by hand, and that it learns what stands where."""

import math

import pytest
import torch

from aigc_demo.core.device import seeded
from aigc_demo.nets.images.attribute_reader import (
    AttributeLogits,
    AttributeReader,
    AttributeReaderConfig,
    attribute_loss,
    correct_objects,
)


def test_loss_by_hand() -> None:
    reading = AttributeLogits(
        present_BP=torch.tensor([[0.0, math.log(3)]]),
        kind_BPK=torch.log(torch.tensor([[[0.5, 0.5], [0.25, 0.75]]])),
        colour_BPL=torch.log(torch.tensor([[[0.5, 0.5], [0.9, 0.1]]])),
        size_BPS=torch.log(torch.tensor([[[0.5, 0.5], [0.4, 0.6]]])),
        weather_BA=torch.log(torch.tensor([[0.2, 0.8]])),
    )
    truth = torch.tensor([[[0, -1, -1, -1], [1, 1, 0, 1]]])
    parts = [0.5, 0.75, 0.75, 0.9, 0.6, 0.2]  # nothing there, something there, kind, colour, size, weather
    expected = -sum(math.log(part) for part in parts)
    assert attribute_loss(reading, truth, torch.tensor([0])).item() == pytest.approx(expected, rel=1e-5)


def test_loss_of_two_is_the_mean_of_both() -> None:
    torch.manual_seed(0)
    shapes = [(2, 9), (2, 9, 6), (2, 9, 8), (2, 9, 3), (2, 4)]
    drawn = [torch.randn(shape) for shape in shapes]
    truth = torch.full((2, 9, 4), -1)
    truth[..., 0] = 0
    truth[0, 4], truth[1, 2], truth[1, 7] = (
        torch.tensor(row) for row in ([1, 5, 0, 2], [1, 0, 7, 1], [1, 3, 3, 0])
    )
    weather = torch.tensor([3, 1])
    both = attribute_loss(AttributeLogits(*drawn), truth, weather)
    alone = [
        attribute_loss(
            AttributeLogits(*(part[i : i + 1] for part in drawn)), truth[i : i + 1], weather[i : i + 1]
        )
        for i in range(2)
    ]
    assert both.item() == pytest.approx((alone[0].item() + alone[1].item()) / 2, rel=1e-5)


def test_a_place_is_right_if_all_of_it_is() -> None:
    truth = torch.tensor([[[0, -1, -1, -1], [1, 2, 1, 0]]])

    def right(present: tuple[float, float], kind: int = 2, colour: int = 1, size: int = 0) -> list[bool]:
        looks = [
            torch.nn.functional.one_hot(torch.tensor([[0, look]]), 3) * 5.0 for look in (kind, colour, size)
        ]
        reading = AttributeLogits(torch.tensor([present]), *looks, torch.zeros(1, 4))
        return correct_objects(reading, truth)[0].tolist()

    assert right((-1.0, 1.0)) == [True, True]
    assert right((1.0, 1.0)) == [False, True], "something where nothing stands"
    assert right((-1.0, -1.0)) == [True, False], "nothing where something stands"
    assert right((-1.0, 1.0), kind=1) == right((-1.0, 1.0), colour=2) == right((-1.0, 1.0), size=1)
    assert right((-1.0, 1.0), size=1) == [True, False]


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 64])
def test_it_answers_for_every_place(size: int) -> None:
    torch.manual_seed(0)
    reader = AttributeReader(AttributeReaderConfig(image_size=size, width=8)).eval()
    x = torch.rand(3, 3, size, size, generator=seeded(1)) * 2 - 1
    reading = reader(x)
    assert reading.present_BP.shape == (3, 9)
    assert reading.kind_BPK.shape == (3, 9, 6)
    assert reading.colour_BPL.shape == (3, 9, 8)
    assert reading.size_BPS.shape == (3, 9, 3)
    assert reading.weather_BA.shape == (3, 4)
    assert not torch.allclose(reader(x.flip(3)).present_BP, reading.present_BP, atol=1e-3)
    with pytest.raises(ValueError, match="for a detector of"):
        reader(x[:, :, :16])


def test_it_learns() -> None:
    torch.manual_seed(0)
    reader = AttributeReader(AttributeReaderConfig(image_size=32, width=8))
    x = torch.rand(8, 3, 32, 32, generator=seeded(1)) * 2 - 1
    truth = torch.full((8, 9, 4), -1)
    truth[..., 0] = 0
    for image in range(8):
        truth[image, image] = torch.tensor([1, image % 6, image, image % 3])
    weather = torch.arange(8) % 4
    optimizer = torch.optim.AdamW(reader.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = attribute_loss(reader(x), truth, weather)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 < losses[0]
