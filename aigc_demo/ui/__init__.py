"""The page: the only room that imports gradio."""

from aigc_demo.ui.gradio_stubs import skip_stubs

skip_stubs()  # here, since every module of this room imports this one before it imports gradio
