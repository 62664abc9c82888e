"""What a page begins with for a reader of Chinese."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from aigc_demo.ui.frame import CHEAP, Frame
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.widgets import unchanged


def begin_in_chinese(
    frame: Frame, fields: Mapping[Any, Any], derived: Mapping[Any, Any] | None = None
) -> None:
    """Put Chinese examples into fields when a reader of Chinese opens the page.

    The page is built once for all readers and begins in English. Where one of the fields was changed already,
    all stay as they are.

    Args:
        frame: of the tab.
        fields: the value for each component that a reader can change.
        derived: the same for components that show what follows from these fields.
    """
    values = {**fields, **(derived or {})}
    first = [field.value for field in fields]

    def begin(request: gr.Request, *now: Any) -> Any:
        chinese = chosen_language(request).startswith("zh") and list(now) == first
        answer = tuple(values.values()) if chinese else unchanged(len(values))
        return answer if len(answer) > 1 else answer[0]

    frame.page.load(begin, list(fields), list(values), **CHEAP)
