"""What a run has recorded, by kind."""

from collections.abc import Iterable

from aigc_demo.core.events import StepDone, TrainEvent, ValidationDone


def losses(events: Iterable[TrainEvent]) -> list[float]:
    return [event.loss for event in events if isinstance(event, StepDone)]


def validations(events: Iterable[TrainEvent]) -> list[ValidationDone]:
    return [event for event in events if isinstance(event, ValidationDone)]
