"""Encoding detection for text files.

In this order: a byte-order mark; UTF-16 if there are zero bytes; UTF-8 if the file is valid UTF-8; UTF-16 if
there are control characters; finally the detector chardet. It ranks a hundred encodings, and the first is
used if it is in `ADMITTED` and no other is nearly as likely. Everything else is rejected, with the most
likely names: a text decoded in a wrong encoding still looks like text, and a model would learn it.
docs/experiments.md has the measured accuracy.
"""

import codecs
import contextlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError

WITH_MARK = " (BOM)"
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32 LE"),  # before UTF-16 LE, whose mark is a prefix of this one
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32 BE"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 BE"),
)
BINARY = "binary"
LATIN = ("cp1252", "iso8859-15")
BIG5 = ("big5hkscs", "cp950", "big5")
ADMITTED = {
    "gb18030": "GB18030",
    **dict.fromkeys(BIG5, "Big5"),
    "cp1252": "Windows-1252",
    "iso8859-15": "ISO-8859-15",
}
NON_ASCII = re.compile(rb"[\x80-\xff]")
# Control characters except those found in text files: tab, line ends, form feed, end of file (DOS), escape.
CONTROLS = bytes((*range(7), *range(0x0E, 0x1A), *range(0x1C, 0x20), 0x7F))
# Escape sequences that switch to another character set: ISO-2022-JP, ISO-2022-KR and the like.
SWITCH = re.compile(rb"\x1b\$|\x1b\([BIJ]")
# Nearly every text has some of these; in the wrong byte order they become very rare characters.
USUAL = re.compile("[ -~\t\r\n、。，！？：；「」『』（）《》…“”]")
PRINTABLE = bytes((*b"\t\n\r", *range(0x20, 0x7F)))
LEAST_NOT_PRINTABLE = 0.15  # share of the bytes of a UTF-16 text: a third for Chinese, half for Latin letters
LEAST_USUAL = 0.04
MOST_UNUSUAL = 0.01  # share of a text's bytes or characters: stray control characters are tolerated
UNUSUAL = frozenset(("Cc", "Cn", "Co", "Cs"))
LAYOUT = frozenset("\t\n\x0b\x0c\r\x1a\x1b")
# Bytes that Big5-HKSCS and Windows' Big5 decode differently, where the latter is meant.
WINDOWS_SIGNS = str.maketrans("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡")
NO_CHARACTER = "\ufffd"  # replacement of an invalid sequence in a text decoded with "replace"
UTF_8_RUN = re.compile(f"[^{NO_CHARACTER}]{{12}}")  # consecutive multi-byte characters
PDF = b"%PDF-"  # PDF files are mostly ASCII, except for the second line
ASCII = re.compile(r"[\x00-\x7f]+")
# This many non-ASCII bytes are enough; with fewer, the next encoding must be less likely by this factor.
ENOUGH = {True: (4, 0.97), False: (16, 0.7)}  # Latin letters, Chinese characters
NUM_PARTS, LEAST_OF_A_PART = 12, 32  # parts with fewer non-ASCII bytes are not checked
MOST_ACCENTS = 0.3  # share of the bytes of a text in Latin letters
WINDOW_BYTES, NUM_PIECES = 200_000, 64
MOST_NAMED = 3


class DecodedText(NamedTuple):
    """A text without byte-order mark, and its encoding."""

    text: str
    encoding: str


