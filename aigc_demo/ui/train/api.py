"""The tab Train for programs: each action a named endpoint that takes and gives plain JSON.

from gradio_client import Client
client = Client("http://127.0.0.1:7860")
mine = client.predict(recipe="gpt", minutes=3, api_name="/start_run")
client.predict(name=mine["name"], secret=mine["secret"], api_name="/stop_run")
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs.order import RunOrder, checked_text_bytes
from aigc_demo.studio.runs.preflight import try_order
from aigc_demo.studio.runs.run_view import RunView, logarithms
from aigc_demo.studio.runs.samples import draws
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.ui.frame import in_group, met
from aigc_demo.ui.language import chosen_language
from aigc_demo.ui.serving.addresses import address_of
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.train.view import image_address
from aigc_demo.ui.widgets import errors_as_toasts
from aigc_demo.ui.words.wording import sentence

MOST_LISTED = 50


def add_train_api(studio: Studio) -> None:
    """Add the endpoints to the page that is being built."""
    api = TrainApi(studio.runs, studio.cache.catalog)
    for endpoint in (api.start_run, api.stop_run, api.resume_run, api.runs, api.run_curves):
        gr.api(endpoint, api_name=endpoint.__name__, **in_group("runs"))
    gr.api(api.try_run, api_name="try_run", **in_group("trial"))


class TrainApi:
    """The endpoints; their docstrings are what the API's page shows."""

    def __init__(self, watches: RunWatches, catalog: Catalog):
        self._watches, self._queue, self._catalog = watches, watches.queue, catalog

    def start_run(
        self,
        request: gr.Request,
        recipe: str = "gpt",
        text: str | None = None,
        minutes: float | None = None,
        steps: int | None = None,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
        init: str | None = None,
        secret: str | None = None,
        shared: bool | None = None,
    ) -> Json:
        """Queue a run; it starts when no other one trains.

        The answer holds the run's `name`, the `secret` that stops and resumes it (keep it: it is not shown
        again) and the `command` that does the same in a terminal.

        Args:
            recipe: what is trained, such as gpt, gpt2, dcgan, ddpm, clip or text2image.
            text: what to learn from; null for the built-in tiny world, as for recipes of images.
            minutes: how long it trains; either this or steps, three minutes where both are null.
            steps: how many steps it trains.
            seed: of all random numbers.
            settings: values by name, as `--set` of the command line takes them.
            init: the name of a model to go on from, whose shape is then the run's; null to begin anew.
            secret: that of an earlier answer, to stop both runs with it; null for a new one. Where a run is
                not shared, other endpoints take its name in the same session, or with the secret in the
                header x-aigc-demo-secret.
            shared: whether others may watch the run and use its model; null for what this page says.
        """
        with errors_as_toasts(request):
            mine = met(request, secret, self._queue.sessions)
            order = self._order(recipe, text, minutes, steps, seed, settings, init)
            if not isinstance(shared, (bool, type(None))):
                raise InputError("setting_type", name="shared", expected="true or false", got=shown(shared))
            address = address_of(request, self._queue.limits)
            name = self._queue.order(secret=mine, address=address, shared=shared, **order.words())
            return {"name": name, "secret": mine, "command": self._watches.view(name).command}

    def try_run(
        self,
        request: gr.Request,
        recipe: str = "gpt",
        text: str | None = None,
        minutes: float | None = None,
        steps: int | None = None,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
        init: str | None = None,
    ) -> Iterator[Json]:
        """What a run of start_run with the same arguments would take, by a few real steps; some ten seconds.

        The last answer holds `fits` (null in those before), and where it does not `problem`; `seconds` of the
        whole run, `steps`, `steps_per_second`, `tokens_per_second` or `pictures_per_second`,
        `num_parameters`, `peak_memory_mib`, `memory_limit_mib`, `disk_mib`.

        Args:
            recipe: what is trained, such as gpt, gpt2, dcgan, ddpm, clip or text2image.
            text: what to learn from; null for the built-in tiny world, as for recipes of images.
            minutes: how long it trains; either this or steps, three minutes where both are null.
            steps: how many steps it trains.
            seed: of all random numbers.
            settings: values by name, as `--set` of the command line takes them.
            init: the name of a model to go on from, whose shape is then the run's; null to begin anew.
        """
        with errors_as_toasts(request):
            order = self._order(recipe, text, minutes, steps, seed, settings, init)
            self._queue.check_size(order)
            for found in try_order(order, self._queue.folder, self._queue.bounds()):
                if found is None:
                    yield {"fits": None}
                elif problem := found.get("problem"):
                    words = sentence(problem["key"], problem["values"], chosen_language(request))
                    yield {**found, "problem": words}
                else:
                    yield found

    def _order(
        self, recipe: Any, text: Any, minutes: Any, steps: Any, seed: Any, settings: Any, init: Any
    ) -> RunOrder:
        if not isinstance(settings, (Mapping, type(None))):
            raise InputError("setting_type", name="settings", expected="name=value", got=shown(settings))
        return RunOrder(
            recipe,
            text=None if text is None else checked_text_bytes(text),
            minutes=3 if minutes is None and steps is None else minutes,
            steps=steps,
            seed=seed,
            settings=settings or {},
            init=None if init is None else self._catalog.starting_point(recipe, init),
        )

    def stop_run(self, request: gr.Request, name: str, secret: str) -> Json:
        """Stop a run after its step, with a checkpoint; one that waits leaves the queue.

        Answers how the run then stands.

        Args:
            name: of the run.
            secret: that of start_run; nobody else may stop it.
        """
        with errors_as_toasts(request):
            self._queue.stop(name, met(request, secret, self._queue.sessions))
            return self._run_json(self._watches.view(name, fresh=True), request)

    def resume_run(self, request: gr.Request, name: str, secret: str) -> Json:
        """Put a run that was stopped or interrupted into the queue again.

        It goes on from its last checkpoint. Answers how the run then stands.

        Args:
            name: of the run.
            secret: that of start_run; nobody else may resume it.
        """
        with errors_as_toasts(request):
            mine = met(request, secret, self._queue.sessions)
            self._queue.resume(name, mine, address_of(request, self._queue.limits))
            return self._run_json(self._watches.view(name, fresh=True), request)

    def runs(self, request: gr.Request) -> list[Json]:
        """The newest fifty runs on this server, the newest first.

        Each is {"name", "recipe", "stands", "place", "step", "steps", "seconds", "seconds_left",
        "validation_loss", "best_validation_loss", "resumable", "problem", "command"}. `stands`: waiting,
        running, stopping, finished, time, stopped, interrupted, non-finite or failed.
        """
        with errors_as_toasts(request):
            listed = []
            for name in self._queue.names()[:MOST_LISTED]:
                with contextlib.suppress(DemoError, FileNotFoundError):  # deleted meanwhile, or a slow disk
                    listed.append(self._run_json(self._watches.view(name), request))
            return listed

    def run_curves(self, request: gr.Request, name: str, logarithmic: bool = False) -> Json:
        """The curves of a run as far as it has come, at most 500 points a line, and its samples.

        The answer is {"run": as in runs, "curves": {curve: {line: [[step, value], ...]}}, "samples":
        [{"step", "text"}], "models": [name]}; of a recipe that draws, a sample is {"step", "picture"} with an
        address below that of this page. Lines that end in _smooth are running means; in the line checkpoint a
        stroke ends with null. The models are those of the checkpoints: generate_text takes their names.

        Args:
            name: of the run.
            logarithmic: log10 of the values instead of the values.
        """
        with errors_as_toasts(request):
            view = self._watches.view(name)
            curves: dict[str, dict[str, list[Any]]] = {}
            for curve, rows in view.charts.items():
                lines = curves.setdefault(curve, {})
                for step, value, line in logarithms(rows) if logarithmic else list(rows):
                    lines.setdefault(line, []).append([step, value])
            samples = samples_of(view)
            models = [f"{name}@{step}" for step in view.checkpoints]
            return {
                "run": self._run_json(view, request),
                "curves": curves,
                "samples": samples,
                "models": models,
            }

    def _run_json(self, view: RunView, request: gr.Request) -> Json:
        state, language = view.state, chosen_language(request)
        problem = state.problem and sentence(state.problem.key, state.problem.values, language)
        return {
            "name": state.name,
            "recipe": view.recipe,
            "stands": state.stands,
            "place": state.place,
            "step": state.step,
            "steps": view.steps,
            "seconds": view.seconds,
            "seconds_left": view.seconds_left,
            "validation_loss": view.validation_loss,
            "best_validation_loss": view.best[1] if view.best else None,
            "resumable": state.resumable,
            "problem": problem,
            "command": view.command,
        }


def samples_of(view: RunView) -> list[Json]:
    """Samples of a run's checkpoints: texts, or addresses of images."""
    if not draws(view.recipe):
        return [{"step": event.step, "text": event.text} for event in view.samples]
    return [{"step": event.step, "picture": image_address(view, event.step)} for event in view.samples]
