"""Pretraining an encoder on masked words and next sentences: a generator of events.

The same loop trains ours and the library baseline.
"""

# Shapes: B rows of a batch, T tokens of a row, N chosen tokens, P rows with two texts, V vocabulary.

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.core.events import CheckpointSaved, SampleReady, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import TINY_WORLD, load_documents
from aigc_demo.data.text.documents import DocumentCorpus, prepare_documents
from aigc_demo.data.text.sentence_pairs import SentencePairs
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.data.tiny_world.stories.sentence_order import may_follow
from aigc_demo.data.tiny_world.texts import questions_text
from aigc_demo.training.family import Family
from aigc_demo.training.initial_weights import init_model, initial_text, with_shape_of
from aigc_demo.training.loops.loop import InterruptedValidationError
from aigc_demo.training.loops.text_training import TextTraining
from aigc_demo.training.masked_language_model.batches import (
    FOLLOWS,
    PairBatches,
    Rows,
    collate,
    pair_texts,
)
from aigc_demo.training.masked_language_model.masking import fresh_draws, mask_tokens, same_draws
from aigc_demo.training.masked_language_model.networks import (
    NETWORKS,
    forward_passes,
    networks,
    vocabulary,
)
from aigc_demo.training.masked_language_model.recipe import EncoderSettings
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

FULL_ROWS = 2000
"""Rows of the validation where a run pauses or ends."""
SAMPLE_ROWS = 6
WRONG_GUESS, RIGHT_GUESS = "≠", "="


class Sums(NamedTuple):
    """Sums over a batch, from which its means are computed.

    Attributes:
        masked_loss: nats of all chosen tokens.
        masked_right: how many of them are predicted.
        next_loss: nats of all pairs.
        next_right: how many of them are classified correctly.
    """

    masked_loss: Tensor
    masked_right: Tensor
    next_loss: Tensor
    next_right: Tensor


