import itertools
import json
import random
import time

import pytest
import tokenizers
import transformers

from aigc_demo.core.errors import InputError
from aigc_demo.data.text import byte_pairs, chunks, tokenizer, word_level
from aigc_demo.data.text.tokenizer import KINDS, Tokenizer, train_tokenizer
from aigc_demo.data.text.word_level import ENCODER_TOKENS

TEXT = (
    "The cat, the dog - don't!\n\n  Two  spaces\tand a tab.\nBäume wachsen. 春眠不觉晓，处处闻啼鸟。😀\n" * 3
)
STRANGE = "A <unk> and <start> typed by hand\n\n   é 🙂 ￥ ３ \n"


@pytest.fixture(scope="module", params=KINDS)
def trained(request) -> Tokenizer:
    return train_tokenizer(TEXT, request.param)


def test_text_comes_back_as_it_was(trained):
    assert trained.decode(trained.encode(TEXT)) == TEXT
    assert trained.decode(trained.encode("")) == ""


def test_spans_cut_the_text_without_gaps(trained):
    spans = trained.spans(TEXT)
    assert [index for index, _, _ in spans] == trained.encode(TEXT)
    assert (spans[0][1], spans[-1][2]) == (0, len(TEXT))
    for (_, first, past), (_, following, _) in itertools.pairwise(spans):
        assert following in (past, first)  # the same place twice: two parts of one character's bytes
    whole = [
        (index, first, past) for index, first, past in spans if "\ufffd" not in trained.token_text(index)
    ]
    assert all(trained.token_text(index) == TEXT[first:past] for index, first, past in whole)


def test_special_tokens_come_first_and_never_from_text(trained):
    assert (trained.token_text(0), trained.token_text(1)) == ("<unk>", "<start>")
    assert trained.start_id not in trained.encode(STRANGE)
    assert trained.decode([1, *trained.encode("cat"), 0]) == trained.decode(trained.encode("cat"))


def test_a_saved_folder_opens_with_transformers_and_gives_the_same_numbers(trained, tmp_path):
    trained.save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"recipe": "gpt", "vocab_size": trained.vocab_size}))
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in (TEXT, STRANGE, ""):
        ids = trained.encode(text)
        assert theirs(text)["input_ids"] == ids
        assert theirs.decode(ids, skip_special_tokens=True) == trained.decode(ids)
    assert (theirs.unk_token_id, theirs.bos_token_id, len(theirs)) == (0, 1, trained.vocab_size)


def test_a_saved_folder_opens_again_as_the_same(trained, tmp_path):
    trained.save(tmp_path)
    again = Tokenizer.load(tmp_path)
    assert (again.kind, again.vocab_size) == (trained.kind, trained.vocab_size)
    assert again.spans(TEXT + STRANGE) == trained.spans(TEXT + STRANGE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]


def test_the_same_text_gives_the_same_vocabulary(trained, tmp_path):
    trained.save(tmp_path / "a")
    train_tokenizer(TEXT, trained.kind).save(tmp_path / "b")
    assert (tmp_path / "a/tokenizer.json").read_bytes() == (tmp_path / "b/tokenizer.json").read_bytes()


def test_the_fast_way_gives_what_the_library_gives(trained, tmp_path, monkeypatch):
    # Long texts are worked off in parts, characters by a look-up table; the library does neither.
    monkeypatch.setattr(chunks, "CHUNK_LENGTH", 11)
    trained.save(tmp_path)
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    library.encode_special_tokens = True
    encoding = library.encode(TEXT + STRANGE)
    expected = [(index, *places) for index, places in zip(encoding.ids, encoding.offsets, strict=True)]
    assert trained.spans(TEXT + STRANGE) == expected


def test_characters_are_numbered_by_code_point():
    trained = train_tokenizer("cab\n春a")
    assert [trained.token_text(i) for i in range(trained.vocab_size)] == [
        "<unk>", "<start>", "\n", "a", "b", "c", "春",
    ]  # fmt: skip
    assert trained.encode("abx春") == [3, 4, 0, 6]
    assert trained.spans("bx") == [(4, 0, 1), (0, 1, 2)]


