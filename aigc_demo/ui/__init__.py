"""The page: the only room that imports gradio."""

from aigc_demo.ui.serving.environment import configure_environment
from aigc_demo.ui.serving.gradio_stubs import skip_stubs

# Here, since every module of this room imports this one before it imports gradio.
configure_environment()
skip_stubs()
