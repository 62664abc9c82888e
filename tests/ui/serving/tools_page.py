"""A small page with tools, served as ours is: `python -m tests.ui.serving.tools_page`; tells who called."""

import threading
import time

import gradio as gr

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.serving import launch
from aigc_demo.ui.serving.addresses import address_of
from aigc_demo.ui.serving.assistants import clear_answers
from aigc_demo.ui.serving.slots import Readers


def caller(request: gr.Request) -> dict:
    """The address that the endpoint sees.

    Returns:
        host, the header X-Forwarded-For, and the address that limits count by
    """
    forwarded = request.headers.get("x-forwarded-for")
    return {"host": request.client.host, "forwarded": forwarded, "address": address_of(request, Limits())}


def short(number: int) -> int:
    """Work that takes a moment.

    Args:
        number: comes back.
    """
    time.sleep(0.1)
    return number


def main():
    with gr.Blocks(**launch.BLOCKS) as page:
        gr.api(caller, api_name="caller")
        gr.api(short, api_name="short", concurrency_limit=3)
        gr.Button("hidden").click(lambda: None, api_visibility="private")
    page.queue(**launch.QUEUE)
    page.launch(prevent_thread_lock=True, **launch.LAUNCH, app_kwargs=launch.middleware(Readers(), Limits()))
    clear_answers(page)
    threading.Event().wait()


if __name__ == "__main__":
    main()
