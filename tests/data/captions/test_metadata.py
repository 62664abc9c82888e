"""Captions of folders: which image a row means, and that nothing is lost without a word."""

import json
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.core.sentences import ENGLISH
from aigc_demo.data.captions.metadata import Captions, no_captions, notices, plain
from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
from aigc_demo.data.images.image_files import read_folder

EVERY_LINE_END_BUT_ONE = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r"
SIX = ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]


def folder(path: Path, names: list[str], **tables: str) -> Path:
    """Images that all differ, and metadata files: `metadata_csv=...`."""
    for number, name in enumerate(names):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (40 * number, 100, 250 - 40 * number)).save(path / name, "PNG")
    for name, text in tables.items():
        (path / name.replace("_", ".")).write_bytes(text.encode("utf-8"))
    return path


def captions_of(text: str, name: str = "metadata.csv", names: tuple[str, ...] = ("a.png", "b.png")):
    """The captions of two images, and what is told of the table."""
    captions = Captions()
    captions.add("", name, text.encode("utf-8"))
    return [captions.of(each) for each in names], captions.facts()


def refused(text: str, name: str = "metadata.csv") -> InputError:
    with pytest.raises(InputError) as caught:
        captions_of(text, name)
    assert "\n" not in str(caught.value)
    return caught.value


def test_json_lines_end_at_line_feeds_only(tmp_path):
    texts = {name: f"one{sign}two" for name, sign in zip(SIX, EVERY_LINE_END_BUT_ONE, strict=False)}
    rows = [json.dumps({"file_name": name, "text": text}, ensure_ascii=False) for name, text in texts.items()]
    assert any(len(row.splitlines()) > 1 for row in rows)
    read = read_folder(folder(tmp_path, SIX, metadata_jsonl="\r\n".join(rows)), 8)
    assert read.texts == ["one two"] * 6  # every one of these signs is a space between words


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("gb18030", "GB18030"), ("utf-16", "UTF-16 LE (BOM)"), ("utf-8-sig", "UTF-8 (BOM)")],
)
@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_tables_in_other_encodings(codec, encoding, name):
    texts = {f"{place}.png": text for place, text in enumerate(("红色的球", "蓝色的大盒子", "绿色的小星星"))}
    rows = [f"{file},{text}" for file, text in texts.items()]
    if name.endswith("jsonl"):
        rows = [json.dumps({"file_name": file, "text": t}, ensure_ascii=False) for file, t in texts.items()]
    else:
        rows.insert(0, "file_name,text")
    captions = Captions()
    captions.add("", name, "\r\n".join(rows).encode(codec))
    assert {file: captions.of(file) for file in texts} == texts
    assert captions.facts()["encoding"] == encoding


def test_a_table_whose_encoding_is_not_certain_is_refused():
    with pytest.raises(InputError) as caught:
        Captions().add("", "metadata.csv", "file_name,text\na.png,красный шар\n".encode("koi8-r"))
    assert caught.value.key == "unsure_encoding"
    assert "metadata.csv" in str(caught.value)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_table", ["NFC", "NFD"])
def test_names_compare_in_one_unicode_form(tmp_path, on_disk, in_table):
    names = ["caf\u00e9.png", "\ud55c\uae00.png", "\u304c.png"]
    rows = [f"{unicodedata.normalize(in_table, name)},{number}" for number, name in enumerate(names)]
    files = [unicodedata.normalize(on_disk, name) for name in names]
    folder(tmp_path, files, metadata_csv="\n".join(["file_name,text", *rows]))
    read = read_folder(tmp_path, 8)
    assert sorted(read.texts) == ["0", "1", "2"]
    assert "rows_without_picture" not in read.metadata


def test_of_two_files_that_differ_in_their_form_alone_each_has_its_own_row():
    forms = [unicodedata.normalize(form, "\u00e9.png") for form in ("NFC", "NFD")]
    texts, facts = captions_of(f"file_name,text\n{forms[0]},composed\n{forms[1]},apart\n", names=tuple(forms))
    assert texts == ["composed", "apart"]
    assert "rows_without_picture" not in facts


@pytest.mark.parametrize(
    "written", ["in/a.png", "in\\a.png", ".\\in\\a.png", "./in/a.png", " in/a.png ", "x/../in//a.png"]
)
def test_ways_to_write_a_path(written):
    texts, facts = captions_of(f"file_name,text\n{written},here\n", names=("in/a.png",))
    assert texts == ["here"]
    assert facts == {"metadata": "metadata.csv", "caption_columns": "text", "rows": 1}


