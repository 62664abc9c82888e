"""Seconds of training until the loss of a published recipe: ours against that recipe's own arithmetic.

The peer is nanoGPT's recipe for a CPU (4 layers, 4 heads, 128 wide, context 64, batch 12, AdamW at 1e-3
with a cosine to 1e-4 after 100 steps, float32, 2,000 steps). Its last validation loss is the mark; ours, a
model of the same shape, trains by our loop until it is no worse. Only steps count, not validations.
--mark asks ours for that loss where the peer ends with a higher one; on tinyshakespeare nanoGPT's own
figure is 1.87 to 1.88.

    python benchmarks/text_time_to_loss.py --data tinyshakespeare.txt [--mark 1.87] [--seeds 3] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import math
import statistics
import tempfile
import time
from typing import Any

import torch
from torch import Tensor

from aigc_demo.core.device import seeded, set_threads
from aigc_demo.core.events import StepDone, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.corpus import TextCorpus, TextSettings, prepare_text
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig, next_token_loss
from aigc_demo.training.language_model.networks import build_gpt
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.language_model.training import LanguageModelTraining
from aigc_demo.training.language_model.validation import validation_loss
from aigc_demo.training.settings import Budget
from benchmarks.measuring import report

SHAPE = {"context_length": 64, "num_layers": 4, "num_heads": 4, "hidden_size": 128}
PEER_STEPS, PEER_WARMUP, BATCH = 2000, 100, 12
OUR_STEPS = 400


def main() -> None:
    """Measure every seed."""
    set_threads()
    corpus = prepare_text(load_text(argument("--data", "tiny-world")), TextSettings())
    rows = [measure(corpus, seed) for seed in range(int(argument("--seeds", "3")))]
    middle = statistics.median(row["ratio"] for row in rows)
    report("seconds until the published recipe's loss", [*rows, {"seed": "median", "ratio": middle}])


def argument(name: str, default: str) -> str:
    """The word after `name` on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def measure(corpus: TextCorpus, seed: int) -> dict[str, Any]:
    """One seed: the peer to its end, then ours until it is as good."""
    peer_loss, peer_seconds = peer(corpus, seed)
    mark = min(peer_loss, float(argument("--mark", "inf")))
    reached, steps, seconds = ours(corpus, seed, mark)
    ratio = peer_seconds / seconds if reached <= mark else math.nan
    return {
        "seed": seed,
        "peer_loss": peer_loss,
        "peer_seconds": peer_seconds,
        "our_loss": reached,
        "our_steps": steps,
        "our_seconds": seconds,
        "ratio": ratio,
    }


def peer(corpus: TextCorpus, seed: int) -> tuple[float, float]:
    """The published recipe in a plain loop: its last validation loss in nats, and seconds of its steps."""
    torch.manual_seed(seed)
    shape = TransformerConfig(
        vocab_size=corpus.tokenizer.vocab_size, style="gpt2", tie_embeddings=True, **SHAPE
    )
    model = Decoder(shape).train()
    groups = [
        {"params": [weight for weight in model.parameters() if weight.dim() >= 2], "weight_decay": 0.1},
        {"params": [weight for weight in model.parameters() if weight.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    rng, started = seeded(seed), time.perf_counter()
    for step in range(PEER_STEPS):
        for group in optimizer.param_groups:
            group["lr"] = peer_rate(step)
        read_BT, target_BT = peer_rows(corpus.train, rng)
        loss = next_token_loss(model(read_BT), target_BT)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    seconds = time.perf_counter() - started
    return validation_loss(model.eval(), corpus, SHAPE["context_length"], most=None), seconds


def peer_rate(step: int) -> float:
    """A hundred steps up, then half a cosine down to a tenth."""
    if step < PEER_WARMUP:
        return 1e-3 * (step + 1) / PEER_WARMUP
    through = (step - PEER_WARMUP) / (PEER_STEPS - PEER_WARMUP)
    return 1e-4 + 0.5 * (1 + math.cos(math.pi * through)) * 9e-4


def peer_rows(ids: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Twelve rows from anywhere."""
    place_B1 = torch.randint(len(ids) - SHAPE["context_length"], (BATCH, 1), generator=rng)
    index_BT = place_B1 + torch.arange(SHAPE["context_length"])
    return ids[index_BT], ids[index_BT + 1]


def ours(corpus: TextCorpus, seed: int, mark: float) -> tuple[float, int, float]:
    """Our loop until the mark or its end: the loss reached, steps and their seconds."""
    settings = LanguageModelSettings(
        **SHAPE,
        dropout=0.0,
        batch_size=int(argument("--batch", "12")),
        muon_learning_rate=float(argument("--muon", "0.03")),
        learning_rate=float(argument("--rate", "0.006")),
        weight_decay=0.0,
        validate_every=20,
        validation_windows=10**6,
        checkpoint_every=10**6,
    )
    torch.manual_seed(seed)
    model = build_gpt(settings, corpus.tokenizer.vocab_size)
    run, budget = RunDirectory(tempfile.mkdtemp()), Budget(steps=int(argument("--steps", str(OUR_STEPS))))
    loss, step, seconds = math.inf, 0, 0.0
    for event in LanguageModelTraining(model, corpus, settings, budget, run, seed=seed).events():
        if isinstance(event, StepDone):
            step, seconds = event.step, event.metrics["seconds"]
        elif isinstance(event, ValidationDone):
            loss = event.loss
            if loss <= mark:
                break
    return loss, step, seconds


if __name__ == "__main__":
    main()
