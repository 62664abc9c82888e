"""DCGAN: a generator and a discriminator of strided convolutions, as the paper has them.

The game that they play is in `adversarial`.
"""

# Shapes: B pictures, Z latent features, C channels, H rows, W columns.

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
    """The shape of either network; `part` says of which."""

    image_size: int = setting(64, "rows and columns of a picture", choices=SIZES)
    latent_size: int = setting(100, "features of the noise that a picture is made from", low=1, high=4096)
    num_features: int = setting(64, "feature maps of the layer next to the picture", low=4, high=512)
    recipe: str = setting("dcgan", "the recipe that trains it")
    part: str = setting("generator", "which of the two", choices=("generator", "discriminator"))
    norm: str = setting("batch", "what evens out the discriminator's layers", choices=DISCRIMINATOR_NORMS)

    @property
    def widths(self) -> tuple[int, ...]:
        """Feature maps of every layer, from the one next to the picture to the one of 4 by 4."""
        num_layers = (self.image_size // FIRST_SIZE).bit_length() - 1
        return tuple(self.num_features * 2**layer for layer in range(num_layers))


class Generator(nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["gan", "from-scratch"]):
    """From noise to a picture: 4 by 4 features, doubled in size by each transposed convolution.

    Batch norm and relu after every layer but the last, tanh after that.

    Args:
        config: its shape; 3.6 million parameters for 64 pixels.

    Source:
        Radford et al. 2015, arXiv:1511.06434, figure 1 and the guidelines of section 3.
    """

    def __init__(self, config: DcganConfig):
        super().__init__()
        self.config = config
        *_, widest = widths = config.widths
        # From a single place a transposed convolution is a matrix product, and that is how it is computed.
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
        self.picture = nn.ConvTranspose2d(widths[0], NUM_CHANNELS, KERNEL, stride=2, padding=1, bias=False)
        initialize(self)

    def forward(self, z_BZ: Tensor) -> Tensor:
        """Pictures for noise.

        Args:
            z_BZ: drawn from a standard normal distribution.

        Returns:
            [B, 3, H, W] in -1 to 1.
        """
        weight = self.first.weight  # [Z, C, 4, 4]
        flat_BF = F.linear(z_BZ, weight.flatten(1).t())
        x_BCHW = flat_BF.view(-1, *weight.shape[1:]).to(memory_format=torch.channels_last)
        x_BCHW = F.relu(self.first_norm(x_BCHW), inplace=True)
        return torch.tanh(self.picture(self.layers(x_BCHW)).float())


class Discriminator(nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["gan", "from-scratch"]):
    """From a picture to a score: halved in size by each strided convolution down to 4 by 4.

    Leaky relu after every layer, batch norm after all but the first and the last. Batch norm takes away what
    all pictures of a batch share, real ones and made ones each for themselves: a background that is the
    same too bright everywhere goes unseen. Without it (`norm="none"`, a bias instead) a score is a function
    of its own picture alone, which is also what a penalty on its gradient supposes.

    Args:
        config: its shape; 2.8 million parameters for 64 pixels.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 3.
    """

    def __init__(self, config: DcganConfig):
        super().__init__()
        self.config = config
        *_, widest = widths = config.widths
        evened = config.norm == "batch"
        layers: list[nn.Module] = [
            nn.Conv2d(NUM_CHANNELS, widths[0], KERNEL, stride=2, padding=1, bias=not evened),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        for width, next_width in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(width, next_width, KERNEL, stride=2, padding=1, bias=not evened),
                *([nn.BatchNorm2d(next_width)] if evened else []),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.score = nn.Conv2d(widest, 1, FIRST_SIZE, bias=False)
        initialize(self)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Scores [B], logits: above 0 it takes a picture for real.

        Args:
            x_BCHW: pictures in -1 to 1.
        """
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        return self.score(self.layers(x_BCHW)).flatten().float()


@torch.no_grad()
def initialize(network: nn.Module, rng: torch.Generator | None = None) -> None:
    """All weights from a normal distribution of standard deviation 0.02; batch norm's scales around 1.

    Args:
        network: of convolutions and batch norms.
        rng: on the CPU; None for torch's own stream, which everything in the process shares.

    Source:
        Radford et al. 2015, arXiv:1511.06434, section 4; the scales: its authors' code.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.weight.normal_(std=0.02, generator=rng)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.normal_(mean=1.0, std=0.02, generator=rng)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
