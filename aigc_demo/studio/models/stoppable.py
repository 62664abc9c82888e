"""Abandons a call that cannot be interrupted when it is cancelled."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
ASK_EVERY_SECONDS = 0.2


class Stop(Protocol):
    """As an event."""

    def is_set(self) -> bool:
        """Whether the job is cancelled."""


def unless_stopped(work: Callable[[], T], stop: Stop) -> T | None:
    """The result of a call, or None as soon as it is cancelled.

    The call itself goes on to its end in a thread of its own, since nothing can end it: what it keeps for
    others (a model, training images) is there for the next who ask.

    Args:
        work: does not return None.
        stop: is asked five times a second.

    Raises:
        BaseException: what the call raises.
    """
    if stop.is_set():
        return None
    answers: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # raised again where somebody waits for it
            errors.append(error)
        finally:
            done.set()

    context: Any = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True).start()
    while not done.wait(ASK_EVERY_SECONDS):
        if stop.is_set():
            return None
    if errors:
        raise errors[0]
    return answers[0]
