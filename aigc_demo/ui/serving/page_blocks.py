"""gradio's Blocks, in which a call that does not fit is answered with one sentence, without a stack trace."""

from typing import Any

import gradio as gr
import orjson

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.visitors.visitor import Sessions, answer_to
from aigc_demo.ui.frame import secret_of
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.serving.faults import log_fault
from aigc_demo.ui.widgets import harmless, toast
from aigc_demo.ui.words.wording import sentence, text

MOST_CHARACTERS = 300


class Page(gr.Blocks):
    """The page. gradio prints a stack trace for whatever is raised in a call; here it becomes a gr.Error.

    Before our own function runs, the caller is at fault, and nothing is logged but a line. From there on we
    are, and the log has the stack trace once. Each call answers its visitor, and sees what that one may see.
    """

    sessions: Sessions | None = None

    async def process_api(
        self, block_fn: Any, inputs: list[Any], state: Any = None, request: Any = None, **options: Any
    ) -> dict[str, Any]:
        """One call, as gradio makes it."""
        one = request[0] if isinstance(request, list) and request else request
        language = chosen_language(one)
        answer_to(secret_of(one, self.sessions))
        sent = [inputs, getattr(options.get("event_data"), "_data", None)]
        try:
            output = await super().process_api(block_fn, inputs, state, request, **options)
            if is_json(sent) or is_json(output["data"]):
                return output
            raise toast(text("call_does_not_fit", language), language)
        except DemoError as error:
            raise toast(harmless(sentence(error.key, error.values, language)), language) from None
        except gr.Error as error:
            if error.print_exception:  # gradio's own, such as a number beyond the bounds of its field
                raise toast(harmless(str(error.message)[:MOST_CHARACTERS]), language) from None
            raise
        except Exception as error:
            echoed = isinstance(error, PostprocessError) and not is_json(sent)
            ours = not echoed and log_fault(error, f"The call of {getattr(block_fn, 'api_name', block_fn)!a}")
            raise toast(text("unexpected" if ours else "call_does_not_fit", language), language) from None

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What our function returned, as gradio sends it; an exception is our fault, wherever raised."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        except gr.Error:
            raise
        except Exception as error:
            raise PostprocessError(f"the output of {getattr(block_fn, 'api_name', block_fn)!a}") from error


def is_json(value: Any) -> bool:
    """Whether gradio can write a value; half a surrogate pair, for one, would end the stream of answers."""
    try:
        orjson.dumps(value, default=str)
    except TypeError:
        return False
    return True


class PostprocessError(Exception):
    """What one of our functions returned does not fit the component that shows it."""
