"""Text to picture: a generator that asks the words at every place, and a discriminator that knows the text.

The words of a caption look at each other first. The generator draws on a grid of 8 by 8 places; each place
looks at the others and at the words (cross-attention), as often as there are blocks, and transposed
convolutions make the picture of what they agreed on. The discriminator is DCGAN's, told what the picture
should show.
"""

# Shapes: B pictures, T tokens of a caption, C features of a place, E numbers of a caption's embedding,
# Z latent features, P places, H rows, W columns.

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets import transformer
from aigc_demo.nets.attention import MultiHeadAttention
from aigc_demo.nets.contrastive import MAX_SCALE
from aigc_demo.nets.dcgan import KERNEL, NUM_CHANNELS, SLOPE, initialize
from aigc_demo.nets.options import DISCRIMINATOR_NORMS
from aigc_demo.nets.rotary import rotary_angles
from aigc_demo.nets.transformer import Block, FeedForward, RMSNorm, TransformerConfig

GRID = 8
INITIAL_SCALE = 10.0  # of products of embeddings in a score


@dataclass(frozen=True)
class ConditionalConfig(Settings):
    """The shape of either network; `part` says of which."""

    image_size: int = setting(64, "rows and columns of a picture", choices=(32, 64))
    latent_size: int = setting(64, "features of the noise that a picture is made from", low=1, high=4096)
    token_size: int = setting(128, "features of a token, as the text encoder has them", low=8, high=2048)
    text_size: int = setting(128, "numbers of a caption's embedding", low=8, high=2048)
    hidden_size: int = setting(128, "features of a place", low=16, high=1024)
    num_layers: int = setting(3, "how often each place asks the words", low=1, high=24)
    reading_layers: int = setting(0, "blocks in which the words look at each other first", low=0, high=24)
    context_length: int = setting(48, "tokens of a caption at most", low=2, high=1024)
    num_heads: int = setting(4, "attentions side by side", low=1, high=32)
    num_features: int = setting(32, "feature maps of the discriminator's first layer", low=4, high=512)
    norm: str = setting("batch", "what evens out the discriminator's layers", choices=DISCRIMINATOR_NORMS)
    recipe: str = setting("text2image", "the recipe that trains it")
    part: str = setting("generator", "which of the two", choices=("generator", "discriminator"))

    @property
    def transformer(self) -> TransformerConfig:
        """The shape of the generator's blocks."""
        return TransformerConfig(
            context_length=GRID * GRID, num_heads=self.num_heads, hidden_size=self.hidden_size
        )

    @property
    def reading(self) -> TransformerConfig:
        """The shape of the blocks for the words."""
        return TransformerConfig(
            context_length=self.context_length,
            num_layers=self.reading_layers,
            num_heads=self.num_heads,
            hidden_size=self.hidden_size,
            mlp_size=2 * self.hidden_size,
        )


class CrossAttentionBlock(nn.Module):
    """Each place looks at all places, then at the words, then thinks; each part is added to what was there.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1, the decoder's layer without its mask.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        size = config.hidden_size
        self.place_norm, self.word_norm, self.thought_norm = (RMSNorm(size) for _ in range(3))
        self.places = MultiHeadAttention(size, config.num_heads, normalize_qk=True)
        self.words = MultiHeadAttention(size, config.num_heads, normalize_qk=True)
        self.thought = FeedForward(config)

    def forward(
        self, x_BPC: Tensor, words_BTC: Tensor, mask: Tensor, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """The places, changed.

        Args:
            x_BPC: places.
            words_BTC: what they ask.
            mask: True where there is a word, [B, 1, 1, T].
            attention_out: takes how much each place took from each word, [B, heads, P, T].
        """
        x_BPC = x_BPC + self.places(self.place_norm(x_BPC))
        asked = self.words(self.word_norm(x_BPC), memory_BSC=words_BTC, mask=mask, weights_out=attention_out)
        x_BPC = x_BPC + asked
        return x_BPC + self.thought(self.thought_norm(x_BPC))


class CaptionEncoder(nn.Module):
    """The words look at each other once more, for who is to draw them.

    The dual encoder's own text encoder stays as it is, and it learned to sum a caption up: which thing is how
    placed to which other one it need not tell for that.

    Args:
        config: of the blocks.
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

    def forward(self, words_BTC: Tensor, seen_BT: Tensor) -> Tensor:
        """[B, T, C], of which only what is seen means anything."""
        T = words_BTC.shape[1]
        rotary = self.cos[:T].to(words_BTC.dtype), self.sin[:T].to(words_BTC.dtype)
        for block in self.blocks:
            words_BTC = block(words_BTC, mask=seen_BT[:, None, None], rotary=rotary)
        return words_BTC


