"""Reading from a disk that may be slow: nobody waits for long, and what was read last stands in meanwhile.

A mounted folder can answer within microseconds, or not for minutes, and nothing tells beforehand. So each
reading happens in a thread of its own, and whoever asks waits a second at most. A key that took longer is
left alone until its answer has come.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aigc_demo.core.errors import DemoError

PATIENCE_SECONDS = 1.0
# Where the first reader has not done all by then, more of them share the rest.
ALONE_SECONDS = 0.1
MORE_READERS = 7
MOST_KEPT = 512

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Answer(Generic[Key, Value]):
    """What is known of a key.

    Attributes:
        key: that was asked for.
        value: that was read.
        fresh: whether it was read for this question; otherwise it is what was read last.
    """

    key: Key
    value: Value
    fresh: bool


@dataclass
class _Question(Generic[Key, Value]):
    """Keys that are being read for somebody who waits."""

    waiting: deque[Key]
    under_way: set[Key] = field(default_factory=set)
    values: dict[Key, Value] = field(default_factory=dict)
    errors: dict[Key, Exception] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class PatientReads(Generic[Key, Value]):
    """Values by their keys, read when they are asked for.

    Args:
        read: what gives a key's value; it may take long, and be called for several keys at once.
        patience_seconds: how long anybody waits; by default PATIENCE_SECONDS.
        most_kept: how many values are remembered.
    """

    def __init__(
        self,
        read: Callable[[Key], Value],
        *,
        patience_seconds: float | None = None,
        most_kept: int = MOST_KEPT,
    ):
        self._read = read
        self._patience_seconds, self._most_kept = patience_seconds, most_kept
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._under_way: dict[Key, int] = {}
        self._slow: set[Key] = set()

    def get(self, key: Key, *, share: bool = False) -> Value:
        """One value.

        Args:
            key: of it.
            share: be content with the last value where somebody else is reading it right now.

        Raises:
            Exception: what reading it raised.
            DemoError: the disk does not answer, and it was never read before.
        """
        with self._lock:
            if share and key in self._under_way and key in self._known:
                return self._known[key][1]
        question = self._ask((key,))
        if key in question.errors:
            raise question.errors[key]
        answers = self._answers((key,), question)
        if not answers:
            raise DemoError("disk_slow")
        return answers[0].value

    def all(self, keys: Iterable[Key]) -> list[Answer[Key, Value]]:
        """The values of several keys, in their order, after one wait; what nobody ever read is left out."""
        keys = tuple(keys)
        return self._answers(keys, self._ask(keys))

    def _answers(self, keys: tuple[Key, ...], question: _Question[Key, Value]) -> list[Answer[Key, Value]]:
        with self._lock:
            last = {key: self._known[key][1] for key in keys if key in self._known}
            read = dict(question.values)
        best = {**last, **read}
        return [Answer(key, best[key], key in read) for key in keys if key in best]

    def _ask(self, keys: tuple[Key, ...]) -> _Question[Key, Value]:
        """Have them read, and wait as long as is decent. What was not read for longest comes first."""
        with self._lock:
            asked = [key for key in keys if key not in self._slow]
            asked.sort(key=lambda key: self._known[key][0] if key in self._known else 0.0)
        question: _Question[Key, Value] = _Question(deque(asked))
        if not asked:
            return question
        patience = PATIENCE_SECONDS if self._patience_seconds is None else self._patience_seconds
        alone = min(ALONE_SECONDS, patience)
        self._start_reader(question)
        if not question.done.wait(alone):
            for _ in range(min(MORE_READERS, len(asked) - 1)):
                self._start_reader(question)
            question.done.wait(patience - alone)
        with self._lock:
            question.waiting.clear()
            self._slow |= question.under_way
        return question

    def _start_reader(self, question: _Question[Key, Value]) -> None:
        threading.Thread(target=self._answer, args=(question,), name="patient-read", daemon=True).start()

    def _answer(self, question: _Question[Key, Value]) -> None:
        while True:
            with self._lock:
                if not question.waiting:
                    return
                key, began = question.waiting.popleft(), time.monotonic()
                question.under_way.add(key)
                self._under_way[key] = self._under_way.get(key, 0) + 1
            try:
                value = self._read(key)
            except Exception as error:
                with self._lock:
                    question.errors[key] = error
                    self._ended(question, key)
                continue
            with self._lock:
                question.values[key] = value
                self._keep(key, began, value)
                self._ended(question, key)

    def _keep(self, key: Key, began: float, value: Value) -> None:
        if key in self._known and self._known[key][0] > began:
            return  # a later look was faster
        self._known[key] = (began, value)
        self._known.move_to_end(key)
        while len(self._known) > self._most_kept:
            self._known.popitem(last=False)

    def _ended(self, question: _Question[Key, Value], key: Key) -> None:
        self._slow.discard(key)
        question.under_way.discard(key)
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]
        if not question.waiting and not question.under_way:
            question.done.set()
