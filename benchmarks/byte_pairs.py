"""Byte-level BPE on one line against the same text in lines of 60 characters, side by side in one run.

    python benchmarks/byte_pairs.py [--characters 600000] [--pairs 5] [--json]

Each pair trains the tokenizer on both forms of a text, one after the other in changing order, and encodes
them. What counts is the time of the processor, of this process and its children: a busy machine
changes little.
"""

import argparse
import base64
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from aigc_demo.data.text.tokenizer import train_tokenizer

LINE = 60


def texts(length: int) -> dict[str, str]:
    """Texts without a space, from a fixed seed."""
    rng = random.Random(0)
    return {
        "genome": "".join(rng.choices("ACGT", k=length)),
        "letters": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=length)),
        "Chinese characters": "".join(map(chr, rng.choices(range(0x4E00, 0x5A00), k=length // 3))),
        "digits": "".join(rng.choices("0123456789", k=length)),
        "base64": base64.b64encode(rng.randbytes(length * 3 // 4)).decode(),
    }


def seconds(text: str) -> float:
    """Processor time of training on a text and encoding it."""

    def spent() -> float:
        return time.process_time() + sum(os.times()[2:4])  # its own, and that of children that have ended

    started = spent()
    train_tokenizer(text, "bpe").encode(text)
    return spent() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--characters", type=int, default=600_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {}
    for name, line in texts(asked.characters).items():
        lines = "\n".join(line[begin : begin + LINE] for begin in range(0, len(line), LINE))
        ratios, ones = [], []
        for number in range(asked.pairs):
            order = (line, lines) if number % 2 else (lines, line)
            took = {text: seconds(text) for text in order}
            ones.append(took[line])
            ratios.append(took[line] / took[lines])
        found[name] = {
            "seconds_one_line": round(statistics.median(ones), 2),
            "ratio": round(statistics.median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in sorted(ratios)],
        }
        if not asked.json:
            print(f"{name}: {found[name]}", flush=True)
    if asked.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
