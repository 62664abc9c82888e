"""What happens on a click in the tabs with two columns: what their handlers share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from aigc_demo.studio.models.cancellation import Cancellation, CancelToken, Place
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.ui.widgets import errors_as_toasts, unchanged

Values = tuple[Any, ...]


class ColumnHandlers(ABC):
    """The handlers of a tab. Their first argument is gradio's request; the others are the components'.

    A handler that generates, and Stop, take the visitor's ticket first: a secret that the server made for one
    opened page, kept by gradio on the server alone (gr.State).

    Args:
        cache: the models of the page.
        cancellation: which visitor's work is to stop.
    """

    num_outputs: int  # of a column: len(Side.outputs)

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog, self._cancellation = cache, cache.catalog, cancellation

    def stop(self, ticket: str) -> None:
        """Everything that this visitor has running ends at its next step."""
        self._cancellation.stop(ticket)

    def choose_model(self, request: gr.Request, ticket: str, number: int, model: Any) -> Values:
        """An empty column for another model; what the one before is making there ends."""
        with errors_as_toasts(request):
            values = self._empty_side(model)
            return unchanged(self.num_outputs) if self._cancellation.leave(ticket, number, model) else values

    @abstractmethod
    def _empty_side(self, model: Any) -> Values:
        """What a column shows of a model that has made nothing yet, in the order of `Side.outputs`.

        Raises:
            InputError: there is no such model for this tab.
        """

    def _both(self, seed: int, stop: CancelToken, side: Callable[[int], Values]) -> Values:
        """The seed, and what `side` gives for either column."""
        return (seed, *self._sides(stop, side))

    def _sides(self, stop: CancelToken, side: Callable[[int], Values]) -> Values:
        """What `side` gives for either column."""
        return tuple(value for number in range(2) for value in self._unless_left(stop, number, side))

    def _unless_left(self, stop: CancelToken, number: int, side: Callable[[int], Values]) -> Values:
        """A column, in the order of `Side.outputs`; where it has another model by now, that one's, once."""
        if not stop.has_left(number):
            return side(number)
        successor = stop.take_successor(number)
        return self._empty_side(successor) if successor else unchanged(self.num_outputs)


def once_in_line(
    cancellation: Cancellation,
    ticket: str,
    name: str,
    work: Callable[[Place], Iterator[Any]],
    waiting: Callable[[Place], Any],
    models: Mapping[int, str] | None = None,
) -> Iterator[Any]:
    """Work that begins when what this visitor has running is done; nothing at a double click.

    Args:
        cancellation: of the page.
        ticket: of the visitor.
        name: of the work: a second one of the same name is a double click.
        work: what it gives, until it is stopped.
        waiting: what the page shows meanwhile.
        models: what works in which column.
    """
    with cancellation.joined(ticket, models, work=name) as stop:
        if stop.repeated:
            return
        while stop.waits():
            yield waiting(stop)
        yield from work(stop)
