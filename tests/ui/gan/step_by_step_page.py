"""Serve the step-by-step GAN alone: `python -m tests.ui.gan.step_by_step_page PORT`, in its own process."""

import sys

import gradio as gr

from aigc_demo.studio.images.step_by_step_gan import StepByStepSessions
from aigc_demo.ui.app import launch_settings, new_studio
from aigc_demo.ui.gan.step_by_step import build_step_by_step
from aigc_demo.ui.serving import launch


def build():
    with gr.Blocks(title="Step by step", **launch.BLOCKS) as page:
        gr.HTML("<h1>Step by step</h1>")
        build_step_by_step(StepByStepSessions())
    page.queue(**launch.QUEUE)
    return page


def main():
    build().launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), **launch_settings(new_studio()))


if __name__ == "__main__":
    main()
