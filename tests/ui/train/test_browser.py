"""The tab Train in a real browser: start, watch, reload, stop, resume, compare, take home."""

from contextlib import contextmanager

import pytest

from tests.ui.accessibility import check_accessible
from tests.ui.test_browser import TIMEOUT, at_rest, open_named_tab

# What gradio's plot says where it is hidden while its library is still fetched; nothing is lost by it.
HIDDEN_CHART = "reading 'offsetWidth'"


@contextmanager
def trained(chromium, url, *, theme="light", language="en-US", width=1366, context=None):
    """The tab, opened; in a given context it is the same visitor."""
    mine = context or chromium.new_context(viewport={"width": width, "height": 900}, locale=language)
    page = mine.new_page()
    page.set_default_timeout(TIMEOUT)
    faults = []
    page.on("pageerror", lambda error: HIDDEN_CHART in str(error) or faults.append(str(error)))
    open_tab(page, f"{url}?__theme={theme}")
    try:
        yield page
        assert faults == []
    finally:
        page.close()
        if context is None:
            mine.close()


def open_tab(page, url=None):
    page.goto(url) if url else page.reload()
    open_named_tab(page, "📈")
    page.wait_for_selector("#start")
    at_rest(page)


def start(page, steps):
    """Order a run of so many steps; its name."""
    if not page.is_checked("#budget input[value=steps]"):
        page.check("#budget input[value=steps]")
        page.wait_for_function("() => document.querySelector('#amount input').value === '500'")
    page.fill("#amount input", str(steps))
    page.locator("#amount input").blur()
    at_rest(page)
    shown = page.locator("#run .run-name").all_text_contents()  # the page may still be about to show another
    page.click("#start")
    line = page.wait_for_function(
        """shown => { const words = document.querySelector('#notice .notice span[lang=en]')?.textContent;
          const [, name] = (words || '').match(/^Queued: (.*)$/) || [];
          return name && !shown.includes(name) && name }""",
        arg=shown,
    )
    name = line.json_value()
    page.wait_for_function("name => document.querySelector('#run .run-name').textContent === name", arg=name)
    return name


def wait_for(page, stands):
    page.wait_for_selector(f"#run .state[data-state={stands}]")


def reached(page):
    """The step that the card shows."""
    shown = page.locator("#run .figures dd").first.locator("span[lang=en]").text_content()
    return int(shown.split("/")[0].replace(",", ""))


def wait_for_step(page, step):
    page.wait_for_function(
        """step => Number((document.querySelector('#run .figures dd span[lang=en]')?.textContent || '0')
          .split('/')[0].replace(',', '')) >= step""",
        arg=step,
    )


def length_of_curve(page):
    """How many points the drawn training loss has."""
    drawn = page.locator("#chart-0 .plot_marks path[aria-label$='line: train']").first.get_attribute("d")
    return drawn.count("L") + drawn.count("M")


def wait_for_longer_curve(page, length):
    """The curve grows beyond so many points."""
    page.wait_for_function(
        """length => document.querySelector("#chart-0 .plot_marks path[aria-label$='line: train']")
          .getAttribute('d').replace(/[^LM]/g, '').length > length""",
        arg=length,
    )


def end(page):
    page.click("#stop-run")
    wait_for(page, "stopped")


def notice(page):
    """The line that says what has just happened; "" where there is none to be seen."""
    line = page.locator("#notice .notice")
    return line.locator("span[lang=en]").text_content() if line.is_visible() else ""


def wait_for_notice(page, words):
    page.wait_for_function(
        """words => { const line = document.querySelector('#notice .notice');
          return line && !line.hidden && line.textContent.includes(words) }""",
        arg=words,
    )


