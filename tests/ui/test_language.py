from types import SimpleNamespace

import pytest

from aigc_demo.ui.language import accepted_language, chosen_language, head_script, marker, translations


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-Hant-TW,en;q=0.5", "zh-TW"),
        ("zh-HK", "zh-TW"),
        ("fr-FR,zh-TW;q=0.7,en;q=0.3", "zh-TW"),
        ("en;q=0.2,zh-CN;q=0.9", "zh-CN"),
        ("de,fr", "en"),
        ("zh;q=nonsense,en;q=0.1", "en"),
        (";;;,,,", "en"),
    ],
)
def test_language_that_the_browser_likes_best(header, language):
    assert accepted_language(header) == language


def test_the_switch_comes_before_the_browser():
    headers = {"accept-language": "en"}
    assert chosen_language(SimpleNamespace(cookies={"lang": "zh-TW"}, headers=headers)) == "zh-TW"
    assert chosen_language(SimpleNamespace(cookies={"lang": "<b>"}, headers=headers)) == "en"
    assert chosen_language(SimpleNamespace(cookies={}, headers={"accept-language": "zh"})) == "zh-CN"
    assert chosen_language(None) == "en"


def test_translations_hold_the_names_made_at_run_time():
    tables = translations({"model_gpt-x": ("X", "某", "某")}).translations
    assert tables["en"][marker("generate")] == "Generate"
    assert tables["zh-TW"][marker("stop")] == "停止"
    assert tables["zh-CN"]["aigc_model_gpt_x"] == "某"
    assert tables["zh"] == tables["zh-CN"]


def test_the_live_switch_is_found_in_the_installed_gradio():
    assert "core-" in head_script()
    assert "CORE_FILE" not in head_script()


def test_without_it_the_page_reloads_and_the_log_says_so(monkeypatch, caplog):
    monkeypatch.setattr("aigc_demo.ui.language._core_file", lambda: None)
    assert "const core = '';" in head_script()
    assert "reloads to switch" in caplog.text
