"""Serve the game alone: `python -m tests.ui.game_page PORT`; a process of its own, as a page is."""

import sys

import gradio as gr

from aigc_demo.studio.game import Games
from aigc_demo.ui import serving
from aigc_demo.ui.app import launch_settings, new_studio
from aigc_demo.ui.game_panel import build_game_panel


def build():
    with gr.Blocks(title="The game", **serving.BLOCKS) as page:
        gr.HTML("<h1>The game</h1>")
        build_game_panel(Games())
    page.queue(**serving.QUEUE)
    return page


def main():
    build().launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), **launch_settings(new_studio()))


if __name__ == "__main__":
    main()
