"""A small U-Net that gives pictures back what they lost: their colours, or what was painted over.

Down to an eighth of the picture's side, where it sees what is going on, and up again, where every level is
given what the way down saw at the same size.
"""

# Shapes: B pictures, C channels, H rows, W columns.

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting

TASKS = ("colorize", "inpaint")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue are


@dataclass(frozen=True)
class RestorationConfig(Settings):
    """The shape of a mender."""

    image_size: int = setting(64, "rows and columns of a picture", choices=(32, 64))
    width: int = setting(24, "channels of the level next to the picture", low=4, high=256)
    recipe: str = setting("inpaint", "the recipe that trains it, and so what it mends", choices=TASKS)

    @property
    def num_inputs(self) -> int:
        """Channels that it is given: grey, or colours and where they are gone."""
        return 1 if self.recipe == "colorize" else 4

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the levels, from the picture's size to an eighth of it."""
        return tuple(self.width * n for n in (1, 2, 4, 4))


class Level(nn.Sequential):
    """Two 3 x 3 convolutions, each with batch norm and rectifier; the first may halve the side.

    Args:
        inputs: channels in.
        outputs: channels out.
        stride: 2 to halve the side.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        layers: list[nn.Module] = []
        for channels, step in ((inputs, stride), (outputs, 1)):
            layers += [
                nn.Conv2d(channels, outputs, 3, stride=step, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class RestorationNetwork(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["image-to-image", "from-scratch"]
):
    """From a picture without its colours, or with a hole, to the whole picture.

    Args:
        config: its shape, and what it mends.

    Source:
        Ronneberger et al. 2015, arXiv:1505.04597, figure 1, with strides for pooling.
    """

    def __init__(self, config: RestorationConfig):
        super().__init__()
        self.config = config
        widths = config.widths
        self.down = nn.ModuleList(
            [Level(config.num_inputs, widths[0])]
            + [Level(width, deeper, stride=2) for width, deeper in itertools.pairwise(widths)]
        )
        self.up = nn.ModuleList(Level(deeper + width, width) for width, deeper in itertools.pairwise(widths))
        self.picture = nn.Conv2d(widths[0], 3, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Colours at every place, about -1 to 1: what is known, and what the network adds to it.

        Args:
            x_BCHW: what `grey` or `masked_input` makes of pictures.
        """
        known_BCHW = x_BCHW[:, :3]  # the one channel of grey, or the three of colours
        seen: list[Tensor] = []
        x_BCHW = x_BCHW.to(self.picture.weight.dtype, memory_format=torch.channels_last)
        for level in self.down:
            x_BCHW = level(x_BCHW)
            seen.append(x_BCHW)
        x_BCHW = seen.pop()
        for level in reversed(self.up):
            wider_BCHW = F.interpolate(x_BCHW, scale_factor=2, mode="nearest")
            x_BCHW = level(torch.cat([wider_BCHW, seen.pop()], dim=1))
        return known_BCHW + self.picture(x_BCHW).float()

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())


def grey(x_BCHW: Tensor) -> Tensor:
    """How bright each place is, [B, 1, H, W] in -1 to 1, of pictures in -1 to 1."""
    return (x_BCHW * x_BCHW.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def masked_input(x_BCHW: Tensor, hole_B1HW: Tensor) -> Tensor:
    """Pictures [B, 4, H, W] whose colours are 0 where the hole is 1, and the hole."""
    return torch.cat([x_BCHW * (1 - hole_B1HW), hole_B1HW], dim=1)


def composite(x_BCHW: Tensor, hole_B1HW: Tensor, drawn_BCHW: Tensor) -> Tensor:
    """The picture with what was drawn in its hole, and as it was elsewhere."""
    return torch.where(hole_B1HW > 0.5, drawn_BCHW, x_BCHW)


def random_masks(count: int, size: int, rng: torch.Generator) -> Tensor:
    """Holes [B, 1, H, W] of 0 and 1: two strokes each, straight and thick, as a finger would paint them.

    Args:
        count: B.
        size: H and W.
        rng: on the CPU.
    """
    hole_BHW = torch.zeros(count, size, size)
    place_S = (torch.arange(size) + 0.5) / size
    for _ in range(2):
        start_B2, end_B2 = torch.rand(2, count, 2, generator=rng)
        thick_B = 0.06 + 0.12 * torch.rand(count, 1, 1, generator=rng)
        along_B2 = (end_B2 - start_B2) * 0.7
        y_B, x_B = place_S[None, :, None], place_S[None, None, :]
        (fy, fx), (ay, ax) = (
            (part[:, 0, None, None], part[:, 1, None, None]) for part in (start_B2, along_B2)
        )
        # How far along the stroke the nearest point to a place lies, 0 to 1.
        share = (((y_B - fy) * ay + (x_B - fx) * ax) / (ay.square() + ax.square() + 1e-6)).clamp(0, 1)
        away = ((y_B - fy - share * ay).square() + (x_B - fx - share * ax).square()).sqrt()
        hole_BHW = torch.maximum(hole_BHW, (away < thick_B).float())
    return hole_BHW[:, None]


def restoration_loss(drawn_BCHW: Tensor, x_BCHW: Tensor, hole_B1HW: Tensor | None = None) -> Tensor:
    """Mean difference from the true picture, in half ranges from black to white; inside the hole if given."""
    away_BCHW = (drawn_BCHW - x_BCHW).abs()
    if hole_B1HW is None:
        return away_BCHW.mean()
    return (away_BCHW * hole_B1HW).sum() / (hole_B1HW.sum() * x_BCHW.shape[1]).clamp(min=1)
