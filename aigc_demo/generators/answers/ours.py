"""Encoder-decoders on our own network."""

# Shapes: B rows, S tokens of the source, T tokens of the answer, H heads, V vocabulary.

from pathlib import Path

from torch import Tensor

from aigc_demo.generators.network_folder import loaded
from aigc_demo.generators.text.model import memory_mib
from aigc_demo.generators.text.our_encoder import EncoderVocabulary, load_vocabulary
from aigc_demo.generators.text.rows import RowBatch
from aigc_demo.nets.text.seq2seq import MemoryCache, Seq2Seq, Seq2SeqConfig


class OurReader:
    """Our network with its caches, as sessions.Reader.

    Args:
        network: in evaluation mode.
        sources: what the answers are written to.
    """

    def __init__(self, network: Seq2Seq, sources: RowBatch):
        self._network, self._sources = network, sources
        self._cache: MemoryCache | None = None

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        if self._cache is None:
            sources = self._sources
            self._cache = self._network.read(sources.ids_BT, sources.mask_BT, sources.segments_BT)
        return self._network.next_logits(ids_BT, self._cache)[:, -1]

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._cache is not None:
            self._cache.select(rows_B)

    def forget(self) -> None:
        """As sessions.Reader."""
        self._cache = None


class OurAnswers:
    """Our encoder-decoder, as model.AnswerNetwork."""

    def __init__(self, network: Seq2Seq):
        self.network = network.eval()
        self.vocab_size = network.config.vocab_size
        self.context_length = network.config.context_length
        self.num_parameters = network.num_parameters()
        self.memory_mib = memory_mib(network)

    def reader(self, sources: RowBatch) -> OurReader:
        """As AnswerNetwork."""
        return OurReader(self.network, sources)

    def logits(
        self, sources: RowBatch, answers_BT: Tensor, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """As AnswerNetwork."""
        logits_BTV: Tensor = self.network(
            sources.ids_BT, sources.mask_BT, answers_BT, sources.segments_BT, attention_out
        )
        return logits_BTV


def load_our_answers(folder: Path) -> tuple[OurAnswers, EncoderVocabulary]:
    """Our own encoder-decoder from its folder.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    network = OurAnswers(loaded(Seq2Seq, Seq2SeqConfig, folder))
    return network, load_vocabulary(folder, network.vocab_size)