def test_the_commonest_characters_are_kept_special_tokens_counted():
    # a 3 times, b and c twice, d once; of b and c the one with the smaller code point.
    trained = train_tokenizer("dccbbaaa", vocab_size=4)
    assert [trained.token_text(i) for i in range(trained.vocab_size)] == ["<unk>", "<start>", "a", "b"]


def test_words_keep_their_space_and_chinese_is_cut_by_character():
    text = "it's well-known,  春眠!\n\t２０"
    spans = train_tokenizer("nothing", "words").spans(text)
    assert [text[first:past] for _, first, past in spans] == [
        "it's", " well", "-", "known", ",", " ", " 春", "眠", "!", "\n", "\t", "２０",
    ]  # fmt: skip


def test_words_that_occur_once_are_unknown():
    trained = train_tokenizer("one two two", "words")
    assert [trained.token_text(i) for i in range(trained.vocab_size)] == ["<unk>", "<start>", " two"]
    assert trained.spans("one two") == [(0, 0, 3), (2, 3, 7)]


def test_bytes_know_every_character():
    trained = train_tokenizer("abab", "bpe", 260)
    assert trained.vocab_size == 259  # two special tokens, 256 bytes, "ab"; no other pair occurs twice
    assert trained.spans("ab鸟")[:1] == [(258, 0, 2)]
    assert [span[1:] for span in trained.spans("鸟")] == [(0, 1)] * 3
    assert trained.decode(trained.encode("鸟\x00\ufeff")) == "鸟\x00\ufeff"


def test_half_a_surrogate_pair_is_encoded_as_something_else(trained):
    assert trained.decode(trained.encode(" cat,\ud800")) in (" cat,", " cat,\ufffd")


def test_numbers_outside_the_vocabulary_are_refused(trained):
    for wrong in (-1, trained.vocab_size):
        with pytest.raises(IndexError):
            trained.decode([wrong])
        with pytest.raises(IndexError):
            trained.token_text(wrong)


@pytest.mark.parametrize(("kind", "smallest"), [("characters", 3), ("words", 3), ("bpe", 258)])
def test_a_vocabulary_too_small_is_refused(kind, smallest):
    train_tokenizer("ab ab ab", kind, smallest)
    with pytest.raises(InputError, match=f"vocab_size must be at least {smallest} for {kind}"):
        train_tokenizer("ab ab ab", kind, smallest - 1)
    with pytest.raises(InputError, match="tokenizer must be one of"):
        train_tokenizer("ab", "syllables")


def test_broken_and_foreign_files_are_refused(tmp_path):
    foreign = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0, "<start>": 1}, unk_token="<unk>"))
    specials_elsewhere = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    for content in (None, "", "{}", "[" * 50, foreign.to_str(), specials_elsewhere.to_str()):
        if content is not None:
            (tmp_path / "tokenizer.json").write_text(content)
        with pytest.raises(InputError, match=r"holds no model that can be loaded \(tokenizer.json\)"):
            Tokenizer.load(tmp_path)


def test_a_million_characters_take_well_under_a_second():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 1000))) * 1000
    trained = train_tokenizer(text[:1000])
    start = time.process_time()  # of this process alone: a busy machine adds nothing
    trained.encode(text)
    assert time.process_time() - start < 0.8


@pytest.mark.parametrize("seed", range(3))
def test_words_of_ascii_text_are_cut_as_the_library_cuts_them(seed):
    rng = random.Random(seed)
    text = "".join(rng.choices([chr(code) for code in range(128)] + list("  ab''_\n.") * 9, k=20_000))
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(word_level.WORD_PATTERN), "isolated")
    assert word_level.ASCII_WORD.findall(text) == [word for word, _ in split.pre_tokenize_str(text)]
    words = train_tokenizer(text, "words", 300)
    encoding = words._inner.encode(text, add_special_tokens=False)
    assert words.spans(text) == [(i, *place) for i, place in zip(encoding.ids, encoding.offsets, strict=True)]
    assert 0 < words.encode(text).count(words.unknown_id) < len(encoding.ids)


# ---- long runs


