"""How good is a model on a source: the figures that the model cards and the page quote."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.text.generate import write_texts

if TYPE_CHECKING:
    from aigc_demo.data.text.corpus import PreparationSettings

SPLITS = ("validation", "all")
PARAGRAPH_END = "\n\n"
MOST_SAMPLE_TOKENS = 512


def evaluate(
    model: str,
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
    allow_hub: bool = False,
) -> dict[str, Any]:
    """Measure a model: what writes text on held-out text, what makes pictures against real ones.

    Args:
        model: a name that the catalog finds.
        source: where the text comes from.
        split: "validation", by the same cut as in the model's training where its folder tells that, or "all".
        settings: of the preparation, in place of those of the model's training (or of the usual ones).
        samples: how many paragraphs it is to write from nothing, at temperature 1 and unfiltered.
        seed: of the first sample; the others have the next ones.
        allow_hub: whether hf: names of models are taken.

    Returns:
        `model`, `source`, `split`, `preparation` (the settings used), `bits_per_byte`, `bits_per_character`,
        `num_bytes`, `num_characters`, `num_tokens`, `num_unknown`, `num_samples` (windows of the model's
        context), `seconds` and `peak_memory_mib` of this process. With samples also `num_generated`,
        `distinct`, `longest_copied_run`, `longest_copied_text` and `median_copied_run` (characters that stand
        in the training part too), where the source is titled verse `lines_of_one_length`, and where it is the
        tiny world `accepted` (by the parser of its stories).

    Raises:
        DemoError: the model or the source cannot be had, or nothing is left to measure.

    For a model that makes pictures see `evaluate_pictures`, for one that matches or reads `evaluate_pairs`.
    """
    from aigc_demo.generators.catalog import find

    entry = find(model, allow_hub=allow_hub)
    if entry.kind == "pictures":
        from aigc_demo.studio.evaluate.images import evaluate_pictures

        return evaluate_pictures(entry, source, split, settings=settings, samples=samples, seed=seed)
    if entry.kind == "measures":
        from aigc_demo.studio.evaluate.images import evaluate_encoder

        return evaluate_encoder(entry, source, settings=settings, seed=seed)
    if split not in SPLITS:
        raise InputError("setting_range", name="split", expected="validation or all", got=split)
    if entry.kind == "matches":
        from aigc_demo.studio.evaluate.pairs import evaluate_matcher

        return evaluate_matcher(entry, source, split, settings=settings)
    if entry.kind in ("reads", "mends"):
        from aigc_demo.studio.evaluate.pairs import JUDGES

        return JUDGES[entry.kind](entry, source, settings=settings)
    if entry.kind == "text-to-image":
        from aigc_demo.studio.evaluate.text_to_image import evaluate_text_to_image

        return evaluate_text_to_image(entry, source, settings=settings, seed=seed)
    from aigc_demo.core.device import set_threads
    from aigc_demo.core.process.system import peak_memory_mib
    from aigc_demo.generators.text.loading import load_text_model
    from aigc_demo.generators.text.scoring import score_text

    set_threads()
    preparation = _preparation(model, settings or {}, allow_hub=allow_hub)
    whole, held_out = _texts(source, preparation)
    text = whole if split == "all" else held_out
    if not text:
        fraction = preparation.validation_fraction
        raise InputError("setting_range", name="validation_fraction", expected="more than 0", got=fraction)
    known = {"model": model, "source": source, "split": split, "preparation": preparation.to_dict()}
    if entry.kind == "masks":
        from aigc_demo.generators.text.masked_words import load_masked_words
        from aigc_demo.measure.masked import masked_figures

        figures = masked_figures(load_masked_words(entry), text, seed)
        return {**known, **figures, "peak_memory_mib": round(peak_memory_mib(), 1)}
    reader = load_text_model(model, allow_hub=allow_hub)
    started = time.perf_counter()
    score = score_text(reader, text)
    written = _sampled(model, source, whole.removesuffix(held_out), samples, seed) if samples else {}
    return {
        **known,
        "bits_per_byte": score.bits_per_byte,
        "bits_per_character": score.bits_per_character,
        "num_bytes": score.num_bytes,
        "num_characters": score.num_characters,
        "num_tokens": score.num_tokens,
        "num_unknown": score.num_unknown,
        "num_samples": -(-score.num_tokens // reader.context_length),
        **written,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }


def _preparation(model: str, given: Mapping[str, Any], *, allow_hub: bool) -> "PreparationSettings":
    """How the model's own text was prepared, changed by what is given."""
    from aigc_demo.data.text.corpus import PreparationSettings
    from aigc_demo.generators import hub
    from aigc_demo.generators.catalog import find

    own = PreparationSettings.load(hub.fetch(find(model, allow_hub=allow_hub)))
    return PreparationSettings.from_mapping({**own.to_dict(), **given})


def _texts(source: str, preparation: "PreparationSettings") -> tuple[str, str]:
    """The whole cleaned text, and the part of it that is held out.

    Raises:
        InputError: cleaning left nothing, or nothing is held out.
    """
    from aigc_demo.data.sources import load_text
    from aigc_demo.data.text.corpus import clean
    from aigc_demo.data.text.corpus import split as cut

    loaded = load_text(source)
    text, _ = clean(loaded.text, preparation)
    if not text.strip():
        raise InputError("nothing_left", name=loaded.name, dropped=len(loaded.text))
    return text, cut(text, preparation.validation_fraction)[1]


def _sampled(model: str, source: str, training_text: str, num: int, seed: int) -> dict[str, Any]:
    """Figures of paragraphs that the model writes from nothing."""
    from aigc_demo.data.sources import TINY_WORLD
    from aigc_demo.data.text.corpus import is_collection
    from aigc_demo.data.tiny_world.texts import parse_story
    from aigc_demo.measure.samples import sample_figures

    asked = {"temperature": 1.0, "stop": (PARAGRAPH_END,), "max_new_tokens": MOST_SAMPLE_TOKENS}
    texts = [one["text"].strip("\n") for one in write_texts(model, "", num=num, seed=seed, settings=asked)]
    figures = asdict(sample_figures(texts, training_text))
    if not is_collection(training_text):
        del figures["lines_of_one_length"]
    if source == TINY_WORLD:
        figures["accepted"] = sum(parse_story(text).ok for text in texts) / num
    return figures
