"""DCGAN: a generator and a discriminator of strided convolutions, as in the paper.

The losses are in `adversarial`.
"""

# Shapes: B batch, Z latent features, C channels, H rows, W columns.

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.options import DISCRIMINATOR_NORMS

SIZES = (32, 64)
KERNEL, SLOPE = 4, 0.2
NUM_CHANNELS = 3
FIRST_SIZE = 4


@dataclass(frozen=True)
class DcganConfig(Settings):
    """Sizes of either network; `part` names which."""

    image_size: int = setting(64, "height and width of an image", choices=SIZES)
    latent_size: int = setting(100, "dimension of the latent", low=1, high=4096)
    num_features: int = setting(64, "feature maps of the layer next to the image", low=4, high=512)
    recipe: str = setting("dcgan", "the recipe that trains it")
    part: str = setting("generator", "which of the two networks", choices=("generator", "discriminator"))
    norm: str = setting("batch", "normalization of the discriminator's layers", choices=DISCRIMINATOR_NORMS)

    @property
    def widths(self) -> tuple[int, ...]:
        """Feature maps of each layer, from the one next to the image to the one of 4 by 4."""
        num_layers = (self.image_size // FIRST_SIZE).bit_length() - 1
        return tuple(self.num_features * 2**layer for layer in range(num_layers))


class Generator(nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["gan", "from-scratch"]):
    """From a latent to an image: feature maps of 4 by 4, doubled in size by each transposed convolution.

    Batch normalization and ReLU after every layer but the last, tanh after the last. 3.6 million parameters
    for images of 64 by 64.

    Source:
        Radford et al. 2015, arXiv:1511.06434, figure 1 and the guidelines of section 3.
    """

    def __init__(self, config: DcganConfig):
        super().__init__()
        self.config = config
        *_, widest = widths = config.widths
        # Its input has one position, so `forward` computes this transposed convolution as a matrix product.
        self.first = nn.ConvTranspose2d(config.latent_size, widest, FIRST_SIZE, bias=False)
        self.first_norm = nn.BatchNorm2d(widest)
        layers: list[nn.Module] = []
        for width, next_width in itertools.pairwise(widths[::-1]):
            layers += [
                nn.ConvTranspose2d(width, next_width, KERNEL, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(next_width),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        # A key of the shipped weights, as are the names of all modules.
        self.picture = nn.ConvTranspose2d(widths[0], NUM_CHANNELS, KERNEL, stride=2, padding=1, bias=False)
        initialize(self)

    def forward(self, z_BZ: Tensor) -> Tensor:
        """Generate images.

        Args:
            z_BZ: latents from a standard normal distribution.

        Returns:
            [B, 3, H, W] in -1 to 1.
        """
        weight = self.first.weight  # [Z, C, 4, 4]
        flat_BF = F.linear(z_BZ, weight.flatten(1).t())
        x_BCHW = flat_BF.view(-1, *weight.shape[1:]).to(memory_format=torch.channels_last)
        x_BCHW = F.relu(self.first_norm(x_BCHW), inplace=True)
        return torch.tanh(self.picture(self.layers(x_BCHW)).float())


class Discriminator(nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["gan", "from-scratch"]):
    """From an image to a score: feature maps halved in size by each strided convolution, down to 4 by 4.

    Leaky ReLU after every layer but the last, batch normalization after all but the first and the last. Batch
    normalization removes what all images of a batch have in common, and real and generated images are
    different batches: a background that is too bright in every generated image is invisible to it. Without it
    (`norm="none"`, a bias instead) a score depends on its own image alone, which the gradient penalty also
    assumes. 2.8 million parameters for images of 64 by 64.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 3.
    """

    def __init__(self, config: DcganConfig):
        super().__init__()
        self.config = config
        *_, widest = widths = config.widths
        normalized = config.norm == "batch"
        layers: list[nn.Module] = [
            nn.Conv2d(NUM_CHANNELS, widths[0], KERNEL, stride=2, padding=1, bias=not normalized),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        for width, next_width in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(width, next_width, KERNEL, stride=2, padding=1, bias=not normalized),
                *([nn.BatchNorm2d(next_width)] if normalized else []),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.score = nn.Conv2d(widest, 1, FIRST_SIZE, bias=False)
        initialize(self)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Scores [B], logits: above 0, an image is more likely real than generated.

        Args:
            x_BCHW: images in -1 to 1.
        """
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        return self.score(self.layers(x_BCHW)).flatten().float()


@torch.no_grad()
def initialize(network: nn.Module, rng: torch.Generator | None = None) -> None:
    """Draw the initial weights in place: N(0, 0.02) for convolutions, N(1, 0.02) for batch norm's scales.

    Args:
        network: of convolutions and batch normalization.
        rng: on the CPU; None for torch's global generator.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 4; the scales are from its authors' code.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.weight.normal_(std=0.02, generator=rng)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.normal_(mean=1.0, std=0.02, generator=rng)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