def old_file(folder, trained):
    """The tokenizer as files of before runs were cut have it."""
    trained.save(folder)
    path = folder / "tokenizer.json"
    described = json.loads(path.read_text("utf-8"))
    described["pre_tokenizer"] = described["pre_tokenizer"]["pretokenizers"][-1]
    path.write_text(json.dumps(described), "utf-8")
    return folder


RUNS = {
    "letters": "ab" * 2000,
    "a genome": "".join(random.Random(1).choices("ACGT", k=5000)),
    "Chinese": "床前明月光疑是地上霜" * 500,
    "digits": "31415926535" * 400,
    "signs": "-=" * 2000,
    "spaces": " \n" * 1500 + "end",
    "base64": "".join(random.Random(2).choices("abcdXYZ0189+/", k=5000)),
    "among words": "one two " + "x" * 700 + " three, " + "9" * 600 + "!" * 600 + " é",
}


@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS)
def test_long_runs_are_cut_and_come_back_the_same(text, tmp_path):
    trained = train_tokenizer(text, "bpe", 400)
    spans = trained.spans(text)
    assert trained.decode([index for index, _, _ in spans]) == text
    assert (spans[0][1], spans[-1][2]) == (0, len(text))
    pieces = trained._inner.pre_tokenizer.pre_tokenize_str(text)
    assert max(past - first for _, (first, past) in pieces) <= 257  # 256, and the space before a word
    trained.save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"recipe": "gpt", "vocab_size": trained.vocab_size}))
    assert Tokenizer.load(tmp_path).spans(text) == spans
    assert transformers.AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == trained.encode(text)


