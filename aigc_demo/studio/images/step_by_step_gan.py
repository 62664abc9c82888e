"""A small GAN that visitors train step by step: each visitor has their own.

Single steps of small networks are model work and run in the page's process. A GAN is a few MiB; there are
at most so many, and those that lie idle are put away.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.images.corpus import ImageSettings, prepare_images
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.nets.options import GAN_LOSSES, TWIN_LOSSES, UPDATED_NETWORKS

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.training.gan.step_by_step import Inspection, Step, StepByStepGan, TwinGans

TIMES = (1, 10, 50)
MOST_STEPS = 5_000
MOST_RATE = 0.01
MOST_SESSIONS = 24
IDLE_MINUTES = 20
MOST_REMEMBERED = 1_000
IMAGES = ImageSettings(num_pictures=1024, validation_fraction=0.0)
CURVE_POINTS = 199


@dataclass(frozen=True)
class StepRequest(Settings):
    """Settings of one request."""

    updates: str = setting("both", "which networks are updated: D, G or both", choices=UPDATED_NETWORKS)
    times: int = setting(1, "how many steps", choices=TIMES)
    loss: str = setting("non-saturating", "of the generator", choices=GAN_LOSSES)
    generator_rate: float = setting(2e-4, "Adam's learning rate, of G", low=0, high=MOST_RATE)
    discriminator_rate: float = setting(2e-4, "Adam's learning rate, of D", low=0, high=MOST_RATE)
    seed: int = setting(0, "of weights, batches and noise, for a new GAN", low=0, high=MAX_SEED)


@dataclass(frozen=True, eq=False)
class GanState:
    """A GAN after a request.

    Attributes:
        inspection: its last batch, evaluated by both networks now.
        history: every step, the first one first.
        seed: of the GAN.
    """

    inspection: "Inspection"
    history: tuple["Step", ...]
    seed: int


@dataclass(frozen=True, eq=False)
class TwinState:
    """Two GANs trained in lockstep.

    Attributes:
        history: of either, by its loss.
        seed: of both.
    """

    history: dict[str, tuple["Step", ...]]
    seed: int


@dataclass(eq=False)
class _Session:
    """What one visitor trains. Whoever holds the lock may step."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last_used: float = 0.0
    gan: "StepByStepGan | None" = None
    twins: "TwinGans | None" = None
    history: list["Step"] = field(default_factory=list)
    twin_history: dict[str, list["Step"]] = field(default_factory=lambda: {loss: [] for loss in TWIN_LOSSES})