@contextmanager
def held_answer(page, path):
    """The answer to the next call of a path is held back; yields a function that lets it arrive."""
    held = []

    def hold(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    def release():
        [(route, answer)] = held
        with page.expect_response(path):
            route.fulfill(response=answer)
        at_rest(page)
        return answer.text()

    page.route(path, hold)
    yield release


def test_what_comes_late_takes_no_newer_notice_away(chromium, page_url):
    calls, resumed = "**/gradio_api/run/predict*", "It goes on from its last checkpoint."
    with trained(chromium, page_url) as page:
        name = start(page, 4000)
        wait_for_step(page, 5)
        with held_answer(page, calls) as release:
            end(page)
            assert "It finishes its step" in release()
        assert notice(page) == "", "the run had ended before the answer to Stop came"
        page.click("#resume-run")
        wait_for_notice(page, resumed)
        wait_for(page, "running")
        page.evaluate(
            """name => document.dispatchEvent(new CustomEvent('aigc-run',
              {detail: {name, under_way: false, seen_at: Date.now() / 1000 - 300}}))""",
            name,
        )
        assert notice(page) == resumed, "a state from before the resumption"
        with held_answer(page, calls) as release:
            end(page)
            page.click("#resume-run")
            wait_for_notice(page, resumed)
            wait_for(page, "running")
            release()
        assert notice(page) == resumed, "the run was resumed before the answer to Stop came"
        end(page)
        assert notice(page) == ""


def test_start_watch_reload_stop_resume(chromium, page_url):
    with trained(chromium, page_url) as page:
        name = start(page, 4000)
        wait_for_step(page, 5)
        page.wait_for_selector("#chart-0 .plot_marks path[aria-label$='line: train']")
        early = length_of_curve(page)
        wait_for_step(page, 60)
        assert notice(page) == f"Queued: {name}"
        wait_for_longer_curve(page, early)
        page.wait_for_function(
            "() => document.querySelector('#samples .sample-text')?.textContent.includes('Once <b>upon</b>')"
        )
        open_tab(page)
        page.wait_for_function(
            "name => document.querySelector('#run .run-name').textContent === name", arg=name
        )
        wait_for(page, "running")
        with trained(chromium, page_url) as other_visitor:
            other_visitor.wait_for_selector("#chart-0 .plot_marks path[aria-label$='line: train']")
            assert other_visitor.locator("#run .run-name").text_content() == name
            assert other_visitor.locator("#stop-run").is_disabled()
        end(page)
        assert notice(page) == "", "what was said of a run under way goes with its end"
        stopped_at = reached(page)
        page.click("#resume-run")
        wait_for(page, "running")
        wait_for_notice(page, "It goes on from its last checkpoint.")
        wait_for_step(page, stopped_at + 5)
        end(page)
        assert notice(page) == ""
        page.click("#download-run")
        page.wait_for_selector("#exported a")
        page.click("#delete-run")
        page.wait_for_function(
            "name => document.querySelector('#run .run-name').textContent !== name", arg=name
        )


def test_a_browser_that_disconnects_leaves_the_run_and_the_server_alone(chromium, page_url):
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    with trained(chromium, page_url, context=context) as page:
        name = start(page, 4000)
        wait_for_step(page, 5)
        kept = context.storage_state()
        context.set_offline(True)  # the network breaks while images stream
    context.close()
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, storage_state=kept)
    with trained(chromium, page_url, context=context) as page:
        page.wait_for_function(
            "name => document.querySelector('#run .run-name').textContent === name", arg=name
        )
        wait_for(page, "running")
        wait_for_step(page, reached(page) + 20)
        end(page)  # by the same visitor, whom the browser remembers
    context.close()


def test_runs_are_compared_and_errors_are_sentences_in_chinese(chromium, page_url):
    with trained(chromium, page_url, language="zh-CN") as page:
        names = []
        for steps in (20, 30):
            names.append(start(page, steps))
            wait_for(page, "finished")
        assert page.locator("#run .state").inner_text() == "完成，共 30 步"
        page.click("#compare-runs > button")
        for name in names:
            page.click("#compare-pick input")
            page.get_by_role("option", name=name, exact=True).click()
        page.wait_for_function("() => document.querySelectorAll('#differences thead th').length === 2")
        row = page.locator("#differences tbody tr").last
        assert row.locator("th span[lang=en]").text_content() == "steps", "nothing else differs"
        cells = row.locator("td").all_inner_texts()
        assert sorted(cells) == ["20", "30"]
        page.fill("#amount input", "999999")
        page.locator("#amount input").blur()
        at_rest(page)
        page.click("#start")
        page.get_by_text("steps 必须不大于 20000").wait_for()


