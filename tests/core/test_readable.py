"""What files and strangers say, as it goes to a terminal."""

from pathlib import Path

import pytest

from aigc_demo import cli
from aigc_demo.core.process.console import readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\nline\033[31mred", "evil\\nline\\x1b[31mred"),
        ("\x9b2J\x7f\u2028\u202eabc", "\\x9b2J\\x7f\\u2028\\u202eabc"),
        ("诗 é 😀 \u200c", "诗 é 😀 \u200c"),
    ],
)
def test_what_moves_the_cursor_is_an_escape(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_runs_and_error_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "evil\nline\033[31mred"
    run.mkdir()
    (run / "config.json").write_text('{"recipe": "gpt"}', "utf-8")
    (run / "events.jsonl").write_text("", "utf-8")
    with pytest.raises(SystemExit):
        cli.main(["runs", "--folder", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and "evil\\nline\\x1b[31mred" in lines[0]
    with pytest.raises(SystemExit):
        cli.main(["save", str(tmp_path / "\033[31mgone"), str(tmp_path / "out")])
    assert "\033" not in capsys.readouterr().err
