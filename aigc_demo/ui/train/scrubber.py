"""Back through a run: a slider over its checkpoints, and what each of them writes beside a baseline.

The prompt and the seed stay as they are while the slider moves, so what changes is the model alone.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.generators.kinds import ANSWERS, MASKED_WORDS, TEXT_GENERATOR
from aigc_demo.studio.models.cancellation import Cancellation, CancelToken
from aigc_demo.studio.models.catalog import ON_OURS, run_and_step, run_of
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.run_view import RunView
from aigc_demo.studio.runs.samples import draws, draws_anew, kind_of_text, new_images
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.studio.text.checkpoint_text import CheckpointText, texts_of
from aigc_demo.ui.frame import CHEAP, PRIVATE, TEXT, page_ticket
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.train.view import image_address
from aigc_demo.ui.widgets import errors_as_toasts, spans, widget
from aigc_demo.ui.words.wording import everywhere, same_everywhere, sentence_everywhere

# No filter and little heat: a class looks at the model, not at what sampling hides.
SAMPLING = {"temperature": 0.8, "max_new_tokens": 120}
NO_BASELINE = ""
PROMPTS = {
    TEXT_GENERATOR: ("scrub_write", "prompt_placeholder"),
    MASKED_WORDS: ("scrub_fill", "scrub_fill_placeholder"),
    ANSWERS: ("scrub_answer", "scrub_answer_placeholder"),
}
"""For each kind of model, the words of the button and those of an empty prompt."""
WRITING: dict[str, Any] = {**PRIVATE, **TEXT}


@dataclass(frozen=True)
class Scrubber:
    """The components.

    Attributes:
        slider: over the checkpoints of the run that is watched; its value holds the step where it stands.
    """

    slider: Any
    prompt: Any
    baseline: Any
    seed: Any
    write: Any
    written: Any


def build_scrubber() -> Scrubber:
    """Lay it out; it is connected when the picker of the runs is there."""
    gr.HTML(f'<h3 class="samples-title">{spans("scrub_title")}</h3>', apply_default_css=False)
    slider = widget("scrub", slider_value(None), elem_id="scrub")
    with gr.Row(elem_classes="run-row"):
        prompt = gr.Textbox(
            "",
            label=word("prompt"),
            placeholder=word("prompt_placeholder"),
            lines=1,
            max_lines=4,
            elem_id="scrub-prompt",
            scale=3,
        )
        baseline = gr.Dropdown(
            [(word("scrub_alone"), NO_BASELINE)],
            value=NO_BASELINE,
            label=word("scrub_beside"),
            filterable=False,
            elem_id="scrub-baseline",
            scale=2,
        )
        seed = gr.Number(
            1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED, scale=1, elem_id="scrub-seed"
        )
    write = gr.Button(word("scrub_write"), elem_id="scrub-write")
    written = widget("written", written_value(None), elem_id="written")
    return Scrubber(slider, prompt, baseline, seed, write, written)


def wire_scrubber(
    scrubber: Scrubber, cache: ModelCache, cancellation: Cancellation, watches: RunWatches, picker: Any
) -> None:
    """Connect it.

    Args:
        scrubber: laid out before.
        cache: the models of the page; its catalog knows the checkpoints.
        cancellation: of what is being written.
        watches: the runs.
        picker: of the run that is watched.
    """
    handlers, ticket = ScrubHandlers(cache, cancellation, watches), page_ticket()
    asked = [ticket, picker, scrubber.slider, scrubber.prompt, scrubber.baseline, scrubber.seed]
    changed = [scrubber.prompt, scrubber.baseline, scrubber.write, scrubber.written]
    picker.change(handlers.another_run, picker, changed, **CHEAP)
    # One listener for all: whatever comes while something is written waits for its end, and then the last
    # one counts. What it works with are the components' values at that time, the slider's step among them.
    gr.on(
        [scrubber.slider.select, scrubber.write.click, scrubber.prompt.submit],
        handlers.write,
        asked,
        scrubber.written,
        trigger_mode="always_last",
        **WRITING,
    )
    scrubber.baseline.focus(handlers.offer, [picker, scrubber.baseline], scrubber.baseline, **CHEAP)


class ScrubHandlers:
    """What happens when the slider moves, or something is to be written anew.

    Args:
        cache: the models of the page.
        cancellation: of what is being written.
        watches: the runs.
    """

    def __init__(self, cache: ModelCache, cancellation: Cancellation, watches: RunWatches):
        self._cache, self._cancellation, self._watches = cache, cancellation, watches

    def another_run(self, request: gr.Request, name: Any) -> tuple[Any, Any, Any, Json]:
        """Nothing is generated yet. A run of texts is asked with a prompt, beside the baseline of the same
        data, if there is one; one that draws is asked for images of another seed.
        """
        with errors_as_toasts(request):
            makes_images = bool(name) and draws(self._watches.view(name).recipe)
            kind = self._kind(name)
            found = self._cache.catalog.baseline_for(self._watches.queue.run(name)) if name and kind else None
            button, empty = PROMPTS[kind or TEXT_GENERATOR]
            # A story takes more than one line, and Enter begins a new one there.
            lines = 3 if kind == ANSWERS else 1
            return (
                gr.update(visible=kind is not None, placeholder=word(empty), lines=lines),
                gr.update(**self.offer(name, found or NO_BASELINE), visible=kind is not None),
                gr.update(
                    value=word("scrub_draw" if makes_images else button),
                    visible=kind is not None or makes_images,
                ),
                written_value(name),
            )

    def _kind(self, name: Any) -> str | None:
        """What the models of a run do with a text; that of a text generator where no run is chosen."""
        return kind_of_text(self._watches.view(name).recipe) if name else TEXT_GENERATOR

    def offer(self, name: Any, chosen: Any) -> Any:
        """What can stand beside a checkpoint of a run: every model of its kind but the run's own."""
        kind = self._kind(name)
        offered = self._cache.catalog.choices(kind) if kind is not None else ()
        others = [choice for choice in offered if run_of(choice.value) != name]
        kept = chosen if chosen in {choice.value for choice in others} else NO_BASELINE
        choices = [(word("scrub_alone"), NO_BASELINE), *picker_choices(tuple(others))]
        return gr.update(choices=choices, value=kept)

    def write(self, request: gr.Request, ticket: str, name: Any, slider: Any, *asked: Any) -> Iterator[Json]:
        """The checkpoint that the slider stands at writes; the last one where it stands at none."""
        with errors_as_toasts(request):
            if not name:
                raise InputError("nothing_to_write")
            view = self._watches.view(name)
            if not view.checkpoints:
                raise InputError("nothing_to_export", name=shown(name))
            step = chosen_step(slider, name, view.checkpoints)
            kind = kind_of_text(view.recipe)
            if kind is None and not draws(view.recipe):
                return
            # Two calls can be sent before the browser knows of the first: the last one has the last word.
            with self._cancellation.joined(ticket) as place:
                while place.waits():
                    pass
                if kind is None:
                    yield from self._draw(view, step, asked[-1])
                else:
                    yield from self._write(place, kind, f"{name}@{step}", *asked)

    def _write(
        self, stop: CancelToken, kind: str, model: str, prompt: Any, baseline: Any, seed: Any
    ) -> Iterator[Json]:
        run = run_of(model)
        beside = [] if baseline == NO_BASELINE or run_of(str(baseline)) == run else [baseline]
        settings = {**SAMPLING, "seed": seed}
        for columns in texts_of(kind, [model, *beside], prompt, settings, self._cache, stop):
            yield written_value(run, columns)

    def _draw(self, view: RunView, step: int, seed: Any) -> Iterator[Json]:
        """The sheet that the training kept at a checkpoint, then new images beside it."""
        yield drawn_value(view, step)
        if not draws_anew(view.recipe):
            return
        content = base64.b64encode(new_images(view.run, step, seed)).decode()
        yield drawn_value(view, step, f"data:image/png;base64,{content}", int(seed))