def choose_run(page, name):
    page.click("#runs input")
    page.get_by_role("option", name=name).click()
    page.wait_for_function("name => document.querySelector('#run .run-name').textContent === name", arg=name)
    at_rest(page)


def written(page, step):
    """What the checkpoint of this step has written, when it is done."""
    page.wait_for_function(
        """step => { const part = document.querySelector('#written .sample[data-state=finished]');
          return part?.querySelector('figcaption').textContent.includes(step) }""",
        arg=f"step {step}",
    )
    return page.locator("#written .sample-text").first.text_content()


def test_a_slider_goes_back_through_the_checkpoints(chromium, page_url):
    with trained(chromium, page_url) as page:
        choose_run(page, "an-old-run")
        slider = page.locator(".scrub-slider")
        assert (slider.get_attribute("max"), slider.input_value()) == ("2", "2")
        page.fill("#scrub-prompt textarea", "RO")
        page.locator("#scrub-prompt textarea").blur()
        at_rest(page)
        texts = {}
        slider.focus()
        for key, step in (("Home", 10), ("ArrowRight", 20), ("End", 30)):
            page.keyboard.press(key)
            texts[step] = written(page, step)
        assert all(text.startswith("RO") for text in texts.values())
        assert len(set(texts.values())) == 3, "each checkpoint writes differently"
        page.keyboard.press("Home")
        assert written(page, 10) == texts[10], "from the same noise the same text"
        page.click("#scrub-baseline input")
        page.get_by_role("option", name="gpt2-shakespeare").first.click()
        at_rest(page)
        page.click("#scrub-write")
        page.wait_for_function("() => document.querySelectorAll('#written .sample').length === 2")
        assert written(page, 10) == texts[10], "the slider's place stays"
        page.click("#save-model")
        page.wait_for_selector("#exported a[href$='an-old-run-model.zip']")


def test_a_slider_moved_while_a_checkpoint_writes_ends_at_the_last_step(chromium, page_url):
    def shown():
        """What the label says, once the text that was written last is of that step, and stays so."""
        page.wait_for_timeout(600)  # longer than the slider waits before it calls the server
        for _ in range(2):
            page.wait_for_function(
                """() => {
                  const [label, title] = ['.scrub-where', '#written figcaption'].map(
                    place => document.querySelector(place + ' span[lang=en]')?.textContent.toLowerCase());
                  return title?.endsWith(label)
                    && document.querySelector('#written .sample').dataset.state === 'finished'; }"""
            )
            at_rest(page)
        return page.locator(".scrub-where span[lang=en]").text_content().lower()

    with trained(chromium, page_url) as page:
        choose_run(page, "an-old-run")
        page.fill("#scrub-prompt textarea", "RO")
        page.locator("#scrub-prompt textarea").blur()
        at_rest(page)
        slider = page.locator(".scrub-slider")
        slider.focus()
        for keys in (("Home", "End"), ("ArrowLeft", "ArrowLeft", "ArrowRight"), ("End", "Home")):
            for key in keys:
                page.keyboard.press(key)
                page.wait_for_timeout(40)  # each is a call that comes while the last is answered
            shown()
        box = slider.bounding_box()  # and dragged
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 5, middle)
        page.mouse.down()
        for part in (0.2, 0.5, 0.9, 0.5, 1.0, 0.5):
            page.mouse.move(box["x"] + 5 + part * (box["width"] - 10), middle)
            page.wait_for_timeout(130)
        page.mouse.up()
        assert shown() == "step 20"
        slider.focus()
        page.keyboard.press("End")
        page.click("#scrub-write")  # at once
        assert shown() == "step 30", "Write takes the step that the slider says"


