"""Images of the same seeds by several models at the same time.

All models are given the same seeds. They read them as noise of different shapes, so what a seed shows is
each model's own; but the same seed always gives the same image of the same model. Stop is obeyed between
two steps of a diffusion model; a GAN has only one.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.models.model_cache import ModelCache, weights_mib
from aigc_demo.studio.models.side_by_side import Progressing, Work, side_by_side, time_slice_for
from aigc_demo.studio.models.time_slices import TimeSlice

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.images.model import Progress

    Make = Callable[[Any, Progress], Tensor]

MOST_IMAGES = 64
MOST_STEPS = 100
TIMELINE_PREVIEWS, TIMELINE_IMAGES = 8, 4


@dataclass(frozen=True)
class ImageAsk(Settings):
    """Settings of an image request."""

    seed: int = setting(0, "of the first image; the others have the next ones", low=0, high=MAX_SEED)
    num_pictures: int = setting(16, "how many", low=1, high=MOST_IMAGES)
    truncation: float = setting(1.0, "how far from the mean image a GAN may go", low=0, high=1.5)
    num_inference_steps: int = setting(
        20, "steps in which diffusion takes the noise away", low=1, high=MOST_STEPS
    )

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each image; after the last seed there is comes the first."""
        return tuple((self.seed + place) % (MAX_SEED + 1) for place in range(self.num_pictures))

    @property
    def sampling(self) -> Any:
        """What the models sample by."""
        from aigc_demo.generators.images.model import ImageSampling

        return ImageSampling(self.truncation, self.num_inference_steps)


@dataclass(frozen=True, eq=False)
class ImageColumn(Progressing):
    """Output of one model so far.

    Attributes:
        seeds: of its images.
        images: uint8 [N, C, H, W]; while diffusion works what it guesses; None before the first.
        step: of diffusion, the last one done.
        num_steps: of how many.
        seconds: spent loading while it loads, then spent making images: in its own turns alone.
        scores: what the model's own discriminator says of each image, 0 to 1; None where it has none.
        timeline: (step, first images at it) of some steps, those of diffusion alone.
        memory_mib: what its weights take.
        num_parameters: how many numbers these are.
        fetched: the share of the model that has come over the network; None where none has to.
        gpu_seconds: for how long a GPU was asked for; None where none was, 0 where none was given.
        error: why it failed.
    """

    seeds: tuple[int, ...] = ()
    images: "Tensor | None" = None
    step: int = 0
    num_steps: int = 0
    seconds: float = 0.0
    scores: tuple[float, ...] | None = None
    timeline: "tuple[tuple[int, Tensor], ...]" = ()
    memory_mib: float | None = None
    num_parameters: int | None = None
    fetched: float | None = None
    gpu_seconds: int | None = None
    error: DemoError | None = None

    @property
    def seconds_per_image(self) -> float | None:
        """Seconds per image, own time; None before it is finished."""
        if self.state != "finished" or self.images is None:
            return None
        return self.seconds / len(self.images)


@dataclass(frozen=True)
class ImageRequest:
    """A comparison, its arguments checked.

    Attributes:
        models: names from the catalog.
        ask: of them all.
    """

    models: tuple[str, ...]
    ask: ImageAsk


def check_images(catalog: Catalog, models: Any, settings: Mapping[str, Any]) -> ImageRequest:
    """Check everything that can be checked before a model is loaded.

    Args:
        catalog: what the names stand for.
        models: one to four names.
        settings: of ImageAsk, loose.

    Raises:
        InputError: a model is unknown or writes text, or a setting does not fit.
    """
    return ImageRequest(catalog.checked_all(models, IMAGE_GENERATOR), ImageAsk.from_mapping(settings))


def compare_images(
    request: ImageRequest, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[ImageColumn, ...]]:
    """Generate the images of all seeds with all models concurrently.

    Args:
        request: from `check_images`.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        All columns, at most ten times a second. A column that fails carries its error and leaves the others
        alone.
    """
    ask = request.ask

    def make(model: Any, on_step: "Progress") -> "Tensor":
        return model.make(ask.seeds, ask.sampling, on_step)

    yield from paint(request.models, ask.seeds, make, cache, stop)


