"""The Transformer: token embedding, blocks of attention and feed-forward, output layer.

A block and its parts are shared by the decoder here, the encoder in `bert.py` and the encoder-decoder in
`seq2seq.py`. A style (`STYLES`) says which norm, activation and positions they have: "modern" is what this
project trains; the others compute exactly what GPT-2, the original Transformer and BERT do, so weights of
those run on this code (`gpt2_weights.py`, `bert_weights.py`).
"""

# Shapes: B batch, T tokens, S tokens including cached ones, C features per token, V vocabulary,
# H heads, D features per head.

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.nets.text.attention import KeyValueCache, MultiHeadAttention, matmul_dtype
from aigc_demo.nets.text.cpu_kernels import byte_dropout
from aigc_demo.nets.text.rotary import rotary_angles


@dataclass(frozen=True)
class Style:
    """What differs between families of Transformers.

    Attributes:
        activation: of the feed-forward layer, a key of `ACTIVATIONS`.
        positions: how order is encoded: rotary, learned or none.
        rms_norm: RMS norm, else layer norm.
        norm_eps: added to the variance.
        pre_norm: x + f(norm(x)), else norm(x + f(x)).
        embedding_norm: whether the sum of the embeddings is normalized.
        final_norm: whether the output of the last block is normalized.
        bias: of linear layers.
        normalize_qk: whether queries and keys are normalized.
    """

    activation: str
    positions: str = "learned"
    rms_norm: bool = False
    norm_eps: float = 1e-5
    pre_norm: bool = True
    embedding_norm: bool = False
    final_norm: bool = True
    bias: bool = True
    normalize_qk: bool = False


STYLES = {
    "modern": Style("relu_squared", "rotary", rms_norm=True, norm_eps=1e-6, bias=False, normalize_qk=True),
    # Radford et al. 2019.
    "gpt2": Style("gelu_tanh"),
    # Vaswani et al. 2017, as `torch.nn.Transformer` has it: positions are left to the caller.
    "original": Style("relu", "none", pre_norm=False),
    # Devlin et al. 2018.
    "bert": Style("gelu", norm_eps=1e-12, pre_norm=False, embedding_norm=True, final_norm=False),
}


