"""A dual encoder: a text and a picture become two vectors, near each other if they belong together.

It is learned from pairs alone: in a batch each caption has to find its picture among all, and each picture
its caption (`contrastive_loss`).
"""

# Shapes: B pairs, T tokens, C features of a token, E numbers of an embedding, N captions or pictures,
# H rows, W columns.

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.attention import matmul_dtype
from aigc_demo.nets.image_encoder import Stage
from aigc_demo.nets.rotary import rotary_angles
from aigc_demo.nets.transformer import Block, TransformerConfig, initialize, norm

PADDING = 0  # the token that stands where a caption has ended; also unknown words, which say nothing either
MAX_SCALE = 100.0
INITIAL_SCALE = 1 / 0.07


@dataclass(frozen=True)
class DualEncoderConfig(Settings):
    """The shape of both encoders."""

    vocab_size: int = setting(256, "number of different tokens", low=2, high=1_000_000)
    context_length: int = setting(48, "tokens of a caption", low=2, high=512)
    num_layers: int = setting(3, "blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attentions side by side in a block", low=1, high=64)
    hidden_size: int = setting(128, "features of a token", low=8, high=2048)
    image_size: int = setting(64, "rows and columns of a picture", choices=(32, 64))
    width: int = setting(32, "channels of the picture encoder's first stage", low=8, high=256)
    embedding_size: int = setting(128, "numbers that stand for a text or a picture", low=8, high=2048)
    recipe: str = setting("clip", "the recipe that trains it")

    @property
    def transformer(self) -> TransformerConfig:
        """The shape of the text encoder's blocks."""
        return TransformerConfig(
            vocab_size=self.vocab_size,
            context_length=self.context_length,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            hidden_size=self.hidden_size,
        )


class TextEncoder(nn.Module):
    """A Transformer that reads in both directions, made of the language model's blocks.

    Args:
        config: its shape.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1, for an encoder.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        cos, sin = rotary_angles(config.context_length, config.head_size)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = norm(config)
        initialize(self, config)

    def forward(self, ids_BT: Tensor, attention_out: list[Tensor] | None = None) -> Tensor:
        """What each token means where it stands.

        Args:
            ids_BT: token ids, `PADDING` after a caption's last.
            attention_out: filled with each layer's attention weights [B, heads, T, T], if given.

        Returns:
            [B, T, C]; what stands at padding means nothing.
        """
        seen_BT = token_mask(ids_BT)
        x_BTC = self.embedding(ids_BT)
        dtype = matmul_dtype(x_BTC)
        T = ids_BT.shape[1]
        rotary = self.cos[:T].to(dtype), self.sin[:T].to(dtype)
        mask = seen_BT[:, None, None, :]
        for block in self.blocks:
            x_BTC = block(x_BTC, mask=mask, rotary=rotary, weights_out=attention_out)
        return self.norm(x_BTC)


class ImageTower(nn.Module):
    """Convolution and pooling down to 4 by 4 places, all of which count: left is not right.

    Args:
        config: its shape.
    """

    def __init__(self, config: DualEncoderConfig):
        super().__init__()
        widths = [config.width * n for n in (1, 2, 4, 4)]
        pools = (config.image_size // 16, 2, 2, 1)
        self.stages = nn.Sequential(*map(Stage, (3, *widths[:-1]), widths, pools))
        self.output = nn.Linear(widths[-1] * 16, config.embedding_size)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """[B, E] for pictures in -1 to 1."""
        return self.output(self.stages(x_BCHW.to(memory_format=torch.channels_last)).flatten(1))


class DualEncoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["zero-shot-image-classification", "from-scratch"],
):
    """Texts and pictures as vectors of length 1 in one space.

    Args:
        config: its shape.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.3 and figure 3.
    """

    def __init__(self, config: DualEncoderConfig):
        super().__init__()
        self.config = config
        self.text_encoder = TextEncoder(config.transformer)
        self.text_output = nn.Linear(config.hidden_size, config.embedding_size, bias=False)
        self.picture_tower = ImageTower(config)
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))

    def embed_text(self, ids_BT: Tensor) -> Tensor:
        """Vectors [B, E] of length 1 for captions."""
        return self.pool_text(self.text_encoder(ids_BT), ids_BT)

    def pool_text(self, tokens_BTC: Tensor, ids_BT: Tensor) -> Tensor:
        """Vectors [B, E] of length 1 for what the text encoder made of captions: the mean of their tokens."""
        seen_BT1 = token_mask(ids_BT)[..., None]
        mean_BC = (tokens_BTC * seen_BT1).sum(1) / seen_BT1.sum(1)
        return F.normalize(self.text_output(mean_BC).float(), dim=-1)

    def embed_images(self, x_BCHW: Tensor) -> Tensor:
        """Vectors [B, E] of length 1 for pictures in -1 to 1."""
        return F.normalize(self.picture_tower(x_BCHW).float(), dim=-1)

    @property
    def scale(self) -> Tensor:
        """1 / temperature: what products of two vectors are multiplied by; learned, at most 100."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def forward(self, ids_NT: Tensor, x_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of texts [N, E], of pictures [B, E], and the scale of their products."""
        return self.embed_text(ids_NT), self.embed_images(x_BCHW), self.scale

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())


