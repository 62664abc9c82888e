"""The tab GAN in a real browser: images, a film, the nearest training image, in two languages."""

import re

import pytest

from tests.ui.accessibility import check_accessible
from tests.ui.test_browser import at_rest, open_named_tab, opened


def open_tab(page):
    page.get_by_role("tab", name=re.compile("GAN")).first.click()
    page.wait_for_selector("#gan-generate")
    at_rest(page)


def finished(page):
    for side in ("left", "right"):
        page.wait_for_selector(f"#gan-card-{side} .state[data-state=finished]")
        page.wait_for_selector(f"#gan-images-{side} .images-grid[data-drawn]")


def colours(page, selector):
    """How many colours the first canvas under a selector shows: an empty one has a single one."""
    return page.evaluate(
        """selector => {
          const canvas = document.querySelector(selector + ' canvas');
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return new Set(new Uint32Array(data.buffer)).size;
        }""",
        selector,
    )


def spoken(page, selector, language):
    return page.locator(f"{selector} span[lang={language}]").first.text_content()


@pytest.fixture(scope="module")
def page(chromium, page_url):
    with opened(chromium, page_url) as shared:
        open_tab(shared)
        shared.click("#gan-generate")
        finished(shared)
        yield shared


def test_both_models_show_sixteen_images_of_the_same_seeds(page):
    for side in ("left", "right"):
        captions = page.locator(f"#gan-images-{side} figcaption span[lang=en]").all_text_contents()
        assert [caption.split(" · ")[0] for caption in captions] == [str(seed) for seed in range(1, 17)]
        assert colours(page, f"#gan-images-{side}") > 5
        with page.expect_download() as saved:
            page.click(f"#gan-images-{side} .images-links a")
        assert saved.value.suggested_filename == "pictures.png"
    page.click("#gan-timeline > button")
    page.wait_for_selector("#gan-timeline-right .images-grid[data-drawn]")
    assert page.locator("#gan-timeline-right canvas").count() == 4 * 8


def test_a_click_opens_the_nearest_training_image(page):
    page.locator("#gan-images-left button.tile-frame").nth(2).click()
    page.wait_for_selector("#gan-nearest-shown .images-grid[data-drawn]")
    captions = page.locator("#gan-nearest-shown figcaption span[lang=en]").all_text_contents()
    assert captions == ["generated, seed 3", "nearest of 54"]
    pressed = page.locator("#gan-images-left button[aria-pressed=true]")
    assert pressed.get_attribute("aria-label").startswith("Picture 3: 3")


def test_a_way_is_shown_and_runs_as_a_film(page):
    page.click("#gan-interpolation > button")
    at_rest(page)
    page.click("#gan-interpolate")
    page.wait_for_selector("#gan-film-left img[src]")
    page.wait_for_selector("#gan-film-right img[src]")
    assert page.locator("#gan-film-left canvas").count() == 24
    size = page.evaluate("document.querySelector('#gan-film-left img').naturalWidth")
    assert size == 256


def test_stop_ends_diffusion_and_the_page_goes_on(page, held):
    page.click("#gan-generate")
    page.locator("#gan-card-right .state[data-state=running]").wait_for()
    page.click("#gan-stop")
    page.wait_for_selector("#gan-card-right .state[data-state=stopped]")
    page.wait_for_selector("#gan-card-left .state[data-state=finished]")


def test_seeds_asked_for_while_images_are_made_wait_visibly_and_are_found(page, held):
    page.click("#gan-arithmetic > button")
    at_rest(page)
    page.click("#gan-generate")
    page.locator("#gan-card-right .state[data-state=running]").wait_for()
    page.click("#gan-find")
    line = page.locator("#gan-arithmetic-line .notice span[lang=en]")
    line.get_by_text("It begins when what is running on this tab is done").wait_for()
    held.unlink()
    page.wait_for_selector("#gan-card-right .state[data-state=finished]")
    page.wait_for_function(
        """() => !/It begins when/.test(
          document.querySelector('#gan-arithmetic-line .notice')?.textContent)"""
    )


def test_chinese_from_the_tab_to_the_captions(chromium, page_url):
    with opened(chromium, page_url, language="zh-CN", theme="dark", width=390) as page:
        open_named_tab(page, "GAN 生成对抗网络")
        page.wait_for_selector("#gan-generate")
        at_rest(page)
        page.click("#gan-generate")
        finished(page)
        assert spoken(page, "#gan-card-left .state", "zh-CN") == "已完成，16 张图片"
        page.locator("#gan-images-right button.tile-frame").first.click()
        page.wait_for_selector("#gan-nearest-shown .images-grid[data-drawn]")
        label = page.locator("#gan-nearest-shown canvas").first.get_attribute("aria-label")
        assert label == "图片 1：生成，种子 1"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        check_accessible(page)
