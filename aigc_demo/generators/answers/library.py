"""Encoder-decoders on transformers' network of two BERTs: the library baseline."""

# Shapes: B rows, S tokens of the source, T tokens of the answer, H heads, V vocabulary.

import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, EncoderDecoderModel

from aigc_demo.generators.pretrained.network import load_transformers
from aigc_demo.generators.text.model import memory_mib
from aigc_demo.generators.text.our_encoder import EncoderVocabulary, load_vocabulary
from aigc_demo.generators.text.rows import RowBatch


class EncoderDecoderReader:
    """transformers' network with its caches, as sessions.Reader.

    Args:
        network: in evaluation mode.
        sources: what the answers are written to.
    """

    def __init__(self, network: Any, sources: RowBatch):
        self._network, self._sources = network, sources
        self._cache: Any = None

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        if self._cache is None:
            self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
            self._memory_BSC = read_sources(self._network, self._sources)
            self._mask_BS = self._sources.mask_BT.long()
        output = self._network.decoder(
            input_ids=ids_BT,
            encoder_hidden_states=self._memory_BSC,
            encoder_attention_mask=self._mask_BS,
            past_key_values=self._cache,
            use_cache=True,
        )
        return output.logits[:, -1].float()

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._cache is not None:
            self._cache.reorder_cache(rows_B)
            self._memory_BSC, self._mask_BS = self._memory_BSC[rows_B], self._mask_BS[rows_B]

    def forget(self) -> None:
        """As sessions.Reader."""
        self._cache = None


def read_sources(network: Any, sources: RowBatch) -> Tensor:
    """The encoder's output, [B, S, C]."""
    output = network.encoder(
        input_ids=sources.ids_BT, attention_mask=sources.mask_BT.long(), token_type_ids=sources.segments_BT
    )
    memory_BSC: Tensor = output.last_hidden_state
    return memory_BSC


class TransformersAnswers:
    """transformers' encoder-decoder, as model.AnswerNetwork."""

    def __init__(self, network: Any):
        self.network = network.eval()
        encoder, decoder = network.config.encoder, network.config.decoder
        self.vocab_size = int(decoder.vocab_size)
        self.context_length = min(encoder.max_position_embeddings, decoder.max_position_embeddings)
        self.num_parameters = int(network.num_parameters())
        self.memory_mib = memory_mib(network)

    def reader(self, sources: RowBatch) -> EncoderDecoderReader:
        """As AnswerNetwork."""
        return EncoderDecoderReader(self.network, sources)

    def logits(
        self, sources: RowBatch, answers_BT: Tensor, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """As AnswerNetwork."""
        network = self.network if attention_out is None else self._attentive
        output = network.decoder(
            input_ids=answers_BT,
            encoder_hidden_states=read_sources(network, sources),
            encoder_attention_mask=sources.mask_BT.long(),
            use_cache=False,
            output_attentions=attention_out is not None,
        )
        if attention_out is not None:
            attention_out += output.cross_attentions
        logits_BTV: Tensor = output.logits.float()
        return logits_BTV

    @cached_property
    def _attentive(self) -> Any:
        """A second network with the same weights whose attention returns its weights.

        The fused kernel of the first one does not give them, and switching it while another visitor writes
        with it would change his numbers.
        """
        with torch.device("meta"):
            twin = EncoderDecoderModel._from_config(
                copy.deepcopy(self.network.config), attn_implementation="eager"
            )
        for name, module in self.network.named_modules():
            place = twin.get_submodule(name)
            place._parameters, place._buffers = module._parameters, module._buffers
        return twin.eval()


def load_library_answers(folder: Path) -> tuple[TransformersAnswers, EncoderVocabulary]:
    """The library's encoder-decoder, trained here, from its folder.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    whole = load_transformers("EncoderDecoderModel", folder, "encoder-decoder")
    _share_embeddings(whole)
    network = TransformersAnswers(whole)
    return network, load_vocabulary(folder, network.vocab_size)


def _share_embeddings(network: Any) -> None:
    """Make equal embeddings of both halves one, as they were in training; their file has both."""
    encoder, decoder = network.encoder.get_input_embeddings(), network.decoder.get_input_embeddings()
    if torch.equal(encoder.weight, decoder.weight):
        output = network.decoder.get_output_embeddings()
        if output.weight is decoder.weight:
            output.weight = encoder.weight
        decoder.weight = encoder.weight