def token_mask(ids_BT: Tensor) -> Tensor:
    """Where a caption's tokens are, as truths [B, T]; the first place always counts as one."""
    seen_BT = ids_BT != PADDING
    seen_BT[:, 0] = True
    return seen_BT


def contrastive_loss(
    text_NE: Tensor, picture_BE: Tensor, scale: Tensor, same_BN: Tensor | None = None
) -> Tensor:
    """How hard it is to find the caption of each picture and the picture of each caption, in nats (InfoNCE).

    With products s_ij = scale p_i t_j: the mean over i of -log(exp(s_ii) / sum over j of exp(s_ij)), once
    along the texts and once along the pictures; half of both.

    Args:
        text_NE: of length 1; the first B belong to the pictures, in their order, the others to none: a
            picture has to tell them from its own.
        picture_BE: of length 1.
        scale: 1 / temperature.
        same_BN: true where a caption that is not a picture's own describes it too; such count as neither
            right nor wrong.

    Returns:
        A single number; log B where nothing is known of B pairs.

    Source:
        van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Radford et al. 2021, arXiv:2103.00020, figure 3.
    """
    num_pairs = len(picture_BE)
    own_B = torch.arange(num_pairs, device=text_NE.device)
    logits_BN = scale * picture_BE @ text_NE.t()
    if same_BN is not None:
        others_BN = same_BN.clone()
        others_BN[own_B, own_B] = False
        logits_BN = logits_BN.masked_fill(others_BN, -math.inf)
    to_text = F.cross_entropy(logits_BN, own_B)
    to_picture = F.cross_entropy(logits_BN[:, :num_pairs].t(), own_B)
    return (to_text + to_picture) / 2


def hard_negative_loss(own_BE: Tensor, wrong_BKE: Tensor, picture_BE: Tensor, scale: Tensor) -> Tensor:
    """How hard it is to tell the caption of each picture from nearly right ones alone, in nats.

    Among a whole batch the few captions with the same words hardly count; here nothing but the order in which
    words belong together can help.

    Args:
        own_BE: captions of the pictures, of length 1.
        wrong_BKE: K nearly right ones of each picture.
        picture_BE: of length 1.
        scale: 1 / temperature.

    Returns:
        A single number; log(1 + K) where nothing is known.

    Source:
        Yuksekgonul et al. 2023, arXiv:2210.01936, section 4, for nearly right captions in a contrastive loss.
    """
    text_BKE = torch.cat([own_BE[:, None], wrong_BKE], dim=1)
    logits_BK = scale * (text_BKE @ picture_BE[..., None]).squeeze(-1)
    return F.cross_entropy(logits_BK, torch.zeros(len(logits_BK), dtype=torch.int64, device=own_BE.device))
