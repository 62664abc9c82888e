"""The page: its header, its list of tabs, and how it is launched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.catalog import default_pair, text_choices
from aigc_demo.studio.compare import StopBook
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.ui import serving
from aigc_demo.ui.language import head_script, translations, word
from aigc_demo.ui.text_api import add_text_api
from aigc_demo.ui.text_tab import build_text_tab, model_words
from aigc_demo.ui.theme import page_theme, style_sheet
from aigc_demo.ui.widgets import labelled, spans


@dataclass(frozen=True)
class Studio:
    """What all tabs share: the models in memory, and who is writing."""

    cache: ModelCache
    stops: StopBook


TABS: tuple[tuple[str, Callable[[Studio], None]], ...] = (
    # the key of the tab's name, and what builds it
    ("tab_text", lambda studio: build_text_tab(studio.cache, studio.stops)),
)


def build_app(studio: Studio | None = None) -> gr.Blocks:
    """The page, not yet served.

    Args:
        studio: what the tabs share; a new one by default.
    """
    studio = studio or Studio(ModelCache(), StopBook())
    with gr.Blocks(title="AIGC Demo", **serving.BLOCKS) as page:
        add_text_api(studio.cache, studio.stops)  # first, so that no listener's name is taken before
        gr.HTML(_masthead(), js_on_load=_MASTHEAD_JS, elem_classes="masthead-box", apply_default_css=False)
        with gr.Tabs():
            for name, build in TABS:
                with gr.Tab(word(name)):
                    build(studio)
    page.queue(**serving.QUEUE)
    return page


def launch_settings() -> dict[str, Any]:
    """Everything that `launch` needs to know; host and port come from the environment."""
    return {
        **serving.LAUNCH,
        "app_kwargs": serving.body_cap(),
        "theme": page_theme(),
        "head": style_sheet() + head_script(),
        "i18n": translations(model_words(text_choices())),
    }


def serve(studio: Studio | None = None) -> None:
    """Serve the page until it is ended: the page first, the models after."""
    serving.quiet_environment()
    studio = studio or Studio(ModelCache(), StopBook())
    page = build_app(studio)
    page.launch(prevent_thread_lock=True, **launch_settings())
    page.server.config.timeout_graceful_shutdown = serving.CLOSE_SECONDS  # open pages keep a stream open
    serving.warm_up(lambda: _load_defaults(studio.cache))
    serving.wait_for_end(lambda: page.close(verbose=False))


def _load_defaults(cache: ModelCache) -> None:
    for choice in text_choices():
        if choice.value in default_pair(text_choices()) and choice.entry.revision is None:
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
