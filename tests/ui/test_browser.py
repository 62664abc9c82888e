"""The page in a real browser: two columns stream, tokens are clicked, languages and themes change."""

import re
from contextlib import contextmanager

import pytest

from tests.ui.accessibility import check_accessible

TIMEOUT = 45_000


@contextmanager
def opened(chromium, url, *, theme="light", language="en-US", width=1366, height=900):
    context = chromium.new_context(viewport={"width": width, "height": height}, locale=language)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{url}?__theme={theme}")
    page.wait_for_selector("#strip-right .strip")
    try:
        yield page
        assert faults == []
    finally:
        context.close()


def open_named_tab(page, name):
    """Press a tab; on a small screen it may be behind the menu of further ones."""
    tab = page.get_by_role("tab", name=re.compile(name))
    page.get_by_role("tab").first.wait_for()
    at_rest(page)
    if not tab.first.is_visible():
        page.get_by_role("button", name=re.compile("ore tabs|更多")).first.click()
    page.get_by_text(re.compile(name)).last.click()


def settings(page, length, *, closed=True):
    """Set the length of the texts in the accordion, as a user would."""
    if closed:
        page.click("#settings button")
    field = page.get_by_label("number input for Length")
    at_rest(page)
    field.fill(str(length))
    field.press("Enter")
    at_rest(page)


def choose_model(page, side, name):
    page.click(f"#model-{side} input")
    page.get_by_role("option", name=re.compile(rf"^{re.escape(name)}( ·|$)")).first.click()


def wait_for_state(page, side, state):
    page.wait_for_selector(f"#card-{side} .state[data-state={state}]")


def at_rest(page):
    """A person's pause: what was typed or drawn last has reached the page's own state."""
    page.wait_for_timeout(400)


def type_into(page, selector, text):
    """Fill a field of an open part of the page, and let the page take note of it."""
    at_rest(page)
    page.fill(selector, text)
    page.locator(selector).blur()
    at_rest(page)


def tokens(page, side):
    return page.locator(f"#strip-{side} .strip-tokens .token")


def text_names(page):
    """Names of the texts in the strips; a new text has a new name."""
    return [page.locator(f"#strip-{side} .strip").get_attribute("data-text") for side in ("left", "right")]


def generate(page, button="#generate"):
    """Press the button and wait until both new texts are finished."""
    old = text_names(page)
    page.click(button)
    page.wait_for_function(
        """old => ['left', 'right'].every((side, number) =>
          document.querySelector(`#strip-${side} .strip`).dataset.text !== old[number] &&
          document.querySelector(`#card-${side} .state`).dataset.state === 'finished')""",
        arg=old,
    )


def written(page, side):
    return page.locator(f"#strip-{side} .strip-tokens").text_content()


def seed_of(page):
    return page.input_value("#seed input")


@pytest.fixture(scope="module")
def page(chromium, page_url):
    """One page that most tests share, in English and light."""
    with opened(chromium, page_url) as shared:
        settings(shared, 60)
        generate(shared)
        yield shared


def test_both_columns_wrote_and_tell_what_it_cost(page):
    for side in ("left", "right"):
        assert tokens(page, side).count() == 60
        assert page.locator(f"#strip-{side} .strip-given").text_content() == "ROMEO:\n"
        labels = page.locator(f"#facts-{side} dt span[lang=en]").all_text_contents()
        figures = {"Tokens per second, own time", "Time to first token"}
        assert {"Parameters", "Trained on", *figures} <= set(labels)
    assert int(seed_of(page)) > 0


def test_both_columns_stream_side_by_side(chromium, page_url):
    with opened(chromium, page_url) as page:
        for side in ("left", "right"):
            choose_model(page, side, "slow")
        page.click("#generate")
        page.wait_for_function(
            """() => ['left', 'right'].every(side => {
              const count = document.querySelectorAll(`#strip-${side} .strip-tokens .token`).length;
              return count > 3 && count < 200; })"""
        )
        states = [
            page.locator(f"#card-{side} .state").get_attribute("data-state") for side in ("left", "right")
        ]
        assert states == ["running", "running"]
        page.click("#stop")
        for side in ("left", "right"):
            wait_for_state(page, side, "stopped")
            assert 3 < tokens(page, side).count() < 200


