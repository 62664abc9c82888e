"""Builds the content of tokenizer.json from the separate files of older folders.

What the parts of such a tokenizer are follows from the architecture alone, as the library has it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aigc_demo.generators.pretrained import tokenizer_parts as parts
from aigc_demo.generators.pretrained.tokenizer_files import (
    BPE,
    MOST_BYTES,
    WORD_PIECE,
    BrokenTokenizer,
    SpecialNames,
    read_lines,
    read_merges,
    read_object,
    switch,
)

END_OF_TEXT = "<|endoftext|>"
USUAL_NAMES: dict[str, dict[str, str]] = {
    "gpt2": dict.fromkeys(("bos", "eos", "unk"), END_OF_TEXT),
    "llama": {},
    "qwen2": dict.fromkeys(("eos", "unk", "pad"), END_OF_TEXT),
    "clip": {"bos": "<|startoftext|>", **dict.fromkeys(("eos", "unk", "pad"), END_OF_TEXT)},
    "bert": {name: f"[{name.upper()}]" for name in ("unk", "pad", "mask", "cls", "sep")},
}
"""What special tokens are called where the files do not say; only those that a vocabulary has count."""

Description = dict[str, Any]


def described(
    folder: Path, architecture: str, config: Mapping[str, Any], names: SpecialNames
) -> tuple[Description, str]:
    """The content of tokenizer.json for a folder without one, and the file of its vocabulary.

    Args:
        folder: with vocab.json and merges.txt, or vocab.txt.
        architecture: transformers' `model_type`.
        config: its tokenizer_config.json.
        names: of the special tokens.

    Raises:
        BrokenTokenizer: a file is missing or damaged.
    """
    added = {"added_tokens": _added(config, folder)}
    pairs = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    if architecture in _PAIRS and pairs:
        common = _PAIRS[architecture](config, names)
        model = {
            "type": BPE,
            "vocab": read_object(folder / "vocab.json", MOST_BYTES),
            "merges": read_merges(folder / "merges.txt"),
        }
        return {**common, "model": {**model, **common.get("model", {})}, **added}, "vocab.json"
    if architecture in ("bert", "gpt2") and (folder / "vocab.txt").is_file():  # Chinese GPT-2s have BERT's
        return {**_bert(folder, config, names), **added}, "vocab.txt"
    raise BrokenTokenizer("no tokenizer.json")


def _added(config: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The added tokens, in the form of tokenizer.json."""
    listed = config.get("added_tokens_decoder")
    if listed is None:
        beside = read_object(folder / "added_tokens.json")
        return [{"id": index, "content": content} for content, index in beside.items()]
    if not isinstance(listed, dict) or not all(isinstance(token, dict) for token in listed.values()):
        raise BrokenTokenizer("added_tokens_decoder in tokenizer_config.json is no table of tokens")
    return [{**token, "id": _number(index)} for index, token in listed.items()]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 8:
        raise BrokenTokenizer("added_tokens_decoder in tokenizer_config.json is no table of tokens")
    return int(text)


def _bert(folder: Path, config: Mapping[str, Any], names: SpecialNames) -> Description:
    lines = read_lines(folder / "vocab.txt")
    if len(set(lines)) < len(lines):
        raise BrokenTokenizer("a token stands twice in vocab.txt")
    return {
        "model": {
            "type": WORD_PIECE,
            "vocab": {token: index for index, token in enumerate(lines)},
            "unk_token": names.named.get("unk", USUAL_NAMES["bert"]["unk"]),
        },
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": switch(config, "tokenize_chinese_chars", True),
            "strip_accents": switch(config, "strip_accents", None),
            "lowercase": switch(config, "do_lower_case", True),
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    }


def _byte_level(config: Mapping[str, Any], *, use_regex: bool = True) -> Description:
    space = switch(config, "add_prefix_space", False)
    return {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": use_regex}


def _split(pattern: str, behavior: str, invert: bool) -> Description:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def _gpt2(config: Mapping[str, Any], names: SpecialNames) -> Description:
    return {"pre_tokenizer": _byte_level(config), "decoder": _byte_level({})}


def _qwen2(config: Mapping[str, Any], names: SpecialNames) -> Description:
    cut = [_split(parts.QWEN2_PATTERN, "Isolated", False), _byte_level(config, use_regex=False)]
    return {
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": cut},
        "decoder": _byte_level({}),
    }


def _clip(config: Mapping[str, Any], names: SpecialNames) -> Description:
    unknown = names.named.get("unk", USUAL_NAMES["clip"]["unk"])
    space = {"type": "Replace", "pattern": {"Regex": parts.WHITE_SPACE}, "content": " "}
    cut = [_split(parts.CLIP_PATTERN, "Removed", True), _byte_level({})]
    return {
        "model": {"unk_token": unknown, "end_of_word_suffix": parts.WORD_END},
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, space, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": cut},
    }


_PAIRS: dict[str, Callable[[Mapping[str, Any], SpecialNames], Description]] = {
    "gpt2": _gpt2,
    "qwen2": _qwen2,
    "clip": _clip,
}
"""By architecture, what goes with vocab.json and merges.txt."""
