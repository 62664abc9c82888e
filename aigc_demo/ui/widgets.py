"""Components of our own, and how errors leave a handler.

Widgets are gr.HTML with a script: data reach the page as JSON and are drawn as text, never as HTML. What
comes back from them (a token's number) is forgeable, so the handlers check it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.ui.language import chosen_language, word
from aigc_demo.ui.serving.faults import log_fault
from aigc_demo.ui.words.wording import everywhere, sentence, text

_STATIC = Path(__file__).parent / "static"


@contextmanager
def errors_as_toasts(request: gr.Request | None) -> Iterator[None]:
    """Turn whatever fails inside into one sentence in the reader's language, without a stack trace."""
    language = chosen_language(request)
    try:
        yield
    except DemoError as error:
        raise toast(harmless(sentence(error.key, error.values, language)), language) from None
    except gr.Error:
        raise
    except Exception as error:
        log_fault(error, "A handler")
        raise toast(text("unexpected", language), language) from None


def toast(message: str, language: str) -> gr.Error:
    """The message that gradio shows, and gives to callers of the API."""
    return gr.Error(message, title=text("toast_title", language), print_exception=False)


def harmless(message: str) -> str:
    """The same sentence without what a browser reads as HTML or UTF-8 cannot hold: a value may be it."""
    message = message.encode("utf-8", "replace").decode("utf-8")
    return message.replace("&", "＆").replace("<", "‹").replace(">", "›")


def widget(name: str, value: Any, **options: Any) -> gr.HTML:
    """A component drawn by `static/NAME.js`."""
    script = (_STATIC / f"{name}.js").read_text("utf-8")
    return gr.HTML(value, html_template="", js_on_load=script, apply_default_css=False, **options)


def clicked(event: gr.EventData, count: int, missing: str = "no_such_picture") -> int:
    """The place of what was clicked; the number comes from the browser, hence the check.

    Args:
        event: with the number.
        count: of the places.
        missing: the sentence where there is no such place.

    Raises:
        InputError: there is none.
    """
    number = event._data.get("index") if isinstance(event._data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count:
        raise InputError(missing, got=str(number)[:20], count=count)
    return number


def unchanged(count: int) -> tuple[Any, ...]:
    """For so many components: they stay as they are."""
    return tuple(gr.skip() for _ in range(count))


def help_on(topic: str) -> None:
    """Lay out a folded part that explains something: the words `help_TOPIC_title` and `help_TOPIC`."""
    with gr.Accordion(word(f"help_{topic}_title"), open=False, elem_id=f"help-{topic}"):
        gr.Markdown(word(f"help_{topic}"))


def spans(key: str, tag: str = "span", **values: Any) -> str:
    """A text of the page in all languages, as HTML; the style sheet shows one. For wording only."""
    parts = "".join(
        f'<span lang="{lang}" class="l10n">{words}</span>'
        for lang, words in everywhere(key, **values).items()
    )
    return f"<{tag}>{parts}</{tag}>"


def labelled(key: str) -> str:
    """Attributes that give an element its name in the language of the page."""
    words = everywhere(key)
    data = " ".join(f'data-label-{lang.lower()}="{text}"' for lang, text in words.items())
    return f'aria-label="{words["en"]}" {data}'
