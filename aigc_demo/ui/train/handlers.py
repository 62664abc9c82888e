"""What happens on a click in the tab Train: translate, call the queue, translate back."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs.export.archive import export_card, export_run, portable_name
from aigc_demo.studio.runs.export.hub_folder import zip_model_folder
from aigc_demo.studio.runs.export.hub_push import push_model
from aigc_demo.studio.runs.job import hashed
from aigc_demo.studio.runs.run_view import RunView
from aigc_demo.studio.runs.storage import lost_at_restart
from aigc_demo.studio.runs.watch import REFRESH_SECONDS, RunWatches
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import answer_to
from aigc_demo.training.language_model.recipe import CURVES as LANGUAGE_MODEL
from aigc_demo.training.recipe import Curve
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui import charts
from aigc_demo.ui.frame import met, visitor_secret
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.notices import notice, refusal
from aigc_demo.ui.serving.addresses import address_of
from aigc_demo.ui.train import view as run_view
from aigc_demo.ui.train.comparison import MOST_COMPARED, differences
from aigc_demo.ui.train.order_form import checked_order
from aigc_demo.ui.train.scrubber import slider_value
from aigc_demo.ui.widgets import errors_as_toasts

Values = tuple[Any, ...]
# The charts beside the loss are drawn on every fourth look: they change slowly.
SLOW_LOOKS = 4
# An earlier view of the same page has ended by then, and its last words have been shown.
CHANGE_SECONDS = REFRESH_SECONDS + 0.1


class TrainHandlers:
    """The handlers of the tab.

    Args:
        watches: the runs, as they are watched.
        catalog: the models, which a run may go on from.
    """

    def __init__(self, watches: RunWatches, catalog: Catalog):
        self._watches, self._queue, self._catalog = watches, watches.queue, catalog
        self._views: dict[str, object] = {}
        self._lost = lost_at_restart(watches.queue.folder)
        self._exports = tempfile.TemporaryDirectory(prefix="aigc-demo-exports-")

    @property
    def limits(self) -> Limits:
        """Of the host."""
        return self._queue.limits

    # ---- ordering

    def visit(self, request: gr.Request, secret: Any) -> Values:
        """A page was opened: who is it, which runs are there, which one is shown."""
        with errors_as_toasts(request):
            kept = self._met(request, secret)
            picker = self._choices(self._first(kept))
            return kept, picker, gr.update(choices=self._queue.names()), self._used_disk(kept)

    def start(self, request: gr.Request, secret: Any, *values: Any) -> Values:
        """Order a run by what the form says."""
        with errors_as_toasts(request):
            kept = self._met(request, secret)
            order, shared = checked_order(self._catalog, values)
            address = self._address(request)
            name = self._queue.order(secret=kept, address=address, shared=shared, **order.words())
            return kept, self._choices(name), notice("notice_started", run=name, name=name)

    def stop(self, request: gr.Request, name: Any, secret: Any) -> Any:
        """Stop a run with a checkpoint. Not in the queue, so the answer goes into a line."""
        try:
            self._queue.stop(name, self._met(request, secret))
        except DemoError as error:
            return refusal(error)
        return notice("notice_stopping", run=name)

    def resume(self, request: gr.Request, name: Any, secret: Any) -> Any:
        """Put a run that was stopped into the queue again."""
        with errors_as_toasts(request):
            self._queue.resume(name, self._met(request, secret), self._address(request))
            return notice("notice_resumed", run=name)

    def delete(self, request: gr.Request, name: Any, secret: Any) -> Values:
        """Remove a run; the next one is shown."""
        with errors_as_toasts(request):
            kept = self._met(request, secret)
            self._queue.delete(name, kept)
            picker = self._choices(self._first(kept))
            return picker, notice("notice_deleted"), self._used_disk(kept)

    def _met(self, request: gr.Request, secret: Any) -> str:
        return met(request, secret, self._queue.sessions)

    def _address(self, request: gr.Request) -> str:
        return address_of(request, self._queue.limits)

    # ---- watching

    async def watch(
        self, request: gr.Request, name: Any, logarithmic: Any, secret: Any
    ) -> AsyncIterator[Values]:
        """The run as it goes on, until it has ended or this page looks at another one."""
        page, me, looks = str(request.session_hash), object(), 0
        earlier, self._views[page] = page in self._views, me
        outputs = _Outputs(chosen_language(request), bool(logarithmic), lost=self._lost)
        try:
            with errors_as_toasts(request):
                if earlier:
                    await asyncio.sleep(CHANGE_SECONDS)
                # The disk is looked at in threads alone: this is the loop that serves everybody.
                answer_to(kept := visitor_secret(secret))
                self._queue.sessions.meet(request.session_hash, kept)
                while self._views.get(page) is me:
                    # At first fresh: it may have been resumed a moment ago.
                    seen = await asyncio.to_thread(self._look, name, secret, first=looks == 0)
                    slow = seen.ended or looks % SLOW_LOOKS == 0
                    yield (
                        *outputs.of(seen.view, seen.mine, taken=seen.taken, slow=slow),
                        seen.used_disk,
                    )
                    if seen.ended:
                        return
                    await asyncio.sleep(REFRESH_SECONDS)
                    looks += 1
        finally:
            if self._views.get(page) is me:
                del self._views[page]

    def _look(self, name: Any, secret: Any, *, first: bool) -> "_Seen":
        """What the disk says now: no view where no run is chosen, or somebody has deleted it meanwhile."""
        view, mine, taken = None, False, False
        if name:
            with contextlib.suppress(FileNotFoundError, InputError):
                view = self._watches.view(name, fresh=first)
                mine = self._queue.belongs_to(name, secret)
                taken = mine or self._queue.may_be_taken_by(name, secret)
        seen = _Seen(view, mine, taken)
        return replace(seen, used_disk=self._used_disk(secret)) if seen.ended or first else seen

    def refresh(self) -> Any:
        """The list of runs as it is now."""
        return gr.update(choices=self._queue.names())

    def _used_disk(self, secret: Any) -> Any:
        used = self._queue.used_bytes(secret) if isinstance(secret, str) else 0
        return run_view.used_disk(used, self._queue.limits.disk_mib_per_visitor * 2**20)

    def _choices(self, value: str | None) -> Any:
        return gr.update(choices=self._queue.names(), value=value)

    def _first(self, secret: str) -> str | None:
        """The run to show to whoever comes: one's own under way, anybody's, one's own last, the last."""
        names = self._queue.names()
        under_way = [name for name, state in self._queue.states(names[:20]).items() if state.under_way]
        own = self._queue.names_of(secret)
        mine = [name for name in names if name in own]
        ranked = [*(name for name in under_way if name in mine), *under_way, *mine, *names]
        return ranked[0] if ranked else None

    # ---- keeping and comparing

    def download(self, request: gr.Request, name: Any, secret: Any) -> Any:
        """The run as a file, for its owner."""
        with errors_as_toasts(request):
            self._queue.check_taken_by(name, self._met(request, secret))
            run = self._queue.run(name)
            target = self._export_of(run, ".zip")
            export_run(run, export_card(self._watches.view(name)), target)
            return gr.update(value=str(target), visible=True)

    def _export_of(self, run: RunDirectory, ending: str) -> Path:
        """A file of the run's own: names that differ in signs alone are the same in a file's name."""
        folder = Path(self._exports.name) / hashed(run.path.name)[:16]
        return folder / f"{portable_name(run.path.name) or 'run'}{ending}"

    def save_model(self, request: gr.Request, name: Any, secret: Any) -> Any:
        """The run's last model as a folder of the Hub's layout, in a file, for its owner."""
        with errors_as_toasts(request):
            self._queue.check_taken_by(name, self._met(request, secret))
            run = self._queue.run(name)
            target = self._export_of(run, "-model.zip")
            zip_model_folder(run, target)
            return gr.update(value=str(target), visible=True)

    def push(self, request: gr.Request, name: Any, repository: Any, secret: Any) -> Any:
        """The same to the Hub; only who ordered the run may."""
        with errors_as_toasts(request):
            self._met(request, secret)
            run = self._queue.run(name)
            if not self._queue.belongs_to(run.path.name, secret):
                raise InputError("not_your_run", name=run.path.name)
            url = push_model(run, repository)
            return notice("notice_pushed", url=url)

    def upload(self, request: gr.Request, path: Any, secret: Any, shared: Any) -> Values:
        """A run that was exported before."""
        with errors_as_toasts(request):
            kept = self._met(request, secret)
            if path is None:
                raise InputError("no_upload")
            name = self._queue.bring(Path(path), kept, self._address(request), shared is True)
            line = notice("notice_uploaded", name=name)
            return kept, self._choices(name), line, self._used_disk(kept)

    def compare(self, request: gr.Request, names: Any, line: Any, logarithmic: Any) -> Values:
        """Several runs in one chart, and what differs between them."""
        with errors_as_toasts(request):
            language = chosen_language(request)
            if names == []:
                return charts.overlay_update((), language), None
            if (
                not isinstance(names, Sequence)
                or isinstance(names, str)
                or not 1 <= len(names) <= MOST_COMPARED
            ):
                expected = f"a list of 1 to {MOST_COMPARED} runs"
                raise InputError("setting_type", name="runs", expected=expected, got=shown(names))
            views = [self._watches.view(name) for name in names]
            return differences(
                self._queue, views, language, validation=line == "validation", logarithmic=bool(logarithmic)
            )


