"""Text to image: a conditional generator with cross-attention to the caption, and its discriminator.

The generator is a Transformer over a grid of 8 by 8 positions, each block with self-attention of the
positions and cross-attention to the tokens of the caption; transposed convolutions upsample the grid to the
image. Self-attention of the tokens comes first. The discriminator is DCGAN's, conditioned on the caption's
embedding.
"""

# Shapes: B batch, T tokens of a caption, C features of a position or token, E dimensions of a caption's
# embedding, Z latent features, P positions, H rows, W columns.

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.images.dcgan import KERNEL, NUM_CHANNELS, SLOPE, initialize
from aigc_demo.nets.options import DISCRIMINATOR_NORMS
from aigc_demo.nets.text import transformer
from aigc_demo.nets.text.attention import MultiHeadAttention
from aigc_demo.nets.text.rotary import rotary_angles
from aigc_demo.nets.text.transformer import Block, FeedForward, RMSNorm, TransformerConfig
from aigc_demo.nets.text_to_image.contrastive import MAX_SCALE

GRID = 8
INITIAL_SCALE = 10.0  # of the cosine similarity in a score


@dataclass(frozen=True)
class ConditionalConfig(Settings):
    """Sizes of either network; `part` names which."""

    image_size: int = setting(64, "height and width of an image", choices=(32, 64))
    latent_size: int = setting(64, "dimension of the latent", low=1, high=4096)
    token_size: int = setting(128, "features of a token of the text encoder", low=8, high=2048)
    text_size: int = setting(128, "dimension of a caption's embedding", low=8, high=2048)
    hidden_size: int = setting(128, "features of a position", low=16, high=1024)
    num_layers: int = setting(3, "blocks of self-attention and cross-attention", low=1, high=24)
    reading_layers: int = setting(0, "blocks of self-attention over the caption's tokens", low=0, high=24)
    context_length: int = setting(48, "tokens of a caption at most", low=2, high=1024)
    num_heads: int = setting(4, "attention heads of a block", low=1, high=32)
    num_features: int = setting(32, "feature maps of the discriminator's first layer", low=4, high=512)
    norm: str = setting("batch", "normalization of the discriminator's layers", choices=DISCRIMINATOR_NORMS)
    recipe: str = setting("text2image", "the recipe that trains it")
    part: str = setting("generator", "which of the two networks", choices=("generator", "discriminator"))

    @property
    def transformer(self) -> TransformerConfig:
        """Sizes of the generator's blocks."""
        return TransformerConfig(
            context_length=GRID * GRID, num_heads=self.num_heads, hidden_size=self.hidden_size
        )

    @property
    def reading(self) -> TransformerConfig:
        """Sizes of the blocks over the caption's tokens."""
        return TransformerConfig(
            context_length=self.context_length,
            num_layers=self.reading_layers,
            num_heads=self.num_heads,
            hidden_size=self.hidden_size,
            mlp_size=2 * self.hidden_size,
        )


class CrossAttentionBlock(nn.Module):
    """Self-attention of the positions, cross-attention to the tokens, feed-forward, each with a residual.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1, the decoder's layer without the causal mask.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        size = config.hidden_size
        # Names of modules stay as they are: they are the keys of the shipped weights.
        self.place_norm, self.word_norm, self.thought_norm = (RMSNorm(size) for _ in range(3))
        self.places = MultiHeadAttention(size, config.num_heads, normalize_qk=True)
        self.words = MultiHeadAttention(size, config.num_heads, normalize_qk=True)
        self.thought = FeedForward(config)

    def forward(
        self, x_BPC: Tensor, words_BTC: Tensor, mask: Tensor, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """[B, P, C].

        Args:
            x_BPC: the positions, which the queries come from.
            words_BTC: the tokens, which keys and values come from.
            mask: True where there is a token, [B, 1, 1, T].
            attention_out: the cross-attention weights [B, heads, P, T] are appended to it.
        """
        x_BPC = x_BPC + self.places(self.place_norm(x_BPC))
        x_BPC = x_BPC + self.words(
            self.word_norm(x_BPC), memory_BSC=words_BTC, mask=mask, weights_out=attention_out
        )
        return x_BPC + self.thought(self.thought_norm(x_BPC))


class CaptionEncoder(nn.Module):
    """Blocks of self-attention over the caption's tokens, trained with the generator.

    The tokens come from the text encoder of a dual encoder, which is frozen. It was trained to summarize a
    caption, for which it need not represent how the objects are placed to each other; the generator needs it.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: TransformerConfig):
        super().__init__()
        cos, sin = rotary_angles(config.context_length, config.head_size)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        transformer.initialize(self, config)

    def forward(self, words_BTC: Tensor, mask_BT: Tensor) -> Tensor:
        """[B, T, C], meaningless where the mask is False."""
        T = words_BTC.shape[1]
        rotary = self.cos[:T].to(words_BTC.dtype), self.sin[:T].to(words_BTC.dtype)
        for block in self.blocks:
            words_BTC = block(words_BTC, mask=mask_BT[:, None, None], rotary=rotary)
        return words_BTC


