"""Tokens a second in training: our loop against transformers' GPT-2 of the same size in a plain one.

4 layers of 128, context 64, batches of 12 and 48, characters. The peer is what a newcomer writes: float32,
eager, AdamW, one loop. Ours is the recipe `gpt` as the command line runs it, from event to event.

    python benchmarks/text_training.py [--data SOURCE] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from aigc_demo.core.device import set_threads
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.corpus import TextCorpus, TextSettings, prepare_text
from aigc_demo.training.language_model.batches import Batches
from aigc_demo.training.language_model.networks import build_gpt
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.language_model.training import LanguageModelTraining
from aigc_demo.training.settings import Budget
from benchmarks.measuring import paired, report

NUM_STEPS = 30
REPEATS = 7
CONTEXT = 64


def main() -> None:
    """Measure both batch sizes."""
    set_threads()
    source = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv else "tiny-world"
    corpus = prepare_text(load_text(source), TextSettings())
    report("training, tokens a second", [measure(corpus, batch_size) for batch_size in (12, 48)])


def measure(corpus: TextCorpus, batch_size: int) -> dict[str, Any]:
    """One row."""
    ours, peer = our_steps(corpus, batch_size=batch_size), peer_steps(corpus, batch_size)
    times = paired(lambda: ours(NUM_STEPS), lambda: peer(NUM_STEPS), REPEATS)
    tokens = NUM_STEPS * batch_size * CONTEXT
    return {
        "batch_size": batch_size,
        "ours": tokens / times["ours_seconds"],
        "peer": tokens / times["peer_seconds"],
        "ratio": times["ratio"],
        "ratio_min": times["ratio_min"],
        "ratio_max": times["ratio_max"],
    }


def our_steps(corpus: TextCorpus, **shape: Any) -> Callable[[int], None]:
    """Our loop, which goes on by so many steps at each call.

    Args:
        corpus: what it learns from.
        shape: settings that differ from those of the peer.
    """
    usual = {"context_length": CONTEXT, "num_layers": 4, "num_heads": 4, "hidden_size": 128, "dropout": 0.0}
    never = {"validate_every": 10**9, "checkpoint_every": 10**9}
    settings = LanguageModelSettings(**{**usual, **never, **shape})
    torch.manual_seed(0)
    model = build_gpt(settings, corpus.tokenizer.vocab_size)
    run = RunDirectory(tempfile.mkdtemp())
    training = LanguageModelTraining(model, corpus, settings, Budget(steps=10**6), run)
    events: Iterator[Any] = (event for event in training.events() if isinstance(event, StepDone))

    def go_on(num_steps: int) -> None:
        for _ in range(num_steps):
            next(events)

    return go_on


def peer_steps(corpus: TextCorpus, batch_size: int) -> Callable[[int], None]:
    """transformers' GPT-2 in a plain loop over the same rows."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=corpus.tokenizer.vocab_size,
        n_positions=CONTEXT,
        n_embd=128,
        n_layer=4,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=1,
        eos_token_id=1,
    )
    model = GPT2LMHeadModel(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batches, step = Batches(corpus, CONTEXT, batch_size, seed=0), 0

    def go_on(num_steps: int) -> None:
        nonlocal step
        for _ in range(num_steps):
            read_BT, target_BT = batches.rows(step)
            logits_BTV = model(read_BT).logits
            loss = torch.nn.functional.cross_entropy(logits_BTV.flatten(0, 1), target_BT.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            loss.item()  # a loop that shows its loss waits for it
            step += 1

    return go_on


if __name__ == "__main__":
    main()
