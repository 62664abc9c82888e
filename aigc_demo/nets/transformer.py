"""The Transformer, put together from attention, a feed-forward part, norms and positions.

One set of parts serves two tastes: `style="modern"` (rotary positions, RMS norms, squared ReLU, no biases)
is what this project trains; `style="gpt2"` has GPT-2's exact arithmetic, so that OpenAI's weights run on
this code (`gpt2_weights.py`).
"""

# Shapes: B batch, T tokens, S tokens with those before them, C features per token, V vocabulary,
# H heads, D features per head.

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.nets.attention import KeyValueCache, MultiHeadAttention, product_dtype, rotary_angles


@dataclass(frozen=True)
class TransformerConfig(Settings):
    """The shape of a Transformer."""

    vocab_size: int = setting(256, "number of different tokens", low=2, high=1_000_000)
    context_length: int = setting(256, "tokens it can look at", low=2, high=8192)
    num_layers: int = setting(4, "blocks on top of each other", low=1, high=64)
    num_heads: int = setting(4, "attentions side by side in a block", low=1, high=64)
    hidden_size: int = setting(128, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(None, "features inside the feed-forward part; 4 hidden_size", low=8)
    dropout: float = setting(0.0, "share of features dropped in training", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix both reads and predicts tokens")
    style: str = setting("modern", "its norms, positions and activation", choices=("modern", "gpt2"))
    recipe: str = setting("gpt", "the recipe that trains it")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % self.num_heads or (self.modern and self.head_size % 2):
            raise InputError("heads_do_not_divide", hidden_size=self.hidden_size, num_heads=self.num_heads)

    @property
    def head_size(self) -> int:
        """D, features per head."""
        return self.hidden_size // self.num_heads

    @property
    def feed_forward_size(self) -> int:
        """Features inside the feed-forward part."""
        return self.mlp_size or 4 * self.hidden_size

    @property
    def modern(self) -> bool:
        """Whether norms, positions and activation are the modern ones."""
        return self.style == "modern"


class Dropout(nn.Module):
    """Set a share of the features to zero in training and enlarge the rest so that the mean stays.

    The share is rounded to a 256th: eight decisions come out of one 64-bit random number, which on a CPU
    takes a fifth of the time of `nn.Dropout`.

    Source:
        Srivastava et al. 2014, JMLR 15:1929, with the rest scaled by 1 / (1 - p) in training.
    """

    def __init__(self, share: float):
        super().__init__()
        self.num_dropped_of_256 = round(share * 256)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.num_dropped_of_256 == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.num_dropped_of_256 / 256)
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.num_dropped_of_256
        return x * kept.to(x.dtype).mul_(256 / (256 - self.num_dropped_of_256))


class RMSNorm(nn.Module):
    """Divide each token's features by their root mean square, and scale each feature by a learned number.

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
    """The norm of the config's style, over C features."""
    return RMSNorm(config.hidden_size) if config.modern else nn.LayerNorm(config.hidden_size)


class SquaredReLU(torch.autograd.Function):
    """relu(x)^2, whose slope 2 relu(x) needs nothing but what the formula made on the way.

    Written out because the chain of torch's own two functions goes through memory three times as often.

    Source:
        So et al. 2021, arXiv:2109.08668, section 4.1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (positive,) = ctx.saved_tensors
        return (gradient * positive).mul_(2)


def activation(x: Tensor, *, modern: bool) -> Tensor:
    """The activation of a style, feature by feature.

    modern: relu(x)^2 (So et al. 2021, arXiv:2109.08668); gpt2: the hyperbolic-tangent form of gelu
    (Hendrycks and Gimpel 2016, arXiv:1606.08415).
    """
    return SquaredReLU.apply(x) if modern else F.gelu(x, approximate="tanh")


class FeedForward(nn.Module):
    """What each token does on its own with what it gathered: out, a activation, and back.

    W2 activation(W1 x), with biases added in the style of gpt2.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.modern = config.modern
        self.inner = nn.Linear(config.hidden_size, config.feed_forward_size, bias=not config.modern)
        self.output = nn.Linear(config.feed_forward_size, config.hidden_size, bias=not config.modern)

    def forward(self, x_BTC: Tensor) -> Tensor:
        return self.output(activation(self.inner(x_BTC), modern=self.modern))


class Block(nn.Module):
    """Gather, then think: x + attention(norm(x)), then x + feed_forward(norm(x)).

    The norms stand before each part, as in GPT-2, so that a straight road leads from the last layer to
    the first (Xiong et al. 2020, arXiv:2002.04745).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.attention_norm = norm(config)
        self.attention = MultiHeadAttention(
            config.hidden_size, config.num_heads, bias=not config.modern, normalize_qk=config.modern
        )
        self.feed_forward_norm = norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = Dropout(config.dropout)

    def forward(self, x_BTC: Tensor, **attention_arguments: Any) -> Tensor:
        x_BTC = x_BTC + self.dropout(self.attention(self.attention_norm(x_BTC), **attention_arguments))
        return x_BTC + self.dropout(self.feed_forward(self.feed_forward_norm(x_BTC)))


class Decoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["text-generation", "from-scratch"],
):
    """A language model: from the tokens so far, scores for the next one.

    Args:
        config: its shape.

    Source:
        Radford et al. 2019, "Language models are unsupervised multitask learners", for the whole;
        the parts say their own.
    """

    cos: Tensor
    sin: Tensor
    # What stays together where a model is spread over devices, by the name that transformers gave it.
    _no_split_modules = ("Block",)

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        if config.modern:
            angles = rotary_angles(config.context_length, config.head_size)
            self.register_buffer("cos", angles[0], persistent=False)
            self.register_buffer("sin", angles[1], persistent=False)
        else:
            self.position = nn.Embedding(config.context_length, config.hidden_size)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = norm(config)
        if not config.tie_embeddings:
            self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        initialize(self, config)

    def forward(
        self, ids_BT: Tensor, cache: KeyValueCache | None = None, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """Scores of every possible next token, at every place.

        Args:
            ids_BT: token ids; with a cache, only the new ones.
            cache: what was read before; the new tokens are added to it.
            attention_out: filled with each layer's attention weights [B, H, T, S], if given.

        Returns:
            logits [B, T, V], float32; softmax over V gives probabilities.

        Raises:
            ValueError: the tokens with those in the cache are more than context_length.
        """
        start, T = (cache.length if cache else 0), ids_BT.shape[1]
        if start + T > self.config.context_length:
            raise ValueError(f"{start + T} tokens do not fit a context of {self.config.context_length}")
        x_BTC, rotary = self.embedding(ids_BT), None
        if self.config.modern:
            rotary = self._rotary(start, T, product_dtype(x_BTC))
        else:
            x_BTC = x_BTC + self.position.weight[start : start + T]
        x_BTC = self.dropout(x_BTC)
        for layer, block in enumerate(self.blocks):
            x_BTC = block(
                x_BTC, causal=True, rotary=rotary, cache=cache, layer=layer, weights_out=attention_out
            )
        if cache is not None:
            cache.advance(T)
        return self._predict(self.norm(x_BTC)).float()

    def new_cache(self, batch_size: int = 1, dtype: torch.dtype | None = None) -> KeyValueCache:
        """An empty cache with room for the whole context, on the model's device, in its dtype or another."""
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
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _rotary(self, start: int, T: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        return self.cos[start : start + T].to(dtype), self.sin[start : start + T].to(dtype)

    def _predict(self, x_BTC: Tensor) -> Tensor:
        return F.linear(x_BTC, self.embedding.weight) if self.config.tie_embeddings else self.head(x_BTC)


@torch.no_grad()
def initialize(network: nn.Module, config: TransformerConfig) -> None:
    """Small random weights; what each block adds starts at zero (modern) or small (gpt2).

    Starting every block as the identity lets the first steps be large (Zhang et al. 2019, arXiv:1901.09321);
    GPT-2 divides by the square root of the number of parts that add up.

    Args:
        network: whose blocks are called `blocks`.
        config: of the blocks.
    """
    modern, depth = config.modern, 2 * config.num_layers
    for name, parameter in network.named_parameters():
        if parameter.dim() < 2:
            continue
        adds_to_stream = name.endswith("output.weight")
        if modern and adds_to_stream:
            parameter.zero_()
        elif modern and name.startswith("blocks"):
            parameter.normal_(std=0.5 / math.sqrt(parameter.shape[1]))
        else:
            parameter.normal_(std=0.02 / math.sqrt(depth) if adds_to_stream else 0.02)


def next_token_loss(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """Mean surprise at the tokens that really came, in nats: -log softmax(logits)[target].

    Args:
        logits_BTV: scores.
        targets_BT: the token that followed each place.

    Returns:
        A single number; log V for a model that knows nothing.
    """
    return F.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten())
