"""Training an encoder-decoder to answer a text with another one: a generator of events.

The same loop trains ours and the library baseline.
"""

# Shapes: B pairs of a batch, S tokens of a source, T tokens of an answer, V vocabulary.

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.core.events import CheckpointSaved, SampleReady, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_documents
from aigc_demo.data.text.answer_pairs import AnswerCorpus, AnswerPair, prepare_answer_pairs
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.answers.model import load_answers
from aigc_demo.generators.text.sampling import with_banned
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.training.family import Family
from aigc_demo.training.initial_weights import with_shape_of
from aigc_demo.training.loops.loop import InterruptedValidationError
from aigc_demo.training.loops.text_training import TextTraining
from aigc_demo.training.order import Order
from aigc_demo.training.seq2seq.batches import IGNORED, AnswerBatch, AnswerBatches
from aigc_demo.training.seq2seq.initial import fill, load_initial
from aigc_demo.training.seq2seq.networks import BUILD, forward_passes, networks, vocabulary
from aigc_demo.training.seq2seq.recipe import AnswerSettings
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_settings import SHAPE

FULL_PAIRS = 2000
"""Pairs of the validation where a run pauses or ends."""


class Sums(NamedTuple):
    """Sums over a batch, from which its means are computed.

    Attributes:
        loss: nats of all tokens to predict.
        right_tokens: how many of them are the likeliest.
        exact: how many answers the model would write to the last token.
    """

    loss: Tensor
    right_tokens: Tensor
    exact: Tensor