class ConditionalGenerator(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["text-to-image", "from-scratch"]
):
    """From a latent and a caption to an image."""

    def __init__(self, config: ConditionalConfig):
        super().__init__()
        self.config = config
        size = config.hidden_size
        # Names of modules stay as they are: they are the keys of the shipped weights.
        self.place = nn.Parameter(torch.empty(GRID * GRID, size))
        self.noise = nn.Linear(config.latent_size, size)
        self.word = nn.Linear(config.token_size, size)
        self.sentence = nn.Linear(config.text_size, size)
        self.reader = CaptionEncoder(config.reading) if config.reading_layers else None
        self.blocks = nn.ModuleList(CrossAttentionBlock(config.transformer) for _ in range(config.num_layers))
        self.norm = RMSNorm(size)
        steps = (config.image_size // GRID).bit_length() - 2
        widths = [size // 2**step for step in range(steps + 1)]
        layers: list[nn.Module] = []
        for width, next_width in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(width, next_width, KERNEL, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(next_width),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.picture = nn.ConvTranspose2d(widths[-1], NUM_CHANNELS, KERNEL, stride=2, padding=1)
        initialize(self)
        nn.init.normal_(self.place)
        for name, weight in self.blocks.named_parameters():
            if name.endswith("output.weight"):  # every block starts as the identity
                nn.init.zeros_(weight)

    def forward(
        self,
        z_BZ: Tensor,
        tokens_BTC: Tensor,
        mask_BT: Tensor,
        text_BE: Tensor,
        attention_out: list[Tensor] | None = None,
    ) -> Tensor:
        """Generate images.

        Args:
            z_BZ: latents from a standard normal distribution.
            tokens_BTC: the text encoder's output for each token.
            mask_BT: True where there is a token.
            text_BE: the captions' embeddings.
            attention_out: each block's cross-attention weights [B, heads, P, 1 + T] are appended to it; the
                first key is the embedding of the whole caption.

        Returns:
            [B, 3, H, W] in -1 to 1.
        """
        words_BTC = self.word(tokens_BTC)
        if self.reader is not None:
            words_BTC = self.reader(words_BTC, mask_BT)
        words_BTC = torch.cat([self.sentence(text_BE)[:, None], words_BTC], dim=1)
        mask = F.pad(mask_BT, (1, 0), value=True)[:, None, None]
        x_BPC = self.place + self.noise(z_BZ)[:, None]
        for block in self.blocks:
            x_BPC = block(x_BPC, words_BTC, mask, attention_out)
        x_BCHW = self.norm(x_BPC).transpose(1, 2).unflatten(2, (GRID, GRID))
        x_BCHW = x_BCHW.to(memory_format=torch.channels_last)
        return torch.tanh(self.picture(self.layers(x_BCHW)).float())


class ConditionalDiscriminator(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["text-to-image", "from-scratch"]
):
    """From an image and a caption to a score: is this a real image that matches the caption?

    DCGAN's discriminator down to feature maps of 4 by 4, where the caption's embedding is concatenated at
    every position. A linear layer of the same features gives an embedding of the image; its cosine similarity
    to the caption's embedding is added to the score.

    Source:
        Reed et al. 2016, arXiv:1605.05396, section 4.1 and figure 2, for the concatenation; Miyato and Koyama
        2018, arXiv:1802.05637, eq. 3, for the projection; Zhang et al. 2021, arXiv:2101.04702, section 4.2,
        for its contrastive loss (`nets/text_to_image/contrastive`).
    """

    def __init__(self, config: ConditionalConfig):
        super().__init__()
        self.config = config
        steps = (config.image_size // 4).bit_length() - 1
        widths = [config.num_features * 2**step for step in range(steps)]
        layers: list[nn.Module] = [
            nn.Conv2d(NUM_CHANNELS, widths[0], KERNEL, stride=2, padding=1, bias=False),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        normalized = config.norm == "batch"

        def norm(width: int) -> nn.Module:
            return nn.BatchNorm2d(width) if normalized else nn.Identity()

        for width, next_width in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(width, next_width, KERNEL, stride=2, padding=1, bias=not normalized),
                norm(next_width),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.text = nn.Linear(config.text_size, widths[-1])
        self.joined = nn.Sequential(
            nn.Conv2d(2 * widths[-1], widths[-1], 1, bias=not normalized),
            norm(widths[-1]),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.score = nn.Conv2d(widths[-1], 1, 4, bias=False)
        self.embedding = nn.Linear(widths[-1] * 16, config.text_size)
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))
        initialize(self)
        nn.init.normal_(self.embedding.weight, std=0.02)

    @property
    def scale(self) -> Tensor:
        """1 / temperature: the learned factor of the cosine similarity, at most 100."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def features(self, x_BCHW: Tensor) -> Tensor:
        """Feature maps of images, [B, C, 4, 4], without the text."""
        return self.layers(x_BCHW.contiguous(memory_format=torch.channels_last))

    def embed(self, features_BCHW: Tensor) -> Tensor:
        """Embeddings [B, E] of norm 1 of feature maps, in the space of the captions' embeddings."""
        return F.normalize(self.embedding(features_BCHW.flatten(1)).float(), dim=-1)

    def logits(self, features_BCHW: Tensor, text_BE: Tensor) -> Tensor:
        """Scores [B] of feature maps, given the captions' embeddings."""
        text_BCHW = F.leaky_relu(self.text(text_BE), SLOPE)[..., None, None].expand_as(features_BCHW)
        joined_BCHW = torch.cat([features_BCHW, text_BCHW.to(features_BCHW.dtype)], dim=1)
        similarity_B = (self.embed(features_BCHW) * text_BE).sum(dim=1)
        return self.score(self.joined(joined_BCHW)).flatten().float() + self.scale * similarity_B

    def forward(self, x_BCHW: Tensor, text_BE: Tensor) -> Tensor:
        """Scores [B], logits: above 0, an image is more likely real and of its caption than not."""
        return self.logits(self.features(x_BCHW), text_BE)
