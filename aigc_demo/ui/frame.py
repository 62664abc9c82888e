"""What stands around the tabs, and who is visiting."""

import secrets
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.models.cancellation import new_ticket
from aigc_demo.studio.visitors.visitor import Sessions, answer_to
from aigc_demo.ui.serving.addresses import is_tool_call

# Gradio hides what it stores from other scripts of the page with this word; whom a run belongs to goes by
# the secret that is stored, which the server makes.
STORAGE_KEY, STORAGE_WORD = "aigc-demo-visitor", "aigc-demo-storage"
MIN_SECRET, MAX_SECRET = 20, 200
# Programs that keep no session say with it whose runs they ask for.
SECRET_HEADER = "x-aigc-demo-secret"


@dataclass(frozen=True)
class Group:
    """Functions that share slots; a flood of one group refuses that group alone.

    Attributes:
        at_once: how many of its calls run at the same time.
        waiting: how many more may wait.
        by_address: whether one network address can be held to fewer.
    """

    at_once: int
    waiting: int
    by_address: bool = True


# Texts share the processor in time slices, a new one first, so many of them may run; the other groups do not.
GROUPS: dict[str, Group] = {
    "text": Group(32, 32),
    "reading": Group(4, 40),
    "images": Group(4, 40),
    "step_by_step": Group(3, 40),
    "trial": Group(1, 8),
    "runs": Group(16, 100),
    "files": Group(4, 40, by_address=False),
    "watch": Group(100, 20),
    "page": Group(40, 200, by_address=False),
}


def in_group(name: str) -> dict[str, Any]:
    """How a listener or an endpoint of a group is wired."""
    return {"concurrency_id": name, "concurrency_limit": GROUPS[name].at_once}


# How listeners are wired: none is an endpoint; those of the page are cheap.
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
CHEAP: dict[str, Any] = {**PRIVATE, **in_group("page")}
TEXT, READING, IMAGES = in_group("text"), in_group("reading"), in_group("images")
# A button that asks a model of images for something.
IMAGE_WORK: dict[str, Any] = {**PRIVATE, **IMAGES, "trigger_mode": "once"}


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


def met(request: Any, secret: Any, sessions: Sessions) -> str:
    """The secret that somebody showed, or a new one; the session of the call, and this call, are theirs.

    Args:
        request: gradio's.
        secret: as it came.
        sessions: of the page.
    """
    kept = visitor_secret(secret)
    if not is_tool_call(request):
        sessions.meet(getattr(request, "session_hash", None), kept)
    answer_to(kept)
    return kept


def secret_of(request: Any, sessions: Sessions | None) -> str:
    """Who is calling: by what was shown in the same session, or by SECRET_HEADER; "" for nobody."""
    headers = getattr(request, "headers", None) or {}
    shown = str(headers.get(SECRET_HEADER, ""))
    if MIN_SECRET <= len(shown) <= MAX_SECRET:
        return shown
    if sessions is None or is_tool_call(request):
        return ""
    return sessions.secret_of(getattr(request, "session_hash", None))


def page_ticket() -> gr.State:
    """A secret for each opened page, by which its Stop is known; gradio sends no state to the browser.

    Made when the page first needs it, so it is there however early the click comes. As an argument of
    gr.State the same function would become a public endpoint.
    """
    ticket = gr.State()
    ticket.value = new_ticket
    return ticket
