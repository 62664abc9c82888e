"""From images of the studio to what the widgets of the tab GAN draw."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from aigc_demo.core.files.strict_json import Json
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.images.classify import SURE_TO_READ
from aigc_demo.studio.images.compare import ImageColumn
from aigc_demo.studio.images.formats import loop_webp
from aigc_demo.studio.images.latent_space import Sum
from aigc_demo.studio.images.measure import Measured
from aigc_demo.ui.figures import UNBROKEN, percent
from aigc_demo.ui.image_view import COLUMNS_KEPT, gallery, progress_words
from aigc_demo.ui.model_facts import fact
from aigc_demo.ui.notices import notice, problem_words
from aigc_demo.ui.words.tiny_world import named
from aigc_demo.ui.words.wording import everywhere, same_everywhere, text

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.measure.images import ImageFigures


# Below this precision "no sign of mode collapse" would be read as praise.
IMPRECISE_BELOW = 0.1


@lru_cache(maxsize=COLUMNS_KEPT)
def column_gallery(column: ImageColumn | None, chosen: int = -1) -> Json:
    """The images of a column, with their seeds and what the model's discriminator says of them."""
    if column is None or column.images is None:
        return gallery(None)
    note = "note_seeds" if column.scores is None else "note_scores"
    captions = list(map(str, column.seeds))
    if column.scores is not None:
        captions = [
            f"{seed} · {percent(score)}" for seed, score in zip(column.seeds, column.scores, strict=True)
        ]
    return gallery(column.images, captions, note=everywhere(note), pick=True, chosen=chosen)


@lru_cache(maxsize=COLUMNS_KEPT)
def film(column: ImageColumn | None) -> Json:
    """The frames of a way from one image to another, and the film of them once all are there."""
    if column is None:
        return gallery(None, empty="interpolation_empty")
    if column.error is not None:
        return gallery(None, empty=problem_words(column.error))
    words = progress_words(column)
    if column.images is None:
        return gallery(None, empty=words)
    loop = loop_webp(column.images) if column.state == "finished" else b""
    return gallery(column.images, note=words, loop=loop)


def sum_gallery(found: Sum | None) -> Json:
    """The images of three means and of A - B + C, each with what a classifier reads in it."""
    if found is None:
        return gallery(None, empty="arithmetic_empty")
    names = [everywhere("mean_of", letter=letter) for letter in "ABC"] + [same_everywhere("A − B + C")]
    scores = list(map(percent, found.scores))
    if found.seen is None:
        captions = [
            {language: f"{words} · {score}" for language, words in name.items()}
            for name, score in zip(names, scores, strict=True)
        ]
        return gallery(found.images, captions, columns=4, row=4)
    captions = [
        {
            language: f"{words} · {named(reading.thing, language)} {percent(reading.prob, UNBROKEN)}"
            for language, words in name.items()
        }
        for name, reading in zip(names, found.seen.readings, strict=True)
    ]
    note = everywhere("sum_note", reader=found.seen.reader, scores=", ".join(scores))
    return gallery(found.images, captions, columns=4, row=4, note=note)


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


def mixed_gallery(images: "Tensor | None") -> Json:
    """One image for each place at which one style gives way to another."""
    if images is None:
        return gallery(None, empty="mixing_empty")
    captions = [everywhere("caption_layers", count=count) for count in range(len(images))]
    return gallery(images, captions, columns=len(images))


def judged_gallery(model: str, kinds: "Sequence[tuple[str, Tensor, Sequence[float]]]") -> Json:
    """Images of several kinds with what a discriminator says of each, and its mean of each kind.

    Args:
        model: whose discriminator.
        kinds: for each the name of its caption in the wording, the images, and the scores.
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
    return gallery(torch.cat([images for _, images, _ in kinds]), captions, note=note)


def nearest_gallery(generated: "Tensor", seed: int, found: "Tensor", distance: float, count: int) -> Json:
    """A generated image [C, H, W] and the training image nearest to it."""
    import torch

    captions = [everywhere("nearest_made", seed=seed), everywhere("nearest_found", count=f"{count:,}")]
    note = everywhere("nearest_note", distance=distance)
    return gallery(torch.stack([generated, found]), captions, note=note, columns=2, row=2)


def measured_facts(found: Measured | None) -> Json:
    """Figures of a model against real images, for `static/facts.js`."""
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


def _what_fails(figures: "ImageFigures") -> str:
    """Which condition of a recognisable image too few images meet, as the wording calls it."""
    from aigc_demo.measure.images import FEWEST_READABLE

    assert figures.modes is not None
    far = (figures.near_share or 0.0) < FEWEST_READABLE
    unsure = figures.modes.sure_share < FEWEST_READABLE
    return {(True, True): "far_unsure", (True, False): "far", (False, True): "unsure"}.get(
        (far, unsure), "apart"
    )
