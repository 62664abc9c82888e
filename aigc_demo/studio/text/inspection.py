"""Inspects a model on a given text: surprisal, alternatives, attention, tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.studio.models.arguments import (
    MAX_SCORED_CHARACTERS,
    check_in_vocabulary,
    checked_ids,
    checked_prompt,
)
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache

MAX_ATTENTION_BYTES = 400_000
MAX_ATTENTION_TOKENS = 128
NUM_ALTERNATIVES = 10
MAX_ALTERNATIVES = 200


@dataclass(frozen=True)
class TextReading:
    """Surprisal of a text, character by character.

    Attributes:
        model: its name.
        text: what was read: the text that was given, cleaned as training texts are (`data.text.cleaning`).
        bits_per_byte: of the whole text in UTF-8; lower is better, and tokens of any size compare.
        num_bytes: of the text in UTF-8.
        num_tokens: as this model cuts it.
        character_bits: the surprise of each character: its share of its token's bits.
    """

    model: str
    text: str
    bits_per_byte: float
    num_bytes: int
    num_tokens: int
    character_bits: tuple[float, ...]


@dataclass(frozen=True)
class AttentionMaps:
    """Weights of all layers and heads over the last tokens of a text.

    Attributes:
        tokens: their texts, T of them.
        num_layers: L.
        num_heads: H.
        weights: L * H * T * T bytes, 255 for a weight of 1; row t is token t's reading of tokens 0..t.
    """

    tokens: tuple[str, ...]
    num_layers: int
    num_heads: int
    weights: bytes

    def nested(self) -> list[list[list[list[float]]]]:
        """The weights as lists, [L][H][T][T], between 0 and 1."""
        numbers = iter(self.weights)
        size = range(len(self.tokens))
        return [
            [[[round(next(numbers) / 255, 4) for _ in size] for _ in size] for _ in range(self.num_heads)]
            for _ in range(self.num_layers)
        ]


def checked_count(value: Any) -> int:
    """How many alternatives: 1 to MAX_ALTERNATIVES.

    Raises:
        InputError: it is not such a number.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_ALTERNATIVES:
        expected = f"a whole number from 1 to {MAX_ALTERNATIVES}"
        raise InputError("setting_type", name="num", expected=expected, got=shown(value))
    return value


def check_scored(catalog: Catalog, model: Any, text: Any) -> tuple[str, str]:
    """The model's name and the text, both checked, the text cleaned.

    Raises:
        InputError: the model is unknown; the text is empty, too long or not text.
    """
    name, checked = catalog.checked(model), checked_prompt("text", text, MAX_SCORED_CHARACTERS)
    if not checked:
        raise InputError("text_empty")
    return name, checked


def score_text(cache: ModelCache, model: Any, text: Any) -> TextReading:
    """Score a text with a model.

    Raises:
        DemoError: an argument does not fit, or the model cannot be loaded.
    """
    from aigc_demo.generators.text import scoring

    name, text = check_scored(cache.catalog, model, text)
    score = scoring.score_text(_reader(cache, name), text)
    return TextReading(name, text, score.bits_per_byte, score.num_bytes, score.num_tokens, score.bits)


def next_token(
    cache: ModelCache,
    model: Any,
    prompt: Any,
    written: Any,
    settings: Mapping[str, Any],
    also: int | None = None,
    num: int = NUM_ALTERNATIVES,
) -> tuple[Any, ...]:
    """Candidates for the next token, likeliest first, before and after the sampling settings.

    Args:
        cache: the models.
        model: its name.
        prompt: what the text begins with.
        written: ids of what was written after it.
        settings: of the decoding.
        also: an id that is to be in the answer however unlikely.
        num: how many.

    Returns:
        Alternatives (generators/text/decoding.py) with id, text, prob_before, prob_after.

    Raises:
        DemoError: an argument does not fit, or the model cannot be loaded.
    """
    from aigc_demo.generators.text.decoding import SamplingSettings, alternatives

    name, text = cache.catalog.checked(model), checked_prompt("prompt", prompt)
    ids, asked = checked_ids("token_ids", written), SamplingSettings.from_mapping(settings)
    reader = _reader(cache, name)
    check_in_vocabulary(reader, ids)
    given = [*reader.prompt_ids(text), *ids]
    return tuple(alternatives(reader, given, len(given), asked, num, also))


def attention(cache: ModelCache, model: Any, prompt: Any, written: Any) -> AttentionMaps:
    """Attention weights of the last tokens of a text, in each layer and head.

    The tokens shown are read as a text of their own, so each row sums to one; their number is limited by
    what a page can take.

    Raises:
        DemoError: an argument does not fit, or the model gives no attention.
    """
    name, text = cache.catalog.checked(model), checked_prompt("prompt", prompt)
    ids = checked_ids("token_ids", written)
    reader = _reader(cache, name)
    check_in_vocabulary(reader, ids)
    given = [*reader.prompt_ids(text), *ids]
    found = reader.attention(given[-2:])
    if found is None:
        raise InputError("no_attention", model=name)
    layers, heads = found.shape[:2]
    limit = min(
        MAX_ATTENTION_TOKENS, reader.context_length, int((MAX_ATTENTION_BYTES / (layers * heads)) ** 0.5)
    )
    last = given[-limit:]
    weights = reader.attention(last)
    return AttentionMaps(
        tokens=tuple(reader.token_text(token) for token in last),
        num_layers=layers,
        num_heads=heads,
        weights=(weights.clamp(0, 1) * 255).round().byte().numpy().tobytes(),
    )


def token_ids(cache: ModelCache, model: Any, text: Any) -> tuple[tuple[int, str], ...]:
    """Tokenize a text: the id and the text of each token.

    Raises:
        DemoError: an argument does not fit, or the model cannot be loaded.
    """
    name, checked = cache.catalog.checked(model), checked_prompt("text", text)
    reader = cache.get(name)
    return tuple((token, reader.token_text(token)) for token in reader.encode(checked))


def _reader(cache: ModelCache, name: str) -> Any:
    """The model, with half of the cores for this thread: a small model's worker may have left it one."""
    from aigc_demo.core.device import set_threads

    reader = cache.get(name)
    set_threads(processes=2)
    return reader
