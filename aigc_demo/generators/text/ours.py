"""Text models on our own network."""

# Shapes: B texts side by side, T tokens, V vocabulary, L layers, H heads.

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import check_weights, read_json, weights_path
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.network_folder import load_weights
from aigc_demo.generators.text.model import (
    Vocabulary,
    check_vocabulary,
    memory_mib,
    opened,
    trained_vocabulary,
)
from aigc_demo.generators.text.sessions import Session
from aigc_demo.nets.text.attention import KeyValueCache
from aigc_demo.nets.text.fast_decoder import OneTokenDecoder
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig


class DecoderReader:
    """Our network with its key-value cache, as sessions.Reader.

    Args:
        decoder: reads several tokens at once: a prompt, or the beams of a search.
        step: the same weights, for one token of one text; where they are quantized, it reads prompts too.
    """

    def __init__(self, decoder: Decoder, step: OneTokenDecoder):
        self._decoder, self._step = decoder, step
        self._device = decoder.embedding.weight.device
        self._cache: KeyValueCache | None = None

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        if self._cache is None:
            dtype = self._step.dtype if len(ids_BT) == 1 else None
            self._cache = self._decoder.new_cache(len(ids_BT), dtype)
        if len(ids_BT) == 1 and (self._step.quantized or ids_BT.shape[1] == 1):
            return read_by_step(self._step, self._cache, ids_BT[0].tolist())[-1:].cpu()
        return self._decoder(ids_BT.to(self._device), self._cache)[:, -1].cpu()

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._cache is not None:
            self._cache.select(rows_B.to(self._device))
            if len(rows_B) > 1:
                self._cache.to(self._decoder.embedding.weight.dtype)

    def forget(self) -> None:
        """As sessions.Reader."""
        self._cache = None


def read_by_step(step: OneTokenDecoder, cache: KeyValueCache, ids: Sequence[int]) -> Tensor:
    """Scores after each of the tokens, [T, V], read one by one."""
    return torch.stack([step.read(index, cache) for index in ids])


class OursText:
    """A text model on our own network.

    Args:
        name: to show.
        decoder: its network.
        vocabulary: its tokenizer.
        family: pretrained where others trained the weights.
        start_ids: what an empty text starts from.
        starts_always: whether a prompt is read after the start tokens too, as in our training.
        banned_ids: never written.
        end_ids: these end a text.
        quantized: write with 8-bit weights.
    """

    def __init__(
        self,
        name: str,
        decoder: Decoder,
        vocabulary: Vocabulary,
        *,
        family: Family = "ours",
        start_ids: Sequence[int],
        starts_always: bool = True,
        banned_ids: Sequence[int] = (),
        end_ids: Sequence[int] = (),
        quantized: bool = False,
    ):
        self.name, self.family = name, family
        self.decoder = decoder.eval()
        self.step = OneTokenDecoder(decoder, quantized=quantized)
        self.vocab_size = decoder.config.vocab_size
        self.context_length = decoder.config.context_length
        self.num_parameters = decoder.num_parameters()
        self.memory_mib = memory_mib(decoder)
        self.start_ids, self.end_ids = tuple(start_ids), tuple(end_ids)
        self.banned_ids = tuple(banned_ids)
        self.unknown_id: int | None = getattr(vocabulary, "unknown_id", None)
        self._starts_always = starts_always
        self.encode, self.decode = vocabulary.encode, vocabulary.decode
        self.token_text, self.spans = vocabulary.token_text, vocabulary.spans

    def prompt_ids(self, prompt: str) -> list[int]:
        """As TextModel."""
        return opened(self.encode(clean_text(prompt)), self.start_ids, always=self._starts_always)

    @torch.inference_mode()
    def begin(self, ids: Sequence[int]) -> Session:
        """As TextModel."""
        return Session(DecoderReader(self.decoder, self.step), ids, self.context_length)

    @torch.no_grad()
    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """As TextModel."""
        if self.step.quantized:
            return read_by_step(self.step, self.decoder.new_cache(dtype=self.step.dtype), ids)
        return self._read(ids)

    @torch.no_grad()
    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """As TextModel."""
        weights: list[Tensor] = []
        self._read(ids, weights)
        return torch.stack([layer[0].float().cpu() for layer in weights])

    def _read(self, ids: Sequence[int], attention_out: list[Tensor] | None = None) -> Tensor:
        device = self.decoder.embedding.weight.device
        ids_BT = torch.tensor([list(ids)], device=device)
        return self.decoder(ids_BT, attention_out=attention_out)[0].cpu()


def load_ours_text(entry: CatalogEntry, dtype: torch.dtype, *, quantized: bool = False) -> OursText:
    """Our own model from its folder.

    Args:
        entry: where it is.
        dtype: of the weights in memory.
        quantized: write with 8-bit weights.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    folder = Path(entry.location)
    try:
        config = TransformerConfig.from_mapping(read_json(folder / "config.json"))
    except InputError as error:
        raise InputError("broken_model", path=str(folder), detail=f"config.json: {error}") from error
    with torch.device("meta"):
        shape = Decoder(config)
    check_weights(weights_path(folder), {name: weight.shape for name, weight in shape.state_dict().items()})
    tokenizer = Tokenizer.load(folder)
    check_vocabulary(folder, tokenizer, config.vocab_size)
    decoder = Decoder(config)
    decoder.load_state_dict(load_weights(weights_path(folder)))
    return OursText(
        entry.name,
        decoder.to(dtype),
        trained_vocabulary(folder, tokenizer),
        start_ids=(tokenizer.start_id,),
        banned_ids=tokenizer.special_ids,
        quantized=quantized,
    )
