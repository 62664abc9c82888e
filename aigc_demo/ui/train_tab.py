"""The tab Train: order a run, watch it, stop it, take it home, compare it with others."""

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from aigc_demo.studio.run_order import MAX_MINUTES, MAX_SEED, MOST, SMALL
from aigc_demo.studio.run_watch import RunWatches
from aigc_demo.training.curves import LANGUAGE_MODEL
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui import charts, run_view
from aigc_demo.ui.comparison import MOST_COMPARED
from aigc_demo.ui.frame import Frame
from aigc_demo.ui.language import word
from aigc_demo.ui.train_handlers import TrainHandlers
from aigc_demo.ui.widgets import widget

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
CHEAP: dict[str, Any] = {**PRIVATE, "concurrency_limit": None}
STEPS: dict[str, float] = {"hidden_size": 32, "context_length": 8, "learning_rate": 0.0001, "dropout": 0.05}
LOWEST: dict[str, float] = {"hidden_size": 32, "learning_rate": 0.0001}
HIGHEST: dict[str, float] = {"learning_rate": 0.02, "dropout": 0.5}


@dataclass(frozen=True)
class Form:
    """The components of an order."""

    recipe: Any
    source: Any
    file: Any
    kind: Any
    amount: Any
    seed: Any
    asked: list[Any]
    start: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which the handler takes them."""
        return [self.recipe, self.source, self.file, self.kind, self.amount, self.seed, *self.asked]


@dataclass(frozen=True)
class Watched:
    """The components that show the run that is watched."""

    picker: Any
    logarithmic: Any
    card: Any
    charts: list[Any]
    samples: Any
    stop: Any
    resume: Any
    delete: Any
    download: Any

    @property
    def all(self) -> list[Any]:
        """What a new picture of the run changes."""
        return [
            self.card, *self.charts, self.samples, self.stop, self.resume, self.delete, self.download,
        ]  # fmt: skip


def build_train_tab(watches: RunWatches, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab.

    Args:
        watches: the runs.
        frame: of the page.
    """
    handlers, visitor = TrainHandlers(watches), frame.visitor
    with gr.Row(equal_height=False, elem_classes="train"):
        with gr.Column(scale=1, min_width=300, elem_classes=["side", "left"]):
            form = _form()
        with gr.Column(scale=3, min_width=320, elem_classes=["side", "left"]):
            watched, notice, file = _watched()
    _wire_order(handlers, visitor, form, watched, notice)
    _wire_watching(handlers, visitor, watched, notice, file)
    _exchange(handlers, visitor, watched, notice)
    runs = _comparison(handlers)
    frame.page.load(handlers.visit, visitor, [visitor, watched.picker, runs], **CHEAP)


# ---- layout


def _form() -> Form:
    gr.Markdown(word("train_intro"), elem_classes="intro")
    recipe = gr.Dropdown(
        [(word(f"recipe_{name}"), name) for name in RECIPES],
        value="gpt",
        label=word("recipe"),
        filterable=False,
        elem_id="recipe",
    )
    source = gr.Radio(
        [(word("source_tiny"), "tiny-world"), (word("source_own"), "own")],
        value="tiny-world",
        label=word("source"),
        elem_id="source",
    )
    file = gr.File(label=word("own_text"), file_types=[".txt"], visible=False, elem_id="own-text", height=120)
    source.change(lambda value: gr.update(visible=value == "own"), source, file, **CHEAP)
    with gr.Row(elem_classes="pair"):
        kind = gr.Radio(
            [(word("budget_minutes"), "minutes"), (word("budget_steps"), "steps")],
            value="minutes",
            label=word("budget"),
            elem_id="budget",
            min_width=120,
        )
        amount = gr.Number(3, label=word("amount"), minimum=0, elem_id="amount", min_width=100)
    kind.change(lambda value: 3 if value == "minutes" else 500, kind, amount, **CHEAP)
    with gr.Accordion(word("settings"), open=False, elem_id="train-settings"):
        asked = [_asked(name) for name in RECIPES["gpt"].asked]
        seed = gr.Number(1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED)
    start = gr.Button(word("start"), variant="primary", elem_id="start")
    gr.Markdown(word("train_limits"), elem_classes="intro")
    assert MAX_MINUTES == 60, "train_limits names it"
    return Form(recipe, source, file, kind, amount, seed, asked, start)


