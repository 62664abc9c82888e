"""How often a model's answer is the right one, and as long as the right one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any


def answer_figures(answers: Sequence[str], targets: Sequence[str], kinds: Sequence[str]) -> dict[str, Any]:
    """Shares of answers that equal the target.

    Args:
        answers: of the model, at least one.
        targets: the right ones.
        kinds: of the questions; "" for a question of no kind.

    Returns:
        `exact_match` and `length_kept` (as many characters as the target), between 0 and 1;
        `commonest_answer` and `commonest_answer_share`, what always giving that answer would reach; and where
        questions are of several kinds, for each `kinds[kind]`: `num_samples`, `exact_match` and
        `commonest_answer_share`.
    """
    right = [answer == target for answer, target in zip(answers, targets, strict=True)]
    kept = [len(answer) == len(target) for answer, target in zip(answers, targets, strict=True)]
    commonest, count = Counter(targets).most_common(1)[0]
    figures = {
        "exact_match": sum(right) / len(right),
        "length_kept": sum(kept) / len(kept),
        "commonest_answer": commonest,
        "commonest_answer_share": count / len(targets),
    }
    if len(set(kinds)) > 1:
        figures["kinds"] = {kind: _of_kind(kind, right, targets, kinds) for kind in sorted(set(kinds))}
    return figures


def _of_kind(
    kind: str, right: Sequence[bool], targets: Sequence[str], kinds: Sequence[str]
) -> dict[str, Any]:
    of_kind = [place for place, one in enumerate(kinds) if one == kind]
    ((_, count),) = Counter(targets[place] for place in of_kind).most_common(1)
    return {
        "num_samples": len(of_kind),
        "exact_match": sum(right[place] for place in of_kind) / len(of_kind),
        "commonest_answer_share": count / len(of_kind),
    }