def paint(
    models: Sequence[str], seeds: tuple[int, ...], make: "Make", cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[ImageColumn, ...]]:
    """Run several image models concurrently, each in its column.

    Args:
        models: their full names.
        seeds: what the columns say that the images are of.
        make: makes them with a loaded model, which tells how far it is.
        cache: where the models are, or are loaded to.
        stop: as in `compare_images`.

    Yields:
        As `compare_images`.
    """
    columns = [ImageColumn(name, "waiting", seeds) for name in models]

    def painter(place: int, column: ImageColumn, report: Callable[[ImageColumn], None]) -> Work:
        return _Painter(make, column, cache, stop, report)

    yield from side_by_side(columns, painter, cache, stop)


class ImageWork(Work):
    """The worker of a column of images."""

    def do(self) -> None:
        """Load the model, wait for a time slice, and generate."""
        self.update(state="loading")
        model = self.cache.get(self.column.model)
        self.check(model)
        facts = {"memory_mib": weights_mib(model), "num_parameters": model.num_parameters}
        self.update(state="running", seconds=0.0, fetched=None, **facts)
        with time_slice_for(model, self.cache, self.stop) as time_slice:
            if self.stop.is_set():
                self.update(state="stopped")
                return
            images = self.generate(model, self.progress(time_slice))
            seconds = time_slice.seconds
            found = self.results(model, images)
        unfinished = self.column.num_steps > self.column.step
        self.update(state="stopped" if unfinished else "finished", images=images, seconds=seconds, **found)

    def check(self, model: Any) -> None:
        """Refuse what the model cannot do; by default nothing.

        Raises:
            InputError: it is that.
        """

    @abstractmethod
    def generate(self, model: Any, on_step: "Progress") -> "Tensor":
        """Generate with the loaded model, reporting progress."""

    @abstractmethod
    def results(self, model: Any, images: "Tensor") -> dict[str, Any]:
        """Further fields of the column, computed from the images."""

    def progress(self, time_slice: TimeSlice) -> "Progress":
        """The progress callback: yields the time slice, and returns whether to stop."""

        def on_step(step: int, total: int, guessed: "Tensor") -> bool:
            timeline = self.column.timeline
            if step in timeline_steps(total):
                timeline = (*timeline, (step, guessed[:TIMELINE_IMAGES].clone()))
            self.update(
                images=guessed, step=step, num_steps=total, seconds=time_slice.seconds, timeline=timeline
            )
            time_slice.pass_on()
            return self.stop.is_set() and step < total

        return on_step


class _Painter(ImageWork):
    """One column's images."""

    def __init__(self, make: "Make", *rest: Any):
        super().__init__(*rest)
        self.make = make

    def generate(self, model: Any, on_step: "Progress") -> "Tensor":
        return self.make(model, on_step)

    def results(self, model: Any, images: "Tensor") -> dict[str, Any]:
        return {"scores": tuple(model.discriminate(images).tolist()) if is_gan(model) else None}


def timeline_steps(total: int) -> tuple[int, ...]:
    """About eight steps of so many, the first and the last among them.

    With the later steps closer together than the first ones nothing would be seen: most of an image
    appears early, so they lie evenly.
    """
    count = min(TIMELINE_PREVIEWS, total)
    if count == 1:
        return (total,)
    return tuple(sorted({1 + round(place * (total - 1) / (count - 1)) for place in range(count)}))


def is_gan(model: Any) -> bool:
    """Whether a model is a GAN: it has a discriminator."""
    return hasattr(model, "discriminate")


def gan(cache: ModelCache, name: Any) -> Any:
    """A GAN of the page, loaded if it is not in memory.

    Raises:
        InputError: there is no such model, or it is none.
        DemoError: it cannot be loaded.
    """
    full = cache.catalog.checked(name, IMAGE_GENERATOR)
    model = cache.get(full)
    if not is_gan(model):
        raise InputError("no_gan", model=full)
    return model
