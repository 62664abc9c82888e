"""What stands around the tabs, and who is visiting."""

import secrets
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.stop_book import new_ticket

# Gradio hides what it stores from other scripts of the page with this word; whom a run belongs to goes by
# the secret that is stored, which the server makes.
STORAGE_KEY, STORAGE_WORD = "aigc-demo-visitor", "aigc-demo-storage"
MIN_SECRET, MAX_SECRET = 20, 200


# How listeners are wired: none is an endpoint; cheap ones do not wait for each other; models take turns.
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
CHEAP: dict[str, Any] = {**PRIVATE, "concurrency_limit": None}
MODEL_WORK: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 3}


@dataclass(frozen=True)
class Frame:
    """What stands around a tab.

    Attributes:
        page: whose opening attaches to a run.
        visitor: keeps the visitor's secret in the browser.
        tab: the tab itself; what changes while others are looked at is looked up when it is opened.
    """

    page: gr.Blocks
    visitor: Any
    tab: Any = None


def new_frame(page: gr.Blocks) -> Frame:
    """The frame of a page; called inside it and outside its tabs."""
    return Frame(page, gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_WORD))


def visitor_secret(value: Any) -> str:
    """The secret that the browser kept, or a new one where it kept none that we could have made."""
    good = isinstance(value, str) and MIN_SECRET <= len(value) <= MAX_SECRET
    return value if good else secrets.token_urlsafe(32)


def page_ticket() -> gr.State:
    """A secret for each opened page, by which its Stop is known; gradio sends no state to the browser.

    Made when the page first needs it, so it is there however early the click comes. As an argument of
    gr.State the same function would become a public endpoint.
    """
    ticket = gr.State()
    ticket.value = new_ticket
    return ticket
