"""Damaged and hostile files of tokenizers: one sentence each, and what was read can be asked anything."""

import copy
import json
import os
import random
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators.pretrained import tokenizer as pretrained_tokenizer
from aigc_demo.generators.pretrained import tokenizer_files
from aigc_demo.generators.pretrained.tokenizer import read_tokenizer
from tests.generators import foreign_tokenizers as built

TEXTS = built.made_texts(20)[len(built.EXTREMES) :]
LONG = "a" * 2**20
EVIL = r"(\s+)+$|(a|a)*b"
BROKEN = {
    "empty": {},
    "no vocabulary": built.changed("model", "vocab", to={}),
    "a gap": built.changed("model", "vocab", "Ġab", to=7),
    "twice": built.changed("model", "vocab", "b", to=0),
    "negative": built.changed("model", "vocab", "a", to=-1),
    "a fraction": built.changed("model", "vocab", "a", to=0.0),
    "a switch": built.changed("model", "vocab", "a", to=False),
    "a text": built.changed("model", "vocab", "a", to="0"),
    "huge": built.changed("model", "vocab", "a", to=2**64),
    "not finite": built.changed("model", "vocab", "a", to=float("nan")),
    "half a character": built.changed("model", "vocab", "\ud83d", to=5),
    "a megabyte": built.changed("model", "vocab", LONG, to=5),
    "no merges": built.changed("model", "merges", to=None),
    "merges by name": built.changed("model", "merges", to={"a": "b"}),
    "a merge of one": built.changed("model", "merges", to=["ab"]),
    "a merge of three": built.changed("model", "merges", to=["a b ab"]),
    "a list of three": built.changed("model", "merges", to=[["a", "b", "ab"]]),
    "both forms": built.changed("model", "merges", to=["a b", ["Ġ", "ab"]]),
    "merges of numbers": built.changed("model", "merges", to=[[0, 1]]),
    "a merge of what is not there": built.changed("model", "merges", to=[["a", "z"]]),
    "a merge to what is not there": built.changed("model", "merges", to=[["b", "a"]]),
    "a very long merge": built.changed("model", "merges", to=["a " * 2**20]),
    "unknown unknown": built.changed("model", "unk_token", to="<unk>"),
    "unknown number": built.changed("model", "unk_token", to=0),
    "added by name": built.changed("added_tokens", to={"5": "x"}),
    "added number": built.changed("added_tokens", to=[5]),
    "added without text": built.changed("added_tokens", to=[built.added(5, "")]),
    "added long": built.changed("added_tokens", to=[built.added(5, LONG)]),
    "added rather long": built.changed("added_tokens", to=[built.added(5, "a" * 257)]),
    "added half a character": built.changed("added_tokens", to=[built.added(5, "\udfff")]),
    "added with a gap": built.changed("added_tokens", to=[built.added(6, "<|endoftext|>")]),
    "added over another": built.changed("added_tokens", to=[built.added(0, "<|endoftext|>")]),
    "added elsewhere": built.changed("added_tokens", to=[built.added(5, "ab")]),
    "added twice": built.changed("added_tokens", to=[built.added(5, "x"), built.added(6, "x")]),
    "added with one number": built.changed("added_tokens", to=[built.added(5, "x"), built.added(5, "y")]),
    "added negative": built.changed("added_tokens", to=[built.added(-1, "x")]),
    "added fraction": built.changed("added_tokens", to=[built.added(5.0, "x")]),
    "added switch": built.changed("added_tokens", to=[built.added(True, "x")]),
    "added with a number for a switch": built.changed("added_tokens", to=[built.added(5, "x", lstrip=1)]),
    "too many added": built.changed(
        "added_tokens", to=[built.added(5 + place, f"<{place}>") for place in range(10_001)]
    ),
    "too long together": built.changed(
        "added_tokens", to=[built.added(5 + place, f"{place:0250d}") for place in range(900)]
    ),
}
UNKNOWN = {
    "no model": built.changed("model", to=...),
    "a list for a model": built.changed("model", to=[]),
    "Unigram": built.changed("model", to={"type": "Unigram", "unk_id": 0, "vocab": [["a", -1.5]]}),
    "WordLevel": built.changed("model", "type", to="WordLevel"),
    "type is a list": built.changed("model", "type", to=["BPE"]),
    "a list of tokens": built.changed("model", "vocab", to=["a", "b"]),
    "chance": built.changed("model", "dropout", to=0.5),
    "a prefix": built.changed("model", "continuing_subword_prefix", to="##"),
    "another suffix": built.changed("model", "end_of_word_suffix", to="@@"),
    "fuse": built.changed("model", "fuse_unk", to=1),
    "fallback": built.changed("model", "byte_fallback", to="yes"),
    "a pattern that never ends": built.changed("pre_tokenizer", to=built.split(EVIL)),
    "nearly a known pattern": built.changed("pre_tokenizer", to=built.split(built.LLAMA3_WORDS + "|.")),
    "a pattern as text": built.changed(
        "pre_tokenizer", "pattern", to={"String": built.LLAMA3_WORDS}, base=built.SPLIT
    ),
    "a pattern of another kind": built.changed("pre_tokenizer", "pattern", to=None, base=built.SPLIT),
    "a split that drops words": built.changed("pre_tokenizer", to=built.split(built.LLAMA3_WORDS, "Removed")),
    "a split in another way": built.changed(
        "pre_tokenizer", to=built.split(built.LLAMA3_WORDS, "MergedWithNext")
    ),
    "a sequence in a sequence": built.changed(
        "pre_tokenizer", to=built.sequence("pretokenizers", built.sequence("pretokenizers", built.DIGITS))
    ),
    "bytes of bytes": built.changed(
        "pre_tokenizer", to=built.sequence("pretokenizers", *[built.byte_level()] * 2)
    ),
    "a long sequence": built.changed(
        "pre_tokenizer", to=built.sequence("pretokenizers", *[built.DIGITS] * 10**4)
    ),
    "a sequence of nothing": built.changed("pre_tokenizer", to={"type": "Sequence", "pretokenizers": None}),
    "more in a sequence": built.changed(
        "pre_tokenizer", to={"type": "Sequence", "pretokenizers": [], "more": 1}
    ),
    "an unknown pre-tokenizer": built.changed("pre_tokenizer", to={"type": "UnicodeScripts"}),
    "a pre-tokenizer without type": built.changed("pre_tokenizer", to={"add_prefix_space": True}),
    "a list for a pre-tokenizer": built.changed("pre_tokenizer", to=[built.byte_level()]),
    "a number for a switch": built.changed("pre_tokenizer", to=built.byte_level(use_regex=1)),
    "more than it has": built.changed("pre_tokenizer", to=built.byte_level(regex=EVIL)),
    "less than it has": built.changed("pre_tokenizer", to={"type": "ByteLevel"}),
    "another mark": built.changed("pre_tokenizer", to={"type": "Metaspace", "replacement": "x"}),
    "a scheme that contradicts": built.changed(
        "pre_tokenizer", to={"type": "Metaspace", "replacement": "▁", "add_prefix_space": False}
    ),
    "a normalizer with a pattern": built.changed(
        "normalizer", to={**built.SPACE_TO_MARK, "pattern": {"Regex": EVIL}}
    ),
    "a normalizer that makes long": built.changed(
        "normalizer", to={**built.SPACE_TO_MARK, "content": "▁" * 10**6}
    ),
    "a long prefix": built.changed("normalizer", to={"type": "Prepend", "prepend": LONG}),
    "a precompiled normalizer": built.changed(
        "normalizer", to={"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    ),
    "accents for a number": built.changed("normalizer", to={**built.BERT, "strip_accents": 0}),
    "an unknown decoder": built.changed("decoder", to={"type": "CTC", "pad_token": "a"}),
    "a decoder with a pattern": built.changed(
        "decoder", to={**built.MARK_TO_SPACE, "pattern": {"Regex": EVIL}}
    ),
    "a decoder that cuts both ends": built.changed("decoder", to={**built.STRIP, "stop": 1}),
    "a decoder that cuts much": built.changed("decoder", to={**built.STRIP, "start": 10**9}),
    "another prefix of words": built.changed("decoder", to={**built.WORD_PIECE, "prefix": "@@"}),
}


def refused(folder, architecture, key, *, without=(), detail=None):
    """The sentence of a refusal: one line, short, with nothing of the file in it that a terminal obeys."""
    with pytest.raises(InputError) as caught:
        read_tokenizer(folder, architecture)
    sentence = str(caught.value)
    assert caught.value.key == key
    assert caught.value.values["path"] == str(folder)
    assert sentence.isprintable()
    assert len(sentence) < 300 + len(str(folder))
    assert not any(word in sentence for word in without)
    # "its tokenizer" is said of what nobody looked at before the library did.
    assert (caught.value.values["detail"] == "its tokenizer") == (detail == "its tokenizer")
    return sentence


@pytest.mark.parametrize("tokenizer_json", BROKEN.values(), ids=BROKEN)
def test_a_damaged_file_is_refused_in_one_sentence(tokenizer_json, tmp_path):
    key = "broken_model" if tokenizer_json else "foreign_model"
    built.write(tmp_path, "gpt2", **{"tokenizer.json": json.dumps(tokenizer_json)})
    refused(tmp_path, "gpt2", key, without=("aaaa", "\\u"))


@pytest.mark.parametrize("tokenizer_json", UNKNOWN.values(), ids=UNKNOWN)
def test_a_part_that_is_not_known_is_refused_in_one_sentence(tokenizer_json, tmp_path):
    refused(built.tiny(tmp_path, tokenizer_json), "gpt2", "foreign_model", without=("(a|a)", "aaaa", "AAAA"))


def test_a_name_from_a_file_is_shown_on_one_line(tmp_path):
    kind = "x\n\x1b[31m\u202e" + "y" * 1000
    assert "[31m" in refused(
        built.tiny(tmp_path, built.changed("decoder", to={"type": kind})), "gpt2", "foreign_model"
    )


@pytest.mark.parametrize(
    ("architecture", "kind"), [("bert", "gpt2"), ("clip", "bert"), ("llama", "bert"), ("qwen2", "bert-cased")]
)
def test_a_tokenizer_of_another_architecture_is_refused(architecture, kind, tmp_path):
    refused(built.write_kind(tmp_path, kind), architecture, "foreign_model")


WORD_PIECES = {
    "another prefix": {"continuing_subword_prefix": "@@"},
    "long words": {"max_input_chars_per_word": 10**9},
    "no unknown token": {"unk_token": None},
}


@pytest.mark.parametrize("changes", WORD_PIECES.values(), ids=WORD_PIECES)
def test_word_pieces_of_another_kind_are_refused(changes, tmp_path):
    tokenizer_json, config = built.bert()
    tokenizer_json["model"] |= changes
    refused(built.write(tmp_path, "bert", tokenizer_json, config), "bert", "foreign_model")


FILES = {
    "no JSON": b'{"model": ',
    "a list": b"[]",
    "another encoding": "{}".encode("utf-16"),
    "half a character": b'{"a": "\xed\xa0\x80"}',
    "deep": b"[" * 10**6,
    "deep by name": b'{"a":' * 90_000,
    "a very large number": b'{"a": ' + b"9" * 10**6 + b"}",
    "five million values": b'{"a": [' + b"0," * 5_000_000 + b"0]}",
    "many objects": b'{"a": [' + b"{}," * 200_000 + b"{}]}",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "vocab.json"])
def test_a_file_that_is_no_table_is_refused(name, content, tmp_path):
    built.write(tmp_path, "gpt2", **{"merges.txt": "a b\n", name: content})
    assert name in refused(tmp_path, "gpt2", "broken_model")


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"])
def test_the_size_of_a_file_is_asked_before_it_is_read(name, tmp_path, monkeypatch):
    built.write(tmp_path, "gpt2", **{"vocab.json": {"a": 0}, "merges.txt": ""})
    with (tmp_path / name).open("wb") as file:
        file.truncate(90 * 2**20)  # takes no room on the disk
    opened = Path.open

    def opens(path, *arguments, **more):
        assert path.name != name
        return opened(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", opens)
    sentence = refused(tmp_path, "gpt2", "broken_model")
    assert name in sentence
    assert "MiB" in sentence


def test_more_tokens_than_a_million_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer_files, "MOST_TOKENS", 4)
    assert "4 tokens" in refused(built.tiny(tmp_path), "gpt2", "broken_model")
    monkeypatch.undo()
    monkeypatch.setattr(tokenizer_files, "MOST_MERGES", 1)
    assert "1 merges" in refused(built.tiny(tmp_path), "gpt2", "broken_model")


OLDER_FAULTS = {
    "no files": ("gpt2", {}),
    "merges missing": ("gpt2", {"vocab.json": {"a": 0}}),
    "a vocabulary missing": ("qwen2", {"merges.txt": "a b\n"}),
    "a Llama without tokenizer.json": ("llama", {"vocab.json": {"a": 0}, "merges.txt": ""}),
    "a Llama with SentencePiece's file": ("llama", {"tokenizer.model": b"\n\x0e\n\x05<unk>"}),
    "merges that are no text": ("gpt2", {"vocab.json": {"a": 0}, "merges.txt": b"\xff\xfe"}),
    "millions of lines": ("gpt2", {"vocab.json": {"a": 0}, "merges.txt": "\n" * 2_000_000}),
    "a word twice": ("bert", {"vocab.txt": "[UNK]\na\na\n"}),
    "no unknown word": ("bert", {"vocab.txt": "a\nb\n"}),
    "an empty vocabulary": ("bert", {"vocab.txt": ""}),
    "a very long line": ("bert", {"vocab.txt": "[UNK]\n" + LONG}),
    "a setting that is no switch": ("bert", {"vocab.txt": "[UNK]\na\n", "config": {"do_lower_case": "no"}}),
    "added tokens in a list": ("bert", {"vocab.txt": "[UNK]\n", "config": {"added_tokens_decoder": [1]}}),
    "an added token without a number": (
        "bert",
        {"vocab.txt": "[UNK]\n", "config": {"added_tokens_decoder": {"²": {"content": "x"}}}},
    ),
    "a name that is a number": ("bert", {"vocab.txt": "[UNK]\n", "config": {"pad_token": 0}}),
    "names that are numbers": ("bert", {"vocab.txt": "[UNK]\n", "config": {"extra_special_tokens": [0]}}),
    "names in a text": ("bert", {"vocab.txt": "[UNK]\n", "config": {"additional_special_tokens": "[UNK]"}}),
}


@pytest.mark.parametrize(("architecture", "files"), OLDER_FAULTS.values(), ids=OLDER_FAULTS)
def test_a_damaged_folder_without_tokenizer_json_is_refused(architecture, files, tmp_path):
    built.write(tmp_path, architecture, **files)
    refused(tmp_path, architecture, "broken_model", without=("aaaa",))


def test_a_word_that_stands_twice_is_named_as_the_fault(tmp_path):
    built.write(tmp_path, "bert", **{"vocab.txt": "[UNK]\na\na \n"})
    assert "a token stands twice" in refused(tmp_path, "bert", "broken_model")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "tokenizer.json")
    assert "no tokenizer.json" in refused(tmp_path, "gpt2", "broken_model")


