"""What a training will take, by a trial before it starts: a few real steps that leave nothing on the disk.

The run starts as it would, in a temporary directory, and is stopped after a second or two of steps. The time
of each kind of event is measured from outside, so any loop that yields events will do.
"""

import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env

from aigc_demo.core.bounds import memory_limit_mib, size
from aigc_demo.core.errors import DemoError
from aigc_demo.core.events import CheckpointSaved, RunFinished, RunStarted, StepDone
from aigc_demo.core.files.manifest import STATE
from aigc_demo.core.memory import memory_gib
from aigc_demo.core.process.system import address_space_limit_mib, peak_address_space_mib, peak_memory_mib
from aigc_demo.core.process.worker import check_no_worker
from aigc_demo.core.run_directory import MOST_CHECKPOINTS, NUM_STATES_KEPT, RunDirectory
from aigc_demo.training import start
from aigc_demo.training.family import family_of
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import NUM_CHECKPOINTS, Budget, LoopSettings

WARM_UP_STEPS = 2
MEASURED_SECONDS, MOST_SECONDS = 1.2, 10.0
# A run that ended by itself would end the trial: so many steps take longer than it.
ENDLESS = 10**9
# Weights, gradients and one moment in single precision: what no optimiser does with less.
LEAST_BYTES_PER_PARAMETER = 12


