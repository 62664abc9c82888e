"""The decoder for one new token of one text, written for a CPU's speed; `transformer.Decoder` gives the same.

For a single token the matrix products are small, and most of the time goes to everything around them: calls
of modules, views and copies, and, in a larger network, reading the weights from memory. This is the same
chain of formulas over the same weights without modules. Quantized to 8 bits the weights are a quarter of the
bytes. What it gains is measured by benchmarks/speed_tricks.py.
"""

# Shapes: one text, one token; C features, H heads, D features per head, V vocabulary, S tokens so far.

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.nets.text.attention import KeyValueCache
from aigc_demo.nets.text.rotary import apply_rotary
from aigc_demo.nets.text.transformer import ACTIVATIONS, Block, Decoder, RMSNorm

Product = Callable[[Tensor], Tensor]

# torch's product with 8-bit weights reads past the end of matrices of other sizes: rows are padded
# with zeros, a matrix whose columns are no multiple stays in bfloat16.
ROWS, COLUMNS = 32, 32


def quantize(weight_RC: Tensor) -> tuple[Tensor, Tensor]:
    """Absmax quantization by rows: integers from -127 to 127 and one scale a row, w about scale * integer.

    Args:
        weight_RC: R outputs by C inputs.

    Returns:
        [R, C] int8 and scales [R] in the weight's dtype. The error of an entry is at most half a scale.

    Source:
        Dettmers et al. 2022, arXiv:2208.07339, section 2.
    """
    scale_R = weight_RC.abs().amax(dim=1).clamp(min=1e-12) / 127
    return (weight_RC / scale_R[:, None]).round().to(torch.int8), scale_R


class OneTokenDecoder:
    """`Decoder` for one token of one text at a time.

    Args:
        decoder: its weights are shared, not copied, unless they are quantized.
        quantized: matrices in int8, products in bfloat16 (a quarter of the memory; logits change by about
            0.01). Only on a CPU.
    """

    def __init__(self, decoder: Decoder, *, quantized: bool = False):
        config = decoder.config
        self.config, self.quantized = config, quantized
        self.dtype = torch.bfloat16 if quantized else decoder.embedding.weight.dtype
        self._embedding = decoder.embedding.weight.detach()
        rotary = config.layout.positions == "rotary"
        self._position = None if rotary else decoder.position.weight.detach()
        self._rotary = (decoder.position.cos, decoder.position.sin) if rotary else None
        self._activation = ACTIVATIONS[config.layout.activation]
        self._layers = [self._layer(block) for block in decoder.blocks if isinstance(block, Block)]
        self._final_norm = self._norm(decoder.norm)
        head = decoder.embedding.weight if config.tie_embeddings else decoder.head.weight
        self._head = self._matrix(head.detach(), None)

    @torch.inference_mode()
    def read(self, index: int, cache: KeyValueCache) -> Tensor:
        """Process one token and append its keys and values to the cache.

        Args:
            index: the id of the token.
            cache: of one text, not full, in this decoder's dtype.

        Returns:
            logits of the next token [V], float32.

        Raises:
            ValueError: the context is full.
        """
        config, position = self.config, cache.length
        if position >= config.context_length:
            raise ValueError(f"{position + 1} tokens do not fit a context of {config.context_length}")
        H, D = config.num_heads, config.head_size
        x_1C = self._embedding[index : index + 1]
        if self._position is not None:
            x_1C = x_1C + self._position[position]
        x_1C = x_1C.to(self.dtype)
        for layer, (norm, qkv, output, norm_2, inner, outer) in enumerate(self._layers):
            qkv_3H1D = qkv(norm(x_1C)).view(3, H, 1, D)
            if self._rotary is not None:
                qkv_3H1D = self._rotated(qkv_3H1D, position)
            stored = cache.layers[layer]
            stored.narrow(3, position, 1).copy_(qkv_3H1D[1:, None])
            k_HSD, v_HSD = stored[:, 0].narrow(2, 0, position + 1).unbind(0)
            mixed_H1D = F.scaled_dot_product_attention(qkv_3H1D[:1], k_HSD[None], v_HSD[None])
            x_1C = x_1C + output(mixed_H1D.view(1, H * D))
            x_1C = x_1C + outer(self._activation(inner(norm_2(x_1C))))
        cache.advance(1)
        return self._head(self._final_norm(x_1C))[0].float()

    def _rotated(self, qkv_3H1D: Tensor, position: int) -> Tensor:
        """Queries and keys normalized and rotated by their position; values unchanged."""
        cos, sin = (part[position].to(self.dtype) for part in self._rotary or ())
        qk = F.rms_norm(qkv_3H1D[:2], (qkv_3H1D.shape[-1],))
        return torch.cat((apply_rotary(qk, cos, sin), qkv_3H1D[2:]))

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
        integers, scale = quantize(F.pad(weight.float(), (0, 0, 0, -num_rows % ROWS)))
        scale = scale.to(self.dtype)
        if bias is None:
            return lambda x: torch._weight_int8pack_mm(x, integers, scale)[:, :num_rows]
        return lambda x: torch._weight_int8pack_mm(x, integers, scale)[:, :num_rows] + bias
