"""What a user's process does with the Hub: run as a child, since HF_ENDPOINT is read at import.

Takes a list of orders as JSON, carries them out one after the other, and prints one line of JSON for each.
"""

import json
import sys
import time

from aigc_demo.core.errors import DemoError
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry


def entry_of(order):
    if order["name"].startswith("hf:"):
        return find(order["name"], allow_hub=True)
    facts = {"family": "pretrained", "kind": "text", "recipe": "", "runs_on_ours": True}
    return CatalogEntry(order["name"], location=order["location"], revision=order["revision"], **facts)


def fetch(entry, order):
    seen = []
    cached = hub.is_cached(entry)
    folder = hub.fetch(entry, lambda done, total: seen.append((done, total)))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return {"cached_before": cached, "cached": hub.is_cached(entry), "names": names, "progress": seen}


def look(entry, order):
    return {"kind": entry.kind, "family": entry.family, "recipe": entry.recipe, "on_hub": entry.on_hub}


def write(entry, order):
    from aigc_demo.generators.text.decoding import SamplingSettings, generate
    from aigc_demo.generators.text.loading import load_text_model

    model = load_text_model(entry, on_ours=order.get("on_ours", False))
    settings = SamplingSettings(temperature=0, max_new_tokens=12)
    tokens = list(generate(model, order["prompt"], settings))
    return {
        "family": model.family,
        "context_length": model.context_length,
        "vocab_size": model.vocab_size,
        "start_ids": model.start_ids,
        "end_ids": model.end_ids,
        "banned_ids": model.banned_ids,
        "dtype": str(model.token_logits([5]).dtype),
        "prompt_ids": model.prompt_ids(order["prompt"]),
        "spans": model.spans(order["prompt"]),
        "special": model.encode("<|endoftext|>"),
        "ids": [token.id for token in tokens],
        "text": "".join(token.text for token in tokens),
    }


def main():
    for order in json.loads(sys.argv[1]):
        start = time.perf_counter()
        try:
            answer = {"fetch": fetch, "look": look, "write": write}[order["do"]](entry_of(order), order)
        except DemoError as error:
            answer = {"error": error.key, "sentence": str(error), "exit_code": error.exit_code}
        print(json.dumps({**answer, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
