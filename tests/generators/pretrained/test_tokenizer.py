"""Tokenizers of pretrained models: the library's numbers, and one sentence for what is damaged or unknown."""

import itertools
import json
import subprocess
import sys

import pytest
import tokenizers
from transformers import (
    AutoTokenizer,
    BertTokenizerFast,
    CLIPTokenizerFast,
    GPT2TokenizerFast,
    LlamaTokenizerFast,
    Qwen2TokenizerFast,
)

from aigc_demo.core.errors import InputError
from aigc_demo.generators.pretrained.tokenizer import read_tokenizer
from aigc_demo.generators.text.library import HubVocabulary, _library_tokenizer
from tests.generators import foreign_tokenizers as built

TEXTS = built.made_texts(1000)
NAMES = ("bos", "eos", "pad", "mask", "cls", "sep")


def library(folder):
    """The library's own reading of a folder, special tokens in a text taken for text."""
    read = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    read.backend_tokenizer.encode_special_tokens = True
    return read


def assert_equal(ours, theirs, texts=TEXTS):
    """The same numbers for every text, and the same text for the numbers."""
    inner = theirs.backend_tokenizer
    for text in texts:
        ids = inner.encode(text, add_special_tokens=False).ids
        assert ours.encode(text) == ids
        assert ours.decode(ids) == inner.decode(ids, skip_special_tokens=True)
    special = {index for index, token in inner.get_added_tokens_decoder().items() if token.special}
    assert ours.special_ids == tuple(sorted(special | set(theirs.all_special_ids)))
    assert ours.size == len(theirs)
    for name in NAMES:
        assert getattr(ours, f"{name}_id") == getattr(theirs, f"{name}_token_id"), name


@pytest.fixture(scope="module", params=built.KINDS)
def kind(request, tmp_path_factory):
    """Architecture and folder of each kind, as it lies on the Hub."""
    folder = built.write_kind(tmp_path_factory.mktemp(request.param), request.param)
    return built.KINDS[request.param][0], folder


def test_a_folder_as_on_the_hub_gives_the_numbers_of_the_library(kind):
    architecture, folder = kind
    assert_equal(read_tokenizer(folder, architecture), library(folder))


def test_the_texts_need_the_merges(kind):
    """Else a test that compares numbers would compare bytes."""
    architecture, folder = kind
    ours = read_tokenizer(folder, architecture)
    used = {index for text in TEXTS for index in ours.encode(text)}
    assert len(used) > 1000
    assert len(ours.encode(TEXTS[-1])) < len(TEXTS[-1].encode()) or architecture == "bert"


def test_places_are_those_of_the_library(kind):
    architecture, folder = kind
    ours, theirs = read_tokenizer(folder, architecture), library(folder).backend_tokenizer
    theirs.post_processor = tokenizers.processors.ByteLevel(trim_offsets=False)
    for text in TEXTS[:200]:
        expected = theirs.encode(text, add_special_tokens=False).offsets
        assert ours.backend.encode(text, add_special_tokens=False).offsets == expected


def merges(model):
    return [tuple(merge) for merge in model["merges"]]


def saved_gpt2():
    model = built.trained("bytes")
    return "gpt2", GPT2TokenizerFast(vocab=model["vocab"], merges=merges(model), add_prefix_space=True)


def saved_llama():
    model = built.trained("sentence-piece")
    return "llama", LlamaTokenizerFast(vocab=model["vocab"], merges=merges(model))


def saved_qwen2():
    model = built.trained("words")
    return "qwen2", Qwen2TokenizerFast(
        vocab=model["vocab"], merges=merges(model), extra_special_tokens=["<|im_start|>"]
    )


def saved_clip():
    model = built.trained("clip")
    return "clip", CLIPTokenizerFast(vocab=model["vocab"], merges=merges(model))


def saved_bert():
    vocab = built.trained("cased")["vocab"]
    return "bert", BertTokenizerFast(vocab=vocab, do_lower_case=False, strip_accents=True)


@pytest.mark.parametrize("make", [saved_gpt2, saved_llama, saved_qwen2, saved_clip, saved_bert])
def test_what_the_library_saved_gives_its_numbers(make, tmp_path):
    architecture, theirs = make()
    theirs.save_pretrained(tmp_path)
    built.write(tmp_path, architecture)
    assert_equal(read_tokenizer(tmp_path, architecture), library(tmp_path))