def decode_text(content: bytes, name: str) -> DecodedText:
    """Decode a text file: UTF-8, UTF-16, UTF-32, GB18030, Big5, Windows-1252 or ISO-8859-15.

    Args:
        content: of the file.
        name: of the file, for an error.

    Raises:
        InputError: it is not text, or the encoding is uncertain or not supported.
    """
    for mark, codec, encoding in MARKS:
        if content.startswith(mark):
            text = _decoded(content[len(mark) :], codec, name)
            return DecodedText(text, encoding + WITH_MARK)
    if b"\0" in content:
        return _utf_16(content, name, content.index(b"\0"))
    if b"\x1b" in content and SWITCH.search(content):
        raise InputError("unsure_encoding", name=name, candidates="ISO-2022")
    try:
        return DecodedText(content.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        place = error.start
    if len(content) - len(content.translate(None, CONTROLS)) > MOST_UNUSUAL * len(content):
        return _utf_16(content, name, place)
    sample = _sample(content)
    if _is_damaged_utf_8(sample) or content.startswith(PDF):
        raise InputError("not_text", name=name, place=place)
    return _detected(content, sample, name, place)


def _decoded(content: bytes, codec: str, name: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise InputError("not_text", name=name, place=error.start) from error


def _utf_16(content: bytes, name: str, place: int) -> DecodedText:
    """Decode content with zero bytes or control characters and without a mark: UTF-16, or not text."""
    found = []
    is_ascii = len(content.translate(None, PRINTABLE)) < LEAST_NOT_PRINTABLE * len(content)
    for codec, encoding in () if is_ascii else (("utf-16-le", "UTF-16 LE"), ("utf-16-be", "UTF-16 BE")):
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text[:WINDOW_BYTES]):
            found.append(DecodedText(text, encoding))
    if len(found) > 1:
        raise InputError("unsure_encoding", name=name, candidates=", ".join(one.encoding for one in found))
    if not found:
        raise InputError("not_text", name=name, place=place)
    return found[0]


def _is_plausible(text: str) -> bool:
    """Whether it has the spaces and punctuation of a text, and almost no unusual characters."""
    counts = Counter(text)
    odd = sum(
        count for one, count in counts.items() if unicodedata.category(one) in UNUSUAL and one not in LAYOUT
    )
    usual = sum(count for one, count in counts.items() if USUAL.match(one))
    return odd <= MOST_UNUSUAL * len(text) and usual >= max(2, LEAST_USUAL * len(text))


def _is_damaged_utf_8(sample: bytes) -> bool:
    """Whether it is mostly UTF-8: some bytes were lost, or files in two encodings were joined."""
    others = ASCII.sub("", sample.decode("utf-8", "replace"))
    damaged = others.count(NO_CHARACTER) - sample.count(NO_CHARACTER.encode())
    return UTF_8_RUN.search(others) is not None or damaged < len(others) - damaged


def _detected(content: bytes, sample: bytes, name: str, place: int) -> DecodedText:
    """Decode a text in the encoding that the detector ranks first.

    Args:
        content: of the file.
        sample: of the content.
        name: of the file.
        place: offset of the first byte that is not UTF-8.

    Raises:
        InputError: the encoding is not supported, or another one is nearly as likely.
    """
    ranked = list(_ranked(sample))
    codec, likelihood, first = ranked[0]
    if codec in (BINARY, "utf-8"):  # not text, or a short UTF-8 text with an invalid byte
        raise InputError("not_text", name=name, place=place)
    others = [each for each in ranked if each[2] != first]
    num_bytes, (enough, factor) = len(NON_ASCII.findall(sample)), ENOUGH[codec in LATIN]
    doubtful = num_bytes < enough and bool(others) and others[0][1] > factor * likelihood
    crowded = codec in LATIN and num_bytes > MOST_ACCENTS * len(sample)
    if codec in ADMITTED and not crowded and not doubtful and _is_of_one_kind(sample, codec):
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode(codec)
            return DecodedText(text.translate(WINDOWS_SIGNS) if codec in BIG5 else text, ADMITTED[codec])
    names = dict.fromkeys(ADMITTED.get(each[0], each[0]) for each in [ranked[0], *others])
    raise InputError("unsure_encoding", name=name, candidates=shown(", ".join([*names][:MOST_NAMED])))


def _is_of_one_kind(sample: bytes, codec: str) -> bool:
    """Whether no part of a Chinese text is more likely in the other Chinese encoding.

    It detects two files that were joined: nearly all bytes of one encoding are valid in the other, so the
    whole is decoded without an error.
    """
    if codec in LATIN:
        return True
    lines = sample.split(b"\n")
    length = max(1, len(lines) // NUM_PARTS)
    parts = [lines[begin : begin + length] for begin in range(0, len(lines), length)]
    for piece in (b"\n".join(part) for part in [*parts, lines[: len(lines) // 3], lines[-len(lines) // 3 :]]):
        if len(NON_ASCII.findall(piece)) < LEAST_OF_A_PART:
            continue
        likelihoods = dict.fromkeys(("GB18030", "Big5"), 0.0)
        for each, likelihood, _ in _ranked(piece):
            if each in ADMITTED and each not in LATIN:
                likelihoods[ADMITTED[each]] = max(likelihood, likelihoods[ADMITTED[each]])
        if max(likelihoods.values()) > likelihoods[ADMITTED[codec]]:
            return False
    return True


def _ranked(sample: bytes) -> Iterator[tuple[str, float, str]]:
    """Codec, likelihood and text of each possible encoding, the most likely first; at least one."""
    import chardet  # imported late: it takes 0.2 s, and most texts are UTF-8

    found = chardet.detect_all(
        sample,
        ignore_threshold=True,
        prefer_superset=True,
        compat_names=False,
        encoding_era=chardet.EncodingEra.ALL & ~chardet.EncodingEra.MAINFRAME,
        no_match_encoding="ascii",
    )
    for one in found:
        codec = one["encoding"] or BINARY
        yield codec, one["confidence"], sample.decode(codec if one["encoding"] else "latin-1", "replace")


def _sample(content: bytes) -> bytes:
    """Whole lines with non-ASCII characters, spread over a large file."""
    if len(content) <= WINDOW_BYTES:
        return content
    pieces, length, begin = [], WINDOW_BYTES // NUM_PIECES, 0
    first = NON_ASCII.search(content)
    while found := NON_ASCII.search(content, begin):
        before = content.rfind(b"\n", max(0, found.start() - length), found.start())
        past = content.rfind(b"\n", found.start(), found.start() + length)
        if before >= 0 and past >= 0:
            pieces.append(content[before:past])
        begin = max(found.start() + length, begin + len(content) // NUM_PIECES)
    start = first.start() if first else 0
    return b"".join(pieces) or content[start : start + WINDOW_BYTES]
