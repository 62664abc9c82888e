"""From pictures of the studio to what the widgets draw: a sheet, its captions, a column's head and foot."""

import base64
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aigc_demo.studio.catalog import Choice, is_at_hand
from aigc_demo.studio.compare_pictures import PictureColumn
from aigc_demo.studio.picture_formats import GAP, SHEET_COLUMNS, sheet_png
from aigc_demo.ui.columns import fact, facts_of, loading_words
from aigc_demo.ui.wording import everywhere, sentence_everywhere

if TYPE_CHECKING:
    from torch import Tensor

Json = dict[str, Any]
_numbers = itertools.count(1)


def data_address(content: bytes, kind: str) -> str:
    """A file as the address of an image in the page."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def gallery(
    pictures: "Tensor | None",
    captions: Sequence[Any] = (),
    *,
    empty: str = "pictures_empty",
    note: Any = "",
    pick: bool = False,
    chosen: int = -1,
    columns: int = SHEET_COLUMNS,
    row: int = 0,
    loop: bytes = b"",
) -> Json:
    """What `static/pictures.js` draws.

    Args:
        pictures: uint8 [N, C, H, W]; None for none yet.
        captions: under each, in all languages.
        empty: the words that stand there before there are any.
        note: a sentence under them all.
        pick: whether one can be chosen by a click.
        chosen: which one is.
        columns: of the sheet that is downloaded.
        row: how many stand in one on the page; 0 for as many as there is room for.
        loop: an animated WebP of them, shown beside.
    """
    count = 0 if pictures is None else len(pictures)
    columns = max(1, min(columns, count))
    each = [
        everywhere("picture_number", number=number + 1, caption="")
        if number >= len(captions)
        else _named(number, captions[number])
        for number in range(count)
    ]
    return {
        "id": next(_numbers),
        "sheet": data_address(sheet_png(pictures, columns), "png") if pictures is not None and count else "",
        "size": int(pictures.shape[-1]) if pictures is not None else 0,
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
        "empty": everywhere(empty),
        "note": note,
        "save": everywhere("save_sheet"),
        "saveLoop": everywhere("save_loop"),
        "file": "pictures",
    }


def _named(number: int, caption: Any) -> dict[str, str]:
    words = caption if isinstance(caption, dict) else dict.fromkeys(everywhere("pictures"), str(caption))
    return {
        language: everywhere("picture_number", number=number + 1, caption=words[language])[language]
        for language in words
    }


def column_gallery(column: PictureColumn | None, chosen: int = -1) -> Json:
    """The pictures of a column, with their seeds and what the model's discriminator says of them."""
    if column is None or column.pictures is None:
        return gallery(None)
    note = "note_seeds" if column.scores is None else "note_scores"
    captions = list(map(str, column.seeds))
    if column.scores is not None:
        captions = [
            f"{seed} · {percent(score)}" for seed, score in zip(column.seeds, column.scores, strict=True)
        ]
    return gallery(column.pictures, captions, note=everywhere(note), pick=True, chosen=chosen)


def timeline(column: PictureColumn | None) -> Json:
    """The first pictures of a column at some steps of diffusion, a row for each."""
    if column is None or not column.timeline:
        empty = "timeline_one_step" if column is not None and column.state == "finished" else "timeline_empty"
        return gallery(None, empty=empty)
    import torch  # here: the page is built without it

    steps = [step for step, _ in column.timeline]
    of_each = torch.stack([pictures for _, pictures in column.timeline], dim=1)  # [P, steps, C, H, W]
    captions = [everywhere("caption_step", step=step) for _ in of_each for step in steps]
    return gallery(of_each.flatten(0, 1), captions, columns=len(steps), row=len(steps))


def picture_card(choice: Choice, column: PictureColumn | None) -> Json:
    """The head of a column, as `columns.model_card`."""
    entry = choice.entry
    error = column.error if column else None
    return {
        "badge": everywhere(f"family_{entry.family}"),
        "kind": entry.family,
        "about": everywhere(f"family_{entry.family}_long"),
        "state": column.state if column else "ready",
        "words": _state_words(entry, column),
        "error": sentence_everywhere(error.key, error.values) if error else "",
    }


def picture_facts(choice: Choice, column: PictureColumn | None) -> Json:
    """The foot of a column: what its pictures cost, and what the model is made of."""
    figures = []
    if column is not None and column.memory_mib is not None:
        each = column.seconds_per_picture
        figures = [
            fact("fact_per_picture", everywhere("not_yet") if each is None else milliseconds(each)),
            fact("fact_all_pictures", everywhere("gan_seconds", seconds=column.seconds)),
            fact("fact_memory", f"{column.memory_mib:,.1f} MiB"),
        ]
    return {"figures": figures, "facts": facts_of(choice.entry, column)}


def percent(share: float) -> str:
    """A share as people say it: 7 %."""
    return f"{100 * share:.0f} %"


def milliseconds(seconds: float) -> str:
    """A short time: 0.8 ms, 12 ms, 1,240 ms."""
    value = 1000 * seconds
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _state_words(entry: Any, column: PictureColumn | None) -> dict[str, str]:
    if column is None:
        return (
            everywhere("state_ready")
            if is_at_hand(entry)
            else everywhere("gan_download", size=entry.size_mib)
        )
    if column.state == "loading":
        return loading_words(column)
    if column.state in ("waiting", "failed"):
        return everywhere(f"state_{column.state}")
    if column.state == "running" and column.num_steps:
        return everywhere("pictures_step", step=column.step, total=column.num_steps)
    return everywhere(f"pictures_{column.state}", count=len(column.seeds))
