"""Text models on torch's own Transformer layers: the word language model."""

# Shapes: B texts side by side, T tokens, V vocabulary.

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.network_folder import loaded
from aigc_demo.generators.text.model import (
    Vocabulary,
    check_vocabulary,
    memory_mib,
    opened,
    trained_vocabulary,
)
from aigc_demo.generators.text.sessions import Session
from aigc_demo.nets.text.word_lm import WordLM, WordLMConfig


class WordLMReader:
    """The network as sessions.Reader: without a key-value cache, each token reads all again."""

    def __init__(self, network: WordLM):
        self._network = network
        self._ids_BT: Tensor | None = None

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        self._ids_BT = ids_BT if self._ids_BT is None else torch.cat((self._ids_BT, ids_BT), dim=1)
        return self._network(self._ids_BT)[:, -1]

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._ids_BT is not None:
            self._ids_BT = self._ids_BT[rows_B]

    def forget(self) -> None:
        """As sessions.Reader."""
        self._ids_BT = None


class WordLMText:
    """A word language model as text_model.TextModel.

    Args:
        name: to show.
        network: in evaluation mode.
        tokenizer: of its folder.
        vocabulary: the same, or `model.LowercaseVocabulary` around it.
    """

    family: Family = "library"
    end_ids: tuple[int, ...] = ()

    def __init__(self, name: str, network: WordLM, tokenizer: Tokenizer, vocabulary: Vocabulary):
        self.name, self.network = name, network
        self.vocab_size, self.context_length = network.config.vocab_size, network.config.context_length
        self.num_parameters, self.memory_mib = network.num_parameters(), memory_mib(network)
        self.start_ids, self.banned_ids = (tokenizer.start_id,), tokenizer.special_ids
        self.unknown_id: int | None = tokenizer.unknown_id
        self.encode, self.decode = vocabulary.encode, vocabulary.decode
        self.token_text, self.spans = vocabulary.token_text, vocabulary.spans

    def prompt_ids(self, prompt: str) -> list[int]:
        """As TextModel."""
        return opened(self.encode(clean_text(prompt)), self.start_ids, always=True)

    @torch.inference_mode()
    def begin(self, ids: Sequence[int]) -> Session:
        """As TextModel."""
        return Session(WordLMReader(self.network), ids, self.context_length)

    @torch.no_grad()
    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """As TextModel."""
        return self.network(torch.tensor([list(ids)]))[0]

    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """None: torch's layers do not give their attention weights."""
        return None


def load_word_lm(entry: CatalogEntry, dtype: torch.dtype, *, quantized: bool = False) -> WordLMText:
    """The model from its folder.

    Args:
        entry: where it is.
        dtype: of the weights in memory.
        quantized: not known here; its row says so, and `load_text_model` refuses it.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    folder = Path(entry.location)
    network = loaded(WordLM, WordLMConfig, folder)
    tokenizer = Tokenizer.load(folder)
    check_vocabulary(folder, tokenizer, network.config.vocab_size)
    return WordLMText(entry.name, network.to(dtype), tokenizer, trained_vocabulary(folder, tokenizer))
