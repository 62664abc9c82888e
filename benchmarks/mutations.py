"""Ways to damage the files of an exported run or of a model folder, chosen by a random generator."""

import io
import json
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Files = dict[str, bytes]

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**53, 2**53 + 1, 2**63, 10**30, 0.5, -0.5, 1e-300, 1e300,
    "", " ", "x", "0", "1", "none", "true", "\0", "\ud800", "\u2028", "../../etc/passwd", "/dev/zero",
    "<script>alert(1)</script>", "{x}", "%s", "x" * 300, "x" * 70_000, [], {}, [[]], [None], {"a": 1},
    [1, 2, 3], [0] * 1000, {"": ""}, ["x", 1], [[[[[[[[[[1]]]]]]]]]], {"class": "os.system"},
)  # fmt: skip
LITERALS = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "-0", "1" * 17, "0.1e-400", "[" * 3000)
SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "not UTF-8": lambda content: content[:-1] + b"\xff\xfe" + content[-1:],
    "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "UTF-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    "brackets": lambda content: b"[" * 100_000,
    "objects": lambda content: b'{"a":' * 50_000,
    "cut off": lambda content: content[: len(content) // 2],
    "twice": lambda content: content + content,
    "a list": lambda content: b"[" + content + b"]",
    "a text": lambda content: json.dumps(content.decode("utf-8", "replace")).encode(),
    "null": lambda content: b"null",
    "white space": lambda content: b" " * 200_000 + content,
}


def mutated_json(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """A JSON file with something changed in it; returns what, and the new content."""
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, (dict, list)) or rng.random() < 0.2:
        name = rng.choice(sorted(SPOILED))
        return name, SPOILED[name](content)
    holder, key = rng.choice(_places(value))
    change = rng.choice(
        ("another value", "another value", "another value", "removed", "added", "literal", "renamed")
    )
    if change == "another value":
        odd = rng.choice(ODD)
        holder[key] = odd
        change = f"{key} is {str(odd)[:20]!r}"
    elif change == "literal":
        literal = rng.choice(LITERALS)
        holder[key] = "@literal@"
        text = json.dumps(value).replace('"@literal@"', literal)
        return f"{key} is {literal[:20]}", text.encode()
    elif change == "added":
        _add(rng, holder, key)
        change = f"something beside {key}"
    elif change == "renamed" and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
        change = f"{key} is renamed"
    else:
        del holder[key]
        change = f"{key} is removed"
    return change, json.dumps(value).encode()