def test_a_model_chosen_while_its_column_writes_takes_the_column(chromium, page_url, held):
    def shown(side):
        facts = page.locator(f"#facts-{side} dd").first.text_content()
        badge = page.locator(f"#card-{side} .badge").get_attribute("data-kind")
        return page.input_value(f"#model-{side} input").split(" ")[0], badge, facts

    with opened(chromium, page_url) as page:
        for side in ("left", "right"):
            choose_model(page, side, "slow")
        page.click("#generate")
        page.wait_for_function(
            "() => document.querySelectorAll('#strip-left .strip-tokens .token').length > 3"
        )
        choose_model(page, "left", "distilgpt2")
        wait_for_state(page, "left", "ready")
        count = tokens(page, "right").count()
        page.wait_for_function(
            "count => document.querySelectorAll('#strip-right .strip-tokens .token').length > count + 5",
            arg=count,
        )
        at_rest(page)  # several updates of the other column later
        assert tokens(page, "left").count() == 0
        name, badge, facts = shown("left")
        assert (name, badge) == ("distilgpt2", "pretrained")
        assert "81.9 M" in facts
        assert shown("right")[:2] == ("slow", "ours")
        page.click("#stop")
        wait_for_state(page, "right", "stopped")
        assert page.locator("#card-left .state").get_attribute("data-state") == "ready"
        held.unlink()
        choose_model(page, "left", "slow")
        page.click("#generate")  # the page works on
        wait_for_state(page, "left", "running")
        page.click("#stop")
        wait_for_state(page, "left", "stopped")


def test_click_on_a_token_shows_alternatives_and_a_choice_goes_on_from_there(page):
    generate(page)
    before = written(page, "left")
    tokens(page, "left").nth(9).click()
    page.wait_for_selector("#choices-left table")
    assert tokens(page, "left").nth(9).get_attribute("aria-selected") == "true"
    other = page.locator("#choices-left tbody tr:not(.written) button.choice").first
    chosen = other.text_content().replace("␣", " ").replace("↵", "\n")
    at_rest(page)
    other.click()
    page.wait_for_function(
        """() => document.querySelectorAll('#strip-left .strip-tokens .token').length === 70"""
    )
    wait_for_state(page, "left", "finished")
    after = written(page, "left")
    assert after[:9] == before[:9]
    assert after[9] == chosen != before[9]
    assert len(after) == 10 + 60


def test_tokens_are_reached_by_keyboard(page):
    tokens(page, "right").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.n") == "2"
    page.keyboard.press("Enter")
    page.wait_for_selector("#choices-right table")
    page.click("#choices-right .plain")
    page.wait_for_selector("#choices-right table", state="detached")


def test_a_line_break_has_a_mark_to_click_and_a_name(page):
    settings(page, 300, closed=False)  # the untrained model draws evenly: a newline is among so many tokens
    page.uncheck("#fresh input")  # and always the same
    type_into(page, "#seed input", "3")
    generate(page)
    newline = page.locator("#strip-left .token-newline").first
    assert newline.text_content() == "\n", "the mark is no part of the text"
    box = newline.evaluate(
        "node => { const box = node.getClientRects()[0]; return [box.width, box.height]; }"
    )
    assert min(box) >= 8, box
    assert newline.get_attribute("aria-label") == "line break"
    page.click("button[data-language='zh-CN']")
    page.wait_for_function("() => document.querySelector('.token-newline').ariaLabel === '换行'")
    page.click("button[data-language='en']")
    page.wait_for_function("() => document.querySelector('.token-newline').ariaLabel === 'line break'")
    at_rest(page)
    newline.click(position={"x": box[0] / 2, "y": box[1] / 2})
    page.wait_for_selector("#choices-left tr.written")
    assert newline.get_attribute("aria-selected") == "true"
    assert page.locator("#choices-left tr.written .choice").get_attribute("aria-label") == "line break"
    place = int(newline.get_attribute("data-n"))
    newline.evaluate("(node, place) => node.parentNode.children[place - 1].focus()", place)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.classList.contains('token-newline')")
    page.check("#fresh input")
    settings(page, 60, closed=False)