def older_gpt2(folder, line_end="\n", **more):
    model = built.trained("bytes")
    model["vocab"]["<|endoftext|>"] = len(model["vocab"])
    files = {"vocab.json": model["vocab"], "merges.txt": built.merges_txt(model, line_end)}
    return built.write(folder, "gpt2", **files, **more)


def older_gpt2_of_windows(folder):
    return older_gpt2(folder, "\r\n")


def older_gpt2_with_a_space(folder):
    return older_gpt2(folder, config={"add_prefix_space": True, "bos_token": None})


def older_gpt2_with_words_of_bert(folder):
    return built.write(
        folder, "gpt2", config={"tokenizer_class": "BertTokenizer"}, **{"vocab.txt": words("uncased")}
    )


def older_qwen2(folder, **more):
    """Its special tokens stand in tokenizer_config.json, and one that is none."""
    model = built.trained("words")
    tokens = [*built.numbered_on(model, *built.CHATTER)]
    tokens.append(built.added(len(model["vocab"]) + 3, "<tool_call>", special=False))
    described = {str(token.pop("id")): token for token in tokens}
    config = {"added_tokens_decoder": described, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    files = {"vocab.json": model["vocab"], "merges.txt": built.merges_txt(model), "config": config}
    return built.write(folder, "qwen2", **{**files, **more})


def older_qwen2_with_added_tokens_beside(folder):
    vocab = built.trained("words")["vocab"]
    beside = {"<|endoftext|>": len(vocab), "<tool_call>": len(vocab) + 2, "<|im_end|>": len(vocab) + 1}
    special = {"additional_special_tokens": ["<|im_end|>"], "eos_token": {"content": "<|endoftext|>"}}
    return older_qwen2(folder, config={}, **{"added_tokens.json": beside, "special_tokens_map.json": special})


def older_clip(folder):
    model = built.trained("clip")
    return built.write(
        folder, "clip", **{"vocab.json": model["vocab"], "merges.txt": built.merges_txt(model)}
    )


def words(name):
    return "".join(f"{token}\n" for token in built.trained(name)["vocab"])


def older_bert(folder):
    return built.write(folder, "bert", **{"vocab.txt": words("uncased")})


def older_bert_with_accents(folder):
    return built.write(folder, "bert", config={"strip_accents": False}, **{"vocab.txt": words("cased")})


def older_cased_bert(folder):
    config = {"do_lower_case": False, "tokenize_chinese_chars": False}
    return built.write(folder, "bert", config=config, **{"vocab.txt": words("cased")})


OLDER = (
    *(older_gpt2, older_gpt2_of_windows, older_gpt2_with_a_space, older_gpt2_with_words_of_bert),
    *(older_qwen2, older_qwen2_with_added_tokens_beside, older_clip, older_bert, older_cased_bert),
    older_bert_with_accents,
)


@pytest.mark.parametrize("make", OLDER)
def test_a_folder_without_tokenizer_json_gives_the_numbers_of_the_library(make, tmp_path):
    folder = make(tmp_path)
    architecture = json.loads((folder / "config.json").read_text())["model_type"]
    assert_equal(read_tokenizer(folder, architecture), library(folder), TEXTS[:300])


def test_numbers_worked_out_by_hand(tmp_path):
    ours = read_tokenizer(built.tiny(tmp_path), "gpt2")
    assert ours.encode("ab abb") == [2, 4, 1]
    assert ours.encode("aba") == [0, 6]  # an added token is found first
    assert ours.encode("a<|endoftext|>b") == [0, 1]  # typed by a user: text, two letters known
    assert ours.decode([5, 2, 4]) == "ab ab"
    assert (ours.size, ours.special_ids, ours.bos_id, ours.eos_id) == (7, (5,), 5, 5)
    assert (ours.unknown_id, ours.pad_id) == (None, None)


FLAGS = ("lstrip", "rstrip", "single_word", "normalized")


@pytest.mark.parametrize("flags", [*itertools.product((False, True), repeat=len(FLAGS))], ids=str)
def test_an_added_token_is_found_as_its_file_says(flags, tmp_path):
    token = built.added(5, "BA", special=False, **dict(zip(FLAGS, flags, strict=True)))
    tokenizer_json = {**built.TINY, "normalizer": {"type": "Lowercase"}, "added_tokens": [token]}
    ours, theirs = (
        read_tokenizer(built.tiny(tmp_path, tokenizer_json), "gpt2"),
        tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json)),
    )
    for text in ("abBAab", "ab  BA  ab", "ab ba", "BAba", "a BA, b", "B A"):
        assert ours.encode(text) == theirs.encode(text).ids


