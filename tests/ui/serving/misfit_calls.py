"""Calls of a page that do not fit, in a process of their own: `python -m tests.ui.serving.misfit_calls`.

gradio leaves an event loop open for every page that is built, of which pytest would complain in some later
test. Prints for each call, by its name, the exception, its words, and whether gradio would print it.
"""

import asyncio
import json
import sys
import types

import gradio as gr

from aigc_demo.core.errors import InputError
from aigc_demo.ui import widgets
from aigc_demo.ui.serving.page_blocks import Page


def refuses(name):
    raise InputError("unknown_model", name=name)


async def cancelled(name):
    raise asyncio.CancelledError


CALLS = {
    # function, what it is given, the arguments that come, what shows the answer
    "path": (len, gr.File, ["/etc/passwd"], gr.JSON),
    "file": (len, gr.File, [{"path": "/etc/passwd"}], gr.JSON),
    "number": (len, gr.File, [1], gr.JSON),
    "nothing": (len, gr.File, [], gr.JSON),
    "choice": (len, lambda: gr.Dropdown(["a"]), ["<b>" * 1000], gr.JSON),
    "refused": (refuses, gr.Textbox, ["<b>"], gr.JSON),
    "surrogate": (lambda text: [text], gr.Textbox, ["\ud800"], gr.JSON),
    "many digits": (lambda number: {"one": number}, gr.JSON, [10**400], gr.JSON),
    "echo": (lambda text: text, gr.Textbox, ["\ud800"], gr.Textbox),
    "unused": (lambda text: 1, gr.Textbox, ["\ud800"], gr.JSON),
    "ours": (lambda name: widgets.spans(name), gr.Textbox, ["no such key"], gr.JSON),
    "output": (lambda name: object(), gr.Textbox, ["a"], gr.Gallery),
    "cancelled": (cancelled, gr.Textbox, ["a"], gr.JSON),
}


def call(function, part, values, out, language):
    with Page(analytics_enabled=False) as page:
        given, shown = part(), out()
        gr.Button().click(function, given, shown)
    request = types.SimpleNamespace(cookies={"lang": language}, headers={})
    try:
        asyncio.run(page.process_api(page.fns[0], values, None, request))
    except BaseException as error:
        facts = getattr(error, "message", ""), getattr(error, "print_exception", None)
        return [type(error).__name__, *facts]
    return None


def main():
    answers = {name: call(*CALLS[name], "en") for name in CALLS}
    answers |= {language: call(*CALLS["path"], language) for language in ("zh-CN", "zh-TW")}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