@pytest.mark.parametrize("written", ["IN/a.png", "in/a.PNG", "a.png", "/in/a.png", "../in/a.png", "in/a"])
def test_other_names_match_nothing_and_are_counted(written):
    texts, facts = captions_of(f"file_name,text\n{written},here\n,no name\n", names=("in/a.png",))
    assert texts == [None]
    assert (facts["rows_without_picture"], facts["first_of_rows_without_picture"]) == (2, written)
    assert (facts["pictures_without_row"], facts["first_of_pictures_without_row"]) == (1, "in/a.png")


def test_the_rows_and_images_that_are_left_over_are_said_in_sentences():
    _, facts = captions_of(
        "file_name,text\na.png,x\nq.png,y\nr.png,z\na.png,again\n", names=("a.png", "b.png")
    )
    sentences = [ENGLISH[key].format(**values) for key, values in notices(facts)]
    assert [sentence.partition(";")[0] for sentence in sentences] == [
        "2 rows of metadata.csv name no picture of the folder (the first: q.png) and were not used",
        "1 pictures have no row in metadata.csv (the first: b.png)",
        "1 rows of metadata.csv name a picture that an earlier row has (the first: a.png)",
    ]
    assert notices(captions_of("file_name,text\na.png,x\nb.png,y\n")[1]) == []


@pytest.mark.parametrize(
    ("header", "texts", "column"),
    [
        ("file_name,text", "A,B", "text"),
        ("filename,caption", "A,B", "caption"),
        ("file,prompt", "A,B", "prompt"),
        ("image,Text", "A,B", "Text"),
        (" Path , CAPTION ", "A,B", "CAPTION"),
        ("File Name,Prompt", "A,B", "Prompt"),
        ("File-Name,Prompt", "A,B", "Prompt"),
    ],
)
def test_usual_names_of_columns(header, texts, column):
    found, facts = captions_of(f"{header}\na.png,A\nb.png,B\n")
    assert ",".join(map(str, found)) == texts
    assert facts["caption_columns"].strip() == column


def test_of_several_columns_the_first_in_a_stated_order_that_a_row_fills():
    text = "prompt,caption,path,text,file_name\np,c,x.png,t,a.png\np,c,x.png, ,b.png\n"
    found, facts = captions_of(text)
    assert found == ["t", "c"]
    assert facts["caption_columns"] == "text, caption"


def test_a_table_without_the_column_says_which_it_has(tmp_path):
    error = refused("name,text\na.png,x\n")
    assert str(error) == (
        "metadata.csv has no column file_name (filename, file, image, path) but: name, text; "
        "rename the one that is meant."
    )
    assert refused('{"picture": "a.png"}', "metadata.jsonl").values["known"] == "picture"
    assert refused("a.png,a red ball\n").values["known"] == "a.png, a red ball"  # without a header
    folder(tmp_path, SIX, metadata_csv="file_name;title\n" + "".join(f"{name};x\n" for name in SIX))
    with pytest.raises(InputError) as caught:
        prepare_pairs(str(tmp_path), PairSettings())
    assert str(caught.value).startswith(
        "metadata.csv has no column text (caption, prompt) but: file_name, title;"
    )
    assert read_folder(tmp_path, 8).metadata["its_columns"] == "file_name, title"  # no error here


def test_a_table_of_which_no_row_matches_says_so_where_captions_are_needed(tmp_path):
    folder(tmp_path, SIX, metadata_csv="file_name,text\n" + "".join(f"{name.upper()},x\n" for name in SIX))
    with pytest.raises(InputError) as caught:
        prepare_pairs(str(tmp_path), PairSettings())
    assert str(caught.value).startswith(
        "None of the 6 rows of metadata.csv names a picture of the folder (the first: A.PNG);"
    )
    assert read_folder(tmp_path, 8).metadata["rows_without_picture"] == 6


def test_the_report_of_the_preparation_counts_them(tmp_path):
    rows = "file_name,text\n" + "".join(f"{name},ball {name}\n" for name in SIX[:4]) + "z.png,lost\n"
    corpus = prepare_pairs(str(folder(tmp_path, SIX, metadata_csv=rows)), PairSettings(validation_fraction=0))
    facts = corpus.report[0].facts
    assert (facts["rows"], facts["rows_without_picture"], facts["pictures_without_row"]) == (5, 1, 2)
    assert (facts["first_of_rows_without_picture"], facts["first_of_pictures_without_row"]) == (
        "z.png",
        "e.png",
    )
    assert corpus.train_captions == tuple((f"ball {name}",) for name in SIX[:4])


