"""An object detector for images of a few shapes: presence, kind, colour and size of each object.

Nine fixed positions, as anchors: for each, whether there is an object, and its attributes. The background
("weather") is one more class.
"""

# Shapes: B batch, C channels, H rows, W columns, P positions, K kinds, L colours, S sizes, A weathers,
# F features of an image.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.images.image_encoder import Stage

NUM_PLACES = 9


@dataclass(frozen=True)
class AttributeReaderConfig(Settings):
    """Sizes of the detector."""

    image_size: int = setting(64, "height and width of an image", choices=(32, 64))
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    num_kinds: int = setting(6, "number of kinds of shapes", low=2, high=100)
    num_colours: int = setting(8, "number of colours", low=2, high=100)
    num_sizes: int = setting(3, "number of sizes", low=2, high=100)
    num_weathers: int = setting(4, "number of weathers (backgrounds)", low=2, high=100)
    recipe: str = setting("checker", "the recipe that trains it")

    @property
    def per_place(self) -> tuple[int, ...]:
        """Number of logits of a position: presence, kind, colour, size."""
        return 1, self.num_kinds, self.num_colours, self.num_sizes


@dataclass(frozen=True)
class AttributeLogits:
    """The logits of a batch; `present_BP` is above 0 where an object is more likely than none."""

    present_BP: Tensor
    kind_BPK: Tensor
    colour_BPL: Tensor
    size_BPS: Tensor
    weather_BA: Tensor


class AttributeReader(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["object-detection", "from-scratch"]
):
    """From an image to the logits of each position.

    Source:
        Redmon et al. 2016, arXiv:1506.02640, section 2, where each cell of a grid predicts its object.
    """

    def __init__(self, config: AttributeReaderConfig):
        super().__init__()
        self.config = config
        widths = [config.width * n for n in (1, 2, 4, 4)]
        pools = (config.image_size // 32, 2, 2, 2)
        self.stages = nn.Sequential(*map(Stage, (3, *widths[:-1]), widths, pools))
        num_features = widths[-1] * 16
        self.things = nn.Linear(num_features, NUM_PLACES * sum(config.per_place))
        self.weather = nn.Linear(num_features, config.num_weathers)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> AttributeLogits:
        """The logits of images in -1 to 1.

        Raises:
            ValueError: the images have another size.
        """
        shape = (3, self.config.image_size, self.config.image_size)
        if x_BCHW.shape[1:] != shape:
            raise ValueError(f"images of {tuple(x_BCHW.shape[1:])} for a detector of {shape}")
        x_BCHW = x_BCHW.to(self.things.weight.dtype, memory_format=torch.channels_last)
        features_BF = self.stages(x_BCHW).flatten(1)
        things_BPN = self.things(features_BF).float().unflatten(1, (NUM_PLACES, -1))
        present_BP1, kind_BPK, colour_BPL, size_BPS = things_BPN.split(self.config.per_place, dim=2)
        return AttributeLogits(
            present_BP1[..., 0], kind_BPK, colour_BPL, size_BPS, self.weather(features_BF).float()
        )

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def attribute_loss(logits: AttributeLogits, truth_BP4: Tensor, weather_B: Tensor) -> Tensor:
    """Cross-entropy in nats: presence at every position, kind, colour and size of each object, the weather.

    Args:
        logits: of a batch.
        truth_BP4: presence (0 or 1) and the indices of kind, colour and size, which are -1 where there is no
            object.
        weather_B: class indices.

    Returns:
        A scalar: the sum over an image, the mean over images.
    """
    present_BP, attributes_BP3 = truth_BP4[..., 0].float(), truth_BP4[..., 1:]
    loss = F.binary_cross_entropy_with_logits(logits.present_BP, present_BP, reduction="sum")
    for logits_BPN, truth_BP in zip(
        (logits.kind_BPK, logits.colour_BPL, logits.size_BPS), attributes_BP3.unbind(-1), strict=True
    ):
        loss = loss + F.cross_entropy(
            logits_BPN.flatten(0, 1), truth_BP.flatten(), ignore_index=-1, reduction="sum"
        )
    loss = loss + F.cross_entropy(logits.weather_BA, weather_B, reduction="sum")
    return loss / len(weather_B)


def correct_objects(logits: AttributeLogits, truth_BP4: Tensor) -> Tensor:
    """Where the prediction is correct, [B, P]: presence, and all attributes where there is an object.

    Args:
        logits: of a batch.
        truth_BP4: as in `attribute_loss`.
    """
    present_BP = truth_BP4[..., 0] == 1
    correct_BP = (logits.present_BP > 0) == present_BP
    for logits_BPN, truth_BP in zip(
        (logits.kind_BPK, logits.colour_BPL, logits.size_BPS), truth_BP4[..., 1:].unbind(-1), strict=True
    ):
        correct_BP = correct_BP & (~present_BP | (logits_BPN.argmax(dim=-1) == truth_BP))
    return correct_BP
