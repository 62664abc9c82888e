"""Encoder-decoders behind one protocol: they read a source, and write the answer to it token by token.

With its source read, such a model is a language model of the answer (`AnswerWriter`), so sampling, beam
search, alternatives and scores are those of `generators.text`.
"""

# Shapes: B rows, S tokens of the source, T tokens of the answer, V vocabulary, L layers, H heads.

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.kinds import ANSWERS, check_kind
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.text.decoding import SamplingSettings, TokenSampled, generate
from aigc_demo.generators.text.our_encoder import EncoderVocabulary
from aigc_demo.generators.text.rows import Row, RowBatch, batch_of, check_known, check_length, row_of
from aigc_demo.generators.text.sampling import with_banned
from aigc_demo.generators.text.sessions import Reader, Session
from aigc_demo.generators.trained_folder import trained_loader


class AnswerNetwork(Protocol):
    """An encoder-decoder.

    Attributes:
        vocab_size: V.
        context_length: the most tokens of the source, and of the answer.
        num_parameters: shared ones counted once.
        memory_mib: what its weights take.
    """

    vocab_size: int
    context_length: int
    num_parameters: int
    memory_mib: float

    def reader(self, sources: RowBatch) -> Reader:
        """What reads the answers to some sources incrementally; the first token is the start token."""

    def logits(
        self, sources: RowBatch, answers_BT: Tensor, attention_out: list[Tensor] | None = None
    ) -> Tensor:
        """Logits of the next token at each position of the answers, [B, T, V], float32.

        Args:
            sources: B of them.
            answers_BT: token ids, the start token first.
            attention_out: each layer's cross-attention weights [B, H, T, S] are appended to it.
        """