class ConditionalGenerator(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["text-to-image", "from-scratch"]
):
    """From noise and a caption to a picture.

    Args:
        config: its shape.
    """

    def __init__(self, config: ConditionalConfig):
        super().__init__()
        self.config = config
        size = config.hidden_size
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
            if name.endswith("output.weight"):  # every block begins by adding nothing
                nn.init.zeros_(weight)

    def forward(
        self,
        z_BZ: Tensor,
        tokens_BTC: Tensor,
        seen_BT: Tensor,
        text_BE: Tensor,
        attention_out: list[Tensor] | None = None,
    ) -> Tensor:
        """Pictures for noise and captions.

        Args:
            z_BZ: drawn from a standard normal distribution.
            tokens_BTC: what the text encoder made of each token.
            seen_BT: where there is a token.
            text_BE: the captions' embeddings.
            attention_out: filled with what each block's places took from each word, [B, heads, P, 1 + T];
                the first is the caption as a whole.

        Returns:
            [B, 3, H, W] in -1 to 1.
        """
        words_BTC = self.word(tokens_BTC)
        if self.reader is not None:
            words_BTC = self.reader(words_BTC, seen_BT)
        words_BTC = torch.cat([self.sentence(text_BE)[:, None], words_BTC], dim=1)
        mask = F.pad(seen_BT, (1, 0), value=True)[:, None, None]
        x_BPC = self.place + self.noise(z_BZ)[:, None]
        for block in self.blocks:
            x_BPC = block(x_BPC, words_BTC, mask, attention_out)
        x_BCHW = self.norm(x_BPC).transpose(1, 2).unflatten(2, (GRID, GRID))
        x_BCHW = x_BCHW.to(memory_format=torch.channels_last)
        return torch.tanh(self.picture(self.layers(x_BCHW)).float())


class ConditionalDiscriminator(
    nn.Module, PyTorchModelHubMixin, library_name="aigc-demo", tags=["text-to-image", "from-scratch"]
):
    """From a picture and a caption to a score: is it a real picture of that?

    DCGAN's discriminator down to 4 by 4 places; there the caption's embedding joins every place. What is seen
    there also becomes an embedding of the picture, and the nearer that is to the caption's, the higher the
    score.

    Args:
        config: its shape.

    Source:
        Reed et al. 2016, arXiv:1605.05396, section 4.1 and figure 2, for the joining; Miyato and Koyama 2018,
        arXiv:1802.05637, eq. 3, for the product; Zhang et al. 2021, arXiv:2101.04702, section 4.2, for
        learning it by contrast (`nets/contrastive`).
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
        evened = config.norm == "batch"

        def norm(width: int) -> nn.Module:
            return nn.BatchNorm2d(width) if evened else nn.Identity()

        for width, next_width in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(width, next_width, KERNEL, stride=2, padding=1, bias=not evened),
                norm(next_width),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.text = nn.Linear(config.text_size, widths[-1])
        self.joined = nn.Sequential(
            nn.Conv2d(2 * widths[-1], widths[-1], 1, bias=not evened),
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
        """1 / temperature of the products of embeddings; learned, at most 100."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def features(self, x_BCHW: Tensor) -> Tensor:
        """What is on pictures, at 4 by 4 places; the text has no part in it."""
        return self.layers(x_BCHW.contiguous(memory_format=torch.channels_last))

    def embed(self, seen_BCHW: Tensor) -> Tensor:
        """Vectors [B, E] of length 1 of what was seen, near those of captions that fit."""
        return F.normalize(self.embedding(seen_BCHW.flatten(1)).float(), dim=-1)

    def logits(self, seen_BCHW: Tensor, text_BE: Tensor) -> Tensor:
        """Scores [B] of what was seen, for these captions."""
        text_BCHW = F.leaky_relu(self.text(text_BE), SLOPE)[..., None, None].expand_as(seen_BCHW)
        joined_BCHW = torch.cat([seen_BCHW, text_BCHW.to(seen_BCHW.dtype)], dim=1)
        likeness_B = (self.embed(seen_BCHW) * text_BE).sum(dim=1)
        return self.score(self.joined(joined_BCHW)).flatten().float() + self.scale * likeness_B

    def forward(self, x_BCHW: Tensor, text_BE: Tensor) -> Tensor:
        """Scores [B], logits: above 0 it takes a picture for a real one of its caption."""
        return self.logits(self.features(x_BCHW), text_BE)
