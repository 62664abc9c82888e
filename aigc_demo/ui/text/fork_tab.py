"""The view "Decoders" of the tab Text: one model, several decoders, and the places where their texts part."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import TEXT_GENERATOR
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Choice, default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.studio.text.fork import DEFAULTS, check_fork_request, decode_and_find
from aigc_demo.ui.first_values import begin_in_chinese
from aigc_demo.ui.frame import CHEAP, PRIVATE, TEXT, Frame, page_ticket
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import offer_new_models, picker_choices
from aigc_demo.ui.tab_parts import seed_fields, slider
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.text import fork_view as view
from aigc_demo.ui.widgets import errors_as_toasts, widget

SLIDERS: dict[str, tuple[float, float, float, float]] = {
    # name in the API: smallest, largest, step, where it starts
    "temperature": (0, 2, 0.05, DEFAULTS["temperature"]),
    "top_k": (1, 100, 1, DEFAULTS["top_k"]),
    "top_p": (0, 1, 0.01, DEFAULTS["top_p"]),
    "min_p": (0, 1, 0.01, DEFAULTS["min_p"]),
    "num_beams": (2, 8, 1, DEFAULTS["num_beams"]),
    "max_new_tokens": (1, 200, 1, DEFAULTS["max_new_tokens"]),
}
ENGLISH = ("ROMEO:\n", "gpt-shakespeare")
CHINESE = ("《春望》", "gpt-tang")


class ForkHandlers:
    """The handlers of the view."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog, self._cancellation = cache, cache.catalog, cancellation

    def decode(
        self, request: gr.Request, ticket: str, prompt: Any, model: Any, seed: Any, fresh: Any, *sliders: Any
    ) -> Iterator[tuple[Any, Json]]:
        """The seed and all texts, again and again, and at the end where they part."""
        with errors_as_toasts(request):
            settings = dict(zip(SLIDERS, sliders, strict=True))
            settings["seed"] = new_seed() if fresh else seed
            asked = check_fork_request(self._catalog, model, prompt, settings)
            with self._cancellation.joined(ticket, may_wait=False) as stop:
                for columns, forks in decode_and_find(asked, self._cache, stop):
                    size = 0 if forks is None else self._cache.get(asked.model).vocab_size
                    yield columns[0].seed, view.forks_of(asked, columns, forks, size)

    def stop(self, ticket: str) -> None:
        """What this visitor has running ends at its next token."""
        self._cancellation.stop(ticket)


def build_forks(studio: Studio, frame: Frame, choices: tuple[Choice, ...]) -> Any:
    """Lay out the view and connect it.

    Args:
        studio: what the tabs share.
        frame: of the tab.
        choices: the models that generate text.

    Returns:
        Its column, hidden.
    """
    handlers, ticket = ForkHandlers(studio.cache, studio.cancellation), page_ticket()
    with gr.Column(visible=False, elem_id="view-fork") as column:
        gr.Markdown(word("view_fork_intro"), elem_classes="intro")
        with gr.Row(elem_classes="question"):
            with gr.Column(scale=4, min_width=300):
                prompt = gr.Textbox(
                    ENGLISH[0], label=word("prompt"), lines=2, max_lines=6, elem_id="fork-prompt"
                )
                model = gr.Dropdown(
                    picker_choices(choices),
                    value=default_pair(choices)[0],
                    label=word("fork_model"),
                    elem_id="fork-model",
                    filterable=False,
                )
            seed, fresh = seed_fields("fork-", fresh=False)
        with gr.Row(elem_classes="actions"):
            decode = gr.Button(word("fork_predict"), variant="primary", elem_id="fork-predict", scale=2)
            stop = gr.Button(word("stop"), variant="stop", elem_id="fork-stop")
        result = widget("fork", view.empty_forks(), elem_id="fork-result")
        with (
            gr.Accordion(word("settings"), open=False, elem_id="fork-settings"),
            gr.Row(elem_classes="sliders"),
        ):
            sliders = [slider(name, bounds, min_width=260) for name, bounds in SLIDERS.items()]
    given = [ticket, prompt, model, seed, fresh, *sliders]
    gr.on(
        [decode.click, prompt.submit],
        handlers.decode,
        given,
        [seed, result],
        trigger_mode="once",
        **PRIVATE,
        **TEXT,
    )
    stop.click(handlers.stop, ticket, None, queue=False, **PRIVATE)
    model.change(view.empty_forks, None, result, **CHEAP)
    offer_new_models(frame, [model], lambda: studio.cache.catalog.choices(TEXT_GENERATOR))
    if CHINESE[1] in {choice.value for choice in choices}:
        begin_in_chinese(frame, {prompt: CHINESE[0], model: CHINESE[1]}, {})
    return column
