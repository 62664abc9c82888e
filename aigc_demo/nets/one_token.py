"""One more token of one text, as fast as it goes: the decoder's arithmetic without its parts.

For a single token the network's products are small and what costs is everything around them: calls of
modules, shapes moved about, and, for a larger network, fetching the weights from memory. This is the same
chain of formulas, written flat over the same weights. With 8-bit weights a quarter of the bytes is fetched.
"""

# Shapes: one text, one token; C features, H heads, D features per head, V vocabulary, S tokens so far.

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.nets.attention import KeyValueCache, rotate
from aigc_demo.nets.transformer import Block, Decoder, RMSNorm, activation

Product = Callable[[Tensor], Tensor]

# torch's product with 8-bit weights reads past the end of matrices of other sizes: rows are filled up with
# zeros, a matrix with other columns stays in bfloat16.
ROWS, COLUMNS = 32, 32


def quantize(weight_RC: Tensor) -> tuple[Tensor, Tensor]:
    """Each row as whole numbers from -127 to 127 and one scale: w is about scale * number.

    Args:
        weight_RC: a matrix, R outputs by C inputs.

    Returns:
        [R, C] int8 and [R] scales in the weight's dtype. No entry is off by more than half a scale.

    Source:
        Dettmers et al. 2022, arXiv:2208.07339, section 2 (absmax quantization, here by rows).
    """
    scale_R = weight_RC.abs().amax(dim=1).clamp(min=1e-12) / 127
    return (weight_RC / scale_R[:, None]).round().to(torch.int8), scale_R


class OneTokenDecoder:
    """A decoder for reading one token of one text at a time.

    Args:
        decoder: whose weights are used; shared, not copied, unless they are quantized.
        quantized: matrices as 8-bit whole numbers, computed with in bfloat16 (weights take a quarter of the
            memory; logits change by about a hundredth). Only on a CPU.
    """

    def __init__(self, decoder: Decoder, *, quantized: bool = False):
        config = decoder.config
        self.config, self.quantized = config, quantized
        self.dtype = torch.bfloat16 if quantized else decoder.embedding.weight.dtype
        self._embedding = decoder.embedding.weight.detach()
        self._position = None if config.modern else decoder.position.weight.detach()
        self._rotary = (decoder.cos, decoder.sin) if config.modern else None
        self._layers = [self._layer(block) for block in decoder.blocks if isinstance(block, Block)]
        self._final_norm = self._norm(decoder.norm)
        head = decoder.embedding.weight if config.tie_embeddings else decoder.head.weight
        self._head = self._matrix(head.detach(), None)

    @torch.inference_mode()
    def read(self, index: int, cache: KeyValueCache) -> Tensor:
        """Read one token and store its keys and values.

        Args:
            index: the token.
            cache: of one text, with room for one more token, in this decoder's dtype.

        Returns:
            [V] scores of the next token, float32.

        Raises:
            ValueError: the context is full.
        """
        config, place = self.config, cache.length
        if place >= config.context_length:
            raise ValueError(f"{place + 1} tokens do not fit a context of {config.context_length}")
        H, D = config.num_heads, config.head_size
        x_1C = self._embedding[index : index + 1]
        if self._position is not None:
            x_1C = x_1C + self._position[place]
        x_1C = x_1C.to(self.dtype)
        for layer, (norm, qkv, output, norm_2, inner, outer) in enumerate(self._layers):
            qkv_3H1D = qkv(norm(x_1C)).view(3, H, 1, D)
            if config.modern:
                qkv_3H1D = self._turned(qkv_3H1D, place)
            stored = cache.layers[layer]
            stored.narrow(3, place, 1).copy_(qkv_3H1D[1:, None])
            k_HSD, v_HSD = stored[:, 0].narrow(2, 0, place + 1).unbind(0)
            mixed_H1D = F.scaled_dot_product_attention(qkv_3H1D[:1], k_HSD[None], v_HSD[None])
            x_1C = x_1C + output(mixed_H1D.view(1, H * D))
            x_1C = x_1C + outer(activation(inner(norm_2(x_1C)), modern=config.modern))
        cache.advance(1)
        return self._head(self._final_norm(x_1C))[0].float()

    def _turned(self, qkv_3H1D: Tensor, place: int) -> Tensor:
        """Queries and keys normalised and turned by their place, values as they are."""
        cos, sin = (part[place].to(self.dtype) for part in self._rotary or ())
        qk = F.rms_norm(qkv_3H1D[:2], (qkv_3H1D.shape[-1],))
        return torch.cat((rotate(qk, cos, sin), qkv_3H1D[2:]))

    def _layer(self, block: Block) -> tuple[Product, ...]:
        return (
            self._norm(block.attention_norm),
            self._product(block.attention.qkv),
            self._product(block.attention.output),
            self._norm(block.feed_forward_norm),
            self._product(block.feed_forward.inner),
            self._product(block.feed_forward.output),
        )

    def _norm(self, layer: RMSNorm | nn.LayerNorm) -> Product:
        weight = layer.weight.detach().to(self.dtype)
        shape = list(weight.shape)
        if isinstance(layer, RMSNorm):
            return lambda x: F.rms_norm(x, shape, weight, 1e-6)
        bias = layer.bias.detach().to(self.dtype)
        return lambda x: F.layer_norm(x, shape, weight, bias)

    def _product(self, layer: nn.Linear) -> Product:
        parameters = dict(layer.named_parameters())  # bias is None, not missing, in a layer without one
        bias = parameters["bias"].detach().to(self.dtype) if "bias" in parameters else None
        return self._matrix(layer.weight.detach(), bias)

    def _matrix(self, weight: Tensor, bias: Tensor | None) -> Product:
        if not self.quantized or weight.shape[1] % COLUMNS:
            weight = weight.to(self.dtype)
            return lambda x: F.linear(x, weight, bias)
        num_rows = weight.shape[0]
        whole, scale = quantize(F.pad(weight.float(), (0, 0, 0, -num_rows % ROWS)))
        scale = scale.to(self.dtype)
        if bias is None:
            return lambda x: torch._weight_int8pack_mm(x, whole, scale)[:, :num_rows]
        return lambda x: torch._weight_int8pack_mm(x, whole, scale)[:, :num_rows] + bias