@dataclass(frozen=True)
class _Seen:
    """What one look at a run found: the run, whose it is, who may take it, and the disk used, if asked."""

    view: RunView | None
    mine: bool
    taken: bool
    used_disk: Any = field(default_factory=gr.skip)

    @property
    def ended(self) -> bool:
        return self.view is None or not self.view.state.under_way


class _Outputs:
    """What a page shows of the run that it watches, in the order of `Watched.all` in `tab.py`."""

    def __init__(self, language: str, logarithmic: bool, *, lost: bool = False):
        self._language, self._logarithmic, self._lost = language, logarithmic, lost
        self._charts: list[Any] = [gr.update(visible=False)] * charts.MOST_CHARTS
        self._slider: Any = None

    def of(self, view: RunView | None, mine: bool, *, taken: bool, slow: bool) -> Values:
        """The whole of it.

        Args:
            view: of the run.
            mine: whether the visitor may stop it.
            taken: whether the visitor may take its files away.
            slow: whether the charts beside the first are drawn anew.
        """
        for number, curve in enumerate(_curves(view)[: charts.MOST_CHARTS]):
            if slow or number == 0:
                rows = view.charts.get(curve.name, ()) if view else ()
                logarithmic = self._logarithmic and curve.logarithmic
                self._charts[number] = charts.chart_update(
                    curve, rows, self._language, logarithmic=logarithmic, first=number == 0
                )
        state, slider = view.state if view else None, slider_value(view)
        before, self._slider = self._slider, slider
        return (
            run_view.run_card(view, mine=mine, lost=self._lost),
            # Copies: gradio takes the value out of what it is given; a chart without one would be sent anew.
            *map(dict, self._charts),
            run_view.samples(view),
            gr.skip() if slider == before else slider,
            gr.update(interactive=bool(state and mine and state.under_way)),
            gr.update(interactive=bool(state and mine and state.resumable)),
            gr.update(interactive=bool(state and mine and not state.under_way)),
            *[gr.update(interactive=bool(view and view.checkpoints and taken))] * 2,
        )


def _curves(view: RunView | None) -> tuple[Curve, ...]:
    """The charts that tell the story of the run's recipe."""
    recipe = RECIPES.get(view.recipe) if view else None
    return recipe.curves if recipe else LANGUAGE_MODEL
