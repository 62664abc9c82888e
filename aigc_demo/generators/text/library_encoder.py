"""Encoders on transformers' BERT: the baseline and pretrained ones, also their weights on our own network."""

# Shapes: B rows, T tokens, N chosen tokens, C features of a token, V vocabulary.

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import weights_files
from aigc_demo.generators.pretrained.folder import has_next_sentence_head
from aigc_demo.generators.pretrained.network import load_transformers
from aigc_demo.generators.pretrained.tokenizer import PretrainedTokenizer, read_tokenizer
from aigc_demo.generators.text.masked_words import EncoderNetwork
from aigc_demo.generators.text.model import memory_mib
from aigc_demo.generators.text.our_encoder import OurEncoder, load_vocabulary
from aigc_demo.generators.text.rows import RowBatch, RowVocabulary, Span
from aigc_demo.nets.text.bert_weights import load_bert_weights


class TransformersEncoder:
    """transformers' BERT with its head for masked words, as masked_words.EncoderNetwork.

    Args:
        network: BertForPreTraining, or BertForMaskedLM, which has no next-sentence head.
    """

    def __init__(self, network: Any):
        self.network = network.eval()
        self.vocab_size = int(network.config.vocab_size)
        self.context_length = int(network.config.max_position_embeddings)
        self.num_parameters = int(network.num_parameters())
        self.memory_mib = memory_mib(network)
        self.has_next_sentence_head = hasattr(network.cls, "seq_relationship")

    def predict(self, batch: RowBatch, chosen_BT: Tensor) -> tuple[Tensor, Tensor | None]:
        """As EncoderNetwork; only the chosen tokens are compared with the whole vocabulary."""
        output = self.network.bert(
            input_ids=batch.ids_BT, attention_mask=batch.mask_BT.long(), token_type_ids=batch.segments_BT
        )
        token_logits_NV = self.network.cls.predictions(output.last_hidden_state[chosen_BT]).float()
        if not self.has_next_sentence_head:
            return token_logits_NV, None
        return token_logits_NV, self.network.cls.seq_relationship(output.pooler_output).float()


class WordPieceVocabulary:
    """BERT's own tokenizer, as rows.RowVocabulary.

    Args:
        tokenizer: with [CLS], [SEP], [MASK] and [PAD].
        vocab_size: of the network.
        folder: where it lies, for the error.

    Raises:
        InputError: one of these is missing.
    """

    spaces_in_tokens = False

    def __init__(self, tokenizer: PretrainedTokenizer, vocab_size: int, folder: Path):
        needed = (tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id, tokenizer.pad_id)
        if any(token is None or token >= vocab_size for token in needed):
            raise InputError("broken_model", path=str(folder), detail="its tokenizer")
        self._tokenizer = tokenizer
        ids = [int(token) for token in needed if token is not None]
        self.start_id, self.separator_id, self.mask_id, self.padding_id = ids
        self.unknown_id = tokenizer.unknown_id
        self.special_ids: Sequence[int] = tuple(
            index for index in tokenizer.special_ids if index < vocab_size
        )

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """As RowVocabulary."""
        encoding = self._tokenizer.encoding(text)
        return [(index, *span) for index, span in zip(encoding.ids, encoding.offsets, strict=True)]

    def sentences(self, text: str) -> list[Span]:
        """As RowVocabulary: the whole text."""
        return [(0, len(text))]

    def token_text(self, index: int) -> str:
        """As RowVocabulary; a piece that goes on a word begins with ##."""
        return self._tokenizer.backend.id_to_token(index) or ""


def load_library_encoder(
    folder: Path, *, trained: bool, on_ours: bool = False
) -> tuple[EncoderNetwork, RowVocabulary]:
    """A BERT from its folder.

    Args:
        folder: config.json, safetensors and the tokenizer.
        trained: whether it was trained here, with our tokenizer.
        on_ours: put its weights on our own network.

    Raises:
        InputError: the folder is broken, holds another kind of model, or one that does not fit our network.
    """
    whole = trained or has_next_sentence_head(weights_files(folder))
    network = load_transformers("BertForPreTraining" if whole else "BertForMaskedLM", folder, "bert")
    vocab_size = int(network.config.vocab_size)
    vocabulary: RowVocabulary
    if trained:
        vocabulary = load_vocabulary(folder, vocab_size)
    else:
        vocabulary = WordPieceVocabulary(read_tokenizer(folder, "bert", vocab_size), vocab_size, folder)
    if not on_ours:
        return TransformersEncoder(network), vocabulary
    return OurEncoder(load_bert_weights(network.state_dict(), network.config.to_dict())), vocabulary
