"""How good is a model of text: bits per byte on text that it has not seen, and what it writes itself."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.studio.text.generate import write_texts

if TYPE_CHECKING:
    from aigc_demo.data.sources import LoadedText
    from aigc_demo.data.text.corpus import PreparationSettings
    from aigc_demo.generators.catalog_entry import CatalogEntry

PARAGRAPH_END = "\n\n"
MOST_SAMPLE_TOKENS = 512


def evaluate_text(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a model that writes text, on held-out text.

    Args:
        entry: of the model.
        source: where the text comes from.
        split: "validation", by the same cut as in the model's training where its folder tells that, or "all".
        settings: of the preparation, in place of those of the model's training (or of the usual ones).
        samples: how many paragraphs it is to write from nothing, at temperature 1 and unfiltered.
        seed: of the first sample; the others have the next ones.

    Returns:
        `split`, `preparation` (the settings used), `bits_per_byte`, `bits_per_character`,
        `num_bytes`, `num_characters`, `num_tokens`, `num_unknown`, `num_samples` (windows of the model's
        context). With samples also `num_generated`,
        `distinct`, `longest_copied_run`, `longest_copied_text` and `median_copied_run` (characters that stand
        in the training part too), where the source is titled verse `lines_of_one_length`, and where it is the
        tiny world `accepted` (by the parser of its stories).

    Raises:
        DemoError: the model or the source cannot be had, or nothing is left to measure.
    """
    from aigc_demo.generators.text.loading import load_text_model
    from aigc_demo.generators.text.scoring import score_text

    known, whole, held_out = prepared(entry, source, split, settings or {})
    model = load_text_model(entry)
    score = score_text(model, whole if split == "all" else held_out)
    training_text = whole.removesuffix(held_out)
    sampled = _sampled(entry.name, source, training_text, samples, seed) if samples else {}
    return {
        **known,
        "bits_per_byte": score.bits_per_byte,
        "bits_per_character": score.bits_per_character,
        "num_bytes": score.num_bytes,
        "num_characters": score.num_characters,
        "num_tokens": score.num_tokens,
        "num_unknown": score.num_unknown,
        "num_samples": -(-score.num_tokens // model.context_length),
        **sampled,
    }


def prepared(
    entry: "CatalogEntry",
    source: str,
    split: str,
    settings: Mapping[str, Any],
    load: "Callable[[str], LoadedText] | None" = None,
) -> tuple[dict[str, Any], str, str]:
    """What is known before anything is measured, the whole cleaned text, and the part that is held out.

    Args:
        entry: of the model.
        source: where the text comes from.
        split: "validation" or "all".
        settings: of the preparation, in place of those of the model's training.
        load: reads the source; `load_text` by default.

    Raises:
        InputError: cleaning left nothing, or nothing is held out.
    """
    from aigc_demo.core.device import set_threads

    set_threads()
    preparation = _preparation(entry, settings)
    whole, held_out = _texts(source, preparation, load)
    if not (whole if split == "all" else held_out):
        fraction = preparation.validation_fraction
        raise InputError("setting_range", name="validation_fraction", expected="more than 0", got=fraction)
    known = {
        "split": split,
        "preparation": preparation.to_dict(),
    }
    return known, whole, held_out


def _preparation(entry: "CatalogEntry", given: Mapping[str, Any]) -> "PreparationSettings":
    """How the model's own text was prepared, changed by what is given."""
    from aigc_demo.data.text.corpus import PreparationSettings
    from aigc_demo.generators import hub

    own = PreparationSettings.load(hub.fetch(entry))
    return PreparationSettings.from_mapping({**own.to_dict(), **given})


def _texts(
    source: str, preparation: "PreparationSettings", load: "Callable[[str], LoadedText] | None"
) -> tuple[str, str]:
    """The whole cleaned text, and the part of it that is held out.

    Raises:
        InputError: cleaning left nothing, or nothing is held out.
    """
    from aigc_demo.data.sources import load_text
    from aigc_demo.data.text import corpus
    from aigc_demo.data.text.corpus import clean

    loaded = (load or load_text)(source)
    text, _ = clean(loaded.text, preparation)
    if not text.strip():
        raise InputError("nothing_left", name=loaded.name, dropped=len(loaded.text))
    return text, corpus.split(text, preparation.validation_fraction)[1]


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
