"""Work for a GPU, where there is one: images and long texts by pretrained models, in one function.

On a Space with ZeroGPU a GPU is lent for the time of one call of a function that was decorated for it, in a
process of its own; without a decorated function such a Space stops at its start. `app.py` decorates `work`;
everywhere else it is called as it stands. Whatever fails before the first result is done on the CPU instead.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import DemoError

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.generators.images.model import Progress
    from aigc_demo.generators.text.decoding import SamplingSettings, TokenSampled
    from aigc_demo.generators.text_to_image.model import TextSampling

LONG_TEXT = 50
"""Tokens from which on a text is worth a GPU: to have one granted takes as long as some dozens on a CPU."""
BASE_SECONDS, SECONDS_A_TOKEN, SECONDS_A_STEP, MOST_SECONDS = 15, 0.05, 0.1, 120
MOST_MODELS = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextTask:
    """A text to be continued.

    Attributes:
        entry: of a pretrained model.
        prompt: what it begins with.
        settings: of the decoding.
        written: ids that were written already.
    """

    entry: "CatalogEntry"
    prompt: str
    settings: "SamplingSettings"
    written: tuple[int, ...]

    @property
    def seconds(self) -> int:
        """For how long a GPU is asked for."""
        return min(MOST_SECONDS, round(BASE_SECONDS + SECONDS_A_TOKEN * self.settings.max_new_tokens))


@dataclass(frozen=True)
class ImageTask:
    """Captions to be drawn.

    Attributes:
        entry: of a pretrained model.
        texts: one for each image.
        seeds: likewise.
        sampling: how.
    """

    entry: "CatalogEntry"
    texts: tuple[str, ...]
    seeds: tuple[int, ...]
    sampling: "TextSampling"

    @property
    def seconds(self) -> int:
        """As of a text."""
        steps = self.sampling.num_inference_steps * len(self.texts)
        return min(MOST_SECONDS, round(BASE_SECONDS + SECONDS_A_STEP * steps))


Task = TextTask | ImageTask


@dataclass(frozen=True)
class Step:
    """How far a drawing is.

    Attributes:
        step: of the images that are drawn now.
        total: how many steps these take.
        images: all so far, uint8 [N, C, H, W]: an array of numpy, which travels between processes.
        done: whether these are the finished ones.
    """

    step: int
    total: int
    images: Any
    done: bool = False


def seconds_needed(task: Task) -> int:
    """For how long a GPU is asked for: what a decorator takes as its `duration`."""
    return task.seconds


def is_there() -> bool:
    """Whether there is a GPU, or one is lent to the decorated function."""
    import torch

    return torch.cuda.is_available()


def wants(task: Task) -> bool:
    """Whether a task goes to a GPU: a pretrained model's, and not a short text."""
    if task.entry.family != "pretrained" or not is_there():
        return False
    return not isinstance(task, TextTask) or task.settings.max_new_tokens > LONG_TEXT


_at_hand: dict[
    str, Any
] = {}  # models that this process has on its CPU; a process that is forked has them too
_on_gpu: dict[str, Any] = {}  # those that were moved, in the process that works with the GPU


def work(task: Task) -> Iterator["TokenSampled | Step | DemoError"]:
    """Do a task on the GPU; runs in a process of its own where a GPU is lent for one call.

    Args:
        task: plain values; its model is found again by its entry.

    Yields:
        Each token, or each step of a drawing; at last the reason where it failed in a way that can be told.
    """
    try:
        model = _model_on_gpu(task.entry)
        yield from _written(model, task) if isinstance(task, TextTask) else _drawn(model, task)
    except DemoError as error:
        yield error


_work: Callable[[Task], Iterator[Any]] = work


def register(decorate: Callable[[Callable[[Task], Iterator[Any]]], Callable[[Task], Iterator[Any]]]) -> None:
    """Have `work` called through a decorator from now on.

    Args:
        decorate: such as `spaces.GPU(duration=seconds_needed)`.
    """
    global _work
    _work = decorate(work)


def results(task: Task, model: Any) -> Iterator["TokenSampled | Step"]:
    """What the GPU makes of a task.

    Args:
        task: to be done.
        model: the same, on the CPU.

    Raises:
        DemoError: gpu_not_given where nothing came of it, so that the CPU may do it; others as they are.
    """
    _at_hand.clear()
    _at_hand[task.entry.name] = model
    given = False
    stream = _work(task)
    try:
        for result in stream:
            if isinstance(result, DemoError):
                raise result
            given = True
            yield result
    except DemoError:
        raise
    except Exception as error:  # the lender says in ways of its own that it lends nothing now
        if given:
            raise
        log.warning("No GPU for %s", task.entry.name, exc_info=True)
        raise DemoError("gpu_not_given", detail=type(error).__name__) from error
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def draw(task: ImageTask, model: Any, progress: "Progress") -> "Tensor":
    """Images that the GPU draws, uint8 [N, C, H, W].

    Args:
        task: to be done.
        model: the same, on the CPU.
        progress: called with each step; true ends it there.

    Raises:
        DemoError: as `results`.
    """
    import torch

    images = torch.empty(0)
    for result in results(task, model):
        assert isinstance(result, Step)
        images = torch.from_numpy(result.images)
        if not result.done and progress(result.step, result.total, images):
            break
    return images


def _model_on_gpu(entry: "CatalogEntry") -> Any:
    """The model on the GPU: kept from the last call, or moved there from memory or the disk."""
    import torch

    torch.set_num_threads(1)  # a forked process must not wait for the threads that it does not have
    if entry.name not in _on_gpu:
        while len(_on_gpu) >= MOST_MODELS:
            del _on_gpu[next(iter(_on_gpu))]
        _on_gpu[entry.name] = (_at_hand.get(entry.name) or _loaded(entry)).on_device("cuda")
    return _on_gpu[entry.name]


def _loaded(entry: "CatalogEntry") -> Any:
    from aigc_demo.generators.kinds import KINDS

    return KINDS[entry.kind].loader()(entry)


def _written(model: Any, task: TextTask) -> Iterator["TokenSampled"]:
    from aigc_demo.generators.text.decoding import generate

    yield from generate(model, task.prompt, task.settings, written=task.written)


def _drawn(model: Any, task: ImageTask) -> Iterator[Step]:
    """Each step as it comes: drawing calls back, and each step is handed on between two steps."""
    import queue
    import threading

    steps: queue.SimpleQueue[Step | BaseException] = queue.SimpleQueue()
    stop = threading.Event()

    def progress(step: int, total: int, images: "Tensor") -> bool:
        steps.put(Step(step, total, images.cpu().numpy()))
        return stop.is_set()

    def run() -> None:
        try:
            images = model.make(task.texts, task.seeds, task.sampling, progress)
            steps.put(Step(0, 0, images.cpu().numpy(), done=True))
        except BaseException as error:
            steps.put(error)

    threading.Thread(target=run, name="gpu-drawing", daemon=True).start()
    try:
        yield from _until_whole(steps)
    finally:
        stop.set()


def _until_whole(steps: Any) -> Iterator[Step]:
    while True:
        result = steps.get()
        if isinstance(result, BaseException):
            raise result
        yield result
        if result.done:
            return