@pytest.mark.parametrize(
    "text",
    [
        "file_name,text\r\na.png,A\r\nb.png,B\r\n",
        "\ufefffile_name,text\na.png,A\nb.png,B",
        "file_name;text\na.png;A\nb.png;B\n",
        "file_name\ttext\na.png\tA\nb.png\tB\n",
        "sep=;\r\nfile_name;text\r\na.png;A\r\nb.png;B\r\n",
        '\ufeff"sep=,"\nfile_name,text\na.png,A\nb.png,B\n',
        "SEP=\t\nfile_name\ttext\na.png\tA\nb.png\tB\n",
        '"file_name";"text"\n"a.png";"A"\n"b.png";"B"\n',
        "\n\nfile_name,text\n\na.png,A\n,,\nb.png,B\n\n",
        "id;size;file_name;text\n1;2,5;a.png;A\n2;3,5;b.png;B\n",
        "text,a;b;c;d,file_name\nA,1,a.png\nB,2,b.png\n",
        "file_name,text\ra.png,A\rb.png,B\r",
    ],
)
def test_tables_as_programs_write_them(text):
    found, facts = captions_of(text)
    assert found == ["A", "B"]
    assert facts["rows"] == 2
    assert not notices(facts)


def test_what_stands_in_a_caption_ends_no_row_and_no_column():
    text = 'file_name,text\na.png,"a red\nball, ""big""; end"\nb.png,a red, round ball\n'
    assert captions_of(text)[0] == ['a red ball, "big"; end', "a red, round ball"]
    assert captions_of("file_name;text\na.png;red, round\nb.png;B;;\n")[0] == ["red, round", "B"]
    between = "text,file_name\na red,a.png\nB,b.png\n"  # nobody knows where a comma belongs in this order
    assert captions_of(between)[0] == ["a red", "B"]


@pytest.mark.parametrize("text", ['file_name,text\na.png,"A\nb.png,B\n', 'file_name,text\na.png,A\nb.png,"'])
def test_a_quotation_mark_that_nothing_closes_swallows_no_rows(text):
    error = refused(text)
    row = 1 if "b.png,B" in text else 2
    assert (error.key, error.values["row"], error.values["line"]) == ("table_open_quote", row, row + 1)


@pytest.mark.parametrize(
    ("text", "row", "line"),
    [
        ('file_name,text\na.png,"he said hi\nb.png,two" by\nc.png,three\n', 1, 2),
        ('sep=;\nfile_name;text\na.png;"A\nB"\n\nb.png;"two" by\n', 2, 6),
        ('file_name,text\r\na.png,A\r\nb.png,"two"x\r\n', 2, 3),
    ],
)
def test_text_behind_a_closing_quotation_mark_is_a_broken_row(text, row, line):
    error = refused(text)
    assert (error.key, error.values["row"], error.values["line"]) == ("table_late_quote", row, line)
    assert f"row {row} (line {line} of the file)" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "file_name,text,label\na.png,one, and two,3\nb.png,x,1\n",
        "file_name,text,\na.png,two, three,\nb.png,x,\n",
        "file_name;label;text;more\na.png;3;one; two;m;;;\nb.png;1;x;m\n",
        "text,file_name,label\n x ,b.png,1\none,a.png,1,2\n",
    ],
)
def test_a_row_of_more_cells_than_columns_gives_no_caption_and_is_named(text):
    found, facts = captions_of(text)
    assert found == [None, "x"]
    assert notices(facts) == [("rows_too_long", {"count": 1, "first": "a.png", "name": "metadata.csv"})]
    assert no_captions("a folder", facts).key == "rows_too_long"


def test_empty_cells_behind_the_last_column_are_none():
    assert captions_of("file_name,text,\na.png,A,\nb.png,B,,,\n") == (
        ["A", "B"],
        {"metadata": "metadata.csv", "caption_columns": "text", "rows": 2},
    )


def test_captions_that_are_numbers_are_text_and_others_are_named():
    values = [5, 2.5, ["x", "y"], {"en": "x"}, True, None]
    rows = [json.dumps({"file_name": name, "text": text}) for name, text in zip(SIX, values, strict=True)]
    found, facts = captions_of("\n".join(rows), "metadata.jsonl", tuple(SIX))
    assert found == ["5", "2.5", None, None, None, None]
    values = {"count": 3, "first": "c.png", "name": "metadata.jsonl"}
    assert notices(facts) == [("captions_no_text", values)]


