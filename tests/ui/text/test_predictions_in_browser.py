"""The views beside "Continue" in a real browser, used as a person would."""

import re

import pytest

from tests.ui.accessibility import check_accessible
from tests.ui.test_browser import at_rest, opened

SHADES = """node => [...node.querySelectorAll('.answer-place')].map(
    one => one.style.getPropertyValue('--s'))"""
VIEWS = {
    "fill": ("Fill in", "填词"),
    "follow": ("Does it follow?", "接得上吗？"),
    "answer": ("Answer", "回答"),
}


def open_view(page, name, language=0):
    page.get_by_role("radio", name=VIEWS[name][language], exact=True).click()
    page.wait_for_selector(f"#{name}-predict")
    page.wait_for_function(
        "name => document.querySelector(`#${name}-model-right input`)?.value.length > 3", arg=name
    )
    at_rest(page)


def predict(page, name, state="finished"):
    page.click(f"#{name}-predict")
    for side in ("left", "right"):
        page.wait_for_selector(f"#{name}-card-{side} .state[data-state={state}]")


def masked(page):
    found = page.locator(".masking-word[aria-pressed=true]").all()
    return [word.get_attribute("aria-label") for word in found]


@pytest.fixture(scope="module")
def page(chromium, page_url):
    """One page that the tests share, in English and light."""
    with opened(chromium, page_url) as shared:
        shared.wait_for_selector("#text-view")
        yield shared


def test_words_are_masked_by_click_and_keyboard_and_predicted(page):
    assert page.locator("#view-fill").count() == 0, "what is not opened is not there"
    open_view(page, "fill")
    assert masked(page) == ["wet", "warm"], "it begins with an example"
    words = page.locator(".masking-word")
    words.filter(has_text=re.compile("^big$")).first.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert masked(page) == ["big", "red", "wet", "warm"]
    page.keyboard.press("Enter")
    for word in masked(page)[1:]:
        page.click(f".masking-word[aria-pressed=true][aria-label={word}]")
    assert masked(page) == ["big"]
    predict(page, "fill")
    for side in ("left", "right"):
        result = page.locator(f"#fill-result-{side}")
        assert "of 3 right" in result.inner_text(), "the tokens of these models are characters"
        assert result.locator(".bars-row").count() == 3 * 5
    check_accessible(page, "#view-fill")


def test_a_text_that_is_typed_has_its_own_words(page):
    open_view(page, "fill")
    page.fill("#fill-text textarea", "床前明月光 an é 🙂")
    page.locator("#fill-text textarea").blur()
    page.wait_for_function("() => document.querySelectorAll('.masking-word').length === 8")
    assert masked(page) == []
    assert page.locator(".masking-word").all_inner_texts() == ["床", "前", "明", "月", "光", "an", "é", "🙂"]
    predict(page, "fill", "failed")
    assert "There is no <mask> in this text" in page.locator("#fill-card-left .card-error").inner_text()


def test_two_texts_are_judged_and_swapped(page):
    open_view(page, "follow")
    predict(page, "follow")
    for side in ("left", "right"):
        numbers = page.locator(f"#follow-result-{side} .bars-number").all_inner_texts()
        assert 99 <= sum(float(number.rstrip(" %")) for number in numbers) <= 101
    first, second = (page.input_value(f"#follow-{which} textarea") for which in ("first", "second"))
    page.click("#follow-swap")
    page.wait_for_function(
        "text => document.querySelector('#follow-first textarea').value === text", arg=second
    )
    assert page.input_value("#follow-second textarea") == first
    page.wait_for_selector("#follow-result-left .images-empty")
    check_accessible(page, "#view-follow")


def test_an_answer_shows_what_was_looked_at_for_the_clicked_token(page):
    open_view(page, "answer")
    predict(page, "answer")
    left = page.locator("#answer-result-left")
    assert "The right answer: the bird" in left.locator(".answer-verdict").inner_text()
    source = left.locator(".answer-place")
    assert source.first.inner_text() == "<start>"
    before, read = left.evaluate(SHADES), left.locator(".reading").inner_text()
    assert max(map(float, before)) > 0
    left.locator(".answer-token").nth(1).click()
    assert left.evaluate(SHADES) != before
    assert left.locator(".reading").inner_text() != read
    page.keyboard.press("ArrowLeft")
    assert left.evaluate(SHADES) == before
    left.locator("select[data-name=head]").select_option("1")
    assert left.evaluate(SHADES) != before
    check_accessible(page, "#view-answer")
    story = page.input_value("#answer-story textarea")
    page.click("#answer-new-story")
    page.wait_for_function(
        "text => document.querySelector('#answer-story textarea').value !== text", arg=story
    )
    page.wait_for_selector("#answer-result-left .images-empty")


def test_the_first_view_is_as_it_was_left(page):
    page.get_by_role("radio", name="Continue", exact=True).click()
    page.wait_for_selector("#generate")
    assert page.input_value("#prompt textarea") == "ROMEO:\n"


def test_a_reader_of_chinese_begins_in_chinese_on_a_small_dark_screen(chromium, page_url):
    with opened(chromium, page_url, theme="dark", language="zh-CN", width=390) as page:
        page.wait_for_selector("#text-view")
        open_view(page, "fill", 1)
        assert page.input_value("#fill-text textarea").startswith("那里有一只棕色的大青蛙")
        assert masked(page) == ["重", "睡"]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        check_accessible(page, "#view-fill")
        open_view(page, "answer", 1)
        assert page.input_value("#answer-question textarea") == "球为什么留在原来的地方？"
        check_accessible(page, "#view-answer")
