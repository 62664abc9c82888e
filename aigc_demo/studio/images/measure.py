"""Evaluation of an image model on the page, with progress and cancellation."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.evaluate.images import FEWEST_SAMPLES, USUAL_SAMPLES, compared, real_images
from aigc_demo.studio.images.compare import is_gan
from aigc_demo.studio.images.real_images import check_same_size, measuring_network
from aigc_demo.studio.images.seeds_by_label import Working
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.side_by_side import time_slice_for
from aigc_demo.studio.models.stoppable import unless_stopped

if TYPE_CHECKING:
    from aigc_demo.data.images.corpus import ImageCorpus
    from aigc_demo.measure.images import ImageFigures
    from aigc_demo.measure.modes import ModeFigures

NUM_SAMPLES = 2000
AT_ONCE, AT_ONCE_IN_STEPS = 50, 10


@dataclass(frozen=True)
class Measured:
    """The figures of a model.

    Attributes:
        model: which one.
        encoder: the network that looked at the images.
        figures: of the model against real images; both counts stand in it.
        of_real: how as many real images spread over the modes; None where none are known.
    """

    model: str
    encoder: str
    figures: "ImageFigures"
    of_real: "ModeFigures | None"


def measure_images(
    cache: ModelCache,
    name: Any,
    corpus: "ImageCorpus",
    stop: threading.Event,
    *,
    num_inference_steps: int = 20,
    samples: int = NUM_SAMPLES,
) -> Iterator[Working | Measured]:
    """Generate images of the first seeds and compare them with real ones.

    Args:
        cache: the models of the page.
        name: of the model.
        corpus: the real images: those held out where there are enough, else all.
        stop: ends it between two steps, and while models are loaded or figures are computed.
        num_inference_steps: of diffusion.
        samples: how many images.

    Yields:
        The number of images generated so far, then the figures; after Stop no figures.

    Raises:
        InputError: an argument does not fit, or there are too few real images, or no network to look.
        DemoError: a model cannot be loaded.
    """
    import torch

    from aigc_demo.generators.images.model import ImageSampling

    if not FEWEST_SAMPLES <= samples <= USUAL_SAMPLES:
        expected = f"a whole number from {FEWEST_SAMPLES} to {USUAL_SAMPLES}"
        raise InputError("setting_type", name="samples", expected=expected, got=samples)
    sampling = ImageSampling(num_inference_steps=num_inference_steps)
    full = cache.catalog.checked(name, IMAGE_GENERATOR)
    model = unless_stopped(lambda: cache.get(full), stop)
    if model is None:
        return
    encoder_name = measuring_network(cache.catalog, corpus, model.image_size)
    encoder = unless_stopped(lambda: cache.get(encoder_name), stop)
    if encoder is None:
        return
    held_out = len(corpus.validation) >= FEWEST_SAMPLES
    real = real_images(corpus, "validation" if held_out else "all")
    batches, at_once = [], AT_ONCE if is_gan(model) else AT_ONCE_IN_STEPS
    for first in range(0, samples, at_once):
        yield Working(first, samples)
        with time_slice_for(model, cache) as time_slice:

            def on_step(step: int, total: int, guessed: Any, time_slice: Any = time_slice) -> bool:
                time_slice.pass_on()
                return stop.is_set()

            batches.append(model.make(range(first, min(first + at_once, samples)), sampling, on_step))
        if stop.is_set():
            return
    yield Working(samples, samples)
    images = torch.cat(batches)
    check_same_size(images, real, corpus.name)
    figures = unless_stopped(lambda: compared(real, images, encoder), stop)
    if figures is not None:
        yield Measured(full, encoder_name, *figures)
