"""The page's entry, for `python app.py` and for a Hugging Face Space.

GRADIO_SERVER_NAME and GRADIO_SERVER_PORT choose the address, as for every gradio app.
"""

from aigc_demo.ui.app import serve

if __name__ == "__main__":
    serve()