def _places(value: Any, most: int = 400) -> list[tuple[Any, Any]]:
    """Where something stands in a value, those near its root first."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting and len(found) < most:
        holder = waiting.pop(0)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        for key in keys[:60]:
            found.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return found or [([None], 0)]


def _add(rng: random.Random, holder: Any, key: Any) -> None:
    names = (
        "auto_map",
        "architectures",
        "recipe",
        "model_type",
        "evil",
        "__class__",
        "x" * 500,
        "\0",
        "\ud800",
    )
    if isinstance(holder, dict):
        holder[rng.choice(names)] = rng.choice(ODD)
    else:
        holder.insert(key, holder[key] if rng.random() < 0.5 else rng.choice(ODD))


SWOLLEN = ("{}", '{"a":0}', "[0]", "0.5", '"x"')
MOST_OF_OTHERS = 1_000_000


def swollen(rng: random.Random, most_bytes: int) -> tuple[str, bytes]:
    """JSON that is small in a file and large in memory."""
    part = rng.choice((*SWOLLEN, "names"))
    if part == "names":
        whole = "{" + ",".join(f'"{number:x}":{number}' for number in range(most_bytes // 16)) + "}"
    else:
        whole = '{"x": [' + ",".join([part] * (most_bytes // (len(part) + 1))) + "]}"
    return f"{len(whole):,} bytes of {part}", whole.encode()


# ---- weights


def mutated_weights(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """A safetensors file with another header, or with other numbers."""
    size = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + size])
    numbers = content[8 + size :]
    names = sorted(name for name in header if name != "__metadata__")
    name = rng.choice(names)
    entry = header[name]
    change = rng.choice(sorted(WEIGHT_CHANGES))
    if change == "the header's length":
        length = rng.choice((0, 1, size - 1, size + 1, 2**20, 2**31, 2**63, 2**64 - 1))
        return change, length.to_bytes(8, "little") + content[8:]
    if change == "a swollen header":
        what, text = swollen(rng, rng.choice((1_000_000, 15_000_000)))
        return f"{change}: {what}", len(text).to_bytes(8, "little") + text + numbers
    if change == "the header is other JSON":
        what, text = mutated_json(rng, content[8 : 8 + size])
        return f"{change}: {what}", len(text).to_bytes(8, "little") + text + numbers
    if change == "numbers":
        begin, end = entry["data_offsets"]
        odd = rng.choice((b"\xff", b"\x7f", b"\x7c\x7c", b"\x00\x7c"))  # NaN, NaN, large, infinite in half
        filled = (odd * (end - begin))[: end - begin]
        return f"{name} is filled with {odd.hex()}", content[: 8 + size] + numbers[:begin] + filled + numbers[
            end:
        ]
    if change == "cut off":
        return change, content[: rng.randrange(len(content))]
    if change == "longer":
        return change, content + b"\0" * rng.choice((1, 8, 4096))
    WEIGHT_CHANGES[change](rng, header, name)
    text = json.dumps(header).encode()
    return f"{change} of {name}", len(text).to_bytes(8, "little") + text + numbers


def _missing(rng: random.Random, header: dict[str, Any], name: str) -> None:
    del header[name]


def _extra(rng: random.Random, header: dict[str, Any], name: str) -> None:
    header[rng.choice((f"{name}.more", "", "\0", "x" * 5000, "../x"))] = {**header[name]}


def _renamed(rng: random.Random, header: dict[str, Any], name: str) -> None:
    header[name.upper() if rng.random() < 0.5 else f"model.{name}"] = header.pop(name)


def _shape(rng: random.Random, header: dict[str, Any], name: str) -> None:
    shape = header[name]["shape"]
    odd = (
        [],
        [0],
        [*shape, 1],
        shape[::-1],
        [-1],
        [2**62, 4],
        [2**31] * 2,
        [1.5],
        ["2"],
        None,
        {},
        [True, *shape],
    )
    header[name]["shape"] = rng.choice(odd)


def _dtype(rng: random.Random, header: dict[str, Any], name: str) -> None:
    header[name]["dtype"] = rng.choice(
        (
            "F32",
            "F64",
            "I64",
            "I16",
            "U8",
            "BOOL",
            "BF16",
            "F8_E4M3",
            "F8_E5M2",
            "C64",
            "",
            "f16",
            None,
            7,
            [],
        )
    )


def _offsets(rng: random.Random, header: dict[str, Any], name: str) -> None:
    begin, end = header[name]["data_offsets"]
    odd = (
        [end, begin],
        [begin + 2, end + 2],
        [0, 2**62],
        [-2, end],
        [begin],
        [],
        None,
        [begin, end, end],
        ["0", "2"],
    )
    header[name]["data_offsets"] = rng.choice(odd)


def _same_dtype(rng: random.Random, header: dict[str, Any], name: str) -> None:
    """As many bytes of another kind: the file is whole, and its numbers mean something else."""
    twins = {"F16": ("BF16", "I16"), "F32": ("I32",), "I64": ("F64",), "BF16": ("F16",)}
    header[name]["dtype"] = rng.choice(twins.get(header[name]["dtype"], ("U8",)))


def _metadata(rng: random.Random, header: dict[str, Any], name: str) -> None:
    header["__metadata__"] = rng.choice(
        (None, 7, [], {"format": 7}, {"format": "tf"}, {"x": {"y": []}}, {"a": "b" * 9999})
    )


def _other(rng: random.Random, header: dict[str, Any], name: str) -> None:
    """Decided before the header is looked at."""


WEIGHT_CHANGES: dict[str, Callable[[random.Random, dict[str, Any], str], None]] = {
    "missing": _missing,
    "extra": _extra,
    "renamed": _renamed,
    "shape": _shape,
    "dtype": _dtype,
    "offsets": _offsets,
    "another dtype of the same size": _same_dtype,
    "metadata": _metadata,
    "the header's length": _other,
    "the header is other JSON": _other,
    "a swollen header": _other,
    "numbers": _other,
    "cut off": _other,
    "longer": _other,
}


# ---- tokenizers


PARTS: tuple[dict[str, Any], ...] = (
    {"normalizer": {"type": "Replace", "pattern": {"Regex": "(a*)*b"}, "content": "x" * 1000}},
    {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}] * 5000}},
    {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
    {"normalizer": {"type": "Prepend", "prepend": ""}},
    {"normalizer": {"type": "NFC"}},
    {"normalizer": {"type": "BertNormalizer", "clean_text": "x"}},
    {"pre_tokenizer": None},
    {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁▁"}},
    {
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "(x+x+)+y"},
            "behavior": "Isolated",
            "invert": False,
        }
    },
    {"pre_tokenizer": {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated", "invert": False}},
    {"pre_tokenizer": {"type": "Sequence", "pretokenizers": []}},
    {
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": False,
        }
    },
    {"decoder": {"type": "Strip", "content": "a", "start": 10**9, "stop": 0}},
    {"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}] * 3000}},
    {"decoder": {"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": True}},
    {"post_processor": {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}},
    {
        "padding": {
            "strategy": {"Fixed": 10**9},
            "direction": "Right",
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "x",
        }
    },
    {"truncation": {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 9}},
    {"version": "9.9"},
    {"added_tokens": []},
    {"added_tokens": [{"id": 0, "content": "", "special": True}]},
    {
        "added_tokens": [
            {"id": 2, "content": "e", "special": True, "lstrip": True, "rstrip": True, "normalized": True}
        ]
    },
    {"added_tokens": [{"id": 10**9, "content": "far", "special": False}]},
    {"added_tokens": "x"},
    {"model": {"type": "Unigram", "vocab": [["<unk>", 0.0]], "unk_id": 0}},
    {"model": {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "[UNK]"}},
    {"model": []},
)


def mutated_tokenizer(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """A tokenizer.json with a part of another one, or with another vocabulary."""
    try:
        described = json.loads(content)
        model = described["model"]
        vocabulary = model["vocab"]
    except (ValueError, KeyError, TypeError):
        return mutated_json(rng, content)
    if rng.random() < 0.1:  # a real vocabulary of a pretrained model takes as much as a made-up one may
        own = "<start>" in vocabulary
        return swollen(rng, rng.choice((1_000_000, 4_000_000)) if own else MOST_OF_OTHERS)
    if rng.random() < 0.5:
        part = rng.choice(PARTS)
        described.update(part)
        return f"tokenizer: {str(part)[:60]}", json.dumps(described).encode()
    token = rng.choice(sorted(vocabulary))
    change = rng.choice(
        ("gap", "twice", "negative", "huge", "text", "renamed", "empty", "long", "half", "swapped", "merges")
    )
    numbers = {"gap": len(vocabulary) + 5, "twice": 0, "negative": -1, "huge": 2**40, "text": "1"}
    names = {"renamed": f"{token}{token}", "empty": "", "long": "x" * 60_000, "half": "\ud800"}
    if change in numbers:
        vocabulary[token] = numbers[change]
    elif change in names:
        vocabulary[names[change]] = vocabulary.pop(token)
    elif change == "swapped":
        other = rng.choice(sorted(vocabulary))
        vocabulary[token], vocabulary[other] = vocabulary[other], vocabulary[token]
    else:
        odd = (["a"], ["a", "b", "c"], "a", "a b c", ["no", "such"], [1, 2], None, ["", ""])
        model["merges"] = [*(model.get("merges") or []), rng.choice(odd)]
    return f"vocabulary: {change} of {token!r}", json.dumps(described).encode()


# ---- images, records, lists of files


def png(width: int, height: int, rows: bytes, *, bit_depth: int = 8, kind: int = 2) -> bytes:
    """A PNG file that says what it is told to say."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, bit_depth, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


