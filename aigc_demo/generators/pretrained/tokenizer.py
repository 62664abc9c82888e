"""Rebuilds the tokenizer of a pretrained folder: tokens and merges are its data, components are ours.

From tokenizer.json where it is there, otherwise from the files that older folders have: vocab.json with
merges.txt (GPT-2, Qwen2, CLIP) or vocab.txt (BERT). Padding, truncation and templates of the files do not
count: our callers begin, end and cut texts themselves.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models

from aigc_demo.core.errors import InputError
from aigc_demo.core.library_errors import library_errors
from aigc_demo.generators.pretrained import tokenizer_parts as parts
from aigc_demo.generators.pretrained.older_tokenizer import USUAL_NAMES, Description, described
from aigc_demo.generators.pretrained.tokenizer_files import (
    BPE,
    MOST_BYTES,
    WORD_PIECE,
    AddedToken,
    BrokenTokenizer,
    checked_added,
    checked_merges,
    checked_vocabulary,
    read_object,
    special_names,
)

TOKENIZER, CONFIG = "tokenizer.json", "tokenizer_config.json"
KINDS = {"gpt2": (BPE, WORD_PIECE), "llama": (BPE,), "qwen2": (BPE,), "clip": (BPE,), "bert": (WORD_PIECE,)}
"""Which kinds of model a tokenizer of each architecture may be; Chinese GPT-2s have BERT's."""
SETTINGS = ("fuse_unk", "byte_fallback", "ignore_merges")
EXPECTED = "has a tokenizer as GPT-2, Llama, Qwen2, CLIP or BERT have it"