def test_a_list_beside_a_caption_is_no_fault():
    row = {"file_name": "a.png", "text": ["x"], "caption": "A"}
    found, facts = captions_of(json.dumps(row), "metadata.jsonl", ("a.png",))
    assert found == ["A"]
    assert not notices(facts)


@pytest.mark.parametrize("column", ["text", "Caption"])
def test_a_column_that_is_empty_everywhere_is_said(tmp_path, column):
    folder(tmp_path, SIX, metadata_csv=f"file_name,{column}\n" + "".join(f"{name}, \n" for name in SIX))
    with pytest.raises(InputError) as caught:
        prepare_pairs(str(tmp_path), PairSettings())
    assert (caught.value.key, caught.value.values) == (
        "captions_empty",
        {"name": "metadata.csv", "column": column},
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"file_name": "a.png", "text": "A"}]', 1),
        ('{\n  "file_name": "a.png",\n  "text": "A"\n}\n', 1),
        ('{"file_name": "a.png", "text": "A"}\n\n{"file_name": "b.png"\n', 3),
        ('{"file_name": "a.png"}\n"text"\n', 2),
    ],
)
def test_a_line_that_is_no_object_is_named(text, line):
    error = refused(text, "metadata.jsonl")
    assert (error.key, error.values["line"]) == ("table_no_object", line)


def test_lines_that_end_in_carriage_returns_alone_are_said():
    rows = "".join(json.dumps({"file_name": name, "text": "A"}) + "\r" for name in SIX)
    assert refused(rows, "metadata.jsonl").key == "table_line_ends"


def test_a_cell_that_is_too_long_is_named_with_its_row():
    error = refused("file_name,text\na.png,A\nb.png," + "x" * 131_073 + "\n")
    assert (error.key, error.values["row"], error.values["limit"]) == ("table_long_cell", 2, 131_072)


def test_tables_are_bounded(monkeypatch):
    monkeypatch.setattr("aigc_demo.data.captions.tables.MAX_ROWS", 2)
    assert captions_of("file_name,text\na.png,A\nb.png,B\n")[0] == ["A", "B"]
    assert refused("file_name,text\n" + "a.png,A\n" * 3).key == "table_many_rows"
    line = json.dumps({"file_name": "a.png", "text": "x" * 2**20})
    assert refused(line, "metadata.jsonl").key == "table_long_line"


def test_of_two_tables_one_is_read_and_the_other_named(tmp_path):
    rows = "".join(json.dumps({"file_name": name, "text": "jsonl"}) + "\n" for name in SIX)
    folder(tmp_path, SIX, metadata_jsonl=rows, metadata_parquet="PAR1", metadata_md="notes")
    assert read_folder(tmp_path, 8).texts == ["jsonl"] * 6
    folder(tmp_path, [], metadata_csv="file_name,text\na.png,csv\n")
    read = read_folder(tmp_path, 8)
    assert read.texts == ["csv", *[None] * 5]
    assert read.metadata["metadata_not_read"] == "metadata.jsonl and 1 more"
    assert ("metadata_not_read", {"name": "metadata.jsonl and 1 more"}) in notices(read.metadata)


def test_a_table_of_parquet_alone_is_said_where_captions_are_needed(tmp_path):
    folder(tmp_path, SIX, metadata_parquet="PAR1")
    with pytest.raises(InputError) as caught:
        prepare_pairs(str(tmp_path), PairSettings())
    assert str(caught.value).startswith("metadata.parquet is not read; save the table as metadata.csv")


def test_capitals_in_the_name_of_the_table(tmp_path):
    folder(tmp_path, SIX)
    (tmp_path / "Metadata.CSV").write_text("file_name,text\na.png,A\n")
    assert read_folder(tmp_path, 8).texts[0] == "A"


def test_a_table_further_down_knows_its_images_better():
    captions = Captions()
    captions.add("", "metadata.csv", b"file_name,text\nin/a.png,outer\nin/b.png,outer\n")
    captions.add("in", "metadata.csv", b"file_name,text\na.png,inner\n")
    assert [captions.of("in/a.png"), captions.of("in/b.png")] == ["inner", "outer"]
    assert not notices(captions.facts())


def test_a_caption_is_one_line_of_a_thousand_characters_at_most():
    assert plain("a\tred\n ball\u2028 ") == "a red ball"
    assert plain("x" * 1000) == "x" * 1000
    assert plain("x" * 1001) == "x" * 1000
    assert plain("ab  " * 1000) == "ab " * 333 + "a"
