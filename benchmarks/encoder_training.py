"""Tokens a second in pretraining an encoder: our loop against transformers' BERT in a plain one.

4 layers of 128, rows of the tiny world, batches of 16 and 64. The peer is what a newcomer writes: float32,
eager, AdamW, BertForPreTraining with labels at every place, one loop. Ours is the recipe `bert` as the
command line runs it, from event to event; both read the same rows, step by step.

    python benchmarks/encoder_training.py [--data SOURCE] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import itertools
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import torch
import transformers

from aigc_demo.core.device import set_threads
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_documents
from aigc_demo.data.text.corpus import TextSettings
from aigc_demo.data.text.documents import DocumentCorpus, prepare_documents
from aigc_demo.training.masked_language_model.batches import PairBatches
from aigc_demo.training.masked_language_model.masking import fresh_draws, mask_tokens
from aigc_demo.training.masked_language_model.networks import build_bert
from aigc_demo.training.masked_language_model.recipe import EncoderSettings
from aigc_demo.training.masked_language_model.training import EncoderTraining
from aigc_demo.training.settings import Budget
from benchmarks.measuring import paired, report

NUM_STEPS = 15
REPEATS = 7
CONTEXT = 128
IGNORED = -100


def main() -> None:
    """Measure both batch sizes."""
    set_threads()
    source = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv else "tiny-world"
    corpus = prepare_documents(load_documents(source), TextSettings(tokenizer="words"))
    report("pretraining of an encoder, tokens a second", [measure(corpus, size) for size in (16, 64)])


def measure(corpus: DocumentCorpus, batch_size: int) -> dict[str, Any]:
    """One row."""
    settings = EncoderSettings(
        context_length=CONTEXT,
        num_layers=4,
        num_heads=4,
        hidden_size=128,
        dropout=0.0,
        batch_size=batch_size,
        validate_every=10**9,
        checkpoint_every=10**9,
    )
    times = paired(our_steps(corpus, settings), peer_steps(corpus, settings), REPEATS)
    batches = rows_of(corpus, settings)
    padding_id, steps = corpus.tokenizer.padding_id, range(NUM_STEPS * (REPEATS + 1))
    total = sum(int((batches.rows(step).ids_BT != padding_id).sum()) for step in steps)
    num_tokens = total / (REPEATS + 1)
    return {
        "batch_size": batch_size,
        "ours": num_tokens / times["ours_seconds"],
        "peer": num_tokens / times["peer_seconds"],
        "ratio": times["ratio"],
        "ratio_min": times["ratio_min"],
        "ratio_max": times["ratio_max"],
    }


def rows_of(corpus: DocumentCorpus, settings: EncoderSettings) -> PairBatches:
    """The rows that both read."""
    return PairBatches(
        corpus,
        settings.context_length,
        settings.batch_size,
        0,
        max_sentences=settings.max_sentences,
        single_text_prob=settings.single_text_prob,
    )


def our_steps(corpus: DocumentCorpus, settings: EncoderSettings) -> Callable[[], None]:
    """Our loop, which goes on at each call."""
    torch.manual_seed(0)
    model = build_bert(settings, corpus.tokenizer.vocab_size)
    run = RunDirectory(tempfile.mkdtemp())
    training = EncoderTraining(model, corpus, settings, Budget(steps=10**6), run)
    events: Iterator[Any] = (event for event in training.events() if isinstance(event, StepDone))

    def go_on() -> None:
        for _ in range(NUM_STEPS):
            next(events)

    return go_on


def peer_steps(corpus: DocumentCorpus, settings: EncoderSettings) -> Callable[[], None]:
    """transformers' BertForPreTraining in a plain loop over the same rows."""
    torch.manual_seed(0)
    tokenizer = corpus.tokenizer
    config = transformers.BertConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.num_layers,
        num_attention_heads=settings.num_heads,
        intermediate_size=4 * settings.hidden_size,
        max_position_embeddings=settings.context_length,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.padding_id,
    )
    model = transformers.BertForPreTraining(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batches = rows_of(corpus, settings)
    steps = itertools.count()

    def go_on() -> None:
        for step in itertools.islice(steps, NUM_STEPS):
            rows = batches.rows(step)
            masked = mask_tokens(
                rows.ids_BT, rows.words_BT, fresh_draws(rows.ids_BT, step), settings, tokenizer
            )
            output = model(
                input_ids=masked.ids_BT,
                attention_mask=rows.ids_BT != tokenizer.padding_id,
                token_type_ids=rows.segments_BT,
                labels=torch.where(masked.chosen_BT, rows.ids_BT, IGNORED),
                next_sentence_label=rows.labels_B,
            )
            optimizer.zero_grad()
            output.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            output.loss.item()  # a loop that shows its loss waits for it

    return go_on


if __name__ == "__main__":
    main()
