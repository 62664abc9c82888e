"""The tab Train: order a run, watch it, stop it, take it home, compare it with others."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.studio.runs.export.hub_push import can_push
from aigc_demo.ui import charts, notices
from aigc_demo.ui.frame import CHEAP, PRIVATE, Frame, in_group
from aigc_demo.ui.language import word
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.train import view
from aigc_demo.ui.train.comparison import MOST_COMPARED
from aigc_demo.ui.train.handlers import TrainHandlers
from aigc_demo.ui.train.order_form import OrderForm, build_order_form, share_switch
from aigc_demo.ui.train.scrubber import Scrubber, build_scrubber, wire_scrubber
from aigc_demo.ui.widgets import help_on, widget

RUNS: dict[str, Any] = {**PRIVATE, **in_group("runs")}
FILES: dict[str, Any] = {**PRIVATE, **in_group("files")}


@dataclass(frozen=True)
class Watched:
    """The components that show the run that is watched."""

    picker: Any
    logarithmic: Any
    card: Any
    charts: list[Any]
    samples: Any
    scrubber: Scrubber
    stop: Any
    resume: Any
    delete: Any
    download: Any
    save: Any
    disk: Any

    @property
    def all(self) -> list[Any]:
        """What a new image of the run changes."""
        return [
            self.card, *self.charts, self.samples, self.scrubber.slider,
            self.stop, self.resume, self.delete, self.download, self.save, self.disk,
        ]  # fmt: skip


def build_train_tab(studio: Studio, frame: Frame) -> None:
    """Lay out the tab and connect it; called inside a gr.Tab."""
    handlers, visitor = TrainHandlers(studio.runs, studio.cache.catalog), frame.visitor
    with gr.Row(equal_height=False, elem_classes="train"):
        with gr.Column(scale=1, min_width=300, elem_classes=["side", "left"]):
            form = build_order_form(studio.runs.queue, studio.cache.catalog, frame)
        with gr.Column(scale=3, min_width=320, elem_classes=["side", "left"]):
            watched, notice, file = _watched()
    _wire_order(handlers, visitor, form, watched, notice)
    # Before the watching: the browser calls what listens to one event in turn, and to watch takes long.
    wire_scrubber(watched.scrubber, studio.cache, studio.cancellation, studio.runs, watched.picker)
    _wire_watching(handlers, visitor, watched, notice, file)
    _exchange(handlers, visitor, watched, notice)
    if can_push():
        _push(handlers, visitor, watched, notice)
    runs = _comparison(handlers)
    help_on("processes")
    frame.page.load(handlers.visit, visitor, [visitor, watched.picker, runs, watched.disk], **CHEAP)


# ---- layout


def _watched() -> tuple[Watched, Any, Any]:
    with gr.Row(elem_classes="run-row"):
        picker = gr.Dropdown([], value=None, label=word("runs"), elem_id="runs", scale=3)
        logarithmic = gr.Checkbox(False, label=word("logarithmic"), elem_id="logarithmic", scale=1)
    card = widget("run", view.run_card(None), elem_id="run")
    notice = widget("notice", notices.notice(), elem_id="notice")
    with gr.Row(elem_classes="actions"):
        stop = gr.Button(word("stop"), variant="stop", interactive=False, elem_id="stop-run")
        resume = gr.Button(word("resume"), interactive=False, elem_id="resume-run")
        save = gr.Button(word("save_model"), interactive=False, elem_id="save-model")
        download = gr.Button(word("download"), interactive=False, elem_id="download-run")
        delete = gr.Button(word("delete"), interactive=False, elem_id="delete-run")
    file = gr.File(label=word("exported"), visible=False, interactive=False, elem_id="exported")
    plots = [charts.line_plot("chart-0")]
    scrubber = build_scrubber()
    samples = widget("samples", view.samples(None), elem_id="samples")
    with gr.Accordion(word("more_curves"), open=False, elem_id="more-curves"), gr.Row(elem_classes="plots"):
        plots += [charts.line_plot(f"chart-{number}") for number in range(1, charts.MOST_CHARTS)]
    disk = widget("notice", notices.notice(), elem_id="used-disk")
    parts = (picker, logarithmic, card, plots, samples, scrubber, stop, resume, delete, download, save, disk)
    return Watched(*parts), notice, file


def _exchange(handlers: TrainHandlers, visitor: Any, watched: Watched, notice: Any) -> None:
    with gr.Accordion(word("upload_run"), open=False, elem_id="upload-run"):
        gr.Markdown(word("upload_intro"), elem_classes="intro")
        file = gr.File(label=word("exported"), file_types=[".zip"], elem_id="upload-file", height=150)
        shared = share_switch(handlers.limits, "share-upload")
        button = gr.Button(word("upload"), elem_id="upload")
    button.click(
        handlers.upload, [file, visitor, shared], [visitor, watched.picker, notice, watched.disk], **FILES
    )


def _push(handlers: TrainHandlers, visitor: Any, watched: Watched, notice: Any) -> None:
    """Only where there is a token, and not everybody could push with it."""
    with gr.Accordion(word("hub"), open=False, elem_id="hub"):
        gr.Markdown(word("push_intro"), elem_classes="intro")
        repository = gr.Textbox("", label=word("push_name"), max_lines=1, elem_id="push-name")
        button = gr.Button(word("push_model"), elem_id="push")
    asked = [watched.picker, repository, visitor]
    button.click(handlers.push, asked, notice, trigger_mode="once", **FILES)


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
        plot = charts.line_plot("compare-chart")
        table = widget("differences", None, elem_id="differences")
    runs.focus(handlers.refresh, None, runs, **CHEAP)
    asked = [runs, line, logarithmic]
    gr.on([part.change for part in asked], handlers.compare, asked, [plot, table], **CHEAP)
    return runs


# ---- wiring


def _wire_order(
    handlers: TrainHandlers, visitor: Any, form: OrderForm, watched: Watched, notice: Any
) -> None:
    form.start.click(
        handlers.start,
        [visitor, *form.all],
        [visitor, watched.picker, notice],
        trigger_mode="once",
        **RUNS,
    )


def _wire_watching(handlers: TrainHandlers, visitor: Any, watched: Watched, notice: Any, file: Any) -> None:
    asked = [watched.picker, watched.logarithmic, visitor]
    keep = {**PRIVATE, **in_group("watch"), "trigger_mode": "multiple"}
    watched.picker.change(lambda: gr.update(value=None, visible=False), None, file, **CHEAP)
    gr.on([watched.picker.change, watched.logarithmic.change], handlers.watch, asked, watched.all, **keep)
    watched.picker.focus(handlers.refresh, None, watched.picker, **CHEAP)
    named = [watched.picker, visitor]
    watched.stop.click(handlers.stop, named, notice, queue=False, **PRIVATE)
    watched.resume.click(handlers.resume, named, notice, **RUNS).success(
        handlers.watch, asked, watched.all, **keep
    )
    watched.delete.click(handlers.delete, named, [watched.picker, notice, watched.disk], **RUNS)
    watched.download.click(handlers.download, named, file, **FILES)
    watched.save.click(handlers.save_model, named, file, **FILES)
