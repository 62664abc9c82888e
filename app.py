"""The page's entry, for `python app.py` and for a Hugging Face Space.

GRADIO_SERVER_NAME and GRADIO_SERVER_PORT choose the address, as for every gradio app.

On a Space with ZeroGPU the package `spaces` is there. It wants to be imported before torch, and to find one
decorated function: the one in which a GPU does the work of pretrained models. Elsewhere nothing is decorated.
"""

import sys

from aigc_demo.core.errors import DemoError
from aigc_demo.core.process.console import finish_printing, prepare_console
from aigc_demo.core.process.interrupts import EXIT_CODE, SENTENCE, end_at_once_again

try:
    import spaces
except ImportError:  # no Space
    spaces = None

from aigc_demo.studio.models import gpu
from aigc_demo.ui.app import serve

if spaces is not None:
    gpu.register(spaces.GPU(duration=gpu.seconds_needed))

if __name__ == "__main__":
    prepare_console()
    try:
        serve()
    except DemoError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(SENTENCE, file=sys.stderr)
        sys.exit(EXIT_CODE)
    finally:
        end_at_once_again()
        finish_printing()
