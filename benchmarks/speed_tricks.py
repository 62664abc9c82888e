"""What each piece of code gains that is written for the CPU's speed alone: the plain formula over the trick.

A training step of the recipe gpt, in its own size and in that of the tiny world, with and without: dropout by
bytes, the hand-written gradient of the rotation, attention by two products in bfloat16, and all of them. A
token of the shipped models' size with and without the one-token decoder and the fast sampler. Both
sides of a pair run in turn, and the interval is that of the median of the pairs' ratios (bootstrap, 95 %); a
trick whose upper end stays below 1.05 is not worth its lines.

    python benchmarks/speed_tricks.py [--threads 1] [--pairs 40] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F

from aigc_demo.data.sources import load_text
from aigc_demo.data.text.corpus import TextSettings, prepare_text
from aigc_demo.generators.text import ours, sampling
from aigc_demo.generators.text.fast_sampler import Sampler
from aigc_demo.generators.text.sampling import SamplingSettings, next_token_probs
from aigc_demo.nets.text import cpu_kernels, transformer
from aigc_demo.nets.text.rotary import apply_rotary
from aigc_demo.nets.text.transformer import Decoder, TransformerConfig
from benchmarks.measuring import report
from benchmarks.text_training import our_steps

NUM_RESAMPLES, NUM_TOKENS = 2000, 64
DRAWS = (
    SamplingSettings(),
    SamplingSettings(top_k=0, top_p=0.9),
    SamplingSettings(repetition_penalty=1.2),
)


def number(name: str, otherwise: int) -> int:
    """An argument of the command."""
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else otherwise


def plain_dropout() -> Any:
    """torch's own."""
    return mock.patch.object(transformer, "byte_dropout", F.dropout)


def plain_rotation() -> Any:
    """The rotation with autograd's gradient."""
    return mock.patch.object(cpu_kernels, "rotary", apply_rotary)


def fused_attention() -> Any:
    """torch's kernel in bfloat16 too."""
    return mock.patch.object(cpu_kernels, "prefers_matmul", return_value=False)


TRICKS: dict[str, tuple[Callable[[], Any], ...]] = {
    "dropout by bytes": (plain_dropout,),
    "gradient of the rotation": (plain_rotation,),
    "attention by two products": (fused_attention,),
    "all three": (plain_dropout, plain_rotation, fused_attention),
}
SIZES: dict[str, dict[str, Any]] = {
    "6 x 256": {"num_layers": 6, "hidden_size": 256, "context_length": 256, "batch_size": 12, "dropout": 0.1},
    "3 x 128": {"num_layers": 3, "hidden_size": 128, "context_length": 96, "batch_size": 16, "dropout": 0.1},
}


@contextmanager
def without(parts: tuple[Callable[[], Any], ...]) -> Iterator[None]:
    """The plain formulas in place of the tricks."""
    with ExitStack() as stack:
        for part in parts:
            stack.enter_context(part())
        yield


def compare(trick: Callable[[], Any], plain: Callable[[], Any], pairs: int) -> dict[str, float]:
    """The plain way's seconds over the trick's; every second pair begins with the other."""
    trick(), plain()
    ratios = []
    for number in range(pairs):
        first, second = (trick, plain) if number % 2 else (plain, trick)
        times = {first: seconds(first)}
        times[second] = seconds(second)
        ratios.append(times[plain] / times[trick])
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(ratios, k=pairs)) for _ in range(NUM_RESAMPLES))
    low, high = medians[NUM_RESAMPLES // 40], medians[-NUM_RESAMPLES // 40]
    return {"ratio": statistics.median(ratios), "low": low, "high": high, "pairs": pairs}


def seconds(work: Callable[[], Any]) -> float:
    """The processor's time, child processes included, so that other work on the machine counts little."""
    started = time.process_time() + of_children()
    work()
    return time.process_time() + of_children() - started


def of_children() -> float:
    """The time of the processor that child processes took until now."""
    used = os.times()
    return used.children_user + used.children_system


def training_rows(pairs: int) -> Iterator[dict[str, Any]]:
    """A training step in both sizes."""
    corpus = prepare_text(load_text("tiny-world"), TextSettings())
    for size, shape in SIZES.items():
        steps = our_steps(corpus, **shape)
        many = 1 if size == "6 x 256" else 8

        def plainly(parts: tuple[Callable[[], Any], ...], steps: Any = steps, many: int = many) -> None:
            with without(parts):
                steps(many)

        for name, parts in TRICKS.items():
            found = compare(lambda: steps(many), lambda: plainly(parts), pairs)  # noqa: B023 (called at once)
            yield {"what": name, "size": size, **found}


def token_rows(pairs: int) -> Iterator[dict[str, Any]]:
    """A token of a text: reading it with the flat decoder, and drawing the next one."""
    for vocab_size in (66, 50_257):
        torch.manual_seed(0)
        config = TransformerConfig(vocab_size=vocab_size, num_layers=6, hidden_size=256, num_heads=4)
        found = compare(*readers(Decoder(config).eval()), pairs)
        yield {"what": "one-token decoder", "size": f"V {vocab_size}", **found}
        for settings in DRAWS:
            rule = f"k {settings.top_k}, p {settings.top_p}, penalty {settings.repetition_penalty}"
            found = compare(*drawers(vocab_size, settings), pairs)
            yield {"what": "fast sampler", "size": f"V {vocab_size}, {rule}", **found}


def readers(decoder: Decoder) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Reading 64 tokens one by one: by the flat decoder, and by the decoder as it stands in the book."""
    flat, flat_cache, cache = ours.OneTokenDecoder(decoder), decoder.new_cache(), decoder.new_cache()

    @torch.inference_mode()
    def read_flat() -> None:
        flat_cache.truncate(0)
        for index in range(NUM_TOKENS):
            flat.read(index, flat_cache)

    @torch.inference_mode()
    def read_whole() -> None:
        cache.truncate(0)
        for index in range(NUM_TOKENS):
            decoder(torch.tensor([[index]]), cache=cache)

    return read_flat, read_whole


def drawers(vocab_size: int, settings: SamplingSettings) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Drawing 64 tokens: by the sampler, and by the chain of the pure rules with the same random numbers."""
    logits = torch.randn(vocab_size, generator=torch.Generator().manual_seed(0))
    fast, stream = Sampler(settings, vocab_size, [0]), sampling.UniformStream(0)
    seen = list(range(NUM_TOKENS)) if settings.repetition_penalty != 1 else []

    def draw_fast() -> None:
        for index in range(NUM_TOKENS):
            fast.choose(logits, index)

    def draw_plain() -> None:
        for index in range(NUM_TOKENS):
            probs = next_token_probs(logits, settings, seen, [0])
            int((probs.log() + stream.gumbels(index, vocab_size)).argmax())

    return draw_fast, draw_plain


def main() -> None:
    """Measure everything, in the order of the docstring."""
    torch.set_num_threads(number("--threads", 1))
    pairs = number("--pairs", 40)
    report("plain over trick", [*training_rows(pairs), *token_rows(pairs)])


if __name__ == "__main__":
    main()