def test_ordinary_texts_are_cut_as_before(tmp_path):
    """Nothing in them runs on for 256 characters, so merges and numbers are those of before."""
    text = (TEXT + STRANGE + "x" * 255 + "-" * 255 + " " * 255 + "9" * 255 + "\n") * 3
    bounded = train_tokenizer(text, "bpe", 400)
    plain = tokenizers.Tokenizer(tokenizers.models.BPE())
    plain.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        min_frequency=2,
        special_tokens=["<unk>", "<start>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator([text], trainer)
    assert json.loads(plain.to_str())["model"] == json.loads(bounded._inner.to_str())["model"]
    old = Tokenizer.load(old_file(tmp_path, bounded))
    assert old.spans(text) == bounded.spans(text)
    plain.encode_special_tokens = True
    assert plain.encode(text).ids == bounded.encode(text)


def test_older_files_keep_their_numbers(tmp_path):
    """Their runs are not cut: a model that was trained on other tokens must not get new ones."""
    text = RUNS["a genome"]
    trained = train_tokenizer(text, "bpe", 400)
    old = Tokenizer.load(old_file(tmp_path, trained))
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert old.encode(text) == library.encode(text).ids
    assert old.encode(text) != trained.encode(text)
    assert old.encode(text[:200]) == trained.encode(text[:200])
    old.save(tmp_path / "again")
    assert Tokenizer.load(tmp_path / "again").encode(text) == old.encode(text)


@pytest.mark.parametrize(
    "change",
    [
        {"pattern": {"Regex": ".*"}},
        {"pattern": {"String": " "}},
        {"behavior": "Removed"},
        {"invert": True},
        {"type": "Digits", "individual_digits": True},
    ],
)
def test_files_that_cut_in_another_way_are_refused(tmp_path, change):
    train_tokenizer(TEXT, "bpe").save(tmp_path)
    described = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    described["pre_tokenizer"]["pretokenizers"][0].update(change)
    (tmp_path / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("kind", ["words", "bpe"])
@pytest.mark.parametrize("seed", range(20))
def test_long_texts_are_worked_off_in_parts_wherever_they_may_be_cut(kind, seed, monkeypatch, tmp_path):
    """Without line ends too: cut before spaces, before punctuation, and where long runs are cut anyway."""
    rng = random.Random(seed)
    words = [
        "it's",
        "a",
        "3rd",
        "_x_",
        "...",
        "can't!",
        "e\u0301t\u00e9",
        "春眠，",
        "。",
        "q" * 300,
        "--",
        "''",
        "7" * 260,
    ]
    joints = rng.choice([[" "], [""], [" ", "", "\n"], ["", "  "]])
    text = "".join(rng.choice(words) + rng.choice(joints) for _ in range(300))
    trained = train_tokenizer(text, kind, 400)
    trained.save(tmp_path)
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    library.encode_special_tokens = True
    monkeypatch.setattr(chunks, "CHUNK_LENGTH", rng.choice([11, 100, 301]))
    runs = byte_pairs.LONGEST_RUN if kind == "bpe" else None
    parts = list(chunks.split_into_chunks(text, runs))
    assert "".join(parts) == text
    assert len(parts) > 3
    encoding = library.encode(text, add_special_tokens=False)
    assert trained.spans(text) == [
        (i, *place) for i, place in zip(encoding.ids, encoding.offsets, strict=True)
    ]


def test_a_genome_is_worked_off_in_parts(monkeypatch):
    text = ">name\n" + RUNS["a genome"]
    trained = train_tokenizer(text, "bpe", 400)
    spans = trained.spans(text)
    monkeypatch.setattr(chunks, "CHUNK_LENGTH", 700)
    assert len(list(chunks.split_into_chunks(text, byte_pairs.LONGEST_RUN))) > 5
    assert trained.spans(text) == spans


def test_a_process_of_its_own_gives_the_same(monkeypatch):
    text = TEXT * 20 + RUNS["a genome"] + "<start> é 春"
    here = train_tokenizer(text, "bpe", 500)
    monkeypatch.setattr(tokenizer, "LONG_TEXT", 10)
    monkeypatch.setattr(chunks, "CHUNK_LENGTH", 100)
    apart = train_tokenizer(text, "bpe", 500)
    assert apart._inner.to_str() == here._inner.to_str()


def test_a_process_that_dies_is_out_of_memory(monkeypatch):
    monkeypatch.setattr(byte_pairs.sys, "executable", "/bin/false")
    with pytest.raises(MemoryError):
        byte_pairs.train_in_subprocess(["text"] * 1000, 300, ["<unk>", "<start>"])


def test_one_line_takes_as_long_as_many():
    """Of 200,000 letters without a space; by the processor's time of this process and its children."""
    rng = random.Random(4)
    line = "".join(rng.choices("ACGT", k=200_000))
    lines = "\n".join(line[begin : begin + 60] for begin in range(0, len(line), 60))

    def seconds(text):
        start = time.process_time()
        train_tokenizer(text, "bpe", 1000).encode(text)
        return time.process_time() - start

    assert min(seconds(line) for _ in range(3)) < 1.5 * min(seconds(lines) for _ in range(3)) + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoders_tokenizer_has_three_more_special_tokens_and_transformers_reads_them(kind, tmp_path):
    text = " the cat, the dog. 球 球" * 5
    plain, encoder = train_tokenizer(text, kind), train_tokenizer(text, kind, special=ENCODER_TOKENS)
    assert not plain.masks
    assert encoder.masks
    # Every other token moves up by three.
    assert encoder.vocab_size == plain.vocab_size + 3
    assert encoder.encode(text) == [index + 3 for index in plain.encode(text)]
    assert encoder.decode([1, *encoder.encode(text), 3, 4, 2]) == text
    assert encoder.token_text(encoder.mask_id) == "<mask>"
    # Typed by a visitor they are plain text: known characters or unknown ones, never special tokens.
    assert not set(encoder.encode("<mask><sep><pad>")) & {1, 2, 3, 4}

    encoder.save(tmp_path)
    again = Tokenizer.load(tmp_path)
    assert again.masks
    assert again.encode(text) == encoder.encode(text)
    library = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (library.pad_token_id, library.mask_token_id, library.sep_token_id) == (2, 3, 4)
    assert library.cls_token_id == 1
    assert library(text, add_special_tokens=False)["input_ids"] == encoder.encode(text)


def test_an_encoders_special_tokens_count_in_the_largest_vocabulary():
    assert train_tokenizer("aaab", "characters", 6, special=ENCODER_TOKENS).decode([5]) == "a"
    with pytest.raises(InputError, match="at least 6"):
        train_tokenizer("aaab", "characters", 5, special=ENCODER_TOKENS)
