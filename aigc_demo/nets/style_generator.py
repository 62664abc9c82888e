"""A generator that is told its style layer by layer: coarse layers lay out, fine ones paint.

A mapping network makes a style w of the latent z; each layer of the synthesis reads its own row of styles
and multiplies its input's channels by what it reads. Rows of different pictures can be put together.
"""

# Shapes: B pictures, Z numbers of a latent, W numbers of a style, L styles of a picture, C channels in,
# O channels out, H rows, V columns (W is the style).

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting

# A leaky rectifier of slope 0.2 keeps about half of the variance; the root of 2 brings it back.
SLOPE, GAIN = 0.2, math.sqrt(2)
MAPPING_RATE = 0.01
MEAN_MEMORY = 0.995


@dataclass(frozen=True)
class StyleConfig(Settings):
    """The shape of a style-based generator."""

    image_size: int = setting(32, "rows and columns of a picture", choices=(32, 64))
    latent_size: int = setting(64, "random numbers that a picture is made of", low=2, high=1024)
    style_size: int = setting(64, "numbers of a style", low=2, high=1024)
    num_mapping_layers: int = setting(4, "layers between latent and style", low=1, high=16)
    width: int = setting(
        32, "channels of the last layer; twice as many for each halving, eight times at most", low=4, high=256
    )
    recipe: str = setting("stylegan", "the recipe that trains it")
    part: str = setting(
        "generator", "which of the two networks it is", choices=("generator", "discriminator")
    )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows of a picture as it grows: 4, 8, ... image_size."""
        return tuple(2**power for power in range(2, self.image_size.bit_length()))

    def channels(self, size: int) -> int:
        """C where a picture has so many rows."""
        return self.width * min(8, self.image_size // size)

    @property
    def num_styles(self) -> int:
        """L: one for each convolution, and one for the last colours."""
        return 2 * len(self.sizes)


def _layers_at(size: int) -> int:
    """Convolutions where a picture has so many rows: one that it grows by, and one more."""
    return 1 if size == 4 else 2


class EqualizedLinear(nn.Module):
    """A linear layer whose weights are all of size 1 and are scaled where they are used.

    y = rate (x A^T / sqrt(inputs) + b), with A drawn from N(0, 1) / rate: an optimizer that takes steps of
    one size (Adam) then teaches wide and narrow layers at one speed, and this one at `rate` times it.

    Args:
        inputs: numbers in.
        outputs: numbers out.
        rate: how fast it learns, compared with the others.
        bias: what every b makes of its output at the start.

    Source:
        Karras et al. 2018, arXiv:1710.10196, section 4.1; the rate is from arXiv:1812.04948, appendix C.
    """

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x_BC: Tensor) -> Tensor:
        return F.linear(x_BC, self.weight * self.scale, self.bias * self.rate)


def modulated_convolution(x_BCHV: Tensor, weight_OCKK: Tensor, style_BC: Tensor) -> Tensor:
    """Convolve with weights that each picture's style has scaled, before demodulation: conv(s x, A).

    Scaling the input's channels gives the same numbers as scaling the weights' (convolution is linear),
    and all pictures share one convolution; with weights of their own they would need one each.
    """
    return F.conv2d(x_BCHV * style_BC[:, :, None, None].to(x_BCHV.dtype), weight_OCKK, padding="same")


def demodulation(weight_OCKK: Tensor, style_BC: Tensor) -> Tensor:
    """What brings each output channel back to the size of the input, whatever the style.

    1 / sqrt(sum over c, k of (s_c A_ock)^2 + eps): the output has variance 1 where the input's numbers are
    independent and have it.

    Returns:
        [B, O].

    Source:
        Karras et al. 2020, arXiv:1912.04958, eq. 3.
    """
    energy_OC = weight_OCKK.square().sum(dim=(2, 3))
    return (style_BC.square() @ energy_OC.T + 1e-8).rsqrt()


class StyledLayer(nn.Module):
    """A modulated convolution, perhaps twice the rows, noise, bias, leaky rectifier.

    Where a picture grows it is convolved first, which costs a quarter, and then interpolated (weights 1/4
    and 3/4, as the filter of the source). No scale equalises these weights: demodulation divides by their
    size anyway.

    Args:
        style_size: W.
        inputs: C.
        outputs: O.
        grows: twice the rows and columns come out.

    Source:
        Karras et al. 2020, arXiv:1912.04958, figure 2d.
    """

    def __init__(self, style_size: int, inputs: int, outputs: int, *, grows: bool):
        super().__init__()
        self.grows = grows
        self.style = EqualizedLinear(style_size, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x_BCHV: Tensor, w_BW: Tensor, noise_BHV: Tensor | None) -> Tensor:
        style_BC = self.style(w_BW)
        x_BOHV = modulated_convolution(x_BCHV, self.weight, style_BC)
        if self.grows:
            x_BOHV = F.interpolate(x_BOHV, scale_factor=2, mode="bilinear")
        # The gain goes into all factors, since a leaky rectifier does not mind positive ones.
        factor_BO = (GAIN * demodulation(self.weight, style_BC)).to(x_BOHV.dtype)
        bias_O = (GAIN * self.bias).to(x_BOHV.dtype)
        x_BOHV = torch.addcmul(bias_O[:, None, None], x_BOHV, factor_BO[:, :, None, None])
        if noise_BHV is not None:
            x_BOHV = x_BOHV.add_((GAIN * self.noise_strength * noise_BHV[:, None]).to(x_BOHV.dtype))
        return F.leaky_relu(x_BOHV, SLOPE, inplace=True)


class ToRGB(nn.Module):
    """Three colours of C channels at every place, with weights that the style has scaled.

    Not demodulated: how strong a colour is may be the style's affair.
    """

    def __init__(self, style_size: int, inputs: int):
        super().__init__()
        self.style = EqualizedLinear(style_size, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs))
        self.bias = nn.Parameter(torch.zeros(3))
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x_BCHV: Tensor, w_BW: Tensor) -> Tensor:
        # One place has no neighbours here, so weights for each picture are but a product of matrices.
        weight_BC3 = (self.weight * self.scale * self.style(w_BW)[:, None]).transpose(1, 2).to(x_BCHV.dtype)
        colours_BHV3 = (x_BCHV.permute(0, 2, 3, 1).flatten(1, 2) @ weight_BC3).unflatten(1, x_BCHV.shape[2:])
        return colours_BHV3.permute(0, 3, 1, 2) + self.bias[:, None, None].to(colours_BHV3.dtype)


class StyleGenerator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["unconditional-image-generation", "from-scratch"],
):
    """From a latent to a picture, by way of one style for each layer.

    Departures from the source: fewer layers and channels, no filter before the interpolation, and a
    hyperbolic tangent at the end, so that a picture is in [-1, 1] whatever the weights.

    Args:
        config: its shape.

    Source:
        Karras et al. 2019, arXiv:1812.04948, for mapping, styles, noise, truncation and mixing; Karras et
        al. 2020, arXiv:1912.04958, for demodulation and the sum of colours of all sizes.
    """

    mean_style: Tensor

    def __init__(self, config: StyleConfig):
        super().__init__()
        self.config = config
        wide = config.style_size
        self.mapping = nn.ModuleList(
            EqualizedLinear(wide if layer else config.latent_size, wide, rate=MAPPING_RATE)
            for layer in range(config.num_mapping_layers)
        )
        self.register_buffer("mean_style", torch.zeros(wide))
        self.constant = nn.Parameter(torch.randn(1, config.channels(4), 4, 4))
        self.layers, self.colours = nn.ModuleList(), nn.ModuleList()
        before = config.channels(4)
        for size in config.sizes:
            here = config.channels(size)
            if size > 4:
                self.layers.append(StyledLayer(wide, before, here, grows=True))
            self.layers.append(StyledLayer(wide, here, here, grows=False))
            self.colours.append(ToRGB(wide, here))
            before = here
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, z_BZ: Tensor, noise: torch.Generator | None = None, truncation: float = 1.0) -> Tensor:
        """Pictures [B, 3, H, V] in [-1, 1]: `synthesize(styles(z, truncation), noise)`."""
        return self.synthesize(self.styles(z_BZ, truncation), noise)

    def styles(self, z_BZ: Tensor, truncation: float = 1.0) -> Tensor:
        """The styles of a picture, at first the same for each of its layers.

        In training the mean of all styles is followed along the way (a buffer, saved with the weights).

        Args:
            z_BZ: latents from a normal distribution; only their direction counts.
            truncation: psi; styles come nearer to their mean, mean + psi (w - mean): 1 leaves them where
                they are, 0 gives the mean picture. Less variety, fewer failures.

        Returns:
            w [B, L, W]; a picture's rows may be exchanged for another's, the first ones for its layout,
            the last ones for its colours.
        """
        w_BW = F.rms_norm(z_BZ.float(), z_BZ.shape[1:], eps=1e-8).to(self.constant.dtype)
        for layer in self.mapping:
            w_BW = F.leaky_relu(layer(w_BW), SLOPE) * GAIN
        if self.training:
            self._follow(w_BW.detach())
        if truncation != 1:
            w_BW = torch.lerp(self.mean_style.to(w_BW.dtype), w_BW, truncation)
        return w_BW[:, None].expand(-1, self.config.num_styles, -1)

    def synthesize(self, w_BLW: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """Pictures of styles.

        Args:
            w_BLW: one style for each layer.
            noise: the stream, on the CPU, that every layer's noise is drawn from: hair, leaves, grain;
                None for none, which is the same picture each time.

        Returns:
            x [B, 3, H, V] in [-1, 1], in the dtype of the weights (or of autocast).

        Raises:
            ValueError: the number of styles is not that of the layers.
        """
        if w_BLW.shape[1:] != (self.config.num_styles, self.config.style_size):
            expected = f"({self.config.num_styles}, {self.config.style_size})"
            raise ValueError(f"styles of {tuple(w_BLW.shape[1:])} for layers of {expected}")
        row, layers, noises = 0, iter(self.layers), iter(self._noise(w_BLW, noise))
        x = self.constant.expand(len(w_BLW), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        picture = x.new_zeros(len(w_BLW), 3, 2, 2)  # nothing yet
        for size, to_colours in zip(self.config.sizes, self.colours, strict=True):
            for _ in range(_layers_at(size)):
                x = next(layers)(x, w_BLW[:, row], next(noises))
                row += 1
            # Colours read the style of the layer that comes next, as in the source.
            colours = to_colours(x, w_BLW[:, row])
            picture = colours + F.interpolate(picture, scale_factor=2, mode="bilinear").to(colours.dtype)
        return picture.tanh()

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _noise(self, w_BLW: Tensor, rng: torch.Generator | None) -> list[Tensor | None]:
        """[B, H, V] for each layer, drawn at once."""
        sizes = [size for size in self.config.sizes for _ in range(_layers_at(size))]
        if rng is None:
            return [None] * len(sizes)
        drawn = torch.randn(len(w_BLW), sum(size * size for size in sizes), generator=rng)
        parts = drawn.to(w_BLW.device).split([size * size for size in sizes], dim=1)
        return [part.unflatten(1, (size, size)) for part, size in zip(parts, sizes, strict=True)]

    @torch.no_grad()
    def _follow(self, w_BW: Tensor) -> None:
        mean_W = w_BW.mean(dim=0).to(self.mean_style.dtype)
        self.mean_style.lerp_(mean_W, 1 - MEAN_MEMORY)