def test_continue_and_regenerate(page):
    generate(page)
    first, seed = written(page, "right"), seed_of(page)
    page.click("#continue")
    page.wait_for_function(
        "() => document.querySelectorAll('#strip-right .strip-tokens .token').length === 120"
    )
    assert written(page, "right").startswith(first)
    assert seed_of(page) == seed
    generate(page, "#regenerate")
    assert seed_of(page) != seed
    assert tokens(page, "right").count() == 60
    assert written(page, "right") != first


def test_a_fixed_seed_repeats_its_text(page):
    page.uncheck("#fresh input")
    generate(page)
    first, seed = written(page, "left"), seed_of(page)
    generate(page)
    assert (written(page, "left"), seed_of(page)) == (first, seed)
    page.check("#fresh input")


def test_surprise_and_token_ids_are_views_of_the_same_text(page):
    token = tokens(page, "left").first
    assert float(token.evaluate("node => node.style.getPropertyValue('--s')")) > 0
    coloured = token.evaluate("node => getComputedStyle(node).backgroundColor")
    page.check("#view input[value=text]")
    plain = token.evaluate("node => getComputedStyle(node).backgroundColor")
    page.check("#view input[value=ids]")
    number = token.evaluate("node => getComputedStyle(node, '::after').content")
    assert coloured != plain
    assert number == f'"{token.get_attribute("data-id")}"'
    page.check("#view input[value=surprise]")


def test_a_pasted_text_is_measured_by_both(page):
    page.click("#surprise > button")
    type_into(page, "#score-text textarea", "ROMEO: see")
    page.click("#score")
    for side in ("left", "right"):
        page.wait_for_selector(f"#score-{side} .score-text .token")
        assert page.locator(f"#score-{side} .token").count() == 10
        figure = page.locator(f"#score-{side} .score-figure span[lang=en]").text_content()
        assert re.fullmatch(r"\d+\.\d{3} bits per byte \(10 bytes, 10 tokens\)", figure)
        assert "Bits per byte" in page.locator(f"#facts-{side} dt span[lang=en]").all_text_contents()


def test_attention_is_drawn_and_read(page):
    page.click("#attention > button")
    page.click("#show-attention")
    canvas = page.locator("#attention-left canvas")
    canvas.wait_for()
    assert page.locator("#attention-left select[data-name=layer] option").count() == 2
    assert page.locator("#attention-left select[data-name=head] option").count() == 2
    canvas.focus()
    page.keyboard.press("ArrowUp")
    reading = page.locator("#attention-left output").text_content()
    assert re.search(r"←.*\d+\.\d %", reading, re.DOTALL)
    drawn = "node => new Set(node.getContext('2d').getImageData(0, 0, node.width, node.height).data).size"
    assert canvas.evaluate(drawn) > 10, "an image with many shades"


def test_chinese_is_switched_live_and_back(page):
    page.click("button[data-language='zh-CN']")
    page.wait_for_function("() => document.querySelector('#generate').textContent.trim() === '生成'")
    assert page.locator("#card-left .state").inner_text().startswith("已完成")
    assert page.locator("h1").inner_text() == "AIGC 演示"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.locator("#strip-left [role=listbox]").get_attribute("aria-label") == "生成的文字，逐个词元"
    page.click("button[data-language='zh-TW']")
    page.wait_for_function("() => document.querySelector('#continue').textContent.trim() === '繼續寫'")
    page.click("button[data-language='en']")
    page.wait_for_function("() => document.querySelector('#generate').textContent.trim() === 'Generate'")


