"""A dual encoder (CLIP): embeddings of texts and images in one space, near each other if they match.

It is trained on pairs of an image and a caption: in a batch, each caption has to be matched with its image,
and each image with its caption (`contrastive_loss`).
"""

# Shapes: B pairs, T tokens, C features of a token, E dimensions of an embedding, N captions or images,
# K negatives of an image, H rows, W columns.

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.nets.images.image_encoder import Stage
from aigc_demo.nets.text.bert import Encoder
from aigc_demo.nets.text.transformer import TransformerConfig

PADDING = 0  # the id of the padding token, and of unknown words, which are masked alike
MAX_SCALE, INITIAL_SCALE = 100.0, 1 / 0.07  # of the cosine similarities: 1 / temperature


@dataclass(frozen=True)
class DualEncoderConfig(Settings):
    """Sizes of both encoders."""

    vocab_size: int = setting(256, "number of different tokens", low=2, high=1_000_000)
    context_length: int = setting(48, "tokens of a caption at most", low=2, high=512)
    num_layers: int = setting(3, "blocks of the text encoder", low=1, high=24)
    num_heads: int = setting(4, "attention heads of a block", low=1, high=64)
    hidden_size: int = setting(128, "features of a token", low=8, high=2048)
    image_size: int = setting(64, "height and width of an image", choices=(32, 64))
    width: int = setting(32, "channels of the image encoder's first stage", low=8, high=256)
    embedding_size: int = setting(128, "dimension of the embedding", low=8, high=2048)
    recipe: str = setting("clip", "the recipe that trains it")

    @property
    def transformer(self) -> TransformerConfig:
        """Sizes of the text encoder's blocks."""
        return TransformerConfig(
            vocab_size=self.vocab_size,
            context_length=self.context_length,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            hidden_size=self.hidden_size,
        )


class ImageTower(nn.Module):
    """The image encoder: convolution and pooling down to 4 by 4, then a linear layer of all 16 positions.

    Unlike global average pooling, this keeps where in the image a feature is.
    """

    def __init__(self, config: DualEncoderConfig):
        super().__init__()
        widths = [config.width * n for n in (1, 2, 4, 4)]
        pools = (config.image_size // 16, 2, 2, 1)
        self.stages = nn.Sequential(*map(Stage, (3, *widths[:-1]), widths, pools))
        self.output = nn.Linear(widths[-1] * 16, config.embedding_size)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Embeddings [B, E] of images in -1 to 1, not normalized."""
        return self.output(self.stages(x_BCHW.to(memory_format=torch.channels_last)).flatten(1))


class DualEncoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["zero-shot-image-classification", "from-scratch"],
):
    """Texts and images as embeddings of norm 1 in one space.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.3 and figure 3.
    """

    def __init__(self, config: DualEncoderConfig):
        super().__init__()
        self.config = config
        self.text_encoder = Encoder(config.transformer)
        self.text_output = nn.Linear(config.hidden_size, config.embedding_size, bias=False)
        self.picture_tower = ImageTower(config)  # a key of the shipped weights
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))

    def embed_text(self, ids_BT: Tensor) -> Tensor:
        """Embeddings [B, E] of norm 1 of captions."""
        return self.pool_text(self.encode_text(ids_BT), ids_BT)

    def encode_text(self, ids_BT: Tensor) -> Tensor:
        """The contextual embedding of each token [B, T, C]; meaningless at padding."""
        return self.text_encoder(ids_BT, token_mask(ids_BT))

    def pool_text(self, tokens_BTC: Tensor, ids_BT: Tensor) -> Tensor:
        """Embeddings [B, E] of norm 1 from the text encoder's output: mean pooling over the tokens."""
        mask_BT1 = token_mask(ids_BT)[..., None]
        mean_BC = (tokens_BTC * mask_BT1).sum(1) / mask_BT1.sum(1)
        return F.normalize(self.text_output(mean_BC).float(), dim=-1)

    def embed_images(self, x_BCHW: Tensor) -> Tensor:
        """Embeddings [B, E] of norm 1 of images in -1 to 1."""
        return F.normalize(self.picture_tower(x_BCHW).float(), dim=-1)

    @property
    def scale(self) -> Tensor:
        """1 / temperature: the learned factor of the cosine similarities, at most 100."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def forward(self, ids_NT: Tensor, x_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings of texts [N, E] and of images [B, E], and the scale of their similarities."""
        return self.embed_text(ids_NT), self.embed_images(x_BCHW), self.scale

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def token_mask(ids_BT: Tensor) -> Tensor:
    """The padding mask [B, T]: True at tokens, False at padding; the first position is always True."""
    mask_BT = ids_BT != PADDING
    mask_BT[:, 0] = True
    return mask_BT


def contrastive_loss(
    text_NE: Tensor, image_BE: Tensor, scale: Tensor, same_BN: Tensor | None = None
) -> Tensor:
    """InfoNCE loss: cross-entropy of the matching caption and of the matching image, in nats.

    With logits s_ij = scale p_i t_j of image p_i and text t_j: the mean over i of
    -log(exp(s_ii) / sum over j of exp(s_ij)), once with the sum over texts and once over images; the mean of
    the two.

    Args:
        text_NE: of norm 1; the first B match the images, in their order, the others are negatives of all.
        image_BE: of norm 1.
        scale: 1 / temperature.
        same_BN: True where another caption also describes the image; it counts neither as a positive nor as a
            negative.

    Returns:
        A scalar; log B for B pairs with equal logits.

    Source:
        van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Radford et al. 2021, arXiv:2103.00020, figure 3.
    """
    num_pairs = len(image_BE)
    own_B = torch.arange(num_pairs, device=text_NE.device)
    logits_BN = scale * image_BE @ text_NE.t()
    if same_BN is not None:
        excluded_BN = same_BN.clone()
        excluded_BN[own_B, own_B] = False
        logits_BN = logits_BN.masked_fill(excluded_BN, -math.inf)
    to_text = F.cross_entropy(logits_BN, own_B)
    to_image = F.cross_entropy(logits_BN[:, :num_pairs].t(), own_B)
    return (to_text + to_image) / 2


def hard_negative_loss(own_BE: Tensor, wrong_BKE: Tensor, image_BE: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of the matching caption among hard negatives of the same image alone, in nats.

    Hard negatives have the words of the caption in another combination. In a whole batch they are few and
    contribute little; here only the relations between words can lower the loss.

    Args:
        own_BE: embeddings of the matching captions, of norm 1.
        wrong_BKE: embeddings of K hard negatives of each image, of norm 1.
        image_BE: of norm 1.
        scale: 1 / temperature.

    Returns:
        A scalar; log(1 + K) for equal logits.

    Source:
        Yuksekgonul et al. 2023, arXiv:2210.01936, section 4.
    """
    text_BKE = torch.cat([own_BE[:, None], wrong_BKE], dim=1)
    logits_BK = scale * (text_BKE @ image_BE[..., None]).squeeze(-1)
    return F.cross_entropy(logits_BK, torch.zeros(len(logits_BK), dtype=torch.int64, device=own_BE.device))
