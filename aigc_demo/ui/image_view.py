"""From images of the studio to what the widgets draw: a sheet, its captions, a column's head and foot."""

import base64
import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aigc_demo.core.files.strict_json import Json
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.images.compare import ImageColumn
from aigc_demo.studio.images.formats import GAP, SHEET_COLUMNS, sheet_png
from aigc_demo.studio.models.catalog import Choice, is_at_hand
from aigc_demo.ui.figures import milliseconds
from aigc_demo.ui.model_facts import card_of, fact, facts_of, loading_words
from aigc_demo.ui.words.wording import everywhere, same_everywhere, text

if TYPE_CHECKING:
    from torch import Tensor


# Galleries of columns that are kept: one column is finished while the other still asks for new images.
COLUMNS_KEPT = 16
_numbers = itertools.count(1)


def data_address(content: bytes, kind: str) -> str:
    """A file as the address of an image in the page."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def gallery(
    images: "Tensor | None",
    captions: Sequence[Any] = (),
    *,
    empty: Any = "pictures_empty",
    note: Any = "",
    pick: bool = False,
    chosen: int = -1,
    columns: int = SHEET_COLUMNS,
    row: int = 0,
    loop: bytes = b"",
) -> Json:
    """What `static/images.js` draws.

    Args:
        images: uint8 [N, C, H, W]; None for none yet.
        captions: under each, in all languages.
        empty: the words that stand there before there are any: a key, or the words in all languages.
        note: a sentence under them all.
        pick: whether one can be chosen by a click.
        chosen: which one is.
        columns: of the sheet that is downloaded.
        row: how many stand in one on the page; 0 for as many as there is room for.
        loop: an animated WebP of them, shown beside.
    """
    count = 0 if images is None else len(images)
    columns = max(1, min(columns, count))
    each = [_named(number, captions[number] if number < len(captions) else "") for number in range(count)]
    return {
        "id": next(_numbers),
        "sheet": data_address(sheet_png(images, columns), "png") if images is not None and count else "",
        "size": int(images.shape[-1]) if images is not None else 0,
        "gap": GAP,
        "columns": columns,
        "count": count,
        "captions": list(captions),
        "chosen": chosen,
        "pick": pick,
        "row": row,
        "loop": data_address(loop, "webp") if loop else "",
        "name": everywhere("pictures"),
        "each": each,
        "empty": everywhere(empty) if isinstance(empty, str) else empty,
        "note": note,
        "save": everywhere("save_sheet"),
        "saveLoop": everywhere("save_loop"),
        "file": "pictures",
    }


def _named(number: int, caption: Any) -> dict[str, str]:
    words = caption if isinstance(caption, dict) else same_everywhere(str(caption))
    return {
        language: text("picture_number", language, number=number + 1, caption=words[language])
        for language in LANGUAGES
    }


@lru_cache(maxsize=COLUMNS_KEPT)
def timeline(column: ImageColumn | None) -> Json:
    """The first images of a column at some steps of diffusion, a row for each."""
    if column is None or not column.timeline:
        empty = "timeline_one_step" if column is not None and column.state == "finished" else "timeline_empty"
        return gallery(None, empty=empty)
    import torch  # here: the page is built without it

    steps = [step for step, _ in column.timeline]
    of_each = torch.stack([images for _, images in column.timeline], dim=1)  # [P, steps, C, H, W]
    captions = [everywhere("caption_step", step=step) for _ in of_each for step in steps]
    return gallery(of_each.flatten(0, 1), captions, columns=len(steps), row=len(steps))


def image_card(choice: Choice, column: ImageColumn | None) -> Json:
    """The head of a column, as `text.view.model_card`."""
    return card_of(choice, column, _state_words(choice.entry, column))


def image_facts(choice: Choice, column: ImageColumn | None) -> Json:
    """The foot of a column: what its images cost, and what the model is made of."""
    figures = []
    if column is not None and column.memory_mib is not None:
        each = column.seconds_per_image
        figures = [
            fact("fact_per_picture", everywhere("not_yet") if each is None else milliseconds(each)),
            fact("fact_all_pictures", everywhere("gan_seconds", seconds=column.seconds)),
            fact("fact_memory", f"{column.memory_mib:,.1f} MiB"),
        ]
    return {"figures": figures, "facts": facts_of(choice.entry, column)}


def _state_words(entry: Any, column: ImageColumn | None) -> dict[str, str]:
    if column is not None:
        return progress_words(column)
    if entry.problem is not None or is_at_hand(entry):
        return everywhere("state_ready")
    return everywhere("gan_download", size=entry.size_mib)


def progress_words(column: ImageColumn) -> dict[str, str]:
    if column.state == "loading":
        return loading_words(column)
    if column.state in ("waiting", "failed"):
        return everywhere(f"state_{column.state}")
    if column.state == "running" and column.num_steps:
        return everywhere("pictures_step", step=column.step, total=column.num_steps)
    count = len(column.seeds) if column.images is None else len(column.images)
    return everywhere(f"pictures_{column.state}", count=count)