class StepByStepSessions:
    """Sessions by their owners' tickets, which the server creates (`cancellation.new_ticket`).

    Args:
        limit: how many visitors at once; one more replaces the session that was used longest ago.
        idle_minutes: how long an unused session is kept.
        clock: seconds.
    """

    def __init__(
        self,
        limit: int = MOST_SESSIONS,
        idle_minutes: float = IDLE_MINUTES,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.limit, self.idle_minutes = limit, idle_minutes
        self._clock = clock
        self._lock = threading.Lock()
        self._all_sessions: OrderedDict[str, _Session] = OrderedDict()
        self._dropped: OrderedDict[str, None] = OrderedDict()
        self._images: Tensor | None = None
        self._images_lock = threading.Lock()

    def reset(self, ticket: str, seed: Any = 0, loss: Any = "non-saturating") -> GanState:
        """A new GAN, untrained, in place of the visitor's old one.

        Args:
            ticket: the owner's.
            seed: of weights, batches and noise.
            loss: of the formulas.

        Raises:
            InputError: an argument does not fit.
        """
        request = StepRequest(seed=seed, loss=loss)
        with self._session(ticket, anew=True) as session:
            self._new_gan(session, request.seed)
            return _state_of(session, request.loss)

    def step(self, ticket: str, **request: Any) -> GanState:
        """Some steps of the owner's GAN, which is created now if the owner never had one.

        Args:
            ticket: the owner's.
            request: the fields of StepRequest.

        Raises:
            InputError: an argument does not fit, the session was dropped or has too many steps, or its
                numbers are no longer finite.
        """
        wanted = StepRequest.from_mapping(request)
        with self._session(ticket) as session:
            gan = session.gan or self._new_gan(session, wanted.seed)
            _check_room(gan.num_steps, wanted.times)
            for _ in range(wanted.times):
                session.history.append(
                    gan.step(wanted.updates, wanted.loss, wanted.generator_rate, wanted.discriminator_rate)
                )
            return _state_of(session, wanted.loss)

    def reset_twins(self, ticket: str, seed: Any = 0) -> TwinState:
        """New twins, untrained.

        Raises:
            InputError: the seed does not fit.
        """
        request = StepRequest(seed=seed)
        with self._session(ticket, anew=True) as session:
            self._new_twins(session, request.seed)
            return _twin_state_of(session)

    def step_twins(self, ticket: str, **request: Any) -> TwinState:
        """Some steps of both twins, D and then G, with the same images and the same noise.

        Args:
            ticket: the owner's.
            request: the fields of StepRequest without `updates` and `loss`.

        Raises:
            InputError: as `step`.
        """
        wanted = StepRequest.from_mapping(request)
        with self._session(ticket) as session:
            twins = session.twins or self._new_twins(session, wanted.seed)
            _check_room(len(session.twin_history[TWIN_LOSSES[0]]), wanted.times)
            for _ in range(wanted.times):
                steps = twins.step(wanted.generator_rate, wanted.discriminator_rate)
                for loss, step in steps.items():
                    session.twin_history[loss].append(step)
            return _twin_state_of(session)

    def count(self) -> int:
        """How many sessions are kept."""
        with self._lock:
            self._drop_idle()
            return len(self._all_sessions)

    # ---- sessions

    @contextmanager
    def _session(self, ticket: str, *, anew: bool = False) -> Iterator[_Session]:
        """The owner's session, for one request at a time; a new one where there was none, or `anew`."""
        with self._lock:
            self._drop_idle()
            if ticket in self._dropped and not anew:
                raise InputError("step_by_step_put_away", minutes=round(self.idle_minutes), limit=self.limit)
            self._dropped.pop(ticket, None)
            session = self._all_sessions.setdefault(ticket, _Session())
            self._touch(ticket, session)
            while len(self._all_sessions) > self.limit:
                self._drop(next(iter(self._all_sessions)))
        with session.lock:
            try:
                yield session
            finally:
                with self._lock:
                    if self._all_sessions.get(ticket) is session:
                        self._touch(ticket, session)

    def _touch(self, ticket: str, session: _Session) -> None:
        session.last_used = self._clock()
        self._all_sessions.move_to_end(ticket)

    def _drop_idle(self) -> None:
        """Drop sessions that were idle for too long."""
        oldest = self._clock() - 60 * self.idle_minutes
        for ticket in [
            ticket for ticket, session in self._all_sessions.items() if session.last_used < oldest
        ]:
            self._drop(ticket)

    def _drop(self, ticket: str) -> None:
        del self._all_sessions[ticket]
        self._dropped[ticket] = None
        while len(self._dropped) > MOST_REMEMBERED:
            self._dropped.popitem(last=False)

    # ---- networks

    def _new_gan(self, session: _Session, seed: int) -> "StepByStepGan":
        from aigc_demo.training.gan.step_by_step import StepByStepGan

        session.gan = StepByStepGan(self._real_images(), seed)
        session.history.clear()
        return session.gan

    def _new_twins(self, session: _Session, seed: int) -> "TwinGans":
        from aigc_demo.training.gan.step_by_step import TwinGans

        session.twins = TwinGans(self._real_images(), seed)
        for steps in session.twin_history.values():
            steps.clear()
        return session.twins

    def _real_images(self) -> "Tensor":
        """Rendered once, at the first request; all sessions share them."""
        from aigc_demo.core.device import set_threads

        with self._images_lock:
            if self._images is None:
                set_threads(processes=2)  # as for the models of the page, whichever comes first
                self._images = prepare_images(TINY_WORLD, IMAGES).train
            return self._images


def loss_curves() -> dict[str, list[tuple[float, float, float]]]:
    """For each twin's loss: (D(G(z)), G's loss there, its slope by the score), D(G(z)) from 0 to 1."""
    from aigc_demo.training.gan.step_by_step import generator_curve

    probs = [place / (CURVE_POINTS + 1) for place in range(1, CURVE_POINTS + 1)]
    return {loss: generator_curve(loss, probs) for loss in TWIN_LOSSES}


def _check_room(done: int, times: int) -> None:
    if done + times > MOST_STEPS:
        raise InputError("step_by_step_too_long", limit=MOST_STEPS)


def _state_of(session: _Session, loss: str) -> GanState:
    assert session.gan is not None
    return GanState(session.gan.inspect(loss), tuple(session.history), session.gan.seed)


def _twin_state_of(session: _Session) -> TwinState:
    assert session.twins is not None
    seed = next(iter(session.twins.gans.values())).seed
    return TwinState({loss: tuple(steps) for loss, steps in session.twin_history.items()}, seed)