class AnswerTraining(TextTraining):
    """One training of one encoder-decoder.

    Args:
        model: from sources, their mask, answers so far and segments to logits [B, T, V].
        corpus: pairs for training and validation.
        seed: of batches and dropout.
    """

    def __init__(
        self,
        model: nn.Module,
        corpus: AnswerCorpus,
        settings: AnswerSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(model, corpus.tokenizer, corpus, settings, budget, run, seed=seed)
        self.corpus: AnswerCorpus = corpus
        self.settings = settings
        self.batches = AnswerBatches(corpus, settings.lengths, settings.batch_size, seed)

    def backward(self) -> tuple[float, int, dict[str, Any]]:
        """As TextTraining."""
        batch = self.batches.batch(self.step)
        # Each token of the whole batch counts once, however many its part or its process has.
        share = self.accelerator.num_processes / batch.num_predicted
        right = torch.zeros((), device=self.accelerator.device)

        def loss_of(*part: Tensor) -> Tensor:
            sums = self._sums(AnswerBatch(*part))
            right.add_(sums.right_tokens)
            return share * sums.loss

        loss = self.accumulate(loss_of, *batch.tensors).item()
        num_right = self.accelerator.reduce(right, reduction="sum").item()
        return loss, batch.num_tokens, {"token_accuracy": round(num_right / batch.num_predicted, 6)}

    def _sums(self, batch: AnswerBatch) -> Sums:
        logits_BTV = self.predict(
            batch.source_BS, batch.source_mask_BS, batch.target_BT, batch.segments_BS
        ).float()
        loss = F.cross_entropy(
            logits_BTV.flatten(0, 1), batch.next_BT.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        right_BT = self._likeliest(logits_BTV.detach()) == batch.next_BT
        exact_B = (right_BT | (batch.next_BT == IGNORED)).all(dim=1)
        return Sums(loss, right_BT.sum().float(), exact_B.sum().float())

    def _likeliest(self, logits_BTV: Tensor) -> Tensor:
        """The likeliest tokens that a model may write, [B, T].

        Read with the true answer before them, they say too what the model writes by itself at temperature 0:
        as long as each of its tokens is the true one, it goes on from the same tokens.
        """
        tokenizer = self.corpus.tokenizer
        banned = tuple(index for index in tokenizer.special_ids if index != tokenizer.separator_id)
        return with_banned(logits_BTV, banned).argmax(-1)

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Loss and accuracies on the same held-out pairs each time and, if `full`, on 2,000 of them too."""
        self.model.eval()
        found = self._measured(self.settings.validation_pairs)
        loss = found.pop("loss")
        if full:
            try:
                whole = self._measured(FULL_PAIRS)
            except InterruptedValidationError:  # the shorter validation is valid all the same
                whole = {"loss": math.nan, "exact_match": math.nan}
            found |= {"full_loss": whole["loss"], "full_exact_match": whole["exact_match"]}
        return [ValidationDone(step=self.step, loss=loss, metrics=found)]

    def _measured(self, most: int) -> dict[str, Any]:
        """Means over so many held-out pairs.

        Raises:
            InterruptedValidationError: the run is to stop.
        """
        totals = torch.zeros(len(Sums._fields), device=self.accelerator.device)
        num_tokens, num_pairs = 0, 0
        for batch in self.batches.validation(most):
            self.check_stop()
            on_device = AnswerBatch(*(tensor.to(self.accelerator.device) for tensor in batch.tensors))
            # FSDP gathers weights into memory that the next step uses: no inference tensors there.
            with torch.inference_mode(False), torch.no_grad():
                totals += torch.stack(self._sums(on_device))
            num_tokens += batch.num_predicted
            num_pairs += len(batch.next_BT)
        loss, right_tokens, exact = totals.tolist()
        return {
            "loss": loss / num_tokens,
            "token_accuracy": round(right_tokens / num_tokens, 6),
            "exact_match": round(exact / num_pairs, 6),
            "num_pairs": num_pairs,
        }

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """What the model in the checkpoint answers to the same held-out sources each time."""
        pairs = self.batches.held_out(self.settings.sample_pairs)
        if pairs:
            text = write_answers(self.run.path / saved.path, pairs, self.settings.lengths[1])
            yield SampleReady(step=self.step, text=text, file=self.run.write_sample(self.step, text))

    def facts(self) -> dict[str, Any]:
        """Sizes of model, data and vocabulary."""
        held_out = len(self.corpus.validation)
        return {
            "num_parameters": self.num_parameters(),
            "task": self.corpus.task,
            "train_pairs": len(self.corpus.train),
            "validation_pairs": held_out,
            "validation_windows": min(held_out, self.settings.validation_pairs),
            "all_validation_windows": min(held_out, FULL_PAIRS),
            "vocab_size": self.corpus.tokenizer.vocab_size,
            "preparation": [step.to_dict() for step in self.corpus.report],
        }


def write_answers(checkpoint: Path, pairs: Sequence[AnswerPair], target_length: int) -> str:
    """The sources of some pairs, each with the answer of the model in a checkpoint and the true one.

    Args:
        checkpoint: a model's folder.
        pairs: whose sources fit the model.
        target_length: the most tokens of an answer, its start and end included.
    """
    with torch.random.fork_rng(devices=[]):  # loading draws random weights; dropout must not depend on it
        model = load_answers(folder_entry(checkpoint, checkpoint.name))
    answers = model.likeliest([model.row(pair.first, pair.second) for pair in pairs], target_length - 1)
    lines = []
    for pair, ids in zip(pairs, answers, strict=True):
        answer = model.vocabulary.decode(list(ids))
        source = pair.first if pair.second is None else f"{pair.second}\n{pair.first}"
        right = "" if answer == pair.target else f" ≠ {pair.target}"
        lines.append(f"{source} → {answer}{right}")
    return ("\n" if pairs[0].second is None else "\n\n").join(lines)


def prepare(
    order: Order, settings: AnswerSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> AnswerTraining:
    """As `Family.prepare`."""
    initial = None if order.init is None or checkpoint else load_initial(order)
    if initial is not None:
        settings = with_shape_of(initial, order, settings)
    tokenizer = initial.tokenizer if initial else Tokenizer.load(checkpoint) if checkpoint else None
    loaded = load_documents(order.source)
    corpus = prepare_answer_pairs(loaded, settings, settings.lengths, tokenizer)
    torch.manual_seed(order.seed)
    model = BUILD[order.recipe](settings, corpus.tokenizer.vocab_size)
    if initial is not None:
        fill(model, initial.weights, order)
    return AnswerTraining(model, corpus, settings, budget, run, seed=order.seed)


FAMILY = Family(
    prepare,
    networks,
    forward_passes,
    vocabulary=vocabulary,
    config_names=lambda recipe: {name: name for name in SHAPE},
)
