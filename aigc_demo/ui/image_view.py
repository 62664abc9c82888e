"""From pictures of the studio to what the widgets draw: a sheet, its captions, a column's head and foot."""

import base64
import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.images.classify import SURE_TO_READ
from aigc_demo.studio.images.compare import PictureColumn
from aigc_demo.studio.images.formats import GAP, SHEET_COLUMNS, loop_webp, sheet_png
from aigc_demo.studio.images.latent_space import Sum
from aigc_demo.studio.images.measure import Measured
from aigc_demo.studio.models.catalog import Choice, is_at_hand
from aigc_demo.ui.text.view import card_of, fact, facts_of, loading_words
from aigc_demo.ui.train.view import notice, same
from aigc_demo.ui.words.tiny_world import named
from aigc_demo.ui.words.wording import everywhere, sentence_everywhere, text

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.measure.images import PictureFigures

Json = dict[str, Any]
# Drawings of columns that are kept: one column is finished while the other still asks for new pictures.
COLUMNS_KEPT = 16
UNBROKEN = "\u00a0"
# Below this precision "no sign of mode collapse" would be read as praise.
IMPRECISE_BELOW = 0.1
_numbers = itertools.count(1)


def data_address(content: bytes, kind: str) -> str:
    """A file as the address of an image in the page."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def gallery(
    pictures: "Tensor | None",
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
    """What `static/pictures.js` draws.

    Args:
        pictures: uint8 [N, C, H, W]; None for none yet.
        captions: under each, in all languages.
        empty: the words that stand there before there are any: a key, or the words in all languages.
        note: a sentence under them all.
        pick: whether one can be chosen by a click.
        chosen: which one is.
        columns: of the sheet that is downloaded.
        row: how many stand in one on the page; 0 for as many as there is room for.
        loop: an animated WebP of them, shown beside.
    """
    count = 0 if pictures is None else len(pictures)
    columns = max(1, min(columns, count))
    each = [_named(number, captions[number] if number < len(captions) else "") for number in range(count)]
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
        "empty": everywhere(empty) if isinstance(empty, str) else empty,
        "note": note,
        "save": everywhere("save_sheet"),
        "saveLoop": everywhere("save_loop"),
        "file": "pictures",
    }


def _named(number: int, caption: Any) -> dict[str, str]:
    words = caption if isinstance(caption, dict) else same(str(caption))
    return {
        language: text("picture_number", language, number=number + 1, caption=words[language])
        for language in LANGUAGES
    }


@lru_cache(maxsize=COLUMNS_KEPT)
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


@lru_cache(maxsize=COLUMNS_KEPT)
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


@lru_cache(maxsize=COLUMNS_KEPT)
def film(column: PictureColumn | None) -> Json:
    """The frames of a way from one picture to another, and the film of them once all are there."""
    if column is None:
        return gallery(None, empty="interpolation_empty")
    if column.error is not None:
        return gallery(None, empty=problem(column.error))
    words = _progress_words(column)
    if column.pictures is None:
        return gallery(None, empty=words)
    loop = loop_webp(column.pictures) if column.state == "finished" else b""
    return gallery(column.pictures, note=words, loop=loop)


def sum_gallery(found: Sum | None) -> Json:
    """The pictures of three means and of A - B + C, each with what a classifier reads in it."""
    if found is None:
        return gallery(None, empty="arithmetic_empty")
    names = [everywhere("mean_of", letter=letter) for letter in "ABC"] + [same("A − B + C")]
    scores = list(map(percent, found.scores))
    if found.seen is None:
        captions = [
            {language: f"{words} · {score}" for language, words in name.items()}
            for name, score in zip(names, scores, strict=True)
        ]
        return gallery(found.pictures, captions, columns=4, row=4)
    captions = [
        {
            language: f"{words} · {named(reading.thing, language)} {percent(reading.prob, UNBROKEN)}"
            for language, words in name.items()
        }
        for name, reading in zip(names, found.seen.readings, strict=True)
    ]
    note = everywhere("sum_note", reader=found.seen.reader, scores=", ".join(scores))
    return gallery(found.pictures, captions, columns=4, row=4, note=note)


def sum_line(found: Sum) -> Json:
    """Whether the result of A - B + C is what it should be, for `static/notice.js`."""
    seen = found.seen
    if seen is None:
        return notice()
    if seen.why_open and seen.why_open != "result":
        return notice(f"sum_open_{seen.why_open}", sure=percent(SURE_TO_READ))
    key = "sum_open_result" if seen.why_open else "sum_right" if seen.as_expected else "sum_wrong"
    result = seen.readings[-1]
    words = {
        language: text(
            key,
            language,
            expected=named(seen.expected, language),
            seen=named(result.thing, language),
            prob=percent(result.prob),
        )
        for language in LANGUAGES
    }
    return {**notice(), "words": words}


def mixed_gallery(pictures: "Tensor | None") -> Json:
    """One picture for each place at which one style gives way to another."""
    if pictures is None:
        return gallery(None, empty="mixing_empty")
    captions = [everywhere("caption_layers", count=count) for count in range(len(pictures))]
    return gallery(pictures, captions, columns=len(pictures))


def judged_gallery(model: str, kinds: "Sequence[tuple[str, Tensor, Sequence[float]]]") -> Json:
    """Pictures of several kinds with what a discriminator says of each, and its mean of each kind.

    Args:
        model: whose discriminator.
        kinds: for each the name of its caption in the wording, the pictures, and the scores.
    """
    import torch

    captions = [everywhere(f"judged_{kind}", score=percent(s)) for kind, _, scores in kinds for s in scores]
    means = [everywhere(f"judged_{kind}", score=percent(sum(s) / len(s))) for kind, _, s in kinds]
    joined = {
        language: (", " if language == "en" else "，").join(mean[language] for mean in means)
        for language in LANGUAGES
    }
    note = {
        language: text("judged_note", language, model=model, means=joined[language]) for language in LANGUAGES
    }
    return gallery(torch.cat([pictures for _, pictures, _ in kinds]), captions, note=note)


def nearest_gallery(made: "Tensor", seed: int, found: "Tensor", distance: float, count: int) -> Json:
    """A made picture [C, H, W] and the training picture nearest to it."""
    import torch

    captions = [everywhere("nearest_made", seed=seed), everywhere("nearest_found", count=f"{count:,}")]
    note = everywhere("nearest_note", distance=distance)
    return gallery(torch.stack([made, found]), captions, note=note, columns=2, row=2)


def measured_facts(found: Measured | None) -> Json:
    """Figures of a model against real pictures, for `static/facts.js`."""
    if found is None:
        return {"figures": [], "facts": []}
    figures, modes = found.figures, found.figures.modes
    shown = [
        fact("measured_distance", f"{figures.frechet_distance:.2f}"),
        fact("measured_precision", percent(figures.precision)),
        fact("measured_recall", percent(figures.recall)),
    ]
    facts = [
        fact("measured_made", f"{figures.num_generated:,}"),
        fact("measured_real", f"{figures.num_real:,}"),
        fact("measured_by", found.encoder),
    ]
    if modes is not None and found.of_real is not None:
        covered = {"covered": modes.num_covered, "total": modes.num_modes, "real": found.of_real.num_covered}
        shown.insert(0, fact("measured_modes", everywhere("measured_modes_value", **covered)))
        facts.insert(0, fact("measured_evenness", f"{modes.evenness:.2f}"))
    return {"figures": shown, "facts": facts}


def alarm(found: Measured) -> Json:
    """Whether the model has collapsed, for `static/notice.js`; nothing where the kinds are not known."""
    figures = found.figures
    if figures.verdict is None:
        return notice()
    verdict: str = figures.verdict
    if verdict == "spread":
        verdict = "none" if figures.precision >= IMPRECISE_BELOW else "none_imprecise"
    elif verdict == "no_images":
        verdict = f"no_images_{_what_fails(figures)}"
    kinds = figures.readable or figures.modes
    assert kinds is not None and figures.modes is not None
    words = notice(
        f"alarm_{verdict}",
        precision=percent(figures.precision),
        readable=percent(figures.readable_share),
        near=percent(figures.near_share or 0.0),
        sure=percent(figures.modes.sure_share),
        covered=kinds.num_covered,
        total=kinds.num_modes,
    )
    return {**words, "bad": verdict == "collapsed"}


def _what_fails(figures: "PictureFigures") -> str:
    """Which condition of a recognisable picture too few pictures meet, as the wording calls it."""
    from aigc_demo.measure.images import FEWEST_READABLE

    assert figures.modes is not None
    far = (figures.near_share or 0.0) < FEWEST_READABLE
    unsure = figures.modes.sure_share < FEWEST_READABLE
    return {(True, True): "far_unsure", (True, False): "far", (False, True): "unsure"}.get(
        (far, unsure), "apart"
    )


def problem(error: DemoError) -> dict[str, str]:
    """Why something was not done, in all languages."""
    return sentence_everywhere(error.key, error.values)


def picture_card(choice: Choice, column: PictureColumn | None) -> Json:
    """The head of a column, as `columns.model_card`."""
    return card_of(choice, column, _state_words(choice.entry, column))


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


def percent(share: float, space: str = " ") -> str:
    """A share as people say it: 7 %; with `UNBROKEN` never on two lines."""
    return f"{100 * share:.0f}{space}%"


def milliseconds(seconds: float) -> str:
    """A short time: 0.8 ms, 12 ms, 1,240 ms."""
    value = 1000 * seconds
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _state_words(entry: Any, column: PictureColumn | None) -> dict[str, str]:
    if column is not None:
        return _progress_words(column)
    if entry.problem is not None or is_at_hand(entry):
        return everywhere("state_ready")
    return everywhere("gan_download", size=entry.size_mib)


def _progress_words(column: PictureColumn) -> dict[str, str]:
    if column.state == "loading":
        return loading_words(column)
    if column.state in ("waiting", "failed"):
        return everywhere(f"state_{column.state}")
    if column.state == "running" and column.num_steps:
        return everywhere("pictures_step", step=column.step, total=column.num_steps)
    count = len(column.seeds) if column.pictures is None else len(column.pictures)
    return everywhere(f"pictures_{column.state}", count=count)
