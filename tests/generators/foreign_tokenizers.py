"""Folders with tokenizers as the Hub has them, their vocabularies trained on texts made up here."""

import copy
import json
import random
from functools import cache

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

GPT4_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_WORDS = GPT4_WORDS.replace("DIGITS", r"\p{N}{1,3}")
QWEN2_WORDS = GPT4_WORDS.replace("DIGITS", r"\p{N}")
CLIP_SPECIAL = r"<\|startoftext\|>|<\|endoftext\|>|"
CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

CHATTER = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA3_SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|eot_id|>")
BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))

WORDS = """
the cat sat on mat and it's we're I'LL they'd HOUSE river unbelievable antidisestablishment
日本語 東京 こんにちは ありがとう カタカナ 床前明月光 疑是地上霜 你好 世界 機器學習 한국어 안녕
café cafe\u0301 naïve \u1ea1\u0323 A\u030a ﬁn Straße İstanbul ΣΑΣ שלום مرحبا हिन्दी ไทย
👍 👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👋🏽 🇨🇭 ⅷ ½ ٣ 2024 1 007 3.14159 1234567890 x86_64
! ... ?! -- «» “quoted” (a) [b] {c} a@b.ch https://x.y/z?q=1 #tag $5 </w> ▁ ## <0x41> Ġ
<|startoftext|> <s> </s> <unk> <tool_call>
"""
PIECES = (
    *(*WORDS.split(), *CHATTER, *LLAMA3_SPECIAL, *BERT_SPECIAL),
    *("\ufffd", "\u200b", "\u200d", "\ufeff", "\x00", "\x07", "\x7f", "\u0085", "\xa0", "\u3000", "\u2028"),
)
SPACES = (" ", " ", " ", "", "  ", "   ", "\n", "\r\n", "\n\n", "\t", " \n ", "      ")


SYLLABLES = "ba be ka ko la lu mi mo na ne po ra ri sa se ta ti to un en ing er ed stra blo QU Xi è ü"
UNTRAINED = "antidisestablishment"
EXTREMES = ("", " ", "\n", "  a", "a  ", "\r\n\r\n", "x" * 3000, "字" * 500, " " * 400, "1" * 300)


def made_texts(count, seed=0):
    """Texts of every kind that people and machines write; the same seed gives the same ones."""
    draw = random.Random(seed)
    texts = list(EXTREMES)
    while len(texts) < count:
        parts = []
        for _ in range(draw.randint(1, 24)):
            parts += [draw.choice(PIECES) if draw.random() < 0.5 else _word(draw), draw.choice(SPACES)]
            if draw.random() < 0.05:
                parts.append(
                    chr(draw.choice([draw.randrange(0x20, 0xD800), draw.randrange(0xE000, 0x110000)]))
                )
        texts.append("".join(parts))
    return texts


def _word(draw):
    """A word that is made up, the same ones again and again."""
    own = random.Random(min(draw.randrange(1500), draw.randrange(1500)))
    return "".join(own.choices(SYLLABLES.split(), k=own.randint(1, 5)))


def added(index, content, **more):
    """An added token, as tokenizer.json has it."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": index, "content": content, **flags, **more}


def byte_level(**settings):
    usual = {"add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"type": "ByteLevel", **usual, **settings}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def sequence(inside, *parts):
    return {"type": "Sequence", inside: list(parts)}


NFC = {"type": "NFC"}
DIGITS = {"type": "Digits", "individual_digits": True}
SPACE_TO_MARK = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
MARK_TO_SPACE = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
BERT = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
WORD_PIECE = {"type": "WordPiece", "prefix": "##", "cleanup": True}


@cache
def _trained(kind):
    """The model of a tokenizer.json, its vocabulary trained on made-up texts."""
    inner, alphabet = Tokenizer(models.BPE()), pre_tokenizers.ByteLevel.alphabet()
    more = {"vocab_size": 5000, "special_tokens": [], "initial_alphabet": alphabet}
    if kind == "bytes":
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    elif kind == "words":
        cut = pre_tokenizers.Split(Regex(LLAMA3_WORDS), "isolated")
        inner.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(False, use_regex=False)])
    elif kind == "sentence-piece":
        inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        more |= {"special_tokens": ["<unk>", "<s>", "</s>", *BYTES], "initial_alphabet": ["▁"]}
        more |= {"limit_alphabet": 90, "max_token_length": 12}
    elif kind == "clip":
        inner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
        inner.normalizer = normalizers.Lowercase()
        cut = pre_tokenizers.Split(Regex(CLIP_WORDS), "removed", True)
        inner.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(False)])
        more |= {"end_of_word_suffix": "</w>"}
    else:
        inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        inner.normalizer = normalizers.BertNormalizer(lowercase=kind == "uncased")
        inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        more |= {"special_tokens": list(BERT_SPECIAL), "initial_alphabet": [], "limit_alphabet": 150}
    trainer = trainers.WordPieceTrainer if kind in ("uncased", "cased") else trainers.BpeTrainer
    texts = [text.replace(UNTRAINED, "") for text in made_texts(3000, seed=7)[len(EXTREMES) :]]
    inner.train_from_iterator(texts, trainer(show_progress=False, **more))
    return json.loads(inner.to_str())["model"]


def trained(kind, **changes):
    """A copy of that model with its settings as the Hub's files have them; None leaves one out."""
    model = {**copy.deepcopy(_trained(kind)), **changes}
    if kind == "words":  # a word that no merge reaches, which `ignore_merges` finds all the same
        model["vocab"]["Ġ" + UNTRAINED] = len(model["vocab"])
    if kind == "clip":
        vocab = model["vocab"]
        for token in (*(f"{letter}</w>" for letter in pre_tokenizers.ByteLevel.alphabet()),):
            vocab.setdefault(token, len(vocab))
        for token in ("<|startoftext|>", "<|endoftext|>"):
            vocab[token] = len(vocab)
    return {name: value for name, value in model.items() if value != "left out"}