@dataclass(frozen=True)
class TransformerConfig(Settings):
    """Sizes and style of a Transformer."""

    vocab_size: int = setting(256, "number of different tokens", low=2, high=1_000_000)
    context_length: int = setting(256, "context length in tokens", low=2, high=8192)
    num_layers: int = setting(4, "number of blocks", low=1, high=64)
    num_heads: int = setting(4, "attention heads of a block", low=1, high=64)
    hidden_size: int = setting(128, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(None, "hidden features of the feed-forward layer; 4 hidden_size", low=8)
    dropout: float = setting(0.0, "dropout probability", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix for the token embedding and the output layer")
    style: str = setting("modern", "norms, positions and activation", choices=tuple(STYLES))
    recipe: str = setting("gpt", "the recipe that trains it")

    def __post_init__(self) -> None:
        super().__post_init__()
        rotary = self.layout.positions == "rotary"
        if self.hidden_size % self.num_heads or (rotary and self.head_size % 2):
            raise InputError("heads_do_not_divide", hidden_size=self.hidden_size, num_heads=self.num_heads)

    @property
    def head_size(self) -> int:
        """D, features per head."""
        return self.hidden_size // self.num_heads

    @property
    def feed_forward_size(self) -> int:
        """Hidden features of the feed-forward layer."""
        return self.mlp_size or 4 * self.hidden_size

    @property
    def layout(self) -> Style:
        """What the style stands for."""
        return STYLES[self.style]


class Dropout(nn.Module):
    """In training, set each element to zero with probability p and divide the others by 1 - p.

    Args:
        probability: p; rounded to a multiple of 1/256.

    Source:
        Srivastava et al. 2014, JMLR 15:1929; the division keeps the mean as it is.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = round(probability * 256) / 256

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        return byte_dropout(x, self.probability) if x.device.type == "cpu" else F.dropout(x, self.probability)


class RMSNorm(nn.Module):
    """Divide each token's features by their root mean square, times a learned weight for each feature.

    x / sqrt(mean(x^2) + eps) * weight

    Source:
        Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4.
    """

    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x_BTC: Tensor) -> Tensor:
        return F.rms_norm(x_BTC, self.weight.shape, self.weight.to(x_BTC.dtype), 1e-6)


def norm(config: TransformerConfig) -> RMSNorm | nn.LayerNorm:
    """The normalization layer of the config's style, over C features."""
    if config.layout.rms_norm:
        return RMSNorm(config.hidden_size)
    return nn.LayerNorm(config.hidden_size, eps=config.layout.norm_eps)


# The elementwise functions of the feed-forward layer. relu(x)^2: So et al. 2021, arXiv:2109.08668, section
# 4.1; gelu, exact and in its tanh form: Hendrycks and Gimpel 2016, arXiv:1606.08415.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu_squared": lambda x: x.relu().square(),
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
}


class FeedForward(nn.Module):
    """Two linear layers with an activation between, for each token alone: W2 activation(W1 x)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        layout = config.layout
        self.activation = ACTIVATIONS[layout.activation]
        self.inner = nn.Linear(config.hidden_size, config.feed_forward_size, bias=layout.bias)
        self.output = nn.Linear(config.feed_forward_size, config.hidden_size, bias=layout.bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        return self.output(self.activation(self.inner(x_BTC)))


class Block(nn.Module):
    """Attention, in an encoder-decoder's decoder cross-attention too, then feed-forward.

    Each is added to the residual stream: x + f(norm(x)) with pre-norm, so that gradients reach the first
    layer through additions alone (Xiong et al. 2020, arXiv:2002.04745); norm(x + f(x)) with post-norm, as in
    the original Transformer and in BERT.

    Args:
        config: sizes and style.
        cross_attention: whether the tokens also attend to an encoder's output.
    """

    def __init__(self, config: TransformerConfig, *, cross_attention: bool = False):
        super().__init__()
        self.pre_norm = config.layout.pre_norm
        self.attention_norm = norm(config)
        self.attention = _attention(config)
        if cross_attention:
            self.cross_attention_norm = norm(config)
            self.cross_attention = _attention(config)
        self.feed_forward_norm = norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = Dropout(config.dropout)

    def forward(self, x_BTC: Tensor, *, cross: dict[str, Any] | None = None, **attention: Any) -> Tensor:
        """The residual stream after this block.

        Args:
            x_BTC: the residual stream.
            cross: arguments of the cross-attention.
            attention: arguments of the self-attention.
        """
        x_BTC = self._add(x_BTC, self.attention_norm, self.attention, **attention)
        if cross is not None:
            x_BTC = self._add(x_BTC, self.cross_attention_norm, self.cross_attention, **cross)
        return self._add(x_BTC, self.feed_forward_norm, self.feed_forward)

    def _add(self, x_BTC: Tensor, normalize: nn.Module, part: nn.Module, **arguments: Any) -> Tensor:
        if self.pre_norm:
            return x_BTC + self.dropout(part(normalize(x_BTC), **arguments))
        return normalize(x_BTC + self.dropout(part(x_BTC, **arguments)))


def _attention(config: TransformerConfig) -> MultiHeadAttention:
    layout = config.layout
    return MultiHeadAttention(
        config.hidden_size, config.num_heads, bias=layout.bias, normalize_qk=layout.normalize_qk
    )


class Positions(nn.Module):
    """The order of tokens in the config's style: rotations for the attention, or position embeddings.

    Rotary positions have nothing to learn; learned ones are one vector for each position of the context.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.kind = config.layout.positions
        if self.kind == "rotary":
            cos, sin = rotary_angles(config.context_length, config.head_size)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)
        elif self.kind == "learned":
            self.weight = nn.Parameter(torch.zeros(config.context_length, config.hidden_size))

    def forward(self, x_BTC: Tensor, start: int = 0) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Embeddings [B, T, C] with their positions, and cosines and sines [T, D] where these are rotary.

        Args:
            x_BTC: embeddings of tokens.
            start: position of the first of them.
        """
        end = start + x_BTC.shape[1]
        if self.kind == "rotary":
            dtype = matmul_dtype(x_BTC)
            return x_BTC, (self.cos[start:end].to(dtype), self.sin[start:end].to(dtype))
        return (x_BTC + self.weight[start:end] if self.kind == "learned" else x_BTC), None


class Decoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["text-generation", "from-scratch"],
):
    """A decoder-only language model: from the tokens so far to the logits of the next one.

    Source:
        Radford et al. 2019, "Language models are unsupervised multitask learners".
    """

    # Modules that stay on one device where a model is split over several; the name is transformers'.
    _no_split_modules = ("Block",)

    def __init__(self, config: TransformerConfig):
        super().__init__()
        if not (config.layout.pre_norm and config.layout.final_norm):
            raise InputError("setting_range", name="style", expected="modern or gpt2", got=config.style)
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = Positions(config)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = norm(config)
        if not config.tie_embeddings:
            self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        initialize(self, config)

    def forward(
        self, ids_BT: Tensor, cache: KeyValueCache | None = None, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """The logits of the next token, at every position.

        Args:
            ids_BT: token ids; with a cache, only the new ones.
            cache: keys and values of the tokens before; those of the new tokens are appended.
            attention_out: each layer's attention weights [B, H, T, S] are appended to it.

        Returns:
            logits [B, T, V], float32; softmax over V gives probabilities.

        Raises:
            ValueError: more tokens, with those in the cache, than context_length.
        """
        start, T = (cache.length if cache else 0), ids_BT.shape[1]
        if start + T > self.config.context_length:
            raise ValueError(f"{start + T} tokens do not fit a context of {self.config.context_length}")
        x_BTC, rotary = self.position(self.embedding(ids_BT), start)
        x_BTC = self.dropout(x_BTC)
        for layer, block in enumerate(self.blocks):
            x_BTC = block(
                x_BTC, causal=True, rotary=rotary, cache=cache, layer=layer, weights_out=attention_out
            )
        if cache is not None:
            cache.advance(T)
        return self._predict(self.norm(x_BTC)).float()

    def new_cache(self, batch_size: int = 1, dtype: torch.dtype | None = None) -> KeyValueCache:
        """An empty cache for the whole context, on the model's device; dtype: the weights' by default."""
        weight = self.embedding.weight
        return KeyValueCache(
            num_layers=self.config.num_layers,
            batch_size=batch_size,
            num_heads=self.config.num_heads,
            capacity=self.config.context_length,
            head_size=self.config.head_size,
            dtype=dtype or weight.dtype,
            device=weight.device,
        )

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _predict(self, x_BTC: Tensor) -> Tensor:
        return F.linear(x_BTC, self.embedding.weight) if self.config.tie_embeddings else self.head(x_BTC)


@torch.no_grad()
def initialize(network: nn.Module, config: TransformerConfig) -> None:
    """Draw the initial weights in place, from normal distributions.

    modern: standard deviation 0.5 / sqrt(inputs) in the blocks and zero in the projections that are added to
    the residual stream, so that every block starts as the identity, which allows a high learning rate (Zhang
    et al. 2019, arXiv:1901.09321). Others: 0.02, with pre-norm 0.02 / sqrt(2 layers) where it is added to the
    residual stream. Embeddings and the output layer: 0.02. Vectors stay as they are.

    Args:
        network: its blocks are its attribute `blocks`.
        config: of the blocks.
    """
    modern = config.style == "modern"
    small = 0.02 / math.sqrt(2 * config.num_layers) if config.layout.pre_norm else 0.02
    for name, parameter in network.named_parameters():
        if parameter.dim() < 2:
            continue
        adds_to_residual = name.endswith("output.weight")
        if modern and adds_to_residual:
            parameter.zero_()
        elif modern and "blocks." in name:
            parameter.normal_(std=0.5 / math.sqrt(parameter.shape[1]))
        else:
            parameter.normal_(std=small if adds_to_residual else 0.02)


def next_token_loss(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """Mean cross-entropy of the next tokens, in nats: -log softmax(logits)[target].

    Args:
        logits_BTV: of any dtype that is floating point.
        targets_BT: the id of the token that follows each position.

    Returns:
        A scalar; log V for the uniform distribution.
    """
    return F.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten())
