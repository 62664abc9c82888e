"""Tasks for a GPU, where there is one: images and long texts by pretrained models, through one function.

On a Space with ZeroGPU a GPU is lent for the time of one call of a function that was decorated for it, in a
process of its own; without a decorated function such a Space stops at its start. `app.py` decorates `work`;
everywhere else it is called directly. A task that fails before its first result runs on the CPU instead.
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
"""Longer texts go to a GPU: the wait for one takes as long as some dozens of tokens on a CPU."""
BASE_SECONDS, SECONDS_A_TOKEN, SECONDS_A_STEP, MOST_SECONDS = 15, 0.05, 0.1, 120
MOST_MODELS = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextTask:
    """A text to be continued.

    Attributes:
        entry: of a pretrained model.
        prompt: the text to continue.
        settings: of decoding.
        written: ids of the tokens generated so far.
    """

    entry: "CatalogEntry"
    prompt: str
    settings: "SamplingSettings"
    written: tuple[int, ...]

    @property
    def seconds(self) -> int:
        """For how long a GPU is requested."""
        return min(MOST_SECONDS, round(BASE_SECONDS + SECONDS_A_TOKEN * self.settings.max_new_tokens))


@dataclass(frozen=True)
class ImageTask:
    """Images to be generated from captions.

    Attributes:
        entry: of a pretrained model.
        texts: a caption for each image.
        seeds: a seed for each image.
        sampling: settings of the sampler.
    """

    entry: "CatalogEntry"
    texts: tuple[str, ...]
    seeds: tuple[int, ...]
    sampling: "TextSampling"

    @property
    def seconds(self) -> int:
        """For how long a GPU is requested."""
        steps = self.sampling.num_inference_steps * len(self.texts)
        return min(MOST_SECONDS, round(BASE_SECONDS + SECONDS_A_STEP * steps))


Task = TextTask | ImageTask


@dataclass(frozen=True)
class Step:
    """Progress of an image task.

    Attributes:
        step: of the current batch of images.
        total: number of steps of that batch.
        images: all so far, uint8 [N, C, H, W]: a numpy array, which can be sent between processes.
        done: whether these are the final images.
    """

    step: int
    total: int
    images: Any
    done: bool = False


def seconds_needed(task: Task) -> int:
    """For how long a GPU is requested: the `duration` of the decorator."""
    return task.seconds


def is_there() -> bool:
    """Whether there is a GPU, or one is lent to the decorated function."""
    import torch

    return torch.cuda.is_available()


def wants(task: Task) -> bool:
    """Whether a task goes to a GPU: of a pretrained model, and not a short text."""
    if task.entry.family != "pretrained" or not is_there():
        return False
    return not isinstance(task, TextTask) or task.settings.max_new_tokens > LONG_TEXT


_on_cpu: dict[str, Any] = {}  # models in this process's memory; a forked process inherits them
_on_gpu: dict[str, Any] = {}  # moved to the GPU, in the process that has it


def work(task: Task) -> Iterator["TokenSampled | Step | DemoError"]:
    """Run a task on the GPU, in a process of its own where a GPU is lent for one call.

    Args:
        task: plain values; the model is found by its entry.

    Yields:
        Each token, or each step of an image task; at last the error where it failed with one of ours.
    """
    try:
        model = _model_on_gpu(task.entry)
        yield from _tokens(model, task) if isinstance(task, TextTask) else _image_steps(model, task)
    except DemoError as error:
        yield error


_work: Callable[[Task], Iterator[Any]] = work


def register(decorate: Callable[[Callable[[Task], Iterator[Any]]], Callable[[Task], Iterator[Any]]]) -> None:
    """Decorate `work`; later tasks go through the decorator.

    Args:
        decorate: such as `spaces.GPU(duration=seconds_needed)`.
    """
    global _work
    _work = decorate(work)


def results(task: Task, model: Any) -> Iterator["TokenSampled | Step"]:
    """The results of a task on the GPU.

    Args:
        task: to run.
        model: the same model on the CPU.

    Raises:
        DemoError: gpu_not_given where it failed before its first result, so that the CPU may do it; other
            errors unchanged.
    """
    _on_cpu.clear()
    _on_cpu[task.entry.name] = model
    granted = False
    stream = _work(task)
    try:
        for result in stream:
            if isinstance(result, DemoError):
                raise result
            granted = True
            yield result
    except DemoError:
        raise
    except Exception as error:  # ZeroGPU raises errors of its own where it grants nothing
        if granted:
            raise
        log.warning("No GPU for %s", task.entry.name, exc_info=True)
        raise DemoError("gpu_not_given", detail=type(error).__name__) from error
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def draw(task: ImageTask, model: Any, progress: "Progress") -> "Tensor":
    """Images generated on the GPU, uint8 [N, C, H, W].

    Args:
        task: to run.
        model: the same model on the CPU.
        progress: called with each step; returning true stops there.

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
        _on_gpu[entry.name] = (_on_cpu.get(entry.name) or _loaded(entry)).on_device("cuda")
    return _on_gpu[entry.name]


def _loaded(entry: "CatalogEntry") -> Any:
    from aigc_demo.generators.kinds import KINDS

    return KINDS[entry.kind].loader()(entry)


def _tokens(model: Any, task: TextTask) -> Iterator["TokenSampled"]:
    from aigc_demo.generators.text.decoding import generate

    yield from generate(model, task.prompt, task.settings, written=task.written)


def _image_steps(model: Any, task: ImageTask) -> Iterator[Step]:
    """Each step as it comes: the sampler calls back in a thread, and its steps are passed on by a queue."""
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

    threading.Thread(target=run, name="gpu-images", daemon=True).start()
    try:
        yield from _until_done(steps)
    finally:
        stop.set()


def _until_done(steps: Any) -> Iterator[Step]:
    while True:
        result = steps.get()
        if isinstance(result, BaseException):
            raise result
        yield result
        if result.done:
            return
