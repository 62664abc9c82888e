"""What the endpoints of image models share: answers that stream, and PNG files in base64."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.images.compare import MOST_IMAGES, ImageColumn
from aigc_demo.studio.models.cancellation import Cancellation, new_ticket
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.words.wording import sentence


def streamed(request: gr.Request, cancellation: Cancellation, begin: Any, finished: Any) -> Iterator[Json]:
    """Answers of all columns as they go on; their results in the last one alone.

    Args:
        request: of the visitor.
        cancellation: where the work can be ended.
        begin: from what is set by Stop to the columns.
        finished: from a column that is over to its results.

    Raises:
        DemoError: all columns failed; the first one's.
    """
    language, ticket = chosen_language(request), new_ticket()
    columns: tuple[ImageColumn, ...] = ()
    with cancellation.joined(ticket, may_wait=False) as stop:
        for columns in begin(stop):
            over = all(column.over for column in columns)
            answers = [
                {**column_json(column, language), **(finished(column) if over else {})} for column in columns
            ]
            yield {"ticket": ticket, "columns": answers}
    if all(column.error for column in columns):
        raise columns[0].error  # type: ignore[misc]


def column_json(column: ImageColumn, language: str) -> Json:
    """A column as plain data, without its images."""
    return {
        "model": column.model,
        "state": column.state,
        "seeds": list(column.seeds),
        "step": column.step,
        "num_steps": column.num_steps,
        "seconds": round(column.seconds, 4),
        "seconds_per_picture": column.seconds_per_image,
        "scores": None if column.scores is None else list(column.scores),
        "memory_mib": column.memory_mib,
        "num_parameters": column.num_parameters,
        "gpu_seconds": column.gpu_seconds,
        "error": sentence(column.error.key, column.error.values, language) if column.error else None,
    }


def decoded(images: Any) -> list[bytes]:
    """The files that base64 texts stand for.

    Raises:
        InputError: it is not a list of such texts.
    """
    expected = f"a list of 1 to {MOST_IMAGES} PNG pictures"
    if not isinstance(images, list) or not 1 <= len(images) <= MOST_IMAGES:
        raise InputError("setting_type", name="images", expected=expected, got=shown(images))
    try:
        return [base64.b64decode(image, validate=True) for image in images]
    except (binascii.Error, ValueError, TypeError):
        raise InputError("not_png", detail="base64") from None