IMAGES: dict[str, Callable[[bytes], bytes]] = {
    "an image bomb": lambda content: png(60_000, 60_000, b"\0" * 10**6),
    "many pixels": lambda content: png(20_000, 2_000, b"\0" * (20_000 * 3 + 1) * 2_000),
    "no pixels": lambda content: png(0, 0, b""),
    "a width of minus one": lambda content: png(2**32 - 1, 1, b"\0" * 100),
    "one pixel": lambda content: png(1, 1, b"\0\0\0\0"),
    "16 bits": lambda content: png(16, 16, b"\0" * (16 * 6 + 1) * 16, bit_depth=16),
    "a palette without colours": lambda content: png(16, 16, b"\0" * 17 * 16, kind=3),
    "GIF": lambda content: b"GIF89a" + content,
    "cut off": lambda content: content[: len(content) // 2],
    "no image": lambda content: b"no image",
    "an empty file": lambda content: b"",
    "more behind it": lambda content: content + b"x" * 100_000,
}


def mutated_image(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Another file in the place of an image."""
    if rng.random() < 0.3:
        return "a bit of an image", flipped(rng, content)
    name = rng.choice(sorted(IMAGES))
    return f"image: {name}", IMAGES[name](content)


LINES = (
    '{"event": "step", "step": 9007199254740992, "loss": 1.0}',
    '{"event": "step", "step": 3, "loss": 1e308, "seconds": 1e308}',
    '{"event": "step", "step": 3, "loss": -1e308, "seconds": -1}',
    '{"event": "step", "step": 3, "loss": null, "seconds": null}',
    '{"event": "step", "step": 2, "loss": 1.0, "seconds": 0}',
    '{"event": "validation", "step": 9007199254740991, "loss": 0}',
    '{"event": "validation", "step": 1, "loss": -1e308}',
    '{"event": "validation", "step": 1, "loss": 1e-320}',
    '{"event": "sample", "step": 2, "text": "\\ud800", "file": "samples/step-000002.txt"}',
    '{"event": "sample", "step": 2, "text": "<img src=x onerror=alert(1)>", "file": "a.png"}',
    '{"event": "sample", "step": 2, "text": "x", "file": "\\ud800.png"}',
    '{"event": "sample", "step": 9007199254740992, "text": "", "file": "x.png"}',
    '{"event": "checkpoint", "step": 77, "path": "checkpoints/step-000077"}',
    '{"event": "warning", "step": 1, "key": "other_processes", "values": {"old": "<b>", "new": []}}',
    '{"event": "warning", "step": 1, "key": "too_large", "values": {"name": {}, "got": "x", "limit": null}}',
    '{"event": "warning", "step": 1, "key": "step_by_step_too_long", "values": {"limit": "/srv/x"}}',
    '{"event": "warning", "step": 1, "key": "pictures_crash", "values": {"count": {}, "name": "\\ud800"}}',
    '{"event": "start", "step": 0, "facts": {"machine": 7, "preparation": [[], {}, 3, {"name": "encode"}]}}',
    '{"event": "start", "step": 0, "facts": {"num_parameters": 1e300, "vocab_size": {"a": 1}}}',
    '{"event": "start", "step": 9, "facts": {"machine": {"processor": "\\ud800"}, "num_modes": "x"}}',
    '{"event": "finish", "step": 1, "reason": "failed", "validation_loss": 1e308, "best_step": 0}',
    '{"event": "finish", "step": 2, "reason": "non-finite"}',
    '{"event": "finish", "step": 2, "reason": "finished"}\n{"event": "finish", "step": 1, "reason": "time"}',
    "{}", "", " ", "null", "\ufeff", "{" * 100, "\u2028", "\x00",
)  # fmt: skip


def mutated_record(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """An events.jsonl with another line, or with one changed."""
    lines = content.decode().splitlines() or [""]
    place = rng.randrange(len(lines))
    if rng.random() < 0.5:
        line = rng.choice(LINES)
        lines.insert(place, line)
        return f"line: {line[:80]!r}", "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n"
    if rng.random() < 0.2:
        many = rng.choice((lines[place] + "\n", '{"event": "step", "step": 5, "loss": 1.0}\n')) * 20_000
        return "20,000 lines", many.encode()
    what, line_bytes = mutated_json(rng, lines[place].encode())
    whole = [part.encode() for part in lines]
    whole[place] = line_bytes
    return f"line: {what}", b"\n".join(whole) + b"\n"


def flipped(rng: random.Random, content: bytes, most: int = 4) -> bytes:
    """One to four bits turned over."""
    spoiled = bytearray(content or b"\0")
    for _ in range(rng.randint(1, most)):
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    return bytes(spoiled)


def mutated_content(rng: random.Random, name: str, content: bytes) -> tuple[str, bytes]:
    """Another content for a file, in the way of its kind."""
    if rng.random() < 0.08:
        return "bits", flipped(rng, content)
    if name.endswith(".safetensors"):
        return mutated_weights(rng, content)
    if name.endswith("tokenizer.json"):
        return mutated_tokenizer(rng, content) if rng.random() < 0.7 else mutated_json(rng, content)
    if name.endswith(".jsonl"):
        return mutated_record(rng, content)
    if name.endswith(".png"):
        return mutated_image(rng, content)
    if name.endswith(".json"):
        return mutated_json(rng, content)
    spoiled = rng.choice(sorted(SPOILED))
    return spoiled, SPOILED[spoiled](content)


# ---- archives


def packed(files: Files, compression: int = zipfile.ZIP_DEFLATED, *, store_large: bool = True) -> bytes:
    """A zip file of them; swollen files would be refused for how tightly they are packed alone."""
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", compression) as file:
        for name, content in files.items():
            stored = store_large and len(content) > 900_000
            file.writestr(name, content, zipfile.ZIP_STORED if stored else None)
    return place.getvalue()


STEP = "checkpoints/step-000002"
NAMES = (
    "../evil.json", "/etc/evil.json", "C:\\evil.json", f"{STEP}/../../../evil.json",
    f"{STEP}/evil\0.json", f"{STEP}/Config.json", f"{STEP}/MODEL.SAFETENSORS", "Config.json",
    "config.json ", "config.json/", f"{STEP}/", f"{STEP}/config.json/x", "samples/step-000002.PNG",
    "samples/step-0000000000002.png", "samples/../x.png", "samples/step-000002.png\n",
    "checkpoints/step-٠٠٠٠٠٢/config.json", "checkpoints/step-000003/config.json", f"{STEP}/state/x.pkl",
    f"{STEP}/generator/config.json", f"{STEP}/unet/config.json", "x" * 30_000, "", ".", "..",
    "./config.json", "checkpoints//step-000002/config.json", "run.log", "ticket.json", "worker.json",
    f"{STEP}/vocab.json", "samples/step-000001.png", "events.jsonl/x", "ｃonfig.json", "\ud800.json",
    "samples/",
)  # fmt: skip


def mutated_zip(rng: random.Random, files: Files) -> tuple[str, bytes]:
    """A zip file whose list of contents or whose bytes are not as an export writes them."""
    change = rng.choice(sorted(ZIP_CHANGES))
    return ZIP_CHANGES[change](rng, files, change)


def _bits(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    return change, flipped(rng, packed(files), 8)


def _list_bits(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    content = packed(files)
    begin = content.find(b"PK\x01\x02")
    return change, content[:begin] + flipped(rng, content[begin:], 6)


def _cut(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    content = packed(files)
    return change, content[: rng.randrange(len(content))]


def _around(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    content = packed(files)
    return change, rng.choice((b"MZ" * 500 + content, content + b"x" * 500, content + content, content[4:]))


def _named(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    name = rng.choice(NAMES)
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        for known, content in files.items():
            file.writestr(known, content)
        info = zipfile.ZipInfo("placeholder")
        info.filename = name.encode("utf-8", "replace").decode()
        file.writestr(info, rng.choice((b"{}", b"", b"x" * 1000)))
    return f"{change}: {name[:60]!r}", place.getvalue()


def _twice(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    name = rng.choice(sorted(files))
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        for known, content in files.items():
            file.writestr(known, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file.writestr(name, rng.choice((files[name], b"{}")))
    return f"{change}: {name}", place.getvalue()


def _special(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    name, mode = (
        rng.choice(sorted(files)),
        rng.choice((0o120777, 0o010644, 0o020644, 0o040755, 0o140644, 0o104755)),
    )
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        for known, content in files.items():
            info = zipfile.ZipInfo(known)
            info.external_attr = (mode if known == name else 0o100644) << 16
            file.writestr(info, b"/etc/passwd" if known == name and mode == 0o120777 else content)
    return f"{change}: {name} is {mode:o}", place.getvalue()


def _fields(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    """One field of an entry in the list of contents, and often the same in front of the content."""
    content = bytearray(packed(files))
    entries = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    place = rng.choice(entries)
    fields = {
        "flags": (8, 2, (1, 0x40, 0x2000, 0x800, 0xFFFF)),
        "method": (10, 2, (0, 1, 6, 9, 12, 14, 93, 95, 97, 99, 0xFFFF)),
        "crc": (16, 4, (0, 0xFFFFFFFF)),
        "compressed": (20, 4, (0, 1, 2**31, 0xFFFFFFFF)),
        "size": (24, 4, (0, 1, 2**20, 2**28, 2**31, 0xFFFFFFFF)),
        "name length": (28, 2, (0, 1, 0xFFFF)),
        "extra length": (30, 2, (1, 100, 0xFFFF)),
        "disk": (34, 2, (1, 0xFFFF)),
        "place": (42, 4, (0, 1, 2**31, 0xFFFFFFFF)),
        "date": (12, 4, (0, 0xFFFFFFFF)),
    }
    name = rng.choice(sorted(fields))
    begin, size, values = fields[name]
    value = rng.choice(values)
    content[place + begin : place + begin + size] = value.to_bytes(size, "little")
    if rng.random() < 0.5 and name in ("flags", "method", "crc", "compressed", "size"):
        local = int.from_bytes(content[place + 42 : place + 46], "little")
        content[local + begin - 2 : local + begin - 2 + size] = value.to_bytes(size, "little")
    return f"{name} is {value}", bytes(content)


def _end(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    """The last record: how many files there are, and where the list of them begins."""
    content = bytearray(packed(files))
    place = content.rfind(b"PK\x05\x06")
    begin, size = rng.choice(((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)))
    value = rng.choice((0, 1, 1000, 256**size - 1))
    content[place + begin : place + begin + size] = value.to_bytes(size, "little")
    return f"{change} at {begin} is {value}", bytes(content)


def _bomb(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    name = rng.choice([*sorted(files), "samples/step-000001.png"])
    size = rng.choice((300_000, 5 * 2**20, 40 * 2**20))
    return f"{change}: {name} of {size:,}", packed({**files, name: b"\0" * size}, store_large=False)


def _packing(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    content = packed(files, method)
    return f"{change}: {method}", flipped(rng, content) if rng.random() < 0.3 else content


def _many(rng: random.Random, files: Files, change: str) -> tuple[str, bytes]:
    count = rng.choice((60, 200, 20_000))
    ending = rng.choice(("", "/"))
    return f"{change}: {count}", packed(
        {**files, **{f"samples/step-{n:06d}.png{ending}": b"" for n in range(count)}}
    )


ZIP_CHANGES: dict[str, Callable[[random.Random, Files, str], tuple[str, bytes]]] = {
    "bits": _bits,
    "bits of the list": _list_bits,
    "cut off": _cut,
    "something around it": _around,
    "a name": _named,
    "a name ": _named,
    "twice": _twice,
    "a special file": _special,
    "a field": _fields,
    "a field ": _fields,
    "a field  ": _fields,
    "the end": _end,
    "a bomb": _bomb,
    "another packing": _packing,
    "many files": _many,
}
