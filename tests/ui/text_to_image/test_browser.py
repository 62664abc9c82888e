"""The tab Text to image in a real browser: candidates, words, after-treatment, matching, search."""

import re

import pytest

from tests.ui.accessibility import check_accessible
from tests.ui.gan.test_browser import colours, spoken
from tests.ui.test_browser import at_rest, open_named_tab, opened


def open_tab(page):
    page.get_by_role("tab", name=re.compile("Text to image|文生图")).first.click()
    page.wait_for_selector("#t2i-draw")
    at_rest(page)


def drawn(page, name):
    page.wait_for_selector(f"#{name} .images-grid[data-drawn]")


@pytest.fixture(scope="module")
def page(chromium, page_url):
    with opened(chromium, page_url) as shared:
        open_tab(shared)
        shared.fill("#t2i-caption textarea", "a small red ball to the left of a big blue box")
        shared.click("#t2i-draw")
        for side in ("left", "right"):
            shared.wait_for_selector(f"#t2i-card-{side} .state[data-state=finished]")
            drawn(shared, f"t2i-images-{side}")
        yield shared


def test_candidates_are_ranked_with_the_score_of_another_caption_beside(page):
    captions = page.locator("#t2i-images-left figcaption span[lang=en]").all_text_contents()
    assert len(captions) == 8
    scores = [float(re.search(r"fits (-?[\d.]+), other -?[\d.]+", caption)[1]) for caption in captions]
    assert scores == sorted(scores, reverse=True)
    assert colours(page, "#t2i-images-left") > 5
    assert page.locator("#t2i-images-right canvas").count() == 8
    page.click("#t2i-timeline > button")
    drawn(page, "t2i-timeline-right")
    assert page.locator("#t2i-timeline-right canvas").count() == 4 * 8


def test_the_words_say_what_they_were_taken_for(page):
    def parts():
        return page.locator("#t2i-words .word-chip").evaluate_all("all => all.map(n => n.dataset.part)")

    assert parts() == ["filler", "size", "colour", "kind", "relation", "filler", "size", "colour", "kind"]
    page.fill("#t2i-caption textarea", "a red dragon")
    page.wait_for_selector("#t2i-words [data-part=unknown]")
    assert "dragon" in spoken(page, "#t2i-words .words-note", "en")
    page.locator("#t2i-examples").get_by_text("一个红色的小球").first.click()
    page.wait_for_function("document.querySelectorAll('#t2i-words [data-part=kind]').length === 1")
    page.fill("#t2i-caption textarea", "a small red ball to the left of a big blue box")
    page.wait_for_function("document.querySelectorAll('#t2i-words [data-part=kind]').length === 2")


def test_a_candidate_is_chosen_and_postprocessed(page):
    page.locator("#t2i-images-left button.tile-frame").nth(2).click()
    page.wait_for_selector("#t2i-images-left figure:nth-child(3) button[aria-pressed=true]")
    page.click("#t2i-postprocess > button")
    at_rest(page)
    page.check("#t2i-colorize input")
    page.click("#t2i-postprocess-apply")
    drawn(page, "t2i-postprocessed-left")
    captions = page.locator("#t2i-postprocessed-left figcaption span[lang=en]").all_text_contents()
    assert captions == ["as generated", "denoised", "grey", "colorized", "enlarged"]
    drawn(page, "t2i-postprocessed-right")


def test_a_region_is_painted_over_and_drawn_anew(page):
    page.click("#t2i-repair > button")
    at_rest(page)
    page.click("#t2i-take")
    canvas = page.locator("#t2i-canvas canvas")
    canvas.wait_for()
    page.click("#t2i-repair-apply")
    page.get_by_text("Nothing is painted over yet").first.wait_for()
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    page.mouse.move(area["x"] + area["width"] / 3, area["y"] + area["height"] / 3)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2, steps=4)
    page.mouse.up()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.click("#t2i-repair-apply")
    drawn(page, "t2i-repaired")
    captions = page.locator("#t2i-repaired figcaption span[lang=en]").all_text_contents()
    assert captions == ["as generated", "painted over", "restored"]


def test_word_by_word(page):
    page.click("#t2i-word_by_word > button")
    at_rest(page)
    page.click("#t2i-leave-out")
    drawn(page, "t2i-changed")
    captions = page.locator("#t2i-changed figcaption span[lang=en]").all_text_contents()
    assert captions[0] == "whole caption"
    assert [line.split(":")[0] for line in captions[1:]] == [
        "small",
        "red",
        "ball",
        "to the left of",
        "big",
        "blue",
        "box",
    ]
    page.locator("#t2i-words [data-part=colour]").first.click()
    page.wait_for_function(
        "[...document.querySelectorAll('#t2i-changed figcaption span[lang=en]')]"
        ".some(n => n.textContent.startsWith('green'))"
    )


def test_where_the_words_went(page):
    page.click("#t2i-words_went > button")
    at_rest(page)
    page.click("#t2i-look")
    drawn(page, "t2i-attention")
    captions = page.locator("#t2i-attention figcaption span[lang=en]").all_text_contents()
    assert captions[0] == "whole caption, layer 1"
    assert "red, layer 2" in captions


def test_captions_are_compared_with_images(page):
    page.click("#t2i-matching > button")
    at_rest(page)
    page.click("#t2i-compare")
    page.wait_for_selector("#t2i-matrix td.matrix-own")
    assert page.locator("#t2i-matrix td.matrix-own").count() == 4
    assert page.locator("#t2i-matrix img").count() == 4
    assert re.search(r"\d of 4", spoken(page, "#t2i-matrix .matrix-note", "en"))


def test_images_are_found_by_text_and_texts_by_image(page):
    page.click("#t2i-searching > button")
    at_rest(page)
    page.click("#t2i-search")
    drawn(page, "t2i-found")
    assert page.locator("#t2i-found canvas").count() == 8
    page.locator("#t2i-found button.tile-frame").first.click()
    page.wait_for_selector("#t2i-found-texts .fact")
    assert page.locator("#t2i-found-texts .fact").count() == 8


def test_what_cannot_be_drawn_is_said_in_one_sentence(page):
    for caption, sentence in (("🙂🙂", "no word"), ("quantum chromodynamics", "knows none of these words")):
        page.fill("#t2i-caption textarea", caption)
        page.click("#t2i-draw")
        page.get_by_text(re.compile(sentence)).first.wait_for()
    page.fill("#t2i-caption textarea", "a red ball")


def test_chinese_from_the_tab_to_the_captions(chromium, page_url):
    with opened(chromium, page_url, language="zh-CN", theme="dark", width=390) as page:
        open_named_tab(page, "文生图")
        page.wait_for_selector("#t2i-draw")
        at_rest(page)
        page.fill("#t2i-caption textarea", "一个红色的小球")
        page.click("#t2i-draw")
        page.wait_for_selector("#t2i-card-left .state[data-state=finished]")
        drawn(page, "t2i-images-left")
        assert "相符" in spoken(page, "#t2i-images-left figcaption", "zh-CN")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        check_accessible(page)