class EncoderTraining(TextTraining):
    """One pretraining of one encoder.

    Args:
        model: from ids, mask, segments and chosen tokens to their logits [N, V] and those of the next
            sentence [B, 2].
        corpus: documents for training and validation.
        seed: of batches, masks and dropout.
        may_follow: as in `SentencePairs`.
    """

    def __init__(
        self,
        model: nn.Module,
        corpus: DocumentCorpus,
        settings: EncoderSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
        may_follow: Callable[[str, str], bool] | None = None,
    ):
        super().__init__(model, corpus.tokenizer, corpus, settings, budget, run, seed=seed)
        self.corpus: DocumentCorpus = corpus
        self.settings, self.seed = settings, seed
        self.batches = PairBatches(
            corpus,
            settings.context_length,
            settings.batch_size,
            seed,
            max_sentences=settings.max_sentences,
            single_text_prob=settings.single_text_prob,
            may_follow=may_follow,
        )
        self.held_out = SentencePairs(corpus.validation, may_follow)

    def backward(self) -> tuple[float, int, dict[str, Any]]:
        """As TextTraining."""
        rows = self.batches.rows(self.step)
        if self.settings.static_masks:
            draws_3BT = same_draws(rows.ids_BT, self.corpus.tokenizer.padding_id)
        else:
            draws_3BT = fresh_draws(rows.ids_BT, self.seed * 1_000_003 + self.step)
        inputs = self._masked(rows, draws_3BT)
        counts = _Counts.of(inputs)
        # Each process averages over its own share: together they have to count each token once.
        share = self.accelerator.num_processes
        totals = torch.zeros(len(Sums._fields), device=self.accelerator.device)

        def loss_of(*part: Tensor) -> Tensor:
            sums = self._sums(*part)
            totals.add_(torch.stack(sums).detach())
            return share * counts.loss(sums, self.settings.next_sentence_weight)

        loss = self.accumulate(loss_of, *inputs).item()
        totals = self.accelerator.reduce(totals, reduction="sum")
        num_tokens = int((rows.ids_BT != self.corpus.tokenizer.padding_id).sum())
        return loss, num_tokens, counts.means(Sums(*totals))

    def _masked(self, rows: Rows, draws_3BT: Tensor) -> tuple[Tensor, ...]:
        """Ids with masks, attention mask, segments, chosen tokens, original ids, labels."""
        tokenizer = self.corpus.tokenizer
        masked = mask_tokens(rows.ids_BT, rows.words_BT, draws_3BT, self.settings, tokenizer)
        real_BT = rows.ids_BT != tokenizer.padding_id
        return masked.ids_BT, real_BT, rows.segments_BT, masked.chosen_BT, rows.ids_BT, rows.labels_B

    def _sums(
        self,
        ids_BT: Tensor,
        real_BT: Tensor,
        segments_BT: Tensor,
        chosen_BT: Tensor,
        original_BT: Tensor,
        labels_B: Tensor,
    ) -> Sums:
        token_NV, next_B2 = self.predict(ids_BT, real_BT, segments_BT, chosen_BT)
        token_NV, next_B2 = token_NV.float(), next_B2.float()
        target_N = original_BT[chosen_BT]
        return Sums(
            F.cross_entropy(token_NV, target_N, reduction="sum"),
            (token_NV.argmax(-1) == target_N).sum().float(),
            F.cross_entropy(next_B2, labels_B, reduction="sum"),  # -100: rows of one text
            (next_B2.argmax(-1) == labels_B).sum().float(),
        )

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Both tasks on the same held-out rows as every time and, if `full`, on 2,000 of them too."""
        self.model.eval()
        found = self._measured(self.settings.validation_rows)
        if not found:
            return []
        loss = self._loss(found)
        metrics: dict[str, int | float] = dict(found)
        if full:
            try:
                metrics["full_loss"] = self._loss(self._measured(FULL_ROWS))
            except InterruptedValidationError:  # the shorter validation is valid all the same
                metrics["full_loss"] = math.nan
        return [ValidationDone(step=self.step, loss=loss, metrics=metrics)]

    def _loss(self, means: dict[str, Any]) -> float:
        return means["masked_loss"] + self.settings.next_sentence_weight * means["next_sentence_loss"]

    def _measured(self, count: int) -> dict[str, Any]:
        """Means over so many held-out rows of two texts; nothing where the held-out part has no pair.

        Raises:
            InterruptedValidationError: the run is to stop.
        """
        totals = torch.zeros(len(Sums._fields))
        counts = _Counts(0, 0)
        follows = 0
        for rows in self.validation_batches(count):
            self.check_stop()
            inputs = self._masked(rows, fresh_draws(rows.ids_BT, len(rows.ids_BT)))
            # FSDP gathers weights into memory that the next step uses: no inference tensors there.
            with torch.inference_mode(False), torch.no_grad():
                sums = self._sums(*(tensor.to(self.accelerator.device) for tensor in inputs))
            totals += torch.stack(sums).cpu()
            counts += _Counts.of(inputs)
            follows += int((rows.labels_B == FOLLOWS).sum())
        if not counts.pairs:
            return {}
        chance = max(follows, counts.pairs - follows) / counts.pairs
        return {
            "num_rows": counts.pairs,
            "next_sentence_chance": round(chance, 4),
            **counts.means(Sums(*totals)),
        }

    def validation_batches(self, count: int) -> Iterator[Rows]:
        """Held-out rows, the same ones each time."""
        rng = random.Random(0)
        drawn = [self.held_out.draw(rng) for _ in range(count)]
        pairs = [pair for pair in drawn if pair is not None]
        for begin in range(0, len(pairs), self.settings.batch_size):
            # As in training, all rows of a batch have the same number of sentences.
            num_sentences = 1 + begin // self.settings.batch_size % self.settings.max_sentences
            some = [
                pair_texts(self.corpus.validation, pair, num_sentences)
                for pair in pairs[begin : begin + self.settings.batch_size]
            ]
            texts, labels = zip(*some, strict=True)
            yield collate(texts, labels, self.corpus.tokenizer, self.settings.context_length)

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """What the model in the checkpoint fills in, in the same held-out rows each time."""
        rows = next(self.validation_batches(SAMPLE_ROWS), None)
        if rows is None:
            return
        with torch.random.fork_rng(devices=[]):  # loading draws random weights; dropout must not see it
            network = NETWORKS[self.run.config()["recipe"]].load(self.run.path / saved.path).eval()
        text = fill_in(network, self._masked(rows, fresh_draws(rows.ids_BT, 0)), self.corpus.tokenizer)
        yield SampleReady(step=self.step, text=text, file=self.run.write_sample(self.step, text))

    def facts(self) -> dict[str, Any]:
        """Sizes of model, data and vocabulary; how many wrong pairs were left out because they are lawful."""
        facts: dict[str, Any] = {
            "num_parameters": self.num_parameters(),
            "train_tokens": self.corpus.train.num_tokens,
            "validation_tokens": self.corpus.validation.num_tokens,
            "vocab_size": self.corpus.tokenizer.vocab_size,
            "preparation": [step.to_dict() for step in self.corpus.report],
        }
        if self.held_out.may_follow is not None:
            total, lawful = self.held_out.num_left_out(FULL_ROWS)
            facts |= {"pairs_looked_at": total, "lawful_pairs_left_out": lawful}
        return facts


class _Counts(NamedTuple):
    """What sums are divided by: chosen tokens, and rows of two texts."""

    chosen: int
    pairs: int

    @classmethod
    def of(cls, inputs: tuple[Tensor, ...]) -> "_Counts":
        *_, chosen_BT, _, labels_B = inputs
        return cls(int(chosen_BT.sum()), int((labels_B >= 0).sum()))

    def __add__(self, other: "_Counts") -> "_Counts":  # type: ignore[override]
        return _Counts(self.chosen + other.chosen, self.pairs + other.pairs)

    def loss(self, sums: Sums, next_sentence_weight: float) -> Tensor:
        """The share of these sums in the mean loss."""
        of_pairs = next_sentence_weight * sums.next_loss / max(1, self.pairs)
        return sums.masked_loss / max(1, self.chosen) + of_pairs

    def means(self, sums: Sums) -> dict[str, float]:
        """Both losses and accuracies; those of pairs only where there are any."""
        found = {
            "masked_loss": sums.masked_loss.item() / self.chosen,
            "masked_accuracy": sums.masked_right.item() / self.chosen,
        }
        if self.pairs:
            found["next_sentence_loss"] = sums.next_loss.item() / self.pairs
            found["next_sentence_accuracy"] = sums.next_right.item() / self.pairs
        return {name: round(value, 6) for name, value in found.items()}


@torch.inference_mode()
def fill_in(network: nn.Module, inputs: tuple[Tensor, ...], tokenizer: Tokenizer) -> str:
    """Rows with their chosen tokens as [right=] or [guess≠right], and whether the second text follows.

    Args:
        network: in evaluation mode, on the CPU.
        inputs: as `EncoderTraining._masked` gives them.
        tokenizer: of the ids.
    """
    ids_BT, real_BT, segments_BT, chosen_BT, original_BT, labels_B = inputs
    token_NV, next_B2 = network(ids_BT, real_BT, segments_BT, chosen_BT)
    guesses = iter(token_NV.argmax(-1).tolist())
    lines = []
    for row, original_T in enumerate(original_BT.tolist()):
        parts = []
        for place, index in enumerate(original_T):
            text = tokenizer.token_text(index)
            if chosen_BT[row, place]:
                guess = next(guesses)
                text = (
                    f"[{text}{RIGHT_GUESS}]" if guess == index else f"[{tokenizer.token_text(guess)}≠{text}]"
                )
            elif index == tokenizer.separator_id:
                text = " / "
            elif index in tokenizer.special_ids and index != tokenizer.unknown_id:
                text = ""
            parts.append(text)
        probability = next_B2[row].softmax(-1)[FOLLOWS].item()
        mark = RIGHT_GUESS if (probability > 0.5) == (labels_B[row].item() == FOLLOWS) else WRONG_GUESS
        lines.append(f"{''.join(parts).strip(' /')}  [{probability:.0%} {mark}]")
    return "\n".join(lines)


def prepare(
    order: Order, settings: EncoderSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> EncoderTraining:
    """As `Family.prepare`."""
    network = NETWORKS[order.recipe]
    initial = None
    if order.init is not None and checkpoint is None:
        entry = init_model(order)
        initial = initial_text(entry, network.load(Path(entry.location)), network.shape)
        settings = with_shape_of(initial, order, settings)
    tokenizer = initial.tokenizer if initial else Tokenizer.load(checkpoint) if checkpoint else None
    tiny_world = order.source == TINY_WORLD
    corpus = prepare_documents(
        load_documents(order.source),
        settings,
        tokenizer,
        also_known=questions_text() if tiny_world and tokenizer is None else "",
    )
    torch.manual_seed(order.seed)
    model = network.build(settings, corpus.tokenizer.vocab_size)
    if initial is not None:
        model.load_state_dict(initial.weights)
    return EncoderTraining(
        model, corpus, settings, budget, run, seed=order.seed, may_follow=may_follow if tiny_world else None
    )


FAMILY = Family(
    prepare,
    networks,
    forward_passes,
    vocabulary=vocabulary,
    config_names=lambda recipe: NETWORKS[recipe].shape,
)
