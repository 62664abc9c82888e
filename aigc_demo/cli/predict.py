"""What generate and compare print of models that predict masked words or answer a text."""

from typing import Any

from aigc_demo.cli.output import print_result, print_text
from aigc_demo.core.process.console import reader_is_gone
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS

PREDICTIONS = (MASKED_WORDS, ANSWERS)
NUM_CANDIDATES = 5


def predict(
    model: str, kind: str, prompt: str, num: int, seed: int, settings: dict[str, str], json_: bool
) -> None:
    """What one model predicts or answers; as many candidates for a mask as asked for, five at least."""
    found = _predicted(model, kind, prompt, max(num, NUM_CANDIDATES), seed, settings)
    if json_:
        print_result({"model": model, "seed": seed, **found}, json_)
    else:
        _print(found)


def predict_side_by_side(
    models: list[str], kind: str, prompt: str, seed: int, settings: dict[str, str], json_: bool
) -> None:
    """What several models of one kind predict or answer."""
    columns = []
    for model in models:
        found = _predicted(model, kind, prompt, NUM_CANDIDATES, seed, settings)
        columns.append({"model": model, **found})
        if not json_:
            print_text(f"--- {model}")
            _print(found)
        if reader_is_gone():
            break
    if json_:
        print_result({"prompt": prompt, "seed": seed, "columns": columns}, json_)


def _predicted(
    model: str, kind: str, prompt: str, num: int, seed: int, settings: dict[str, str]
) -> dict[str, Any]:
    from aigc_demo.studio.text.predict import answered, fill_in, next_sentence

    if kind == ANSWERS:
        return answered(model, prompt, seed=seed, settings=settings)
    if "second" in settings:
        return next_sentence(model, prompt, **settings)
    return fill_in(model, prompt, num, **settings)


def _print(found: dict[str, Any]) -> None:
    """The text, and for each mask its candidates, or the probability of the second text."""
    print_text(found["text"] + (f" ({found['prob']:.1%})" if "prob" in found else ""))
    for place, guesses in enumerate(found.get("guesses", ()), start=1):
        print_text(f"  {place}: " + ", ".join(f"{one['text']} {one['prob']:.1%}" for one in guesses))
