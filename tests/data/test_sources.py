"""Every source that can be read, and every one that cannot: one sentence each."""

import errno
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data import sources
from aigc_demo.data.hub import text as hub_text
from aigc_demo.data.hub.tables import HubSource
from aigc_demo.data.hub.text import join_rows
from aigc_demo.data.sources import load_text
from tests import forked_commands
from tests.data import hub_server

READER = """
import json, sys
from aigc_demo.core.errors import InputError
from aigc_demo.data.sources import load_text
fields = int(sys.argv.pop(1))
for source in sys.argv[1:]:
    try:
        loaded = load_text(source)
        print(json.dumps([loaded.name, loaded.text, loaded.sha256, loaded.encoding][:fields]))
    except InputError as error:
        print(json.dumps([error.key, str(error), ""]))
"""


def refused(source) -> InputError:
    with pytest.raises(InputError) as caught:
        load_text(str(source))
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_is_read_as_it_is(tmp_path):
    content = "Éins\r\n 春 \t\n\n".encode()
    path = tmp_path / "poem.txt"
    path.write_bytes(content)
    loaded = load_text(str(path))
    assert (loaded.name, loaded.text) == ("poem.txt", content.decode())
    assert loaded.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "key", "sentence"),
    [
        (b"", "empty_text", "bad.txt holds no text; give a file with some sentences in it."),
        (
            b"\xef\xbb\xbf \r\n\t\n",
            "empty_text",
            "bad.txt holds no text; give a file with some sentences in it.",
        ),
        (b"text\x00\x01", "not_text", "(byte 4 is not)"),
        ("春\0".encode(), "not_text", "(byte 3 is not)"),
        ("春".encode("gb18030"), "unsure_encoding", "save it as plain text in UTF-8."),
        ("text".encode("utf-16") + b"a", "not_text", "(byte 8 is not)"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, key, sentence):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    error = refused(path)
    assert error.key == key
    assert sentence in str(error)
    assert str(tmp_path) not in str(error)


def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_TEXT_BYTES", 2**20)
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" * 2**20)
    assert len(load_text(str(path)).text) == 2**20
    path.write_bytes(b"a" * (2**20 + 1))
    assert (
        str(refused(path)) == "long.txt has 1.0 MiB, more than the 1 MiB that are taken; give a part of it."
    )


def test_paths_that_cannot_be_read_are_refused(tmp_path):
    assert refused(tmp_path).key == "source_is_folder"
    assert refused(tmp_path / "missing.txt").key == "no_file"
    assert refused(tmp_path / ("long" * 100)).key == "unreadable_file"
    assert refused("zero\0byte.txt").key in ("no_file", "unreadable_file")
    os.mkfifo(tmp_path / "pipe.txt")
    assert refused(tmp_path / "pipe.txt").values["detail"] == "not a regular file"
    (tmp_path / "file.txt").write_text("text")
    assert refused(tmp_path / "file.txt" / "under.txt").key in ("no_file", "unreadable_file")


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    def forbid(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "secret.txt"
    path.write_text("text")
    monkeypatch.setattr(Path, "open", forbid)
    assert refused(path).values["detail"] == "Permission denied"


def test_words_that_name_nothing_are_refused():
    assert str(refused("shakespeare")).startswith("There is no source shakespeare; give tiny-world,")
    assert refused("").key in ("unknown_source", "source_is_folder")


def test_tiny_world_is_a_source():
    loaded = load_text("tiny-world")
    assert loaded.name == "tiny-world"
    assert loaded.sha256 == hashlib.sha256(loaded.text.encode()).hexdigest()
    assert loaded.text.count("\n\n") == 20_000


def test_a_name_on_the_hub_is_taken_apart():
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert HubSource.parse("hf:a/b") == HubSource("a/b", None, None)
    assert HubSource.parse("hf:a-1/b.c:d_e") == HubSource("a-1/b.c", None, "d_e")
    assert HubSource.parse(f"hf:a/b@{commit}:d") == HubSource("a/b", commit, "d")
    wikitext = HubSource.parse("hf:Salesforce/wikitext:wikitext-2-raw-v1")
    assert wikitext.revision == "b08601e04326c79dfdd32d625aee71d232d685c3"
    assert HubSource.parse(f"hf:Salesforce/wikitext@{commit}").revision == commit


@pytest.mark.parametrize(
    "name", ["hf:", "hf:a", "hf:../b", "hf:a/..", "hf:a/b/c", "hf:a/b@main", "hf:a/b:", "hf:a/ b"]
)
def test_names_of_another_form_are_refused(name):
    assert refused(name).key == "hub_form"


def test_rows_become_lines_or_paragraphs():
    assert join_rows(["", " = A = \n", "", "b\n"]) == "\n = A = \n\nb\n"
    assert join_rows(["one", "", "two\nlines"]) == "one\n\ntwo\nlines\n\n"


@pytest.fixture(scope="module")
def hub():
    server, address = hub_server.serve()
    yield address
    server.shutdown()
    server.server_close()


def read_in_child(address: str, home: Path, *names: str, fields: int = 3) -> list[list[str]]:
    """What `load_text` gives in a process of its own: the address is read when the library is imported."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    done = forked_commands.run(
        [sys.executable, "-c", READER, str(fields), *names],
        env=environment,
        text=True,
        timeout=120,
        imported=forked_commands.LIBRARIES,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # the libraries' warnings and progress bars stay away
    return [json.loads(line) for line in done.stdout.splitlines()]


LINES = "\n = A title = \n\nThe first line.\né 春\n"
PINNED = f"hf:someone/letters@{hub_server.COMMIT}:lines"


def test_data_sets_are_read_through_the_library_and_then_from_its_cache(hub, tmp_path):
    both = ("hf:someone/letters:lines", PINNED)
    online = read_in_child(hub, tmp_path, *both, "hf:someone/letters:stories")
    assert online == [
        [name, text, hashlib.sha256(text.encode()).hexdigest()]
        for name, text in zip(
            (*both, "hf:someone/letters:stories"),
            (LINES, LINES, "One story.\n\nAnother\none.\n\n"),
            strict=True,
        )
    ]
    other_commit = "hf:someone/letters@" + "1" * 40 + ":lines"
    nowhere = "http://127.0.0.1:9"
    offline = read_in_child(nowhere, tmp_path, *both, other_commit, "hf:someone/letters", "hf:someone/unseen")
    assert offline[:2] == online[:2]
    assert [key for key, _, _ in offline[2:]] == ["hub_unreachable", "hub_configuration", "hub_unreachable"]


def test_files_that_are_not_in_utf_8_are_read_and_said_also_from_the_cache(hub, tmp_path):
    text = join_rows(hub_server.OLD_FILES.splitlines())
    names = ("hf:someone/old-files", "hf:someone/doubtful")
    for address in (hub, "http://127.0.0.1:9"):
        found, doubtful = read_in_child(address, tmp_path, *names, fields=4)
        assert (found[1], found[3]) == (text, "GB18030")
        assert doubtful[0] == ("unsure_encoding" if address == hub else "hub_unreachable")


def test_what_the_hub_does_not_have_is_said_in_a_sentence(hub, tmp_path):
    wrong = {
        "hf:someone/letters": "hf:someone/letters has several parts; add one to the name after a colon: "
        "'lines', 'stories'.",
        "hf:someone/letters:words": "add one to the name after a colon: 'lines', 'stories'.",
        "hf:someone/letters@" + "0" * 40: "check the owner, the name and the commit.",
        "hf:someone/missing": "The Hub shows no dataset hf:someone/missing to everybody;",
        "hf:someone/numbers": "has no column named text, and not one column of text among a;",
        "hf:someone/validation": "has no split named train, only validation;",
        "hf:someone/broken": "hf:someone/broken cannot be read (",
    }
    answers = read_in_child(hub, tmp_path, *wrong)
    for sentence, (key, answer, _) in zip(wrong.values(), answers, strict=True):
        assert key.startswith("hub_")
        assert sentence in answer


def test_rows_beyond_the_limit_are_refused(monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(hub_text, "MAX_TEXT_BYTES", 2**20)
    table = datasets.Dataset.from_dict({"text": ["春" * 2**18, "春" * 2**18], "label": [0, 1]})
    assert len(list(hub_text._rows(table.select([0]), "text", "hf:a/b"))) == 1
    with pytest.raises(InputError, match=r"hf:a/b has 1\.5 MiB, more than the 1 MiB that are taken"):
        list(hub_text._rows(table, "text", "hf:a/b"))
