"""The protocol of text models: ours, the library's and pretrained ones."""

# Shapes: T tokens, V vocabulary, L layers, H heads.

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.cleaning import lowercase
from aigc_demo.data.text.corpus import PreparationSettings
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import Family
from aigc_demo.generators.text.sessions import Session


class Vocabulary(Protocol):
    """Text to numbers and back: data/text/tokenizer.Tokenizer, or that of a pretrained model."""

    def encode(self, text: str) -> list[int]:
        """The text's tokens, no special ones added."""

    def decode(self, ids: list[int]) -> str:
        """The text of the tokens, special ones left out."""

    def token_text(self, index: int) -> str:
        """One token as text to show."""

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """The text's tokens with their offsets: (id, first character, past the last character)."""


class LowercaseVocabulary:
    """The vocabulary of a model that was trained on a text in lower case: whatever it reads is lowered first.

    Args:
        tokenizer: of that text.
    """

    def __init__(self, tokenizer: Tokenizer):
        self._tokenizer = tokenizer
        self.unknown_id = tokenizer.unknown_id
        self.decode, self.token_text = tokenizer.decode, tokenizer.token_text

    def encode(self, text: str) -> list[int]:
        """As Vocabulary."""
        return self._tokenizer.encode(lowercase(text))

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """As Vocabulary; places are the same, since lowering keeps the length."""
        return self._tokenizer.spans(lowercase(text))


def trained_vocabulary(folder: Path, tokenizer: Tokenizer) -> Tokenizer | LowercaseVocabulary:
    """How a model that was trained here reads text.

    Args:
        folder: of the model, with preparation.json.
        tokenizer: of that folder.
    """
    return LowercaseVocabulary(tokenizer) if PreparationSettings.load(folder).lowercase else tokenizer


class TextModel(Vocabulary, Protocol):
    """A language model, loaded.

    Attributes:
        name: from the catalog, or a path.
        family: ours, library or pretrained.
        vocab_size: V, the number of scores it gives.
        context_length: the most tokens it looks at.
        num_parameters: counted once where two places share them.
        memory_mib: what its weights take.
        start_ids: what an empty text starts from.
        banned_ids: never written, such as the unknown token.
        end_ids: with one of these the model ends its text.
        unknown_id: stands for what the vocabulary lacks; None where it lacks nothing.
    """

    name: str
    family: Family
    vocab_size: int
    context_length: int
    num_parameters: int
    memory_mib: float
    start_ids: tuple[int, ...]
    banned_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    unknown_id: int | None

    def prompt_ids(self, prompt: str) -> list[int]:
        """The ids of a prompt, after start tokens where the model was trained with them.

        The prompt is cleaned as training texts are (`data.text.cleaning`).
        """

    def begin(self, ids: Sequence[int]) -> Session:
        """A session that has read a text of at least one token."""

    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """Logits of the next token at each position, [T, V], float32; at most `context_length` ids."""

    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """Attention weights, [L, H, T, T], or None where the model does not give them."""


def opened(ids: list[int], start_ids: Sequence[int], *, always: bool) -> list[int]:
    """The ids after the start tokens, which are needed where there is nothing else to start from."""
    return [*start_ids, *ids] if always or not ids else ids


def memory_mib(network: torch.nn.Module) -> float:
    """Memory of a network's weights, shared ones counted once."""
    return sum(weight.numel() * weight.element_size() for weight in network.parameters()) / 2**20


def check_vocabulary(folder: Path, tokenizer: Tokenizer, vocab_size: int) -> None:
    """Refuse a folder whose tokenizer has other tokens than its network.

    Raises:
        InputError: their numbers differ.
    """
    if tokenizer.vocab_size != vocab_size:
        detail = f"its tokenizer has {tokenizer.vocab_size} tokens, its network {vocab_size}"
        raise InputError("broken_model", path=str(folder), detail=detail)