@dataclass
class Trial:
    """Measurements of a few steps.

    Attributes:
        facts: of the run's start.
        seconds: for each kind of event, how long each one of it took; steps without those to warm up.
        weights_mib: of one checkpoint, without what resuming needs.
        state_mib: what resuming needs.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    weights_mib: float = 0.0
    state_mib: float = 0.0

    def each(self, kind: str) -> float:
        """Mean seconds of one event of this kind; 0 where there was none."""
        times = self.seconds[kind]
        return sum(times) / len(times) if times else 0.0


def preflight(order: start.Order) -> dict[str, Any]:
    """Try an order and say what it will take on this machine.

    Args:
        order: as `start.train` takes it.

    Returns:
        `fits`, and `problem` where it does not: key and values of an error. `num_parameters`,
        `steps_per_second`, `tokens_per_second` or `pictures_per_second`; `steps` and `seconds` of the whole
        run, validations, samples and checkpoints included; `peak_memory_mib` of this process, on a GPU of
        torch there;
        `memory_limit_mib` (None where the system does not tell); `disk_mib` that the run's checkpoints take.
        Figures that were not reached, because memory ran out, are None.

    Raises:
        InputError: something asked for cannot be done, as when it is started.
    """
    check_no_worker(order.run_dir)
    order = start.order_in_full(order)
    if not order.resume:
        start.check_new_run(RunDirectory(order.run_dir))
    Budget(steps=order.steps, minutes=order.minutes, stop_after=order.stop_after)
    settings = recipe_named(order.recipe).complete(order.settings, order.source)
    limit = _memory_limit_mib()
    try:
        _check_parameters(order, settings, limit)
        with _temporary_folder() as folder, RunDirectory(folder).keep_log():
            trial = _try(order, settings, folder)
    except DemoError as error:
        if error.key not in ("out_of_memory", "needs_memory"):
            raise
        return _result(settings, order, None, limit, _memory_problem(error, limit))
    return _result(settings, order, trial, limit, None)


def _try(order: start.Order, settings: LoopSettings, folder: Path) -> Trial:
    """Train for a moment, and time the events."""
    trial, started = Trial(), time.perf_counter()
    tried = replace(
        order,
        run_dir=folder / "run",
        settings={**order.settings, **recipe_named(order.recipe).trial},
        steps=ENDLESS,
        minutes=None,
        stop_after=None,
        resume=False,
    )

    def enough() -> bool:
        steps = trial.seconds["step"]
        late = time.perf_counter() - started > MOST_SECONDS
        return sum(steps) >= MEASURED_SECONDS or (late and bool(steps))

    last = started
    for event in start.train(tried, enough):
        now = time.perf_counter()
        if isinstance(event, RunFinished) and not trial.facts:
            raise KeyboardInterrupt  # somebody ended it before its first step
        if isinstance(event, RunStarted):
            trial.facts, started = event.facts, now
        elif not isinstance(event, StepDone) or event.step > WARM_UP_STEPS:
            trial.seconds[event.kind].append(now - last)
        if isinstance(event, CheckpointSaved):
            _measure_checkpoint(trial, tried, tried.run_dir / event.path, settings)
        last = time.perf_counter()
    return trial


def _measure_checkpoint(trial: Trial, order: start.Order, checkpoint: Path, settings: LoopSettings) -> None:
    """Its size, and the time of a sample."""
    trial.state_mib = _mib(checkpoint / STATE)
    trial.weights_mib = _mib(checkpoint) - trial.state_mib
    write_sample = family_of(recipe_named(order.recipe)).write_sample
    if write_sample is not None and not trial.seconds["sample"] and start.is_main_process():
        started = time.perf_counter()
        write_sample(settings, checkpoint)
        trial.seconds["sample"].append(time.perf_counter() - started)


def _result(
    settings: LoopSettings,
    order: start.Order,
    trial: Trial | None,
    limit: float | None,
    problem: DemoError | None,
) -> dict[str, Any]:
    """Everything as numbers."""
    peak = round(_peak_memory_mib(), 1)
    rate = recipe_named(order.recipe).rate
    found: dict[str, Any] = dict.fromkeys(
        ("num_parameters", "steps_per_second", rate, "steps", "seconds", "disk_mib")
    )
    if trial is not None:
        found |= _estimate(trial, settings, order)
        if limit is not None and peak > limit:
            problem = _needs_memory(peak, limit)
        else:
            problem = _disk_problem(found["disk_mib"], order.run_dir)
    found |= {"peak_memory_mib": peak, "memory_limit_mib": None if limit is None else round(limit, 1)}
    found["fits"] = problem is None
    if problem is not None:
        found["problem"] = {"key": problem.key, "values": problem.values}
    return found


def _estimate(trial: Trial, settings: LoopSettings, order: start.Order) -> dict[str, Any]:
    """The whole run from its parts: the clock of a run by minutes counts its steps alone."""
    step = trial.each("step")
    steps = order.steps or max(1, round(60 * (order.minutes or 0) / step))
    every = settings.checkpoint_every
    num_checkpoints = min(steps, NUM_CHECKPOINTS) if every is None else -(-steps // every)
    one, windows = trial.each("validation"), trial.facts.get("validation_windows", 1)
    validations = one * (1 + steps // settings.validate_every)
    at_the_end = one * trial.facts.get("all_validation_windows", 1) / windows
    saving = num_checkpoints * (trial.each("checkpoint") + trial.each("sample"))
    kept = min(num_checkpoints, MOST_CHECKPOINTS)
    disk = kept * trial.weights_mib + min(kept, NUM_STATES_KEPT) * trial.state_mib
    return {
        "num_parameters": trial.facts["num_parameters"],
        "steps_per_second": round(1 / step, 3),
        recipe_named(order.recipe).rate: round(settings.units_per_step / step, 1),
        "steps": steps,
        "seconds": round(steps * step + validations + at_the_end + saving, 1),
        "disk_mib": round(disk, 2),
    }


def _check_parameters(order: start.Order, settings: LoopSettings, limit: float | None) -> None:
    """Refuse, before anything is taken, a network whose weights alone are too many for this machine.

    Raises:
        DemoError: they are.
    """
    if limit is None or order.init is not None:
        return
    with torch.device("meta"):  # shapes without numbers; the vocabulary is not known yet, and adds to it
        networks = family_of(recipe_named(order.recipe)).networks(order.recipe, settings)
    weights = sum(weight.numel() for network in networks for weight in network.parameters())
    needed = LEAST_BYTES_PER_PARAMETER * weights / 2**20
    if needed > limit:
        raise _needs_memory(needed, limit)


def _memory_problem(error: DemoError, limit: float | None) -> DemoError:
    """By how much memory fell short, as far as the refusal tells it."""
    if error.key == "needs_memory" or limit is None:
        return error
    asked = re.search(r"tried to allocate (\d+) bytes", str(error.__cause__))
    # An address space that is limited counts what was reserved, memory what was used.
    held = _peak_memory_mib() if address_space_limit_mib() is None else peak_address_space_mib()
    needed = held + (int(asked[1]) / 2**20 if asked else 0)
    return _needs_memory(max(needed, limit + 1), limit)


def _needs_memory(needed: float, limit: float) -> DemoError:
    over = -int(-(needed - limit) // 1)
    return DemoError("needs_memory", needed=round(needed), limit=round(limit), over=over)


def _disk_problem(needed: float, run_dir: Path) -> DemoError | None:
    """Whether the checkpoints fit beside what the disk holds."""
    place = run_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 2**20
    if needed <= free:
        return None
    return DemoError("needs_disk", path=str(run_dir), needed=round(needed), free=int(free))


def _peak_memory_mib() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return peak_memory_mib()


def _memory_limit_mib() -> float | None:
    """The least of what the machine, the container and the process's own limit allow."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_properties(PartialState().device).total_memory / 2**20
    whole = memory_gib()
    limits = [whole * 1024 if whole is not None else None, memory_limit_mib() or address_space_limit_mib()]
    return min((limit for limit in limits if limit is not None), default=None)


def _mib(folder: Path) -> float:
    return size(folder) / 2**20


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """One folder for all processes that train together, gone afterwards."""
    # Asked before there is an Accelerator, which alone would look for this in the environment.
    PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    folder_names = [tempfile.mkdtemp(prefix="aigc-demo-preflight-") if start.is_main_process() else ""]
    broadcast_object_list(folder_names)
    try:
        yield Path(folder_names[0])
    finally:
        PartialState().wait_for_everyone()
        if start.is_main_process():
            shutil.rmtree(folder_names[0], ignore_errors=True)