def tokenizer_json(model, tokens=(), **parts):
    """A whole tokenizer.json; its post-processor, padding and truncation are there to be left out."""
    usual = {"version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": None}
    return {
        **usual,
        "added_tokens": list(tokens),
        "post_processor": None,
        "decoder": None,
        **parts,
        "model": model,
    }


def numbered_on(model, *contents, **more):
    """Added tokens that follow the vocabulary."""
    return [added(len(model["vocab"]) + place, text, **more) for place, text in enumerate(contents)]


def old_merges(model):
    return {**model, "merges": [" ".join(merge) for merge in model["merges"]]}


def gpt2(add_prefix_space=False):
    """As its file of 2019: no type of the model, merges as one text each."""
    model = old_merges(trained("bytes", type="left out", byte_fallback="left out", ignore_merges="left out"))
    model |= {"continuing_subword_prefix": "", "end_of_word_suffix": ""}
    cut = {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True}
    back = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}
    tokens = numbered_on(model, "<|endoftext|>", normalized=True)
    model["vocab"]["<|endoftext|>"] = tokens[0]["id"]
    return (
        tokenizer_json(
            model, tokens, pre_tokenizer=cut, post_processor={**back, "trim_offsets": False}, decoder=back
        ),
        {"model_max_length": 1024, "add_prefix_space": add_prefix_space},
    )


def smollm2():
    model = trained("bytes")
    tokens = numbered_on(model, *CHATTER)
    model["vocab"] |= {token["content"]: token["id"] for token in tokens}
    parts = {
        "pre_tokenizer": sequence("pretokenizers", DIGITS, byte_level()),
        "decoder": byte_level(add_prefix_space=True),
    }
    names = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    # Its own file names GPT2Tokenizer, which in transformers 5 cuts without the digits that it says.
    return tokenizer_json(model, tokens, **parts), {**names, "tokenizer_class": "PreTrainedTokenizerFast"}


def llama3():
    model = trained("words", ignore_merges=True)
    tokens = numbered_on(model, *LLAMA3_SPECIAL)
    cut = sequence("pretokenizers", split(LLAMA3_WORDS), byte_level(use_regex=False))
    names = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}
    return (
        tokenizer_json(model, tokens, pre_tokenizer=cut, decoder=byte_level(add_prefix_space=True)),
        {**names, "tokenizer_class": "PreTrainedTokenizerFast"},
    )


def llama2():
    model = trained("sentence-piece", unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokens = [added(place, text) for place, text in enumerate(("<unk>", "<s>", "</s>"))]
    before = sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, SPACE_TO_MARK)
    back = sequence("decoders", MARK_TO_SPACE, {"type": "ByteFallback"}, {"type": "Fuse"}, STRIP)
    names = {
        "bos_token": "<s>",
        "eos_token": {"__type": "AddedToken", "content": "</s>"},
        "unk_token": "<unk>",
    }
    # Its own file names LlamaTokenizer, which in transformers 5 loses a space that a text begins with.
    return (
        tokenizer_json(model, tokens, normalizer=before, decoder=back),
        {**names, "pad_token": None, "tokenizer_class": "PreTrainedTokenizerFast"},
    )


