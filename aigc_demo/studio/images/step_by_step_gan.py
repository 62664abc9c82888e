"""The game of a GAN, played by visitors: each has one of their own, for as long as they play.

Single steps of small networks are model work and run in the page's process. A game is a few MiB; there are
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
from aigc_demo.nets.options import GAN_LOSSES

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.training.gan.step_by_step import Look, Step, StepByStepGan, TwinGans

# As in training/gan/step_by_step, which brings torch along.
MOVERS = ("discriminator", "generator", "both")
TWINS = ("minimax", "non-saturating")
TIMES = (1, 10, 50)
MOST_STEPS = 5_000
MOST_RATE = 0.01
MOST_GAMES = 24
IDLE_MINUTES = 20
MOST_REMEMBERED = 1_000
PICTURES = ImageSettings(num_pictures=1024, validation_fraction=0.0)
CURVE_POINTS = 199


@dataclass(frozen=True)
class Play(Settings):
    """What is asked for with one press."""

    moves: str = setting("both", "who moves: D, G, or D and then G", choices=MOVERS)
    times: int = setting(1, "how many steps", choices=TIMES)
    loss: str = setting("non-saturating", "of the game", choices=GAN_LOSSES)
    generator_rate: float = setting(2e-4, "Adam's learning rate, of G", low=0, high=MOST_RATE)
    discriminator_rate: float = setting(2e-4, "Adam's learning rate, of D", low=0, high=MOST_RATE)
    seed: int = setting(0, "of weights, batches and noise, where a game begins", low=0, high=MAX_SEED)


@dataclass(frozen=True, eq=False)
class Table:
    """A game after a press.

    Attributes:
        look: its batch as the networks see it now.
        history: every step, the first one first.
        seed: of the game.
    """

    look: "Look"
    history: tuple["Step", ...]
    seed: int


@dataclass(frozen=True, eq=False)
class TwinTable:
    """Two games in lockstep.

    Attributes:
        history: of either, by its loss.
        seed: of both.
    """

    history: dict[str, tuple["Step", ...]]
    seed: int


@dataclass(eq=False)
class _Seat:
    """What one visitor plays. Whoever holds the lock moves."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last_used: float = 0.0
    game: "StepByStepGan | None" = None
    twins: "TwinGans | None" = None
    history: list["Step"] = field(default_factory=list)
    twin_history: dict[str, list["Step"]] = field(default_factory=lambda: {loss: [] for loss in TWINS})


