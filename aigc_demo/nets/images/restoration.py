"""A small U-Net for image restoration: colorization of grey images, or inpainting of masked ones.

The encoder goes down to an eighth of the image's side; the decoder goes up again, and each of its levels also
gets the encoder's feature maps of the same size (skip connections).
"""

# Shapes: B batch, C channels, H rows, W columns.

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.options import COLORIZE, INPAINT

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: the weights of red, green and blue in brightness


def grey(x_BCHW: Tensor) -> Tensor:
    """Brightness [B, 1, H, W] in -1 to 1, of images in -1 to 1."""
    return (x_BCHW * x_BCHW.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def masked_input(x_BCHW: Tensor, mask_B1HW: Tensor) -> Tensor:
    """[B, 4, H, W]: three colours, 0 where the mask is 1, and the mask."""
    return torch.cat([x_BCHW * (1 - mask_B1HW), mask_B1HW], dim=1)


def mean_of_rest(x_BCHW: Tensor, mask_B1HW: Tensor) -> Tensor:
    """The mean colour of each image where the mask is 0, everywhere [B, C, H, W]."""
    rest_B111 = (1 - mask_B1HW).sum((1, 2, 3), keepdim=True)
    return ((x_BCHW * (1 - mask_B1HW)).sum((2, 3), keepdim=True) / rest_B111).expand_as(x_BCHW)


@dataclass(frozen=True)
class Task:
    """What an image has lost, and what the network is given of the rest.

    Attributes:
        num_inputs: input channels of the network.
        corrupt: from images [B, 3, H, W] and masks [B, 1, H, W] to its input [B, num_inputs, H, W].
        plain_guess: from the same to the restored image [B, 3, H, W] of the simplest method, to compare with.
        masked: whether only what is under a mask is lost, and not something of each pixel.
    """

    num_inputs: int
    corrupt: Callable[[Tensor, Tensor], Tensor]
    plain_guess: Callable[[Tensor, Tensor], Tensor]
    masked: bool


# By the names of the recipes that train them.
TASKS = {
    COLORIZE: Task(1, lambda x_BCHW, mask: grey(x_BCHW), lambda x, mask: grey(x).expand_as(x), masked=False),
    INPAINT: Task(4, masked_input, mean_of_rest, masked=True),
}


@dataclass(frozen=True)
class RestorationConfig(Settings):
    """Sizes and task of a restoration network."""

    image_size: int = setting(64, "height and width of an image", choices=(32, 64))
    width: int = setting(24, "channels of the level next to the image", low=4, high=256)
    recipe: str = setting(INPAINT, "the recipe that trains it, which is also its task", choices=tuple(TASKS))

    @property
    def task(self) -> Task:
        """What it restores."""
        return TASKS[self.recipe]

    @property
    def num_inputs(self) -> int:
        """Input channels: brightness, or three colours and the mask."""
        return self.task.num_inputs

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the levels, from the image's resolution to an eighth of it."""
        return tuple(self.width * n for n in (1, 2, 4, 4))


class Level(nn.Sequential):
    """Two 3 x 3 convolutions, each with batch normalization and ReLU.

    Args:
        inputs: input channels.
        outputs: output channels.
        stride: of the first convolution; 2 halves the side.
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
    """From a grey image, or a masked one, to the restored image.

    Source:
        Ronneberger et al. 2015, arXiv:1505.04597, figure 1, with strided convolutions in place of pooling.
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
        self.picture = nn.Conv2d(widths[0], 3, 1)  # a key of the shipped weights
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """The restored images [B, 3, H, W], about -1 to 1: the input plus a predicted residual.

        Args:
            x_BCHW: the output of `grey` or `masked_input`.
        """
        known_BCHW = x_BCHW[:, :3]  # one channel of brightness, or three of colour
        skips: list[Tensor] = []
        x_BCHW = x_BCHW.to(self.picture.weight.dtype, memory_format=torch.channels_last)
        for level in self.down:
            x_BCHW = level(x_BCHW)
            skips.append(x_BCHW)
        x_BCHW = skips.pop()
        for level in reversed(self.up):
            upsampled_BCHW = F.interpolate(x_BCHW, scale_factor=2, mode="nearest")
            x_BCHW = level(torch.cat([upsampled_BCHW, skips.pop()], dim=1))
        return known_BCHW + self.picture(x_BCHW).float()

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def composite(x_BCHW: Tensor, mask_B1HW: Tensor, predicted_BCHW: Tensor) -> Tensor:
    """The predicted colours where the mask is 1, the image elsewhere."""
    return torch.where(mask_B1HW > 0.5, predicted_BCHW, x_BCHW)


def random_masks(count: int, size: int, rng: torch.Generator) -> Tensor:
    """Masks [B, 1, H, W] of 0 and 1: two straight brush strokes each.

    Args:
        count: B.
        size: H and W.
        rng: on the CPU.
    """
    mask_BHW = torch.zeros(count, size, size)
    position_S = (torch.arange(size) + 0.5) / size
    for _ in range(2):
        start_B2, end_B2 = torch.rand(2, count, 2, generator=rng)
        radius_B = 0.06 + 0.12 * torch.rand(count, 1, 1, generator=rng)
        offset_B2 = (end_B2 - start_B2) * 0.7
        y_B, x_B = position_S[None, :, None], position_S[None, None, :]
        (fy, fx), (ay, ax) = (
            (part[:, 0, None, None], part[:, 1, None, None]) for part in (start_B2, offset_B2)
        )
        # Where on the stroke the point nearest to a pixel is, 0 to 1.
        nearest = (((y_B - fy) * ay + (x_B - fx) * ax) / (ay.square() + ax.square() + 1e-6)).clamp(0, 1)
        distance = ((y_B - fy - nearest * ay).square() + (x_B - fx - nearest * ax).square()).sqrt()
        mask_BHW = torch.maximum(mask_BHW, (distance < radius_B).float())
    return mask_BHW[:, None]


def restoration_loss(predicted_BCHW: Tensor, x_BCHW: Tensor, mask_B1HW: Tensor | None = None) -> Tensor:
    """L1 loss: the mean absolute error of images in -1 to 1, under the mask if there is one."""
    error_BCHW = (predicted_BCHW - x_BCHW).abs()
    if mask_B1HW is None:
        return error_BCHW.mean()
    return (error_BCHW * mask_B1HW).sum() / (mask_B1HW.sum() * x_BCHW.shape[1]).clamp(min=1)
