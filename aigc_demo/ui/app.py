"""The page: its header, its list of tabs, and how it is launched."""

from dataclasses import replace
from typing import Any

import gradio as gr

from aigc_demo.generators.kinds import ANSWERS, IMAGE_GENERATOR, MASKED_WORDS, TEXT_GENERATOR, TEXT_TO_IMAGE
from aigc_demo.studio.models.catalog import Catalog, Choice, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.visitors.visitor import answer_to, current_visitor
from aigc_demo.ui.frame import new_frame
from aigc_demo.ui.gan.api import add_gan_api
from aigc_demo.ui.gan.tab import build_gan_tab
from aigc_demo.ui.language import head_script, translations, word
from aigc_demo.ui.model_picker import model_words
from aigc_demo.ui.serving import launch
from aigc_demo.ui.serving.assistants import clear_answers
from aigc_demo.ui.serving.environment import check_temporary_folder
from aigc_demo.ui.serving.light_sessions import use_light_sessions
from aigc_demo.ui.serving.page_blocks import Page
from aigc_demo.ui.serving.server_address import listen_on_ipv6, root_path, server_name
from aigc_demo.ui.serving.slots import with_slots
from aigc_demo.ui.tabs import Studio, Tab, new_studio
from aigc_demo.ui.text.api import add_text_api
from aigc_demo.ui.text.tab import build_text_tab
from aigc_demo.ui.text_to_image.api import add_text_to_image_api
from aigc_demo.ui.text_to_image.tab import build_text_to_image_tab
from aigc_demo.ui.theme import page_theme, style_sheet
from aigc_demo.ui.train.api import add_train_api
from aigc_demo.ui.train.tab import build_train_tab
from aigc_demo.ui.train.view import IMAGES_PATH
from aigc_demo.ui.widgets import labelled, spans
from aigc_demo.ui.words.wording import everywhere

TABS = (
    Tab("tab_text", build_text_tab, add_text_api),
    Tab("tab_gan", build_gan_tab, add_gan_api),
    Tab("tab_text_to_image", build_text_to_image_tab, add_text_to_image_api),
    Tab("tab_train", build_train_tab, add_train_api),
)


def build_app(studio: Studio | None = None) -> gr.Blocks:
    """The page, not yet served.

    Args:
        studio: what the tabs share; a new one by default.
    """
    studio = studio or new_studio()
    use_light_sessions()
    before = current_visitor()
    answer_to("")  # what is built in is everybody's
    try:
        return _built(studio)
    finally:
        answer_to(before)


def _built(studio: Studio) -> gr.Blocks:
    with Page(title="AIGC Demo", **launch.BLOCKS) as page:
        for row in TABS:
            row.add_api(studio)  # first, so that no listener's name is taken before
        gr.HTML(_masthead(), js_on_load=_MASTHEAD_JS, elem_classes="masthead-box", apply_default_css=False)
        frame = new_frame(page)  # before the tabs: what stands in one is not there before it is opened
        with gr.Tabs():
            for row in TABS:
                with gr.Tab(word(row.name)) as tab:
                    row.build(studio, replace(frame, tab=tab))
    page.sessions = studio.runs.queue.sessions
    page.queue(**launch.QUEUE)
    with_slots(page, studio.readers, studio.limits)
    return page


def launch_settings(studio: Studio) -> dict[str, Any]:
    """Everything that `launch` needs to know; host and port come from the environment."""
    images = launch.image_route(IMAGES_PATH, studio.runs.sample_image)
    return {
        **launch.LAUNCH,
        "app_kwargs": {**launch.middleware(studio.readers, studio.limits), "routes": [images]},
        "theme": page_theme(),
        "head": style_sheet()
        + head_script([everywhere(name) for name in (*(row.name for row in TABS), "more_tabs")]),
        "i18n": translations(model_words(_named())),
    }


def _named() -> tuple[Choice, ...]:
    """The models whose names the page says in every language."""
    catalog = Catalog()
    return catalog.choices(TEXT_GENERATOR, MASKED_WORDS, ANSWERS, IMAGE_GENERATOR, TEXT_TO_IMAGE)


def serve(studio: Studio | None = None) -> None:
    """Serve the page until it is ended: the page first, the models after."""
    listen_on_ipv6()
    check_temporary_folder()
    place = {"server_name": server_name(), "root_path": root_path()}
    studio = studio or new_studio()
    page = build_app(studio)
    page.launch(prevent_thread_lock=True, **place, **launch_settings(studio))
    clear_answers(page)
    launch.bound_server(page.server)
    studio.runs.queue.open()
    warming = launch.warm_up(lambda: _load_defaults(studio.cache))
    launch.wait_for_end(lambda: _close(studio, page))
    # A library that is being imported in a thread aborts a process that ends.
    warming.join(launch.WARM_UP_END_SECONDS)


def _close(studio: Studio, page: gr.Blocks) -> None:
    """The runs first, each with a checkpoint, then the page."""
    studio.runs.queue.close()
    page.close(verbose=False)


def _load_defaults(cache: ModelCache) -> None:
    choices = Catalog().choices(TEXT_GENERATOR)
    for choice in choices:
        if choice.value in default_pair(choices) and not choice.entry.on_hub:
            cache.get(choice.value)


_LANGUAGE_NAMES = (("en", "EN", "English"), ("zh-CN", "简", "简体中文"), ("zh-TW", "繁", "繁體中文"))

_MASTHEAD_JS = """
element.querySelectorAll('[data-language]').forEach(button => {
  button.onclick = () => window.aigc.switchLanguage(button.dataset.language);
});
element.querySelector('.theme-switch').onclick = () => window.aigc.switchTheme();
window.aigc.relabel(element);
document.documentElement.dataset.view = document.documentElement.dataset.view || 'surprise';
"""


def _masthead() -> str:
    """The header: name, one line, the switches of language and theme."""
    languages = "".join(
        f'<button type="button" data-language="{code}" lang="{code}" aria-label="{name}">{short}</button>'
        for code, short, name in _LANGUAGE_NAMES
    )
    theme = f'<button type="button" class="theme-switch" {labelled("switch_theme")}>◐</button>'
    nav = f"<nav {labelled('switch_language')}>{languages}{theme}</nav>"
    headline = f'<p class="headline">{spans("headline")}</p>'
    return f'<header class="masthead"><h1>{spans("title")}</h1>{headline}{nav}</header>'