def _asked(name: str) -> Any:
    """One setting, by what its field says of itself."""
    item = next(item for item in fields(RECIPES["gpt"].settings) if item.name == name)
    label, start, facts = word(f"setting_{name}"), SMALL.get(name, item.default), item.metadata
    if facts["choices"]:
        choices = [(word(f"choice_{name}_{choice}"), choice) for choice in facts["choices"]]
        return gr.Dropdown(choices, value=start, label=label, filterable=False, elem_id=f"setting-{name}")
    high = HIGHEST.get(name, MOST.get(name, facts["high"]))
    return gr.Slider(
        LOWEST.get(name, facts["low"]),
        high,
        start,
        step=STEPS.get(name, 1),
        label=label,
        elem_id=f"setting-{name}",
    )


def _watched() -> tuple[Watched, Any, Any]:
    with gr.Row(elem_classes="run-row"):
        picker = gr.Dropdown([], value=None, label=word("runs"), elem_id="runs", scale=3)
        logarithmic = gr.Checkbox(False, label=word("logarithmic"), elem_id="logarithmic", scale=1)
    card = widget("run", run_view.run_card(None), elem_id="run")
    notice = widget("notice", run_view.notice(), elem_id="notice")
    with gr.Row(elem_classes="actions"):
        stop = gr.Button(word("stop"), variant="stop", interactive=False, elem_id="stop-run")
        resume = gr.Button(word("resume"), interactive=False, elem_id="resume-run")
        download = gr.Button(word("download"), interactive=False, elem_id="download-run")
        delete = gr.Button(word("delete"), interactive=False, elem_id="delete-run")
    file = gr.File(label=word("exported"), visible=False, interactive=False, elem_id="exported")
    first, *others = LANGUAGE_MODEL
    plots = [charts.line_plot(first.name, "chart-0")]
    samples = widget("samples", run_view.samples(None), elem_id="samples")
    with gr.Accordion(word("more_curves"), open=False, elem_id="more-curves"), gr.Row():
        for number, curve in enumerate(others, 1):
            with gr.Column(min_width=260):
                plots.append(charts.line_plot(curve.name, f"chart-{number}"))
    return Watched(picker, logarithmic, card, plots, samples, stop, resume, delete, download), notice, file


def _exchange(handlers: TrainHandlers, visitor: Any, watched: Watched, notice: Any) -> None:
    with gr.Accordion(word("upload_run"), open=False, elem_id="upload-run"):
        gr.Markdown(word("upload_intro"), elem_classes="intro")
        file = gr.File(label=word("exported"), file_types=[".zip"], elem_id="upload-file", height=120)
        button = gr.Button(word("upload"), elem_id="upload")
    button.click(handlers.upload, [file, visitor], [visitor, watched.picker, notice], **PRIVATE)


def _comparison(handlers: TrainHandlers) -> Any:
    with gr.Accordion(word("compare_runs"), open=False, elem_id="compare-runs"):
        with gr.Row(elem_classes="run-row"):
            runs = gr.Dropdown(
                [],
                value=[],
                multiselect=True,
                max_choices=MOST_COMPARED,
                label=word("compare_pick"),
                elem_id="compare-pick",
                scale=3,
            )
            line = gr.Radio(
                [(word("line_validation"), "validation"), (word("compare_train"), "train")],
                value="validation",
                label=word("chart_loss"),
                scale=2,
            )
            logarithmic = gr.Checkbox(False, label=word("logarithmic"), scale=1)
        plot = charts.line_plot("loss", "compare-chart")
        table = widget("differences", None, elem_id="differences")
    runs.focus(handlers.refresh, None, runs, **CHEAP)
    asked = [runs, line, logarithmic]
    gr.on([part.change for part in asked], handlers.compare, asked, [plot, table], **CHEAP)
    return runs


# ---- wiring


def _wire_order(handlers: TrainHandlers, visitor: Any, form: Form, watched: Watched, notice: Any) -> None:
    form.start.click(
        handlers.start,
        [visitor, *form.all],
        [visitor, watched.picker, notice],
        trigger_mode="once",
        **CHEAP,
    )


def _wire_watching(handlers: TrainHandlers, visitor: Any, watched: Watched, notice: Any, file: Any) -> None:
    asked = [watched.picker, watched.logarithmic, visitor]
    keep = {**CHEAP, "trigger_mode": "multiple"}
    gr.on([watched.picker.change, watched.logarithmic.change], handlers.watch, asked, watched.all, **keep)
    watched.picker.focus(handlers.refresh, None, watched.picker, **CHEAP)
    named = [watched.picker, visitor]
    watched.stop.click(handlers.stop, named, notice, queue=False, **PRIVATE)
    watched.resume.click(handlers.resume, named, notice, **CHEAP).success(
        handlers.watch, asked, watched.all, **keep
    )
    watched.delete.click(handlers.delete, named, [watched.picker, notice], **CHEAP)
    watched.download.click(handlers.download, watched.picker, file, **PRIVATE)
    watched.picker.change(lambda: gr.update(value=None, visible=False), None, file, **CHEAP)
