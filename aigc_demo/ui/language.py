"""Which language a reader sees, and how the page changes it without a reload.

Static text is translated in the browser by gradio's own machinery. Sentences with values are made on the
server in all languages, and the browser shows the one that is chosen (`everywhere`); only toasts, which
the browser shows as they come, are rendered in the one language that the request carries.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from aigc_demo.core.languages import LANGUAGES
from aigc_demo.ui.words.wording import WORDS

COOKIE = "lang"


def chosen_language(request: gr.Request | None) -> str:
    """The language of the page's switch, or else the first the browser asks for, or else English."""
    if request is None:
        return "en"
    cookies: Mapping[str, str] = getattr(request, "cookies", None) or {}
    if cookies.get(COOKIE) in LANGUAGES:
        return cookies[COOKIE]
    headers: Mapping[str, str] = getattr(request, "headers", None) or {}
    return accepted_language(headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """The language of ours that an Accept-Language header likes best; "en" where it names none."""
    wishes = []
    for part in header[:200].split(","):
        tag, _, weight = part.partition(";q=")
        wishes.append((-_weight(weight), tag.strip().lower()))
    for _, tag in sorted(wishes, key=lambda wish: wish[0]):
        if re.match(r"zh-(hant|tw|hk|mo)", tag):
            return "zh-TW"
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def translations(more: Mapping[str, tuple[str, ...]]) -> gr.I18n:
    """What gradio's switch needs: every word of the page, and what is named at run time (`more`)."""
    rows: dict[str, tuple[str, ...]] = {**WORDS, **more}
    tables = {
        language: {marker(key): row[column] for key, row in rows.items()}
        for column, language in enumerate(LANGUAGES)
    }
    tables["zh"] = tables["zh-CN"]
    return gr.I18n(**tables)


def word(key: str) -> Any:
    """A marker that the browser replaces by the words of its language."""
    return gr.i18n.I18nData(marker(key))


def marker(key: str) -> str:
    """Keys of our own, so that none meets one of gradio's; without dots, which would mean a path."""
    return "aigc_" + re.sub(r"\W", "_", key)


def head_script(tab_names: Sequence[Mapping[str, str]] = ()) -> str:
    """The script that sets, keeps and switches the language.

    Args:
        tab_names: the names of each tab by language; gradio leaves those of unopened tabs untranslated.

    Switching live reaches into a built file of gradio. Where that file is not as expected the page is
    loaded again with `?lang=`, which always works.
    """
    core = _core_file()
    if core is None:
        logging.getLogger(__name__).warning(
            "gradio's language switch was not found: the page reloads to switch"
        )
    script = (Path(__file__).parent / "static" / "page.js").read_text("utf-8")
    names = json.dumps(list(tab_names), ensure_ascii=False).replace("<", "\\u003c")
    return f"<script>{script.replace('CORE_FILE', core or '').replace('TAB_NAMES', names)}</script>"


def _core_file() -> str | None:
    folder = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    for path in sorted(folder.glob("core-*.js")):
        if "as changeLocale" in path.read_text("utf-8"):
            return path.name
    return None
