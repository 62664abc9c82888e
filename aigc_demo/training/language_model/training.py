"""Training a language model to predict the next token: a generator of events.

The same loop trains ours and the library baseline.
"""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import CheckpointSaved, SampleReady, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.corpus import TextCorpus, Tokenizer, prepare_text
from aigc_demo.generators.text.decoding import generate
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.generators.text.sampling import SamplingSettings
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.nets.text.transformer import next_token_loss
from aigc_demo.training.family import Family
from aigc_demo.training.initial_weights import InitialText, init_model, initial_text, with_shape_of
from aigc_demo.training.language_model.batches import Batches
from aigc_demo.training.language_model.networks import NETWORKS, forward_passes, networks, vocabulary
from aigc_demo.training.language_model.recipe import ROWS, LanguageModelSettings
from aigc_demo.training.language_model.validation import validation_loss
from aigc_demo.training.loops.loop import InterruptedValidationError
from aigc_demo.training.loops.text_training import TextTraining
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget


class LanguageModelTraining(TextTraining):
    """One training of one language model.

    Args:
        model: from token ids [B, T] to logits [B, T, V], or to an output that has `.logits`.
        corpus: text for training and validation.
        seed: of batches and dropout.
        sample: from a checkpoint's folder and a function that says whether to stop to a sample. None for no
            samples.
    """

    def __init__(
        self,
        model: nn.Module,
        corpus: TextCorpus,
        settings: LanguageModelSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
        sample: Callable[[Path, Callable[[], bool]], str] | None = None,
    ):
        super().__init__(model, corpus.tokenizer, corpus, settings, budget, run, seed=seed)
        self.corpus: TextCorpus = corpus
        self.settings, self.sample = settings, sample
        self.batches = Batches(
            corpus, settings.context_length, settings.batch_size, seed, settings.paragraph_start_prob
        )

    def backward(self) -> tuple[float, int, dict[str, Any]]:
        """As TextTraining."""
        parts = self.settings.gradient_accumulation_steps

        def loss_of(input_BT: Tensor, target_BT: Tensor) -> Tensor:
            return next_token_loss(self._logits(input_BT), target_BT) / parts

        loss = self.accumulate(loss_of, *self.batches.rows(self.step))
        return loss.item(), self.settings.units_per_step, {}

    def _logits(self, ids_BT: Tensor) -> Tensor:
        output = self.predict(ids_BT.to(self.accelerator.device))
        return output if isinstance(output, Tensor) else output.logits.float()

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """The loss over the same windows as every time and, if `full`, over all of them too."""
        self.model.eval()
        most = self._num_windows()
        loss = self._measured_loss(most)
        metrics: dict[str, int | float] = {"num_windows": most}
        if full:
            all_are_measured = most == self._num_windows(every=True)
            try:
                metrics["full_loss"] = loss if all_are_measured else self._measured_loss(None)
            except InterruptedValidationError:  # the shorter validation is valid all the same
                metrics["full_loss"] = math.nan
        return [ValidationDone(step=self.step, loss=loss, metrics=metrics)]

    def _measured_loss(self, most: int | None) -> float:
        """The loss over so many windows, which may take a while.

        Raises:
            InterruptedValidationError: the run is to stop.
        """

        def predict(ids_BT: Tensor) -> Tensor:
            self.check_stop()
            # FSDP gathers weights into memory that the next step uses: no inference tensors there.
            with torch.inference_mode(False), torch.no_grad():
                return self._logits(ids_BT)

        return validation_loss(predict, self.corpus, self.settings.context_length, most)

    def _num_windows(self, *, every: bool = False) -> int:
        """Windows of the held-out part that a validation measures, or all there are."""
        total = -(-len(self.corpus.validation) // self.settings.context_length)
        return total if every else min(total, self.settings.validation_windows)

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Text of the model in the checkpoint."""
        if self.sample is not None and self.settings.sample_tokens:
            text = self.sample(self.run.path / saved.path, self.asked_to_stop)
            if self.should_stop():  # half a sample would not compare with the others
                return
            yield SampleReady(step=self.step, text=text, file=self.run.write_sample(self.step, text))

    def facts(self) -> dict[str, Any]:
        """Sizes of model, data and vocabulary."""
        return {
            "num_parameters": self.num_parameters(),
            "train_tokens": len(self.corpus.train),
            "validation_tokens": len(self.corpus.validation),
            "validation_windows": self._num_windows(),
            "all_validation_windows": self._num_windows(every=True),
            "vocab_size": self.corpus.tokenizer.vocab_size,
            "preparation": [step.to_dict() for step in self.corpus.report],
        }


def prepare(
    order: Order, settings: LanguageModelSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> LanguageModelTraining:
    """As `Family.prepare`.

    A run that is resumed has its tokenizer in the checkpoint; the model of its `--init` is not needed again.
    """
    loaded = load_text(order.source)
    initial = None if order.init is None or checkpoint else _load_init(order)
    if initial is not None:
        settings = with_shape_of(initial, order, settings)
    tokenizer = initial.tokenizer if initial else Tokenizer.load(checkpoint) if checkpoint else None
    corpus = prepare_text(loaded, settings, tokenizer)
    _check_sample(settings, corpus.tokenizer)
    torch.manual_seed(order.seed)
    model = NETWORKS[order.recipe].build(settings, corpus.tokenizer.vocab_size)
    if initial is not None:
        model.load_state_dict(initial.weights)
    return LanguageModelTraining(
        model, corpus, settings, budget, run, seed=order.seed, sample=partial(write_sample, settings)
    )


def _load_init(order: Order) -> InitialText:
    """Load what `--init` names.

    Raises:
        InputError: there is no such model, or another recipe made it.
    """
    entry = init_model(order)
    loaded = load_text_model(entry)
    ours = ROWS[order.recipe].ours
    network: nn.Module = loaded.decoder if ours else loaded.network  # type: ignore[attr-defined]
    return initial_text(entry, network, NETWORKS[order.recipe].shape)


def _check_sample(settings: LanguageModelSettings, tokenizer: Tokenizer) -> None:
    """Refuse before the first step a prompt that fills the context."""
    length = len(tokenizer.encode(clean_text(settings.sample_prompt)))
    if length >= settings.context_length:
        expected = f"at most {settings.context_length - 1} tokens long"
        raise InputError("setting_range", name="sample_prompt", expected=expected, got=length)


def write_sample(
    settings: LanguageModelSettings, checkpoint: Path, should_stop: Callable[[], bool] = lambda: False
) -> str:
    """Text of the model in a checkpoint, from the same prompt and random numbers each time."""
    if not settings.sample_tokens:
        return ""
    sampling = SamplingSettings(max_new_tokens=settings.sample_tokens, seed=0)
    with torch.random.fork_rng(devices=[]):  # loading draws random weights; dropout must not depend on it
        model = load_text_model(folder_entry(checkpoint, checkpoint.name))
        tokens = generate(model, settings.sample_prompt, sampling, should_stop)
        return clean_text(settings.sample_prompt) + "".join(token.text for token in tokens)


FAMILY = Family(
    prepare,
    networks,
    forward_passes,
    vocabulary=vocabulary,
    config_names=lambda recipe: NETWORKS[recipe].shape,
    write_sample=write_sample,
)
