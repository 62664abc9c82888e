"""A tab is a folder of its own, with one row in the list of `app.py`; and what all tabs share."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aigc_demo.studio.images.step_by_step_gan import StepByStepSessions
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import Load, ModelCache
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.studio.visitors.limits import Limits, limits_of_host
from aigc_demo.ui.frame import Frame
from aigc_demo.ui.serving.slots import Readers


@dataclass(frozen=True)
class Studio:
    """What all tabs share: models in memory, who is generating, runs, step-by-step GANs, limits, readers."""

    cache: ModelCache
    cancellation: Cancellation
    runs: RunWatches
    gan_sessions: StepByStepSessions = field(default_factory=StepByStepSessions)
    limits: Limits = field(default_factory=limits_of_host)
    readers: Readers = field(default_factory=Readers)


@dataclass(frozen=True)
class Tab:
    """A row of the list of tabs.

    Attributes:
        name: the key of its name in the words.
        build: lays it out and connects it; called inside a gr.Tab.
        add_api: adds its endpoints to the page that is being built; a tab may have none.
    """

    name: str
    build: Callable[[Studio, Frame], None]
    add_api: Callable[[Studio], None] = lambda studio: None


def new_studio(folder: Path | None = None, load: Load | None = None) -> Studio:
    """A studio in which the runs' models are among those that can be chosen.

    Args:
        folder: where the runs are; by default AIGC_DEMO_RUNS, or runs/ where the page was started.
        load: as in `ModelCache`.
    """
    limits = limits_of_host()
    queue = RunQueue(folder or Path(os.environ.get("AIGC_DEMO_RUNS", "runs")), limits=limits)
    cache = ModelCache(load=load, catalog=Catalog(queue))
    return Studio(cache, Cancellation(), RunWatches(queue), limits=limits)
