"""The normalizers, pre-tokenizers and decoders that are known here, rebuilt from what a file says of them.

A tokenizer.json may ask for any regular expression and any parameters; some of them never end. What a file
describes counts only where it equals an entry of the tables below, and what is built is ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Regex, decoders, normalizers, pre_tokenizers

from aigc_demo.core.config import shown
from aigc_demo.data.text.byte_pairs import LONG_RUNS

WORD_START = "\u2581"
"""SentencePiece's sign for a space, which begins a word."""
WORD_END = "</w>"
"""CLIP's sign for the end of a word."""

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Also that of GPT-4's vocabulary, as it stands in a tokenizer.json."""
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")
CLIP_PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
OLD_CLIP_PATTERN = CLIP_PATTERN.removeprefix(r"<\|startoftext\|>|<\|endoftext\|>|")
PATTERNS = (GPT2_PATTERN, LLAMA3_PATTERN, QWEN2_PATTERN, CLIP_PATTERN, OLD_CLIP_PATTERN, LONG_RUNS)
WHITE_SPACE = r"\s+"

SWITCH = (False, True)


class UnknownPart(ValueError):
    """A file asks for a part that is not known here; the message names it, without its content."""


@dataclass(frozen=True)
class Known:
    """A part that can be rebuilt.

    Attributes:
        make: builds it from its settings.
        settings: by name, the values that each may have.
        usual: those that a file may leave out.
    """

    make: Callable[..., Any]
    settings: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)

    def takes(self, given: Mapping[str, Any]) -> bool:
        """Whether these are its settings, each with a value that is allowed."""
        return given.keys() == self.settings.keys() and all(
            any(type(value) is type(known) and value == known for known in self.settings[name])
            for name, value in given.items()
        )


def _pattern(given: Mapping[str, str]) -> Any:
    return Regex(given["Regex"]) if "Regex" in given else given["String"]


def _replace(pattern: Mapping[str, str], content: str) -> Any:
    return normalizers.Replace(_pattern(pattern), content)


def _split(pattern: Mapping[str, str], behavior: str, invert: bool) -> Any:
    """Split at matches of the pattern, or keep the matches alone."""
    if (behavior, invert) not in (("Isolated", False), ("Removed", True)):
        raise UnknownPart("Split")
    return pre_tokenizers.Split(_pattern(pattern), behavior.lower(), invert)


def _metaspace(room: Any) -> Known:
    """A Metaspace of either kind; older files say `add_prefix_space` where newer ones say when."""

    def make(
        replacement: str, prepend_scheme: str, split: bool, add_prefix_space: bool | None, str_rep: str
    ) -> Any:
        if add_prefix_space is False and prepend_scheme != "never":
            raise UnknownPart("Metaspace")
        return room.Metaspace(replacement, prepend_scheme, split)

    settings = {
        "replacement": (WORD_START,),
        "prepend_scheme": ("always", "first", "never"),
        "split": SWITCH,
        "add_prefix_space": (None, *SWITCH),
        "str_rep": (WORD_START,),
    }
    usual = {"prepend_scheme": "always", "split": True, "add_prefix_space": None, "str_rep": WORD_START}
    return Known(make, settings, usual)


_BYTE_LEVEL = {"add_prefix_space": SWITCH, "trim_offsets": SWITCH, "use_regex": SWITCH}
NORMALIZERS = {
    "NFC": Known(normalizers.NFC),
    "Lowercase": Known(normalizers.Lowercase),
    "Prepend": Known(normalizers.Prepend, {"prepend": (WORD_START,)}),
    "Replace": Known(
        _replace, {"pattern": ({"String": " "}, {"Regex": WHITE_SPACE}), "content": (WORD_START, " ")}
    ),
    "BertNormalizer": Known(
        normalizers.BertNormalizer,
        {
            "clean_text": SWITCH,
            "handle_chinese_chars": SWITCH,
            "strip_accents": (None, *SWITCH),
            "lowercase": SWITCH,
        },
    ),
}
PRE_TOKENIZERS = {
    "ByteLevel": Known(pre_tokenizers.ByteLevel, _BYTE_LEVEL, {"use_regex": True}),
    "Digits": Known(pre_tokenizers.Digits, {"individual_digits": SWITCH}),
    "Metaspace": _metaspace(pre_tokenizers),
    "BertPreTokenizer": Known(pre_tokenizers.BertPreTokenizer),
    "Split": Known(
        _split,
        {
            "pattern": tuple({"Regex": pattern} for pattern in PATTERNS),
            "behavior": ("Isolated", "Removed"),
            "invert": SWITCH,
        },
    ),
}
DECODERS = {
    # How it cuts a text does not matter to a decoder, which only puts bytes together.
    "ByteLevel": Known(lambda **settings: decoders.ByteLevel(), _BYTE_LEVEL, {"use_regex": True}),
    "WordPiece": Known(decoders.WordPiece, {"prefix": ("##",), "cleanup": SWITCH}),
    "Metaspace": _metaspace(decoders),
    "Replace": Known(
        lambda pattern, content: decoders.Replace(_pattern(pattern), content),
        {"pattern": ({"String": WORD_START},), "content": (" ",)},
    ),
    "ByteFallback": Known(decoders.ByteFallback),
    "Fuse": Known(decoders.Fuse),
    "Strip": Known(
        lambda content, start, stop: decoders.Strip(content, start, stop),
        # Cutting at the end too would make the library panic at a text of spaces alone.
        {"content": (" ",), "start": (0, 1), "stop": (0,)},
    ),
}


def normalizer(given: Any) -> Any:
    """The normalizer that a tokenizer.json describes; None where it has none.

    Raises:
        UnknownPart: it is not one of those known here.
    """
    return _rebuilt(given, NORMALIZERS, normalizers.Sequence, "normalizers")


def pre_tokenizer(given: Any) -> Any:
    """The pre-tokenizer, as `normalizer`."""
    return _rebuilt(given, PRE_TOKENIZERS, pre_tokenizers.Sequence, "pretokenizers")


def decoder(given: Any) -> Any:
    """The decoder, as `normalizer`."""
    return _rebuilt(given, DECODERS, decoders.Sequence, "decoders")


def clip_decoder() -> Any:
    """A decoder that writes a space where CLIP's words end."""
    return decoders.Sequence([decoders.ByteLevel(), decoders.Replace(WORD_END, " ")])


def _rebuilt(given: Any, known: Mapping[str, Known], sequence: Callable[[list], Any], inside: str) -> Any:
    """A part, or a sequence of parts of which none comes twice: each makes a text longer, if it does."""
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("type") != "Sequence":
        return _one(given, known)
    parts = given.get(inside)
    if given.keys() != {"type", inside} or not isinstance(parts, list):
        raise UnknownPart("Sequence")
    rebuilt: dict[str, Any] = {}
    for part in parts:
        one = _one(part, known)
        if part["type"] in rebuilt:
            raise UnknownPart("Sequence")
        rebuilt[part["type"]] = one
    return sequence(list(rebuilt.values()))


def _one(given: Any, known: Mapping[str, Known]) -> Any:
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise UnknownPart(shown(kind) if isinstance(kind, str) else "without a type")
    settings = {**known[kind].usual, **{name: value for name, value in given.items() if name != "type"}}
    if not known[kind].takes(settings):
        raise UnknownPart(kind)
    return known[kind].make(**settings)
