"""From what the studio says of images of captions to what the widgets draw."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aigc_demo.core.files.strict_json import Json
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.text_to_image.compare import TextToImageColumn
from aigc_demo.studio.text_to_image.word_ablation import Changed
from aigc_demo.ui.image_view import COLUMNS_KEPT, data_address, gallery
from aigc_demo.ui.model_facts import fact
from aigc_demo.ui.words.wording import everywhere, same_everywhere

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.data.tiny_world.scene import Thing
    from aigc_demo.measure.attributes import ThingVerdict, Verdict

RIGHT, WRONG = "✓", "✗"
ROW = 4  # candidates beside each other
NAMED_PARTS = ("colour", "kind", "size", "relation", "weather", "learned", "unknown")


def words(caption: str, chosen: int = -1, learned: frozenset[str] = frozenset()) -> Json:
    """The words of a caption, what each was taken for, and whether the whole was understood.

    Args:
        caption: in either language.
        chosen: which word is, by its place.
        learned: words that a model knows, if not the tiny world, in small letters.
    """
    from aigc_demo.data.captions.pairs import caption_words
    from aigc_demo.data.tiny_world.caption import parse_caption

    reading = parse_caption(caption)
    shown = []
    for word in reading.words:
        text, part = caption[word.first : word.past], word.part
        known_words = caption_words(text)  # none in a sign such as an emoji, which nobody has learned
        if part == "unknown" and known_words and learned.issuperset(known_words):
            part = "learned"
        name = everywhere(f"part_{part}") if part in NAMED_PARTS else ""
        shown.append({"text": text, "part": part, "name": name})
    unknown, known = (
        ", ".join(str(word["text"]) for word in shown if word["part"] == part)
        for part in ("unknown", "learned")
    )
    note: Any = ""
    if unknown:
        note = everywhere("caption_unknown", words=unknown)
    elif known:
        note = everywhere("caption_learned", words=known)
    elif reading.group is not None:
        note = everywhere("caption_whole", count=len(reading.group.things))
    elif shown:
        note = everywhere("caption_partly")
    return {
        "words": shown,
        "pick": True,
        "chosen": chosen,
        "name": everywhere("caption_words"),
        "note": note,
    }


@lru_cache(maxsize=COLUMNS_KEPT)
def candidates(column: TextToImageColumn | None, other: str = "", chosen: int = -1) -> Json:
    """The candidates of a column, the one that fits best first.

    Args:
        column: of one model.
        other: the caption to compare with.
        chosen: which candidate is worked on below, by its place among those shown.
    """
    if column is None or column.images is None:
        return gallery(None, empty="t2i_empty")
    order = list(column.order)
    captions = [_candidate(column, place) for place in order]
    note = everywhere("t2i_note", other=other) if column.scores is not None else ""
    return gallery(column.images[order], captions, note=note, pick=True, chosen=chosen, row=ROW)


def _candidate(column: TextToImageColumn, place: int) -> dict[str, str]:
    """What stands under a candidate: is it right, and how well does it fit?"""
    mark = ""
    if column.verdicts is not None:
        mark = (RIGHT if column.verdicts[place].all_right else WRONG) + " · "
    if column.scores is None or column.other_scores is None:
        return everywhere("t2i_candidate_plain", verdict=mark, seed=column.seeds[place])
    return everywhere(
        "t2i_candidate",
        verdict=mark,
        score=f"{column.scores[place]:.2f}",
        other=f"{column.other_scores[place]:.2f}",
    )


def checked(column: TextToImageColumn | None) -> Json:
    """The best candidate, attribute by attribute, for `static/facts.js`."""
    if column is None or column.images is None or column.state != "finished":
        return {"figures": [], "facts": []}
    if column.found is None:
        return _only_figure("t2i_nothing_to_check")
    best = column.order[0]
    if column.found[best] is None or column.verdicts is None:
        return _only_figure("t2i_not_applicable")
    right = sum(one.all_right for one in column.verdicts)
    count = everywhere("t2i_right_count", right=right, count=len(column.verdicts))
    return {"figures": [fact("t2i_best", count)], "facts": verdict_facts(column.verdicts[best])}


def verdict_facts(verdict: "Verdict") -> list[Json]:
    """An image against its caption: each thing with what is right and wrong of it, then the ground."""
    rows = [{"name": _thing(thing.wanted), "value": _attributes(thing)} for thing in verdict.things]
    ground = everywhere("t2i_right" if verdict.weather else "t2i_wrong")
    rows.append(fact("t2i_ground", _marked(verdict.weather, ground)))
    if verdict.num_more:
        rows.append(fact("t2i_more", everywhere("t2i_more_value", count=verdict.num_more)))
    return rows


def processed(steps: "Sequence[tuple[str, Tensor]]", empty: str = "postprocess_empty") -> Json:
    """One image after each step of postprocessing, all as large as the largest."""
    if not steps:
        return gallery(None, empty=empty)
    import torch

    side = max(image.shape[-1] for _, image in steps)
    same_size = [image.repeat_interleave(side // image.shape[-1], -1) for _, image in steps]
    same_size = [image.repeat_interleave(side // image.shape[-2], -2) for image in same_size]
    captions = [everywhere(f"step_{name}") for name, _ in steps]
    return gallery(torch.stack(same_size), captions, columns=len(steps), row=len(steps))


def canvas(image: "Tensor | None") -> Json:
    """An image to paint over, for `static/paint.js`."""
    words = {
        "name": everywhere("repair_canvas"),
        "empty": everywhere("repair_empty"),
        "clear": everywhere("repair_clear"),
    }
    if image is None:
        return {"src": "", "size": 0, "mask": "", **words}
    from aigc_demo.studio.images.formats import single_pngs

    source = data_address(single_pngs(image[None])[0], "png")
    return {"src": source, "size": int(image.shape[-1]), "mask": "", **words}


def changed(found: Sequence[Changed]) -> Json:
    """The image of a caption, and those in which one word is different."""
    if not found:
        return gallery(None, empty="word_by_word_empty")
    import torch

    captions = [
        everywhere("word_changed", word=one.word, difference=one.difference)
        if one.word
        else everywhere("word_whole")
        for one in found
    ]
    return gallery(torch.stack([one.image for one in found]), captions)


def attention(words_of_caption: Sequence[str], taken: "Tensor | None", image: "Tensor | None") -> Json:
    """Where each word went, over the image: a row for each time that the places asked.

    Args:
        words_of_caption: the caption as a whole, then its words.
        taken: [blocks, P, 1 + T], from 0 to 1.
        image: uint8 [C, H, W].
    """
    if taken is None or image is None:
        return gallery(None, empty="words_went_empty")
    import torch

    num_blocks, num_places, num_words = taken.shape
    grid = round(num_places**0.5)
    light = taken / taken.amax(dim=1, keepdim=True).clamp(min=1e-6)
    light = light.permute(0, 2, 1).reshape(num_blocks * num_words, 1, grid, grid)
    factor = image.shape[-1] // grid
    light = light.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    shown = (image.float() * (0.15 + 0.85 * light)).round().to(torch.uint8)
    captions = [
        everywhere("words_went_caption", word=word, block=block + 1)
        if word
        else everywhere("words_went_all", block=block + 1)
        for block in range(num_blocks)
        for word in words_of_caption[:num_words]
    ]
    return gallery(shown, captions, columns=num_words, row=num_words)


def matched(captions: Sequence[str], images: "Tensor | None", table: Sequence[Sequence[float]]) -> Json:
    """The table of scores, for `static/matrix.js`."""
    if images is None:
        return {"rows": [], "empty": everywhere("matching_empty")}
    from aigc_demo.studio.images.formats import single_pngs

    right = sum(max(row) == row[place] for place, row in enumerate(table))
    return {
        "rows": [
            {"name": caption, "scores": [round(score, 3) for score in row]}
            for caption, row in zip(captions, table, strict=True)
        ],
        "images": [data_address(png, "png") for png in single_pngs(images)],
        "name": everywhere("matching"),
        "note": everywhere("matching_right", right=right, count=len(captions)),
        "empty": everywhere("matching_empty"),
    }


def _only_figure(key: str) -> Json:
    return {"figures": [fact("t2i_best", everywhere(key))], "facts": []}


def _thing(thing: "Thing") -> dict[str, str]:
    """A thing as people say it: small red ball."""
    parts = [everywhere(f"thing_{value}") for value in (thing.size, thing.colour, thing.kind)]
    return {
        language: (" " if language == "en" else "").join(part[language] for part in parts)
        for language in LANGUAGES
    }


def _attributes(thing: "ThingVerdict") -> dict[str, str]:
    """Each attribute with its mark, and what there is instead where it is wrong."""
    if thing.found is None:
        return _marked(False, everywhere("t2i_missing"))
    if thing.num_right == 4:
        return _marked(True, everywhere("t2i_all_right"))
    parts = []
    for part, right in (("colour", thing.colour), ("kind", thing.kind), ("size", thing.size)):
        instead = everywhere(f"thing_{getattr(thing.found, part)}")
        name = everywhere(f"part_{part}")
        parts.append(
            _marked(right, name)
            if right
            else {lang: f"{WRONG} {name[lang]} ({instead[lang]})" for lang in LANGUAGES}
        )
    parts.append(_marked(thing.place, everywhere("part_relation")))
    return {
        language: (", " if language == "en" else "，").join(part[language] for part in parts)
        for language in LANGUAGES
    }


def _marked(right: bool, words_everywhere: dict[str, str]) -> dict[str, str]:
    return {language: f"{RIGHT if right else WRONG} {parts}" for language, parts in words_everywhere.items()}


def found_images(images: "Tensor | None", hits: Sequence[Any], captions: Sequence[str]) -> Json:
    """The images that were found, with their own captions and how well they fit."""
    if images is None or not hits:
        return gallery(None, empty="searching_empty")
    parts = [same_everywhere(f"{hit.score:.2f} · {captions[hit.place]}") for hit in hits]
    return gallery(images[[hit.place for hit in hits]], parts, pick=True)


def found_texts(hits: Sequence[Any], captions: Sequence[str]) -> Json:
    """The captions that were found, for `static/facts.js`."""
    return {
        "figures": [],
        "facts": [
            {"name": same_everywhere(f"{hit.score:.2f}"), "value": captions[hit.place]} for hit in hits
        ],
    }
