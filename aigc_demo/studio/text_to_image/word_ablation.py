"""Ablation of a caption's words: the same seed without a word, or with it replaced."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import TEXT_TO_IMAGE
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for
from aigc_demo.studio.text_to_image.compare import TextToImageAsk, check_known, checked_caption, ranker_for

if TYPE_CHECKING:
    from torch import Tensor

MOST_WORDS = 24
TELLING = ("colour", "kind", "size", "relation", "weather")


@dataclass(frozen=True, eq=False)
class Changed:
    """An image of a caption in which one word is different.

    Attributes:
        word: the word that was taken out or replaced; "" for the caption as it is.
        caption: what was drawn.
        image: uint8 [C, H, W], of the same seed.
        difference: mean difference from the image of the whole caption, in grey levels.
        score: how well it still fits the whole caption, -1 to 1; None where nobody can say.
    """

    word: str
    caption: str
    image: "Tensor"
    difference: float
    score: float | None


def without_each_word(cache: ModelCache, model: Any, caption: Any, settings: dict[str, Any]) -> list[Changed]:
    """The image of a caption, then those of the caption without each of its words that say something.

    Args:
        cache: where the model is, or is loaded to.
        model: its name.
        caption: the whole one.
        settings: of TextToImageAsk; the first seed is drawn.

    Raises:
        InputError: something does not fit, or the caption has too many words.
    """
    text = checked_caption(caption)
    pieces = telling(text)
    if len(pieces) > MOST_WORDS:
        raise InputError(
            "setting_range", name="caption", expected=f"at most {MOST_WORDS} words", got=len(pieces)
        )
    variants = [("", text)] + [(text[a:b], _tidy(text[:a] + text[b:])) for a, b in pieces]
    return _drawn(cache, model, [one for one in variants if one[1]], settings)


def with_each_other(
    cache: ModelCache, model: Any, caption: Any, index: Any, settings: dict[str, Any]
) -> list[Changed]:
    """The image of a caption, then those with each other word of the same kind in the place of one word.

    Args:
        cache: as in `without_each_word`.
        model: likewise.
        caption: likewise.
        index: which of the caption's words, as `parse_caption` finds them.
        settings: likewise.

    Raises:
        InputError: something does not fit, or there is no other word of its kind.
    """
    from aigc_demo.data.tiny_world.caption import NAMES, language_of, parse_caption

    text = checked_caption(caption)
    words = parse_caption(text).words
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(words):
        raise InputError("setting_range", name="word", expected=f"0 to {len(words) - 1}", got=shown(index))
    chosen = words[index]
    if chosen.part not in TELLING:
        raise InputError("no_other_word", word=text[chosen.first : chosen.past])
    names = NAMES[language_of(text)]
    others = [
        plainest
        for (part, meaning), (plainest, *_) in names.items()
        if part == chosen.part and meaning != chosen.meaning
    ]
    variants = [("", text)] + [
        (other, text[: chosen.first] + other + text[chosen.past :]) for other in others
    ]
    return _drawn(cache, model, variants, settings)


def telling(caption: str) -> list[tuple[int, int]]:
    """Spans of the content words of a caption; of one that is not parsed, of all words."""
    from aigc_demo.data.captions.pairs import WORD
    from aigc_demo.data.tiny_world.caption import parse_caption

    reading = parse_caption(caption)
    if reading.group is not None:
        return [(word.first, word.past) for word in reading.words if word.part in TELLING]
    return [match.span() for match in WORD.finditer(caption.lower())]


def _tidy(caption: str) -> str:
    return " ".join(caption.split())


def _drawn(
    cache: ModelCache, name: Any, variants: list[tuple[str, str]], settings: dict[str, Any]
) -> list[Changed]:
    full = cache.catalog.checked(name, TEXT_TO_IMAGE)
    ask = TextToImageAsk.from_mapping({**settings, "num_candidates": 1})
    model = cache.get(full)
    texts = [caption for _, caption in variants]
    check_known(model, texts[0])
    with time_slice_for(model, cache):
        images = model.make(texts, [ask.seed] * len(texts), ask.sampling)
    ranker = ranker_for(cache, model)
    scores = [None] * len(texts) if ranker is None else ranker.scores(texts[:1], images)[0].tolist()
    away = (images.float() - images[0].float()).abs().flatten(1).mean(dim=1).tolist()
    return [
        Changed(word, caption, image, difference, score)
        for (word, caption), image, difference, score in zip(variants, images, away, scores, strict=True)
    ]
