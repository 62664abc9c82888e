"""A small convolutional network that measures pictures: what is on them, and how far apart they are.

Trained on labels it names the mode of a picture; without labels it learns to know two views of one
picture again. Either way its features stand in for those of Inception, which were learned on photographs
of another size and need a download.
"""

# Shapes: B pictures, C channels, H rows, W columns, F features of a picture, K classes, P numbers of a
# projection.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting

PROJECTION_SIZE = 64


@dataclass(frozen=True)
class ImageEncoderConfig(Settings):
    """The shape of an encoder."""

    image_size: int = setting(32, "rows and columns of a picture", choices=(32, 64))
    num_classes: int = setting(0, "classes that it names; 0 to learn without labels", low=0, high=10_000)
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    feature_size: int = setting(128, "features of a picture", low=8, high=128)
    recipe: str = setting("classifier", "the recipe that trains it")

    @property
    def stage_sizes(self) -> tuple[int, ...]:
        """Channels of the stages that look at 32, 16, 8 and 4 rows."""
        return (self.width, 2 * self.width, 4 * self.width, self.feature_size)


class Stage(nn.Sequential):
    """3 x 3 convolution, the largest of each 2 x 2 places, batch norm, rectifier.

    The maximum asks whether a shape's corner is there, wherever it lies; a convolution of stride 2 has to
    learn that for every place: after 18 seconds on one core this knew all of 144 drawn shapes apart, that
    78 % of them. Pooling comes before the norm, which with the rectifier then has a quarter of the work.

    Args:
        inputs: channels in.
        outputs: channels out.
        pool: rows and columns that become one; 1 keeps all.

    Source:
        Ioffe and Szegedy 2015, arXiv:1502.03167, for the norm.
    """

    def __init__(self, inputs: int, outputs: int, pool: int = 2):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.MaxPool2d(pool) if pool > 1 else nn.Identity(),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class ImageEncoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["image-classification", "from-scratch"],
):
    """From a picture to its features, and from these to classes or to a projection.

    Args:
        config: its shape.

    Source:
        Simonyan and Zisserman 2015, arXiv:1409.1556, for convolution and pooling in turn; Lin et al. 2014,
        arXiv:1312.4400, section 3.2, for the mean over all places; Chen et al. 2020, arXiv:2002.05709,
        section 2.1, for the projection that only training uses.
    """

    def __init__(self, config: ImageEncoderConfig):
        super().__init__()
        self.config = config
        sizes = (3, *config.stage_sizes)
        # Of 64 rows the first stage makes 16 at once: what follows is the same for both sizes.
        pools = (config.image_size // 16, 2, 2, 1)
        self.stages = nn.Sequential(*map(Stage, sizes[:-1], sizes[1:], pools))
        self.head: nn.Module
        if config.num_classes:
            self.head = nn.Linear(config.feature_size, config.num_classes)
        else:
            self.head = nn.Sequential(
                nn.Linear(config.feature_size, config.feature_size),
                nn.ReLU(),
                nn.Linear(config.feature_size, PROJECTION_SIZE),
            )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def features(self, x_BCHW: Tensor) -> Tensor:
        """What the network sees in each picture: the mean over all places of its last stage.

        Args:
            x_BCHW: pictures in [-1, 1].

        Returns:
            f [B, F], not negative, float32.

        Raises:
            ValueError: the pictures have another size.
        """
        size = self.config.image_size
        if x_BCHW.shape[1:] != (3, size, size):
            raise ValueError(f"pictures of {tuple(x_BCHW.shape[1:])} for an encoder of (3, {size}, {size})")
        dtype = next(self.stages.parameters()).dtype
        x_BCHW = self.stages(x_BCHW.to(dtype, memory_format=torch.channels_last))
        return x_BCHW.mean(dim=(2, 3), dtype=torch.float32)

    def project(self, f_BF: Tensor) -> Tensor:
        """What the features say: logits [B, K], or projections [B, P] of length 1 where no class is named."""
        y_BK = self.head(f_BF.to(next(self.head.parameters()).dtype)).float()
        return y_BK if self.config.num_classes else F.normalize(y_BK, dim=-1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """As `project(features(x))`."""
        return self.project(self.features(x_BCHW))

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())


def label_loss(logits_BK: Tensor, labels_B: Tensor) -> Tensor:
    """Mean surprise at the true classes, in nats: -log softmax(logits)[label].

    Returns:
        A single number; log K for a network that knows nothing.
    """
    return F.cross_entropy(logits_BK, labels_B)


def contrastive_pair_loss(p_BP: Tensor, q_BP: Tensor, temperature: float = 0.2) -> Tensor:
    """How hard it is to find each picture's other view among all views of the batch, in nats (NT-Xent).

    For view i with its other view j, -log(exp(s_ij / t) / sum over k != i of exp(s_ik / t)), the mean over
    all 2 B views; s is the product of two projections, t the temperature.

    Args:
        p_BP: projections of the first views, of length 1.
        q_BP: of the second views, in the same order.
        temperature: t; the lower, the more the nearest wrong views count.

    Returns:
        A single number; log(2 B - 1) where all views look alike, 0 for one picture.

    Raises:
        ValueError: the two shapes differ.

    Source:
        Chen et al. 2020, arXiv:2002.05709, eq. 1.
    """
    if p_BP.shape != q_BP.shape:
        raise ValueError(f"views of {tuple(p_BP.shape)} and {tuple(q_BP.shape)}")
    views = torch.cat((p_BP, q_BP))
    similarity = views @ views.T / temperature
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    other_view = torch.arange(len(views), device=views.device).roll(len(p_BP))
    return F.cross_entropy(similarity.masked_fill(itself, float("-inf")), other_view)