def names_of_tabs(page):
    """Of all tabs, opened or not, those behind the menu too."""
    buttons = "[role=tablist] [role=tab], [role=tablist] ~ * button"
    shown = page.evaluate(
        """selector => [...document.querySelectorAll(selector)]
          .map(button => button.textContent.trim() || button.getAttribute('aria-label'))""",
        buttons,
    )
    return sorted(name for name in shown if name)


NAMES_OF_TABS = {
    "en": ["More tabs", "✍️ Text", "🎨 GAN", "📈 Train", "🖼️ Text to image"],
    "zh-CN": ["更多标签页", "✍️ 文本", "🎨 GAN 生成对抗网络", "📈 训练", "🖼️ 文生图"],
    "zh-TW": ["更多分頁", "✍️ 文字", "🎨 GAN 生成對抗網路", "📈 訓練", "🖼️ 文生圖"],
}


@pytest.mark.parametrize("width", [1366, 390])
def test_a_switch_renames_every_tab_at_once_opened_or_not(chromium, page_url, width):
    with opened(chromium, page_url, width=width) as page:
        at_rest(page)
        assert names_of_tabs(page) == sorted(NAMES_OF_TABS["en"])
        for language in ("zh-CN", "zh-TW", "en", "zh-CN"):
            page.click(f"button[data-language='{language}']")
            page.wait_for_function(
                "name => document.querySelector('[role=tab]').textContent.trim() === name",
                arg=next(name for name in NAMES_OF_TABS[language] if name.startswith("✍️")),
            )
            at_rest(page)
            assert names_of_tabs(page) == sorted(NAMES_OF_TABS[language])
        page.set_viewport_size({"width": 1756 - width, "height": 900})  # tabs go into the menu, or come out
        at_rest(page)
        assert names_of_tabs(page) == sorted(NAMES_OF_TABS["zh-CN"])
        open_named_tab(page, "📈 训练")  # opened for the first time
        page.wait_for_selector("#start")
        at_rest(page)
        folded = [text for text in page.locator("button.label-wrap").all_inner_texts() if text]
        assert folded
        assert not [text for text in folded if re.search("[A-Za-z]{5,}", text)], "all in Chinese"
        page.click("button[data-language='en']")
        at_rest(page)
        assert names_of_tabs(page) == sorted(NAMES_OF_TABS["en"])


def test_of_switches_in_quick_succession_the_last_one_counts(chromium, page_url):
    with opened(chromium, page_url) as page:
        at_rest(page)
        for languages in (["zh-CN", "en"], ["zh-TW", "zh-CN", "zh-TW", "en"], ["zh-CN", "zh-TW", "zh-CN"]):
            page.evaluate("languages => languages.forEach(window.aigc.switchLanguage)", languages)
            page.wait_for_timeout(1000)  # answers to the earlier switches come meanwhile, and change nothing
            last = languages[-1]
            assert page.evaluate("document.documentElement.lang") == last
            assert page.evaluate("document.cookie").endswith(f"lang={last}")
            generate = {"en": "Generate", "zh-CN": "生成"}[last]
            assert page.locator("#generate").text_content().strip() == generate
            assert names_of_tabs(page) == sorted(NAMES_OF_TABS[last])


