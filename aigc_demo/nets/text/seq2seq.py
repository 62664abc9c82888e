"""The encoder-decoder Transformer: one text in, another out.

The encoder reads the whole source; the decoder writes the target token by token, attending to what it has
written and, by cross-attention, to the encoder's output.
"""

# Shapes: B texts, S tokens of the source, T tokens of the target, C features of a token, V vocabulary,
# H heads, D features per head.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import setting
from aigc_demo.nets.text.attention import KeyValueCache
from aigc_demo.nets.text.bert import Encoder, EncoderConfig
from aigc_demo.nets.text.transformer import Block, Dropout, Positions, initialize, norm


@dataclass(frozen=True)
class Seq2SeqConfig(EncoderConfig):
    """Sizes and style of an encoder-decoder; both have the same."""

    recipe: str = setting("seq2seq", "the recipe that trains it")


class MemoryCache(KeyValueCache):
    """The decoder's cache: keys and values of the target so far, and those of the source, computed once.

    Attributes:
        memory: keys and values [B, H, S, D] of the encoder's output, for each layer.
        mask_BS: True at tokens of the source; None where there is no padding.
    """

    memory: list[tuple[Tensor, Tensor]]
    mask_BS: Tensor | None

    def select(self, rows: Tensor) -> None:
        """Keep the given rows of the batch, in this order, repeats allowed."""
        super().select(rows)
        self.memory = [(k.index_select(0, rows), v.index_select(0, rows)) for k, v in self.memory]
        if self.mask_BS is not None:
            self.mask_BS = self.mask_BS.index_select(0, rows)

    def to(self, dtype: torch.dtype) -> None:
        """Convert what is stored to another dtype."""
        super().to(dtype)
        self.memory = [(k.to(dtype), v.to(dtype)) for k, v in self.memory]


class CrossDecoder(nn.Module):
    """The Transformer's decoder: causal self-attention, cross-attention to a memory, feed-forward.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1.
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        self.config = config
        self.position = Positions(config)
        self.embedding_norm = norm(config) if config.layout.embedding_norm else nn.Identity()
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, cross_attention=True) for _ in range(config.num_layers))
        self.norm = norm(config) if config.layout.final_norm else nn.Identity()
        initialize(self, config)

    def forward(
        self,
        x_BTC: Tensor,
        memory_BSC: Tensor | None = None,
        memory_mask_BS: Tensor | None = None,
        cache: MemoryCache | None = None,
        attention_out: list[Tensor] | None = None,
        cross_attention_out: list[Tensor] | None = None,
    ) -> Tensor:
        """The contextual embedding of each token of the target.

        Args:
            x_BTC: embeddings without positions; with a cache, of the new tokens alone.
            memory_BSC: the encoder's output; not used with a cache, which has its keys and values.
            memory_mask_BS: True at tokens of the source; None where there is no padding.
            cache: of the tokens before; those of the new tokens are appended.
            attention_out: each layer's self-attention weights [B, H, T, T'] are appended to it.
            cross_attention_out: each layer's cross-attention weights [B, H, T, S] likewise.

        Returns:
            [B, T, C].
        """
        start, num_tokens = (cache.length if cache else 0), x_BTC.shape[1]
        x_BTC, rotary = self.position(x_BTC, start)
        x_BTC = self.dropout(self.embedding_norm(x_BTC))
        mask = cache.mask_BS if cache else memory_mask_BS
        mask = None if mask is None else mask[:, None, None, :]
        for layer, block in enumerate(self.blocks):
            cross = {
                "memory_BSC": None if cache else memory_BSC,
                "memory_kv": cache.memory[layer] if cache else None,
                "mask": mask,
                "weights_out": cross_attention_out,
            }
            x_BTC = block(
                x_BTC,
                cross=cross,
                causal=True,
                rotary=rotary,
                cache=cache,
                layer=layer,
                weights_out=attention_out,
            )
        if cache is not None:
            cache.advance(num_tokens)
        return self.norm(x_BTC)

    def keys_values(self, memory_BSC: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values [B, H, S, D] of the encoder's output for each layer's cross-attention."""
        found = []
        for block in self.blocks:
            assert isinstance(block, Block)
            found.append(block.cross_attention.keys_values(memory_BSC))
        return found


class Seq2Seq(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["text2text-generation", "from-scratch"],
):
    """An encoder-decoder over one vocabulary; one matrix embeds source and target and predicts tokens.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, sections 3.1 and 3.4.
    """

    # As in nets.text.transformer.Decoder.
    _no_split_modules = ("Block",)

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = CrossDecoder(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.head = (
            None if config.tie_embeddings else nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        )
        if self.head is not None:
            nn.init.normal_(self.head.weight, std=0.02)

    def forward(
        self,
        source_BS: Tensor,
        source_mask_BS: Tensor | None,
        target_BT: Tensor,
        segments_BS: Tensor | None = None,
        attention_out: list[Tensor] | None = None,
    ) -> Tensor:
        """Logits [B, T, V] of the next token of the target, at every position, float32.

        Args:
            source_BS: token ids of the source.
            source_mask_BS: True at tokens, False at padding; None where there is no padding.
            target_BT: token ids of the target so far, the start token first.
            segments_BS: segments of the source; None for all in the first.
            attention_out: each layer's cross-attention weights [B, H, T, S] are appended to it.

        Raises:
            ValueError: more tokens of the source or of the target than context_length.
        """
        self._check_length(target_BT.shape[1])
        memory_BSC = self.encoder(source_BS, source_mask_BS, segments_BS)
        x_BTC = self.decoder(
            self.encoder.embedding(target_BT), memory_BSC, source_mask_BS, cross_attention_out=attention_out
        )
        return self._predict(x_BTC)

    def read(
        self, source_BS: Tensor, source_mask_BS: Tensor | None = None, segments_BS: Tensor | None = None
    ) -> MemoryCache:
        """Encode the source, for `next_logits`.

        Returns:
            A cache with keys and values of the source, and none of a target yet.
        """
        memory_BSC = self.encoder(source_BS, source_mask_BS, segments_BS)
        config = self.config
        cache = MemoryCache(
            num_layers=config.num_layers,
            batch_size=len(source_BS),
            num_heads=config.num_heads,
            capacity=config.context_length,
            head_size=config.head_size,
            dtype=memory_BSC.dtype,
            device=memory_BSC.device,
        )
        cache.memory = self.decoder.keys_values(memory_BSC)
        cache.mask_BS = source_mask_BS
        return cache

    def next_logits(
        self, target_BT: Tensor, cache: MemoryCache, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """Logits [B, T, V] after the new tokens of the target, float32.

        Args:
            target_BT: the new tokens alone.
            cache: from `read`; the new tokens are appended.
            attention_out: each layer's cross-attention weights [B, H, T, S] are appended to it.

        Raises:
            ValueError: more tokens, with those in the cache, than context_length.
        """
        self._check_length(cache.length + target_BT.shape[1])
        x_BTC = self.decoder(
            self.encoder.embedding(target_BT), cache=cache, cross_attention_out=attention_out
        )
        return self._predict(x_BTC)

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _check_length(self, num_tokens: int) -> None:
        if num_tokens > self.config.context_length:
            raise ValueError(f"{num_tokens} tokens do not fit a context of {self.config.context_length}")

    def _predict(self, x_BTC: Tensor) -> Tensor:
        weight = self.encoder.embedding.weight if self.head is None else self.head.weight
        return F.linear(x_BTC, weight, self.bias).float()
