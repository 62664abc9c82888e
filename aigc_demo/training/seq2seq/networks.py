"""The networks that answer: our encoder-decoder, and the library's of the same sizes."""

# Shapes: B pairs of a batch, S tokens of a source, T tokens of an answer, V vocabulary.

from collections.abc import Callable
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS
from aigc_demo.nets.text.bert_weights import SHAPE as BERT_SHAPE
from aigc_demo.nets.text.seq2seq import Seq2Seq, Seq2SeqConfig
from aigc_demo.training.family import ForwardPasses
from aigc_demo.training.seq2seq.recipe import AnswerSettings
from aigc_demo.training.text_settings import LOGIT_COPIES, SHAPE, expected_vocab_size


class EncoderDecoderModel(transformers.EncoderDecoderModel):
    """transformers' encoder-decoder, called as ours is, with one matrix for all of its token embeddings.

    Both of its halves read the same vocabulary; the library gives each an embedding of its own, which would
    make it larger than ours by as many parameters as the vocabulary has. The file has both, equal, so that
    the library's own class loads it.
    """

    def __init__(self, config: Any = None, encoder: Any = None, decoder: Any = None):
        super().__init__(config, encoder, decoder)
        # What is sharded as one; not the embeddings, since a shared parameter cannot be in two parts.
        self._no_split_modules = {"BertLayer"}
        # One module, and not only one parameter: it is sharded, moved and loaded as one.
        shared = self.encoder.embeddings.word_embeddings
        self.decoder.bert.embeddings.word_embeddings = shared
        self.decoder.cls.predictions.decoder.weight = shared.weight
        # Not part of an encoder-decoder: without gradients, processes do not wait for any.
        self.encoder.pooler.requires_grad_(False)

    def forward(
        self,
        source_BS: Tensor,
        source_mask_BS: Tensor | None,
        target_BT: Tensor,
        segments_BS: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, T, V] as `Seq2Seq.forward` gives them."""
        mask_BS = None if source_mask_BS is None else source_mask_BS.long()
        found = super().forward(
            input_ids=source_BS,
            attention_mask=mask_BS,
            token_type_ids=segments_BS,
            decoder_input_ids=target_BT,
            use_cache=False,
        )
        return found.logits.float()

    def get_input_embeddings(self) -> None:
        """None: accelerate would shard it by itself, and what shares its weight cannot be in another part."""

    def get_output_embeddings(self) -> None:
        """None, likewise: BERT's output layer shares its bias."""

    def save_pretrained(self, folder: Any, **named: Any) -> None:
        """As the library does, with a copy of what both halves share; what it ties itself is written once."""
        tied = self.all_tied_weights_keys
        weights = {name: tensor.clone() for name, tensor in self.state_dict().items() if name not in tied}
        super().save_pretrained(folder, state_dict=weights, **named)


def build_ours(settings: AnswerSettings, vocab_size: int) -> nn.Module:
    """Our encoder-decoder."""
    shape = {name: getattr(settings, name) for name in SHAPE}
    return Seq2Seq(Seq2SeqConfig(vocab_size=vocab_size, dropout=settings.dropout, recipe="seq2seq", **shape))


def build_library(settings: AnswerSettings, vocab_size: int) -> nn.Module:
    """transformers' encoder-decoder of two BERTs of the same sizes.

    Attention weights are not dropped, as in ours, because that takes the fused kernel away.

    Raises:
        InputError: another output layer than the embeddings is asked for, which BERT has not.
    """
    if not settings.tie_embeddings:
        raise InputError("setting_range", name="tie_embeddings", expected="true here", got="false")
    transformers.utils.logging.disable_progress_bar()  # a bar would tear the lines of events apart
    sizes = {theirs: getattr(settings, ours) for ours, theirs in BERT_SHAPE.items() if ours in SHAPE}
    sizes["intermediate_size"] = settings.mlp_size or 4 * settings.hidden_size
    halves = [
        transformers.BertConfig(
            vocab_size=vocab_size,
            **sizes,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=0.0,
            pad_token_id=Tokenizer.padding_id,
        )
        for _ in range(2)
    ]
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        *halves,
        pad_token_id=Tokenizer.padding_id,
        eos_token_id=Tokenizer.separator_id,
        decoder_start_token_id=1,
        recipe="seq2seq-library",
        # Its sizes by our names too, where a run that goes on from it finds them.
        **{name: getattr(settings, name) for name in SHAPE},
    )
    return EncoderDecoderModel(config)


BUILD: dict[str, Callable[[AnswerSettings, int], nn.Module]] = {
    "seq2seq": build_ours,
    "seq2seq-library": build_library,
}


def networks(recipe: str, settings: AnswerSettings) -> list[nn.Module]:
    """The network with no word but special tokens: the vocabulary is not known before there is a text."""
    return [BUILD[recipe](settings, len(ENCODER_TOKENS))]


def forward_passes(parts: list[nn.Module], settings: AnswerSettings) -> ForwardPasses:
    """One batch, without what depends on the size of the vocabulary."""
    source_BS = torch.zeros(settings.batch_size, settings.context_length, dtype=torch.long)
    target_BT = torch.zeros(settings.batch_size, settings.lengths[1], dtype=torch.long)

    def forward() -> Tensor:
        logits_BTV = parts[0](source_BS, None, target_BT, source_BS)
        return nn.functional.cross_entropy(logits_BTV.flatten(0, 1), target_BT.flatten())

    return [(1, forward)]


def vocabulary(settings: AnswerSettings, text: str | None) -> tuple[int, int]:
    """Parameters of embeddings and output layer, and bytes of the logits of one batch."""
    tokens = expected_vocab_size(settings, text, len(ENCODER_TOKENS))
    num_parameters = tokens * (settings.hidden_size * (1 if settings.tie_embeddings else 2) + 1)
    return num_parameters, LOGIT_COPIES * 4 * settings.batch_size * settings.lengths[1] * tokens
