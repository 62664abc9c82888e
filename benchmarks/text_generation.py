"""Tokens a second of greedy text, batch 1, cache on: our decoder against transformers' `generate`.

The same weights on both sides and, in float32, the same tokens. At 1.4 M parameters the calls around the
products cost most; at 12 M it is fetching the weights from memory, so ours also runs with 8-bit weights,
and what that does to bits per byte on held-out text is measured on a model that was trained for it here.

    python benchmarks/text_generation.py [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import copy
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from aigc_demo.core.device import set_threads
from aigc_demo.data.sources import load_text
from aigc_demo.data.text.corpus import TextSettings, prepare_text
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.text.decoding import SamplingSettings, generate
from aigc_demo.generators.text.ours import OursText
from aigc_demo.generators.text.scoring import score_text
from aigc_demo.nets.text.gpt2_weights import load_gpt2_weights
from aigc_demo.nets.text.transformer import Decoder, next_token_loss
from aigc_demo.training.optimizers import optimizers_for, rate_factor
from benchmarks.measuring import paired, report

NUM_TOKENS = 200
REPEATS = 5
SIZES = {
    "1.4 M": {"n_layer": 4, "n_embd": 168, "n_head": 4},
    "12 M": {"n_layer": 6, "n_embd": 404, "n_head": 4},
}


def main() -> None:
    """Measure both sizes."""
    set_threads()
    corpus = prepare_text(load_text("tiny-world"), TextSettings())
    rows = [row for name, size in SIZES.items() for row in measure(name, size, corpus)]
    report("greedy text, tokens a second", rows)


def measure(name: str, size: dict[str, int], corpus: Any) -> list[dict[str, Any]]:
    """The rows of one size: float32 on both sides, then 8-bit weights where memory is the limit."""
    theirs = build(size, corpus)
    ours = wrapped(load_gpt2_weights(theirs), corpus.tokenizer)
    prompt = torch.tensor([ours.prompt_ids("the ")])

    def peer(network: GPT2LMHeadModel = theirs) -> list[int]:
        mask = torch.ones_like(prompt)
        found = network.generate(prompt, attention_mask=mask, max_new_tokens=NUM_TOKENS, **GREEDY)
        return found[0, prompt.shape[1] :].tolist()

    assert written(ours) == peer(), "the two decoders write different texts"
    half = copy.deepcopy(theirs).bfloat16()
    half_seconds = paired(lambda: peer(half), peer, REPEATS)["ours_seconds"]
    rows = [row(name, "float32", ours, paired(lambda: written(ours), peer, REPEATS), half_seconds)]
    if ours.num_parameters > 10_000_000:
        small = wrapped(load_gpt2_weights(theirs), corpus.tokenizer, quantized=True)
        found = row(name, "int8", small, paired(lambda: written(small), peer, REPEATS), half_seconds)
        text = corpus.validation_text[:20_000]
        bits = {one: score_text(model, text).bits_per_byte for one, model in (("f", ours), ("q", small))}
        rows.append({**found, "bits_per_byte": bits["f"], "bits_per_byte_int8": bits["q"]})
    return rows


GREEDY = {"min_new_tokens": NUM_TOKENS, "do_sample": False, "pad_token_id": 0, "use_cache": True}


def row(
    name: str, weights: str, model: OursText, times: dict[str, float], half_seconds: float
) -> dict[str, Any]:
    """One measurement, in tokens a second."""
    return {
        "parameters": f"{name} ({model.num_parameters:,})",
        "weights": weights,
        "ours": NUM_TOKENS / times["ours_seconds"],
        "peer_float32": NUM_TOKENS / times["peer_seconds"],
        "peer_bfloat16": NUM_TOKENS / half_seconds,
        "ratio": times["ratio"],
        "ratio_min": times["ratio_min"],
        "ratio_max": times["ratio_max"],
    }


def written(model: OursText) -> list[int]:
    """The greedy text, by the road that the page takes."""
    settings = SamplingSettings(temperature=0, max_new_tokens=NUM_TOKENS)
    return [token.id for token in generate(model, "the ", settings)]


def wrapped(decoder: Decoder, tokenizer: Tokenizer, *, quantized: bool = False) -> OursText:
    """Our text model around a decoder; nothing is banned, as in the peer."""
    return OursText("ours", decoder, tokenizer, start_ids=(tokenizer.start_id,), quantized=quantized)


def build(size: dict[str, int], corpus: Any, num_steps: int = 300) -> GPT2LMHeadModel:
    """A GPT-2 that has learned the tiny world's language, so that its bits per byte mean something."""
    torch.manual_seed(0)
    vocab_size = corpus.tokenizer.vocab_size
    config = GPT2Config(vocab_size=vocab_size, n_positions=256, bos_token_id=1, eos_token_id=1, **size)
    network = GPT2LMHeadModel(config).train()
    optimizers = optimizers_for(
        network, kind="muon", learning_rate=3e-3, muon_learning_rate=0.02, weight_decay=0.0
    )
    rng = torch.Generator().manual_seed(0)
    for step in range(num_steps):
        place_B1 = torch.randint(len(corpus.train) - 130, (8, 1), generator=rng)
        ids_BT = corpus.train[place_B1 + torch.arange(129)]
        with torch.autocast("cpu", torch.bfloat16):
            logits_BTV = network(ids_BT[:, :-1]).logits
        next_token_loss(logits_BTV.float(), ids_BT[:, 1:]).backward()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * rate_factor((step + 0.5) / num_steps, schedule="linear")
            optimizer.step()
            optimizer.zero_grad()
    return network.eval()


if __name__ == "__main__":
    main()
