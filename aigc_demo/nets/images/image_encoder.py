"""A small convolutional image encoder: a classifier, or trained without labels by contrastive learning.

Its features are used for measures such as the Frechet distance. They replace those of Inception, which were
learned on photographs of another size and need a download.
"""

# Shapes: B batch, C channels, H rows, W columns, F features of an image, K classes,
# P features of a projection.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting

PROJECTION_SIZE = 64


@dataclass(frozen=True)
class ImageEncoderConfig(Settings):
    """Sizes of an encoder."""

    image_size: int = setting(32, "height and width of an image", choices=(32, 64))
    num_classes: int = setting(0, "number of classes; 0 trains without labels", low=0, high=10_000)
    width: int = setting(32, "channels of the first stage", low=8, high=256)
    feature_size: int = setting(128, "features of an image", low=8, high=128)
    recipe: str = setting("classifier", "the recipe that trains it")

    @property
    def stage_sizes(self) -> tuple[int, ...]:
        """Output channels of the four stages."""
        return (self.width, 2 * self.width, 4 * self.width, self.feature_size)


class Stage(nn.Sequential):
    """3 x 3 convolution, max pooling, batch normalization, ReLU.

    Max pooling detects a pattern wherever it lies, which a convolution of stride 2 has to learn for every
    position: after 18 seconds on one core an encoder with pooling distinguished all of 144 classes, one with
    strides 78 % of them. Pooling comes first, so that normalization and ReLU have a quarter of the work.

    Args:
        inputs: input channels.
        outputs: output channels.
        pool: size and stride of the pooling; 1 for none.

    Source:
        Ioffe and Szegedy 2015, arXiv:1502.03167, for batch normalization.
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
    """From an image to its features, and from these to class logits or to a projection.

    Source:
        Simonyan and Zisserman 2015, arXiv:1409.1556, for convolution and pooling in turn; Lin et al. 2014,
        arXiv:1312.4400, section 3.2, for global average pooling; Chen et al. 2020, arXiv:2002.05709,
        section 2.1, for the projection head, used in training only.
    """

    def __init__(self, config: ImageEncoderConfig):
        super().__init__()
        self.config = config
        sizes = (3, *config.stage_sizes)
        # The first stage pools 64 rows to 16 at once: the later stages are the same for both sizes.
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
        """Global average pooling of the last stage.

        Args:
            x_BCHW: images in [-1, 1].

        Returns:
            f [B, F], non-negative, float32.

        Raises:
            ValueError: the images have another size.
        """
        size = self.config.image_size
        if x_BCHW.shape[1:] != (3, size, size):
            raise ValueError(f"images of {tuple(x_BCHW.shape[1:])} for an encoder of (3, {size}, {size})")
        dtype = next(self.stages.parameters()).dtype
        x_BCHW = self.stages(x_BCHW.to(dtype, memory_format=torch.channels_last))
        return x_BCHW.mean(dim=(2, 3), dtype=torch.float32)

    def project(self, f_BF: Tensor) -> Tensor:
        """Class logits [B, K]; without classes, projections [B, P] of norm 1."""
        y_BK = self.head(f_BF.to(next(self.head.parameters()).dtype)).float()
        return y_BK if self.config.num_classes else F.normalize(y_BK, dim=-1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """`project(features(x))`."""
        return self.project(self.features(x_BCHW))

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def label_loss(logits_BK: Tensor, labels_B: Tensor) -> Tensor:
    """Mean cross-entropy of the labels, in nats: -log softmax(logits)[label].

    Returns:
        A scalar; log K for the uniform distribution.
    """
    return F.cross_entropy(logits_BK, labels_B)


def contrastive_pair_loss(p_BP: Tensor, q_BP: Tensor, temperature: float = 0.2) -> Tensor:
    """NT-Xent loss: cross-entropy of each image's other view among all views of the batch, in nats.

    For view i and its positive j: -log(exp(s_ij / t) / sum over k != i of exp(s_ik / t)), the mean over all
    2 B views; s_ij is the cosine similarity of two projections, t the temperature.

    Args:
        p_BP: projections of the first views, of norm 1.
        q_BP: projections of the second views, in the same order.
        temperature: t, above 0; a lower one gives more weight to hard negatives.

    Returns:
        A scalar; log(2 B - 1) where all projections are equal, 0 for one image.

    Raises:
        ValueError: the two shapes differ.

    Source:
        Chen et al. 2020, arXiv:2002.05709, eq. 1.
    """
    if p_BP.shape != q_BP.shape:
        raise ValueError(f"views of {tuple(p_BP.shape)} and {tuple(q_BP.shape)}")
    views = torch.cat((p_BP, q_BP))
    similarity = views @ views.T / temperature
    self_mask = torch.eye(len(views), dtype=torch.bool, device=views.device)
    other_view = torch.arange(len(views), device=views.device).roll(len(p_BP))
    return F.cross_entropy(similarity.masked_fill(self_mask, float("-inf")), other_view)