def chosen_step(slider: Any, run: str, checkpoints: Sequence[int]) -> int:
    """The step that a slider's value names; the last where it is another run's, or was never drawn.

    Args:
        slider: the component's value, which anybody can forge.
        run: that is watched.
        checkpoints: the run's steps, ascending; at least one.

    Raises:
        InputError: the step is no whole number, or the run has no such checkpoint.
    """
    value = slider if isinstance(slider, dict) and slider.get("run") == run else {}
    step = value.get("step")
    if step is None:
        return checkpoints[-1]
    if not isinstance(step, int) or isinstance(step, bool):
        raise InputError("setting_type", name="step", expected="a whole number", got=shown(step))
    if step not in checkpoints:
        raise InputError("no_checkpoint", name=shown(run), step=step, known=", ".join(map(str, checkpoints)))
    return step


def drawn_value(view: RunView, step: int, image: str = "", seed: int = 0) -> Json:
    """What a checkpoint draws, for `static/written.js`: from the noise of the training, and from a seed."""
    stored = {
        "title": everywhere("scrub_kept", step=step),
        "given": "",
        "text": "",
        "state": "finished",
        "error": "",
        "picture": image_address(view, step),
    }
    new = {
        **stored,
        "title": everywhere("scrub_new", seed=seed),
        "picture": image,
    }
    columns = [part for part in (stored, new) if part["picture"]]
    return {"run": view.state.name, "columns": columns}


def slider_value(view: RunView | None) -> Json:
    """The slider over a run's checkpoints, for `static/scrub.js`."""
    return {
        "run": view.state.name if view else "",
        "steps": list(view.checkpoints) if view else [],
        "words": {
            "label": everywhere("scrub_slider"),
            "step": everywhere("samples_step", step="%"),
            "empty": everywhere("scrub_empty"),
        },
    }


def written_value(run: str | None, columns: tuple[CheckpointText, ...] = ()) -> Json:
    """What was written, for `static/written.js`: the checkpoint's first, then the baseline's.

    Without columns it means that a run was chosen; where that comes late, what the run has written stays.
    """
    return {
        "run": run or "",
        "columns": [
            {
                "title": _title(column),
                "given": column.given,
                "text": column.text,
                "state": column.state,
                "error": sentence_everywhere(column.error.key, column.error.values) if column.error else "",
            }
            for column in columns
        ],
    }


def _title(column: CheckpointText) -> dict[str, str]:
    run, step = run_and_step(column.model)
    return (
        everywhere("scrub_at", run=run, step=step)
        if step
        else same_everywhere(column.model.removesuffix(ON_OURS))
    )
