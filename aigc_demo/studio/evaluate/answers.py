"""How good are the answers of an encoder-decoder to held-out questions and lines."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.evaluate.text import prepared

if TYPE_CHECKING:
    from aigc_demo.data.text.answer_pairs import AnswerPair
    from aigc_demo.generators.answers.model import AnswerModel
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.generators.text.rows import Row

USUAL_SAMPLES = 2000
BATCH_SIZE = 64


def evaluate_answers(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a model that answers a text, on held-out pairs of a text and its answer.

    Args:
        entry: of the model.
        source: where the text comes from.
        split: as in `evaluate_text`.
        settings: of the preparation; `compare_with` names a model that generates text, which is to predict
            the second lines of the same couplets.
        samples: how many pairs; 0 for 2,000.
        seed: of the draw of the pairs.

    Returns:
        `split`, `preparation`, `task`, `num_samples`, `num_too_long` (pairs that do not fit the model and are
        left out), the figures of `answer_figures`, and `bits_per_character` of the true answers without their
        end; with `compare_with` also `compared_with` and `compared_bits_per_character`.

    Raises:
        DemoError: a model or the source cannot be had, or nothing is left to measure.
    """
    from aigc_demo.data.sources import load_documents
    from aigc_demo.generators.answers.model import load_answers
    from aigc_demo.measure.answers import answer_figures

    given = dict(settings or {})
    other = str(given.pop("compare_with", "") or "")
    known, whole, held_out = prepared(entry, source, split, given, load_documents)
    task, pairs = _drawn(whole if split == "all" else held_out, source, samples or USUAL_SAMPLES, seed)
    model = load_answers(entry)
    rows = {place: row for place, pair in enumerate(pairs) if (row := _row(model, pair))}
    if not rows:
        length = model.context_length
        raise InputError("answer_pairs_too_long", name=source, context_length=length, target_length=length)
    kept = [pairs[place] for place in rows]
    answers = answers_of(model, list(rows.values()), [pair.target for pair in kept])
    figures = answer_figures(answers, [pair.target for pair in kept], [pair.kind for pair in kept])
    bits = target_bits(model, list(rows.values()), [pair.target for pair in kept])
    compared = _compared(other, task, kept) if other else {}
    return {
        **known,
        "task": task,
        "num_samples": len(kept),
        "num_too_long": len(pairs) - len(kept),
        **figures,
        "bits_per_character": bits / sum(len(pair.target) for pair in kept),
        **compared,
    }


def answers_of(model: "AnswerModel", rows: "Sequence[Row]", targets: Sequence[str]) -> list[str]:
    """The likeliest answers; one that is longer than all of the targets is cut off behind them."""
    longest = 2 + max(len(model.vocabulary.encode(target)) for target in targets)
    answers = [""] * len(rows)
    for part in _batches(rows):
        found = model.likeliest([rows[number] for number in part], longest)
        for number, ids in zip(part, found, strict=True):
            answers[number] = model.vocabulary.decode(list(ids))
    return answers


def target_bits(model: "AnswerModel", rows: "Sequence[Row]", targets: Sequence[str]) -> float:
    """What the true answers cost a model, without their end, in bits; counted as in `score_text`."""
    from aigc_demo.measure.text import text_score

    tokens, total = [model.vocabulary.spans(target) for target in targets], 0.0
    for part in _batches(rows):
        ids = [[index for index, _, _ in tokens[number]] for number in part]
        for number, bits in zip(part, model.surprisal([rows[one] for one in part], ids), strict=True):
            score = text_score(bits, tokens[number], targets[number], model.vocabulary.unknown_id)
            total += math.fsum(score.bits)
    return total


def _batches(rows: "Sequence[Row]") -> list[list[int]]:
    """The numbers of rows of similar length."""
    order = sorted(range(len(rows)), key=lambda number: len(rows[number].ids))
    return [order[begin : begin + BATCH_SIZE] for begin in range(0, len(order), BATCH_SIZE)]


def couplet_bits(name: str, pairs: "Sequence[AnswerPair]") -> float:
    """Bits per character of the second lines for a model that generates text, each after its first line.

    Raises:
        DemoError: the model cannot be had.
    """
    from aigc_demo.generators.text.loading import load_text_model
    from aigc_demo.generators.text.scoring import continuation_bits

    model = load_text_model(name)
    bits = math.fsum(continuation_bits(model, pair.first, pair.target) for pair in pairs)
    return bits / sum(len(pair.target) for pair in pairs)


def _drawn(text: str, source: str, count: int, seed: int) -> "tuple[str, list[AnswerPair]]":
    """The task, and so many pairs of a text in their order.

    Raises:
        InputError: there are none.
    """
    from aigc_demo.data.text.answer_pairs import answer_pairs

    task, pairs, _ = answer_pairs(text, source)
    if not pairs:
        raise InputError("no_answer_pairs", name=source)
    places = random.Random(seed).sample(range(len(pairs)), min(count, len(pairs)))
    return task, [pairs[place] for place in sorted(places)]


def _row(model: "AnswerModel", pair: "AnswerPair") -> "Row | None":
    """The source of a pair; None where it or the answer is longer than the model reads."""
    try:
        row = model.row(pair.first, pair.second)
    except InputError:
        return None
    return row if len(model.vocabulary.encode(pair.target)) < model.context_length else None


def _compared(name: str, task: str, pairs: "Sequence[AnswerPair]") -> dict[str, Any]:
    from aigc_demo.data.text.answer_pairs import COUPLETS

    if task != COUPLETS:
        raise InputError("setting_range", name="compare_with", expected="couplets as data", got=task)
    return {"compared_with": name, "compared_bits_per_character": couplet_bits(name, pairs)}
