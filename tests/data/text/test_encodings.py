"""Texts in the encodings that people have: read as they were written, or refused; never read as another."""

import codecs
import gzip
import io

import pytest
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.data.text import encodings
from aigc_demo.data.text.encodings import decode_text

SIMPLIFIED = (
    "春天来了，河边的柳树发芽了。小明每天早上都去学校，路上会遇到卖豆浆的老奶奶。\n"
    "她总是笑着说：“今天天气真好！”放学以后，他和朋友们在操场上踢球，直到太阳下山才回家。\n"
)
TRADITIONAL = (
    "春天來了，河邊的柳樹發芽了。小明每天早上都去學校，路上會遇到賣豆漿的老奶奶。\n"
    "她總是笑著說：「今天天氣真好！」放學以後，他和朋友們在操場上踢球，直到太陽下山才回家。\n"
)
FRENCH = "Le café était fermé à l’été. Où êtes-vous, élève ? Ça coûte 5 € — c’est déjà très cher, hélas !\n"
GERMAN = "Die Bäume blühen früh, und die Vögel singen schön. Größe und Maß hängen von der Übung ab.\n"
SPANISH = "El niño comió piña en la montaña; ¿dónde está la señora? Mañana vendrá aquí, según dijo José.\n"
RUSSIAN = "Весна пришла, и у реки распустились ивы. Каждое утро мальчик ходит в школу мимо старого дома.\n"
JAPANESE = "春が来て、川辺の柳が芽を出しました。太郎は毎朝学校へ行く途中で、豆腐屋のおばあさんに会います。\n"
KOREAN = "봄이 와서 강가의 버드나무에 싹이 텄습니다. 민수는 매일 아침 학교에 가는 길에 할머니를 만납니다.\n"
POLISH = (
    "Wiosna przyszła, a wierzby nad rzeką się zazieleniły. Każdego ranka chłopiec idzie do szkoły ścieżką.\n"
)
GREEK = "Η άνοιξη ήρθε και οι ιτιές στο ποτάμι άνθισαν. Κάθε πρωί το αγόρι πηγαίνει στο σχολείο.\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (SIMPLIFIED, "utf-8", "UTF-8"),
        (SIMPLIFIED, "gb18030", "GB18030"),
        (SIMPLIFIED, "gbk", "GB18030"),
        (SIMPLIFIED.replace("小明", "𠮷㐂䶮𪚥"), "gb18030", "GB18030"),  # characters of four bytes
        (TRADITIONAL, "gb18030", "GB18030"),
        (TRADITIONAL, "big5", "Big5"),
        (TRADITIONAL, "cp950", "Big5"),
        (TRADITIONAL.replace("小明", "嘅啲嗰"), "big5hkscs", "Big5"),  # what Hong Kong added
        (FRENCH, "cp1252", "Windows-1252"),
        (GERMAN, "cp1252", "Windows-1252"),
        (SPANISH, "cp1252", "Windows-1252"),
        (GERMAN, "latin-1", "Windows-1252"),
        *((text, "utf-16-le", "UTF-16 LE") for text in (SIMPLIFIED, TRADITIONAL, FRENCH, RUSSIAN, KOREAN)),
        *((text, "utf-16-be", "UTF-16 BE") for text in (SIMPLIFIED, TRADITIONAL, FRENCH, RUSSIAN, KOREAN)),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_texts_are_read_as_they_were_written(text: str, codec: str, encoding: str, times: int) -> None:
    assert decode_text((text * times).encode(codec), "a.txt") == (text * times, encoding)
    windows = (text * times).replace("\n", "\r\n")
    assert decode_text(windows.encode(codec), "a.txt") == (windows, encoding)


@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8", "UTF-8 (BOM)"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16 LE (BOM)"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 BE (BOM)"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32 LE (BOM)"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32 BE (BOM)"),
    ],
)
@pytest.mark.parametrize("text", ["a", "春", "é\r\n", SIMPLIFIED, FRENCH])
def test_a_byte_order_mark_decides_and_is_no_part_of_the_text(mark, codec, encoding, text) -> None:
    assert decode_text(mark + text.encode(codec), "a.txt") == (text, encoding)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (KOREAN, "cp949"),
        (KOREAN, "iso2022_kr"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (GREEK, "cp1253"),
        (FRENCH.replace("€", "").replace("’", "'").replace("—", "-"), "mac-roman"),
        (GERMAN, "cp850"),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_other_encodings_are_refused_and_not_misread(text: str, codec: str, times: int) -> None:
    with pytest.raises(InputError) as refused:
        decode_text((text * times).encode(codec), "a.txt")
    assert refused.value.key == "unsure_encoding"
    assert "save it as plain text in UTF-8" in str(refused.value)


def test_the_likeliest_encoding_is_named() -> None:
    with pytest.raises(InputError) as refused:
        decode_text((RUSSIAN * 5).encode("cp1251"), "a.txt")
    assert refused.value.values["candidates"].startswith("cp1251")


@pytest.mark.parametrize("text", [SIMPLIFIED, FRENCH, RUSSIAN])
def test_damaged_utf_8_stays_damaged_utf_8(text: str) -> None:
    whole = (text * 20).encode()
    place = whole.index(b"\n") + 1
    other = (SIMPLIFIED * 3).encode("gb18030")
    for damaged in (whole[:place] + b"\xff" + whole[place:], whole[:place] + other + whole):
        with pytest.raises(InputError) as refused:
            decode_text(damaged, "a.txt")
        assert (refused.value.key, refused.value.values["place"]) == ("not_text", place)


@pytest.mark.parametrize(
    "content",
    [
        FRENCH.encode() + FRENCH.encode("cp1252"),  # most of it UTF-8, never more than a few accents at once
        SIMPLIFIED.encode("gb18030") * 5 + SIMPLIFIED.encode(),  # little of it UTF-8, but a dozen characters
    ],
)
def test_files_of_which_one_was_utf_8_are_not_read_as_the_other(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decode_text(content, "a.txt")
    assert refused.value.key == "not_text"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("Le café est fermé".encode()[:-1], 17),
        ("春天".encode()[:-1], 3),
        ("one 春 two ".encode() + "春".encode()[:2], 12),
        ("It costs 5 € — “today”".encode().replace("”".encode(), b"\xe2\x80"), 27),
        ("hello 😀 world 😀".encode()[:-1], 17),
        ("hello 😀 one 😀 two".encode() + "😀".encode()[:3], 23),
    ],
)
def test_the_place_of_a_wrong_byte_is_said_where_the_rest_is_utf_8(content: bytes, place: int) -> None:
    assert content[:place].decode()
    with pytest.raises(InputError) as refused:
        decode_text(content, "a.txt")
    assert (refused.value.key, refused.value.values["place"]) == ("not_text", place)