class Games:
    """Games by their owners' tickets, which the server makes (`stop_book.new_ticket`).

    Args:
        limit: how many visitors can play; one more takes the place of the one that moved longest ago.
        idle_minutes: how long a game may lie.
        clock: seconds.
    """

    def __init__(
        self,
        limit: int = MOST_GAMES,
        idle_minutes: float = IDLE_MINUTES,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.limit, self.idle_minutes = limit, idle_minutes
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: OrderedDict[str, _Seat] = OrderedDict()
        self._put_away: OrderedDict[str, None] = OrderedDict()
        self._pictures: Tensor | None = None
        self._images_lock = threading.Lock()

    def begin(self, ticket: str, seed: Any = 0, loss: Any = "non-saturating") -> Table:
        """A new game, not a step old, in the place of the one that there was.

        Args:
            ticket: the owner's.
            seed: of weights, batches and noise.
            loss: of the formulas.

        Raises:
            InputError: an argument does not fit.
        """
        asked = Play(seed=seed, loss=loss)
        with self._seat(ticket, anew=True) as seat:
            self._new_game(seat, asked.seed)
            return _table(seat, asked.loss)

    def play(self, ticket: str, **asked: Any) -> Table:
        """Some steps of the owner's game, which begins now if the owner never had one.

        Args:
            ticket: the owner's.
            asked: the fields of Play.

        Raises:
            InputError: an argument does not fit, the game was put away, has gone on for too long, or its
                numbers are no longer finite.
        """
        wanted = Play.from_mapping(asked)
        with self._seat(ticket) as seat:
            game = seat.game or self._new_game(seat, wanted.seed)
            _check_room(game.num_steps, wanted.times)
            for _ in range(wanted.times):
                seat.history.append(
                    game.step(wanted.moves, wanted.loss, wanted.generator_rate, wanted.discriminator_rate)
                )
            return _table(seat, wanted.loss)

    def begin_twins(self, ticket: str, seed: Any = 0) -> TwinTable:
        """New twins, not a step old.

        Raises:
            InputError: the seed does not fit.
        """
        asked = Play(seed=seed)
        with self._seat(ticket, anew=True) as seat:
            self._new_twins(seat, asked.seed)
            return _twin_table(seat)

    def play_twins(self, ticket: str, **asked: Any) -> TwinTable:
        """Some steps of both twins, D and then G, with the same images and the same noise.

        Args:
            ticket: the owner's.
            asked: the fields of Play without `moves` and `loss`.

        Raises:
            InputError: as `play`.
        """
        wanted = Play.from_mapping(asked)
        with self._seat(ticket) as seat:
            twins = seat.twins or self._new_twins(seat, wanted.seed)
            _check_room(len(seat.twin_history[TWINS[0]]), wanted.times)
            for _ in range(wanted.times):
                steps = twins.step(wanted.generator_rate, wanted.discriminator_rate)
                for loss, step in steps.items():
                    seat.twin_history[loss].append(step)
            return _twin_table(seat)

    def count(self) -> int:
        """How many visitors' games are kept."""
        with self._lock:
            self._sweep()
            return len(self._seats)

    # ---- seats

    @contextmanager
    def _seat(self, ticket: str, *, anew: bool = False) -> Iterator[_Seat]:
        """The owner's seat, for one press at a time; a new one where there never was one, or `anew`."""
        with self._lock:
            self._sweep()
            if ticket in self._put_away and not anew:
                raise InputError("step_by_step_put_away", minutes=round(self.idle_minutes), limit=self.limit)
            self._put_away.pop(ticket, None)
            seat = self._seats.setdefault(ticket, _Seat())
            self._touch(ticket, seat)
            while len(self._seats) > self.limit:
                self._forget(next(iter(self._seats)))
        with seat.lock:
            try:
                yield seat
            finally:
                with self._lock:
                    if self._seats.get(ticket) is seat:
                        self._touch(ticket, seat)

    def _touch(self, ticket: str, seat: _Seat) -> None:
        seat.last_used = self._clock()
        self._seats.move_to_end(ticket)

    def _sweep(self) -> None:
        """Put away what has lain for too long."""
        oldest = self._clock() - 60 * self.idle_minutes
        for ticket in [ticket for ticket, seat in self._seats.items() if seat.last_used < oldest]:
            self._forget(ticket)

    def _forget(self, ticket: str) -> None:
        del self._seats[ticket]
        self._put_away[ticket] = None
        while len(self._put_away) > MOST_REMEMBERED:
            self._put_away.popitem(last=False)

    # ---- games

    def _new_game(self, seat: _Seat, seed: int) -> "StepByStepGan":
        from aigc_demo.training.gan.step_by_step import StepByStepGan

        seat.game = StepByStepGan(self._real_images(), seed)
        seat.history.clear()
        return seat.game

    def _new_twins(self, seat: _Seat, seed: int) -> "TwinGans":
        from aigc_demo.training.gan.step_by_step import TwinGans

        seat.twins = TwinGans(self._real_images(), seed)
        for steps in seat.twin_history.values():
            steps.clear()
        return seat.twins

    def _real_images(self) -> "Tensor":
        """GeneratedImages once, when the first game begins; all games share them."""
        from aigc_demo.core.device import set_threads

        with self._images_lock:
            if self._pictures is None:
                set_threads(processes=2)  # as for the models of the page, whichever comes first
                self._pictures = prepare_images(TINY_WORLD, PICTURES).train
            return self._pictures


def loss_curves() -> dict[str, list[tuple[float, float, float]]]:
    """For each twin's loss: (D(G(z)), G's loss there, its slope by the score), D(G(z)) from 0 to 1."""
    from aigc_demo.training.gan.step_by_step import generator_curve

    probs = [place / (CURVE_POINTS + 1) for place in range(1, CURVE_POINTS + 1)]
    return {loss: generator_curve(loss, probs) for loss in TWINS}


def _check_room(done: int, times: int) -> None:
    if done + times > MOST_STEPS:
        raise InputError("step_by_step_too_long", limit=MOST_STEPS)


def _table(seat: _Seat, loss: str) -> Table:
    assert seat.game is not None
    return Table(seat.game.look(loss), tuple(seat.history), seat.game.seed)


def _twin_table(seat: _Seat) -> TwinTable:
    assert seat.twins is not None
    seed = next(iter(seat.twins.gans.values())).seed
    return TwinTable({loss: tuple(steps) for loss, steps in seat.twin_history.items()}, seed)
