"""A style-based generator (StyleGAN): every layer is modulated by a style; coarse layers set the layout.

A mapping network turns the latent z into a style w. Each layer of the synthesis network scales its input
channels by an affine function of its own style. The styles of several images can be mixed by layers.
"""

# Shapes: B batch, Z latent features, W features of a style, L styles of an image, C input channels,
# O output channels, H rows, V columns (W is the style), K kernel size.

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting

# A leaky ReLU of slope 0.2 keeps about half of the variance; the gain restores it.
SLOPE, GAIN = 0.2, math.sqrt(2)
MAPPING_LR_MULTIPLIER = 0.01
MEAN_STYLE_DECAY = 0.995  # of its exponential moving average


@dataclass(frozen=True)
class StyleConfig(Settings):
    """Sizes of a style-based generator."""

    image_size: int = setting(32, "height and width of an image", choices=(32, 64))
    latent_size: int = setting(64, "dimension of the latent", low=2, high=1024)
    style_size: int = setting(64, "dimension of a style", low=2, high=1024)
    num_mapping_layers: int = setting(4, "layers of the mapping network", low=1, high=16)
    width: int = setting(
        32, "channels of the last layer; twice as many for each halving, eight times at most", low=4, high=256
    )
    recipe: str = setting("stylegan", "the recipe that trains it")
    part: str = setting("generator", "which of the two networks", choices=("generator", "discriminator"))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Resolutions of the synthesis network: 4, 8, ... image_size."""
        return tuple(2**power for power in range(2, self.image_size.bit_length()))

    def channels(self, size: int) -> int:
        """Channels at a resolution."""
        return self.width * min(8, self.image_size // size)

    @property
    def num_styles(self) -> int:
        """L: one for each convolution, and one for the last ToRGB."""
        return 2 * len(self.sizes)


def _layers_at(size: int) -> int:
    """Convolutions at a resolution: one that upsamples to it, and one more."""
    return 1 if size == 4 else 2


class EqualizedLinear(nn.Module):
    """A linear layer with an equalized learning rate: its weights are scaled in the forward pass.

    y = m (x A^T / sqrt(inputs) + b) with m = lr_multiplier, and A drawn from N(0, 1) / m. Adam's steps have
    the same size for all weights; scaled like this, wide and narrow layers learn at the same speed, and this
    one at m times that speed.

    Args:
        inputs: input features.
        outputs: output features.
        lr_multiplier: m, above 0.
        bias: the initial value of m b.

    Source:
        Karras et al. 2018, arXiv:1710.10196, section 4.1; m is from arXiv:1812.04948, appendix C.
    """

    def __init__(self, inputs: int, outputs: int, lr_multiplier: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr_multiplier))
        self.scale, self.lr_multiplier = lr_multiplier / math.sqrt(inputs), lr_multiplier

    def forward(self, x_BC: Tensor) -> Tensor:
        return F.linear(x_BC, self.weight * self.scale, self.bias * self.lr_multiplier)


def modulated_convolution(x_BCHV: Tensor, weight_OCKK: Tensor, style_BC: Tensor) -> Tensor:
    """Convolution with weights that each image's style scales, without demodulation: conv(s x, A).

    Scaling the input's channels is the same as scaling the weights' (convolution is linear), and the whole
    batch needs one convolution only.
    """
    return F.conv2d(x_BCHV * style_BC[:, :, None, None].to(x_BCHV.dtype), weight_OCKK, padding="same")


def demodulation(weight_OCKK: Tensor, style_BC: Tensor) -> Tensor:
    """The factor of each output channel that undoes the style's scaling of the variance.

    1 / sqrt(sum over c, k of (s_c A_ock)^2 + eps): the output has variance 1 if the input has independent
    elements of variance 1.

    Returns:
        [B, O].

    Source:
        Karras et al. 2020, arXiv:1912.04958, eq. 3.
    """
    energy_OC = weight_OCKK.square().sum(dim=(2, 3))
    return (style_BC.square() @ energy_OC.T + 1e-8).rsqrt()


class StyledLayer(nn.Module):
    """Modulated convolution, optional upsampling, demodulation, noise, bias, leaky ReLU.

    Upsampling is bilinear interpolation (weights 1/4 and 3/4, as the filter of the source) after the
    convolution, which then has a quarter of the positions. The weights need no equalized learning rate:
    demodulation divides by their norm.

    Args:
        style_size: W.
        inputs: C.
        outputs: O.
        upsample: double height and width.

    Source:
        Karras et al. 2020, arXiv:1912.04958, figure 2d.
    """

    def __init__(self, style_size: int, inputs: int, outputs: int, *, upsample: bool):
        super().__init__()
        self.upsample = upsample
        self.style = EqualizedLinear(style_size, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x_BCHV: Tensor, w_BW: Tensor, noise_BHV: Tensor | None) -> Tensor:
        style_BC = self.style(w_BW)
        x_BOHV = modulated_convolution(x_BCHV, self.weight, style_BC)
        if self.upsample:
            x_BOHV = F.interpolate(x_BOHV, scale_factor=2, mode="bilinear")
        # The gain is applied before the leaky ReLU, which commutes with positive factors.
        factor_BO = (GAIN * demodulation(self.weight, style_BC)).to(x_BOHV.dtype)
        bias_O = (GAIN * self.bias).to(x_BOHV.dtype)
        x_BOHV = torch.addcmul(bias_O[:, None, None], x_BOHV, factor_BO[:, :, None, None])
        if noise_BHV is not None:
            x_BOHV = x_BOHV.add_((GAIN * self.noise_strength * noise_BHV[:, None]).to(x_BOHV.dtype))
        return F.leaky_relu(x_BOHV, SLOPE, inplace=True)


class ToRGB(nn.Module):
    """Modulated 1 x 1 convolution from C channels to RGB, not demodulated: the style sets the contrast."""

    def __init__(self, style_size: int, inputs: int):
        super().__init__()
        self.style = EqualizedLinear(style_size, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs))
        self.bias = nn.Parameter(torch.zeros(3))
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x_BCHV: Tensor, w_BW: Tensor) -> Tensor:
        # A 1 x 1 convolution with weights of its own for each image is a batched matrix product.
        weight_BC3 = (self.weight * self.scale * self.style(w_BW)[:, None]).transpose(1, 2).to(x_BCHV.dtype)
        colours_BHV3 = (x_BCHV.permute(0, 2, 3, 1).flatten(1, 2) @ weight_BC3).unflatten(1, x_BCHV.shape[2:])
        return colours_BHV3.permute(0, 3, 1, 2) + self.bias[:, None, None].to(colours_BHV3.dtype)


class StyleGenerator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["unconditional-image-generation", "from-scratch"],
):
    """From a latent to an image, with one style for each layer.

    Departures from the source: fewer layers and channels, no filter before the interpolation, and tanh at the
    end, so that the image is in [-1, 1].

    Source:
        Karras et al. 2019, arXiv:1812.04948, for mapping network, styles, noise, truncation and style mixing;
        Karras et al. 2020, arXiv:1912.04958, for demodulation and the skip connections from ToRGB layers.
    """

    mean_style: Tensor

    def __init__(self, config: StyleConfig):
        super().__init__()
        self.config = config
        wide = config.style_size
        self.mapping = nn.ModuleList(
            EqualizedLinear(wide if layer else config.latent_size, wide, lr_multiplier=MAPPING_LR_MULTIPLIER)
            for layer in range(config.num_mapping_layers)
        )
        self.register_buffer("mean_style", torch.zeros(wide))
        self.constant = nn.Parameter(torch.randn(1, config.channels(4), 4, 4))
        self.layers, self.colours = nn.ModuleList(), nn.ModuleList()
        before = config.channels(4)
        for size in config.sizes:
            here = config.channels(size)
            if size > 4:
                self.layers.append(StyledLayer(wide, before, here, upsample=True))
            self.layers.append(StyledLayer(wide, here, here, upsample=False))
            self.colours.append(ToRGB(wide, here))
            before = here
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, z_BZ: Tensor, noise: torch.Generator | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, 3, H, V] in [-1, 1]: `synthesize(styles(z, truncation), noise)`."""
        return self.synthesize(self.styles(z_BZ, truncation), noise)

    def styles(self, z_BZ: Tensor, truncation: float = 1.0) -> Tensor:
        """The mapping network: one style for each image, repeated for each layer.

        In training it also updates `mean_style`, an exponential moving average of w (a buffer, saved with the
        weights).

        Args:
            z_BZ: latents from a normal distribution; they are normalized, so only their direction matters.
            truncation: psi, 0 to 1; w becomes mean + psi (w - mean). A smaller psi gives less variety and
                fewer failures; 0 gives the mean image, 1 is no truncation.

        Returns:
            w [B, L, W]; for style mixing exchange rows between images: the first rows for layout, the last
            for colours.
        """
        w_BW = F.rms_norm(z_BZ.float(), z_BZ.shape[1:], eps=1e-8).to(self.constant.dtype)
        for layer in self.mapping:
            w_BW = F.leaky_relu(layer(w_BW), SLOPE) * GAIN
        if self.training:
            self._update_mean_style(w_BW.detach())
        if truncation != 1:
            w_BW = torch.lerp(self.mean_style.to(w_BW.dtype), w_BW, truncation)
        return w_BW[:, None].expand(-1, self.config.num_styles, -1)

    def synthesize(self, w_BLW: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """The synthesis network: generate images from styles.

        Args:
            w_BLW: one style for each layer.
            noise: the generator, on the CPU, of every layer's noise, which varies fine details; None for no
                noise.

        Returns:
            x [B, 3, H, V] in [-1, 1], in the dtype of the weights or of autocast.

        Raises:
            ValueError: w has not one style for each layer.
        """
        if w_BLW.shape[1:] != (self.config.num_styles, self.config.style_size):
            expected = f"({self.config.num_styles}, {self.config.style_size})"
            raise ValueError(f"styles of {tuple(w_BLW.shape[1:])} for layers of {expected}")
        row, layers, noises = 0, iter(self.layers), iter(self._noise(w_BLW, noise))
        x = self.constant.expand(len(w_BLW), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        image = x.new_zeros(len(w_BLW), 3, 2, 2)
        for size, to_rgb in zip(self.config.sizes, self.colours, strict=True):
            for _ in range(_layers_at(size)):
                x = next(layers)(x, w_BLW[:, row], next(noises))
                row += 1
            # ToRGB uses the style of the next layer, as in the source.
            colours = to_rgb(x, w_BLW[:, row])
            image = colours + F.interpolate(image, scale_factor=2, mode="bilinear").to(colours.dtype)
        return image.tanh()

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _noise(self, w_BLW: Tensor, rng: torch.Generator | None) -> list[Tensor | None]:
        """Noise [B, H, V] for each layer, or None, drawn at once."""
        sizes = [size for size in self.config.sizes for _ in range(_layers_at(size))]
        if rng is None:
            return [None] * len(sizes)
        drawn = torch.randn(len(w_BLW), sum(size * size for size in sizes), generator=rng)
        parts = drawn.to(w_BLW.device).split([size * size for size in sizes], dim=1)
        return [part.unflatten(1, (size, size)) for part, size in zip(parts, sizes, strict=True)]

    @torch.no_grad()
    def _update_mean_style(self, w_BW: Tensor) -> None:
        mean_W = w_BW.mean(dim=0).to(self.mean_style.dtype)
        self.mean_style.lerp_(mean_W, 1 - MEAN_STYLE_DECAY)
