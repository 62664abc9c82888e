"""A network that reads a picture of a few shapes: what stands where, in which colour and size.

It is a detector with nine fixed places where a thing of a group can stand, and for each of them says whether
there is one and what it looks like.
"""

# Shapes: B pictures, C channels, H rows, W columns, P places, K kinds, L colours, S sizes, A weathers.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.image_encoder import Stage

NUM_PLACES = 9


@dataclass(frozen=True)
class AttributeReaderConfig(Settings):
    """The shape of a reader."""

    image_size: int = setting(64, "rows and columns of a picture", choices=(32, 64))
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    num_kinds: int = setting(6, "shapes that it tells apart", low=2, high=100)
    num_colours: int = setting(8, "colours that it tells apart", low=2, high=100)
    num_sizes: int = setting(3, "sizes that it tells apart", low=2, high=100)
    num_weathers: int = setting(4, "grounds that it tells apart", low=2, high=100)
    recipe: str = setting("checker", "the recipe that trains it")

    @property
    def per_place(self) -> tuple[int, ...]:
        """How many numbers say whether there is a thing, its kind, its colour, its size."""
        return 1, self.num_kinds, self.num_colours, self.num_sizes


@dataclass(frozen=True)
class AttributeLogits:
    """What a reader makes of pictures, as logits.

    Attributes:
        present_BP: above 0 where a thing stands.
        kind_BPK: of its kind.
        colour_BPL: of its colour.
        size_BPS: of its size.
        weather_BA: of the ground.
    """

    present_BP: Tensor
    kind_BPK: Tensor
    colour_BPL: Tensor
    size_BPS: Tensor
    weather_BA: Tensor


class AttributeReader(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["object-detection", "from-scratch"]
):
    """From a picture to what stands at each place.

    Args:
        config: its shape.

    Source:
        Redmon et al. 2016, arXiv:1506.02640, section 2, for places that each answer for what lies there.
    """

    def __init__(self, config: AttributeReaderConfig):
        super().__init__()
        self.config = config
        widths = [config.width * n for n in (1, 2, 4, 4)]
        pools = (config.image_size // 32, 2, 2, 2)
        self.stages = nn.Sequential(*map(Stage, (3, *widths[:-1]), widths, pools))
        seen = widths[-1] * 16
        self.things = nn.Linear(seen, NUM_PLACES * sum(config.per_place))
        self.weather = nn.Linear(seen, config.num_weathers)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> AttributeLogits:
        """Read pictures in -1 to 1.

        Raises:
            ValueError: the pictures have another size.
        """
        size = self.config.image_size
        if x_BCHW.shape[1:] != (3, size, size):
            raise ValueError(f"pictures of {tuple(x_BCHW.shape[1:])} for a reader of (3, {size}, {size})")
        seen_BF = self.stages(x_BCHW.to(self.things.weight.dtype, memory_format=torch.channels_last)).flatten(
            1
        )
        things = (
            self.things(seen_BF).float().unflatten(1, (NUM_PLACES, -1)).split(self.config.per_place, dim=2)
        )
        present_BP1, kind_BPK, colour_BPL, size_BPS = things
        return AttributeLogits(
            present_BP1[..., 0], kind_BPK, colour_BPL, size_BPS, self.weather(seen_BF).float()
        )

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())


def attribute_loss(reading: AttributeLogits, truth_BP4: Tensor, weather_B: Tensor) -> Tensor:
    """Mean surprise at what is there, in nats: at every place whether there is a thing, where there is one
    also its kind, colour and size, and at the weather.

    Args:
        reading: of pictures.
        truth_BP4: 1 where a thing stands, its kind, colour and size as numbers; where none stands all -1 but
            the first, which is 0.
        weather_B: as numbers.

    Returns:
        A single number, the mean over pictures of the sum of all.
    """
    present_BP, looks_BP3 = truth_BP4[..., 0].float(), truth_BP4[..., 1:]
    loss = F.binary_cross_entropy_with_logits(reading.present_BP, present_BP, reduction="sum")
    for logits_BPN, truth_BP in zip(
        (reading.kind_BPK, reading.colour_BPL, reading.size_BPS), looks_BP3.unbind(-1), strict=True
    ):
        loss = loss + F.cross_entropy(
            logits_BPN.flatten(0, 1), truth_BP.flatten(), ignore_index=-1, reduction="sum"
        )
    loss = loss + F.cross_entropy(reading.weather_BA, weather_B, reduction="sum")
    return loss / len(weather_B)


def correct_objects(reading: AttributeLogits, truth_BP4: Tensor) -> Tensor:
    """Of every place whether it is read rightly [B, P]: nothing where nothing is, else all of its looks.

    Args:
        reading: of pictures.
        truth_BP4: as in `attribute_loss`.
    """
    there_BP = truth_BP4[..., 0] == 1
    right_BP = (reading.present_BP > 0) == there_BP
    for logits_BPN, truth_BP in zip(
        (reading.kind_BPK, reading.colour_BPL, reading.size_BPS), truth_BP4[..., 1:].unbind(-1), strict=True
    ):
        right_BP = right_BP & (~there_BP | (logits_BPN.argmax(dim=-1) == truth_BP))
    return right_BP
