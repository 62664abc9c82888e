"""Masked language modelling with transformers' BERT: predicts each [MASK] from both sides."""

# Shapes: B texts side by side, T tokens, V vocabulary.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.pretrained.network import load_transformers
from aigc_demo.generators.pretrained.tokenizer import read_tokenizer
from aigc_demo.generators.text.model import memory_mib

MASK = "[MASK]"
ADDED = 2  # the tokens that begin and end a text


@dataclass(frozen=True)
class Guess:
    """A prediction for a mask.

    Attributes:
        id: of its token.
        text: of it.
        prob: that it is this one, of all words of the vocabulary.
    """

    id: int
    text: str
    prob: float


class MaskedWords:
    """A BERT that predicts masked words.

    Args:
        entry: what the catalog says of it.
        folder: config.json, safetensors and the tokenizer.

    Attributes:
        context_length: the most tokens of a text that it looks at.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    family: Family = "pretrained"

    def __init__(self, entry: CatalogEntry, folder: Path):
        self.name = entry.name
        self.network: Any = load_transformers("BertForMaskedLM", folder, "bert")
        self._tokenizer = read_tokenizer(folder, "bert", int(self.network.config.vocab_size))
        needed = (self._tokenizer.cls_id, self._tokenizer.sep_id, self._tokenizer.mask_id)
        self.vocab_size = int(self.network.config.vocab_size)
        if any(token is None or token >= self.vocab_size for token in needed):
            raise InputError("broken_model", path=str(folder), detail="its tokenizer")
        self.first, self.last, self.mask = (int(token) for token in needed if token is not None)
        self.context_length = int(self.network.config.max_position_embeddings) - ADDED
        self.num_parameters = sum(weight.numel() for weight in self.network.parameters())
        self.memory_mib = memory_mib(self.network)

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, cleaned as training texts are, each [MASK] in it one of them."""
        first, *others = (self._tokenizer.encode(part) for part in clean_text(text).split(MASK))
        return [*first, *(token for part in others for token in (self.mask, *part))]

    @torch.inference_mode()
    def logits(self, ids_BT: Tensor) -> Tensor:
        """Logits at each position, [B, T, V], for texts without their first and last token."""
        ends = torch.ones(len(ids_BT), 1, dtype=torch.int64)
        whole = torch.cat([ends * self.first, ids_BT, ends * self.last], dim=1)
        return self.network(input_ids=whole).logits[:, 1:-1].float()

    def guesses(self, text: str, count: int = 5) -> list[list[Guess]]:
        """Predictions for each [MASK] of a text, in order, likeliest first.

        Args:
            text: with at least one [MASK].
            count: how many guesses.

        Raises:
            InputError: there is none, or the text is too long.
        """
        ids = self.ids(text)
        if self.mask not in ids:
            raise InputError("no_mask", mask=MASK, model=self.name)
        if len(ids) > self.context_length:
            raise InputError("prompt_too_long", got=len(ids), model=self.name, limit=self.context_length)
        probs_TV = self.logits(torch.tensor([ids]))[0].softmax(-1)
        places = [place for place, token in enumerate(ids) if token == self.mask]
        return [self._likeliest(probs_TV[place], count) for place in places]

    def filled(self, text: str, guesses: Sequence[Sequence[Guess]], rank: int = 0) -> str:
        """The text with each mask replaced by its prediction of this rank."""
        parts = clean_text(text).split(MASK)
        words = [one[min(rank, len(one) - 1)].text for one in guesses]
        return parts[0] + "".join(word + part for word, part in zip(words, parts[1:], strict=True))

    def _likeliest(self, probs_V: Tensor, count: int) -> list[Guess]:
        top = probs_V.topk(min(count, len(probs_V)))
        return [
            Guess(index, (self._tokenizer.backend.id_to_token(index) or "").removeprefix("##"), prob)
            for index, prob in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        ]


def load_masked_words(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> MaskedWords:
    """A BERT by its entry, fetched if it is not here yet.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        return MaskedWords(entry, folder)