def _pdf(stream: bytes) -> bytes:
    objects = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n3 0 obj\n<< /Length 40 >>\nstream\n"
    return b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + objects + stream + b"\nendstream\nendobj\n%%EOF\n"


@pytest.mark.parametrize(
    "stream", [b"", b"BT /F1 24 Tf (Hello) Tj ET\n" * 40, b"(un caf\xe9 tr\xe8s d\xe9j\xe0 vu) Tj\n" * 40_000]
)
def test_a_pdf_is_no_text(stream: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decode_text(_pdf(stream), "a.txt")
    assert (refused.value.key, refused.value.values["place"]) == ("not_text", 10)


TANG = "空山新雨后，天气晚来秋。明月松间照，清泉石上流。\n国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。\n"
TANG_TRADITIONAL = (
    "空山新雨後，天氣晚來秋。明月松間照，清泉石上流。\n國破山河在，城春草木深。感時花濺淚，恨別鳥驚心。\n"
)


@pytest.mark.parametrize(("simplified", "traditional"), [(TANG, TANG_TRADITIONAL), (SIMPLIFIED, TRADITIONAL)])
@pytest.mark.parametrize("times", [(1, 1), (2, 2), (5, 3), (3, 5), (400, 300), (20_000, 15_000)])
def test_files_in_two_chinese_encodings_that_were_joined_are_refused(simplified, traditional, times) -> None:
    first, second = (simplified * times[0]).encode("gbk"), (traditional * times[1]).encode("big5")
    for joined in (first + second, second + first, first + second + first):
        with pytest.raises(InputError) as refused:
            decode_text(joined, "a.txt")
        assert refused.value.key == "unsure_encoding"


def test_a_long_text_is_looked_at_in_many_places() -> None:
    """Its first part says nothing of the rest: plain ASCII, or one sign that other encodings have too."""
    english = "The quick brown fox jumps over the lazy dog, again and again.\n" * 10_000
    for beginning in (english, english + "© 2020\n" + english):
        content = beginning.encode("cp1252") + (SIMPLIFIED * 10_000).encode("gb18030")
        if "©" not in beginning:
            assert decode_text(content, "a.txt") == (english + SIMPLIFIED * 10_000, "GB18030")
            continue
        with pytest.raises(InputError):  # in two encodings: no single one is right
            decode_text(content, "a.txt")


def test_a_long_line_without_a_break_is_read() -> None:
    text = SIMPLIFIED.replace("\n", "") * 5_000
    assert decode_text(text.encode("gb18030"), "a.txt") == (text, "GB18030")


def _png() -> bytes:
    target = io.BytesIO()
    Image.effect_noise((40, 40), 50).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        _png(),
        gzip.compress(SIMPLIFIED.encode() * 9),
        bytes(range(256)) * 4,
        b"PK\x03\x04" + bytes(200),
        b"\x00" * 100,
        b"text\x00",
        b"file_name,text\na.png,\x00\xff\n",
        b"a zero byte\x00 in a text, and a \xff\n" * 4,
        bytes(255 - value for value in range(250)) * 3,
    ],
)
def test_binary_files_are_no_texts(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decode_text(content, "a.bin")
    assert refused.value.key == "not_text"


@pytest.mark.parametrize("content", ["é".encode("cp1252"), "春".encode("gb18030"), "Où".encode("cp1252")])
def test_what_is_too_short_to_tell_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        decode_text(content, "a.txt")


def test_ascii_needs_no_detector(monkeypatch) -> None:
    monkeypatch.setattr(encodings, "_detected", None)
    assert decode_text(b"plain\n", "a.txt") == ("plain\n", "UTF-8")
    assert decode_text(b"", "a.txt") == ("", "UTF-8")


def test_the_fewest_unprintable_bytes_of_utf_16():
    # Both bytes of this character (2D 4E) are printable, one of a space's is not: 3 of 20 bytes are 15 %.
    text = "中中 中中 中中 中"
    assert decode_text(text.encode("utf-16-le"), "a").text == text
    with pytest.raises(InputError, match="not text"):
        decode_text((text + "中").encode("utf-16-le"), "a")
