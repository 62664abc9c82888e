"""The word language model of PyTorch's examples: torch's own Transformer layers with a causal mask.

The library baseline of how a language model was written before GPT-2: sinusoidal positions, embeddings times
sqrt(C), a layer norm after each residual sum, ReLU. Only the sum of the parts is written here.
"""

# Shapes: B batch, T tokens, C features per token, V vocabulary.

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError


@dataclass(frozen=True)
class WordLMConfig(Settings):
    """Sizes of a word language model."""

    vocab_size: int = setting(256, "number of different tokens", low=2, high=1_000_000)
    context_length: int = setting(35, "context length in tokens", low=2, high=8192)
    num_layers: int = setting(2, "layers of the encoder", low=1, high=64)
    num_heads: int = setting(2, "attention heads of a layer", low=1, high=64)
    hidden_size: int = setting(200, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(None, "hidden features of the feed-forward layer; 4 hidden_size", low=8)
    dropout: float = setting(0.2, "dropout probability", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix for the token embedding and the output layer")
    recipe: str = setting("word-lm", "the recipe that trains it")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % 2:  # a sine and a cosine for each frequency
            raise InputError("setting_range", name="hidden_size", expected="even", got=self.hidden_size)
        if self.hidden_size % self.num_heads:
            raise InputError("heads_do_not_divide", hidden_size=self.hidden_size, num_heads=self.num_heads)


def sinusoidal_positions(num_positions: int, num_features: int) -> Tensor:
    """The encoding of each position: sin(t w_i) and cos(t w_i) in turn, with w_i = 10000^(-2 i / C).

    Returns:
        [T, C], each number from -1 to 1.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    frequency_I = torch.exp(torch.arange(0, num_features, 2) * (-math.log(10000.0) / num_features))
    angle_TI = torch.arange(num_positions)[:, None] * frequency_I
    return torch.stack((angle_TI.sin(), angle_TI.cos()), dim=-1).flatten(1)


class WordLM(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["text-generation"],
):
    """`torch.nn.TransformerEncoder` with a causal mask, as a language model.

    Source:
        https://github.com/pytorch/examples, word_language_model, class TransformerModel.
    """

    # As in nets.text.transformer.Decoder.
    _no_split_modules = ("TransformerEncoderLayer",)
    positions_TC: Tensor

    def __init__(self, config: WordLMConfig):
        super().__init__()
        self.config = config
        size = config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, size)
        self.register_buffer(
            "positions_TC", sinusoidal_positions(config.context_length, size), persistent=False
        )
        self.dropout = nn.Dropout(config.dropout)
        layer = nn.TransformerEncoderLayer(
            size, config.num_heads, config.mlp_size or 4 * size, config.dropout, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.head = None if config.tie_embeddings else nn.Linear(size, config.vocab_size, bias=False)
        self._initialize()

    def forward(self, ids_BT: Tensor) -> Tensor:
        """The logits of the next token, at every position: [B, T, V], float32.

        Args:
            ids_BT: token ids.

        Raises:
            ValueError: more tokens than context_length.
        """
        T, config = ids_BT.shape[1], self.config
        if config.context_length < T:
            raise ValueError(f"{T} tokens do not fit a context of {config.context_length}")
        x_BTC = self.dropout(self.embedding(ids_BT) * math.sqrt(config.hidden_size) + self.positions_TC[:T])
        mask_TT = nn.Transformer.generate_square_subsequent_mask(T, x_BTC.device, x_BTC.dtype)
        x_BTC = self.encoder(x_BTC, mask_TT, is_causal=True)
        weight_VC = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(x_BTC, weight_VC, self.bias).float()

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @torch.no_grad()
    def _initialize(self) -> None:
        """As the example: embeddings and output layer from -0.1 to 0.1.

        torch draws one layer and copies it; here each has its own weights, from the same distribution.
        """
        for weight in (self.embedding.weight, *(() if self.head is None else (self.head.weight,))):
            weight.uniform_(-0.1, 0.1)
        for layer in self.encoder.layers:
            for parameter in layer.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