def llama2_metaspace():
    tokenizer, config = llama2()
    scheme = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    return {**tokenizer, "normalizer": None, "pre_tokenizer": scheme}, config


def qwen2():
    model = trained("words", continuing_subword_prefix="", end_of_word_suffix="")
    tokens = numbered_on(model, *CHATTER)
    more = added(len(model["vocab"]) + 3, "<tool_call>", special=False)
    cut = sequence("pretokenizers", split(QWEN2_WORDS), byte_level(use_regex=False))
    names = {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None}
    return (
        tokenizer_json(
            old_merges(model),
            [*tokens, more],
            normalizer=NFC,
            pre_tokenizer=cut,
            decoder=byte_level(use_regex=False),
        ),
        {**names, "additional_special_tokens": list(CHATTER[1:]), "tokenizer_class": "Qwen2Tokenizer"},
    )


def clip():
    model = trained("clip", unk_token="<|endoftext|>", continuing_subword_prefix="")
    begin = added(model["vocab"]["<|startoftext|>"], "<|startoftext|>", normalized=True)
    end = added(model["vocab"]["<|endoftext|>"], "<|endoftext|>")
    space = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    parts = {
        "normalizer": sequence("normalizers", NFC, space, {"type": "Lowercase"}),
        "pre_tokenizer": sequence(
            "pretokenizers", split(CLIP_SPECIAL + CLIP_WORDS, "Removed", True), byte_level()
        ),
        "decoder": byte_level(add_prefix_space=True),
    }
    return tokenizer_json(model, [begin, end], **parts), {
        "tokenizer_class": "CLIPTokenizer",
        "pad_token": "!",
    }


def bert(cased=False):
    """BERT's; its cased one keeps accents and capitals."""
    model = trained("cased" if cased else "uncased", type="left out")
    tokens = [added(place, text) for place, text in enumerate(BERT_SPECIAL)]
    parts = {"normalizer": {**BERT, "lowercase": not cased}, "pre_tokenizer": {"type": "BertPreTokenizer"}}
    return tokenizer_json(model, tokens, **parts, decoder=WORD_PIECE), {"do_lower_case": not cased}


KINDS = {
    "gpt2": ("gpt2", gpt2),
    "gpt2-prefix": ("gpt2", lambda: gpt2(add_prefix_space=True)),
    "smollm2": ("llama", smollm2),
    "llama3": ("llama", llama3),
    "llama2": ("llama", llama2),
    "llama2-metaspace": ("llama", llama2_metaspace),
    "qwen2": ("qwen2", qwen2),
    "clip": ("clip", clip),
    "bert": ("bert", bert),
    "bert-cased": ("bert", lambda: bert(cased=True)),
}
"""By name: transformers' `model_type`, and what makes tokenizer.json and tokenizer_config.json."""


def write(folder, architecture, tokenizer=None, config=None, **files):
    """A folder with these files; what is not text or bytes is written as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"config.json": {"model_type": architecture}, **files}
    files |= {"tokenizer.json": tokenizer} if tokenizer is not None else {}
    files |= {"tokenizer_config.json": config} if config is not None else {}
    for name, value in files.items():
        if isinstance(value, bytes):
            (folder / name).write_bytes(value)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            (folder / name).write_text(text, "utf-8", newline="")
    return folder


def write_kind(folder, kind):
    """A folder of one of `KINDS`."""
    architecture, make = KINDS[kind]
    return write(folder, architecture, *make())


def merges_txt(model, line_end="\n"):
    lines = ["#version: 0.2", *(" ".join(merge) for merge in model["merges"]), ""]
    return line_end.join(lines)


TINY_VOCAB = {"a": 0, "b": 1, "ab": 2, "Ġ": 3, "Ġab": 4}
TINY = tokenizer_json(
    {"type": "BPE", "vocab": TINY_VOCAB, "merges": [["a", "b"], ["Ġ", "ab"]]},
    [added(5, "<|endoftext|>"), added(6, "ba", special=False)],
    pre_tokenizer=byte_level(),
    decoder=byte_level(),
)
"""A tokenizer whose numbers can be worked out by hand."""


SPLIT = {**TINY, "pre_tokenizer": split(LLAMA3_WORDS)}


def changed(*path, to, base=TINY):
    """A tokenizer with another value in one place; `...` takes it out."""
    tokenizer = copy.deepcopy(base)
    place = tokenizer
    for name in path[:-1]:
        place = place[name]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return tokenizer


def tiny(folder, tokenizer=TINY, architecture="gpt2", config=None):
    return write(folder, architecture, tokenizer, config)