class PanicException(BaseException):
    """As the library's, which is no Exception either."""


@pytest.mark.parametrize("error", [Exception, PanicException, MemoryError])
def test_whatever_the_library_raises_becomes_one_sentence(error, tmp_path, monkeypatch):
    def fail(*arguments, **more):
        raise error("line 1\nline 2")

    monkeypatch.setattr(pretrained_tokenizer.models, "BPE", fail)
    refused(built.tiny(tmp_path), "gpt2", "broken_model", without=("line",), detail="its tokenizer")


def test_a_reader_that_is_stopped_stops(tmp_path, monkeypatch):
    def stop(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained_tokenizer.models, "BPE", stop)
    with pytest.raises(KeyboardInterrupt):
        read_tokenizer(built.tiny(tmp_path), "gpt2")


ODD = (
    *(None, True, 0, -1, 2**70, 1.5, float("nan"), "", "a", "▁", "\ud800", "x" * 2000, [], {}, [[]]),
    *(
        ["a", "b"],
        {"type": "Sequence"},
        {"Regex": EVIL},
        {"String": "a"},
        "Removed",
        "Metaspace",
        built.STRIP,
    ),
    *(built.DIGITS, built.NFC, built.BERT, built.byte_level(), built.WORD_PIECE, built.MARK_TO_SPACE),
)
BASE = {
    "tokenizer.json": {
        **built.TINY,
        "normalizer": built.sequence("normalizers", built.NFC, built.SPACE_TO_MARK),
        "decoder": built.sequence("decoders", built.MARK_TO_SPACE, {"type": "ByteFallback"}, built.STRIP),
    },
    "tokenizer_config.json": {"eos_token": "<|endoftext|>", "pad_token": None, "extra_special_tokens": ["a"]},
}


def places(value, path=()):
    """Every place in a value of JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for name, part in inside:
        yield (*path, name)
        yield from places(part, (*path, name))


def with_anything(draw, folder):
    """A folder like BASE, but for one place that holds anything."""
    files = copy.deepcopy(BASE)
    *path, last = draw.choice(list(places(files)))
    place = files
    for name in path:
        place = place[name]
    place[last] = draw.choice(ODD)
    return built.write(folder, "gpt2", **{name: json.dumps(value) for name, value in files.items()})


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_anything_anywhere_is_read_or_refused(seed, tmp_path):
    """And what was read neither fails nor panics, whatever it is asked."""
    draw, details = random.Random(seed), []
    for _ in range(400):
        try:
            ours = read_tokenizer(with_anything(draw, tmp_path), "gpt2")
        except InputError as error:
            details.append(error.values["detail"])
            continue
        for text in TEXTS:
            ours.decode(ours.encode(text))
        for ids in ([], [10**6], *([index] for index in range(ours.size))):
            ours.decode(ids)
    assert 100 < len(details) < 380
    assert "its tokenizer" not in details  # that is what is said where nobody looked before the library did
