"""The folded parts of the tab Text to image: postprocessing, words, attention, matching and searching."""

from typing import Any

import gradio as gr

from aigc_demo.ui.language import word
from aigc_demo.ui.tab_parts import beside, part
from aigc_demo.ui.text_to_image import view
from aigc_demo.ui.text_to_image.handlers import TextToImageHandlers
from aigc_demo.ui.widgets import widget

TAB = "t2i"
COMPARED_FIRST = """a red ball
a blue ball
a small blue box to the left of a big red ball
一个红色的大球在一个蓝色的小方块的左边"""


def build_postprocessing(handlers: TextToImageHandlers, sides: list[Any], work: dict[str, Any]) -> None:
    """What is done to the chosen candidates."""
    with part("postprocess", TAB):
        with gr.Row():
            denoise = gr.Checkbox(True, label=word("denoise"), elem_id="t2i-denoise")
            colorize = gr.Checkbox(False, label=word("colorize"), elem_id="t2i-colorize")
            enlarge = gr.Radio(
                [("× 1", 1), ("× 2", 2), ("× 4", 4)], value=2, label=word("enlarge"), elem_id="t2i-enlarge"
            )
        button = gr.Button(word("postprocess_apply"), variant="primary", elem_id="t2i-postprocess-apply")
        shown = beside(lambda side: widget("images", view.processed(()), elem_id=f"t2i-postprocessed-{side}"))
    inputs = [denoise, colorize, enlarge, *(side.shown for side in sides)]
    button.click(handlers.postprocess, inputs, shown, **work)


def build_repair(handlers: TextToImageHandlers, shown: Any, work: dict[str, Any]) -> None:
    """A region of the chosen candidate on the left, drawn anew."""
    with part("repair", TAB):
        take = gr.Button(word("repair_take"), elem_id="t2i-take")
        canvas = widget("paint", view.canvas(None), elem_id="t2i-canvas")
        repair = gr.Button(word("repair_apply"), variant="primary", elem_id="t2i-repair-apply")
        repaired = widget("images", view.processed((), "repair_none"), elem_id="t2i-repaired")
        taken = gr.State()
    take.click(handlers.take, [shown], [canvas, taken], **work)
    repair.click(handlers.repair, [taken, canvas], repaired, **work)


def build_word_by_word(
    handlers: TextToImageHandlers, question: Any, model: Any, work: dict[str, Any]
) -> None:
    """The caption without one of its words, or with another."""
    with part("word_by_word", TAB) as folded:
        button = gr.Button(word("leave_out"), variant="primary", elem_id="t2i-leave-out")
        shown = widget("images", view.changed(()), elem_id="t2i-changed")
    inputs = [question.caption, question.seed, *question.sliders, model]
    button.click(handlers.leave_out, inputs, [shown, folded], **work)
    question.words.select(handlers.swap, inputs, [shown, folded], **work)


def build_attention(handlers: TextToImageHandlers, shown: Any, work: dict[str, Any]) -> None:
    """Where the words went in the chosen candidate on the left."""
    with part("words_went", TAB):
        button = gr.Button(word("words_went_show"), variant="primary", elem_id="t2i-look")
        maps = widget("images", view.attention((), None, None), elem_id="t2i-attention")
    button.click(handlers.look, [shown], maps, **work)


def build_matching(handlers: TextToImageHandlers, seed: Any, model: Any, work: dict[str, Any]) -> None:
    """A table of captions and images."""
    with part("matching", TAB):
        captions = gr.Textbox(
            COMPARED_FIRST, label=word("matching_captions"), lines=4, max_lines=12, elem_id="t2i-captions"
        )
        button = gr.Button(word("matching_show"), variant="primary", elem_id="t2i-compare")
        table = widget("matrix", view.matched((), None, ()), elem_id="t2i-matrix")
    button.click(handlers.compare, [captions, seed, model], table, **work)


def build_searching(handlers: TextToImageHandlers, work: dict[str, Any]) -> None:
    """Images by a text, texts by an image."""
    with part("searching", TAB):
        text = gr.Textbox("a red ball", label=word("searching_text"), max_lines=1, elem_id="t2i-search-text")
        button = gr.Button(word("searching_find"), variant="primary", elem_id="t2i-search")
        images = widget("images", view.found_images(None, (), ()), elem_id="t2i-found")
        hits = gr.State()
        gr.Markdown(word("searching_texts"))
        texts = widget("facts", view.found_texts((), ()), elem_id="t2i-found-texts")
    gr.on([button.click, text.submit], handlers.find_images, text, [images, hits], **work)
    images.select(handlers.find_texts, hits, texts, **work)