def test_a_run_that_has_ended_is_offered_in_the_other_tab(chromium, page_url):
    with trained(chromium, page_url) as page:
        page.get_by_role("tab").nth(0).click()
        at_rest(page)
        page.click("#model-left input")
        page.get_by_role("option", name="an-old-run@30").click()
        at_rest(page)
        page.click("#generate")
        page.wait_for_selector("#card-left .state[data-state=finished]")
        assert page.locator("#strip-left .strip-tokens .token").count() > 20


def test_a_trial_says_what_a_run_will_take(chromium, page_url):
    with trained(chromium, page_url) as page:
        page.click("#trial")
        page.wait_for_selector("#trial-figures .figures dd", timeout=90_000)
        assert "It fits this machine" in page.locator("#trial-notice").text_content()
        shown = page.locator("#trial-figures").inner_text()
        assert "3 min" in shown
        assert "MiB" in shown


def image_shown(page, place):
    """An image that has arrived, in whole."""
    page.wait_for_function(
        "place => document.querySelector(place)?.naturalWidth > 0", arg=f"{place} img.small-image"
    )
    return page.locator(f"{place} img.small-image").first


def test_a_run_that_draws_is_started_seen_and_gone_back_through(chromium, page_url):
    with trained(chromium, page_url) as page:
        page.click("#recipe input")
        page.get_by_role("option", name="dcgan").click()
        page.get_by_text("Pictures of your own").wait_for()
        page.click("#train-settings > button")
        page.wait_for_selector("#setting-diff_augment")
        assert (
            page.locator("#setting-dropout").count() == 0 or not page.locator("#setting-dropout").is_visible()
        )
        page.check("#source input[value=own]")
        page.wait_for_selector("#own-pictures")
        page.check("#source input[value=tiny-world]")
        at_rest(page)
        start(page, 5000)
        page.wait_for_selector("#scrub-prompt", state="hidden")  # while it is under way
        end(page)
        name = start(page, 10)
        wait_for(page, "finished")
        assert "--set num_features=8" in page.locator("#run code").text_content()
        page.wait_for_selector("#chart-0 .plot_marks path[aria-label$='line: D mean']")
        image = image_shown(page, "#samples")
        assert image.evaluate("part => [part.naturalWidth, getComputedStyle(part).imageRendering]") == [
            202,
            "pixelated",
        ]
        open_tab(page)
        page.wait_for_function(
            "name => document.querySelector('#run .run-name').textContent === name", arg=name
        )
        image_shown(page, "#samples")
        page.wait_for_selector("#scrub-prompt", state="hidden")
        page.locator(".scrub-slider").focus()
        page.keyboard.press("Home")
        page.get_by_text("Step 5, from the fixed noise of the training").wait_for()
        page.get_by_text("New pictures, seed 1").wait_for()
        assert page.locator("#written img.small-image").count() == 2
        kept = page.locator("#written img.small-image").first
        assert f"/run-pictures/{name}/5.png" in kept.evaluate("part => part.src")
        page.click("#delete-run")
        page.wait_for_function(
            "name => document.querySelector('#run .run-name').textContent !== name", arg=name
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_in_the_tab(chromium, page_url, theme):
    with trained(chromium, page_url, theme=theme) as page:
        start(page, 40)
        wait_for(page, "finished")
        for part in ("#train-settings", "#more-curves", "#upload-run", "#compare-runs", "#help-processes"):
            page.click(f"{part} > button")
        page.click("#run summary")
        choose_run(page, "an-old-run")
        page.click("#scrub-write")
        written(page, 30)
        at_rest(page)
        check_accessible(page)


@pytest.mark.parametrize("width", [390, 1366])
def test_the_tab_is_not_wider_than_the_screen(chromium, page_url, width):
    with trained(chromium, page_url, width=width) as page:
        start(page, 30)
        wait_for(page, "finished")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