def test_a_reader_of_chinese_begins_with_chinese(chromium, page_url):
    def opened_page(page):
        names = [page.input_value(f"#model-{side} input").split(" ")[0] for side in ("left", "right")]
        open_named_tab(page, "🖼️")
        page.wait_for_selector("#t2i-caption")
        at_rest(page)
        words = page.locator("#t2i-words").inner_text()
        return page.input_value("#prompt textarea"), names, page.input_value("#t2i-caption textarea"), words

    with opened(chromium, page_url, language="zh-CN") as page:
        page.wait_for_function("() => document.querySelector('#prompt textarea')?.value.startsWith('《')")
        at_rest(page)
        prompt, models, caption, words = opened_page(page)
        assert (prompt, models) == ("《春望》", ["gpt-tang", "gpt2-tang"])
        assert caption == "一个绿色的圆锥在一个紫色的方块的上面"
        assert "圆锥" in words
        open_named_tab(page, "🎨")
        page.wait_for_selector("#gan-generate")
        page.click("#gan-arithmetic > button")
        page.wait_for_selector("#gan-words-a")
        asked = [
            page.input_value(f"#gan-words-{letter} textarea, #gan-words-{letter} input") for letter in "abc"
        ]
        assert asked == ["红球", "红方块", "蓝方块"]
        open_named_tab(page, "✍️")
        type_into(page, "#prompt textarea", "abc")
        page.click("button[data-language='en']")
        at_rest(page)
        assert page.input_value("#prompt textarea") == "abc", "a switch changes nothing that was typed"
    with opened(chromium, page_url) as page:
        at_rest(page)
        prompt, models, caption, words = opened_page(page)
        assert (prompt, models) == ("ROMEO:\n", ["gpt-shakespeare", "gpt2-shakespeare"])
        assert caption == "a small red ball to the left of a big blue box"
        assert "ball" in words


def test_a_chinese_browser_gets_chinese_and_its_toasts_too(chromium, page_url):
    with opened(chromium, page_url, language="zh-CN") as page:
        page.wait_for_function("() => document.querySelector('#generate')?.textContent.trim() === '生成'")
        type_into(page, "#prompt textarea", "春" * 30_000)
        page.click("#generate")
        toast = page.get_by_text("prompt 有 30000 个字符")
        toast.wait_for()


def test_a_model_out_of_reach_says_so_and_the_page_stays_usable(chromium, page_url):
    with opened(chromium, page_url) as page:
        settings(page, 20)
        choose_model(page, "right", "distilgpt2")
        page.click("#generate")
        wait_for_state(page, "right", "failed")
        wait_for_state(page, "left", "finished")
        sentence = page.locator("#card-right .card-error span[lang=en]").text_content()
        assert "python -m aigc_demo fetch distilgpt2" in sentence
        choose_model(page, "right", "gpt2-shakespeare")
        generate(page)
        assert tokens(page, "right").count() == 20


def test_an_example_fills_the_prompt(page):
    page.get_by_text("KING RICHARD III").first.click()
    page.wait_for_function("() => document.querySelector('#prompt textarea').value.includes('winter')")


def test_the_theme_switch_goes_to_the_other_side(chromium, page_url):
    with opened(chromium, page_url, theme="dark") as page:
        assert "dark" in page.locator("body").get_attribute("class")
        page.click(".theme-switch")
        page.wait_for_url("**__theme=light**")
        page.wait_for_selector("#generate")
        assert "dark" not in (page.locator("body").get_attribute("class") or "")


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_nothing_is_wider_than_the_screen(chromium, page_url, width):
    with opened(chromium, page_url, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [page.locator(f"#column-{side}").bounding_box() for side in ("left", "right")]
        beside = boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
        assert beside == (width > 640)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(chromium, page_url, theme):
    with opened(chromium, page_url, theme=theme) as page:
        settings(page, 30)
        generate(page)
        tokens(page, "left").nth(3).click()
        page.wait_for_selector("#choices-left table")
        page.click("#surprise > button")
        page.click("#score")
        page.wait_for_selector("#score-right .score-text .token")
        page.click("#attention > button")
        page.click("#show-attention")
        page.wait_for_selector("#attention-left canvas")
        check_accessible(page)


def test_the_page_keeps_its_width_however_little_was_written(chromium, page_url):
    with opened(chromium, page_url) as page:
        settings(page, 1)
        page.click("#settings button")
        page.click("button[data-language='zh-CN']")
        generate(page)
        at_rest(page)
        assert page.locator(".gradio-container").bounding_box()["width"] > 1290
