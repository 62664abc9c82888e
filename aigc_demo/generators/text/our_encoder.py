"""Encoders on our own network."""

# Shapes: B rows, T tokens, N chosen tokens, V vocabulary.

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.documents import sentence_places
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.network_folder import loaded
from aigc_demo.generators.text.model import check_vocabulary, memory_mib, trained_vocabulary
from aigc_demo.generators.text.rows import RowBatch, Span
from aigc_demo.nets.text.bert import Bert, EncoderConfig


class OurEncoder:
    """Our network, as masked_words.EncoderNetwork."""

    has_next_sentence_head = True

    def __init__(self, network: Bert):
        self.network = network.eval()
        self.vocab_size = network.config.vocab_size
        self.context_length = network.config.context_length
        self.num_parameters = network.num_parameters()
        self.memory_mib = memory_mib(network)

    def predict(self, batch: RowBatch, chosen_BT: Tensor) -> tuple[Tensor, Tensor | None]:
        """As EncoderNetwork."""
        token_logits_NV, next_logits_B2 = self.network(
            batch.ids_BT, batch.mask_BT, batch.segments_BT, chosen_BT
        )
        return token_logits_NV, next_logits_B2


class EncoderVocabulary:
    """A tokenizer of this project, as rows.RowVocabulary.

    Args:
        tokenizer: with an encoder's special tokens.
        folder: of the model, which says how its text was prepared.

    Raises:
        InputError: it has no mask.
    """

    def __init__(self, tokenizer: Tokenizer, folder: Path):
        if not tokenizer.masks:
            raise InputError("broken_model", path=str(folder), detail="its tokenizer has no <mask>")
        self.tokenizer = tokenizer
        self.start_id, self.separator_id = tokenizer.start_id, tokenizer.separator_id
        self.padding_id, self.mask_id = tokenizer.padding_id, tokenizer.mask_id
        self.unknown_id: int | None = tokenizer.unknown_id
        self.special_ids: Sequence[int] = tokenizer.special_ids
        self.spaces_in_tokens = tokenizer.kind != "characters"
        reads = trained_vocabulary(folder, tokenizer)
        self.encode, self.spans = reads.encode, reads.spans
        self.decode, self.token_text = tokenizer.decode, tokenizer.token_text

    def sentences(self, text: str) -> list[Span]:
        """As RowVocabulary: as in training, each sentence without the white space around it."""
        return sentence_places(text)


def load_vocabulary(folder: Path, vocab_size: int) -> EncoderVocabulary:
    """The tokenizer of a model that was trained here.

    Raises:
        InputError: it is broken, or another network's.
    """
    tokenizer = Tokenizer.load(folder)
    check_vocabulary(folder, tokenizer, vocab_size)
    return EncoderVocabulary(tokenizer, folder)


def load_our_encoder(folder: Path) -> tuple[OurEncoder, EncoderVocabulary]:
    """Our own network from its folder.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    network = OurEncoder(loaded(Bert, EncoderConfig, folder))
    return network, load_vocabulary(folder, network.vocab_size)