def test_half_a_surrogate_pair_is_no_reason_to_fail(tmp_path):
    ours = read_tokenizer(built.tiny(tmp_path), "gpt2")
    assert ours.encode("ab\ud800") == [2]
    assert HubVocabulary(ours).encode("ab\ud800") == [2]


def test_the_unknown_token_is_known_by_its_number(tmp_path):
    bert = read_tokenizer(built.write_kind(tmp_path, "bert"), "bert")
    assert bert.unknown_id == 1
    assert bert.encode("\u4e02") == [1]
    assert HubVocabulary(bert).unknown_id == 1


def test_the_vocabulary_of_a_text_model(tmp_path):
    ours = HubVocabulary(read_tokenizer(built.tiny(tmp_path), "gpt2"))
    assert (ours.size, ours.special_ids) == (7, (5,))
    assert ours.spans("ab ab") == [(2, 0, 2), (4, 2, 5)]
    assert [ours.token_text(index) for index in (4, 5, 6)] == [" ab", "<|endoftext|>", "ba"]
    assert ours.token_text(7) == ""


def test_padding_truncation_and_templates_of_a_file_do_not_count(tmp_path):
    pad = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None}
    pad |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "a"}
    cut = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 5}
    single = [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}]
    template = {"type": "TemplateProcessing", "single": single}
    tokenizer_json = {**built.TINY, "padding": pad, "truncation": cut, "post_processor": template}
    ours = read_tokenizer(built.tiny(tmp_path, tokenizer_json), "gpt2")
    assert ours.backend.encode("ab ab").ids == [2, 4]
    assert (ours.backend.padding, ours.backend.truncation, ours.backend.post_processor) == (None, None, None)
    short = {**built.TINY, "padding": {**pad, "strategy": {"Fixed": 9}}, "truncation": {**cut, "stride": 0}}
    ours = _library_tokenizer(built.tiny(tmp_path, short, config={"tokenizer_class": "TokenizersBackend"}))
    assert ours.encode("ab ab") == [2, 4]


def test_a_name_counts_where_the_vocabulary_has_the_token(tmp_path):
    config = {"pad_token": "[PAD]", "bos_token": None, "mask_token": "ab"}
    ours = read_tokenizer(built.tiny(tmp_path, config=config), "gpt2")
    assert (ours.pad_id, ours.bos_id, ours.mask_id, ours.eos_id) == (None, None, 2, 5)
    assert ours.special_ids == (2, 5)


def test_merges_of_both_forms_are_the_same(tmp_path):
    older = read_tokenizer(built.tiny(tmp_path, built.changed("model", "merges", to=["a b", "Ġ ab"])), "gpt2")
    assert older.encode("ab abb") == [2, 4, 1]


def test_the_network_has_to_know_what_a_text_gives(tmp_path):
    folder = built.tiny(tmp_path, built.changed("added_tokens", to=built.TINY["added_tokens"][:1]))
    assert read_tokenizer(folder, "gpt2", 5).size == 6  # the special token lies beyond, and no text gives it
    with pytest.raises(InputError, match="has 1 tokens beyond the 4 of its network"):
        read_tokenizer(folder, "gpt2", 4)


def test_neither_torch_nor_transformers_is_needed():
    code = (
        "import sys, aigc_demo.generators.pretrained.tokenizer as read; heavy = {'torch', 'transformers'}; "
    )
    code += "print(heavy & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_an_architecture_has_to_be_known(tmp_path):
    with pytest.raises(ValueError, match="architecture"):
        read_tokenizer(tmp_path, "gptj")
