"""A bidirectional encoder pretrained to fill in masked tokens and to tell whether a sentence follows another.

`Encoder` is the Transformer's encoder; `Bert` adds the two heads of its pretraining. With `style="bert"` it
computes exactly what transformers' BERT does (`bert_weights.py`); with `style="modern"` it has the blocks of
this project's language model, without the causal mask.
"""

# Shapes: B texts, T tokens, C features of a token, V vocabulary, N tokens of any texts.

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from aigc_demo.core.config import setting
from aigc_demo.nets.text.attention import Packing
from aigc_demo.nets.text.transformer import (
    ACTIVATIONS,
    Block,
    Dropout,
    Positions,
    TransformerConfig,
    initialize,
    norm,
)


@dataclass(frozen=True)
class EncoderConfig(TransformerConfig):
    """Sizes and style of an encoder."""

    num_segments: int = setting(2, "kinds of segments: sentence A, sentence B; 0 for none", low=0, high=16)
    tie_embeddings: bool = setting(True, "one matrix for the token embedding and the output layer")
    recipe: str = setting("bert", "the recipe that trains it")


class Encoder(nn.Module):
    """The Transformer's encoder: every token attends to every other one.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1; segments: Devlin et al. 2018, arXiv:1810.04805,
        figure 2.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        num_segments = config.num_segments if isinstance(config, EncoderConfig) else 0
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = Positions(config)
        self.segment = nn.Embedding(num_segments, config.hidden_size) if num_segments else None
        self.embedding_norm = norm(config) if config.layout.embedding_norm else nn.Identity()
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = norm(config) if config.layout.final_norm else nn.Identity()
        initialize(self, config)

    def forward(
        self,
        ids_BT: Tensor,
        mask_BT: Tensor | None = None,
        segments_BT: Tensor | None = None,
        attention_out: list[Tensor] | None = None,
    ) -> Tensor:
        """The contextual embedding of each token.

        Args:
            ids_BT: token ids.
            mask_BT: True at tokens, False at padding; None where there is no padding.
            segments_BT: the segment of each token; None for all in the first.
            attention_out: each layer's attention weights [B, H, T, T] are appended to it.

        Returns:
            [B, T, C]; meaningless at padding.

        Raises:
            ValueError: more tokens than context_length.
        """
        if ids_BT.shape[1] > self.config.context_length:
            raise ValueError(f"{ids_BT.shape[1]} tokens do not fit a context of {self.config.context_length}")
        x_BTC = self.embedding(ids_BT)
        if self.segment is not None:
            x_BTC = x_BTC + (self.segment.weight[0] if segments_BT is None else self.segment(segments_BT))
        return self.encode(x_BTC, mask_BT, attention_out)

    def encode(
        self, x_BTC: Tensor, mask_BT: Tensor | None = None, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """As `forward`, from embeddings without positions."""
        x_BTC, rotary = self.position(x_BTC)
        if mask_BT is None or mask_BT.is_meta or mask_BT.all():  # the meta device has no values to look at
            return self._blocks(x_BTC, rotary=rotary, weights_out=attention_out)
        packing, mask = Packing(mask_BT), mask_BT[:, None, None, :]
        x_1NC = self._blocks(
            packing.pack(x_BTC), mask=mask, rotary=rotary, weights_out=attention_out, packing=packing
        )
        return packing.unpack(x_1NC)

    def _blocks(self, x_BTC: Tensor, **attention: Any) -> Tensor:
        x_BTC = self.dropout(self.embedding_norm(x_BTC))
        for block in self.blocks:
            x_BTC = block(x_BTC, **attention)
        return self.norm(x_BTC)


class MaskedTokenHead(nn.Module):
    """What a masked token was: a layer, then the similarity to each token's embedding, plus a bias.

    Source:
        Devlin et al. 2018, arXiv:1810.04805, section 3.1, task 1; the layer is that of their code.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.activation = ACTIVATIONS[config.layout.activation]
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = norm(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.weight = (
            None
            if config.tie_embeddings
            else nn.Parameter(torch.empty(config.vocab_size, config.hidden_size))
        )

    def forward(self, x_NC: Tensor, embedding_VC: Tensor) -> Tensor:
        """Logits [N, V], float32.

        Args:
            x_NC: outputs of the encoder at masked tokens.
            embedding_VC: the token embedding, used where it is tied.
        """
        x_NC = self.norm(self.activation(self.transform(x_NC)))
        return F.linear(x_NC, embedding_VC if self.weight is None else self.weight, self.bias).float()


class NextSentenceHead(nn.Module):
    """Whether segment B follows segment A, from the output at the first token.

    Source:
        Devlin et al. 2018, arXiv:1810.04805, section 3.1, task 2; tanh is that of their code.
    """

    def __init__(self, hidden_size: int):
        super().__init__()
        self.pooler = nn.Linear(hidden_size, hidden_size)
        self.classifier = nn.Linear(hidden_size, 2)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Logits [B, 2], float32: it follows, it does not."""
        return self.classifier(self.pooler(x_BTC[:, 0]).tanh()).float()


class Bert(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="aigc-demo",
    tags=["fill-mask", "from-scratch"],
):
    """An encoder with the two heads of its pretraining.

    Source:
        Devlin et al. 2018, arXiv:1810.04805.
    """

    # As in nets.text.transformer.Decoder.
    _no_split_modules = ("Block",)

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.masked_token_head = MaskedTokenHead(config)
        self.next_sentence_head = NextSentenceHead(config.hidden_size)
        initialize(self.masked_token_head, config)
        initialize(self.next_sentence_head, config)

    def forward(
        self, ids_BT: Tensor, mask_BT: Tensor | None, segments_BT: Tensor, chosen_BT: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of both tasks.

        Only the N chosen tokens are compared with the whole vocabulary: of 15 in 100 tokens there is
        something to learn, and for the others the largest product of the network is not computed.

        Args:
            ids_BT: token ids, some of them masked.
            mask_BT: as in `Encoder.forward`.
            segments_BT: the segment of each token.
            chosen_BT: True where a token is to be predicted, N in all.

        Returns:
            Logits of the chosen tokens [N, V], by row and position, and of the next sentence [B, 2].
        """
        x_BTC = self.encoder(ids_BT, mask_BT, segments_BT)
        return self.predict_tokens(x_BTC[chosen_BT]), self.next_sentence_head(x_BTC)

    def predict_tokens(self, x_NC: Tensor) -> Tensor:
        """Logits [N, V] of tokens from the encoder's output."""
        return self.masked_token_head(x_NC, self.encoder.embedding.weight)

    def num_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