@dataclass(frozen=True, eq=False)
class PretrainedTokenizer:
    """A tokenizer and what its special tokens mean.

    Attributes:
        backend: the library's, without padding, truncation or template; special tokens in a text are text.
        special_ids: in order.
        bos_id: begins a text; this and the following are None where there is none.
        eos_id: ends a text.
        unknown_id: what a text gives that the vocabulary lacks.
        pad_id: fills up.
        mask_id: stands for a hidden word.
        cls_id: begins a text for BERT.
        sep_id: ends a text for BERT.
        marks_word_ends: whether tokens say where a word ends, as CLIP's do.
    """

    backend: tokenizers.Tokenizer
    special_ids: tuple[int, ...]
    bos_id: int | None = None
    eos_id: int | None = None
    unknown_id: int | None = None
    pad_id: int | None = None
    mask_id: int | None = None
    cls_id: int | None = None
    sep_id: int | None = None
    marks_word_ends: bool = False

    @property
    def size(self) -> int:
        """How many tokens there are, added ones included."""
        return self.backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, no special ones added; half a surrogate pair is taken for a question mark."""
        return self.encoding(text).ids

    def encoding(self, text: str) -> tokenizers.Encoding:
        """The same with the offsets of each token in the text."""
        readable = text.encode("utf-8", "replace").decode("utf-8")  # what a browser sends may have no bytes
        return self.backend.encode(readable, add_special_tokens=False)

    def decode(self, ids: list[int]) -> str:
        """The text of tokens, special ones left out."""
        text = self.backend.decode(ids, skip_special_tokens=True)
        return text.strip() if self.marks_word_ends else text


def read_tokenizer(folder: Path, architecture: str, vocab_size: int | None = None) -> PretrainedTokenizer:
    """The tokenizer in a model's folder; nothing in it executes code.

    Args:
        folder: of the model.
        architecture: transformers' `model_type`, one of `KINDS`.
        vocab_size: how many tokens the network knows, if a text must not give others.

    Raises:
        InputError: the tokenizer is missing, damaged, too large, of a kind that is not known here, or of
            another network.
    """
    if architecture not in KINDS:
        raise ValueError(f"architecture must be one of {', '.join(KINDS)}")
    with library_errors("broken_model", path=str(folder), detail="its tokenizer"):
        try:
            tokenizer = _read(folder, architecture)
            if vocab_size is not None:
                _check_size(tokenizer, vocab_size)
            return tokenizer
        except parts.UnknownPart as error:
            detail = f"its tokenizer has a part that is not known here: {error}"
            raise InputError("foreign_model", path=str(folder), detail=detail, expected=EXPECTED) from error
        except BrokenTokenizer as error:
            raise InputError("broken_model", path=str(folder), detail=str(error)) from error


def _read(folder: Path, architecture: str) -> PretrainedTokenizer:
    config = read_object(folder / CONFIG)
    names = special_names(config, folder)
    if (folder / TOKENIZER).is_file():
        description, source = read_object(folder / TOKENIZER, MOST_BYTES), TOKENIZER
    else:
        description, source = described(folder, architecture, config, names)
    kind, model = _model(description)
    if kind not in KINDS[architecture]:
        raise parts.UnknownPart(f"the model {kind}" if kind else "the model")
    vocabulary = checked_vocabulary(model["vocab"], source)
    backend = tokenizers.Tokenizer(_MODELS[kind](model, vocabulary, source))
    backend.normalizer = parts.normalizer(description.get("normalizer"))
    backend.pre_tokenizer = parts.pre_tokenizer(description.get("pre_tokenizer"))
    if model.get("end_of_word_suffix"):
        backend.decoder = parts.clip_decoder()
    else:
        backend.decoder = parts.decoder(description.get("decoder"))
    backend.encode_special_tokens = True
    added = checked_added(description.get("added_tokens") or [], source)
    usual = USUAL_NAMES["bert" if kind == WORD_PIECE else architecture]
    return _finished(backend, vocabulary, added, {**usual, **names.named}, names.others)


def _check_size(tokenizer: PretrainedTokenizer, vocab_size: int) -> None:
    """Refuse more tokens than the network has; special tokens that no text gives may lie beyond."""
    special = set(tokenizer.special_ids)
    beyond = [index for index in range(vocab_size, tokenizer.size) if index not in special]
    if beyond:
        detail = f"its tokenizer has {len(beyond)} tokens beyond the {vocab_size} of its network"
        raise BrokenTokenizer(detail)


def _model(description: Description) -> tuple[str, Description]:
    """The model of a tokenizer.json and its kind: older files do not say, but that it has merges does."""
    model = description.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        return "", {}
    kind = model.get("type", BPE if "merges" in model else WORD_PIECE)
    return (kind if kind in (BPE, WORD_PIECE) else ""), model


def _byte_pairs(model: Mapping[str, Any], vocabulary: dict[str, int], source: str) -> Any:
    """Byte pair encoding with the vocabulary and merges of a file, without dropout."""
    settings: dict[str, Any] = {name: _setting(model, name) for name in SETTINGS}
    if model.get("dropout") or model.get("continuing_subword_prefix"):
        raise parts.UnknownPart(BPE)
    if model.get("end_of_word_suffix") not in (None, "", parts.WORD_END):
        raise parts.UnknownPart(BPE)
    if model.get("end_of_word_suffix"):
        settings["end_of_word_suffix"] = parts.WORD_END
    unknown = _unknown(model, vocabulary, source)
    if unknown is not None:
        settings["unk_token"] = unknown
    return models.BPE(vocabulary, checked_merges(model.get("merges"), vocabulary, source), **settings)


def _word_pieces(model: Mapping[str, Any], vocabulary: dict[str, int], source: str) -> Any:
    """WordPiece: greedy longest match first."""
    settings = (model.get("continuing_subword_prefix", "##"), model.get("max_input_chars_per_word", 100))
    unknown = _unknown(model, vocabulary, source)
    if settings != ("##", 100) or unknown is None:
        raise parts.UnknownPart(WORD_PIECE)
    return models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=100)


_MODELS: dict[str, Callable[[Mapping[str, Any], dict[str, int], str], Any]] = {
    BPE: _byte_pairs,
    WORD_PIECE: _word_pieces,
}


def _setting(model: Mapping[str, Any], name: str) -> bool:
    value = model.get(name)
    if value is not None and not isinstance(value, bool):
        raise parts.UnknownPart(name)
    return bool(value)


def _unknown(model: Mapping[str, Any], vocabulary: Mapping[str, int], source: str) -> str | None:
    """The unknown token, if there is one."""
    token = model.get("unk_token")
    if token is not None and (not isinstance(token, str) or token not in vocabulary):
        raise BrokenTokenizer(f"the unknown token in {source} is not in the vocabulary")
    return token


def _finished(
    backend: Any,
    vocabulary: Mapping[str, int],
    added: list[AddedToken],
    named: Mapping[str, str | None],
    others: Iterable[str],
) -> PretrainedTokenizer:
    """The tokenizer with its added tokens, and special ones by their numbers."""
    numbers = {**vocabulary, **{token.content: token.id for token in added}}
    ids = {name: numbers.get(content) for name, content in named.items() if content is not None}
    special = {content for content in (*named.values(), *others) if content in numbers}
    special |= {token.content for token in added if token.special}
    tokens = {content: AddedToken(numbers[content], content, normalized=False) for content in special}
    tokens |= {token.content: token for token in added}
    _add(backend, sorted(tokens.values(), key=lambda token: token.id), special)
    unknown = backend.model.unk_token
    return PretrainedTokenizer(
        backend,
        tuple(sorted(numbers[content] for content in special)),
        unknown_id=None if unknown is None else vocabulary[unknown],
        marks_word_ends=getattr(backend.model, "end_of_word_suffix", None) is not None,
        **{f"{name}_id": ids.get(name) for name in ("bos", "eos", "pad", "mask", "cls", "sep")},
    )


def _add(backend: Any, tokens: list[AddedToken], special: Collection[str]) -> None:
    """Add tokens, each of which must get the id in its file."""
    backend.add_tokens(
        [
            tokenizers.AddedToken(
                token.content,
                single_word=token.single_word,
                lstrip=token.lstrip,
                rstrip=token.rstrip,
                normalized=token.normalized,
                special=token.content in special,
            )
            for token in tokens
        ]
    )
    if any(backend.token_to_id(token.content) != token.id for token in tokens):
        raise BrokenTokenizer("its added tokens are not numbered on from its vocabulary")