class AnswerModel:
    """An encoder-decoder with its vocabulary.

    Args:
        name: to show.
        network: on which it runs.
        vocabulary: of source and answer.
        family: ours or library.
    """

    def __init__(self, name: str, network: AnswerNetwork, vocabulary: EncoderVocabulary, family: Family):
        self.name, self.family = name, family
        self.network, self.vocabulary = network, vocabulary
        self.vocab_size, self.context_length = network.vocab_size, network.context_length
        self.num_parameters, self.memory_mib = network.num_parameters, network.memory_mib
        self.end_ids = (vocabulary.separator_id,)
        self.banned_ids = tuple(index for index in vocabulary.special_ids if index not in self.end_ids)

    def row(self, text: str, story: str | None = None) -> Row:
        """The source: one text, or a question and the story that it is about; cleaned as in training.

        Raises:
            InputError: it is longer than the model reads.
        """
        row = row_of(self.vocabulary, clean_text(text), None if story is None else clean_text(story))
        check_length(row, self.context_length, self.name)
        return row

    def check_known(self, *texts: str) -> None:
        """Refuse texts in a script that the model does not know.

        Raises:
            InputError: more than half of the characters of one are not in the vocabulary.
        """
        for text in map(clean_text, texts):
            check_known(row_of(self.vocabulary, text), text, self.vocabulary, self.name)

    def writer(self, row: Row) -> "AnswerWriter":
        """The language model of the answers to one source."""
        return AnswerWriter(self, row)

    def answer(
        self, row: Row, settings: SamplingSettings, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[TokenSampled]:
        """Write the answer to a source, as `decoding.generate` continues a text.

        Args:
            row: the source.
            settings: how tokens are drawn; an answer is never longer than the model's context.
            stop: as there.

        Raises:
            DemoError: the model's scores are not finite (while the answer is being written).
        """
        longest = min(settings.max_new_tokens, self.context_length)
        return generate(self.writer(row), "", replace(settings, max_new_tokens=longest), stop)

    @torch.inference_mode()
    def likeliest(self, rows: Sequence[Row], max_new_tokens: int) -> list[tuple[int, ...]]:
        """The answers of temperature 0 to several sources at once, each without its end token.

        Args:
            rows: the sources.
            max_new_tokens: where an answer ends that has not ended by itself.

        Raises:
            DemoError: the model's scores are not finite.
        """
        end = self.end_ids[0]
        reader = self.network.reader(batch_of(rows, self.vocabulary.padding_id))
        last_B = torch.full((len(rows),), self.vocabulary.start_id)
        written, ended_B = list[Tensor](), torch.zeros(len(rows), dtype=torch.bool)
        while len(written) < min(max_new_tokens, self.context_length) and not bool(ended_B.all()):
            logits_BV = reader.read(last_B[:, None])
            if not math.isfinite(float(logits_BV.sum())):
                raise DemoError("not_finite", model=self.name)
            last_B = with_banned(logits_BV, self.banned_ids).argmax(-1)
            written.append(last_B)
            ended_B |= last_B == end
        answers = torch.stack(written, dim=1).tolist()
        return [tuple(ids[: ids.index(end)] if end in ids else ids) for ids in answers]

    @torch.inference_mode()
    def surprisal(self, rows: Sequence[Row], answers: Sequence[Sequence[int]]) -> list[list[float]]:
        """What each token of given answers costs, -log2 of its probability, in bits.

        Args:
            rows: the sources.
            answers: token ids to each, without the start token.
        """
        padding, longest = self.vocabulary.padding_id, max(map(len, answers))
        ids_BT = torch.tensor([[*ids, *[padding] * (longest - len(ids))] for ids in answers])
        start_B1 = torch.full((len(rows), 1), self.vocabulary.start_id)
        read_BT = torch.cat((start_B1, ids_BT[:, :-1]), dim=1)
        log_probs_BTV = self.network.logits(batch_of(rows, padding), read_BT).log_softmax(-1)
        nats_BT = -log_probs_BTV.gather(2, ids_BT[:, :, None])[:, :, 0]
        bits = (nats_BT / math.log(2)).tolist()
        return [one[: len(ids)] for one, ids in zip(bits, answers, strict=True)]

    @torch.inference_mode()
    def cross_attention(self, row: Row, answer_ids: Sequence[int]) -> Tensor:
        """What was looked at in the source for each token of an answer, [L, H, T, S]; rows sum to 1.

        Args:
            row: the source, S tokens.
            answer_ids: T tokens, without the start token.
        """
        weights: list[Tensor] = []
        read_BT = torch.tensor([[self.vocabulary.start_id, *answer_ids][: len(answer_ids)]])
        self.network.logits(batch_of([row], self.vocabulary.padding_id), read_BT, weights)
        return torch.stack([layer_BHTS[0].float() for layer_BHTS in weights])


class AnswerWriter:
    """The answers to one source as a language model, text.model.TextModel.

    Its prompts are beginnings of the answer.

    Args:
        model: an encoder-decoder.
        row: the source.
    """

    def __init__(self, model: AnswerModel, row: Row):
        self.model, self.row = model, row
        self.name, self.family = model.name, model.family
        self.vocab_size, self.context_length = model.vocab_size, model.context_length
        self.num_parameters, self.memory_mib = model.num_parameters, model.memory_mib
        self.start_ids: tuple[int, ...] = (model.vocabulary.start_id,)
        self.banned_ids: tuple[int, ...] = model.banned_ids
        self.end_ids: tuple[int, ...] = model.end_ids
        self.unknown_id = model.vocabulary.unknown_id
        self._source = batch_of([row], model.vocabulary.padding_id)
        vocabulary = model.vocabulary
        self.encode, self.decode = vocabulary.encode, vocabulary.decode
        self.token_text, self.spans = vocabulary.token_text, vocabulary.spans

    def prompt_ids(self, prompt: str) -> list[int]:
        """As TextModel: the beginning of an answer behind the start token."""
        return [*self.start_ids, *self.encode(clean_text(prompt))]

    @torch.inference_mode()
    def begin(self, ids: Sequence[int]) -> Session:
        """As TextModel."""
        return Session(self.model.network.reader(self._source), ids, self.context_length)

    @torch.inference_mode()
    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """As TextModel."""
        return self.model.network.logits(self._source, torch.tensor([list(ids)]))[0]

    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """As TextModel: self-attention is not given; `AnswerModel.cross_attention` is."""
        return None


def load_answers(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> AnswerModel:
    """An encoder-decoder by its entry.

    Args:
        entry: of the catalog.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    check_kind(entry.name, entry.kind, ANSWERS)
    load = trained_loader(entry)
    if load is None:
        expected = "was trained here"
        raise InputError("foreign_model", path=entry.name, detail="it is pretrained", expected=expected)
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        network, vocabulary = load(folder)
        return AnswerModel(entry.name, network, vocabulary, entry.family)
